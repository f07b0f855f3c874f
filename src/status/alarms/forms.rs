//! The forms of the page: they work without a script, and lead back to where they came from.

use std::collections::BTreeMap;

use axum::extract::{Form, Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::{desk, doer, id_of, now, refused};
use crate::alarm::{Act, ActFault, Plans, Scope, china_time};
use crate::status::access::Who;
use crate::status::exchange::{from_this_page, refuse};
use crate::status::server::Shared;
use crate::status::view::View;

type Fields = BTreeMap<String, String>;

fn field<'f>(fields: &'f Fields, name: &str) -> &'f str {
    fields.get(name).map_or("", |text| text.trim())
}

async fn act(view: &View, headers: &HeaderMap, act: Result<Act, ActFault>, then: &str) -> Response {
    if !from_this_page(headers) {
        let why = "只能在本网关自己的页面上操作 / only this gateway's own page may do this";
        return refuse(axum::http::StatusCode::FORBIDDEN, why);
    }
    let desk = match desk(view) {
        Ok(desk) => desk,
        Err(refused) => return *refused,
    };
    let done = match act {
        Ok(act) => desk.act(act).await,
        Err(fault) => Err(fault),
    };
    match done {
        Ok(()) => Redirect::to(then).into_response(),
        Err(fault) => refused(&fault),
    }
}

/// Where a form of an alarm leads back to.
fn back(id: &str, fields: &Fields) -> String {
    if field(fields, "from") == "board" { "/alarms".to_owned() } else { format!("/alarms/{id}") }
}

/// `POST /alarms/{id}/acknowledge`
pub(super) async fn acknowledge(
    State(view): Shared,
    Path(id): Path<String>,
    who: Who,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let by = doer(&who, field(&fields, "by"));
    let deed = id_of(&id).map(|id| Act::Acknowledge(id, by));
    act(&view, &headers, deed, &back(&id, &fields)).await
}

/// `POST /alarms/{id}/close`
pub(super) async fn close(
    State(view): Shared,
    Path(id): Path<String>,
    who: Who,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let by = doer(&who, field(&fields, "by"));
    let reason = field(&fields, "reason").to_owned();
    let deed = id_of(&id).map(|id| Act::Close(id, by, reason));
    act(&view, &headers, deed, &back(&id, &fields)).await
}

/// Names of a list, separated by commas or spaces.
fn names(text: &str) -> Vec<String> {
    let names = text.split([',', '，', '、', ' ', '\n']).map(str::trim);
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn time(fields: &Fields, name: &str) -> Result<Option<i64>, ActFault> {
    match field(fields, name) {
        "" => Ok(None),
        text => china_time(text).map(Some).map_err(|wrong| ActFault::Wrong(wrong.problem)),
    }
}

/// `POST /maintenance`
pub(super) async fn plan(
    State(view): Shared,
    who: Who,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let plans = || {
        let to_ms = match time(&fields, "to")? {
            Some(to) => to,
            None => {
                let hours: i64 = field(&fields, "hours").parse().unwrap_or(0);
                now(&view).wall_ms.saturating_add(hours.saturating_mul(3_600_000))
            }
        };
        Ok(Act::PlanWindow(Plans {
            name: field(&fields, "name").to_owned(),
            by: doer(&who, field(&fields, "by")),
            from_ms: time(&fields, "begin")?,
            to_ms,
            scope: Scope {
                devices: names(field(&fields, "devices")),
                places: names(field(&fields, "places")),
                categories: names(field(&fields, "category")),
            },
        }))
    };
    act(&view, &headers, plans(), "/alarms#maintenance").await
}

/// `POST /maintenance/{id}/end`
pub(super) async fn end(
    State(view): Shared,
    Path(id): Path<String>,
    who: Who,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let by = doer(&who, field(&fields, "by"));
    let deed = id.parse().map(|id| Act::EndWindow(id, by)).map_err(|_| ActFault::NoWindow);
    act(&view, &headers, deed, "/alarms#maintenance").await
}
