//! The clock, and the clocks of the meters.

use serde::Serialize;

use crate::clock::{Disagreement, TrustState};
use crate::model::DeviceId;
use crate::status::view::View;

/// How good the time is.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::status) struct ClockRow {
    /// `untrusted`, `synchronised`, `holdover`.
    state: TrustState,
    /// `ntp`, `platform`, `system`, `meter <device>`.
    source: Option<String>,
    /// Clock less source when they were last compared.
    offset_ms: Option<i64>,
    uncertainty_ms: Option<u64>,
    synchronised_age_s: Option<u64>,
    disagreements: Vec<DisagreementRow>,
    /// Sources that say what cannot be.
    refused: Vec<String>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct DisagreementRow {
    source: String,
    follows: String,
    difference_ms: i64,
    whole_hours: Option<i64>,
}

/// What the clock of a meter said when it was last read.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::status) struct MeterClockRow {
    /// Its clock less the gateway's; absent when the meter does not tell.
    offset_s: Option<i64>,
    age_s: u64,
}

pub(in crate::status) fn clock(view: &View) -> ClockRow {
    let status = view.clock.status();
    let now = view.now();
    let row = |found: &Disagreement| DisagreementRow {
        source: found.source.to_string(),
        follows: found.follows.to_string(),
        difference_ms: found.difference_ms,
        whole_hours: found.whole_hours,
    };
    ClockRow {
        state: status.state,
        source: status.source.as_ref().map(ToString::to_string),
        offset_ms: status.offset_ms,
        uncertainty_ms: status.uncertainty_ms,
        synchronised_age_s: status.synchronised_at.map(|at| now.since(at).as_secs()),
        disagreements: status.disagreements.iter().map(row).collect(),
        refused: status.refused.iter().map(ToString::to_string).collect(),
    }
}

pub(in crate::status) fn of_meter(view: &View, device: &DeviceId) -> Option<MeterClockRow> {
    let seen = view.clock.meter(device)?;
    Some(MeterClockRow { offset_s: seen.offset_s, age_s: view.now().since(seen.at).as_secs() })
}
