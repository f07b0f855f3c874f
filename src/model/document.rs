//! The documents of the stream: what a block holds, as JSON.
//!
//! One document is one block. Readings are columns: for each device the names of its points once,
//! the moments once, and per point one column of values. Offsets and names compress well, so that
//! a full block costs at most 16 bytes a reading on the wire.
//!
//! ```json
//! {"v":1,"gateway":"estate-1","epoch":"9f2c…","seq":42,
//!  "time":{"trust":"trusted","base":1767225600000,"uncertainty_ms":100},
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
    /// A source of time was heard when the readings were taken, or the readings were stamped
    /// afterwards from the same boot's clock.
    Trusted,
    /// The source was lost: the clock goes on by itself, `uncertainty_ms` says how well.
    Holdover,
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
    /// How far from the true time `base` may be, either way, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertainty_ms: Option<u64>,
    /// The readings were taken before a clock was trusted, and got their time later. Such a block
    /// may come again with a time that is known better by then; nothing else of it changes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub afterwards: bool,
    /// With `since_boot`, for a boot that is over: `base` was not before this, milliseconds since
    /// 1970. Its clock was never trusted, so no better can be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<i64>,
    /// As `not_before`: `base` was not after this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<i64>,
}

impl TimeBase {
    /// Wall time, milliseconds since 1970, of which nothing else is known.
    pub fn trusted(base: i64) -> Self {
        Self {
            trust: TimeTrust::Trusted,
            base,
            boot: None,
            uncertainty_ms: None,
            afterwards: false,
            not_before: None,
            not_after: None,
        }
    }

    /// Milliseconds since a boot.
    pub fn since_boot(boot: String, base: i64) -> Self {
        Self { trust: TimeTrust::SinceBoot, boot: Some(boot), ..Self::trusted(base) }
    }

    /// Whether the block may come again with another time.
    pub fn may_change(&self) -> bool {
        self.afterwards || self.trust == TimeTrust::SinceBoot
    }
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

/// The gateway's question, under `time/request`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TimeRequest {
    /// Version of the document.
    pub v: u8,
    /// The gateway.
    pub gateway: String,
    /// To be given back in the answer; a new one each time.
    pub id: String,
    /// The run of the system since its last power-on.
    pub boot: String,
    /// When it was asked, milliseconds since boot.
    pub boot_ms: u64,
}

/// The platform's answer, under `time`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TimeAnswer {
    /// Version of the document.
    pub v: u8,
    /// Of the question.
    pub id: String,
    /// The platform's time when it answered, milliseconds since 1970-01-01T00:00:00Z.
    pub unix_ms: i64,
}
