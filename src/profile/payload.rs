//! What a model publishes, as its vendor reads it: the topics and the members of their payloads.
//!
//! What is counted (`/cells/1/door`, `/cells/2/door`, … or `{base}/switch:1`, …) is told once, as
//! `/cells/{n}/door`. `schema.rs` makes a JSON Schema of it.

mod schema;
mod tree;

use serde_json::{Value as Json, json};

use super::binding::{Code, Profile};
use super::check::matches_by;
use super::mqtt::{MqttModel, MqttSource, PathStep, PayloadFormat};
use crate::model::{Point, Quantity};
use tree::Step;

pub use schema::payload_schema;

/// One topic; those of the members of a group are one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadTopic {
    /// Pattern with `{base}`, and `{n}` where there is one for each member of a group.
    pub pattern: String,
    /// What the payload is.
    pub format: PayloadFormat,
    /// Entry of `topics` in the file.
    entry: usize,
    /// Where the device's own time stands.
    time: Option<Vec<PathStep>>,
}

impl PayloadTopic {
    /// Name of its definition in the schema: `{base}/state` is `state`, `{base}` is `base`.
    pub fn name(&self) -> String {
        definition_name(&self.pattern)
    }

    /// Whether a message of an example is of this topic.
    pub fn is_of(&self, topic: &str) -> bool {
        let same = |want: &str, level: &str| want == level || numbered(want, level);
        matches_by(&self.pattern, topic, same)
    }
}

/// `switch:{n}` and `switch:3`.
fn numbered(want: &str, level: &str) -> bool {
    let Some((before, after)) = want.split_once("{n}") else { return false };
    let number = level.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Name of the definition of a pattern.
pub(super) fn definition_name(pattern: &str) -> String {
    let below: Vec<&str> = pattern.split('/').filter(|level| *level != "{base}").collect();
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let plain = below.join(".").replace("{n}", "n");
    let name: String = plain.chars().map(|c| if named(c) { c } else { '_' }).collect();
    if name.is_empty() { "base".to_owned() } else { name }
}

/// The topics of a model, in the order of its file.
pub fn payload_topics(profile: &Profile, model: &MqttModel) -> Vec<PayloadTopic> {
    let mut topics: Vec<PayloadTopic> = Vec::new();
    for rule in &model.topics {
        if topics.iter().any(|known| known.entry == rule.entry) {
            continue;
        }
        let number = rule.member.map(|m| profile.groups[m.group].number(m.place).to_string());
        let pattern = number.and_then(|number| with_n(&rule.pattern, &number));
        topics.push(PayloadTopic {
            pattern: pattern.unwrap_or_else(|| rule.pattern.clone()),
            format: rule.format,
            entry: rule.entry,
            time: rule.time.clone(),
        });
    }
    topics
}

/// One member of a payload; many alike are one.
#[derive(Debug, Clone, PartialEq)]
pub struct PayloadMember {
    /// Index into [`payload_topics`].
    pub topic: usize,
    /// Where it stands.
    steps: Vec<Step>,
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

impl PayloadMember {
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
pub fn payload_members(profile: &Profile, model: &MqttModel) -> Vec<PayloadMember> {
    let topics = payload_topics(profile, model);
    let mut members: Vec<PayloadMember> = Vec::new();
    for (point, source) in profile.points.iter().zip(&model.sources) {
        let entry = model.topics[source.topic].entry;
        let Some(topic) = topics.iter().position(|topic| topic.entry == entry) else { continue };
        let member = member(point, source, topic, profile, model);
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

fn member(
    point: &Point,
    source: &MqttSource,
    topic: usize,
    profile: &Profile,
    model: &MqttModel,
) -> PayloadMember {
    let (mut zh, mut en) = (point.zh.clone(), point.en.clone());
    if let Some(of) = model.topics[source.topic].member {
        let number = profile.groups[of.group].number(of.place).to_string();
        zh = with_n(&zh, &number).unwrap_or(zh);
        en = with_n(&en, &number).unwrap_or(en);
    }
    let mut steps = Vec::new();
    for step in &source.path {
        let PathStep::Index(index) = step else {
            steps.push(Step::of(step));
            continue;
        };
        let number = index.to_string();
        // Only what is told by its number is one of many.
        match (with_n(&zh, &number), with_n(&en, &number)) {
            (Some(many_zh), Some(many_en)) => {
                (zh, en) = (many_zh, many_en);
                steps.push(Step::Many { from: *index, to: *index });
            }
            _ => steps.push(Step::Index(*index)),
        }
    }
    PayloadMember {
        topic,
        steps,
        zh,
        en,
        unit: point.unit.sign(),
        factor: source.scale.resolve(&defaults(profile)),
        allowed: allowed(point, source, profile),
    }
}

/// The text with the number as a word of its own made `{n}`.
fn with_n(text: &str, number: &str) -> Option<String> {
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let found = text.match_indices(number).find(|(at, _)| {
        let (before, after) = text.split_at(*at);
        !digit(before.chars().next_back()) && !digit(after.chars().nth(number.len()))
    });
    found.map(|(at, _)| {
        let (before, after) = text.split_at(at);
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
        let words = source.flag_words.iter().map(|(word, flag)| {
            let (zh, en) = flag_words(*flag);
            (Json::from(word.as_str()), zh, en)
        });
        let mut words: Vec<(Json, String, String)> = words.collect();
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
    // 0.1 * 3 is not 0.3: nine digits are more than any device sends.
    let raw = |bound: f64| {
        let raw = (bound - source.scale.offset) / factor;
        format!("{raw:.9}").parse().ok().filter(|raw: &f64| raw.is_finite())
    };
    if factor < 0.0 { (raw(high), raw(low)) } else { (raw(low), raw(high)) }
}

#[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
fn whole_or_not(number: f64) -> Json {
    match number.fract() == 0.0 && number.abs() < 9e15 {
        true => Json::from(number as i64),
        false => json!(number),
    }
}

#[cfg(test)]
mod tests;
