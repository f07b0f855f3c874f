//! Groups: described once, as large as the device says.

use crate::model::PointIndex;
use crate::profile::{Binding, Loaded, ProfileFault, parse, run_examples};

const LOCKER: &str = r#"
category = "parcel_locker"
title = { zh = "柜", en = "locker" }
products = [{ brand = "Acme", model = "L" }]
sources = ["manual"]

[mqtt]
topics = [{ pattern = "{base}/state" }, { pattern = "{base}/cell/{n}", group = "cells" }]

[[groups]]
name = "cells"
count = 3
max = 5
zh = "{n} 号格口"
en = "cell {n}"

[[points]]
name = "fault"
quantity = "flag"
topic = "{base}/state"
path = "/fault"

[[points]]
group = "cells"
name = "door"
zh = "门开"
en = "door open"
quantity = "flag"
topic = "{base}/cell/{n}"
path = "/door"

[[points]]
group = "cells"
name = "weight"
unit = "kg"
topic = "{base}/state"
path = "/weights/{n}"

[[derived]]
name = "openDoors"
rule = "count_where"
of = ["cells.*.door"]
equals = true

[[derived]]
name = "load"
rule = "sum"
of = ["cells.*.weight"]
unit = "kg"

[[examples]]
groups = { cells = 2 }
messages = [
  { topic = "{base}/cell/1", payload = '{"door":true}' },
  { topic = "{base}/cell/2", payload = '{"door":false}' },
  { topic = "{base}/state", payload = '{"fault":false,"weights":{"1":2,"2":3}}' },
]
readings = { "cells.1.door" = true, "cells.2.weight" = 3, openDoors = 1, load = 5, fault = false }
"#;

fn load(text: &str) -> Result<Loaded, Vec<ProfileFault>> {
    parse("locker.toml", text)
}

fn names(profile: &crate::profile::Profile) -> Vec<&str> {
    profile.points.iter().map(|point| &*point.name).collect()
}

#[test]
fn a_group_has_as_many_members_as_usual_until_the_device_says() {
    let loaded = load(LOCKER).unwrap();
    assert_eq!(run_examples(&loaded), []);
    assert_eq!(
        names(&loaded.profile),
        [
            "fault",
            "cells.1.door",
            "cells.2.door",
            "cells.3.door",
            "cells.1.weight",
            "cells.2.weight",
            "cells.3.weight",
            "openDoors",
            "load",
        ]
    );
    assert_eq!(loaded.full.points.len(), 1 + 2 * 5 + 2);
    assert_eq!(loaded.profile.points[2].zh, "2 号格口 门开");
    assert_eq!(loaded.profile.points[2].en, "cell 2 door open");
    assert_eq!((loaded.profile.groups[0].count, loaded.profile.groups[0].max), (3, 5));
}

#[test]
fn sources_topics_and_inputs_follow_the_size() {
    let loaded = load(LOCKER).unwrap();
    let one = loaded.full.sized(&[1]);
    assert_eq!(names(&one), ["fault", "cells.1.door", "cells.1.weight", "openDoors", "load"]);
    assert_eq!(one.derived[0].of, [PointIndex(1)]);
    assert_eq!(one.derived[1].of, [PointIndex(2)]);
    assert_eq!(one.derived[1].point, PointIndex(4));
    let Binding::Mqtt(model) = &one.binding else { panic!("it publishes") };
    let topics: Vec<&str> = model.topics.iter().map(|topic| &*topic.pattern).collect();
    assert_eq!(topics, ["{base}/state", "{base}/cell/1"]);
    let of: Vec<&str> = model.sources.iter().map(|source| topics[source.topic]).collect();
    assert_eq!(of, ["{base}/state", "{base}/cell/1", "{base}/state"]);
    assert_eq!(one.groups[0].count, 1);
}

#[test]
fn a_topic_before_the_groups_keeps_its_place_when_members_go() {
    let text = LOCKER.replace(
        "topics = [{ pattern = \"{base}/state\" }, { pattern = \"{base}/cell/{n}\", group = \"cells\" }]",
        "topics = [{ pattern = \"{base}/cell/{n}\", group = \"cells\" }, { pattern = \"{base}/state\" }]",
    );
    let two = load(&text).unwrap().full.sized(&[2]);
    let Binding::Mqtt(model) = &two.binding else { panic!("it publishes") };
    assert_eq!(model.topics[model.sources[0].topic].pattern, "{base}/state");
    assert_eq!(model.topics[model.sources[2].topic].pattern, "{base}/cell/2");
}

#[test]
fn an_example_of_a_member_that_is_not_there_says_how_to_mend_it() {
    let text = LOCKER.replace("\"cells.2.weight\" = 3", "\"cells.4.weight\" = 3");
    let faults = run_examples(&load(&text).unwrap());
    assert!(faults[0].what.contains("say how many it has: `groups = { … }`"), "{faults:?}");
}

#[test]
fn mistakes_of_groups_are_named() {
    let cases = [
        ("max = 5", "max = 2", "`max` = 2, allowed are 3 (`count`) to 1000"),
        ("count = 3", "count = 0", "`count` = 0, allowed are 1 to 1000"),
        ("zh = \"{n} 号格口\"", "zh = \"格口\"", "does not tell the members apart"),
        (
            "group = \"cells\"\nname = \"door\"",
            "group = \"cell\"\nname = \"door\"",
            "did you mean `cells`?",
        ),
        ("name = \"cells\"", "name = \"Cells\"", "is no name of a group"),
        (
            "group = \"cells\"\nname = \"weight\"",
            "group = \"cells\"\ncount = 2\nname = \"weight\"",
            "are those of the group",
        ),
        ("of = [\"cells.*.door\"]", "of = [\"cells.*.doors\"]", "is no point that is read"),
        ("of = [\"cells.*.door\"]", "of = [\"cells.*.weight\"]", "`cells.1.weight` is no flag"),
        ("unit = \"kg\"\n\n[[examples]]", "unit = \"g\"\n\n[[examples]]", "they cannot be added"),
        ("rule = \"sum\"", "rule = \"ratio\"", "this rule takes two points, `of` names 5"),
        ("rule = \"sum\"", "rule = \"summe\"", "did you mean `sum`?"),
        (
            "rule = \"sum\"",
            "rule = \"sum\"\nabove = 1",
            "`above` belongs to the rule `count_where`",
        ),
        ("equals = true", "", "needs one of `equals`, `above`, `below`"),
        ("name = \"load\"", "name = \"fault\"", "point `fault` is given twice"),
        (
            "{base}/cell/{n}\", group = \"cells\" }]",
            "{base}/cell/{n}\" }]",
            "with `{n}` it needs `group`",
        ),
    ];
    for (from, to, expected) in cases {
        assert!(LOCKER.contains(from), "{from}");
        let faults = load(&LOCKER.replacen(from, to, 1)).expect_err(to);
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|told| told.contains(expected)), "{to}: {told:?}");
    }
}

#[test]
fn a_group_of_registers_needs_its_step() {
    let text = r#"
category = "electricity_meter"
title = { zh = "箱", en = "cabinet" }
products = [{ brand = "Acme", model = "M" }]
sources = ["manual"]
[modbus]
table = "input"
encoding = "f32"
[[groups]]
name = "channels"
count = 12
zh = "{n} 路"
en = "channel {n}"
step = 100
[[points]]
group = "channels"
names = ["current.L1", "current.L2", "current.L3"]
unit = "A"
address = 10
[[examples]]
registers = [{ table = "input", address = 1112, words = [0x4120, 0] }]
readings = { "channels.12.current.L2" = 10 }
"#;
    let loaded = load(text).unwrap();
    assert_eq!(run_examples(&loaded), []);
    assert_eq!(loaded.profile.points.len(), 36);
    let faults = load(&text.replace("step = 100\n", "")).unwrap_err();
    assert!(faults[0].message.contains("needs `step`"), "{faults:?}");
    let beyond = load(&text.replace("step = 100", "step = 6000")).unwrap_err();
    assert!(beyond[0].message.contains("beyond the last register"), "{beyond:?}");
}
