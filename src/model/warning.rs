//! Warnings: what the emergency broadcast plays on terminals and shows on screens, and what it tells
//! the platform about that.
//!
//! Levels and identifiers are those of EBM, the broadcast message of the emergency broadcast
//! (level codes 0 1 2 3 4 15, identifiers of 30 or 35 digits as public implementations have them).

mod news;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{AlarmId, printable};

pub use news::{
    ReceiptCounts, ReceiptState, TerminalReceipt, WarningNews, WarningRefusal, WarningStep,
};

/// Longest identifier, bytes: what a terminal's order `play` takes.
pub const MAX_WARNING_ID: usize = 64;

/// How a warning is called: 30 or 35 digits (EBM), or a name of letters, digits and `.:_-` (CAP, our
/// own).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(with = "String"))]
pub struct WarningId(Arc<str>);

/// A text that is no identifier of a warning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no identifier of a warning: allowed are 30 or 35 digits (EBM), or 1 to 64 letters, digits, `.`, `:`, `_` and `-` that are not all digits"
)]
pub struct WarningIdError(pub String);

impl WarningId {
    /// Reads an identifier.
    ///
    /// # Errors
    /// [`WarningIdError`] with the beginning of the text.
    pub fn new(text: &str) -> Result<Self, WarningIdError> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let name = |byte: u8| byte.is_ascii_alphanumeric() || b".:_-".contains(&byte);
        let right = match digits {
            true => Self::is_ebm_length(text.len()),
            false => text.len() <= MAX_WARNING_ID && text.bytes().all(name),
        };
        let shown = || printable(&text.chars().take(MAX_WARNING_ID).collect::<String>());
        if right { Ok(Self(text.into())) } else { Err(WarningIdError(shown())) }
    }

    fn is_ebm_length(length: usize) -> bool {
        length == 30 || length == 35
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is one of EBM: 30 or 35 digits.
    pub fn is_ebm(&self) -> bool {
        Self::is_ebm_length(self.0.len()) && self.0.bytes().all(|byte| byte.is_ascii_digit())
    }
}

impl From<AlarmId> for WarningId {
    /// The warning that an alarm starts: always the same.
    fn from(alarm: AlarmId) -> Self {
        Self(format!("{OF_ALARM}{alarm}").into())
    }
}

impl WarningId {
    /// The alarm that started it.
    pub fn alarm(&self) -> Option<AlarmId> {
        AlarmId::try_from(self.0.strip_prefix(OF_ALARM)?.to_owned()).ok()
    }
}

/// How the identifier of a warning begins that an alarm started.
const OF_ALARM: &str = "alarm-";

impl fmt::Display for WarningId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for WarningId {
    type Error = WarningIdError;
    fn try_from(text: String) -> Result<Self, WarningIdError> {
        Self::new(&text)
    }
}

impl From<WarningId> for String {
    fn from(id: WarningId) -> String {
        id.as_str().to_owned()
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Not said.
    #[default]
    Unknown,
    /// Particularly serious.
    Red,
    /// Serious.
    Orange,
    /// Larger.
    Yellow,
    /// General.
    Blue,
    /// Only a test.
    Test,
}

impl Severity {
    /// All of them, the worst first.
    pub const ALL: [Self; 6] =
        [Self::Red, Self::Orange, Self::Yellow, Self::Blue, Self::Unknown, Self::Test];

    /// The code of EBM.
    pub fn code(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Red => 1,
            Self::Orange => 2,
            Self::Yellow => 3,
            Self::Blue => 4,
            Self::Test => 15,
        }
    }

    /// The level of a code of EBM.
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.code() == code)
    }

    /// The word in documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Red => "red",
            Self::Orange => "orange",
            Self::Yellow => "yellow",
            Self::Blue => "blue",
            Self::Test => "test",
        }
    }

    /// The level of a word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.word() == word)
    }

    /// The higher, the more urgent.
    pub fn rank(self) -> u8 {
        match self {
            Self::Red => 5,
            Self::Orange => 4,
            Self::Yellow => 3,
            Self::Blue => 2,
            Self::Unknown => 1,
            Self::Test => 0,
        }
    }
}

/// Whether it is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WarningStatus {
    /// It is.
    #[default]
    Actual,
    /// A drill: people hear it and it is marked.
    Exercise,
    /// A test of the equipment: marked as well.
    Test,
}

impl WarningStatus {
    /// The word in documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::Actual => "actual",
            Self::Exercise => "exercise",
            Self::Test => "test",
        }
    }
}

/// Who warns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WarningSource {
    /// The platform, in our own JSON.
    Json,
    /// The platform, in CAP 1.2.
    Cap,
    /// The platform, as an EBM.
    Ebm,
    /// A person on the page.
    Staff,
    /// An alarm rule.
    Alarm,
    /// The calendar of drills.
    Calendar,
}

/// What a warning says in one language.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WarningText {
    /// In a few words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What is the matter and what to do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
}

impl WarningText {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.title.is_empty() && self.body.is_empty()
    }
}

/// One warning, wherever it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// What it is called.
    pub id: WarningId,
    /// Who warns.
    pub source: WarningSource,
    /// Their name; may be empty.
    pub sender: String,
    /// Whether it is meant.
    pub status: WarningStatus,
    /// How bad it is.
    pub severity: Severity,
    /// What kind of event, as the sender calls it; may be empty.
    pub event: String,
    /// When it was sent, milliseconds since 1970.
    pub sent_ms: Option<i64>,
    /// When it begins; at once when not said.
    pub start_ms: Option<i64>,
    /// When it ends.
    pub end_ms: Option<i64>,
    /// Zone names and area codes; empty for the whole estate.
    pub zones: Vec<String>,
    /// Chinese.
    pub zh: WarningText,
    /// English.
    pub en: WarningText,
    /// How often it is played.
    pub repeat: u16,
    /// Between two plays, seconds.
    pub pause_s: u32,
}

impl Warning {
    /// Whether it is a drill or a test.
    pub fn is_drill(&self) -> bool {
        self.status != WarningStatus::Actual || self.severity == Severity::Test
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_an_ebm_number_or_a_name() {
        for right in ["3".repeat(30), "3".repeat(35), "urn:oid:2.49.0.1.156-a_b".into()] {
            assert_eq!(WarningId::new(&right).unwrap().as_str(), right);
        }
        assert!(WarningId::new(&"3".repeat(35)).unwrap().is_ebm());
        for wrong in ["", "12", &"3".repeat(31), &"x".repeat(65), "a b", "a/b", "预警"] {
            assert!(WarningId::new(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn levels_are_found_by_their_codes_and_words() {
        for level in Severity::ALL {
            assert_eq!(Severity::of_code(level.code()), Some(level));
            assert_eq!(Severity::of_word(level.word()), Some(level));
        }
        assert_eq!(Severity::of_code(5), None);
    }
}
