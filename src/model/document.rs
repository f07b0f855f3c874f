//! The documents of the stream: what a block holds, as JSON.
//!
//! One document is one block. Readings are columns: for each device the names of its points once,
//! the moments once, and per point one column of values. Offsets and names compress well, so that
//! a full block costs at most 16 bytes a reading on the wire.
//!
//! ```json
//! {"v":1,"gateway":"estate-1","epoch":"9f2c…","seq":42,
//!  "time":{"trust":"trusted","base":1767225600000},
//!  "devices":[{"id":"meter-1","at":[0,1000],
//!              "points":["totalActivePower","phaseVoltage"],
//!              "values":[[1520.5,1519],[230.1,null]],
//!              "quality":[[1,1,"bad","no_answer"]]}],
//!  "events":[]}
//! ```
//! `values[p][t]` is point `p` at moment `base + at[t]`. A `null` without a note in `quality`
//! means "not reported at this moment"; with one it means "no value was obtained".

use serde::{Deserialize, Serialize};

use super::{EventKind, Value};

/// Version of the document format.
pub const DOCUMENT_VERSION: u8 = 1;

/// How far the times of a document are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TimeTrust {
    /// The clock was set by a trusted source when the readings were taken, or the readings were
    /// stamped afterwards from the same boot's trusted clock.
    Trusted,
    /// No trusted clock yet: `base` counts milliseconds since the boot named in `boot`.
    SinceBoot,
}

/// What the offsets of a document count from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TimeBase {
    /// How far it is trusted.
    pub trust: TimeTrust,
    /// Milliseconds since 1970-01-01T00:00:00Z, or since boot (see `trust`).
    pub base: i64,
    /// The boot, when `trust` is `since_boot`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
}

/// A reading that is not good: index into `at`, index into `points`, quality, reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct QualityNote(pub u32, pub u32, pub String, pub String);

/// Readings of one device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeviceColumns {
    /// The device.
    pub id: String,
    /// Moments, milliseconds after the document's base, ascending.
    pub at: Vec<i64>,
    /// Names of the points.
    pub points: Vec<String>,
    /// One column per point, one row per moment.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Vec<Option<serde_json::Value>>>"))]
    pub values: Vec<Vec<Option<Value>>>,
    /// Readings that are not good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quality: Vec<QualityNote>,
    /// Times that the device itself gave: index into `at`, milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub source_times: Vec<(u32, i64)>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventDocument {
    /// Milliseconds after the document's base.
    pub at: i64,
    /// Whom it concerns; absent for the gateway itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub what: EventKind,
}

/// One block of the stream, published under `telemetry`, `telemetry/late` or `event`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Document {
    /// Version of the format, 1.
    pub v: u8,
    /// The gateway.
    pub gateway: String,
    /// The life of its buffer, 16 hex digits.
    pub epoch: String,
    /// Position within the epoch. `(gateway, epoch, seq)` identifies the block for ever.
    pub seq: u64,
    /// What the moments count from.
    pub time: TimeBase,
    /// Readings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<DeviceColumns>,
    /// Events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventDocument>,
}
