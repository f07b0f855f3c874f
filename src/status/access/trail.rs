//! The audit trail as a page and in the API; who asks, and which users and tokens there are.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Json, Response};
use jiff::civil::Date;
use jiff::tz::Offset;
use maud::{Markup, html};
use serde::Serialize;

use super::{Who, lock};
use crate::audit::{Entry, Filter, Outcome, Page, Trail, Verified};
use crate::status::layout::{Request, page as frame, pill};
use crate::status::server::{Asked, Pairs, Shared, answer, failed, missing};
use crate::status::show;
use crate::status::text::{Lang, Text};
use crate::status::view::View;

/// Entries of a page.
const A_PAGE: usize = 50;
/// Most entries of an answer of the API.
const MOST: usize = 500;
const DAY_MS: i64 = 86_400_000;
const CHINA: Offset = Offset::constant(8);

/// What is wanted, from the query: `day` (2026-05-01, at +08:00), `who`, `before`.
///
/// # Errors
/// Which value is wrong.
fn filter(query: &BTreeMap<String, String>) -> Result<Filter, &'static str> {
    let text = |key: &str| query.get(key).map(String::as_str).filter(|text| !text.is_empty());
    let mut filter = Filter { who: text("who").map(str::to_owned), ..Filter::default() };
    if let Some(day) = text("day") {
        let day: Date = day.parse().map_err(|_| "day is no day, allowed is 2026-05-01")?;
        let begin = CHINA.to_timestamp(day.at(0, 0, 0, 0));
        let begin = begin.map_err(|_| "day is out of range")?.as_millisecond();
        (filter.from_ms, filter.to_ms) = (Some(begin), Some(begin + DAY_MS));
    }
    if let Some(before) = text("before") {
        filter.before = Some(before.parse().map_err(|_| "before is no number of an entry")?);
    }
    Ok(filter)
}

async fn read<T: Send + 'static>(
    view: &View,
    work: impl FnOnce(&Trail) -> Result<T, crate::store::StoreError> + Send + 'static,
) -> Result<T, Box<Response>> {
    let Some(audit) = view.access.audit().cloned() else {
        return Err(Box::new(missing("no audit trail is kept here")));
    };
    match tokio::task::spawn_blocking(move || work(audit.trail())).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(Box::new(failed(&error.to_string()))),
        Err(error) => Err(Box::new(failed(&error.to_string()))),
    }
}

/// `GET /api/v1/audit`
pub(in crate::status) async fn api_audit(State(view): Shared, query: Pairs) -> Response {
    let limit = match query.get("limit").map(|text| text.parse::<usize>()) {
        None => Ok(A_PAGE),
        Some(Ok(limit @ 1..=MOST)) => Ok(limit),
        Some(_) => Err("limit is no number from 1 to 500"),
    };
    match filter(&query).and_then(|filter| Ok((filter, limit?))) {
        Ok((filter, limit)) => match read(&view, move |trail| trail.page(&filter, limit)).await {
            Ok(page) => Json(page).into_response(),
            Err(refused) => *refused,
        },
        Err(error) => wrong(error),
    }
}

/// `GET /api/v1/audit/verify`
pub(in crate::status) async fn api_verify(State(view): Shared) -> Response {
    let verified: Result<Verified, _> = read(&view, Trail::verify).await;
    verified.map_or_else(|refused| *refused, |found| Json(found).into_response())
}

fn wrong(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(serde_json::json!({ "error": error }))).into_response()
}

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::status) struct SessionRow<'a> {
    name: &'a str,
    role: &'a str,
    via: &'a str,
    /// For the header `X-Linli-CSRF` of what this session does by script.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf: Option<&'a str>,
}

/// `GET /api/v1/session`: who asks.
pub(in crate::status) async fn api_session(who: Who) -> Response {
    let csrf = who.form_token().map(crate::access::Secret::expose);
    let row = SessionRow { name: &who.name, role: who.role.word(), via: who.via.word(), csrf };
    Json(row).into_response()
}

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct UserRow<'a> {
    name: &'a str,
    role: &'a str,
}

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct TokenRow<'a> {
    name: &'a str,
    role: &'a str,
    made_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_ms: Option<i64>,
    /// To within ten minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    used_ms: Option<i64>,
}

/// Users and tokens.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Users"))]
pub(in crate::status) struct UserRows<'a> {
    users: Vec<UserRow<'a>>,
    tokens: Vec<TokenRow<'a>>,
}

/// `GET /api/v1/users`: users and tokens, without anything that opens something.
pub(in crate::status) async fn api_users(State(view): Shared) -> Response {
    let users = view.access.users();
    let last_use = |digest: &str| {
        view.access.0.guard.as_ref().and_then(|guard| lock(&guard.known).seen.last_use(digest))
    };
    let people = users.users.iter();
    let people = people.map(|user| UserRow { name: &user.name, role: user.role.word() });
    let tokens = users.tokens.iter().map(|token| TokenRow {
        name: &token.name,
        role: token.role.word(),
        made_ms: token.made_ms,
        ends_ms: token.ends_ms,
        used_ms: last_use(&token.sha256),
    });
    Json(UserRows { users: people.collect(), tokens: tokens.collect() }).into_response()
}

/// `GET /audit`
pub(in crate::status) async fn audit_page(State(view): Shared, Asked(ask): Asked) -> Response {
    let lang = ask.lang;
    let filter = match filter(&ask.query) {
        Ok(filter) => filter,
        Err(error) => return wrong(error),
    };
    match read(&view, move |trail| trail.page(&filter, A_PAGE)).await {
        Ok(page) => {
            let body = table(lang, &ask, &page);
            answer(&ask, frame(&view, &ask, "/audit", lang.t(Text::Audit), &body))
        }
        Err(refused) => *refused,
    }
}

fn table(lang: Lang, ask: &Request, page: &Page) -> Markup {
    html! {
        h1 { (lang.t(Text::Audit)) }
        p.small.soft { (lang.t(Text::AuditMeans)) }
        form.fields.inline method="get" action="/audit" {
            label { (lang.t(Text::Day)) input type="date" name="day" value=(ask.query("day")); }
            label { (lang.t(Text::UserName)) input name="who" value=(ask.query("who")) maxlength="64"; }
            button { (lang.t(Text::Filter)) }
        }
        @if page.entries.is_empty() { p { (lang.t(Text::NoEntries)) } } @else {
            table.audit {
                thead { tr {
                    th { (lang.t(Text::Time)) } th { (lang.t(Text::Who)) } th { (lang.t(Text::What)) }
                    th { (lang.t(Text::From)) } th { (lang.t(Text::Result)) }
                } }
                tbody { @for entry in &page.entries { (row(lang, entry)) } }
            }
        }
        @if let Some(next) = page.next {
            p.next { a href=(ask.with("before", &next.to_string())) { (lang.t(Text::Older)) } }
        }
        @if page.dropped > 0 {
            p.small.soft { (lang.t(Text::AuditDropped)) " 1–" (page.dropped) }
        }
    }
}

fn row(lang: Lang, entry: &Entry) -> Markup {
    let class = match entry.outcome {
        Outcome::Done => "ok",
        Outcome::Refused => "warn",
        Outcome::Failed => "crit",
    };
    let who = match &*entry.who {
        "console" => lang.pick("本机控制台", "console"),
        "local" => lang.pick("本机（无登录）", "local (no login)"),
        "-" => lang.pick("未知", "unknown"),
        name => name,
    };
    html! { tr {
        td.num data-l=(lang.t(Text::Time)) {
            (show::date(entry.at_ms))
            @if !entry.trusted { div.small.soft { (lang.t(Text::UntrustedTime)) } }
        }
        td data-l=(lang.t(Text::Who)) { (who) }
        td data-l=(lang.t(Text::What)) { div {
            (lang.words(&entry.action.words()))
            @if !entry.about.is_empty() { (lang.colon()) (entry.about) }
            @if !entry.detail.is_empty() { div.small.soft { (entry.detail) } }
        } }
        td.num data-l=(lang.t(Text::From)) { (entry.from) }
        td data-l=(lang.t(Text::Result)) { (pill(class, lang.words(&entry.outcome.words()))) }
    } }
}
