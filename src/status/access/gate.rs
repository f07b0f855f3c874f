//! The layer before every route: who asks, whether he may, whether the request comes from our own
//! page; and what was done goes into the audit trail before the answer.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Form, FromRequest as _, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Json, Redirect, Response};

use super::login::{first_start, message, path_as_next};
use super::{Access, Via, Who, place};
use crate::access::Role;
use crate::audit::{Action, Deed, Outcome};
use crate::status::exchange::from_this_page;
use crate::status::limits::longest_body;
use crate::status::listener::Peer;
use crate::status::server::language;
use crate::status::text::{Lang, Text};
use crate::status::view::View;

/// The field of a form that proves that it is of this session; the header does so for scripts of
/// the page.
pub(super) const FORM_FIELD: &str = "csrf";
const FORM_HEADER: &str = "x-linli-csrf";
/// Fields of forms that go into the trail; none of them is a secret.
const TOLD: [&str; 13] = [
    "by", "kind", "what", "category", "item", "until", "act", "file", "name", "reason", "status",
    "severity", "title_zh",
];

/// Routes that anybody may ask for.
fn readable_by_nobody(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz" | "/login") || path.starts_with("/assets/")
}

/// Whom a request needs; `None` for nobody. Unknown routes are not open.
pub(super) fn need(method: &Method, path: &str) -> Option<Role> {
    if readable_by_nobody(path) {
        return None;
    }
    Some(match path {
        "/audit" | "/api/v1/users" => Role::Maintainer,
        // It names hosts, files and users.
        _ if path.starts_with("/settings") => Role::Maintainer,
        "/api/v1/configuration" | "/api/v1/support-bundle" => Role::Maintainer,
        _ if path.starts_with("/api/v1/audit") => Role::Maintainer,
        "/logout" => Role::Viewer,
        _ if *method == Method::GET || *method == Method::HEAD => Role::Viewer,
        _ => Role::Maintainer,
    })
}

/// What goes into the trail: what it is, and to what it is done.
fn deed(method: &Method, path: &str) -> Option<(Action, String)> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let get = *method == Method::GET;
    Some(match parts[..] {
        ["devices", id, "exchange"] | ["api", "v1", "devices", id, "exchange"] if !get => {
            (Action::Exchange, id.to_owned())
        }
        ["settings", "configuration"] | ["api", "v1", "configuration"] if !get => {
            (Action::Configure, String::new())
        }
        ["devices", id, "command"] | ["api", "v1", "devices", id, "commands"] if !get => {
            (Action::Command, id.to_owned())
        }
        ["stars", "attest"] | ["api", "v1", "stars", "attest"] if !get => {
            (Action::Attest, String::new())
        }
        ["stars", "withdraw"] | ["api", "v1", "stars", "withdraw"] if !get => {
            (Action::Withdraw, String::new())
        }
        ["broadcast", "send"] | ["api", "v1", "broadcast"] if !get => {
            (Action::Broadcast, String::new())
        }
        ["broadcast", id, "cancel"] | ["api", "v1", "broadcast", id, "cancel"] if !get => {
            (Action::BroadcastCancelled, id.to_owned())
        }
        ["api", "v1", "buses", id, "scan"] if !get => (Action::Scan, id.to_owned()),
        ["alarms", id, "acknowledge"] | ["api", "v1", "alarms", id, "acknowledge"] if !get => {
            (Action::AlarmAcknowledged, id.to_owned())
        }
        ["alarms", id, "close"] | ["api", "v1", "alarms", id, "close"] if !get => {
            (Action::AlarmClosed, id.to_owned())
        }
        ["maintenance"] | ["api", "v1", "maintenance"] if !get => {
            (Action::Maintenance, String::new())
        }
        ["maintenance", id, "end"] | ["api", "v1", "maintenance", id, "end"] if !get => {
            (Action::MaintenanceEnded, id.to_owned())
        }
        ["api", "v1", "support-bundle"] if get => (Action::Bundle, String::new()),
        ["api", "v1", "stars", "report"] if get => (Action::Report, String::new()),
        ["buses", id, "frames.txt" | "frames.pcapng"] if get => (Action::Frames, id.to_owned()),
        _ => return None,
    })
}

/// On an answer: it was looked at something, and nothing was done that the trail should hold.
#[derive(Debug, Clone, Copy)]
pub(in crate::status) struct OnlyLooked;

/// Lets through who may pass.
pub(in crate::status) async fn gate(
    State(view): State<Arc<View>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let access = &view.access;
    if access.is_open() && !named_as_this_machine(request.headers()) {
        let why = "免登录页面只接受本机名称（localhost、127.0.0.1）/ without a login this page answers to \
                   localhost and 127.0.0.1 only";
        return (StatusCode::MISDIRECTED_REQUEST, why).into_response();
    }
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let need = need(&method, &path);
    let who = access.who(request.headers());
    let reads = method == Method::GET || method == Method::HEAD;
    let Some(who) = who else {
        if need.is_none() {
            return match refuse_foreign(reads, request.headers()) {
                Some(refused) => refused,
                None => next.run(request).await,
            };
        }
        return unknown(&view, &request, reads);
    };
    let deed = deed(&method, &path);
    let from = place(peer.address.ip());
    let note = |outcome, why: &str, fields: &str| {
        let (action, about) = deed.clone()?;
        let deed = Deed::done(&who.name, &from, action, &about).ended(outcome, why);
        Some(Deed { detail: [why, fields].join(" ").trim().to_owned(), ..deed })
    };
    if need > Some(who.role) {
        if let Some(deed) = note(Outcome::Refused, "role", "") {
            access.refused(deed);
        }
        return forbidden(&request, "your role does not allow this / 您的角色无此权限");
    }
    let mut fields = BTreeMap::new();
    if !reads && who.via != Via::Token {
        if let Some(refused) = refuse_foreign(reads, request.headers()) {
            return refused;
        }
        (request, fields) = match own_form(access, &who, &path, request).await {
            Ok(form) => form,
            Err(refused) => {
                if let Some(deed) = note(Outcome::Refused, "form", "") {
                    access.refused(deed);
                }
                return *refused;
            }
        };
    }
    request.extensions_mut().insert(who.clone());
    let response = next.run(request).await;
    // What became of a command, and of what value, the desk notes.
    let looked = response.extensions().get::<OnlyLooked>().is_some();
    if !looked && deed.as_ref().is_some_and(|(action, _)| *action != Action::Command) {
        let told: Vec<String> =
            TOLD.iter().filter_map(|key| Some(format!("{key}={}", fields.get(*key)?))).collect();
        let status = response.status();
        let outcome = match status.as_u16() {
            ..400 => Outcome::Done,
            400..500 => Outcome::Refused,
            _ => Outcome::Failed,
        };
        let why = if outcome == Outcome::Done { "" } else { status.as_str() };
        match note(outcome, why, &told.join(" ")) {
            // What reads can be repeated at will, and must not wear the flash.
            Some(deed) if reads => access.refused(deed),
            Some(deed) => access.did(deed).await,
            None => {}
        }
    }
    response
}

/// Whether a browser believes to speak to this machine: a foreign name that somebody let point to
/// 127.0.0.1 would let the pages of that name read ours.
fn named_as_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST) else { return true };
    let name = host.to_str().unwrap_or_default();
    let name = match name.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => name,
    };
    let inner = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || inner.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// Other sites' pages in the same browser do nothing here.
fn refuse_foreign(reads: bool, headers: &HeaderMap) -> Option<Response> {
    if reads || from_this_page(headers) {
        return None;
    }
    let why = "只能在本网关自己的页面上操作 / only this gateway's own page may do this";
    Some((StatusCode::FORBIDDEN, why).into_response())
}

/// The request with its form read, when the form is one of this session's pages.
async fn own_form(
    access: &Access,
    who: &Who,
    path: &str,
    request: Request,
) -> Result<(Request, BTreeMap<String, String>), Box<Response>> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form = kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let cookie = access.cookie(request.headers()).unwrap_or_default().to_owned();
    let shown = request.headers().get(FORM_HEADER).and_then(|value| value.to_str().ok());
    let mut shown = shown.map(str::to_owned);
    let mut fields = BTreeMap::new();
    let mut request = request;
    // The login holds a password: it is read where it is used, and nowhere else.
    if is_form && path != "/login" {
        let (parts, body) = request.into_parts();
        let bytes = to_bytes(body, longest_body(path)).await.map_err(|_| {
            Box::new((StatusCode::PAYLOAD_TOO_LARGE, "the form is too long").into_response())
        })?;
        let copy = Request::from_parts(parts.clone(), Body::from(bytes.clone()));
        if let Ok(Form(read)) = Form::<BTreeMap<String, String>>::from_request(copy, &()).await {
            shown = shown.or_else(|| read.get(FORM_FIELD).cloned());
            fields = read;
        }
        request = Request::from_parts(parts, Body::from(bytes));
    }
    let proven = shown.is_some_and(|token| access.is_form_token(&cookie, &token));
    if who.via == Via::Session && path != "/login" && !proven {
        let why = "页面已过期，请返回并刷新后重试 / this page is out of date: go back, reload it and try again";
        return Err(Box::new((StatusCode::FORBIDDEN, why).into_response()));
    }
    Ok((request, fields))
}

/// For somebody who is not known: pages lead to the login, the rest says what is missing.
fn unknown(view: &View, request: &Request, reads: bool) -> Response {
    let access = &view.access;
    let nobody = access.users().users.is_empty() && access.fault().is_none();
    if is_for_programs(request) {
        let error = if nobody {
            "no user yet: run `linli users add NAME --role maintainer` on the machine / \
             尚无用户：请在本机执行 `linli users add 用户名 --role maintainer`"
        } else {
            "log in, or send an API token: `Authorization: Bearer …` / 请登录，或附上接口令牌"
        };
        let body = Json(serde_json::json!({ "error": error }));
        let mut response = (StatusCode::UNAUTHORIZED, body).into_response();
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return response;
    }
    if nobody {
        return first_start(asked_language(request));
    }
    if !reads {
        let lang = asked_language(request);
        return message(lang, StatusCode::UNAUTHORIZED, Text::LoggedOut, Text::LoggedOutMore);
    }
    Redirect::to(&format!("/login?next={}", path_as_next(request.uri()))).into_response()
}

fn is_for_programs(request: &Request) -> bool {
    let path = request.uri().path();
    path.starts_with("/api/") || path == "/metrics"
}

fn asked_language(request: &Request) -> Lang {
    let query = axum::extract::Query::try_from_uri(request.uri()).map_or_else(
        |_| BTreeMap::new(),
        |axum::extract::Query(query): axum::extract::Query<BTreeMap<String, String>>| query,
    );
    language(&query, request.headers())
}

fn forbidden(request: &Request, why: &str) -> Response {
    if is_for_programs(request) {
        return (StatusCode::FORBIDDEN, Json(serde_json::json!({ "error": why }))).into_response();
    }
    let lang = asked_language(request);
    message(lang, StatusCode::FORBIDDEN, Text::NotAllowed, Text::NotAllowedMore)
}
