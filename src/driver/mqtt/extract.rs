//! From a payload to readings, within bounds.

use serde_json::Value as Json;

use super::Config;
use super::devices::MqttDevice;
use super::routes::model;
use crate::model::{PointIndex, Reading, Reason, WallTime};
use crate::profile::{Availability, PathStep, PayloadFormat, TopicRule, decode_json, decode_text};

/// 2020-01-01 and 2100-01-01, unix milliseconds: a device's time outside is a clock never set.
const PLAUSIBLE: std::ops::Range<i64> = 1_577_836_800_000..4_102_444_800_000;

/// Points of one topic of one device, resolved once.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Point, its place among the sources, its whole factor.
    pub points: Vec<(PointIndex, usize, f64)>,
}

/// One plan per topic of the device's model.
pub(super) fn plans(device: &MqttDevice) -> Vec<Plan> {
    let Some(model) = model(device) else { return Vec::new() };
    let mut plans: Vec<Plan> = model.topics.iter().map(|_| Plan::default()).collect();
    for (index, (place, source)) in (0u16..).zip(model.sources.iter().enumerate()) {
        if let Some(plan) = plans.get_mut(source.topic) {
            plan.points.push((PointIndex(index), place, source.scale.resolve(&device.params)));
        }
    }
    plans
}

/// What a payload brought.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Extract {
    /// Readings, good or not.
    pub readings: Vec<Reading>,
    /// The device's own time, when it can be trusted.
    pub time: Option<WallTime>,
    /// What is wrong with the payload.
    pub fault: Option<String>,
}

/// Reads a payload of topic `rule` of a device.
pub(super) fn extract(
    config: &Config,
    device: &MqttDevice,
    rule: usize,
    plan: &Plan,
    payload: &[u8],
) -> Extract {
    let Some(model) = model(device) else { return Extract::default() };
    let Some(topic) = model.topics.get(rule) else { return Extract::default() };
    let mut found =
        Extract { readings: Vec::with_capacity(plan.points.len()), ..Extract::default() };
    let name = |point: PointIndex| device.profile.points[point.slot()].name.as_ref();
    match read(config, topic, payload) {
        Err(fault) => {
            let bad =
                |&(point, ..): &(PointIndex, usize, f64)| Reading::bad(point, Reason::BadPayload);
            found.readings.extend(plan.points.iter().map(bad));
            found.fault = Some(fault);
        }
        Ok(document) => {
            for &(point, place, factor) in &plan.points {
                let source = &model.sources[place];
                let value = match &document {
                    Document::Json(json) => decode_json(source, json, factor),
                    Document::Text(text) => decode_text(source, text, factor).map(Some),
                };
                match value {
                    Ok(Some(value)) => found.readings.push(Reading::good(point, value)),
                    Ok(None) => {}
                    Err(reason) => {
                        if reason == Reason::BadPayload && found.fault.is_none() {
                            found.fault =
                                Some(format!("`{}` is not what the profile says", name(point)));
                        }
                        found.readings.push(Reading::bad(point, reason));
                    }
                }
            }
            if let (Some(path), Document::Json(json)) = (&topic.time, &document) {
                found.time = follow(json, path).and_then(source_time);
            }
        }
    }
    found
}

enum Document<'a> {
    Json(Json),
    Text(&'a str),
}

fn read<'a>(config: &Config, topic: &TopicRule, payload: &'a [u8]) -> Result<Document<'a>, String> {
    bounded(config, payload)?;
    match topic.format {
        PayloadFormat::Json => json(config, payload).map(Document::Json),
        PayloadFormat::Text => std::str::from_utf8(payload)
            .map(|text| Document::Text(text.trim()))
            .map_err(|_| "the text is not UTF-8".into()),
    }
}

fn bounded(config: &Config, payload: &[u8]) -> Result<(), String> {
    let (size, most) = (payload.len(), config.max_payload);
    if size > most {
        return Err(format!("payload of {size} bytes; at most {most} are read"));
    }
    Ok(())
}

fn json(config: &Config, payload: &[u8]) -> Result<Json, String> {
    let most = config.max_depth;
    if depth(payload) > most {
        return Err(format!("JSON nested deeper than {most} levels"));
    }
    serde_json::from_slice(payload).map_err(|error| format!("not JSON: {error}"))
}

/// Deepest nesting, without parsing: nothing is allocated for a hostile document.
pub(in crate::driver) fn depth(payload: &[u8]) -> usize {
    let (mut deepest, mut level, mut in_text, mut escaped) = (0usize, 0usize, false, false);
    for byte in payload {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => {
                level += 1;
                deepest = deepest.max(level);
            }
            b'}' | b']' => level = level.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn follow<'a>(doc: &'a Json, path: &[PathStep]) -> Option<&'a Json> {
    path.iter().try_fold(doc, |at, step| match step {
        PathStep::Key(key) => at.get(key.as_str()),
        PathStep::Index(slot) => at.get(slot),
    })
}

/// RFC 3339 with an offset, or unix seconds or milliseconds. A local time without offset, or one
/// before 2020, is no time.
fn source_time(value: &Json) -> Option<WallTime> {
    let unix_ms = match value {
        Json::String(text) => text.parse::<jiff::Timestamp>().ok()?.as_millisecond(),
        Json::Number(number) => {
            let n = number.as_f64()?;
            // Milliseconds of 1973 are seconds of 5138.
            let ms = if n.abs() >= 1e11 { n } else { n * 1000.0 };
            if !(0.0..=4.2e12).contains(&ms) {
                return None;
            }
            #[expect(clippy::cast_possible_truncation, reason = "the range was just checked")]
            let whole = ms.round() as i64;
            whole
        }
        _ => return None,
    };
    PLAUSIBLE.contains(&unix_ms).then_some(WallTime { unix_ms })
}

/// Whether the device says that it is there.
///
/// # Errors
/// What is wrong with the payload.
pub(super) fn presence(
    config: &Config,
    rule: &Availability,
    payload: &[u8],
) -> Result<bool, String> {
    bounded(config, payload)?;
    let text = std::str::from_utf8(payload).map_err(|_| "the text is not UTF-8")?.trim();
    let mut word = text.to_owned();
    // Some models change from a plain word to a document with an update: the word still counts.
    if !rule.path.is_empty() && text.starts_with('{') {
        let document = json(config, payload)?;
        word = match follow(&document, &rule.path) {
            Some(Json::String(text)) => text.clone(),
            Some(other @ (Json::Bool(_) | Json::Number(_))) => other.to_string(),
            _ => return Err("no availability where the profile says".into()),
        };
    }
    let is = |words: &[String]| words.iter().any(|w| w.eq_ignore_ascii_case(&word));
    if is(&rule.online) {
        Ok(true)
    } else if is(&rule.offline) {
        Ok(false)
    } else {
        // A stranger's text must do nothing to the terminal that shows the log.
        let harmless = |c: char| if c.is_control() { '\u{FFFD}' } else { c };
        let shown: String = word.chars().map(harmless).take(40).collect();
        Err(format!("`{shown}` is neither online nor offline"))
    }
}

#[cfg(test)]
#[path = "extract_tests.rs"]
mod tests;
