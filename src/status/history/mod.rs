//! What the points were: `history` as JSON and as a table for spreadsheets, and how they are now:
//! streams of events.

mod calls;
mod csv;
mod live;
mod query;

use std::sync::Arc;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Json, Response};
use serde::Serialize;
use tokio::sync::Semaphore;

#[cfg(test)]
pub(super) use calls::Calls;
#[cfg(feature = "schema")]
pub(super) use calls::{LiveAlarm, LiveWarning};
pub(super) use csv::table;
#[cfg(feature = "schema")]
pub(super) use live::{LiveHealth, LiveValue};
pub(super) use live::{Stop, events, live};
pub(super) use query::{Limits, Span, Wanted};

use super::server::{Asked, Fault, Shared, failed, find, missing};
use super::view::View;
use crate::history::{BUCKET_S, History, Series};
use crate::model::{DeviceIndex, PointIndex, Quantity};
use live::Streams;

/// Histories that are read at a time; the next waits. It bounds the memory and leaves the flash to
/// others.
const READERS: usize = 2;
/// Values of an answer as JSON: lowest, highest and last count as one.
const MOST_VALUES: usize = 40_000;

/// What those share who look at the history and at the present.
#[derive(Debug, Clone)]
pub struct Desk {
    readers: Arc<Semaphore>,
    streams: Streams,
}

impl Desk {
    /// Whether nobody has a stream.
    #[cfg(test)]
    pub(in crate::status) fn is_idle(&self) -> bool {
        self.streams.is_idle()
    }
}

impl Default for Desk {
    fn default() -> Self {
        Self { readers: Arc::new(Semaphore::new(READERS)), streams: Streams::default() }
    }
}

/// The history of a device. Its arrays are as long as `begin_s`, a place in them is a step.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct DeviceHistory {
    device: String,
    /// Begin of the first step that was asked for.
    from_ms: i64,
    /// End of the last.
    to_ms: i64,
    /// Seconds of a step.
    step_s: u32,
    points: Vec<PointHistory>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct PointHistory {
    name: String,
    /// UCUM.
    unit: &'static str,
    quantity: Quantity,
    decimals: u8,
    /// When each step began, seconds since 1970. Steps in which nothing was read are left out.
    begin_s: Vec<i64>,
    /// Lowest value; a flag counts as 0 and 1.
    min: Vec<f64>,
    /// Highest value. A state changed within a step in which it differs from `min`.
    max: Vec<f64>,
    /// Last value.
    last: Vec<f64>,
}

impl PointHistory {
    fn of(view: &View, device: DeviceIndex, series: &Series) -> Self {
        let point = view.estate.point(device, series.point);
        let buckets = &series.buckets;
        Self {
            name: point.name.to_string(),
            unit: point.unit.code(),
            quantity: point.quantity,
            decimals: point.decimals,
            begin_s: buckets.iter().map(|b| b.slot.begin().unix_ms / 1000).collect(),
            min: buckets.iter().map(|b| b.min).collect(),
            max: buckets.iter().map(|b| b.max).collect(),
            last: buckets.iter().map(|b| b.last).collect(),
        }
    }
}

/// Points that have a history.
pub(super) fn points_of(view: &View, device: DeviceIndex) -> Vec<PointIndex> {
    let points = (0u16..).map(PointIndex).zip(view.estate.device(device).points.iter());
    points.filter(|(_, point)| point.quantity != Quantity::Text).map(|(index, _)| index).collect()
}

fn refused(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(Fault { error })).into_response()
}

/// What is asked for of which device, or the answer that says why not.
fn wanted(
    view: &View,
    id: &str,
    ask: &super::layout::Request,
    limits: Limits,
) -> Result<(History, DeviceIndex, Wanted), Box<Response>> {
    let refuse = |answer: Response| Err(Box::new(answer));
    let Some(device) = find(view, id) else { return refuse(missing("there is no such device")) };
    let Some(history) = view.history.clone() else {
        return refuse(missing("no history is kept: [history] enabled = false"));
    };
    match Wanted::read(view, device, &ask.query, limits) {
        Ok(wanted) => Ok((history, device, wanted)),
        Err(why) => refuse(refused(&why)),
    }
}

/// Reads series, one of a few at a time.
pub(super) async fn series(
    view: &View,
    history: History,
    device: DeviceIndex,
    wanted: &Wanted,
) -> Result<Vec<Series>, String> {
    let closed = |_| "the gateway stops".to_owned();
    let place = Arc::clone(&view.history_desk.readers).acquire_owned().await.map_err(closed)?;
    let (points, slots, step) = (wanted.points.clone(), wanted.slots.clone(), wanted.step);
    let work = tokio::task::spawn_blocking(move || {
        let read = history.series(device, &points, slots, step);
        drop(place);
        read
    });
    let read = work.await.map_err(|error| error.to_string())?;
    read.map_err(|error| format!("the history cannot be read: {error}"))
}

/// What the table of a device's page shows, when that is what is asked for.
pub(super) async fn for_page(
    view: &View,
    ask: &super::layout::Request,
    device: DeviceIndex,
) -> Option<Result<Vec<Series>, String>> {
    let history = view.history.clone().filter(|_| super::page::as_table(ask))?;
    let span = Span::of(ask.query("span"));
    let wanted = Wanted::before_now(view, device, span, span.row());
    Some(series(view, history, device, &wanted).await)
}

/// `GET /api/v1/devices/{id}/history`.
pub(super) async fn json(
    axum::extract::State(view): Shared,
    Path(id): Path<String>,
    Asked(ask): Asked,
) -> Response {
    let limits = Limits { values: Some(MOST_VALUES) };
    let (history, device, wanted) = match wanted(&view, &id, &ask, limits) {
        Ok(found) => found,
        Err(answer) => return *answer,
    };
    match series(&view, history, device, &wanted).await {
        Ok(series) => Json(DeviceHistory {
            device: id,
            from_ms: wanted.slots.start.begin().unix_ms,
            to_ms: wanted.slots.end.begin().unix_ms,
            step_s: wanted.step * BUCKET_S,
            points: series.iter().map(|one| PointHistory::of(&view, device, one)).collect(),
        })
        .into_response(),
        Err(why) => failed(&why),
    }
}
