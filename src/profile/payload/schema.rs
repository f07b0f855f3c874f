//! JSON Schema (draft 2020-12) of what a model publishes and of the orders that it takes.

use serde_json::{Map, Value as Json, json};

use super::tree::{Container, Node, Step};
use super::{
    Allowed, PayloadMember, PayloadTopic, definition_name, payload_members, payload_topics,
    whole_or_not,
};
use crate::profile::binding::Profile;
use crate::profile::command::{Command, CommandKind, Target};
use crate::profile::decode::{MAX_TEXT, locate};
use crate::profile::example::Example;
use crate::profile::mqtt::{MqttModel, PathStep, PayloadFormat};

/// JSON Schema of all payloads of an MQTT model: one definition for each topic, named as
/// [`PayloadTopic::name`] names it, and for each topic of an order.
///
/// `strict` is for our own conventions: members that the model does not have are refused, and `v`,
/// the version of the convention, is known.
pub fn payload_schema(
    profile: &Profile,
    model: &MqttModel,
    examples: &[Example],
    strict: bool,
) -> Json {
    let mut definitions = Map::new();
    let members = payload_members(profile, model);
    for (slot, topic) in payload_topics(profile, model).iter().enumerate() {
        let own: Vec<&PayloadMember> = members.iter().filter(|m| m.topic == slot).collect();
        definitions.insert(topic.name(), of_topic(topic, &own, examples, strict));
    }
    if let Some(availability) = &model.availability
        && !model.topics.iter().any(|topic| topic.pattern == availability.pattern)
    {
        let words: Vec<&String> = availability.online.iter().chain(&availability.offline).collect();
        let mut root = Node::default();
        let steps: Vec<Step> = availability.path.iter().map(Step::of).collect();
        root.insert(&steps, json!({ "enum": words }));
        let mut schema = root.schema(strict, &|_| None);
        schema["title"] = availability.pattern.as_str().into();
        definitions.insert(definition_name(&availability.pattern), schema);
    }
    let published: Vec<String> = definitions.keys().cloned().collect();
    for command in profile.commands.iter().filter(|c| c.member.is_none_or(|m| m.place == 0)) {
        if let Some((name, schema)) = order(profile, command) {
            definitions.insert(name, schema);
        }
    }
    let any: Vec<Json> =
        published.iter().map(|name| json!({ "$ref": format!("#/$defs/{name}") })).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("{} / {}", profile.zh, profile.en),
        "description": "One definition for each topic; {base} is the device's own topic. null means \
            \"not available\". 每个主题一个定义；{base} 为设备自己的主题；null 表示无此数据。",
        "anyOf": any,
        "$defs": definitions,
    })
}

fn of_topic(
    topic: &PayloadTopic,
    members: &[&PayloadMember],
    examples: &[Example],
    strict: bool,
) -> Json {
    let mut schema = match topic.format {
        PayloadFormat::Json => {
            let mut root = Node::default();
            for member in members {
                root.insert(&member.steps, value_schema(member));
            }
            if let Some(time) = &topic.time {
                let steps: Vec<Step> = time.iter().map(Step::of).collect();
                root.insert(&steps, time_schema(strict));
            }
            if strict {
                let version =
                    json!({ "const": 1, "title": "约定版本 / version of the convention" });
                root.insert(&[Step::Key("v".to_owned())], version);
            }
            root.schema(strict, &|steps: &[Step]| container(examples, topic, steps))
        }
        PayloadFormat::Text => members.last().map_or_else(|| json!({}), |m| text_schema(m)),
    };
    let shown = example_payloads(examples, topic);
    schema["title"] = topic.pattern.as_str().into();
    if !shown.is_empty() {
        schema["examples"] = Json::Array(shown);
    }
    schema
}

/// Payloads of the examples that read as something, for the topic.
fn example_payloads(examples: &[Example], topic: &PayloadTopic) -> Vec<Json> {
    let good = examples.iter().filter(|example| example.is_sound());
    let messages = good.flat_map(|example| &example.messages);
    messages
        .filter(|message| topic.is_of(&message.topic))
        .filter_map(|message| match topic.format {
            PayloadFormat::Json => serde_json::from_str(&message.payload).ok(),
            PayloadFormat::Text => Some(Json::from(message.payload.as_str())),
        })
        .collect()
}

/// What the examples hold at a place: counted members are elements of an array, or members of an
/// object whose names are numbers.
fn container(examples: &[Example], topic: &PayloadTopic, steps: &[Step]) -> Option<Container> {
    let path: Vec<PathStep> = steps.iter().map(Step::first).collect();
    let messages = examples.iter().flat_map(|example| &example.messages);
    messages
        .filter(|message| topic.is_of(&message.topic))
        .filter_map(|message| serde_json::from_str::<Json>(&message.payload).ok())
        .find_map(|document| match locate(&document, &path) {
            Some(Json::Array(_)) => Some(Container::Array),
            Some(Json::Object(_)) => Some(Container::Object),
            _ => None,
        })
}

/// Our conventions have one way to write a moment; other devices have several.
fn time_schema(strict: bool) -> Json {
    match strict {
        true => json!({
            "title": "时间 / time",
            "description": "RFC 3339 with zone; left out by a device without a clock",
            "type": ["string", "null"],
            "pattern": MOMENT,
        }),
        false => json!({
            "title": "时间 / time",
            "description": "ISO 8601, or seconds or milliseconds since 1970",
            "type": ["string", "number", "null"],
        }),
    }
}

const MOMENT: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$";

fn word(word: &Json) -> String {
    word.as_str().map_or_else(|| word.to_string(), str::to_owned)
}

fn description(member: &PayloadMember) -> String {
    let mut parts = Vec::new();
    if member.factor == 1.0 {
        parts.extend((!member.unit.is_empty()).then(|| format!("unit 单位 {}", member.unit)));
    } else {
        let told = format!("value 值 × {} = {}", member.factor, member.unit);
        parts.push(told.trim_end_matches([' ', '=']).to_owned());
    }
    if let Allowed::Words(words) = &member.allowed {
        let words = words.iter().map(|(raw, zh, en)| format!("{}: {zh} / {en}", word(raw)));
        parts.push(words.collect::<Vec<_>>().join("; "));
    }
    parts.join("; ")
}

fn value_schema(member: &PayloadMember) -> Json {
    let mut schema = match &member.allowed {
        Allowed::Number(low, high) => bounded("number", *low, *high),
        Allowed::Whole(low, high) => bounded("integer", *low, *high),
        Allowed::Flag => json!({ "type": ["boolean", "null"] }),
        Allowed::Text => json!({ "type": ["string", "null"], "maxLength": MAX_TEXT }),
        Allowed::Words(words) => {
            let mut words: Vec<Json> = words.iter().map(|(word, _, _)| word.clone()).collect();
            words.push(Json::Null);
            json!({ "enum": words })
        }
    };
    schema["title"] = format!("{} / {}", member.zh, member.en).into();
    let description = description(member);
    if !description.is_empty() {
        schema["description"] = description.into();
    }
    schema
}

fn bounded(kind: &str, low: Option<f64>, high: Option<f64>) -> Json {
    let mut schema = json!({ "type": [kind, "null"] });
    for (key, bound) in [("minimum", low), ("maximum", high)] {
        if let Some(bound) = bound {
            schema[key] = whole_or_not(bound);
        }
    }
    schema
}

/// A payload that is a plain text, not a document.
fn text_schema(member: &PayloadMember) -> Json {
    let mut schema = match &member.allowed {
        Allowed::Number(..) => json!({ "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$" }),
        Allowed::Whole(..) => json!({ "type": "string", "pattern": "^-?[0-9]+$" }),
        Allowed::Flag => json!({ "enum": ["true", "false"] }),
        Allowed::Text => json!({ "type": "string", "maxLength": MAX_TEXT }),
        Allowed::Words(words) => {
            let words: Vec<String> = words.iter().map(|(raw, _, _)| word(raw)).collect();
            json!({ "enum": words })
        }
    };
    schema["description"] =
        format!("plain text 纯文本: {} / {}; {}", member.zh, member.en, description(member)).into();
    schema
}

/// What an order looks like that the device understands: the name of its definition and the schema.
fn order(profile: &Profile, command: &Command) -> Option<(String, Json)> {
    let Target::Message { topic, payload, json, codes, scale } = &command.target else {
        return None;
    };
    let raw = |value: f64| {
        let raw = (value - scale.offset) / scale.resolve(&super::defaults(profile));
        format!("{raw:.9}").parse().unwrap_or(raw)
    };
    let words = || {
        let words = codes.iter().map(|code| super::written(&code.raw, code.number));
        json!({ "enum": words.collect::<Vec<Json>>() })
    };
    let value = match &command.kind {
        _ if !codes.is_empty() => words(),
        CommandKind::Number { range: (low, high), .. } => json!({
            "type": "number", "minimum": whole_or_not(raw(*low)), "maximum": whole_or_not(raw(*high)),
        }),
        CommandKind::Flag => json!({ "type": "boolean" }),
        CommandKind::Choice { labels } => {
            json!({ "enum": labels.iter().map(|label| label.code).collect::<Vec<_>>() })
        }
        CommandKind::Text { max_length } => json!({ "type": "string", "maxLength": max_length }),
        CommandKind::Trigger => json!({}),
    };
    let mut schema = match json {
        true => {
            filled(&serde_json::from_str(&payload.replace("{value}", "\"{value}\"")).ok()?, &value)
        }
        false => json!({ "type": "string" }),
    };
    let pattern = command_topic(profile, command, topic);
    schema["title"] = pattern.as_str().into();
    schema["description"] = format!("{} / {}", command.zh, command.en).into();
    Some((definition_name(&pattern), schema))
}

/// The topic of an order, with `{n}` where there is one for each member of a group.
fn command_topic(profile: &Profile, command: &Command, topic: &str) -> String {
    let number = command.member.map(|m| profile.groups[m.group].number(m.place).to_string());
    let many = number.and_then(|number| super::with_n(topic, &number));
    many.unwrap_or_else(|| topic.to_owned())
}

/// The payload of an order with the schema of its value in the place of the value.
fn filled(template: &Json, value: &Json) -> Json {
    match template {
        Json::String(text) if text == "{value}" => value.clone(),
        Json::Object(members) => {
            let needed: Vec<&String> = members.keys().collect();
            let properties: Map<String, Json> =
                members.iter().map(|(key, below)| (key.clone(), filled(below, value))).collect();
            json!({ "type": "object", "properties": properties, "required": needed })
        }
        fixed => json!({ "const": fixed }),
    }
}
