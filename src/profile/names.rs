//! Numbers in a path: places of an array, or names in an object. A reader takes both; whoever
//! plays the device must write what the device writes, and the examples show it.

use serde_json::Value as Json;

use super::binding::{Binding, Profile};
use super::example::Example;
use super::mqtt::{MqttSource, PathStep};

/// Steps of a path that can be told apart; no path is longer.
const MOST_STEPS: usize = 32;

/// Marks in each source the numbers that are names, as the examples have them.
pub(super) fn settle(profile: &mut Profile, examples: &[Example]) {
    let Binding::Mqtt(model) = &mut profile.binding else { return };
    let numbered = |source: &&mut MqttSource| {
        source.path.iter().any(|step| matches!(step, PathStep::Index(_)))
    };
    let mut sources: Vec<&mut MqttSource> = model.sources.iter_mut().filter(numbered).collect();
    if sources.is_empty() {
        return;
    }
    for message in examples.iter().flat_map(|example| &example.messages) {
        let Ok(document) = serde_json::from_str::<Json>(&message.payload) else { continue };
        for source in &mut sources {
            let entry = model.topics[source.topic].entry;
            let same = model.topics.iter().filter(|topic| topic.entry == entry);
            if !same.into_iter().any(|topic| super::check::matches(&topic.pattern, &message.topic))
            {
                continue;
            }
            for (place, step) in source.path.iter().enumerate().take(MOST_STEPS) {
                let before = &source.path[..place];
                if matches!(step, PathStep::Index(_)) && object_at(&document, before) {
                    source.names |= 1 << place;
                }
            }
        }
    }
}

/// Whether an object stands there; of numbers in the path any will do, the members are alike.
fn object_at(document: &Json, path: &[PathStep]) -> bool {
    let Some((step, rest)) = path.split_first() else { return document.is_object() };
    match (step, document) {
        (PathStep::Key(key), Json::Object(members)) => {
            members.get(key).is_some_and(|below| object_at(below, rest))
        }
        (PathStep::Index(_), Json::Object(members)) => {
            members.values().any(|below| object_at(below, rest))
        }
        (PathStep::Index(_), Json::Array(elements)) => {
            elements.iter().any(|below| object_at(below, rest))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::parse;

    const HEAD: &str = r#"
category = "parcel_locker"
title = { zh = "柜", en = "locker" }
products = [{ brand = "Acme", model = "L" }]
sources = ["manual"]
[mqtt]
topics = [{ pattern = "{base}" }]
[[groups]]
name = "cells"
count = 3
zh = "{n} 号"
en = "cell {n}"
[[points]]
group = "cells"
name = "weight"
unit = "kg"
path = "/cells/{n}/w/0"
[[examples]]
readings = { "cells.2.weight" = 5 }
"#;

    fn names(payload: &str) -> Vec<u32> {
        let text =
            format!("{HEAD}messages = [{{ topic = \"{{base}}\", payload = '{payload}' }}]\n");
        let loaded = parse("l.toml", &text).unwrap();
        let Binding::Mqtt(model) = &loaded.profile.binding else { panic!("it publishes") };
        model.sources.iter().map(|source| source.names).collect()
    }

    #[test]
    fn a_number_is_a_name_where_an_example_has_an_object_for_all_members_alike() {
        assert_eq!(names(r#"{"cells":{"2":{"w":[5]}}}"#), [0b10, 0b10, 0b10]);
        assert_eq!(names(r#"{"cells":{"2":{"w":{"0":5}}}}"#), [0b1010, 0b1010, 0b1010]);
        assert_eq!(names(r#"{"cells":[null,null,{"w":[5]}]}"#), [0, 0, 0]);
    }
}
