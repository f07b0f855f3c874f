//! Alarms on the page and in the API: read, acknowledge, close, plan maintenance.

mod api;
mod forms;
mod rows;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Json, Response};
use axum::routing::{get, post};

#[cfg(feature = "schema")]
pub(super) use api::{Acknowledge, Close, NewWindow};
pub(super) use rows::started;
#[cfg(feature = "schema")]
pub(super) use rows::{AlarmDetail, AlarmRows, WindowRow};

use super::exchange::{doer, refuse};
use super::page;
use super::server::{Asked, Shared, answer, missing, not_found};
use super::view::View;
use crate::alarm::{ActFault, Alarm, DeskHandle, Entry, Filter, Now, Page};
use crate::model::{AlarmId, AlarmLevel};
use crate::store::StoreError;

/// Closed alarms of a page.
const A_PAGE: usize = 50;

/// What the clock of the alarms says.
pub(super) fn now(view: &View) -> Now {
    let moment = view.now();
    let wall_ms = view.clock.best_wall(moment).unix_ms;
    Now { moment, wall_ms, trusted: view.clock.trusted() }
}

/// The desk, or the answer that there is none.
fn desk(view: &View) -> Result<DeskHandle, Box<Response>> {
    view.alarms.clone().ok_or_else(|| Box::new(missing("nobody watches for alarms here")))
}

/// What an act that was not done answers with.
fn status_of(fault: &ActFault) -> StatusCode {
    match fault {
        ActFault::Unknown | ActFault::NoWindow => StatusCode::NOT_FOUND,
        ActFault::Acknowledged(_) | ActFault::Member(_) | ActFault::Silenced(_) => {
            StatusCode::CONFLICT
        }
        ActFault::Wrong(_) => StatusCode::BAD_REQUEST,
        ActFault::NotNow => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// For a page.
fn refused(fault: &ActFault) -> Response {
    let words = fault.words();
    refuse(status_of(fault), &format!("{} / {}", words.zh, words.en))
}

/// For a program.
fn refused_json(fault: &ActFault) -> Response {
    let error = fault.words().both();
    (status_of(fault), Json(serde_json::json!({ "error": error }))).into_response()
}

fn id_of(text: &str) -> Result<AlarmId, ActFault> {
    AlarmId::try_from(text.to_owned()).map_err(|_| ActFault::Unknown)
}

/// Reads what is kept, on a thread that may block.
async fn read<T: Send + 'static>(
    desk: &DeskHandle,
    work: impl FnOnce(&DeskHandle) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Box<Response>> {
    let desk = desk.clone();
    let failed = |error: String| Box::new(super::server::failed(&error));
    match tokio::task::spawn_blocking(move || work(&desk)).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// What is wanted, from the query.
///
/// # Errors
/// Which value is wrong.
fn filter(query: &std::collections::BTreeMap<String, String>) -> Result<Filter, &'static str> {
    let text = |key: &str| query.get(key).map(String::as_str).filter(|text| !text.is_empty());
    let level = match text("level") {
        Some(word) => {
            let level = AlarmLevel::from_word(word);
            Some(level.ok_or("level is none of red, orange, yellow, blue")?)
        }
        None => None,
    };
    let before = match text("before") {
        Some(number) => Some(number.parse().map_err(|_| "before is no number of an alarm")?),
        None => None,
    };
    let own = |key| text(key).map(str::to_owned);
    Ok(Filter { before, level, device: own("device"), rule: own("rule") })
}

/// `GET /alarms`
async fn board(State(view): Shared, Asked(ask): Asked) -> Response {
    let desk = match desk(&view) {
        Ok(desk) => desk,
        Err(refused) => return *refused,
    };
    let filter = match filter(&ask.query) {
        Ok(filter) => filter,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, error),
    };
    let wanted = filter.clone();
    let past = if ask.query("state") == "closed" {
        match read(&desk, move |desk| desk.history().page(&wanted, A_PAGE)).await {
            Ok(page) => page,
            Err(refused) => return *refused,
        }
    } else {
        Page::default()
    };
    answer(&ask, page::alarms(&view, &ask, &desk.board(), &filter, &past))
}

/// An alarm with its steps, open or closed.
async fn found(
    desk: &DeskHandle,
    id: AlarmId,
) -> Result<Option<(Alarm, Vec<Entry>)>, Box<Response>> {
    // The board is newer than the store.
    let open = desk.board().find(id).map(|alarm| Alarm::clone(alarm));
    read(desk, move |desk| {
        let alarm = match open {
            Some(alarm) => Some(alarm),
            None => desk.history().find(id)?,
        };
        let Some(alarm) = alarm else { return Ok(None) };
        Ok(Some((alarm, desk.history().ledger(id)?)))
    })
    .await
}

/// `GET /alarms/{id}`
async fn one(State(view): Shared, Path(id): Path<String>, Asked(ask): Asked) -> Response {
    let (Ok(desk), Ok(id)) = (desk(&view), id_of(&id)) else { return not_found(&view, &ask) };
    match found(&desk, id).await {
        Ok(Some((alarm, ledger))) => {
            answer(&ask, page::alarm(&view, &ask, &desk.board(), &alarm, &ledger))
        }
        Ok(None) => not_found(&view, &ask),
        Err(refused) => *refused,
    }
}

/// The routes of the alarms.
pub(super) fn routes() -> Router<Arc<View>> {
    Router::new()
        .route("/alarms", get(board))
        .route("/alarms/{id}", get(one))
        .route("/alarms/{id}/acknowledge", post(forms::acknowledge))
        .route("/alarms/{id}/close", post(forms::close))
        .route("/maintenance", post(forms::plan))
        .route("/maintenance/{id}/end", post(forms::end))
        .route("/api/v1/alarms", get(api::list))
        .route("/api/v1/alarms/{id}", get(api::one))
        .route("/api/v1/alarms/{id}/acknowledge", post(api::acknowledge))
        .route("/api/v1/alarms/{id}/close", post(api::close))
        .route("/api/v1/maintenance", get(api::windows).post(api::plan))
        .route("/api/v1/maintenance/{id}/end", post(api::end))
}
