//! Upgrades on a box whose power fails before any chosen change.

use std::fs;
use std::path::{Path, PathBuf};

use super::fake::*;
use super::*;

fn order(file: PathBuf) -> Order {
    Order {
        file,
        downgrade: false,
        within: std::time::Duration::from_secs(300),
        want_reading: true,
        want_acknowledged: true,
    }
}

/// Puts a file and its signature there.
fn signed(made: &Box_, bytes: &[u8]) -> PathBuf {
    let file = made.folder.path().join("new");
    fs::write(&file, bytes).unwrap();
    fs::write(file.with_extension("minisig"), bytes).unwrap();
    file
}

/// Stages and drives to the end, or to the cut.
fn upgrade(made: &mut Box_, order: &Order) -> Result<Ended, Fault> {
    let desk = Desk::take(made.places.clone()).unwrap();
    let state = desk.stage(made, order)?;
    desk.drive(made, state)
}

fn refused(made: &mut Box_, order: &Order) -> String {
    let before = made.version_in_place();
    let running = made.running.clone();
    let fault = upgrade(made, order).unwrap_err();
    assert_eq!(made.version_in_place(), before);
    assert_eq!(made.running, running, "a refused file changes nothing that runs");
    assert_eq!(Desk::look(&made.places).unwrap(), Under::Nothing);
    assert!(!fault.0.zh.is_empty());
    fault.0.en
}

#[test]
fn a_good_version_is_installed_after_its_trial_and_the_way_back_leads_to_the_old_one() {
    for as_package in [true, false] {
        let mut made = Box_::new(as_package);
        let bytes = if as_package { package("2.0.0", GOOD) } else { program("2.0.0", GOOD) };
        let file = signed(&made, &bytes);
        let ended = upgrade(&mut made, &order(file)).unwrap();
        assert_eq!((ended.outcome, &*ended.to), (Outcome::Installed, "2.0.0"));
        assert_eq!(made.version_in_place(), "2.0.0 good");
        let running = made.running.clone().unwrap();
        assert_eq!(running, ("2.0.0 good".into(), made.places.program.clone()));
        assert!(made.clock >= STEADY, "it was watched for longer than the watchdog waits");
        assert!(!made.places.drop_ins.exists());
        assert_eq!(Desk::last(&made.places).unwrap(), Some(ended));

        let desk = Desk::take(made.places.clone()).unwrap();
        let state = desk.order_back(&mut made).unwrap();
        let ended = desk.drive(&mut made, state).unwrap();
        assert_eq!((ended.outcome, &*ended.to), (Outcome::Returned, "1.0.0"));
        assert_eq!(made.version_in_place(), "1.0.0 good");
        assert_eq!(made.running.clone().unwrap().0, "1.0.0 good");
    }
}

#[test]
fn the_package_of_an_upgrade_is_kept_for_the_way_back_of_the_next_one() {
    let mut made = Box_::new(true);
    for version in ["2.0.0", "3.0.0"] {
        let file = signed(&made, &package(version, GOOD));
        upgrade(&mut made, &order(file)).unwrap();
    }
    assert_eq!(made.installed.as_deref(), Some("3.0.0"));
    let desk = Desk::take(made.places.clone()).unwrap();
    let state = desk.order_back(&mut made).unwrap();
    desk.drive(&mut made, state).unwrap();
    assert_eq!(made.installed.as_deref(), Some("2.0.0"), "dpkg knows what runs");
    assert_eq!(made.version_in_place(), "2.0.0 good");
}

#[test]
fn a_version_that_shows_nothing_or_ends_is_withdrawn_with_its_reason() {
    for (temper, why) in [(DUMB, "within 300 s: no good reading"), (CRASHING, "exit-code")] {
        let mut made = Box_::new(true);
        let file = signed(&made, &package("2.0.0", temper));
        let ended = upgrade(&mut made, &order(file)).unwrap();
        assert_eq!(ended.outcome, Outcome::Withdrawn);
        assert!(ended.why.clone().unwrap().en.contains(why), "{ended:?}");
        assert_eq!(made.version_in_place(), "1.0.0 good");
        assert_eq!(made.running.clone().unwrap().0, "1.0.0 good");
        assert_eq!(made.installed.as_deref(), Some("1.0.0"));
        assert!(!made.places.drop_ins.exists() && !made.places.new_program().exists());
    }
}

#[test]
fn what_is_not_shown_before_can_be_left_out_of_the_trial() {
    let mut made = Box_::new(false);
    fs::write(&made.places.program, program("1.0.0", DUMB)).unwrap();
    made.restart().unwrap();
    let file = signed(&made, &program("2.0.0", DUMB));
    let why = refused(&mut made, &order(file.clone()));
    assert!(why.contains("--without-reading"), "{why}");
    let without = Order { want_reading: false, want_acknowledged: false, ..order(file) };
    assert_eq!(upgrade(&mut made, &without).unwrap().outcome, Outcome::Installed);
}

#[test]
fn what_is_not_signed_not_ours_older_or_for_another_machine_is_refused() {
    let mut made = Box_::new(true);
    let file = signed(&made, &package("2.0.0", GOOD));
    fs::write(&file, package("2.0.1", GOOD)).unwrap();
    assert!(refused(&mut made, &order(file)).contains("signature"));
    let cases = [
        (package("0.9.0", GOOD), "0.9.0 is older than 1.0.0"),
        (b"!<arch>\nmosquitto 2.0 amd64 good".to_vec(), "`mosquitto`"),
        (b"!<arch>\nlinli 2.0 armhf good".to_vec(), "for armhf, this machine is amd64"),
        (b"#!/bin/sh\n".to_vec(), "neither a package"),
        ([b"\x7fELF\x01\x01............\x28\x00", &b"2.0.0 good"[..]].concat(), "processor"),
    ];
    for (bytes, why) in cases {
        let file = signed(&made, &bytes);
        let told = refused(&mut made, &order(file));
        assert!(told.contains(why), "{told}");
    }
    let file = signed(&made, &package("0.9.0", GOOD));
    let older = Order { downgrade: true, ..order(file) };
    assert_eq!(upgrade(&mut made, &older).unwrap().outcome, Outcome::Installed);
}

#[test]
fn a_configuration_with_new_names_is_migrated_for_the_trial_and_put_in_place_with_the_program() {
    let mut made = Box_::new(true);
    let file = signed(&made, &package("2.0.0", RENAMED));
    let ended = upgrade(&mut made, &order(file)).unwrap();
    assert_eq!(ended.outcome, Outcome::Installed);
    let read = |made: &Box_, name: &str| {
        fs::read_to_string(made.places.config.with_file_name(name)).unwrap()
    };
    assert_eq!(read(&made, "linli.toml"), "new = 1\n");
    assert_eq!(read(&made, "conf.d/a.toml"), "new = 2\n");
    let desk = Desk::take(made.places.clone()).unwrap();
    let state = desk.order_back(&mut made).unwrap();
    desk.drive(&mut made, state).unwrap();
    assert_eq!(read(&made, "linli.toml"), "old = 1\n", "the old program refuses the new names");
    assert_eq!(made.running.clone().unwrap().0, "1.0.0 good");
}

#[test]
fn when_the_package_cannot_be_installed_after_all_the_old_version_returns() {
    let mut made = Box_::new(true);
    made.no_dpkg = true;
    let file = signed(&made, &package("2.0.0", RENAMED));
    let ended = upgrade(&mut made, &order(file)).unwrap();
    assert_eq!(ended.outcome, Outcome::Returned);
    assert!(ended.why.unwrap().en.contains("unmet dependencies"));
    assert_eq!(made.running.clone().unwrap().0, "1.0.0 good");
    assert_eq!(fs::read_to_string(&made.places.config).unwrap(), "old = 1\n");
}

#[test]
fn only_one_upgrade_at_a_time_and_a_cut_one_is_named() {
    let mut made = Box_::new(true);
    let file = signed(&made, &package("2.0.0", GOOD));
    let desk = Desk::take(made.places.clone()).unwrap();
    let state = desk.stage(&mut made, &order(file.clone())).unwrap();
    assert!(Desk::take(made.places.clone()).unwrap_err().0.en.contains("under way"));
    assert_eq!(Desk::look(&made.places).unwrap(), Under::Way(state.clone()));
    drop(desk);
    assert_eq!(Desk::look(&made.places).unwrap(), Under::Cut(state));
    let why = upgrade(&mut made, &order(file)).unwrap_err().0.en;
    assert!(why.contains("--recover"), "{why}");
}

#[test]
fn a_state_of_a_later_version_is_not_touched() {
    let mut made = Box_::new(true);
    let text = "{\"format\": 2, \"step\": \"beamed\"}";
    fs::create_dir_all(&made.places.folder).unwrap();
    fs::write(made.places.state(), text).unwrap();
    let desk = Desk::take(made.places.clone()).unwrap();
    let why = desk.recover(&mut made).unwrap_err().0.en;
    assert!(why.contains("format 2") && why.contains("up to 1"), "{why}");
    assert_eq!(fs::read_to_string(made.places.state()).unwrap(), text);
}

/// What must hold whenever the machine has started: one whole version runs, with a configuration
/// that it takes, dpkg knows it, and nothing is under way.
fn is_whole(made: &Box_, from: &str, to: &str, what: &str) {
    let running = made.running.clone().unwrap_or_else(|| panic!("{what}: nothing runs"));
    assert!(running.0 == from || running.0 == to, "{what}: {running:?}");
    assert_eq!(running.1, made.places.program, "{what}: it is the one in its place");
    assert_eq!(running.0, made.version_in_place(), "{what}");
    assert!(!made.half_installed, "{what}: dpkg is not at its end");
    assert_eq!(Desk::look(&made.places).unwrap(), Under::Nothing, "{what}");
    let kept = made.places.previous();
    if running.0 == to {
        assert!(kept.join("linli").exists() && kept.join("etc/password").exists(), "{what}");
        let about: Previous = desk::read(&kept.join("about.json")).unwrap().unwrap();
        assert_eq!(about.version, "1.0.0", "{what}: what is kept is the old version");
        assert_eq!(fs::read(kept.join("linli")).unwrap(), program("1.0.0", GOOD), "{what}");
    }
}

/// An upgrade whose power fails before change `first`, and again before change `second` of what
/// takes it up. Returns whether the first cut came at all.
fn cut_twice(
    bytes: &[u8],
    to: &str,
    as_package: bool,
    first: usize,
    second: Option<usize>,
) -> bool {
    let mut made = Box_::new(as_package);
    let file = signed(&made, bytes);
    made.cut_at = Some(first);
    let ended = upgrade(&mut made, &order(file.clone()));
    if !made.dead {
        return false;
    }
    assert!(ended.is_err());
    let what = format!("{to}: cut {first} after {:?}, then {second:?}", made.changes.last());
    let taken = made.power_cycle(second);
    if made.dead {
        assert!(taken.is_err());
        made.power_cycle(None).unwrap();
    }
    is_whole(&made, "1.0.0 good", to, &what);
    // And the box can be upgraded again.
    made.cut_at = None;
    let file = signed(&made, bytes);
    let again = upgrade(&mut made, &order(file));
    assert!(again.is_ok(), "{what}: {again:?}");
    is_whole(&made, "1.0.0 good", to, &what);
    true
}

#[test]
fn a_power_cut_before_any_change_ends_in_the_old_or_the_new_version() {
    let packages = [(GOOD, "2.0.0 good"), (DUMB, "2.0.0 dumb"), (RENAMED, "2.0.0 renamed")];
    for (temper, to) in packages {
        let mut first = 0;
        while cut_twice(&package("2.0.0", temper), to, true, first, None) {
            first += 1;
        }
        assert!(first > 12, "{first} changes");
    }
    let mut first = 0;
    while cut_twice(&program("2.0.0", GOOD), "2.0.0 good", false, first, None) {
        first += 1;
    }
    assert!(first > 12, "{first} changes");
}

#[test]
fn a_second_power_cut_while_the_first_is_taken_up_ends_in_the_old_or_the_new_version() {
    let bytes = package("2.0.0", RENAMED);
    let mut first = 0;
    // Every place of the first cut, and of the second a few of what is done at the most.
    while cut_twice(&bytes, "2.0.0 renamed", true, first, Some(0)) {
        for second in 1..18 {
            cut_twice(&bytes, "2.0.0 renamed", true, first, Some(second));
        }
        first += 1;
    }
    assert!(first > 12, "{first} changes");
}

#[test]
fn when_the_watch_alone_dies_the_trial_is_taken_back_without_a_restart_of_the_machine() {
    let mut made = Box_::new(true);
    let file = signed(&made, &package("2.0.0", GOOD));
    let desk = Desk::take(made.places.clone()).unwrap();
    let state = desk.stage(&mut made, &order(file)).unwrap();
    // The program runs on trial; the next change would note that the trial was good.
    let cut = made.changes.len() + 3;
    made.cut_at = Some(cut);
    desk.drive(&mut made, state).unwrap_err();
    drop(desk);
    (made.dead, made.cut_at) = (false, None);
    let on_trial = made.running.clone().unwrap().1 == made.places.new_program();
    assert!(on_trial, "{:?}", made.changes);
    let desk = Desk::take(made.places.clone()).unwrap();
    let ended = desk.recover(&mut made).unwrap().unwrap();
    assert_eq!(ended.outcome, Outcome::Withdrawn);
    assert!(ended.why.unwrap().en.contains("cut short"));
    let old: (String, &Path) = ("1.0.0 good".into(), &made.places.program);
    assert_eq!(made.running.as_ref().map(|(text, path)| (text.clone(), &**path)), Some(old));
}
