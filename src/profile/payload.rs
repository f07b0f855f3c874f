//! What a model publishes, as its vendor reads it: the members of each topic's payload, and their
//! JSON Schema (draft 2020-12).
//!
//! Members that are counted (`/cells/1/door`, `/cells/2/door`, …) are told once, as
//! `/cells/{n}/door`.

use serde_json::{Map, Value as Json, json};

use super::binding::{Code, MqttModel, MqttSource, PathStep, PayloadFormat, Profile};
use super::check::Example;
use super::decode::{MAX_TEXT, locate};
use super::payload_tree::{Container, Node, Step};
use crate::model::{Point, Quantity};

/// One member of a payload; many alike are one.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Index into [`MqttModel::topics`].
    pub topic: usize,
    /// Where it stands.
    pub(super) steps: Vec<Step>,
    /// Title for people, Chinese; `{n}` where there are many.
    pub zh: String,
    /// Title for people, English.
    pub en: String,
    /// Sign of the unit that the gateway makes of it; empty when it has none.
    pub unit: &'static str,
    /// What the number is multiplied with, 1 mostly.
    pub factor: f64,
    /// What it may be.
    pub allowed: Allowed,
}

/// What a member may be; `null` always means "not available".
#[derive(Debug, Clone, PartialEq)]
pub enum Allowed {
    /// A number, from and to.
    Number(Option<f64>, Option<f64>),
    /// A whole number, from and to.
    Whole(Option<f64>, Option<f64>),
    /// `true` or `false`.
    Flag,
    /// One of these, with what it means in Chinese and English.
    Words(Vec<(Json, String, String)>),
    /// A text.
    Text,
}

impl Member {
    /// Where it stands, as a JSON pointer with `{n}`; empty for the whole payload.
    pub fn pointer(&self) -> String {
        self.steps.iter().map(|step| format!("/{step}")).collect()
    }

    /// First and last number of a member that is counted.
    pub fn counted(&self) -> Option<(usize, usize)> {
        self.steps.iter().find_map(|step| match step {
            Step::Many { from, to } => Some((*from, *to)),
            _ => None,
        })
    }
}

/// The members of a model's payloads, topic by topic in the order of the points.
pub fn members(profile: &Profile, model: &MqttModel) -> Vec<Member> {
    let mut members: Vec<Member> = Vec::new();
    for (point, source) in profile.points.iter().zip(&model.sources) {
        let member = member(point, source, profile);
        let same = members.iter_mut().find(|known| {
            (known.topic, &known.zh, &known.en) == (member.topic, &member.zh, &member.en)
                && known.allowed == member.allowed
                && known.steps.len() == member.steps.len()
                && known.steps.iter().zip(&member.steps).all(|(a, b)| a.alike(b))
        });
        match same {
            Some(known) => known.steps.iter_mut().zip(&member.steps).for_each(|(a, b)| a.widen(b)),
            None => members.push(member),
        }
    }
    members.sort_by_key(|member| member.topic);
    members
}

fn member(point: &Point, source: &MqttSource, profile: &Profile) -> Member {
    let (mut zh, mut en) = (point.zh.clone(), point.en.clone());
    let mut steps = Vec::new();
    for step in &source.path {
        let PathStep::Index(index) = step else {
            if let PathStep::Key(key) = step {
                steps.push(Step::Key(key.clone()));
            }
            continue;
        };
        let number = index.to_string();
        let titles = (with_n(&zh, &number), with_n(&en, &number));
        match titles {
            // Only what is told by its number is one of many.
            (Some(many_zh), Some(many_en)) => {
                (zh, en) = (many_zh, many_en);
                steps.push(Step::Many { from: *index, to: *index });
            }
            _ => steps.push(Step::Index(*index)),
        }
    }
    Member {
        topic: source.topic,
        steps,
        zh,
        en,
        unit: point.unit.sign(),
        factor: source.scale.resolve(&defaults(profile)),
        allowed: allowed(point, source, profile),
    }
}

/// The title with the number as a word of its own made `{n}`.
fn with_n(title: &str, number: &str) -> Option<String> {
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let found = title.match_indices(number).find(|(at, _)| {
        let (before, after) = title.split_at(*at);
        !digit(before.chars().next_back()) && !digit(after.chars().nth(number.len()))
    });
    found.map(|(at, _)| {
        let (before, after) = title.split_at(at);
        format!("{before}{{n}}{}", after.get(number.len()..).unwrap_or(""))
    })
}

fn defaults(profile: &Profile) -> Vec<f64> {
    profile.params.iter().map(|param| param.default).collect()
}

fn allowed(point: &Point, source: &MqttSource, profile: &Profile) -> Allowed {
    let meaning = |code: i64| {
        let label = point.labels.iter().find(|label| label.code == code);
        let unnamed = || (code.to_string(), code.to_string());
        label.map_or_else(unnamed, |label| (label.zh.clone(), label.en.clone()))
    };
    if !source.codes.is_empty() {
        let mut codes: Vec<&Code> = source.codes.iter().collect();
        codes.sort_by_key(|code| code.code);
        let words = codes.into_iter().map(|code| {
            let (zh, en) = match source.flag {
                true => flag_words(code.code != 0),
                false => meaning(code.code),
            };
            (written(&code.raw, code.number), zh, en)
        });
        return Allowed::Words(words.collect());
    }
    if source.flag {
        let mut words: Vec<(Json, String, String)> = source
            .flag_words
            .iter()
            .map(|(word, flag)| {
                let (zh, en) = flag_words(*flag);
                (Json::from(word.as_str()), zh, en)
            })
            .collect();
        words.sort_by_key(|(_, zh, _)| *zh != flag_words(true).0);
        return if words.is_empty() { Allowed::Flag } else { Allowed::Words(words) };
    }
    if source.text {
        return Allowed::Text;
    }
    let (low, high) = bounds(point, source, profile);
    match point.quantity {
        Quantity::State => Allowed::Whole(low, high),
        _ => Allowed::Number(low, high),
    }
}

fn flag_words(flag: bool) -> (String, String) {
    let (zh, en) = if flag { ("是", "yes") } else { ("否", "no") };
    (zh.to_owned(), en.to_owned())
}

/// A raw code as it stands in a document.
fn written(raw: &str, number: Option<f64>) -> Json {
    match (raw, number) {
        ("true", _) => Json::Bool(true),
        ("false", _) => Json::Bool(false),
        (_, Some(number)) => whole_or_not(number),
        _ => Json::from(raw),
    }
}

/// The plausible range in what the device sends.
fn bounds(point: &Point, source: &MqttSource, profile: &Profile) -> (Option<f64>, Option<f64>) {
    let Some((low, high)) = point.range else { return (None, None) };
    let factor = source.scale.resolve(&defaults(profile));
    // 0.1 * 3 is not 0.3: twelve digits are more than any device sends.
    let raw = |bound: f64| {
        let raw = (bound - source.scale.offset) / factor;
        format!("{raw:.9}").parse().ok().filter(|raw: &f64| raw.is_finite())
    };
    if factor < 0.0 { (raw(high), raw(low)) } else { (raw(low), raw(high)) }
}

#[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
pub(super) fn whole_or_not(number: f64) -> Json {
    match number.fract() == 0.0 && number.abs() < 9e15 {
        true => Json::from(number as i64),
        false => json!(number),
    }
}

/// JSON Schema of all payloads of an MQTT model: one definition for each topic, named as
/// [`topic_name`] names it. `strict` refuses members that the model does not have.
pub fn payload_schema(
    profile: &Profile,
    model: &MqttModel,
    examples: &[Example],
    strict: bool,
) -> Json {
    let mut definitions = Map::new();
    let members = members(profile, model);
    for (slot, topic) in model.topics.iter().enumerate() {
        let own = members.iter().filter(|member| member.topic == slot);
        let mut schema = match topic.format {
            PayloadFormat::Json => {
                let mut root = Node::default();
                for member in own {
                    root.insert(&member.steps, value_schema(member));
                }
                if let Some(time) = &topic.time {
                    let steps: Vec<Step> = time.iter().map(Step::of).collect();
                    root.insert(&steps, time_schema());
                }
                let seen = |steps: &[Step]| container(examples, &topic.pattern, steps);
                root.schema(strict, &seen)
            }
            PayloadFormat::Text => own.last().map_or_else(|| json!({}), text_schema),
        };
        let shown: Vec<Json> = example_payloads(examples, &topic.pattern, topic.format);
        if let Json::Object(schema) = &mut schema {
            schema.insert("title".into(), topic.pattern.as_str().into());
            if !shown.is_empty() {
                schema.insert("examples".into(), Json::Array(shown));
            }
        }
        definitions.insert(topic_name(&topic.pattern), schema);
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
        definitions.insert(topic_name(&availability.pattern), schema);
    }
    let any: Vec<Json> =
        definitions.keys().map(|name| json!({ "$ref": format!("#/$defs/{name}") })).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("{} / {}", profile.zh, profile.en),
        "description": "One definition for each topic; {base} is the device's own topic. null means \
            \"not available\". 每个主题一个定义；{base} 为设备自己的主题；null 表示无此数据。",
        "anyOf": any,
        "$defs": definitions,
    })
}

/// Name of a topic's definition: `{base}/state` is `state`, `{base}` is `base`.
pub fn topic_name(pattern: &str) -> String {
    let below: Vec<&str> = pattern.split('/').filter(|level| *level != "{base}").collect();
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let name: String = below.join(".").chars().map(|c| if named(c) { c } else { '_' }).collect();
    if name.is_empty() { "base".to_owned() } else { name }
}

/// Payloads of the examples that read as something, for the topic.
fn example_payloads(examples: &[Example], pattern: &str, format: PayloadFormat) -> Vec<Json> {
    let good = examples.iter().filter(|example| example.is_sound());
    let messages = good.flat_map(|example| &example.messages);
    messages
        .filter(|message| message.topic == pattern)
        .filter_map(|message| match format {
            PayloadFormat::Json => serde_json::from_str(&message.payload).ok(),
            PayloadFormat::Text => Some(Json::from(message.payload.as_str())),
        })
        .collect()
}

/// What the examples hold at a place: counted members are elements of an array, or members of an
/// object whose names are numbers.
fn container(examples: &[Example], pattern: &str, steps: &[Step]) -> Option<Container> {
    let path: Vec<PathStep> = steps.iter().map(Step::first).collect();
    let messages = examples.iter().flat_map(|example| &example.messages);
    let documents = messages
        .filter(|message| message.topic == pattern)
        .filter_map(|message| serde_json::from_str::<Json>(&message.payload).ok());
    documents.into_iter().find_map(|document| match locate(&document, &path) {
        Some(Json::Array(_)) => Some(Container::Array),
        Some(Json::Object(_)) => Some(Container::Object),
        _ => None,
    })
}

fn time_schema() -> Json {
    json!({ "title": "时间 / time", "description": "the device's own time: ISO 8601, or seconds or \
        milliseconds since 1970", "type": ["string", "number", "null"] })
}

fn description(member: &Member) -> String {
    let mut parts = Vec::new();
    if member.factor == 1.0 {
        parts.extend((!member.unit.is_empty()).then(|| format!("unit 单位 {}", member.unit)));
    } else {
        parts.push(format!("value 值 × {} = {}", member.factor, member.unit).trim().to_owned());
    }
    if let Allowed::Words(words) = &member.allowed {
        let words = words.iter().map(|(word, zh, en)| {
            let word = word.as_str().map_or_else(|| word.to_string(), str::to_owned);
            format!("{word}: {zh} / {en}")
        });
        parts.push(words.collect::<Vec<_>>().join("; "));
    }
    parts.join("; ")
}

fn value_schema(member: &Member) -> Json {
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
fn text_schema(member: &Member) -> Json {
    let mut schema = match &member.allowed {
        Allowed::Number(..) => json!({ "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$" }),
        Allowed::Whole(..) => json!({ "type": "string", "pattern": "^-?[0-9]+$" }),
        Allowed::Flag => json!({ "enum": ["true", "false"] }),
        Allowed::Text => json!({ "type": "string", "maxLength": MAX_TEXT }),
        Allowed::Words(words) => {
            let text = |word: &Json| word.as_str().map_or_else(|| word.to_string(), str::to_owned);
            let words: Vec<String> = words.iter().map(|(word, _, _)| text(word)).collect();
            json!({ "enum": words })
        }
    };
    schema["description"] =
        format!("plain text 纯文本: {} / {}; {}", member.zh, member.en, description(member)).into();
    schema
}

#[cfg(test)]
mod tests;
