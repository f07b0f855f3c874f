//! `[[commands]]`: what a model can be told, as data: range, where it is written, which point must
//! show it, and the safe value to return to.
//!
//! A command is only described and checked here; who may order it, and when, is decided elsewhere.

mod encode;
mod load;
mod schema;
mod target;
#[cfg(test)]
mod tests;
mod write;

use std::sync::Arc;
use std::time::Duration;

use super::binding::{Code, Member, RegisterSource, Scale};
use crate::model::{Label, PointIndex, Unit, Value, Words};

pub use encode::{CommandError, Written, encode_command};
pub(super) use load::commands;
pub(super) use schema::{CommandFile, WriteFile};
pub use write::Write;
pub(super) use write::read_writes;

/// What a model can be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// Its name; of a member of a group `connectors.2.currentLimit`.
    pub name: Arc<str>,
    /// For people, Chinese.
    pub zh: String,
    /// For people, English.
    pub en: String,
    /// Of which member of a group.
    pub member: Option<Member>,
    /// What it takes.
    pub kind: CommandKind,
    /// Where it is written.
    pub target: Target,
    /// The point that must show what was written; `None` when nothing shows it.
    pub read_back: Option<PointIndex>,
    /// How long until it shows, at most.
    pub within: Duration,
    /// What it returns to when nobody orders any more.
    pub safe: Option<Value>,
    /// How often it must be repeated, else the device falls back by itself.
    pub keep_alive: Option<Duration>,
    /// What to think of before ordering it.
    pub danger: Option<Words>,
}

/// What a command takes.
#[derive(Debug, Clone, PartialEq)]
pub enum CommandKind {
    /// A number in a unit.
    Number {
        /// Its unit.
        unit: Unit,
        /// Lowest and highest.
        range: (f64, f64),
        /// Digits after the point that mean something.
        decimals: u8,
    },
    /// On or off.
    Flag,
    /// One of several, by code.
    Choice {
        /// What the codes mean.
        labels: Vec<Label>,
    },
    /// A text.
    Text {
        /// Most bytes of it in UTF-8.
        max_length: usize,
    },
    /// Nothing: it is done.
    Trigger,
}

impl CommandKind {
    /// The word in a profile.
    pub fn word(&self) -> &'static str {
        match self {
            CommandKind::Number { .. } => "number",
            CommandKind::Flag => "flag",
            CommandKind::Choice { .. } => "choice",
            CommandKind::Text { .. } => "text",
            CommandKind::Trigger => "trigger",
        }
    }
}

/// Where a command is written.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// Registers or a coil.
    Registers {
        /// As a point of the model would be read from there.
        source: RegisterSource,
        /// Functions 15 and 16 instead of 5 and 6.
        multiple: bool,
    },
    /// A message.
    Message {
        /// Topic with `{base}`.
        topic: String,
        /// Payload with `{value}`.
        payload: String,
        /// `{value}` stands in a JSON document.
        json: bool,
        /// Raw words of codes; of a flag those of 1 and 0.
        codes: Vec<Code>,
        /// To what the device takes: `(value - offset) / factor`.
        scale: Scale,
    },
}
