//! Runs the examples inside a profile: raw registers or payloads in, readings out.

use std::collections::BTreeMap;

use toml::Spanned;

use super::binding::{Binding, Param, PayloadFormat, Profile, Table};
use super::check_meter::{
    MeterAnswer, blocks, holds, item_place, meter_place, obtain_item, obtain_meter, read_item,
    read_meter,
};
use super::decode::{decode_bit, decode_json, decode_text, decode_words};
use super::fault::{Faults, nearest};
use super::load::{Loaded, table_word};
use super::meter::MeterPlace;
use super::schema::ExampleFile;
use crate::model::{Reason, Value};

/// A reading as an example expects it.
pub type Expected = Result<Value, Reason>;

/// Registers or bits that a device holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Which table.
    pub table: Table,
    /// First address, as on the wire.
    pub address: u16,
    /// Registers, or bits as 0 and 1.
    pub words: Vec<u16>,
}

/// A message that a device publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Topic with `{base}`.
    pub topic: String,
    /// Payload.
    pub payload: String,
}

/// One example of a profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// What it shows.
    pub about: String,
    /// Line of the file.
    pub line: usize,
    /// Values of the profile's parameters, in their order.
    pub params: Vec<f64>,
    /// What the device holds.
    pub blocks: Vec<Block>,
    /// What the device publishes.
    pub messages: Vec<Message>,
    /// What the meter answers.
    pub answers: Vec<MeterAnswer>,
    /// What must be read, by point.
    pub readings: BTreeMap<String, Expected>,
}

/// An example that did not give what it says.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}`{point}`: {what}", line.map_or_else(String::new, |line| format!("example in line {line}, ")))]
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

pub(super) fn read_example(
    example: Spanned<ExampleFile>,
    profile: &Profile,
    first: u32,
    faults: &mut Faults<'_>,
) -> Option<Example> {
    let span = example.span();
    let file = example.into_inner();
    let mut params: Vec<f64> = profile.params.iter().map(|param| param.default).collect();
    for (name, value) in &file.params {
        match profile.params.iter().position(|param| param.name == *name.get_ref()) {
            Some(slot) => params[slot] = *value,
            None => faults.at(name.span(), format!("there is no param `{}`", name.get_ref())),
        }
    }
    let mut blocks = Vec::new();
    for block in file.registers {
        let (span, block) = (block.span(), block.into_inner());
        let table = block.table.table();
        let words = match table.is_bits() {
            true => block.bits.iter().map(|bit| u16::from(*bit)).collect(),
            false => block.words,
        };
        let address = block.address.checked_sub(first).and_then(|a| u16::try_from(a).ok());
        match address {
            Some(address) if !words.is_empty() => blocks.push(Block { table, address, words }),
            _ => faults.at(
                span,
                format!(
                    "block at {}: no words (bits for bit tables), or beyond the last register",
                    block.address
                ),
            ),
        }
    }
    let mut answers = Vec::new();
    for frame in &file.frames {
        match &profile.binding {
            Binding::Dlt645(model) => {
                let edition = model.edition;
                read_item(edition, frame.get_ref(), &frame.span(), &mut answers, faults);
            }
            Binding::Cjt188(_) => {
                read_meter(frame.get_ref(), &frame.span(), &mut answers, faults);
            }
            _ => faults.at(frame.span(), "`frames` belong to models of `[dlt645]` and `[cjt188]`"),
        }
    }
    let readings = read_readings(file.readings, profile, faults);
    let messages =
        file.messages.into_iter().map(|m| Message { topic: m.topic, payload: m.payload });
    let line = faults.line(&span);
    Some(Example {
        about: file.about,
        line,
        params,
        blocks,
        messages: messages.collect(),
        answers,
        readings,
    })
}

fn read_readings(
    given: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
    profile: &Profile,
    faults: &mut Faults<'_>,
) -> BTreeMap<String, Expected> {
    let mut readings = BTreeMap::new();
    for (name, value) in given {
        let known = || profile.points.iter().map(|point| &*point.name);
        if !known().any(|point| point == name.get_ref()) {
            faults.word(
                name.span(),
                format!("there is no point `{}`", name.get_ref()),
                name.get_ref(),
                known(),
            );
        }
        match expected(value.get_ref()) {
            Ok(value) => drop(readings.insert(name.into_inner(), value)),
            Err(message) => faults.at(value.span(), message),
        }
    }
    readings
}

#[expect(clippy::cast_precision_loss, reason = "written by people, well below 2^53")]
fn expected(value: &toml::Value) -> Result<Expected, String> {
    match value {
        toml::Value::Boolean(flag) => Ok(Ok(Value::Flag(*flag))),
        toml::Value::Integer(n) => Ok(Ok(Value::Number(*n as f64))),
        toml::Value::Float(n) => Ok(Ok(Value::Number(*n))),
        toml::Value::String(text) => Ok(Ok(Value::Text(text.as_str().into()))),
        toml::Value::Table(table) if table.len() == 1 => {
            let word = table.get("bad").and_then(toml::Value::as_str).unwrap_or("");
            let words = || Reason::ALL.iter().map(|reason| reason.word());
            Reason::ALL.iter().find(|reason| reason.word() == word).map(|r| Err(*r)).ok_or_else(
                || {
                    let hint = nearest(word, words()).unwrap_or("not_available");
                    format!("a bad reading is written {{ bad = \"{hint}\" }}")
                },
            )
        }
        _ => Err("a reading is a number, a text, true, false or { bad = \"reason\" }".to_owned()),
    }
}

/// Runs every example; empty when all give what they say and together they show every encoding
/// (or topic) that the profile uses.
pub fn run_examples(loaded: &Loaded) -> Vec<ExampleFault> {
    let profile = &loaded.profile;
    let mut faults = Vec::new();
    let fault = |line, point: &str, what| ExampleFault {
        profile: profile.id.clone(),
        line,
        point: point.to_owned(),
        what,
    };
    for example in &loaded.examples {
        for (slot, point) in profile.points.iter().enumerate() {
            let got = obtain(profile, example, slot);
            let what = match (example.readings.get(&*point.name), got) {
                (Some(want), Some(got)) if *want == got => match (&got, point.range) {
                    (Ok(Value::Number(n)), Some((low, high))) if *n < low || *n > high => {
                        format!("{n} lies outside the plausible range {low} to {high}")
                    }
                    _ => continue,
                },
                (Some(want), Some(got)) => format!("expected {}, got {}", say(want), say(&got)),
                (Some(want), None) => {
                    format!("expected {}, but the example holds nothing for it", say(want))
                }
                (None, _) => continue,
            };
            faults.push(fault(Some(example.line), &point.name, what));
        }
    }
    let shown = |slot: usize| {
        loaded.examples.iter().any(|e| e.readings.contains_key(&*profile.points[slot].name))
    };
    let mut missing: BTreeMap<String, bool> = BTreeMap::new();
    for slot in 0..profile.points.len() {
        let kind = match &profile.binding {
            Binding::Modbus { sources, .. } => {
                format!("{:?} {:?}", sources[slot].encoding, sources[slot].order)
            }
            Binding::Mqtt(model) => model.topics[model.sources[slot].topic].pattern.clone(),
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
    for (kind, _) in missing.iter().filter(|(_, shown)| !**shown) {
        let what =
            "no example shows a point of this encoding (or topic); add one to `[[examples]]`";
        faults.push(fault(None, kind, what.to_owned()));
    }
    faults
}

fn say(reading: &Expected) -> String {
    match reading {
        Ok(value) => value.to_string(),
        Err(reason) => format!("bad ({reason})"),
    }
}

/// What the raw data of an example give for each point, in their order; nothing for points that
/// they do not speak of.
pub fn obtained(profile: &Profile, example: &Example) -> Vec<Option<Expected>> {
    (0..profile.points.len()).map(|slot| obtain(profile, example, slot)).collect()
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

fn matches(pattern: &str, topic: &str) -> bool {
    let (mut pattern, mut topic) = (pattern.split('/'), topic.split('/'));
    loop {
        match (pattern.next(), topic.next()) {
            (None, None) => return true,
            (Some(want), Some(level)) if want == "+" || want == level => {}
            _ => return false,
        }
    }
}

/// A description of a profile for people, Chinese and English side by side.
pub fn describe(profile: &Profile) -> String {
    use std::fmt::Write as _;
    let mut out =
        format!("{}  [{}]\n{} / {}\n", profile.id, profile.category, profile.zh, profile.en);
    let mut line = |text: std::fmt::Arguments<'_>| {
        out.write_fmt(text).expect("writing into a String cannot fail");
        out.push('\n');
    };
    for product in &profile.products {
        line(format_args!("  产品 product: {} {}", product.brand, product.model));
    }
    for source in &profile.sources {
        line(format_args!("  来源 source:  {source}"));
    }
    for caveat in &profile.caveats {
        line(format_args!("  注意 caveat:  {caveat}"));
    }
    for Param { name, default, range: (low, high), about } in &profile.params {
        line(format_args!("  参数 param:   {name} = {default} ({low} … {high}): {about}"));
    }
    for (slot, point) in profile.points.iter().enumerate() {
        let place = match &profile.binding {
            Binding::Modbus { sources, .. } => {
                let source = &sources[slot];
                format!("{} {:#06x}", table_word(source.table), source.address)
            }
            Binding::Mqtt(model) => model.topics[model.sources[slot].topic].pattern.clone(),
            Binding::Dlt645(model) => item_place(&model.sources[slot]),
            Binding::Cjt188(model) => meter_place(&model.sources[slot]),
        };
        line(format_args!(
            "  {:<32} {:<6} {place}  {} / {}",
            point.name,
            point.unit.sign(),
            point.zh,
            point.en
        ));
    }
    out
}

#[cfg(test)]
mod tests;
