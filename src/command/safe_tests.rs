//! Orders that hold: repeated, and back to the safe value, across restarts.

use std::time::Duration;

use super::input::{Input, Work, WriteFault};
use super::rig::{Rig, outcomes, refusal, words};
use crate::model::{CommandOutcome, CommandRequest, CommandSource, Health, Refusal, Value};

const MINUTE: Duration = Duration::from_secs(60);

/// A rig with the link up and a limit of 16 A that the device took.
fn ordered() -> Rig {
    let mut rig = Rig::new();
    rig.apply(Input::Link { up: true });
    rig.done("a", 16.0);
    rig
}

/// Runs for some time; repetitions succeed, everything else that is written is returned.
fn run(rig: &mut Rig, span: Duration) -> (usize, Vec<Work>) {
    let (mut repeats, mut others) = (0, Vec::new());
    for _ in 0..span.as_secs() {
        for write in rig.run(Duration::from_secs(1)).writes {
            match &write.work {
                Work::Repeat(_) => {
                    assert_eq!(words(&write), [160]);
                    repeats += 1;
                    rig.written(&write.work, Ok(()));
                }
                Work::Order(_) => {
                    assert_eq!(words(&write), [60], "the safe value");
                    others.push(write.work);
                }
            }
        }
    }
    (repeats, others)
}

#[test]
fn a_limit_is_repeated_so_that_the_device_does_not_fall_back() {
    let mut rig = ordered();
    // Every 60 s at the latest, so every 30 s.
    let (repeats, others) = run(&mut rig, 10 * MINUTE);
    assert!((19..=21).contains(&repeats) && others.is_empty(), "{repeats}");
    rig.restart();
    let writes = rig.apply(Input::Link { up: true }).writes;
    assert_eq!(words(&writes[0]), [160], "it holds across a restart, and is told at once");
    rig.written(&writes[0].work, Ok(()));
    let (repeats, others) = run(&mut rig, 2 * MINUTE);
    assert!(repeats >= 3 && others.is_empty(), "{repeats}");
}

#[test]
fn a_limit_returns_to_its_safe_value_when_the_platform_stays_silent() {
    let mut rig = ordered();
    run(&mut rig, MINUTE);
    rig.apply(Input::Link { up: false });
    assert!(run(&mut rig, 9 * MINUTE).1.is_empty(), "not before its time");
    let (_, safe) = run(&mut rig, 2 * MINUTE);
    assert_eq!(safe.len(), 1, "once");
    rig.written(&safe[0], Ok(()));
    rig.show(0, 6.0);
    let told = rig.apply(Input::Tick).told;
    let read_back = Some(Value::Number(6.0));
    assert_eq!(told[0].report.outcome, CommandOutcome::Done { read_back });
    assert_eq!(told[0].report.source, CommandSource::Gateway);
    assert_eq!(told[0].report.takes_back.as_ref().unwrap().as_str(), "a");
    let (repeats, others) = run(&mut rig, 30 * MINUTE);
    assert!(repeats == 0 && others.is_empty(), "the order is over");
}

#[test]
fn a_link_that_comes_back_in_time_keeps_the_order() {
    let mut rig = ordered();
    for _ in 0..5 {
        rig.apply(Input::Link { up: false });
        assert!(run(&mut rig, 9 * MINUTE).1.is_empty());
        rig.apply(Input::Link { up: true });
        assert!(run(&mut rig, MINUTE).1.is_empty());
    }
}

#[test]
fn the_silence_goes_on_across_a_restart() {
    let mut rig = ordered();
    run(&mut rig, 2 * MINUTE);
    rig.apply(Input::Link { up: false });
    run(&mut rig, 6 * MINUTE);
    rig.restart();
    let (_, safe) = run(&mut rig, 5 * MINUTE);
    assert_eq!(safe.len(), 1, "six minutes before, four after it");

    // A box that starts anew every few minutes is silent nevertheless.
    let mut rig = ordered();
    run(&mut rig, 2 * MINUTE);
    let mut safe = Vec::new();
    for _ in 0..4 {
        rig.restart();
        safe.append(&mut run(&mut rig, 3 * MINUTE).1);
    }
    assert!(!safe.is_empty());
}

#[test]
fn an_order_with_an_end_ends_then_with_the_link_up() {
    let mut rig = Rig::new();
    rig.apply(Input::Link { up: true });
    let until_ms = Some(rig.now.wall_ms + 300_000);
    let request = CommandRequest { until_ms, ..rig.limit("a", 16.0) };
    let (_, effects) = rig.order(request);
    rig.written(&effects.writes[0].work, Ok(()));
    rig.show(0, 16.0);
    rig.apply(Input::Tick);
    assert!(run(&mut rig, 4 * MINUTE).1.is_empty());
    assert_eq!(run(&mut rig, 2 * MINUTE).1.len(), 1);
}

#[test]
fn a_person_on_the_spot_is_not_overruled_by_the_platforms_silence() {
    let mut rig = ordered();
    let page = CommandRequest { source: CommandSource::Page, ..rig.limit("p", 16.0) };
    let (_, effects) = rig.order(page);
    rig.written(&effects.writes[0].work, Ok(()));
    rig.show(0, 16.0);
    rig.apply(Input::Tick);
    rig.apply(Input::Link { up: false });
    let (repeats, others) = run(&mut rig, 60 * MINUTE);
    assert!(repeats > 100 && others.is_empty(), "repeated, and not taken back");
}

#[test]
fn a_device_that_is_away_is_told_when_it_is_back() {
    let mut rig = ordered();
    rig.apply(Input::Link { up: false });
    rig.health(0, Health::Offline);
    let (repeats, others) = run(&mut rig, 30 * MINUTE);
    assert!(repeats == 0 && others.is_empty(), "never behind a dead device");
    rig.health(0, Health::Online);
    let (_, safe) = run(&mut rig, MINUTE);
    assert_eq!(safe.len(), 1);
    // The first try is lost: another one follows.
    rig.written(&safe[0], Err(WriteFault::Offline));
    assert_eq!(run(&mut rig, MINUTE).1.len(), 1);
}

#[test]
fn an_order_that_may_have_been_done_before_a_crash_returns_too_and_is_not_repeated() {
    let mut rig = Rig::new();
    rig.apply(Input::Link { up: true });
    let request = rig.limit("a", 16.0);
    let (_, effects) = rig.order(request);
    assert_eq!(effects.writes.len(), 1);
    rig.restart();
    let effects = rig.apply(Input::Tick);
    assert_eq!(outcomes(&effects.told), [("a".to_owned(), "unknown")]);
    let (repeats, safe) = run(&mut rig, 11 * MINUTE);
    assert_eq!((repeats, safe.len()), (0, 1));
}

#[test]
fn a_refused_order_leaves_the_one_before() {
    let mut rig = ordered();
    let request = rig.limit("b", 20.0);
    let (_, effects) = rig.order(request);
    let said = crate::model::Words::from(("exception 3", "异常 3"));
    let told = rig.written(&effects.writes[0].work, Err(WriteFault::Refused(said))).told;
    assert_eq!(refusal(&told[0].report), Refusal::Device);
    let (repeats, _) = run(&mut rig, 5 * MINUTE);
    assert!(repeats >= 9, "16 A is repeated, not 20 A: {repeats}");
}

#[test]
fn a_refused_order_leaves_the_one_before_also_when_that_was_only_just_written() {
    let mut rig = Rig::new();
    rig.apply(Input::Link { up: true });
    let (first, second) = (rig.limit("a", 16.0), rig.limit("b", 20.0));
    let one = rig.order(first).1;
    rig.order(second);
    let two = rig.written(&one.writes[0].work, Ok(()));
    let said = crate::model::Words::from(("exception 3", "异常 3"));
    rig.written(&two.writes[0].work, Err(WriteFault::Refused(said)));
    let (repeats, _) = run(&mut rig, 5 * MINUTE);
    assert!(repeats >= 9, "{repeats}");
}

#[test]
fn a_new_order_during_the_return_holds_from_then_on() {
    let mut rig = ordered();
    rig.apply(Input::Link { up: false });
    let (_, safe) = run(&mut rig, 11 * MINUTE);
    assert_eq!(safe.len(), 1);
    rig.apply(Input::Link { up: true });
    let request = rig.limit("b", 16.0);
    let (report, none) = rig.order(request);
    assert_eq!(report.outcome, CommandOutcome::Accepted);
    assert!(none.writes.is_empty(), "the safe value is being written");
    let next = rig.written(&safe[0], Ok(())).writes;
    assert_eq!(words(&next[0]), [160]);
    rig.written(&next[0].work, Ok(()));
    rig.show(0, 16.0);
    rig.apply(Input::Tick);
    let (repeats, others) = run(&mut rig, 5 * MINUTE);
    assert!(repeats >= 9 && others.is_empty());
}

#[test]
fn the_safe_value_itself_needs_no_end() {
    let mut rig = Rig::new();
    rig.apply(Input::Link { up: true });
    rig.done("a", 6.0);
    assert!(rig.core.holds.is_empty());
    rig.apply(Input::Link { up: false });
    assert!(run(&mut rig, 30 * MINUTE).1.is_empty());
}
