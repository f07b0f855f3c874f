//! Commands in the API.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Json, Response};
use serde::{Deserialize, Serialize};

use super::{LIFE_MS, by, new_id, now_ms, ordered, request};
use crate::command::{Row, Stopping};
use crate::model::{CommandId, CommandOutcome, Value};
use crate::status::access::Who;
use crate::status::server::{Pairs, Shared, failed, missing};

/// Commands of an answer, when nothing else is asked for.
const A_PAGE: usize = 50;
/// Most commands of an answer.
const MOST: usize = 500;

/// What is ordered of a device.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(Serialize, schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::status) struct CommandBody {
    /// What it is called: 1 to 64 letters, digits, `.`, `_`, `-`, never used again; the same body
    /// with the same id is done once. Made by the gateway when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// The command, as the device's model calls it.
    command: String,
    /// What it takes; absent for a trigger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    value: Option<Value>,
    /// When it was ordered, milliseconds since 1970; now when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issued_ms: Option<i64>,
    /// It is not begun after this, milliseconds since 1970; two minutes ahead when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_ms: Option<i64>,
    /// Until when it holds, milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until_ms: Option<i64>,
    /// Who orders, where the page is open; else it is whoever is logged in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    by: String,
}

/// Commands, the newest first.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::status) struct CommandRows {
    commands: Vec<Row>,
    /// For `before` of the next page; absent when this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

fn wrong(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(serde_json::json!({ "error": error }))).into_response()
}

fn stopping(error: Stopping) -> Response {
    failed(&error.to_string())
}

/// `POST /api/v1/devices/{id}/commands`: 200 for what was taken, 409 for what was not; the body
/// is the report in both cases.
pub(in crate::status) async fn post(
    State(view): Shared,
    Path(device): Path<String>,
    who: Who,
    body: Result<Json<CommandBody>, JsonRejection>,
) -> Response {
    let Json(body) = match body {
        Ok(body) => body,
        Err(refused) => return wrong(&refused.body_text()),
    };
    let id = match body.id.as_deref().map(CommandId::new) {
        Some(Ok(id)) => id,
        Some(Err(error)) => return wrong(&error.to_string()),
        None => match new_id() {
            Some(id) => id,
            None => return failed("the system gives no random numbers"),
        },
    };
    if view.commands.is_none() {
        return missing("no commands are taken here");
    }
    let issued = body.issued_ms.unwrap_or_else(|| now_ms(&view));
    let expires = body.expires_ms.unwrap_or(issued.saturating_add(LIFE_MS));
    let by = by(&who, &body.by);
    let mut request = request((id, &device, &body.command), body.value, (issued, expires), by);
    request.until_ms = body.until_ms;
    match ordered(&view, request).await {
        Ok(report) => {
            let taken = matches!(
                report.outcome,
                CommandOutcome::Accepted
                    | CommandOutcome::Done { .. }
                    | CommandOutcome::Unconfirmed { .. }
            );
            let status = if taken { StatusCode::OK } else { StatusCode::CONFLICT };
            (status, Json(report)).into_response()
        }
        Err(error) => stopping(error),
    }
}

/// `GET /api/v1/commands`
pub(in crate::status) async fn all(State(view): Shared, query: Pairs) -> Response {
    let limit = match query.get("limit").map(|text| text.parse::<usize>()) {
        None => A_PAGE,
        Some(Ok(limit @ 1..=MOST)) => limit,
        Some(_) => return wrong("limit is no number from 1 to 500"),
    };
    let before = match query.get("before").map(|text| text.parse::<u64>()) {
        None => None,
        Some(Ok(before)) => Some(before),
        Some(Err(_)) => return wrong("before is no number of a command"),
    };
    let Some(router) = &view.commands else { return missing("no commands are taken here") };
    match router.recent(before, query.get("device").cloned(), limit).await {
        Ok(commands) => {
            let next = commands.last().filter(|_| commands.len() == limit).map(|row| row.number);
            Json(CommandRows { commands, next }).into_response()
        }
        Err(error) => stopping(error),
    }
}

/// `GET /api/v1/commands/{id}`
pub(in crate::status) async fn one(State(view): Shared, Path(id): Path<String>) -> Response {
    let Some(router) = &view.commands else { return missing("no commands are taken here") };
    let Ok(id) = CommandId::new(&id) else { return missing("no command is called so") };
    match router.find(id).await {
        Ok(Some(row)) => Json(row).into_response(),
        Ok(None) => missing("no command is called so, or it is forgotten"),
        Err(error) => stopping(error),
    }
}
