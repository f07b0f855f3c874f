//! Messages that bring a warning: our own JSON, CAP 1.2, and the EBM of the Chinese emergency
//! broadcast. All become one [`Warning`].
//!
//! A message is at most [`MAX_MESSAGE`] bytes. What people wrote is shortened rather than refused: a
//! warning that is too long is still a warning. XML with a document type is refused, so there are no
//! entities to expand.

pub mod cap;
pub mod ebd;
pub mod envelope;
pub mod json;
mod text;
pub mod time;
mod xml;

#[cfg(test)]
mod tests;

use crate::model::{Warning, WarningId, WarningRefusal};

pub use ebd::Ebd;
pub use text::shortened;

/// Longest message, bytes.
pub const MAX_MESSAGE: usize = 64 << 10;
/// Longest title that is kept, bytes.
pub const MAX_TITLE: usize = 240;
/// Longest text that is kept, bytes.
pub const MAX_BODY: usize = 2400;
/// Longest name of a sender, an event, a zone, bytes.
pub const MAX_NAME: usize = 96;
/// Most zones of a warning.
pub const MAX_ZONES: usize = 64;
/// Most messages that one message replaces or cancels.
pub const MAX_REFERENCES: usize = 32;
/// Most plays.
pub const MAX_REPEAT: u16 = 100;
/// Longest pause between two plays, seconds.
pub const MAX_PAUSE_S: u32 = 3600;

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Warn people; what it replaces is taken away.
    Warn {
        /// The warning.
        warning: Box<Warning>,
        /// Earlier ones that it updates.
        replaces: Vec<WarningId>,
    },
    /// Take warnings away.
    Cancel {
        /// Which.
        refers: Vec<WarningId>,
        /// Who says so; may be empty.
        by: String,
    },
    /// The platform asks how a warning stands.
    State(WarningId),
    /// The platform asks whether we are here.
    Here,
}

/// A message that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// What it says.
    pub message: Message,
    /// The packet that it came in, to be answered in kind.
    pub ebd: Option<Ebd>,
}

/// Why a message is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Unread {
    /// The kind of fault.
    pub reason: WarningRefusal,
    /// What is wrong, English; what strangers sent is quoted shortened.
    pub detail: String,
    /// The identifier, where it could be read.
    pub id: Option<WarningId>,
}

impl Unread {
    pub(super) fn new(reason: WarningRefusal, detail: impl Into<String>) -> Self {
        Self { reason, detail: shortened(&detail.into(), MAX_TITLE), id: None }
    }

    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(WarningRefusal::Malformed, detail)
    }

    pub(super) fn of(self, id: &WarningId) -> Self {
        Self { id: Some(id.clone()), ..self }
    }
}

/// Reads a message of any of the three kinds.
///
/// # Errors
/// It is none of them, incomplete, too long, or not for playing.
pub fn read(bytes: &[u8]) -> Result<Parsed, Unread> {
    if bytes.len() > MAX_MESSAGE {
        return Err(Unread::malformed(format!("it is longer than {MAX_MESSAGE} bytes")));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Unread::malformed(format!("byte {} is not UTF-8", error.valid_up_to())))?;
    let text = text.trim_start_matches('\u{feff}').trim();
    match text.chars().next() {
        Some('{') => json::read(text).map(|message| Parsed { message, ebd: None }),
        Some('<') => {
            let document = xml::parse(text)?;
            match document.root_element().tag_name().name() {
                "alert" => cap::read(&document).map(|message| Parsed { message, ebd: None }),
                "EBD" => {
                    ebd::read(&document).map(|(ebd, message)| Parsed { message, ebd: Some(ebd) })
                }
                other => Err(Unread::malformed(format!(
                    "the XML begins with <{other}>; known are <alert> (CAP 1.2) and <EBD>"
                ))),
            }
        }
        _ => Err(Unread::malformed("it is neither JSON nor XML")),
    }
}
