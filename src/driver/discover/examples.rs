//! Examples of a profile that is being made: messages that were heard, and for what was not heard
//! messages that could be.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::book::{Sample, document};
use super::points::{Point, Shape, Words};
use super::write::{Shown, number, quoted};
use crate::model::{Reason, Value};
use crate::profile::{
    Binding, MqttModel, MqttSource, PathStep, PayloadFormat, Profile, decode_json, decode_text,
    locate,
};

/// A longer payload is cut down to what is read of it, bytes.
const LONG: usize = 1500;
/// Largest index of an array in a message that is made up.
const MAX_INDEX: usize = 32;

/// What a message gives for a point.
fn decoded(
    source: &MqttSource,
    format: PayloadFormat,
    payload: &str,
) -> Option<Result<Value, Reason>> {
    let factor = source.scale.factor;
    match format {
        PayloadFormat::Text => Some(decode_text(source, payload, factor)),
        PayloadFormat::Json => match serde_json::from_str(payload) {
            Ok(document) => decode_json(source, &document, factor).transpose(),
            Err(_) => Some(Err(Reason::BadPayload)),
        },
    }
}

/// What the profile makes of what was heard, by the place of the point.
pub(super) fn heard(
    profile: &Profile,
    base: &str,
    samples: &BTreeMap<String, Sample>,
) -> BTreeMap<usize, Result<Value, Reason>> {
    let Binding::Mqtt(model) = &profile.binding else { return BTreeMap::new() };
    let value = |(slot, source): (usize, &MqttSource)| {
        let rule = model.topics.get(source.topic)?;
        let sample = samples.get(&rule.pattern.replace("{base}", base))?;
        Some((slot, decoded(source, rule.format, &sample.payload)?))
    };
    model.sources.iter().enumerate().filter_map(value).collect()
}

/// Examples that show every topic.
pub(super) fn examples(
    profile: &Profile,
    points: &[Point],
    base: &str,
    samples: &BTreeMap<String, Sample>,
) -> Vec<Shown> {
    let Binding::Mqtt(model) = &profile.binding else { return Vec::new() };
    let values = heard(profile, base, samples);
    let mut real =
        Shown { about: "heard while scanning / 扫描时收到".into(), ..Shown::default() };
    let mut made = Shown {
        about: "constructed, not heard / 构造的示例，未实际收到".into(),
        ..Shown::default()
    };
    for (topic, rule) in model.topics.iter().enumerate() {
        let own: Vec<usize> =
            (0..model.sources.len()).filter(|slot| model.sources[*slot].topic == topic).collect();
        let shown = own.iter().filter_map(|slot| Some((*slot, values.get(slot)?)));
        let shown: Vec<(usize, &Result<Value, Reason>)> = shown.collect();
        let sample = samples.get(&rule.pattern.replace("{base}", base));
        if let (Some(sample), false) = (sample, shown.is_empty()) {
            let payload = shortened(sample, model, &own);
            real.messages.push((rule.pattern.clone(), payload));
            let readings = shown.into_iter().map(|(slot, value)| reading(profile, slot, value));
            real.readings.extend(readings);
            continue;
        }
        let Some(payload) = made_up(model, points, &own, rule.format) else { continue };
        for slot in own {
            if let Some(value) = decoded(&model.sources[slot], rule.format, &payload) {
                made.readings.push(reading(profile, slot, &value));
            }
        }
        made.messages.push((rule.pattern.clone(), payload));
    }
    [real, made].into_iter().filter(|example| !example.messages.is_empty()).collect()
}

fn reading(profile: &Profile, slot: usize, value: &Result<Value, Reason>) -> (String, String) {
    let text = match value {
        Ok(Value::Number(value)) => number(*value),
        Ok(Value::Flag(flag)) => flag.to_string(),
        Ok(Value::Text(text)) => quoted(text),
        Err(reason) => format!("{{ bad = {} }}", quoted(reason.word())),
    };
    (profile.points[slot].name.to_string(), text)
}

/// The payload, cut down to what is read of it when it is long.
fn shortened(sample: &Sample, model: &MqttModel, own: &[usize]) -> String {
    let whole = &sample.payload;
    let Some(read) = document(sample).filter(|_| whole.len() > LONG) else { return whole.clone() };
    let mut short = Json::Null;
    for slot in own {
        let path = &model.sources[*slot].path;
        if let Some(value) = locate(&read, path)
            && !put(&mut short, path, value.clone())
        {
            return whole.clone();
        }
    }
    short.to_string()
}

/// Puts a value into a document; false where that cannot be.
fn put(document: &mut Json, path: &[PathStep], value: Json) -> bool {
    let Some((first, rest)) = path.split_first() else {
        *document = value;
        return true;
    };
    match first {
        PathStep::Key(key) => {
            if document.is_null() {
                *document = Json::Object(Map::new());
            }
            let Json::Object(members) = document else { return false };
            put(members.entry(key.clone()).or_insert(Json::Null), rest, value)
        }
        PathStep::Index(index) if *index <= MAX_INDEX => match document {
            Json::Object(members) => {
                put(members.entry(index.to_string()).or_insert(Json::Null), rest, value)
            }
            Json::Null | Json::Array(_) => {
                if document.is_null() {
                    *document = Json::Array(Vec::new());
                }
                let Json::Array(elements) = document else { return false };
                while elements.len() <= *index {
                    elements.push(Json::Null);
                }
                put(&mut elements[*index], rest, value)
            }
            _ => false,
        },
        PathStep::Index(_) => false,
    }
}

/// A message that the device could send.
fn made_up(
    model: &MqttModel,
    points: &[Point],
    own: &[usize],
    format: PayloadFormat,
) -> Option<String> {
    let mut document = Json::Null;
    for slot in own {
        let value = plausible(points.get(*slot)?);
        if format == PayloadFormat::Text {
            return Some(match value {
                Json::String(text) => text,
                other => other.to_string(),
            });
        }
        // Where two values stand in each other's way the first one stays.
        put(&mut document, &model.sources[*slot].path, value);
    }
    (!document.is_null()).then(|| document.to_string())
}

fn plausible(point: &Point) -> Json {
    match &point.shape {
        Shape::Number { .. } => {
            let aim = point.range.map_or(20.0, |(low, high)| f64::midpoint(low, high));
            let raw = (aim - point.offset) / point.factor;
            let raw = (raw * 1000.0).round() / 1000.0;
            serde_json::Number::from_f64(raw).map_or(Json::from(1), Json::Number)
        }
        Shape::Flag { words: Words::Usual } => Json::Bool(false),
        Shape::Flag { words: Words::Own { off, .. } } => Json::String(off.clone()),
        Shape::Flag { words: Words::Coded { off, .. } } => {
            serde_json::from_str(off).unwrap_or_else(|_| Json::String(off.clone()))
        }
        Shape::Choice(words) => {
            Json::String(words.iter().find(|word| !word.is_empty()).cloned().unwrap_or_default())
        }
        Shape::Text => Json::String("text".into()),
    }
}
