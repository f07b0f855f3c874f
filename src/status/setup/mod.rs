//! The form of a first start, served by `linli setup --page` and by nothing else: an installer with a
//! phone answers here what the terminal would ask.
//!
//! There is no user yet, so who may fill it in is who sees the console: a code that is printed there
//! once and is good once. It opens one session, in the memory of that process; guesses are slowed down
//! as logins are. The form goes to whoever started the page, which writes the configuration; the page
//! itself writes nothing.

mod form;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Form, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::access::cookie;
use super::exchange::from_this_page;
use super::layout::Request;
use super::limits::Guests;
use super::listener::{self, Peer};
use super::server::{Pairs, answer, outside};
use super::tls::PageTls;
use super::{assets, show};
use crate::access::{Guesses, Secret, digest, new_token};
use crate::model::{Moment, Words};

/// The session's cookie.
const COOKIE: &str = "linli_setup";
/// Whose guesses are counted: there is one code.
const WHO: &str = "setup";
/// Lines that are kept of what is told.
const MOST_LINES: usize = 200;

/// What the form sends. Everything is text, as it was typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SetupForm {
    /// The gateway's name.
    pub id: String,
    /// The estate's name.
    pub name: String,
    /// `new` or `old_retrofit`.
    pub kind: String,
    /// Serial lines, separated by spaces.
    pub serial: String,
    /// Set when the lines are scanned.
    pub scan: String,
    /// The field broker, or `none`.
    pub broker: String,
    /// The platform, or `none`.
    pub platform: String,
    /// `no` when the session there is not encrypted.
    pub tls: String,
    /// MQTT client id there.
    pub client_id: String,
    /// Authorities by which it is known, PEM.
    pub ca: String,
    /// The gateway's certificate, PEM.
    pub cert: String,
    /// Its key, PEM.
    pub key: Option<Secret>,
    /// User there.
    pub platform_user: String,
    /// The password there.
    pub platform_password: Option<Secret>,
    /// Where the page will listen.
    pub listen: String,
    /// The page's first user.
    pub user: String,
    /// The password.
    pub password: Option<Secret>,
    /// Proves that the form is of this session.
    pub csrf: String,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The form waits to be filled in.
    Form,
    /// It was sent; the box is scanned and written.
    Working,
    /// The configuration is in its place.
    Done,
}

#[derive(Debug)]
struct Inside {
    stage: Stage,
    /// What the form shows: proposals at first, then what was sent, without secrets.
    shown: SetupForm,
    /// What is wrong with what was sent, and what was told since.
    told: Vec<Words>,
    /// The code is good once.
    code: Option<String>,
    session: Option<Session>,
    guesses: Guesses,
}

#[derive(Debug)]
struct Session {
    /// SHA-256 of the cookie.
    cookie: String,
    csrf: String,
}

/// Both sides of the form; clones share it.
#[derive(Debug, Clone)]
pub struct SetupDesk {
    inside: Arc<Mutex<Inside>>,
    forms: mpsc::Sender<SetupForm>,
    begun: Instant,
    secure: bool,
}

impl SetupDesk {
    /// A desk that opens to `code` and proposes `shown`; the forms come out of the other end.
    pub fn new(code: &Secret, shown: SetupForm, secure: bool) -> (Self, mpsc::Receiver<SetupForm>) {
        let (forms, sent) = mpsc::channel(1);
        let inside = Inside {
            stage: Stage::Form,
            shown,
            told: Vec::new(),
            code: Some(digest(code)),
            session: None,
            guesses: Guesses::default(),
        };
        let inside = Arc::new(Mutex::new(inside));
        (Self { inside, forms, begun: Instant::now(), secure }, sent)
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whoever looks.
    pub fn tell(&self, words: Words) {
        let mut inside = self.inside();
        if inside.told.len() < MOST_LINES {
            inside.told.push(words);
        }
    }

    /// What was sent cannot be: the form is shown again, with what is wrong.
    pub fn refuse(&self, wrong: Words) {
        let mut inside = self.inside();
        inside.stage = Stage::Form;
        inside.told = vec![wrong];
    }

    /// The configuration is in its place.
    pub fn done(&self) {
        self.inside().stage = Stage::Done;
    }

    fn now(&self) -> Moment {
        let span = self.begun.elapsed();
        Moment { boot_ms: u64::try_from(span.as_millis()).unwrap_or(u64::MAX) }
    }

    /// Takes the code; the cookie of the session that it opens.
    fn enter(&self, code: &Secret, from: IpAddr) -> Result<Secret, Option<Duration>> {
        let now = self.now();
        let mut inside = self.inside();
        if let Some(wait) = inside.guesses.wait(WHO, from, now) {
            return Err(Some(wait));
        }
        // Digests are compared: how many characters fit cannot be measured.
        if inside.code.as_deref() != Some(&digest(code)) {
            inside.guesses.failed(WHO, from, now);
            return Err(None);
        }
        let (cookie, csrf) = (new_token().map_err(|_| None)?, new_token().map_err(|_| None)?);
        inside.code = None;
        inside.session = Some(Session { cookie: digest(&cookie), csrf: csrf.expose().to_owned() });
        Ok(cookie)
    }

    /// The proof that forms of this session carry; `None` for who has no session.
    fn session(&self, headers: &HeaderMap) -> Option<String> {
        let shown = digest(&cookie(headers, COOKIE)?.to_owned().into());
        let inside = self.inside();
        let session = inside.session.as_ref().filter(|session| session.cookie == shown)?;
        Some(session.csrf.clone())
    }

    /// Takes a form of the session to whoever writes it.
    fn send(&self, form: SetupForm) -> bool {
        let mut inside = self.inside();
        if inside.stage != Stage::Form {
            return false;
        }
        inside.told.clear();
        inside.shown =
            SetupForm { key: None, platform_password: None, password: None, ..form.clone() };
        let sent = self.forms.try_send(form).is_ok();
        if sent {
            inside.stage = Stage::Working;
        }
        sent
    }
}

/// Serves the form until `stop`.
///
/// # Errors
/// The listener failed.
pub async fn serve_setup(
    listener: TcpListener,
    tls: Option<PageTls>,
    desk: SetupDesk,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let guests = Guests::default();
    let router = outside(router(desk), &guests, tls.as_ref());
    listener::listen(listener, guests, tls, router, stop).await
}

fn router(desk: SetupDesk) -> Router {
    Router::new()
        .route("/", get(look).post(send))
        .route("/code", post(code))
        .merge(assets::routes())
        .fallback(async || Redirect::to("/"))
        .with_state(desk)
}

async fn look(
    State(desk): State<SetupDesk>,
    uri: Uri,
    query: Pairs,
    headers: HeaderMap,
) -> Response {
    let ask = Request::of(&uri, query, &headers);
    let Some(csrf) = desk.session(&headers) else {
        return answer(&ask, form::code(ask.lang, None));
    };
    let inside = desk.inside();
    let page = form::page(ask.lang, &inside, &csrf);
    let mut response = answer(&ask, page);
    if inside.stage != Stage::Form {
        response.headers_mut().insert(header::REFRESH, HeaderValue::from_static("3"));
    }
    response
}

#[derive(Deserialize)]
struct Code {
    code: Secret,
}

async fn code(
    State(desk): State<SetupDesk>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    uri: Uri,
    query: Pairs,
    headers: HeaderMap,
    Form(given): Form<Code>,
) -> Response {
    if !from_this_page(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let ask = Request::of(&uri, query, &headers);
    // As people read it aloud and type it: in groups, with or without what stands between them.
    let given: String = given.code.expose().chars().filter(char::is_ascii_digit).collect();
    match desk.enter(&given.into(), peer.address.ip()) {
        Ok(cookie) => {
            let secure = if desk.secure { "; Secure" } else { "" };
            let cookie =
                format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict{secure}", cookie.expose());
            let mut response = Redirect::to("/").into_response();
            if let Ok(value) = HeaderValue::from_str(&cookie) {
                response.headers_mut().insert(header::SET_COOKIE, value);
            }
            response
        }
        Err(wait) => {
            let told = match wait {
                None => Words::from(("this is not the code", "验证码不正确")),
                Some(wait) => {
                    let span = |lang| show::span(lang, wait.max(Duration::from_secs(1)));
                    let (en, zh) = (span(super::Lang::En), span(super::Lang::Zh));
                    (format!("too many tries: wait {en}"), format!("尝试过多，请等待 {zh}")).into()
                }
            };
            let mut response = answer(&ask, form::code(ask.lang, Some(&told)));
            *response.status_mut() = match wait {
                None => StatusCode::FORBIDDEN,
                Some(_) => StatusCode::TOO_MANY_REQUESTS,
            };
            response
        }
    }
}

async fn send(
    State(desk): State<SetupDesk>,
    headers: HeaderMap,
    Form(form): Form<SetupForm>,
) -> Response {
    let Some(csrf) = desk.session(&headers) else { return Redirect::to("/").into_response() };
    if !from_this_page(&headers) || form.csrf != csrf {
        return StatusCode::FORBIDDEN.into_response();
    }
    if desk.send(form) {
        Redirect::to("/").into_response()
    } else {
        (StatusCode::CONFLICT, Body::from("one form is being worked on / 正在处理上一次提交"))
            .into_response()
    }
}
