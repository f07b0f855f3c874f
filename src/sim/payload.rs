//! What a simulated MQTT device publishes: its profile's paths, walked backwards.

use serde_json::{Map, Number, Value as Json};

use super::Device;
use crate::model::Value;
use crate::profile::{Binding, MqttSource, PathStep, PayloadFormat};

/// Longest array that a path of a profile makes.
const MAX_INDEX: usize = 255;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Topic.
    pub topic: String,
    /// Payload.
    pub payload: String,
}

/// Everything that the device publishes at once, below `base`; nothing for a model of another
/// kind. `now` is the wall time, milliseconds since 1970, for models that send their own.
pub fn messages(device: &Device, base: &str, now: i64) -> Vec<Message> {
    let Binding::Mqtt(model) = &device.profile().binding else { return Vec::new() };
    let mut messages = Vec::with_capacity(model.topics.len());
    for (slot, rule) in model.topics.iter().enumerate() {
        let mut payload: Option<Json> = None;
        let mut text = None;
        let own = model.sources.iter().zip(device.values()).enumerate();
        let here =
            own.filter(|(point, (source, _))| source.topic == slot && !device.follows(*point));
        for (point, (source, value)) in here {
            let raw = match device.withholds(point) {
                true => Json::Null,
                false => raw(source, value, source.scale.resolve(device.params())),
            };
            match rule.format {
                PayloadFormat::Json => {
                    let place = payload.get_or_insert(Json::Null);
                    put(place, &source.path, source.names, raw);
                }
                PayloadFormat::Text if raw.is_null() => {}
                PayloadFormat::Text => {
                    text = Some(raw.as_str().map_or_else(|| raw.to_string(), str::to_owned));
                }
            }
        }
        if let (Some(path), Ok(stamp)) = (&rule.time, jiff::Timestamp::from_millisecond(now))
            && rule.format == PayloadFormat::Json
            && !model.sources.iter().any(|own| own.topic == slot && own.path == *path)
        {
            let stamp = Json::String(stamp.to_string());
            put(payload.get_or_insert(Json::Null), path, 0, stamp);
        }
        let Some(payload) = text.or_else(|| payload.map(|payload| payload.to_string())) else {
            continue;
        };
        messages.push(Message { topic: topic(&rule.pattern, base), payload });
    }
    messages
}

/// The message that says whether the device is there, if its model has one.
pub(super) fn availability(device: &Device, base: &str, present: bool) -> Option<Message> {
    let Binding::Mqtt(model) = &device.profile().binding else { return None };
    let rule = model.availability.as_ref()?;
    let word = if present { rule.online.first()? } else { rule.offline.first()? };
    let payload = if rule.path.is_empty() {
        word.clone()
    } else {
        let mut payload = Json::Null;
        put(&mut payload, &rule.path, 0, Json::String(word.clone()));
        payload.to_string()
    };
    Some(Message { topic: topic(&rule.pattern, base), payload })
}

/// A device publishes to one topic where the profile listens to many.
fn topic(pattern: &str, base: &str) -> String {
    pattern.replace("{base}", base).replace('+', "1")
}

/// What the profile reads as `value`.
fn raw(source: &MqttSource, value: &Value, factor: f64) -> Json {
    let code = match value {
        Value::Number(number) => Some(*number),
        Value::Flag(flag) if !source.codes.is_empty() => Some(f64::from(u8::from(*flag))),
        _ => None,
    };
    #[expect(clippy::cast_precision_loss, reason = "codes are small")]
    let found = source.codes.iter().find(|known| Some(known.code as f64) == code);
    match (found, value) {
        (Some(known), _) => match known.raw.parse::<Number>() {
            Ok(number) => Json::Number(number),
            Err(_) => Json::String(known.raw.clone()),
        },
        (None, Value::Text(text)) => Json::String(text.to_string()),
        (None, Value::Flag(flag)) => flag_word(source, *flag),
        (None, Value::Number(value)) => number((value - source.scale.offset) / factor),
    }
}

fn flag_word(source: &MqttSource, flag: bool) -> Json {
    match source.flag_words.iter().find(|(_, means)| **means == flag) {
        Some((word, _)) => match word.parse::<Number>() {
            Ok(number) => Json::Number(number),
            Err(_) => Json::String(word.clone()),
        },
        None => Json::Bool(flag),
    }
}

/// Whole where it is whole, else with at most six digits: factors leave binary dust.
fn number(value: f64) -> Json {
    let rounded = (value * 1e6).round() / 1e6;
    if rounded.fract() == 0.0 && rounded.abs() < 9e15 {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        return Json::from(rounded as i64);
    }
    Number::from_f64(rounded).map_or(Json::Null, Json::Number)
}

/// `names`: bit `k` when the number in step `k` is a name.
fn put(place: &mut Json, path: &[PathStep], names: u32, value: Json) {
    let Some((step, rest)) = path.split_first() else {
        *place = value;
        return;
    };
    let name = match step {
        PathStep::Key(key) => Some(key.clone()),
        PathStep::Index(index) if names & 1 == 1 => Some(index.to_string()),
        PathStep::Index(_) => None,
    };
    match (step, name) {
        (_, Some(name)) => {
            if !place.is_object() {
                *place = Json::Object(Map::new());
            }
            if let Json::Object(members) = place {
                put(members.entry(name).or_insert(Json::Null), rest, names >> 1, value);
            }
        }
        (PathStep::Index(index), None) => {
            if !place.is_array() {
                *place = Json::Array(Vec::new());
            }
            if let Json::Array(elements) = place
                && *index <= MAX_INDEX
            {
                if elements.len() <= *index {
                    elements.resize(index + 1, Json::Null);
                }
                put(&mut elements[*index], rest, names >> 1, value);
            }
        }
        (PathStep::Key(_), None) => {}
    }
}
