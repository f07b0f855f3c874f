//! The broadcast as the page and the API show it.

use serde::{Deserialize, Serialize};

use super::desk::{Desk, Entry, Evidence, Life, Setup};
use super::texts::Template;
use super::zones::TargetKind;
use crate::model::{
    ReceiptCounts, Severity, TerminalReceipt, WarningId, WarningRefusal, WarningSource,
    WarningStatus, WarningText,
};

/// Refused messages that the page shows.
const MOST_REFUSED: usize = 50;

/// One warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WarningRow {
    /// Its identifier.
    pub id: WarningId,
    /// Where it came from.
    pub source: WarningSource,
    /// Who warns; may be empty.
    pub sender: String,
    /// Whose signature was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// Whether it is meant.
    pub status: WarningStatus,
    /// How bad it is.
    pub severity: Severity,
    /// What kind of event; may be empty.
    pub event: String,
    /// Zones and area codes; empty for the whole estate.
    pub zones: Vec<String>,
    /// Chinese.
    pub zh: WarningText,
    /// English.
    pub en: WarningText,
    /// How often it is played.
    pub repeat: u16,
    /// When it was accepted, milliseconds since 1970.
    pub accepted_ms: i64,
    /// When it is over at the latest, milliseconds since 1970.
    pub end_ms: i64,
    /// `open`, `finished`, `cancelled`.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub life: Life,
    /// When it was over, milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_ms: Option<i64>,
    /// Who cancelled it; empty when nobody did.
    pub cancelled_by: String,
    /// How its terminals and screens stand.
    pub counts: ReceiptCounts,
    /// One each; only where one warning is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receipts: Vec<TerminalReceipt>,
}

impl WarningRow {
    /// Without the receipts.
    pub fn of(entry: &Entry) -> Self {
        let warning = &entry.warning;
        Self {
            id: warning.id.clone(),
            source: warning.source,
            sender: warning.sender.clone(),
            signed_by: entry.signed_by.clone(),
            status: warning.status,
            severity: warning.severity,
            event: warning.event.clone(),
            zones: warning.zones.clone(),
            zh: warning.zh.clone(),
            en: warning.en.clone(),
            repeat: warning.repeat,
            accepted_ms: entry.accepted_ms,
            end_ms: entry.end_ms,
            life: entry.life,
            over_ms: entry.over_ms,
            cancelled_by: entry.cancelled_by.clone(),
            counts: entry.counts(),
            receipts: Vec::new(),
        }
    }

    /// With the receipts.
    pub fn whole(entry: &Entry) -> Self {
        let receipts = entry.shares.iter().map(|share| share.receipt.clone()).collect();
        Self { receipts, ..Self::of(entry) }
    }
}

/// A message that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RefusedRow {
    /// When it came, milliseconds since 1970.
    pub at_ms: i64,
    /// What its topic called it.
    pub name: String,
    /// The identifier that it claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<WarningId>,
    /// Why.
    pub reason: WarningRefusal,
    /// More about that, English.
    pub detail: String,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// How long it is.
    pub bytes: u64,
    /// How it begins.
    pub begin: String,
}

impl From<&Evidence> for RefusedRow {
    fn from(evidence: &Evidence) -> Self {
        Self {
            at_ms: evidence.at_ms,
            name: evidence.name.clone(),
            id: evidence.id.clone(),
            reason: evidence.reason,
            detail: evidence.detail.clone(),
            sha256: evidence.sha256.clone(),
            bytes: evidence.bytes,
            begin: evidence.begin.clone(),
        }
    }
}

/// A zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ZoneRow {
    /// What messages call it.
    pub name: String,
    /// For people, Chinese.
    pub zh: String,
    /// For people, English.
    pub en: String,
    /// Terminals and screens in it.
    pub devices: usize,
}

/// A drill of the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DrillRow {
    /// What people call it.
    pub name: String,
    /// Its template.
    pub template: String,
    /// When it is next, milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_ms: Option<i64>,
}

/// From the acceptance of a message to the word of a terminal that it plays, since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlayLatency {
    /// Terminals that said so.
    pub count: u64,
    /// All their times, milliseconds.
    pub sum_ms: u64,
    /// Of the newest thousand: half of them within, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<u64>,
    /// Of the newest thousand: 95 of 100 within, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95_ms: Option<u64>,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BroadcastView {
    /// Terminals that may be ordered to play.
    pub terminals: usize,
    /// Screens that may be ordered to show a text.
    pub screens: usize,
    /// Messages of the platform must be signed.
    pub require_signature: bool,
    /// The zones.
    pub zones: Vec<ZoneRow>,
    /// The warnings, the newest first, without their receipts.
    pub warnings: Vec<WarningRow>,
    /// The newest refused messages, the newest first.
    pub refused: Vec<RefusedRow>,
    /// The drills.
    pub drills: Vec<DrillRow>,
    /// How fast terminals play.
    pub latency: PlayLatency,
    /// What the page offers.
    #[serde(skip)]
    pub templates: Vec<Template>,
}

impl BroadcastView {
    /// As it stands.
    pub fn of(desk: &Desk, drills: Vec<DrillRow>) -> Self {
        let Setup { zones, texts, require_signature, .. } = desk.setup();
        let count = |kind| zones.targets().iter().filter(|target| target.kind == kind).count();
        let titled = |title: &str, name: &str| {
            if title.is_empty() { name.to_owned() } else { title.to_owned() }
        };
        let latencies = desk.latencies();
        Self {
            terminals: count(TargetKind::Terminal),
            screens: count(TargetKind::Screen),
            require_signature: *require_signature,
            zones: zones
                .sizes()
                .map(|(zone, devices)| ZoneRow {
                    name: zone.name.clone(),
                    zh: titled(&zone.zh, &zone.name),
                    en: titled(&zone.en, &zone.name),
                    devices,
                })
                .collect(),
            warnings: desk.entries().map(WarningRow::of).collect(),
            refused: desk.refused().take(MOST_REFUSED).map(RefusedRow::from).collect(),
            drills,
            latency: PlayLatency {
                count: latencies.count,
                sum_ms: latencies.sum_ms,
                p50_ms: latencies.percentile(50),
                p95_ms: latencies.percentile(95),
            },
            templates: texts.templates().to_vec(),
        }
    }
}
