//! What a simulated device is told: a write or a message that its profile describes as a command.
//! As strict as a real device: other addresses, functions and values are refused.

use super::Refusal;
use crate::model::Value;
use crate::profile::{
    Code, CommandKind, Profile, RegisterSource, Scale, Table, Target, decode_bit, decode_words,
};

/// An order that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Which command of the profile, by its place.
    pub command: usize,
    /// The value, as it was ordered.
    pub value: Value,
}

impl Order {
    /// The value as the point shows it that held `before`.
    pub(super) fn shown(&self, before: &Value) -> Value {
        match (before, self.value.number()) {
            (Value::Flag(_), Some(number)) => Value::Flag(number != 0.0),
            (Value::Number(_), Some(number)) => Value::Number(number),
            _ => self.value.clone(),
        }
    }
}

/// A write of registers, or of coils as 0 and 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RegisterWrite<'w> {
    pub table: Table,
    pub address: u16,
    pub words: &'w [u16],
    /// By function 15 or 16.
    pub multiple: bool,
}

/// Which command a write is.
///
/// # Errors
/// What a device answers with to a write that it does not know.
pub(super) fn of_write(
    profile: &Profile,
    params: &[f64],
    write: &RegisterWrite<'_>,
) -> Result<Order, Refusal> {
    if profile.commands.is_empty() {
        return Err(Refusal::IllegalFunction);
    }
    let mut refusal = Refusal::IllegalAddress;
    for (place, command) in profile.commands.iter().enumerate() {
        let Target::Registers { source, multiple } = &command.target else { continue };
        if (source.table, source.address) != (write.table, write.address) {
            continue;
        }
        if *multiple != write.multiple {
            refusal = Refusal::IllegalFunction;
            continue;
        }
        refusal = Refusal::IllegalValue;
        if usize::from(source.encoding.width()) != write.words.len() {
            continue;
        }
        let value = match source.table.is_bits() {
            true => decode_bit(source, write.words[0] != 0),
            false => decode_words(source, write.words, source.scale.resolve(params)),
        };
        if let Ok(value) = value
            && takes(&command.kind, &value)
        {
            let trigger = matches!(command.kind, CommandKind::Trigger);
            let value = if trigger { held(profile, params, source, write) } else { value };
            return Ok(Order { command: place, value });
        }
    }
    Err(refusal)
}

/// What stands in the registers after a trigger: as another command of the same registers says it,
/// else the bare number. A limit of 0 that pauses is a limit of 0.
fn held(
    profile: &Profile,
    params: &[f64],
    own: &RegisterSource,
    write: &RegisterWrite<'_>,
) -> Value {
    let beside = profile.commands.iter().find_map(|command| match &command.target {
        Target::Registers { source, .. }
            if (source.table, source.address) == (own.table, own.address)
                && !matches!(command.kind, CommandKind::Trigger) =>
        {
            Some(source)
        }
        _ => None,
    });
    let source = RegisterSource { codes: Vec::new(), flag: false, ..beside.unwrap_or(own).clone() };
    let value = match source.table.is_bits() {
        true => decode_bit(&source, write.words.first().is_some_and(|word| *word != 0)),
        false => decode_words(&source, write.words, source.scale.resolve(params)),
    };
    value.unwrap_or(Value::Flag(true))
}

/// Which command a message is, to a device with this base topic.
pub(super) fn of_message(
    profile: &Profile,
    params: &[f64],
    base: &str,
    (topic, payload): (&str, &str),
) -> Option<Order> {
    profile.commands.iter().enumerate().find_map(|(place, command)| {
        let Target::Message { topic: own, payload: form, codes, scale, json } = &command.target
        else {
            return None;
        };
        if own.replace("{base}", base) != topic {
            return None;
        }
        let value = match form.split_once("{value}") {
            None if form == payload && matches!(command.kind, CommandKind::Trigger) => {
                let value = payload.parse().map_or(Value::Flag(true), Value::Number);
                return Some(Order { command: place, value });
            }
            None => return None,
            Some((front, back)) => {
                let word = payload.strip_prefix(front)?.strip_suffix(back)?;
                value_of(word, (&command.kind, codes, *json), scale, params)?
            }
        };
        takes(&command.kind, &value).then_some(Order { command: place, value })
    })
}

fn value_of(
    word: &str,
    (kind, codes, json): (&CommandKind, &[Code], bool),
    scale: &Scale,
    params: &[f64],
) -> Option<Value> {
    let text = match json.then(|| serde_json::from_str(word)) {
        Some(Ok(serde_json::Value::String(text))) => text,
        _ => word.to_owned(),
    };
    let code = codes.iter().find(|code| code.raw == text).map(|code| code.code);
    match (kind, code) {
        (CommandKind::Flag, Some(code)) => Some(Value::Flag(code != 0)),
        (CommandKind::Flag, None) => text.parse().ok().map(Value::Flag),
        #[expect(clippy::cast_precision_loss, reason = "codes are small")]
        (_, Some(code)) => Some(Value::Number(code as f64)),
        (CommandKind::Text { .. }, None) => Some(Value::Text(text.into())),
        (_, None) => {
            let raw: f64 = text.parse().ok()?;
            Some(Value::Number(raw * scale.resolve(params) + scale.offset))
        }
    }
}

/// Whether a device of the model takes the value.
fn takes(kind: &CommandKind, value: &Value) -> bool {
    match (kind, value) {
        (CommandKind::Number { range: (low, high), .. }, Value::Number(number)) => {
            // What the encoding rounds lies as near as this.
            let slack = (high - low) * 1e-6;
            (low - slack..=high + slack).contains(number)
        }
        #[expect(clippy::cast_precision_loss, reason = "codes are small")]
        (CommandKind::Choice { labels }, Value::Number(number)) => {
            labels.iter().any(|label| label.code as f64 == *number)
        }
        (CommandKind::Text { max_length }, Value::Text(text)) => text.len() <= *max_length,
        (CommandKind::Flag, _) => true,
        (CommandKind::Trigger, value) => value.number() != Some(0.0),
        _ => false,
    }
}
