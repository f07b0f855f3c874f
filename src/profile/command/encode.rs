//! From a value to what is written: the registers or the message of a command.

use super::{Command, CommandKind, Target};
use crate::model::Value;
use crate::profile::binding::{Code, Scale, Table};
use crate::profile::encode::{EncodeError, encode_words};

/// What goes to the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// Registers, or a coil as 0 or 1.
    Registers {
        /// `Holding` or `Coil`.
        table: Table,
        /// Address as on the wire.
        address: u16,
        /// What is written there.
        words: Vec<u16>,
        /// Functions 15 and 16 instead of 5 and 6.
        multiple: bool,
    },
    /// A message.
    Message {
        /// Topic with `{base}`.
        topic: String,
        /// Payload.
        payload: String,
    },
}

/// Why a value cannot be written.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CommandError {
    /// A text for a number, or the reverse.
    #[error("`{command}` takes a {takes}, not `{given}`")]
    WrongType {
        /// The command.
        command: String,
        /// What it takes.
        takes: &'static str,
        /// What was given.
        given: Value,
    },
    /// A trigger takes nothing, all others need a value.
    #[error("`{command}` takes {takes}")]
    Missing {
        /// The command.
        command: String,
        /// What it takes.
        takes: &'static str,
    },
    /// Outside the range.
    #[error("`{command}` = {given}, allowed are {low} to {high}{unit}")]
    OutOfRange {
        /// The command.
        command: String,
        /// What was given.
        given: f64,
        /// Lowest.
        low: f64,
        /// Highest.
        high: f64,
        /// Sign of the unit, with a space before it; may be empty.
        unit: String,
    },
    /// None of the choices.
    #[error("`{command}` = {given} is none of {allowed}")]
    NoChoice {
        /// The command.
        command: String,
        /// What was given.
        given: f64,
        /// The codes.
        allowed: String,
    },
    /// Too long a text.
    #[error("`{command}`: the text has {bytes} bytes, at most {most}")]
    TooLong {
        /// The command.
        command: String,
        /// Bytes given.
        bytes: usize,
        /// Most.
        most: usize,
    },
    /// It does not fit the registers.
    #[error("`{command}`: {source}")]
    Registers {
        /// The command.
        command: String,
        /// Why.
        source: EncodeError,
    },
}

/// What goes to the device when a command is ordered with this value; none for a trigger.
/// `params` are the device's values of the profile's parameters.
///
/// # Errors
/// [`CommandError`] names the command, the value and what is allowed.
pub fn encode_command(
    command: &Command,
    value: Option<&Value>,
    params: &[f64],
) -> Result<Written, CommandError> {
    let value = checked(command, value)?;
    match &command.target {
        Target::Registers { source, multiple } => {
            let factor = source.scale.resolve(params);
            let words = encode_words(source, &value, factor).map_err(|source| {
                CommandError::Registers { command: command.name.to_string(), source }
            })?;
            let (table, address) = (source.table, source.address);
            Ok(Written::Registers { table, address, words, multiple: *multiple })
        }
        Target::Message { topic, payload, json, codes, scale } => {
            let word = word(&value, codes, scale, params, *json);
            Ok(Written::Message {
                topic: topic.clone(),
                payload: payload.replace("{value}", &word),
            })
        }
    }
}

/// The value, when the command takes it; a trigger is on.
fn checked(command: &Command, value: Option<&Value>) -> Result<Value, CommandError> {
    let name = || command.name.to_string();
    let takes = command.kind.word();
    let value = match (&command.kind, value) {
        (CommandKind::Trigger, None) => return Ok(Value::Flag(true)),
        (CommandKind::Trigger, Some(_)) => {
            return Err(CommandError::Missing { command: name(), takes: "no value" });
        }
        (_, None) => return Err(CommandError::Missing { command: name(), takes }),
        (_, Some(value)) => value,
    };
    let wrong = || CommandError::WrongType { command: name(), takes, given: value.clone() };
    match (&command.kind, value) {
        (CommandKind::Flag, Value::Flag(_)) => {}
        (CommandKind::Number { range: (low, high), unit, .. }, Value::Number(given)) => {
            if !(*low..=*high).contains(given) {
                let unit = match unit.sign() {
                    "" => String::new(),
                    sign => format!(" {sign}"),
                };
                let (given, low, high) = (*given, *low, *high);
                return Err(CommandError::OutOfRange { command: name(), given, low, high, unit });
            }
        }
        (CommandKind::Choice { labels }, Value::Number(given)) => {
            #[expect(clippy::cast_precision_loss, reason = "codes are small")]
            let known = labels.iter().any(|label| (label.code as f64 - given).abs() < f64::EPSILON);
            if !known {
                let codes: Vec<String> = labels.iter().map(|l| l.code.to_string()).collect();
                let (given, allowed) = (*given, codes.join(", "));
                return Err(CommandError::NoChoice { command: name(), given, allowed });
            }
        }
        (CommandKind::Text { max_length }, Value::Text(text)) => {
            let (bytes, most) = (text.len(), *max_length);
            if bytes > most {
                return Err(CommandError::TooLong { command: name(), bytes, most });
            }
        }
        _ => return Err(wrong()),
    }
    Ok(value.clone())
}

/// What stands for `{value}`.
fn word(value: &Value, codes: &[Code], scale: &Scale, params: &[f64], json: bool) -> String {
    let code = match value {
        Value::Number(number) => Some(*number),
        Value::Flag(flag) => Some(f64::from(u8::from(*flag))),
        Value::Text(_) => None,
    };
    #[expect(clippy::cast_precision_loss, reason = "codes are small")]
    let raw = codes.iter().find(|known| Some(known.code as f64) == code);
    match (raw, value) {
        (Some(raw), _) if json && raw.number.is_none() => quoted(&raw.raw),
        (Some(raw), _) => raw.raw.clone(),
        (None, Value::Text(text)) if json => quoted(text),
        (None, Value::Text(text)) => text.to_string(),
        (None, Value::Flag(flag)) => flag.to_string(),
        (None, Value::Number(number)) => {
            let raw = (number - scale.offset) / scale.resolve(params);
            // What arithmetic left behind the ninth digit means nothing to a device.
            ((raw * 1e9).round() / 1e9).to_string()
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
