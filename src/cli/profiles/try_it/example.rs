//! An `[[examples]]` block of what the device really said, to paste into the profile.

use std::fmt::Write as _;

use super::caught::Caught;
use crate::cli::profiles::find::Found;
use crate::config::DeviceSettings;
use crate::model::{Quantity, Reason, Value};
use crate::profile::{self, Binding, Expected, Profile, Table};

/// The block, and the points that it leaves out with the reason why.
pub(super) struct Block {
    pub text: String,
    pub left_out: Vec<(String, Reason)>,
}

/// Makes the block, for a device that is set so.
///
/// # Errors
/// What was heard does not make an example; the words of the check.
pub(super) fn block(
    found: &Found,
    device: &DeviceSettings,
    caught: &Caught,
) -> Result<Block, String> {
    let profile = &device.profile;
    let mut head = String::from("\n[[examples]]\nabout = \"read on a device\"\n");
    let set: Vec<String> = profile
        .params
        .iter()
        .zip(&device.params)
        .filter(|(param, value)| param.default != **value)
        .map(|(param, value)| format!("{} = {value}", param.name))
        .collect();
    if !set.is_empty() {
        writeln!(head, "params = {{ {} }}", set.join(", ")).expect(WRITES);
    }
    let usual = &found.loaded.profile.groups;
    let sizes: Vec<String> = profile
        .groups
        .iter()
        .zip(usual)
        .filter(|(own, usual)| own.count != usual.count)
        .map(|(own, _)| format!("{} = {}", own.name, own.count))
        .collect();
    if !sizes.is_empty() {
        writeln!(head, "groups = {{ {} }}", sizes.join(", ")).expect(WRITES);
    }
    match &profile.binding {
        Binding::Modbus { .. } => registers(&mut head, caught, first_address(&found.text)),
        Binding::Mqtt(_) => messages(&mut head, caught),
        _ => {
            head.push_str("frames = [\n");
            for frame in caught.replies() {
                let bytes: Vec<String> = frame.iter().map(|byte| format!("{byte:02X}")).collect();
                writeln!(head, "  \"{}\",", bytes.join(" ")).expect(WRITES);
            }
            head.push_str("]\n");
        }
    }
    // The profile's own reader says what its example gives.
    let any = key(&profile.points.first().ok_or("the profile has no point")?.name);
    let draft = format!("{}\n{head}readings = {{ {any} = {{ bad = \"stale\" }} }}\n", found.text);
    let loaded = profile::parse_draft(&found.name, &draft)
        .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let example = loaded.examples.last().ok_or("nothing was heard")?;
    let mut left_out = Vec::new();
    head.push_str("\n[examples.readings]\n");
    for (slot, reading) in profile::obtained(profile, example).into_iter().enumerate() {
        let point = &profile.points[slot];
        match reading.map(|reading| told(profile, slot, reading)) {
            Some(Ok(value)) => writeln!(head, "{} = {value}", key(&point.name)).expect(WRITES),
            Some(Err(reason)) => left_out.push((point.name.to_string(), reason)),
            None => {}
        }
    }
    Ok(Block { text: head, left_out })
}

const WRITES: &str = "writing to a String does not fail";

/// A value as an example writes it; why it does not belong into one.
fn told(profile: &Profile, slot: usize, reading: Expected) -> Result<String, Reason> {
    let point = &profile.points[slot];
    match reading {
        Ok(Value::Number(number)) => match point.range {
            Some((low, high)) if number < low || number > high => Err(Reason::OutOfRange),
            _ if number.fract() == 0.0
                && point.quantity != Quantity::State
                && point.decimals > 0 =>
            {
                Ok(format!("{number:.1}"))
            }
            _ => Ok(number.to_string()),
        },
        Ok(Value::Flag(flag)) => Ok(flag.to_string()),
        Ok(Value::Text(text)) => Ok(toml::Value::String(text.to_string()).to_string()),
        Err(Reason::NotAvailable) => Ok("{ bad = \"not_available\" }".to_owned()),
        Err(reason) => Err(reason),
    }
}

/// A point's name as a key: dots of a bare key would make tables.
fn key(name: &str) -> String {
    if name.contains('.') { format!("\"{name}\"") } else { name.to_owned() }
}

/// What the addresses of the file count from.
fn first_address(text: &str) -> u32 {
    let table: Option<toml::Table> = text.parse().ok();
    let first = table.as_ref().and_then(|table| table.get("modbus")?.get("first_address"));
    first.and_then(toml::Value::as_integer).and_then(|first| first.try_into().ok()).unwrap_or(0)
}

fn registers(out: &mut String, caught: &Caught, first: u32) {
    out.push_str("registers = [\n");
    let mut run: Vec<u16> = Vec::new();
    let mut begin: Option<(Table, u16)> = None;
    let mut close = |begin: Option<(Table, u16)>, run: &mut Vec<u16>| {
        let Some((table, address)) = begin else { return };
        let (name, key) = match table {
            Table::Coil => ("coil", "bits"),
            Table::DiscreteInput => ("discrete_input", "bits"),
            Table::Holding => ("holding", "words"),
            Table::Input => ("input", "words"),
        };
        let word = |word: u16| match table.is_bits() {
            true => (word != 0).to_string(),
            false => format!("0x{word:04X}"),
        };
        let words: Vec<String> = run.drain(..).map(word).collect();
        let address = u32::from(address) + first;
        let words = words.join(", ");
        writeln!(out, "  {{ table = \"{name}\", address = 0x{address:04X}, {key} = [{words}] }},")
            .expect(WRITES);
    };
    for (&(table, address), &word) in &caught.registers {
        let goes_on = begin.is_some_and(|(of, from)| {
            of == table && usize::from(address - from.min(address)) == run.len()
        });
        if !goes_on {
            close(begin.replace((table, address)), &mut run);
        }
        run.push(word);
    }
    close(begin, &mut run);
    out.push_str("]\n");
}

fn messages(out: &mut String, caught: &Caught) {
    out.push_str("messages = [\n");
    for (topic, payload) in caught.told() {
        // What is no text cannot be read by any profile either.
        let Ok(payload) = std::str::from_utf8(payload) else { continue };
        let quoted = match payload.contains('\'') || payload.chars().any(char::is_control) {
            true => toml::Value::String(payload.to_owned()).to_string(),
            false => format!("'{payload}'"),
        };
        writeln!(out, "  {{ topic = \"{topic}\", payload = {quoted} }},").expect(WRITES);
    }
    out.push_str("]\n");
}
