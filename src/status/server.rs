//! Routes, language, headers. Everything but the login, the record of a meter exchange, attestations,
//! the scan of a bus and the editor of the configuration only reads. Who may reach what: [`access`].

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Extension, FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::access::{self, Who};
use super::layout::{Request, page as frame};
use super::limits::{self, Guests};
use super::listener;
use super::text::{Lang, Text};
use super::tls::PageTls;
use super::view::View;
use super::{
    alarms, api, assets, attest, commands, exchange, frames, headers, history, metrics, page,
    report, scan, settings, squeeze, support, warn,
};
use crate::model::{DeviceId, DeviceIndex};

pub(super) type Shared = State<Arc<View>>;
pub(super) type Pairs = Query<std::collections::BTreeMap<String, String>>;

/// Serves the page, the API and the metrics until `stop`.
///
/// # Errors
/// The listener failed.
pub async fn serve(
    listener: tokio::net::TcpListener,
    view: View,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let (guests, tls) = (Guests::default(), view.tls.clone());
    let router = router(view).layer(Extension(history::Stop(stop.clone())));
    let router = outside(router, &guests, tls.as_ref());
    listener::listen(listener, guests, tls, router, stop).await
}

/// What every request meets on its way in, and every answer on its way out.
pub(super) fn outside(router: Router, guests: &Guests, tls: Option<&PageTls>) -> Router {
    let (guests, strict) = (guests.clone(), headers::Strict::of(tls));
    router
        .layer(DefaultBodyLimit::max(limits::BODY))
        .layer(from_fn(move |peer, request, next| {
            limits::check(peer, guests.clone(), request, next)
        }))
        .layer(map_response(move |response| headers::guard(strict, response)))
        .layer(from_fn(squeeze::squeeze))
}

pub(super) fn router(view: View) -> Router {
    let view = Arc::new(view);
    Router::new()
        .merge(access_routes())
        .merge(warn::routes())
        .merge(command_routes())
        .merge(history_routes())
        .route("/", get(overview))
        .route("/devices", get(devices))
        .route("/devices/{id}", get(device))
        .route("/devices/{id}/exchange", post(exchange::record))
        .route("/api/v1/devices/{id}/exchange", post(exchange::api))
        .route("/buses", get(buses))
        .route("/buses/{id}", get(bus))
        .route("/buses/{id}/frames.txt", get(frames::text))
        .route("/buses/{id}/frames.pcapng", get(frames::pcapng))
        .route("/delivery", get(delivery))
        .route("/stars", get(stars))
        .route("/stars/attest", post(attest::attest))
        .route("/stars/withdraw", post(attest::withdraw))
        .route("/api/v1/stars/attest", post(attest::api::attest))
        .route("/api/v1/stars/withdraw", post(attest::api::withdraw))
        .route("/settings", get(settings::settings))
        .route(
            "/settings/configuration",
            get(settings::editor)
                .post(settings::change)
                .layer(DefaultBodyLimit::max(settings::LONGEST_FORM)),
        )
        .route("/api/v1/support-bundle", get(support::bundle))
        .route(
            "/api/v1/configuration",
            get(settings::api_read)
                .post(settings::api_change)
                .layer(DefaultBodyLimit::max(settings::LONGEST_FORM)),
        )
        .route("/api/v1/gateway", get(async |State(view): Shared| Json(api::gateway(&view))))
        .route("/api/v1/devices", get(async |State(view): Shared| Json(api::devices(&view))))
        .route("/api/v1/devices/{id}", get(api_device))
        .route("/api/v1/buses", get(async |State(view): Shared| Json(api::buses(&view))))
        .route("/api/v1/buses/{id}/scan", post(scan::start))
        .route(
            "/api/v1/buffer",
            get(async |State(view): Shared| Json(view.buffer.borrow().clone())),
        )
        .route("/api/v1/uplink", get(async |State(view): Shared| Json(api::uplink(&view))))
        .route("/api/v1/risk", get(async |State(view): Shared| Json(api::risk(&view))))
        .route("/api/v1/stars", get(api_stars))
        .route("/api/v1/stars/verify", get(report::verify))
        .route("/api/v1/stars/report", get(report::report))
        .route("/metrics", get(prometheus))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .merge(alarms::routes())
        .merge(assets::routes())
        .fallback(lost)
        .layer(from_fn_with_state(Arc::clone(&view), access::gate))
        .with_state(view)
}

/// What is ordered of devices.
fn command_routes() -> Router<Arc<View>> {
    Router::new()
        .route("/commands", get(commands::list))
        .route("/devices/{id}/command", get(commands::confirm).post(commands::order))
        .route("/api/v1/devices/{id}/commands", post(commands::post))
        .route("/api/v1/commands", get(commands::all))
        .route("/api/v1/commands/{id}", get(commands::one))
}

/// What the points were, and what changes.
fn history_routes() -> Router<Arc<View>> {
    Router::new()
        .route("/api/v1/devices/{id}/history", get(history::json))
        .route("/api/v1/devices/{id}/history.csv", get(history::table))
        .route("/api/v1/devices/{id}/live", get(history::live))
        .route("/api/v1/events", get(history::events))
}

/// Login, who did what, who may.
fn access_routes() -> Router<Arc<View>> {
    Router::new()
        .route("/login", get(access::login_page).post(access::login))
        .route("/logout", post(access::logout))
        .route("/audit", get(access::audit_page))
        .route("/api/v1/audit", get(access::api_audit))
        .route("/api/v1/audit/verify", get(access::api_verify))
        .route("/api/v1/session", get(access::api_session))
        .route("/api/v1/users", get(access::api_users))
}

/// The language asked for: by the switch, by the cookie it left, by the browser; else Chinese.
pub(super) fn language(
    query: &std::collections::BTreeMap<String, String>,
    headers: &HeaderMap,
) -> Lang {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let cookie = || {
        text(header::COOKIE)
            .split(';')
            .filter_map(|pair| pair.trim().strip_prefix("linli_lang="))
            .find_map(Lang::from_word)
    };
    let browser = || {
        text(header::ACCEPT_LANGUAGE)
            .split(',')
            .filter_map(|tag| Lang::from_word(tag.trim().get(..2)?))
            .next()
    };
    let asked = query.get("lang").and_then(|word| Lang::from_word(word));
    asked.or_else(cookie).or_else(browser).unwrap_or_default()
}

/// What is asked for, and by whom: the layer in front put that there.
pub(super) struct Asked(pub Request);

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = QueryRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let query = Query::try_from_uri(&parts.uri)?;
        let who = parts.extensions.get::<Who>().cloned();
        Ok(Self(Request { who, ..Request::of(&parts.uri, query, &parts.headers) }))
    }
}

pub(super) fn answer(ask: &Request, markup: Markup) -> Response {
    let mut response = Response::new(Body::from(markup.into_string()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if ask.query.contains_key("lang") {
        let cookie = match ask.lang {
            Lang::Zh => "linli_lang=zh; Path=/; Max-Age=31536000; SameSite=Lax",
            Lang::En => "linli_lang=en; Path=/; Max-Age=31536000; SameSite=Lax",
        };
        headers.insert(header::SET_COOKIE, HeaderValue::from_static(cookie));
    }
    response
}

macro_rules! pages {
    ($($name:ident)*) => { $(
        async fn $name(State(view): Shared, Asked(ask): Asked) -> Response {
            answer(&ask, page::$name(&view, &ask))
        }
    )* };
}

pages!(overview devices buses delivery stars);

pub(super) fn find(view: &View, id: &str) -> Option<DeviceIndex> {
    view.estate.find(&DeviceId::new(id).ok()?)
}

async fn device(State(view): Shared, Path(id): Path<String>, Asked(ask): Asked) -> Response {
    let Some(index) = find(&view, &id) else { return not_found(&view, &ask) };
    let ordered = commands::of_device(&view, index).await;
    let table = history::for_page(&view, &ask, index).await;
    let charts = page::history(&view, &ask, index, table.as_ref());
    answer(&ask, page::device(&view, &ask, index, &ordered, &charts))
}

async fn bus(State(view): Shared, Path(id): Path<String>, Asked(ask): Asked) -> Response {
    match view.buses.all().iter().find(|bus| bus.id.as_str() == id) {
        Some(bus) => answer(&ask, page::bus(&view, &ask, bus)),
        None => not_found(&view, &ask),
    }
}

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Fault<'a> {
    pub(super) error: &'a str,
}

async fn api_device(State(view): Shared, Path(id): Path<String>) -> Response {
    match find(&view, &id) {
        Some(index) => Json(api::device(&view, index)).into_response(),
        None => missing("there is no such device"),
    }
}

async fn api_stars(State(view): Shared) -> Response {
    let assessment = view.assessment.borrow().clone();
    match assessment {
        Some(assessment) => Json(&*assessment).into_response(),
        None => missing("nothing has been assessed yet"),
    }
}

/// The body of a request as JSON, or the answer that says what is wrong with it.
pub(super) fn body<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, Box<Response>> {
    body.map(|Json(body)| body).map_err(|bad| {
        let error = serde_json::json!({ "error": bad.body_text() });
        Box::new((bad.status(), Json(error)).into_response())
    })
}

pub(super) fn failed(error: &str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, Json(Fault { error })).into_response()
}

pub(super) fn missing(error: &str) -> Response {
    (StatusCode::NOT_FOUND, Json(Fault { error })).into_response()
}

async fn prometheus(State(view): Shared) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, metrics::render(&view)).into_response()
}

/// Who is not logged in learns whether it is ready, and nothing of why not.
async fn readyz(State(view): Shared, who: Option<Extension<Who>>) -> Response {
    let ready = api::ready(&view);
    let status = if ready.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    match who {
        Some(_) => (status, Json(ready)).into_response(),
        None => (status, Json(serde_json::json!({ "ready": ready.ready }))).into_response(),
    }
}

async fn lost(State(view): Shared, Asked(ask): Asked) -> Response {
    if ask.path.starts_with("/api/") {
        return missing("there is no such resource");
    }
    not_found(&view, &ask)
}

pub(super) fn not_found(view: &View, ask: &Request) -> Response {
    let title = ask.lang.t(Text::NotFound);
    let body = html! { h1 { (title) } p { a href="/" { (ask.lang.t(Text::Overview)) } } };
    let mut response = answer(ask, frame(view, ask, "", title, &body));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
