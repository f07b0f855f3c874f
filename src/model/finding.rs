//! What the wiring doctor found on a bus: told on the page, in the scan, as an event.

use serde::{Deserialize, Serialize};

use super::{DeviceIndex, Moment, Words};

/// What is wrong with a line or a device on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Diagnosis {
    /// Not one byte came from any device.
    NothingHeard,
    /// One device is silent while others on the line answer.
    DeviceSilent,
    /// Bytes come, but never a frame: the line settings differ.
    WrongLineSettings,
    /// Two devices answer at one address.
    AddressCollision,
    /// Replies of some devices arrive damaged, of others whole.
    DamagedReplies,
    /// Damage on the whole line.
    NoisyLine,
    /// The answers of a device got slower and slower.
    SlowerAnswers,
    /// Frames that nobody here asked for: another master, or broadcasts only.
    ForeignMaster,
}

/// One finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What it is.
    pub diagnosis: Diagnosis,
    /// Which devices it concerns; empty for the whole line.
    pub devices: Vec<DeviceIndex>,
    /// Since when.
    pub since: Moment,
    /// What was seen, with its figures.
    pub seen: Words,
    /// The next thing to check.
    pub check: Words,
}
