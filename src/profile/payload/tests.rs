//! The schema of a payload says what the profile says.

use super::*;
use crate::profile::{BUILT_IN, Binding, Loaded, parse};

fn built_in(id: &str) -> Loaded {
    let (_, text) = BUILT_IN.iter().find(|(known, _)| *known == id).unwrap();
    parse(&format!("{id}.toml"), text).unwrap()
}

fn schema(loaded: &Loaded) -> Json {
    let Binding::Mqtt(model) = &loaded.full.binding else { panic!("mqtt") };
    payload_schema(&loaded.full, model, &loaded.examples, true)
}

const CABINET: &str = r#"
category = "parcel_locker"
title = { zh = "柜", en = "cabinet" }
products = [{ brand = "Maker", model = "M1" }]
sources = ["here"]

[labels.state]
1 = ["开", "open"]
2 = ["关", "shut"]

[mqtt]
topics = [{ pattern = "{base}/state", time = "/at" }, { pattern = "{base}/load", format = "text" }]
availability = { pattern = "{base}/online", online = ["1"], offline = ["0"] }

[[points]]
name = "cells.{n}.door"
zh = "{n} 号门"
en = "door {n}"
quantity = "state"
count = 12
topic = "{base}/state"
path = "/cells/{n}/door"
labels = "state"
codes = { open = 1, shut = 2 }

[[points]]
name = "sensors.{n}"
zh = "{n} 号"
en = "sensor {n}"
unit = "%"
factor = 100
range = [0, 100]
count = 3
from = 0
topic = "{base}/state"
path = "/list/{n}/level"

[[points]]
name = "where"
zh = "位置"
en = "where"
topic = "{base}/state"
path = "/pair/1"

[[points]]
name = "load"
zh = "负载"
en = "load"
topic = "{base}/load"

[[examples]]
messages = [
  { topic = "{base}/state", payload = '{"cells":{"1":{"door":"open"}},"list":[{"level":0.5}],"pair":[1,2]}' },
  { topic = "{base}/load", payload = "12.5" },
]
readings = { "cells.1.door" = 1, "sensors.0" = 50, where = 2, load = 12.5 }
"#;

#[test]
fn counted_members_become_one_pattern_or_the_items_of_an_array() {
    let schema = schema(&parse("cabinet.toml", CABINET).unwrap());
    let state = &schema["$defs"]["state"];
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let cells = &state["properties"]["cells"];
    assert_eq!((&cells["type"], &cells["maxProperties"]), (&json!("object"), &json!(12)));
    let door = &cells["patternProperties"]["^[1-9][0-9]*$"]["properties"]["door"];
    assert_eq!(door["enum"], json!(["open", "shut", null]));
    assert_eq!(door["title"], "{n} 号门 / door {n}");
    assert_eq!(door["description"], "open: 开 / open; shut: 关 / shut");
    let list = &state["properties"]["list"];
    assert_eq!((&list["type"], &list["maxItems"]), (&json!("array"), &json!(3)));
    let level = &list["items"]["properties"]["level"];
    assert_eq!((&level["minimum"], &level["maximum"]), (&json!(0), &json!(1)));
    assert_eq!(level["description"], "value 值 × 100 = %");
    assert_eq!(state["properties"]["pair"]["prefixItems"].as_array().unwrap().len(), 2);
    assert!(state["properties"]["at"]["title"].as_str().unwrap().contains("time"));
    assert_eq!(state["additionalProperties"], false);
    assert_eq!(state["examples"][0]["pair"], json!([1, 2]));
    assert_eq!(schema["$defs"]["load"]["pattern"], "^-?[0-9]+(\\.[0-9]+)?$");
    assert_eq!(schema["$defs"]["online"]["enum"], json!(["1", "0"]));
}

#[test]
fn members_are_told_once_with_their_pointer() {
    let loaded = parse("cabinet.toml", CABINET).unwrap();
    let Binding::Mqtt(model) = &loaded.full.binding else { panic!("mqtt") };
    let told: Vec<String> =
        payload_members(&loaded.full, model).iter().map(PayloadMember::pointer).collect();
    assert_eq!(told, ["/cells/{n}/door", "/list/{n}/level", "/pair/1", ""]);
}

#[test]
fn every_model_that_publishes_has_a_schema_with_a_definition_for_each_topic() {
    for (id, text) in BUILT_IN.iter() {
        let loaded = parse(&format!("{id}.toml"), text).unwrap();
        let Binding::Mqtt(model) = &loaded.full.binding else { continue };
        let schema = payload_schema(&loaded.full, model, &loaded.examples, false);
        let topics = payload_topics(&loaded.full, model);
        for topic in &topics {
            assert!(schema["$defs"][&topic.name()].is_object(), "{id}: {}", topic.name());
        }
        let names: std::collections::BTreeSet<String> =
            topics.iter().map(PayloadTopic::name).collect();
        assert_eq!(names.len(), topics.len(), "{id}: two topics of one name");
    }
}

#[test]
fn a_range_is_told_in_what_the_device_sends() {
    let machine = schema(&built_in("book-machine"));
    let level = &machine["$defs"]["state"]["properties"]["returnBox"];
    assert_eq!((&level["minimum"], &level["maximum"]), (&json!(0), &json!(1)));
}

#[test]
fn an_example_of_what_must_not_be_sent_is_no_example_of_the_schema() {
    let terminal = schema(&built_in("emergency-broadcast-terminal"));
    let shown = terminal["$defs"]["state"]["examples"].as_array().unwrap();
    assert_eq!(shown.len(), 1, "{shown:?}");
}
