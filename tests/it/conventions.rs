//! The JSON Schemas of the conventions beside a second implementation, PyPI's jsonschema: what a
//! profile reads they allow, what it cannot read they refuse. See `peers/json_schema.py`.

use std::path::Path;
use std::sync::Arc;

use linli::profile::{
    BUILT_IN, Binding, Command, Loaded, Message, PayloadFormat, PayloadTopic, Target, parse,
    payload_topics,
};
use linli::sim::{Device, messages as sim_messages};
use serde_json::{Value, json};

use crate::second_parsers::Opinion;

/// A convention with its committed schema.
struct Convention {
    loaded: Loaded,
    schema: Value,
}

impl Convention {
    fn topics(&self) -> Vec<PayloadTopic> {
        let Binding::Mqtt(model) = &self.loaded.full.binding else { panic!("mqtt") };
        payload_topics(&self.loaded.full, model)
    }

    /// The definition of a message's topic, and the payload as a document.
    fn read(&self, message: &Message) -> (String, Option<Value>) {
        let topics = self.topics();
        let topic = topics.iter().find(|topic| topic.is_of(&message.topic)).unwrap();
        let payload = match topic.format {
            PayloadFormat::Text => Some(Value::from(message.payload.as_str())),
            PayloadFormat::Json => serde_json::from_str(&message.payload).ok(),
        };
        (topic.name(), payload)
    }

    /// Each message of its sound examples.
    fn messages(&self) -> Vec<(String, Value)> {
        let sound = self.loaded.examples.iter().filter(|example| example.is_sound());
        let read = |message| {
            let (definition, payload) = self.read(message);
            (definition, payload.unwrap())
        };
        sound.flat_map(|example| &example.messages).map(read).collect()
    }
}

fn conventions() -> Vec<Convention> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/conventions");
    let mut conventions = Vec::new();
    for (id, text) in BUILT_IN.iter() {
        let Ok(schema) = std::fs::read(folder.join(format!("{id}.schema.json"))) else { continue };
        let loaded = parse(&format!("{id}.toml"), text).unwrap();
        conventions.push(Convention { loaded, schema: serde_json::from_slice(&schema).unwrap() });
    }
    assert!(conventions.len() >= 10, "{} conventions have a schema", conventions.len());
    conventions
}

/// What is wrong with a payload; none when nothing is.
fn wrong(
    opinion: &mut Opinion,
    schema: &Value,
    definition: &str,
    payload: &Value,
) -> Option<String> {
    let said = opinion.ask(&json!({
        "do": "validate", "schema": schema, "definition": definition, "payload": payload,
    }));
    said["wrong"].as_str().map(str::to_owned)
}

#[test]
fn every_example_of_a_convention_is_allowed_and_what_it_shows_as_bad_is_refused() {
    let mut opinion = Opinion::of("json_schema.py");
    for convention in conventions() {
        let (id, schema) = (&convention.loaded.profile.id, &convention.schema);
        let sound = opinion.ask(&json!({ "do": "sound", "schema": schema }));
        assert_eq!(sound["wrong"], Value::Null, "{id}");
        let messages = convention.messages();
        assert!(!messages.is_empty(), "{id} shows nothing that is right");
        for (definition, payload) in messages {
            let found = wrong(&mut opinion, schema, &definition, &payload);
            assert_eq!(found, None, "{id} {definition}: {payload}");
        }
        // One of several messages of a bad example may be right by itself.
        for example in convention.loaded.examples.iter().filter(|example| !example.is_sound()) {
            let refused = example.messages.iter().any(|message| match convention.read(message) {
                (definition, Some(payload)) => {
                    wrong(&mut opinion, schema, &definition, &payload).is_some()
                }
                (_, None) => true,
            });
            assert!(refused, "{id}: {} is allowed", example.about);
        }
    }
}

/// What is simulated is what a vendor is asked for: an hour of it, of the largest device too.
#[test]
fn what_the_twin_of_a_convention_publishes_is_allowed() {
    let mut opinion = Opinion::of("json_schema.py");
    for convention in conventions() {
        let (id, schema) = (&convention.loaded.profile.id, &convention.schema);
        for profile in [&convention.loaded.profile, &convention.loaded.full] {
            let mut device = Device::new(Arc::new(profile.clone()), 1);
            for _ in 0..4 {
                device.step(900.0);
                for published in sim_messages(&device, "{base}", 1_790_000_000_000) {
                    let message = Message { topic: published.topic, payload: published.payload };
                    let (definition, payload) = convention.read(&message);
                    let payload = payload.unwrap();
                    let found = wrong(&mut opinion, schema, &definition, &payload);
                    assert_eq!(found, None, "{id} {definition}: {payload}");
                }
            }
        }
    }
}

#[test]
fn every_order_of_an_example_is_allowed_and_one_out_of_range_is_refused() {
    let mut opinion = Opinion::of("json_schema.py");
    let mut tried = 0;
    for convention in conventions() {
        let (id, schema) = (&convention.loaded.profile.id, &convention.schema);
        for write in convention.loaded.examples.iter().flat_map(|example| &example.writes) {
            let named = |command: &&Command| *command.name == *write.command;
            let command = convention.loaded.full.commands.iter().find(named).unwrap();
            assert!(matches!(command.target, Target::Message { json: true, .. }), "{id}");
            for message in &write.messages {
                let levels = message.topic.split('/').skip(1).map(|level| {
                    if level.bytes().all(|b| b.is_ascii_digit()) { "n" } else { level }
                });
                let definition = levels.collect::<Vec<_>>().join(".");
                assert!(schema["$defs"][&definition].is_object(), "{id}: {definition}");
                let order: Value = serde_json::from_str(&message.payload).unwrap();
                let found = wrong(&mut opinion, schema, &definition, &order);
                assert_eq!(found, None, "{id} {definition}: {order}");
                let mut other = order.clone();
                other["v"] = json!(2);
                assert!(
                    wrong(&mut opinion, schema, &definition, &other).is_some(),
                    "{id}: {other}"
                );
                if order.get("value").is_some() {
                    let mut other = order;
                    other["value"] = json!([]);
                    let found = wrong(&mut opinion, schema, &definition, &other);
                    assert!(found.is_some(), "{id}: {other}");
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 10, "only {tried} orders were tried");
}

/// Every place of a document, deepest first.
fn places(document: &Value, at: &str, out: &mut Vec<String>) {
    match document {
        Value::Object(members) => {
            members.iter().for_each(|(key, below)| {
                let key = key.replace('~', "~0").replace('/', "~1");
                places(below, &format!("{at}/{key}"), out);
            });
        }
        Value::Array(elements) => elements
            .iter()
            .enumerate()
            .for_each(|(index, below)| places(below, &format!("{at}/{index}"), out)),
        _ => {}
    }
    out.push(at.to_owned());
}

#[test]
fn a_payload_with_one_thing_wrong_is_refused() {
    let mut opinion = Opinion::of("json_schema.py");
    let mut tried = 0;
    for convention in conventions() {
        let (id, schema) = (&convention.loaded.profile.id, &convention.schema);
        for (definition, payload) in &convention.messages() {
            let mut all = Vec::new();
            places(payload, "", &mut all);
            for place in all {
                let right = payload.pointer(&place).unwrap();
                let wrongs = match right {
                    Value::Number(_) => vec![json!("x"), json!([]), json!(1e300)],
                    Value::Bool(_) => vec![json!("maybe"), json!(7)],
                    Value::String(_) => vec![json!({}), json!("x".repeat(5000))],
                    Value::Null => vec![json!({})],
                    Value::Array(_) => vec![json!("x")],
                    Value::Object(members) => {
                        let mut more = members.clone();
                        more.insert("nobodyKnowsThis".to_owned(), json!(1));
                        vec![json!(7), Value::Object(more)]
                    }
                };
                for instead in wrongs {
                    // Not every number has a range.
                    if instead == json!(1e300) && !bounded(schema, definition, &place) {
                        continue;
                    }
                    let mut document = payload.clone();
                    *document.pointer_mut(&place).unwrap() = instead;
                    let found = wrong(&mut opinion, schema, definition, &document);
                    assert!(found.is_some(), "{id} {definition}{place} is allowed: {document}");
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 60, "only {tried} wrong payloads were tried");
}

/// Whether the number at a place has a highest value.
fn bounded(schema: &Value, definition: &str, place: &str) -> bool {
    let mut here = &schema["$defs"][definition];
    for key in place.split('/').skip(1) {
        let patterns = here["patternProperties"].as_object();
        let named = here["properties"].get(key);
        let many = patterns.and_then(|patterns| patterns.values().next());
        let Some(next) = named.or(many).or_else(|| here.get("items")) else { return false };
        here = next;
    }
    here.get("maximum").is_some()
}

#[test]
fn null_means_not_available_and_members_may_be_left_out() {
    let mut opinion = Opinion::of("json_schema.py");
    let screen = conventions().into_iter().find(|c| c.loaded.profile.id == "info-screen").unwrap();
    for payload in [json!({ "v": 1, "brightness": null }), json!({ "brightness": 70.5 })] {
        assert_eq!(wrong(&mut opinion, &screen.schema, "state", &payload), None, "{payload}");
    }
    for payload in [
        json!({}),
        json!({ "v": 2, "brightness": 70 }),
        json!({ "brightness": 101 }),
        json!({ "brigthness": 70 }),
        json!({ "time": "2026-01-02 03:04", "brightness": 70 }),
    ] {
        assert!(wrong(&mut opinion, &screen.schema, "state", &payload).is_some(), "{payload}");
    }
}
