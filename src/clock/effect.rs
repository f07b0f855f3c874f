//! What the clock tells others: what happened, how it stands.

use super::source::{Source, TrustState};
use crate::model::{DeviceId, Moment};

/// What follows from what was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The clock's state changed.
    State {
        /// Before.
        from: TrustState,
        /// Now.
        to: TrustState,
        /// What gives the time, or gave it last.
        source: Option<Source>,
        /// How far the clock may be off now, milliseconds.
        uncertainty_ms: Option<u64>,
    },
    /// The clock stepped.
    Stepped {
        /// New wall time less the old one, milliseconds.
        step_ms: i64,
        /// What gave the time.
        source: Source,
    },
    /// The clock was compared with the source that is followed.
    Compared {
        /// Clock less source before any correction, milliseconds.
        offset_ms: i64,
        /// With what.
        source: Source,
    },
    /// A source says something else than the one that is followed.
    Disagrees(Disagreement),
    /// A source says something that cannot be.
    Refused {
        /// Which source.
        source: Source,
        /// What it says, milliseconds since 1970.
        said_ms: i64,
        /// The earliest time that is believed.
        not_before_ms: i64,
    },
    /// A meter's clock was compared with ours.
    Meter {
        /// Which meter.
        device: DeviceId,
        /// Its clock less ours, seconds.
        offset_s: i64,
    },
}

/// Two sources that disagree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// The one that is not followed.
    pub source: Source,
    /// The one that is.
    pub follows: Source,
    /// Time of the first less that of the second, milliseconds.
    pub difference_ms: i64,
    /// The difference is this many whole hours: another time zone.
    pub whole_hours: Option<i64>,
}

/// What a meter's clock said when it was last read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeterSeen {
    /// When it was read.
    pub at: Moment,
    /// Its clock less ours, seconds; `None` when the meter does not tell.
    pub offset_s: Option<i64>,
}

/// The clock for people: pages, API, metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockStatus {
    /// How far it is trusted.
    pub state: TrustState,
    /// What gives the time, or gave it last.
    pub source: Option<Source>,
    /// Our clock less the source when they were last compared, before any correction.
    pub offset_ms: Option<i64>,
    /// How far it may be from the true time; `None` when it is not trusted.
    pub uncertainty_ms: Option<u64>,
    /// When the source was last heard.
    pub synchronised_at: Option<Moment>,
    /// Sources that say something else.
    pub disagreements: Vec<Disagreement>,
    /// Sources that say what cannot be.
    pub refused: Vec<Source>,
}
