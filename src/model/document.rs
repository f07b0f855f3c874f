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
//!
//! # Thinned documents
//!
//! After a long outage the oldest blocks may have been replaced by thinned ones: `thinned` then
//! says by which rule, and which positions they were among. A device may occur several times in
//! `devices`, each time with other points. Everything in it is a reading that was really taken, so
//! who does not know `thinned` reads it like any other document. `devices[].thinned` has a note
//! for each point and span of time: how many readings there were, and how many of them were not
//! good. Of the values of that point within the span, the first is the first that was read, the
//! last the last, the lowest good number the lowest of all, the highest the highest; of a counter
//! only the last good value of each hour is left. A span that was thinned in two parts has a note
//! in each.

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
    /// In a thinned document: what the values stand for, span by span.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thinned: Vec<ThinnedSpan>,
}

/// What a point's values within a span of time stand for: index into `points`; begin of the span,
/// milliseconds after the document's base, may be negative; its length, milliseconds; readings
/// that were taken in it; how many of them were not good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThinnedSpan(pub u32, pub i64, pub i64, pub u64, pub u64);

/// Marks a document that stands, thinned, in place of older ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Thinned {
    /// By which rule: `quarter_hour`.
    pub method: String,
    /// First position that was replaced.
    pub from: u64,
    /// Last position that was replaced. Which ones between, the event `readings_thinned` says.
    pub to: u64,
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
    /// Present when older documents were thinned into this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinned: Option<Thinned>,
    /// Readings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<DeviceColumns>,
    /// Events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventDocument>,
}
