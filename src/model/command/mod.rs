//! Commands: who wants what of which device, until when, and what became of it.

mod outcome;
mod request;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Words, printable};

pub use outcome::{CommandOutcome, CommandReport, CommandResult, Refusal};
pub use request::{CommandDocument, CommandRequest, LONGEST_BY, LONGEST_TEXT};

/// Longest identifier of a command, bytes.
const LONGEST_ID: usize = 64;

/// What a command is called; given by whoever orders, never twice.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommandId(Arc<str>);

/// Why a text is no identifier of a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no id of a command: allowed are 1 to 64 letters, digits, `.`, `_` and `-`")]
pub struct CommandIdError(String);

impl CommandId {
    /// Checks the text: 1 to 64 letters, digits, `.`, `_`, `-`; it is one level of a topic.
    ///
    /// # Errors
    /// [`CommandIdError`] names the text that was refused.
    pub fn new(text: &str) -> Result<Self, CommandIdError> {
        let fits = (1..=LONGEST_ID).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if fits {
            Ok(Self(text.into()))
        } else {
            let shown: String = text.chars().take(LONGEST_ID).collect();
            Err(CommandIdError(printable(&shown)))
        }
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for CommandId {
    type Error = CommandIdError;
    fn try_from(text: String) -> Result<Self, CommandIdError> {
        Self::new(&text)
    }
}

impl From<CommandId> for String {
    fn from(id: CommandId) -> String {
        id.as_str().to_owned()
    }
}

/// From where a command comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CommandSource {
    /// From the platform, by MQTT.
    Platform,
    /// From a person or a program at the gateway's page or API, whose rights were checked there.
    Page,
    /// From the gateway itself: a safe value.
    Gateway,
    /// From the emergency broadcast, whose receipts tell of every terminal.
    Broadcast,
}

impl CommandSource {
    /// The word in documents.
    pub fn word(self) -> &'static str {
        match self {
            CommandSource::Platform => "platform",
            CommandSource::Page => "page",
            CommandSource::Gateway => "gateway",
            CommandSource::Broadcast => "broadcast",
        }
    }

    /// For people.
    pub fn words(self) -> Words {
        match self {
            CommandSource::Platform => ("platform", "平台"),
            CommandSource::Page => ("page", "本机页面"),
            CommandSource::Gateway => ("gateway", "网关"),
            CommandSource::Broadcast => ("emergency broadcast", "应急广播"),
        }
        .into()
    }
}
