//! Runs the examples inside a profile: raw registers or payloads in, readings out.

use std::collections::{BTreeMap, BTreeSet};

use super::binding::{Binding, Profile};
use super::check_meter::{blocks, holds, obtain_item, obtain_meter};
use super::command::Command;
use super::decode::{decode_bit, decode_json, decode_text, decode_words};
use super::example::{Example, Expected};
use super::load::Loaded;
use super::meter::MeterPlace;
use super::mqtt::PayloadFormat;
use crate::model::{Derived, PointState, Quality, Reason, Value};

/// An example that did not give what it says.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}`{point}`: {what}", line.map_or_else(String::new, |line| format!("example in line {line}: ")))]
pub struct ExampleFault {
    /// The profile.
    pub profile: String,
    /// Line of the example in its file; none when all examples together lack something.
    pub line: Option<usize>,
    /// The point that differed, or what is not covered.
    pub point: String,
    /// What was expected and what came.
    pub what: String,
}

/// Runs every example; empty when all give what they say and together they show every encoding
/// (or topic), derived point and command of the profile.
pub fn run_examples(loaded: &Loaded) -> Vec<ExampleFault> {
    let mut faults = Vec::new();
    for example in &loaded.examples {
        if loaded.full.groups.is_empty() {
            run(&loaded.full, example, &mut faults);
        } else {
            run(&loaded.full.sized(&example.sizes), example, &mut faults);
        }
    }
    let fault = |point: &str, what: &str| ExampleFault {
        profile: loaded.full.id.clone(),
        line: None,
        point: point.to_owned(),
        what: what.to_owned(),
    };
    for kind in not_shown(loaded) {
        let what =
            "no example shows a point of this encoding (or topic); add one to `[[examples]]`";
        faults.push(fault(&kind, what));
    }
    let profile = &loaded.full;
    let shows = |name: &str| loaded.examples.iter().any(|e| e.readings.contains_key(name));
    for derived in &profile.derived {
        let name = &profile.points[derived.point.slot()].name;
        if !shows(name) {
            faults.push(fault(name, "no example shows what follows; add one to `[[examples]]`"));
        }
    }
    let writes = || loaded.examples.iter().flat_map(|example| &example.writes);
    let of = |command: &Command| match command.member {
        Some(_) => command.name.rsplit('.').next().unwrap_or_default().to_owned(),
        None => command.name.to_string(),
    };
    let written: BTreeSet<String> = writes()
        .filter_map(|write| profile.commands.iter().find(|c| *c.name == *write.command))
        .map(of)
        .collect();
    let all: BTreeSet<String> = profile.commands.iter().map(of).collect();
    for command in all.difference(&written) {
        let what = "no example shows what this command writes; add `writes` to `[[examples]]`";
        faults.push(fault(command, what));
    }
    faults
}

/// What the raw data of an example give for each point of the model with the members that its
/// device has, in their order; nothing for points that they do not speak of.
pub fn obtained(profile: &Profile, example: &Example) -> Vec<Option<Expected>> {
    let mut got: Vec<Option<Expected>> = Vec::with_capacity(profile.points.len());
    for slot in 0..profile.points.len() - profile.derived.len() {
        got.push(obtain(profile, example, slot));
    }
    for derived in &profile.derived {
        let value = follow(profile, derived, &got);
        got.push(value);
    }
    got
}

/// Runs one example on the model with the members that its device has.
fn run(profile: &Profile, example: &Example, faults: &mut Vec<ExampleFault>) {
    let mut fault = |line, point: &str, what| {
        let profile = profile.id.clone();
        faults.push(ExampleFault { profile, line: Some(line), point: point.to_owned(), what });
    };
    let got = obtained(profile, example);
    for (name, want) in &example.readings {
        let Some(slot) = profile.points.iter().position(|point| *point.name == **name) else {
            let what = "is of a member that the device of this example does not have; \
                        say how many it has: `groups = { … }`";
            fault(example.line, name, what.to_owned());
            continue;
        };
        let what = match &got[slot] {
            Some(got) if want == got => match (got, profile.points[slot].range) {
                (Ok(Value::Number(n)), Some((low, high))) if *n < low || *n > high => {
                    format!("{n} lies outside the plausible range {low} to {high}")
                }
                _ => continue,
            },
            Some(got) => format!(
                "expected {}, got {}: mend the reading, or where the point lies and how it is read",
                say(want),
                say(got)
            ),
            None => format!("expected {}, but the example holds nothing for it", say(want)),
        };
        fault(example.line, name, what);
    }
    for write in &example.writes {
        if let Some(what) = write.fault(profile, &example.params) {
            fault(write.line, &write.command, what);
        }
    }
}

/// What follows from what the example gave.
fn follow(profile: &Profile, derived: &Derived, got: &[Option<Expected>]) -> Option<Expected> {
    let states: Vec<PointState> = got
        .iter()
        .map(|got| match got {
            None => PointState::default(),
            Some(Ok(value)) => PointState {
                value: Some(value.clone()),
                quality: Some(Quality::Good),
                ..PointState::default()
            },
            Some(Err(reason)) => {
                PointState { quality: Some(Quality::Bad(*reason)), ..PointState::default() }
            }
        })
        .collect();
    let point = &profile.points[derived.point.slot()];
    let reading = derived.reading(point, |input| &states[input.slot()])?;
    Some(match (reading.value, reading.quality) {
        (Some(value), _) => Ok(value),
        (None, quality) => Err(quality.reason().unwrap_or(Reason::NotAvailable)),
    })
}

/// Encodings, topics and blocks of the profile that no example shows.
fn not_shown(loaded: &Loaded) -> Vec<String> {
    let profile = &loaded.full;
    let shown = |slot: usize| {
        loaded.examples.iter().any(|e| e.readings.contains_key(&*profile.points[slot].name))
    };
    let mut missing: BTreeMap<String, bool> = BTreeMap::new();
    for slot in 0..profile.points.len() - profile.derived.len() {
        let kind = match &profile.binding {
            Binding::Modbus { sources, .. } => {
                format!("{:?} {:?}", sources[slot].encoding, sources[slot].order)
            }
            Binding::Mqtt(model) => {
                let entry = model.topics[model.sources[slot].topic].entry;
                let first = model.topics.iter().find(|topic| topic.entry == entry);
                first.map_or_else(String::new, |topic| topic.pattern.clone())
            }
            Binding::Dlt645(model) => format!("{:?}", model.sources[slot].field),
            Binding::Cjt188(model) => match model.sources[slot].place {
                MeterPlace::Raw { field, .. } => format!("{field:?}"),
                place => format!("{place:?}"),
            },
        };
        *missing.entry(kind).or_default() |= shown(slot);
    }
    if let Binding::Dlt645(model) = &profile.binding {
        let shows = |slot: usize, id| {
            let name = &*profile.points[slot].name;
            let shows = |e: &Example| holds(id, &e.answers) && e.readings.contains_key(name);
            loaded.examples.iter().any(shows)
        };
        for (block, shown) in blocks(model, shows) {
            *missing.entry(block).or_default() |= shown;
        }
    }
    missing.into_iter().filter(|(_, shown)| !shown).map(|(kind, _)| kind).collect()
}

fn say(reading: &Expected) -> String {
    match reading {
        Ok(value) => value.to_string(),
        Err(reason) => format!("bad ({reason})"),
    }
}

/// What the example gives for a point; the last message that speaks of it counts.
fn obtain(profile: &Profile, example: &Example, slot: usize) -> Option<Expected> {
    match &profile.binding {
        Binding::Modbus { sources, .. } => {
            let source = &sources[slot];
            let factor = source.scale.resolve(&example.params);
            let width = usize::from(source.encoding.width());
            example.blocks.iter().filter(|block| block.table == source.table).find_map(|block| {
                let from = usize::from(source.address.checked_sub(block.address)?);
                let words = block.words.get(from..from + width)?;
                Some(match source.table.is_bits() {
                    true => decode_bit(source, words[0] != 0),
                    false => decode_words(source, words, factor),
                })
            })
        }
        Binding::Mqtt(model) => {
            let source = &model.sources[slot];
            let rule = &model.topics[source.topic];
            let factor = source.scale.resolve(&example.params);
            let messages =
                example.messages.iter().rev().filter(|m| matches(&rule.pattern, &m.topic));
            messages
                .filter_map(|message| match rule.format {
                    PayloadFormat::Text => Some(decode_text(source, &message.payload, factor)),
                    PayloadFormat::Json => match serde_json::from_str(&message.payload) {
                        Ok(document) => decode_json(source, &document, factor).transpose(),
                        Err(_) => Some(Err(Reason::BadPayload)),
                    },
                })
                .next()
        }
        Binding::Dlt645(model) => {
            obtain_item(&model.sources[slot], &example.answers, &example.params)
        }
        Binding::Cjt188(model) => {
            obtain_meter(&model.sources[slot], &example.answers, &example.params)
        }
    }
}

/// Whether the topic is one of the pattern.
pub(super) fn matches(pattern: &str, topic: &str) -> bool {
    matches_by(pattern, topic, |want, level| want == level)
}

/// As [`matches`], with another idea of which level is meant; `+` means any.
pub(super) fn matches_by(pattern: &str, topic: &str, same: impl Fn(&str, &str) -> bool) -> bool {
    let (mut pattern, mut topic) = (pattern.split('/'), topic.split('/'));
    loop {
        match (pattern.next(), topic.next()) {
            (None, None) => return true,
            (Some(want), Some(level)) if want == "+" || same(want, level) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests;
