//! The alarms in the API.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Json, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::rows::{AlarmDetail, AlarmRow, AlarmRows, WindowRow};
use super::{A_PAGE, desk, doer, filter, found, id_of, now, read, refused_json};
use crate::alarm::{Act, ActFault, Alarm, Page, Plans, Scope};
use crate::status::access::Who;
use crate::status::server::{Pairs, Shared, body, missing};
use crate::status::view::View;

/// Most alarms of an answer.
const MOST: usize = 500;

fn wrong(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(serde_json::json!({ "error": error }))).into_response()
}

/// `GET /api/v1/alarms`
pub(super) async fn list(State(view): Shared, query: Pairs) -> Response {
    let desk = match desk(&view) {
        Ok(desk) => desk,
        Err(refused) => return *refused,
    };
    let limit = match query.get("limit").map(|text| text.parse::<usize>()) {
        None => A_PAGE,
        Some(Ok(limit @ 1..=MOST)) => limit,
        Some(_) => return wrong("limit is no number from 1 to 500"),
    };
    let filter = match filter(&query) {
        Ok(filter) => filter,
        Err(error) => return wrong(error),
    };
    let board = desk.board();
    let now = now(&view);
    let page = match query.get("state").map_or("open", String::as_str) {
        "open" => {
            // Worst first, so pages are counted by place and not by number.
            let skip = usize::try_from(filter.before.unwrap_or(0)).unwrap_or(usize::MAX);
            let wanted: Vec<&std::sync::Arc<Alarm>> =
                board.called().filter(|alarm| filter.wants(alarm)).collect();
            let alarms: Vec<Alarm> =
                wanted.iter().skip(skip).take(limit).map(|alarm| Alarm::clone(alarm)).collect();
            let next = skip.saturating_add(alarms.len());
            let next = (next < wanted.len()).then(|| u64::try_from(next).unwrap_or(u64::MAX));
            Page { alarms, next }
        }
        "closed" => match read(&desk, move |desk| desk.history().page(&filter, limit)).await {
            Ok(page) => page,
            Err(refused) => return *refused,
        },
        _ => return wrong("state is none of open, closed"),
    };
    Json(AlarmRows::of(&view, &board, &page, &now)).into_response()
}

/// `GET /api/v1/alarms/{id}`
pub(super) async fn one(State(view): Shared, Path(id): Path<String>) -> Response {
    let (Ok(desk), Ok(id)) = (desk(&view), id_of(&id)) else {
        return missing("there is no such alarm");
    };
    match found(&desk, id).await {
        Ok(Some((alarm, ledger))) => {
            let (board, now) = (desk.board(), now(&view));
            let members = board.members(id).map(|one| AlarmRow::of(&view, &board, one, &now));
            let members = members.collect();
            let alarm = AlarmRow::of(&view, &board, &alarm, &now);
            Json(AlarmDetail { alarm, ledger, members }).into_response()
        }
        Ok(None) => missing("there is no such alarm"),
        Err(refused) => *refused,
    }
}

async fn act(view: &View, act: Result<Act, ActFault>) -> Response {
    let desk = match desk(view) {
        Ok(desk) => desk,
        Err(refused) => return *refused,
    };
    let done = match act {
        Ok(act) => desk.act(act).await,
        Err(fault) => Err(fault),
    };
    match done {
        Ok(()) => Json(serde_json::json!({ "done": true })).into_response(),
        Err(fault) => refused_json(&fault),
    }
}

/// What is said when an alarm is acknowledged.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::status) struct Acknowledge {
    /// Who does it; the user or token where there is one.
    #[serde(default)]
    by: String,
}

/// What is said when an alarm is closed.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::status) struct Close {
    /// Who does it; the user or token where there is one.
    #[serde(default)]
    by: String,
    /// What was found and done, 1 to 300 characters.
    reason: String,
}

/// A maintenance window.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::status) struct NewWindow {
    /// What is done, 1 to 64 characters.
    name: String,
    /// Who does it; the user or token where there is one.
    #[serde(default)]
    by: String,
    /// When it begins, milliseconds since 1970; now when left out.
    #[serde(default)]
    from_ms: Option<i64>,
    /// When it ends, milliseconds since 1970.
    to_ms: i64,
    /// What it covers; everything when nothing is named.
    #[serde(default)]
    scope: Scope,
}

/// `POST /api/v1/alarms/{id}/acknowledge`
pub(super) async fn acknowledge(
    State(view): Shared,
    Path(id): Path<String>,
    who: Who,
    asked: Result<Json<Acknowledge>, JsonRejection>,
) -> Response {
    match body(asked) {
        Ok(Acknowledge { by }) => {
            act(&view, id_of(&id).map(|id| Act::Acknowledge(id, doer(&who, &by)))).await
        }
        Err(refused) => *refused,
    }
}

/// `POST /api/v1/alarms/{id}/close`
pub(super) async fn close(
    State(view): Shared,
    Path(id): Path<String>,
    who: Who,
    asked: Result<Json<Close>, JsonRejection>,
) -> Response {
    match body(asked) {
        Ok(Close { by, reason }) => {
            act(&view, id_of(&id).map(|id| Act::Close(id, doer(&who, &by), reason))).await
        }
        Err(refused) => *refused,
    }
}

/// `GET /api/v1/maintenance`
pub(super) async fn windows(State(view): Shared) -> Response {
    match desk(&view) {
        Ok(desk) => {
            let (board, now) = (desk.board(), now(&view));
            let rows: Vec<WindowRow> =
                board.windows.iter().map(|window| WindowRow::of(window, &now)).collect();
            Json(rows).into_response()
        }
        Err(refused) => *refused,
    }
}

/// `POST /api/v1/maintenance`
pub(super) async fn plan(
    State(view): Shared,
    who: Who,
    asked: Result<Json<NewWindow>, JsonRejection>,
) -> Response {
    match body(asked) {
        Ok(NewWindow { name, by, from_ms, to_ms, scope }) => {
            let by = doer(&who, &by);
            act(&view, Ok(Act::PlanWindow(Plans { name, by, from_ms, to_ms, scope }))).await
        }
        Err(refused) => *refused,
    }
}

/// `POST /api/v1/maintenance/{id}/end`
pub(super) async fn end(
    State(view): Shared,
    Path(id): Path<String>,
    who: Who,
    asked: Result<Json<Acknowledge>, JsonRejection>,
) -> Response {
    match body(asked) {
        Ok(Acknowledge { by }) => {
            let number = id.parse().map_err(|_| ActFault::NoWindow);
            act(&view, number.map(|number| Act::EndWindow(number, doer(&who, &by)))).await
        }
        Err(refused) => *refused,
    }
}
