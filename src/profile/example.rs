//! The examples inside a profile: raw registers, messages or frames in, readings out; values
//! ordered in, writes out.

use std::collections::BTreeMap;

use toml::Spanned;

use super::binding::{Binding, Profile, Table};
use super::check_meter::{MeterAnswer, read_item, read_meter};
use super::command::{Write, read_writes};
use super::fault::{Faults, nearest};
use super::schema::{BlockFile, ExampleFile, MessageFile};
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
    /// Members of each group that the device of the example has, in the order of the groups.
    pub sizes: Vec<u16>,
    /// What the commands write.
    pub writes: Vec<Write>,
}

pub(super) fn read_example(
    example: Spanned<ExampleFile>,
    profile: &Profile,
    usual: &[u16],
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
    let blocks =
        file.registers.into_iter().filter_map(|block| read_block(block, first, faults)).collect();
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
    if file.readings.is_empty() && file.writes.is_empty() {
        faults.at(span.clone(), "the example shows nothing: `readings` or `writes` is missing");
    }
    let sizes = read_sizes(&file.groups, profile, usual, faults);
    let readings = read_readings(file.readings, profile, faults);
    let writes = read_writes(file.writes, profile, first, faults);
    let messages = file.messages.into_iter().map(Message::from);
    let line = faults.line(&span);
    Some(Example {
        about: file.about,
        line,
        params,
        blocks,
        messages: messages.collect(),
        answers,
        readings,
        sizes,
        writes,
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
        if !faults.entries_lost() && !known().any(|point| point == name.get_ref()) {
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

/// Registers or bits as the file says them.
pub(super) fn read_block(
    block: Spanned<BlockFile>,
    first: u32,
    faults: &mut Faults<'_>,
) -> Option<Block> {
    let (span, block) = (block.span(), block.into_inner());
    let table = block.table.table();
    let words: Vec<u16> = match table.is_bits() {
        true => block.bits.iter().map(|bit| u16::from(*bit)).collect(),
        false => block.words,
    };
    let address = block.address.checked_sub(first).and_then(|a| u16::try_from(a).ok());
    match address {
        Some(address) if !words.is_empty() => Some(Block { table, address, words }),
        _ => {
            let message = format!(
                "block at {}: no words (bits for bit tables), or beyond the last register",
                block.address
            );
            faults.at(span, message);
            None
        }
    }
}

/// How many members each group has in an example.
fn read_sizes(
    given: &BTreeMap<Spanned<String>, u16>,
    profile: &Profile,
    usual: &[u16],
    faults: &mut Faults<'_>,
) -> Vec<u16> {
    let mut sizes = usual.to_vec();
    for (name, size) in given {
        let known = || profile.groups.iter().map(|group| &*group.name);
        match known().position(|group| group == name.get_ref()) {
            None => {
                let message = format!("there is no group `{}`", name.get_ref());
                faults.word(name.span(), message, name.get_ref(), known());
            }
            Some(slot) if *size == 0 || *size > profile.groups[slot].max => {
                let most = profile.groups[slot].max;
                faults.at(name.span(), format!("{size} members, allowed are 1 to {most}"));
            }
            Some(slot) => sizes[slot] = *size,
        }
    }
    sizes
}

impl From<MessageFile> for Message {
    fn from(file: MessageFile) -> Self {
        Self { topic: file.topic, payload: file.payload }
    }
}
