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
