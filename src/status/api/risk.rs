//! `/api/v1/risk`: the estate's grade and every device that is to be visited.

use serde::Serialize;

use crate::model::{DeviceIndex, RiskCause, RiskCounts, RiskGrade};
use crate::starlevel::Bilingual;
use crate::status::view::View;

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::status) struct Risk {
    grade: Option<RiskGrade>,
    counts: RiskCounts,
    /// Medium and high, worst first.
    devices: Vec<Visit>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Visit {
    device: String,
    name: String,
    place: String,
    #[serde(flatten)]
    risk: DeviceRow,
}

/// The risk of one device.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "DeviceRisk"))]
pub(super) struct DeviceRow {
    grade: Option<RiskGrade>,
    since_ms: Option<i64>,
    points: f64,
    causes: Vec<RiskCause>,
    advice: Option<Bilingual>,
}

pub(in crate::status) fn risk(view: &View) -> Risk {
    let estate = view.risk.estate();
    let visits = view.risk.visits().into_iter().filter_map(|index| {
        let device = view.estate.device(index);
        Some(Visit {
            device: device.id.as_str().to_owned(),
            name: device.title().to_owned(),
            place: device.place.clone(),
            risk: of_device(view, index)?,
        })
    });
    Risk { grade: estate.grade, counts: estate.counts, devices: visits.collect() }
}

pub(super) fn of_device(view: &View, index: DeviceIndex) -> Option<DeviceRow> {
    let risk = view.risk.device(index)?;
    Some(DeviceRow {
        grade: risk.grade,
        since_ms: risk.since_ms,
        points: risk.points,
        causes: risk.causes,
        advice: risk.advice,
    })
}
