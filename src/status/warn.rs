//! Warnings from the page and the API: previewed, sent, cancelled, looked at.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, Form, Json, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use super::access::Who;
use super::exchange::{from_this_page, refuse};
use super::page;
use super::page::Draft;
use super::server::{Asked, answer, body, failed, missing};
use super::view::View;
use crate::broadcast::message::{MAX_PAUSE_S, MAX_REPEAT, json};
use crate::broadcast::{BroadcastDesk, Stopping, WarningRow};
use crate::model::{
    Severity, Warning, WarningId, WarningRefusal, WarningSource, WarningStatus, WarningText,
};
use crate::starlevel::LONGEST_NAME;

/// Fields of a form by name.
type Fields = BTreeMap<String, String>;

/// Longest time that a warning of staff stands, minutes.
const MOST_MINUTES: u32 = 1440;
/// Fields that belong to the session, not to the warning.
const NOT_SENT_AGAIN: [&str; 2] = ["confirm", "csrf"];

/// A warning by the API.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Compose {
    /// Whether it is meant; it is when this is absent.
    #[serde(default)]
    status: WarningStatus,
    /// How bad it is.
    severity: Severity,
    /// What kind of event.
    #[serde(default)]
    event: String,
    /// Zones by name or area code; the whole estate when empty.
    #[serde(default)]
    zones: Vec<String>,
    /// Chinese.
    #[serde(default)]
    zh: WarningText,
    /// English.
    #[serde(default)]
    en: WarningText,
    /// How often it is played, 1 to 100.
    #[serde(default)]
    repeat: Option<u16>,
    /// Between two plays, seconds.
    #[serde(default)]
    pause_s: Option<u32>,
    /// For so many minutes; until it was played when absent.
    #[serde(default)]
    minutes: Option<u32>,
    /// Who warns; the user of the token or session when absent.
    #[serde(default)]
    by: Option<String>,
}

/// The identifier of a warning that was taken.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Sent {
    /// Its identifier.
    id: WarningId,
}

async fn overview(State(view): State<Arc<View>>, Asked(ask): Asked) -> Response {
    answer(&ask, page::broadcast(&view, &ask))
}

async fn one(State(view): State<Arc<View>>, Path(id): Path<String>, Asked(ask): Asked) -> Response {
    match find(&view, &id).await {
        Ok(row) => answer(&ask, page::one_warning(&view, &ask, &row)),
        Err(response) => *response,
    }
}

async fn find(view: &View, id: &str) -> Result<WarningRow, Box<Response>> {
    let nothing = || Box::new(missing("there is no such warning"));
    let desk = view.broadcast.as_ref().ok_or_else(nothing)?;
    let id = WarningId::new(id).map_err(|_| nothing())?;
    match desk.one(id).await {
        Ok(Some(row)) => Ok(row),
        Ok(None) => Err(nothing()),
        Err(Stopping) => Err(Box::new(failed("the gateway is stopping"))),
    }
}

/// The desk, for forms of this gateway's own page.
fn desk<'v>(view: &'v View, headers: &HeaderMap) -> Result<&'v BroadcastDesk, Box<Response>> {
    if !from_this_page(headers) {
        let why = "只能在本网关自己的页面上操作 / only this gateway's own page may do this";
        return Err(Box::new(refuse(StatusCode::FORBIDDEN, why)));
    }
    let why = "没有可播发的终端 / no terminal may be ordered";
    view.broadcast.as_ref().ok_or_else(|| Box::new(refuse(StatusCode::SERVICE_UNAVAILABLE, why)))
}

/// What a form says.
fn draft(fields: &Fields) -> Result<Draft, String> {
    let text = |key: &str| fields.get(key).map_or("", |text| text.trim()).to_owned();
    let number = |key: &str, most: u32| match text(key).as_str() {
        "" => Ok(None),
        digits => digits.parse::<u32>().ok().filter(|n| *n <= most).map(Some).ok_or_else(|| {
            format!("{key}：应为不超过 {most} 的整数 / {key}: a whole number up to {most}")
        }),
    };
    let status = match text("status").as_str() {
        "actual" => WarningStatus::Actual,
        "exercise" => WarningStatus::Exercise,
        "test" => WarningStatus::Test,
        _ => return Err("status：性质有误 / is none of actual, exercise, test".to_owned()),
    };
    let severity = Severity::of_word(&text("severity"))
        .ok_or("severity：级别有误 / is no level: red, orange, yellow, blue")?;
    let of = |title: &str, body: &str| WarningText { title: text(title), body: text(body) };
    let compose = Compose {
        status,
        severity,
        event: text("event"),
        zones: fields
            .keys()
            .filter_map(|key| key.strip_prefix("zone."))
            .map(str::to_owned)
            .collect(),
        zh: of("title_zh", "body_zh"),
        en: of("title_en", "body_en"),
        repeat: number("repeat", MAX_REPEAT.into())?.and_then(|n| u16::try_from(n).ok()),
        pause_s: number("pause_s", MAX_PAUSE_S)?,
        minutes: number("minutes", MOST_MINUTES)?,
        by: Some(text("by")),
    };
    let minutes = compose.minutes;
    let warning = warning(compose, "")?;
    let again = fields.iter().filter(|(key, _)| !NOT_SENT_AGAIN.contains(&key.as_str()));
    let fields = again.map(|(key, value)| (key.clone(), value.clone())).collect();
    Ok(Draft { fields, warning, minutes })
}

/// The warning that is meant; `who` is behind it when it says nobody.
fn warning(compose: Compose, who: &str) -> Result<Warning, String> {
    let by = compose.by.as_deref().map(str::trim).filter(|by| !by.is_empty()).unwrap_or(who);
    if by.is_empty() || by.chars().count() > LONGEST_NAME {
        return Err("by：请填写姓名 / the name must have 1 to 64 characters".to_owned());
    }
    let (zh, en) = (json::cleaned(&compose.zh), json::cleaned(&compose.en));
    if zh.is_empty() && en.is_empty() {
        return Err("请填写标题或内容 / it says nothing: a title or a text is needed".to_owned());
    }
    let repeat = compose.repeat.unwrap_or(1);
    let pause_s = compose.pause_s.unwrap_or(json::USUAL_PAUSE_S);
    let minutes = compose.minutes.unwrap_or(1);
    for (key, given, least, most) in [
        ("repeat", repeat.into(), 1, MAX_REPEAT.into()),
        ("pause_s", pause_s, 0, MAX_PAUSE_S),
        ("minutes", minutes, 1, MOST_MINUTES),
    ] {
        if !(least..=most).contains(&given) {
            return Err(format!("{key}：应为 {least} 至 {most} / {key} must be {least} to {most}"));
        }
    }
    Ok(Warning {
        // The desk gives the real one.
        id: WarningId::new("new").expect("a short name"),
        source: WarningSource::Staff,
        sender: by.to_owned(),
        status: compose.status,
        severity: compose.severity,
        event: crate::broadcast::message::shortened(&compose.event, 96),
        sent_ms: None,
        start_ms: None,
        end_ms: None,
        zones: compose.zones,
        zh,
        en,
        repeat,
        pause_s,
    })
}

/// With its end, counted from now.
fn until(view: &View, warning: Warning, minutes: Option<u32>) -> Warning {
    let now = view.clock.best_wall(view.now()).unix_ms;
    let end_ms = minutes.map(|minutes| now + i64::from(minutes) * 60_000);
    Warning { end_ms, ..warning }
}

async fn preview(
    State(view): State<Arc<View>>,
    Asked(ask): Asked,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let desk = match desk(&view, &headers) {
        Ok(desk) => desk,
        Err(refused) => return *refused,
    };
    match draft(&fields) {
        Ok(draft) => {
            let would = desk.preview(&draft.warning);
            answer(&ask, page::preview(&view, &ask, &draft, &would))
        }
        Err(why) => refuse(StatusCode::BAD_REQUEST, &why),
    }
}

async fn send(
    State(view): State<Arc<View>>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let desk = match desk(&view, &headers) {
        Ok(desk) => desk,
        Err(refused) => return *refused,
    };
    if fields.get("confirm").map(String::as_str) != Some("yes") {
        return refuse(StatusCode::BAD_REQUEST, "请先确认 / it was not confirmed");
    }
    let draft = match draft(&fields) {
        Ok(draft) => draft,
        Err(why) => return refuse(StatusCode::BAD_REQUEST, &why),
    };
    match desk.compose(until(&view, draft.warning, draft.minutes)).await {
        Ok(Ok(id)) => Redirect::to(&format!("/broadcast/{id}")).into_response(),
        Ok(Err(why)) => refuse(StatusCode::CONFLICT, &told(why)),
        Err(Stopping) => stopping(),
    }
}

async fn cancel(
    State(view): State<Arc<View>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let desk = match desk(&view, &headers) {
        Ok(desk) => desk,
        Err(refused) => return *refused,
    };
    let by = fields.get("by").map_or("", |by| by.trim());
    if by.is_empty() || by.chars().count() > LONGEST_NAME {
        let why = "请填写姓名 / the name must have 1 to 64 characters";
        return refuse(StatusCode::BAD_REQUEST, why);
    }
    let Ok(id) = WarningId::new(&id) else { return missing("there is no such warning") };
    match desk.cancel(id.clone(), by).await {
        Ok(Ok(())) => Redirect::to(&format!("/broadcast/{id}")).into_response(),
        Ok(Err(why)) => refuse(StatusCode::NOT_FOUND, &told(why)),
        Err(Stopping) => stopping(),
    }
}

fn told(why: WarningRefusal) -> String {
    let words = why.words();
    format!("{} / {}", words.zh, words.en)
}

fn stopping() -> Response {
    refuse(StatusCode::SERVICE_UNAVAILABLE, "网关正在停止 / the gateway is stopping")
}

fn nobody() -> Response {
    missing("no terminal and no screen may be ordered")
}

async fn api_all(State(view): State<Arc<View>>) -> Response {
    match &view.broadcast {
        Some(desk) => Json(&*desk.view()).into_response(),
        None => nobody(),
    }
}

async fn api_one(State(view): State<Arc<View>>, Path(id): Path<String>) -> Response {
    match find(&view, &id).await {
        Ok(row) => Json(row).into_response(),
        Err(response) => *response,
    }
}

fn bad(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(serde_json::json!({ "error": why }))).into_response()
}

async fn api_send(
    State(view): State<Arc<View>>,
    who: Option<Extension<Who>>,
    asked: Result<Json<Compose>, JsonRejection>,
) -> Response {
    let compose = match body(asked) {
        Ok(compose) => compose,
        Err(refused) => return *refused,
    };
    let Some(desk) = &view.broadcast else { return nobody() };
    let minutes = compose.minutes;
    let who = who.map_or_else(String::new, |Extension(who)| who.name);
    let warning = match warning(compose, &who) {
        Ok(warning) => warning,
        Err(why) => return bad(&why),
    };
    match desk.compose(until(&view, warning, minutes)).await {
        Ok(Ok(id)) => Json(Sent { id }).into_response(),
        Ok(Err(why)) => {
            let body = Json(serde_json::json!({ "error": told(why), "reason": why }));
            (StatusCode::CONFLICT, body).into_response()
        }
        Err(Stopping) => failed("the gateway is stopping"),
    }
}

async fn api_cancel(
    State(view): State<Arc<View>>,
    Path(id): Path<String>,
    who: Option<Extension<Who>>,
) -> Response {
    let Some(desk) = &view.broadcast else { return nobody() };
    let Ok(id) = WarningId::new(&id) else { return missing("there is no such warning") };
    let by = who.map_or_else(|| "api".to_owned(), |Extension(who)| who.name);
    match desk.cancel(id.clone(), &by).await {
        Ok(Ok(())) => Json(Sent { id }).into_response(),
        Ok(Err(_)) => missing("there is no such warning"),
        Err(Stopping) => failed("the gateway is stopping"),
    }
}

/// All routes of the broadcast.
pub(super) fn routes() -> Router<Arc<View>> {
    Router::new()
        .route("/broadcast", get(overview))
        .route("/broadcast/preview", post(preview))
        .route("/broadcast/send", post(send))
        .route("/broadcast/{id}", get(one))
        .route("/broadcast/{id}/cancel", post(cancel))
        .route("/api/v1/broadcast", get(api_all).post(api_send))
        .route("/api/v1/broadcast/{id}", get(api_one))
        .route("/api/v1/broadcast/{id}/cancel", post(api_cancel))
}
