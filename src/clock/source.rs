//! Who gives the time, and how good it is.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::model::DeviceId;

/// Who gives the time; the better one comes first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// The system's clock while a time service keeps it.
    Ntp,
    /// The platform, over its broker.
    Platform,
    /// The system's clock by itself, which the configuration trusts.
    System,
    /// A meter's clock.
    Meter(DeviceId),
}

impl Source {
    /// What it said is still followed after this time without another word.
    pub(super) fn keeps(&self) -> Duration {
        match self {
            // Looked at every five seconds.
            Source::Ntp | Source::System => Duration::from_secs(30),
            // Asked every quarter of an hour; one answer may be lost.
            Source::Platform => Duration::from_secs(40 * 60),
            // Read every hour; one reading may be lost.
            Source::Meter(_) => Duration::from_secs(150 * 60),
        }
    }

    /// Whether it is the system's clock, which is followed exactly.
    pub(super) fn is_the_systems(&self) -> bool {
        matches!(self, Source::Ntp | Source::System)
    }

    /// Whether both say what one and the same clock says.
    pub(super) fn shares_clock_with(&self, other: &Source) -> bool {
        self == other || (self.is_the_systems() && other.is_the_systems())
    }
}

/// `ntp`, `platform`, `system`, `meter <device>`: for events and scripts.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Ntp => f.write_str("ntp"),
            Source::Platform => f.write_str("platform"),
            Source::System => f.write_str("system"),
            Source::Meter(device) => write!(f, "meter {device}"),
        }
    }
}

/// One look at a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Which source.
    pub source: Source,
    /// Its wall time less our boot time at the same instant, milliseconds.
    pub offset_ms: i64,
    /// How far that may be from the truth, either way, milliseconds.
    pub uncertainty_ms: u64,
}

/// How far the clock is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum TrustState {
    /// No source was heard, or too long ago.
    Untrusted,
    /// A source is heard.
    Synchronised,
    /// The source was lost; the clock goes on by itself.
    Holdover,
}

impl TrustState {
    /// All of them.
    pub const ALL: [TrustState; 3] =
        [TrustState::Untrusted, TrustState::Synchronised, TrustState::Holdover];

    /// The word for events and scripts.
    pub fn word(self) -> &'static str {
        match self {
            TrustState::Untrusted => "untrusted",
            TrustState::Synchronised => "synchronised",
            TrustState::Holdover => "holdover",
        }
    }
}
