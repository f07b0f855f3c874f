//! How large the groups of a device are, and which commands it takes.

use super::*;

const LOCKER: &str = r#"
category = "parcel_locker"
title = { zh = "柜", en = "locker" }
products = [{ brand = "Acme", model = "L" }]
sources = ["manual"]

[mqtt]
topics = [{ pattern = "{base}/state" }]

[[groups]]
name = "cells"
count = 20
max = 200
zh = "{n} 号格口"
en = "cell {n}"

[[points]]
group = "cells"
name = "door"
quantity = "flag"
path = "/cells/{n}/door"

[[commands]]
group = "cells"
name = "open"
zh = "开门"
en = "open"
kind = "trigger"
topic = "{base}/open"
payload = '{"cell":{n}}'
read_back = "door"

[[commands]]
name = "light"
zh = "照明"
en = "light"
kind = "flag"
topic = "{base}/light"
payload = "{value}"

[[examples]]
messages = [{ topic = "{base}/state", payload = '{"cells":{"2":{"door":true}}}' }]
readings = { "cells.2.door" = true }
writes = [
  { command = "cells.2.open", messages = [{ topic = "{base}/open", payload = '{"cell":2}' }] },
  { command = "light", value = true, messages = [{ topic = "{base}/light", payload = "true" }] },
]
"#;

fn lockers(devices: &[&str]) -> Result<Settings, Faults> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("locker.toml"), LOCKER).unwrap();
    let library = Library::load(&[folder.path().to_owned()]).unwrap();
    let devices: Vec<String> = (1..)
        .zip(devices)
        .map(|(n, more)| {
            format!("[[device]]\nid = 'l{n}'\nprofile = 'locker'\ntopic = 'l/{n}'\n{more}\n")
        })
        .collect();
    let text = format!(
        "[gateway]\nid = 'g'\n[buffer]\npath = 'b'\n[mqtt]\nhost = '127.0.0.1'\n{}",
        devices.concat()
    );
    parse("linli.toml", &text, &library)
}

fn wrong(more: &str) -> String {
    lockers(&[more]).expect_err(more).to_string()
}

#[test]
fn a_device_says_how_many_members_its_groups_have_and_equal_ones_share_the_model() {
    let settings = lockers(&["", "groups = { cells = 120 }", "groups = { cells = 120 }"]).unwrap();
    let points: Vec<usize> = settings.devices.iter().map(|d| d.points.len()).collect();
    assert_eq!(points, [20, 120, 120]);
    assert!(Arc::ptr_eq(&settings.devices[1].profile, &settings.devices[2].profile));
    let estate = settings.estate();
    let cells = &estate.devices()[1].groups[0];
    assert_eq!((&*cells.name, cells.count, cells.max), ("cells", 120, 200));
}

#[test]
fn a_size_that_the_model_does_not_have_is_told() {
    for (size, expected) in [
        ("cells = 201", "a whole number from 1 to 200"),
        ("cells = 0", "a whole number from 1 to 200"),
        ("cells = 1.5", "应为 1 至 200 的整数"),
        ("cell = 3", "locker has no such group"),
        ("cell = 3", "cells"),
    ] {
        let told = wrong(&format!("groups = {{ {size} }}"));
        assert!(told.contains(expected), "{size}: {told}");
    }
}

#[test]
fn commands_are_allowed_by_name_and_of_a_group_all_at_once() {
    let settings = lockers(&[
        "allow = ['light', 'cells.2.open']",
        "groups = { cells = 3 }\nallow = ['cells.*.open']",
        "",
    ])
    .unwrap();
    let allowed: Vec<Vec<&str>> = settings
        .devices
        .iter()
        .map(|device| device.commands.iter().map(|name| &**name).collect())
        .collect();
    assert_eq!(allowed[0], ["light", "cells.2.open"]);
    assert_eq!(allowed[1], ["cells.1.open", "cells.2.open", "cells.3.open"]);
    assert!(allowed[2].is_empty());
}

#[test]
fn a_command_that_the_model_does_not_have_is_told_with_the_nearest() {
    let told = wrong("allow = ['lights']");
    assert!(told.contains("locker has no command `lights`"), "{told}");
    assert!(told.contains("light"), "{told}");
    let told = wrong("allow = ['cells.21.open']");
    assert!(told.contains("没有命令 `cells.21.open`"), "{told}");
    let told = wrong("allow = ['relay_trip']");
    assert!(told.contains("no command `relay_trip`"), "{told}");
}

#[test]
fn the_estates_owner_and_maintainer_stand_for_devices_that_name_none() {
    let text = "[gateway]\nid = 'g'\nowner = '业委会'\nmaintainer = '物业'\n[mqtt]\nhost = '127.0.0.1'\n\
        [[device]]\nid = 'a'\nprofile = 'waste-bin'\ntopic = 'a'\n\
        [[device]]\nid = 'b'\nprofile = 'waste-bin'\ntopic = 'b'\nowner = '城管局'\nmaintainer = ' '\n";
    let estate = parse("t", text, &Library::built_in()).unwrap().estate();
    let who: Vec<_> =
        estate.devices().iter().map(|d| (d.owner.as_str(), d.maintainer.as_str())).collect();
    assert_eq!(who, [("业委会", "物业"), ("城管局", "物业")]);
}

/// Loads a gateway whose `[stars]` names these two files.
fn stars(pack: Option<&str>, attestations: Option<&str>) -> Result<Settings, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let mut text =
        String::from("[gateway]\nid = 'g'\nprofiles = []\n[buffer]\npath = 'b'\n[stars]\n");
    for (key, file) in [("rule_pack", pack), ("attestations", attestations)] {
        if let Some(file) = file {
            std::fs::write(folder.path().join(key), file).unwrap();
            text.push_str(&format!("{key} = '{key}'\n"));
        }
    }
    let path = folder.path().join("linli.toml");
    std::fs::write(&path, text).unwrap();
    load(&path).map_err(|faults| {
        let told = faults.all().iter().map(|fault| {
            let file = fault.place.file.rsplit('/').next().unwrap();
            format!("{file}:{} {}", fault.place.line, fault.problem)
        });
        told.collect()
    })
}

const SAID: &str =
    "[[privacy]]\ndocument = 'a'\nby = '王'\non = '2026-01-01'\nuntil = '2026-03-01'\n";

#[test]
fn the_attestations_of_the_stars_section_are_read_and_checked_with_the_rest() {
    assert_eq!(stars(None, None).unwrap().starlevel.attested, []);
    let settings = stars(None, Some(SAID)).unwrap();
    assert_eq!(settings.starlevel.attested[0].by, "王");
    let wrong =
        stars(None, Some(&SAID.replace("by = '王'\n", "by = ''\nstamp = 1\n"))).unwrap_err();
    assert_eq!(wrong, ["attestations:3 is empty", "attestations:4 there is no key `stamp` here"]);
    let huge = format!("{SAID}# {}", "x".repeat(256 << 10));
    assert!(stars(None, Some(&huge)).unwrap_err()[0].contains("allowed are 262144"));
}

#[test]
fn a_rule_pack_of_its_own_is_checked_too_and_says_how_long_an_attestation_may_hold() {
    let built_in = crate::starlevel::BUILT_IN;
    let month = built_in.replacen("attestation_valid_days = 365", "attestation_valid_days = 31", 1);
    assert!(stars(Some(built_in), Some(SAID)).is_ok());
    let wrong = stars(Some(&month), Some(SAID)).unwrap_err();
    assert_eq!(wrong, ["attestations:5 is more than 31 days after 2026-01-01"]);
    let none = built_in.replacen("attestation_valid_days = 365", "attestation_valid_days = 0", 1);
    let wrong = stars(Some(&none), Some(SAID)).unwrap_err();
    assert!(wrong[0].starts_with("rule_pack:1 ") && wrong[0].contains("is 0"), "{wrong:?}");
}

#[test]
fn a_missing_file_of_attestations_is_one_fault_at_its_key() {
    let text = "[gateway]\nid = 'g'\nprofiles = []\n[buffer]\npath = 'b'\n[stars]\nattestations = 'none'\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("linli.toml");
    std::fs::write(&path, text).unwrap();
    let faults = load(&path).unwrap_err();
    assert_eq!(faults.all().len(), 1, "{faults}");
    assert_eq!(
        (faults.all()[0].place.line, &*faults.all()[0].place.path),
        (7, "stars.attestations")
    );
}
