//! Login and logout, readable without JavaScript.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Form, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::{Access, Guard, Who, lock, place};
use crate::access::{Lock, Locked, Password, Secret};
use crate::audit::{Action, Deed, Outcome};
use crate::model::{EventKind, Moment};
use crate::pipeline::Act;
use crate::status::layout::{Request, bare, encode};
use crate::status::listener::Peer;
use crate::status::server::{Pairs, Shared, answer};
use crate::status::show;
use crate::status::text::{Lang, Text};
use crate::status::view::View;

/// Longest path that is come back to after the login, bytes.
const LONGEST_NEXT: usize = 512;
/// A lock is told to the platform at most so often: it speaks of an attack, not of each step.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// What the form sends.
#[derive(Deserialize)]
pub(in crate::status) struct Login {
    name: String,
    password: Secret,
    #[serde(default)]
    next: String,
}

/// Why somebody did not come in.
#[derive(Debug, Clone, Copy)]
enum Refused {
    /// Name or password is wrong; which of them is not told.
    Wrong,
    /// Too many failures.
    Wait(Duration),
    /// Too many at a time.
    Busy,
    /// The system cannot.
    Failed,
}

/// The form.
pub(in crate::status) async fn login_page(
    State(view): Shared,
    uri: Uri,
    query: Pairs,
    headers: HeaderMap,
) -> Response {
    let ask = Request::of(&uri, query, &headers);
    if view.access.is_open() || view.access.who(&headers).is_some() {
        return Redirect::to(&next_path(ask.query("next"))).into_response();
    }
    if view.access.users().users.is_empty() && view.access.fault().is_none() {
        return first_start(ask.lang);
    }
    let next = next_path(ask.query("next"));
    answer(&ask, form(&view, &ask, &next, "", None))
}

/// Takes name and password.
pub(in crate::status) async fn login(
    State(view): Shared,
    ConnectInfo(peer): ConnectInfo<Peer>,
    uri: Uri,
    query: Pairs,
    headers: HeaderMap,
    Form(login): Form<Login>,
) -> Response {
    let ask = Request::of(&uri, query, &headers);
    let next = next_path(&login.next);
    let Some(guard) = &view.access.0.guard else { return Redirect::to(&next).into_response() };
    match view.access.enter(guard, &view, &login, peer.address.ip()).await {
        Ok(cookie) => {
            // The session of before, if any, is not gone on with.
            view.access.end_session(&headers);
            let mut response = Redirect::to(&next).into_response();
            set_cookie(&mut response, &view.access.set_cookie(&cookie));
            response
        }
        Err(refused) => {
            let mut response = answer(&ask, form(&view, &ask, &next, &login.name, Some(refused)));
            *response.status_mut() = match refused {
                Refused::Wrong => StatusCode::FORBIDDEN,
                Refused::Wait(_) => StatusCode::TOO_MANY_REQUESTS,
                Refused::Busy | Refused::Failed => StatusCode::SERVICE_UNAVAILABLE,
            };
            let after = match refused {
                Refused::Wait(wait) => wait.as_secs().max(1),
                _ => 1,
            };
            if !matches!(refused, Refused::Wrong) {
                response.headers_mut().insert(header::RETRY_AFTER, after.into());
            }
            response
        }
    }
}

/// Ends the session.
pub(in crate::status) async fn logout(
    State(view): Shared,
    ConnectInfo(peer): ConnectInfo<Peer>,
    who: Who,
    headers: HeaderMap,
) -> Response {
    view.access.end_session(&headers);
    let from = place(peer.address.ip());
    view.access.did(Deed::done(&who.name, &from, Action::Logout, "")).await;
    let mut response = Redirect::to("/login").into_response();
    set_cookie(&mut response, &view.access.set_cookie(""));
    response
}

impl Access {
    /// Lets in who knows the password; the value of the cookie.
    async fn enter(
        &self,
        guard: &Guard,
        view: &Arc<View>,
        login: &Login,
        from: IpAddr,
    ) -> Result<String, Refused> {
        let clock = &self.0.clock;
        let wait = |now: Moment| match lock(&guard.guesses).wait(&login.name, from, now) {
            Some(wait) => Err(Refused::Wait(wait)),
            None => Ok(()),
        };
        wait(clock.now())?;
        // One after the other: who tries many at a time is counted before his next one.
        let _waiting = guard.queue.try_acquire().map_err(|_| Refused::Busy)?;
        let _hashing = guard.hashing.acquire().await.map_err(|_| Refused::Failed)?;
        wait(clock.now())?;
        let users = self.users();
        let user = users.user(&login.name);
        let hash = user.map_or_else(Password::nobody, |user| Password::parse(&user.hash));
        let hash = hash.map_err(|_| Refused::Failed)?;
        let password = login.password.clone();
        let good = tokio::task::spawn_blocking(move || hash.verify(&password)).await;
        let good = good.map_err(|_| Refused::Failed)?.map_err(|fault| {
            tracing::warn!(%fault, "a password could not be compared");
            Refused::Failed
        })?;
        let address = place(from);
        let now = clock.now();
        // Only names that users have are told: people type passwords into the wrong field.
        let name = user.map_or("-", |user| &*user.name);
        if let Some(user) = user.filter(|_| good) {
            lock(&guard.guesses).succeeded(&user.name, from);
            let cookie = lock(&guard.sessions).begin(&user.name, &user.stamp(), now);
            lock(&guard.counts).done += 1;
            tracing::info!(user = name, from = address, "logged in");
            self.did(Deed::done(name, &address, Action::Login, "")).await;
            return cookie.map_err(|_| Refused::Failed);
        }
        let closed = lock(&guard.guesses).failed(&login.name, from, now);
        lock(&guard.counts).refused += 1;
        tracing::info!(user = name, from = address, "a login was refused");
        let detail = if user.is_some() { "password" } else { "no such user" };
        let deed = Deed::done(name, &address, Action::Login, "").ended(Outcome::Refused, detail);
        self.refused(deed);
        if let Some(closed) = closed {
            self.locked(guard, view, (name, &address), closed, now).await;
        }
        Err(Refused::Wrong)
    }

    /// Tells of a lock: the log, the trail, the platform.
    async fn locked(
        &self,
        guard: &Guard,
        view: &View,
        (name, from): (&str, &str),
        closed: Lock,
        now: Moment,
    ) {
        lock(&guard.counts).locks += 1;
        let seconds = closed.span.as_secs();
        let of = match closed.of {
            Locked::Address => "address",
            Locked::User => "user",
        };
        let detail = format!("{of}, {} failures, {seconds} s", closed.failures);
        let deed = Deed::done(name, from, Action::Locked, "").more(&detail);
        self.refused(deed);
        let due = {
            let mut told = lock(&guard.told);
            let due = told.is_none_or(|told| now.since(told) >= TELL_EVERY);
            if due {
                *told = Some(now);
            }
            due
        };
        if !due {
            return;
        }
        tracing::warn!(user = name, from, failures = closed.failures, seconds, "logins are locked");
        let user = (name != "-").then(|| name.to_owned());
        let from = from.to_owned();
        let kind = EventKind::LoginLocked { user, from, failures: closed.failures, seconds };
        if view.acts.send(Act::Kept(kind)).await.is_err() {
            tracing::info!("the gateway is stopping: the platform does not hear of the lock");
        }
    }
}

fn form(view: &View, ask: &Request, next: &str, name: &str, refused: Option<Refused>) -> Markup {
    let lang = ask.lang;
    let fault = view.access.fault();
    let other = format!("/login?lang={}&next={}", lang.other().word(), encode(next));
    let body = html! {
        h1 { (lang.t(Text::LogIn)) }
        @if fault.is_some() { p.banner.warn role="alert" { (lang.t(Text::UsersUnreadable)) } }
        @if let Some(refused) = refused { p.banner.warn role="alert" { (why(lang, refused)) } }
        form.fields method="post" action="/login" {
            input type="hidden" name="next" value=(next);
            label { (lang.t(Text::UserName))
                input name="name" value=(name) required maxlength="32" autocomplete="username" autocapitalize="none" spellcheck="false" autofocus[name.is_empty()];
            }
            label { (lang.t(Text::Password))
                input type="password" name="password" required maxlength="1024" autocomplete="current-password" autofocus[!name.is_empty()];
            }
            button { (lang.t(Text::LogIn)) }
        }
        p.small.soft { (lang.t(Text::LoginHelp)) }
    };
    bare(lang, Some(&other), lang.t(Text::LogIn), &body)
}

fn why(lang: Lang, refused: Refused) -> String {
    match refused {
        Refused::Wrong => lang.t(Text::LoginWrong).to_owned(),
        Refused::Busy => lang.t(Text::LoginBusy).to_owned(),
        Refused::Failed => lang.t(Text::LoginFailed).to_owned(),
        Refused::Wait(wait) => {
            let wait = show::span(lang, wait.max(Duration::from_secs(1)));
            format!("{} {wait}", lang.t(Text::LoginWait))
        }
    }
}

/// What the page shows while there is no user: how to make one, and nothing of the estate.
pub(super) fn first_start(lang: Lang) -> Response {
    let body = html! {
        h1 { (lang.t(Text::NoUsers)) }
        p { (lang.t(Text::NoUsersMore)) }
        pre.hex { "sudo linli users add NAME --role maintainer" }
        p.small.soft { (lang.t(Text::NoDefaultPassword)) }
    };
    let other = format!("/login?lang={}", lang.other().word());
    page(StatusCode::FORBIDDEN, bare(lang, Some(&other), lang.t(Text::NoUsers), &body))
}

/// A page with one message.
pub(super) fn message(lang: Lang, status: StatusCode, title: Text, more: Text) -> Response {
    let body = html! {
        h1 { (lang.t(title)) }
        p { (lang.t(more)) }
        p { a href="/" { (lang.t(Text::Overview)) } }
    };
    page(status, bare(lang, None, lang.t(title), &body))
}

fn page(status: StatusCode, markup: Markup) -> Response {
    let mut response = Response::new(Body::from(markup.into_string()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn set_cookie(response: &mut Response, cookie: &str) {
    let value = HeaderValue::from_str(cookie).expect("a cookie of ours is plain ASCII");
    response.headers_mut().append(header::SET_COOKIE, value);
}

/// Where a request wanted to go, as the value of `next`.
pub(super) fn path_as_next(uri: &Uri) -> String {
    let path = uri.path_and_query().map_or("/", axum::http::uri::PathAndQuery::as_str);
    encode(&next_path(path))
}

/// A path on this very page: never another site's.
fn next_path(asked: &str) -> String {
    let local = asked.starts_with('/')
        && !asked.starts_with("//")
        && asked.len() <= LONGEST_NEXT
        && !asked.starts_with("/login")
        && asked.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if local { asked.to_owned() } else { "/".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_login_nobody_is_sent_to_another_site() {
        for path in [
            "//evil.cn",
            "https://evil.cn",
            "/\\evil.cn",
            "evil",
            "",
            "/\n/evil",
            "/login?next=/login",
        ] {
            assert_eq!(next_path(path), "/", "{path:?}");
        }
        assert_eq!(next_path("/devices?state=offline"), "/devices?state=offline");
    }
}
