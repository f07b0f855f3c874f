//! Who asks.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use maud::{Markup, html};

use super::gate::FORM_FIELD;
use super::{Access, lock};
use crate::access::{Role, Secret};

/// How somebody was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::status) enum Via {
    /// The page is open.
    Open,
    /// A cookie.
    Session,
    /// `Authorization: Bearer`.
    Token,
}

impl Via {
    pub(super) fn word(self) -> &'static str {
        match self {
            Via::Open => "open",
            Via::Session => "session",
            Via::Token => "token",
        }
    }
}

/// Who asks, and what he may do.
#[derive(Debug, Clone)]
pub(in crate::status) struct Who {
    pub name: String,
    pub role: Role,
    pub via: Via,
    /// What every form of this session carries.
    form_token: Option<Secret>,
}

impl Who {
    pub(super) fn new(name: &str, role: Role, via: Via) -> Self {
        Self { name: name.to_owned(), role, via, form_token: None }
    }

    pub(super) fn with_form_token(mut self, token: String) -> Self {
        self.form_token = Some(token.into());
        self
    }

    pub(in crate::status) fn may_act(&self) -> bool {
        self.role >= Role::Maintainer
    }

    /// The hidden field that every form needs.
    pub(in crate::status) fn field(&self) -> Markup {
        html! { @if let Some(token) = &self.form_token {
            input type="hidden" name=(FORM_FIELD) value=(token.expose());
        } }
    }

    pub(super) fn form_token(&self) -> Option<&Secret> {
        self.form_token.as_ref()
    }

    /// The name to put into a form that asks for one: of a person who logged in.
    pub(in crate::status) fn person(&self) -> Option<&str> {
        (self.via == Via::Session).then_some(&*self.name)
    }
}

/// The value of the cookie of this name.
pub(in crate::status) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// The layer in front put it there.
impl<S: Sync> FromRequestParts<S> for Who {
    type Rejection = axum::http::StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.get::<Who>().cloned().ok_or(axum::http::StatusCode::UNAUTHORIZED)
    }
}

impl Access {
    /// Who asks by these headers; `None` for nobody known.
    pub(super) fn who(&self, headers: &HeaderMap) -> Option<Who> {
        if self.is_open() {
            return Some(Who::new("local", Role::Maintainer, Via::Open));
        }
        // Who shows a token means to be told by it: a bad one is not helped out by a cookie.
        if let Some(value) = headers.get(header::AUTHORIZATION) {
            let token = value.to_str().ok()?.split_once(' ')?;
            let (scheme, token) = token;
            let token = Secret::from(token.trim().to_owned());
            return scheme.eq_ignore_ascii_case("bearer").then(|| self.by_token(&token)).flatten();
        }
        self.by_cookie(self.cookie(headers)?)
    }

    /// Whether whoever showed these headers is still let in.
    pub(in crate::status) fn knows(&self, headers: &HeaderMap) -> bool {
        self.who(headers).is_some()
    }

    /// The value of the session's cookie.
    pub(super) fn cookie<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        cookie(headers, self.cookie_name())
    }

    /// The header that sets the cookie; an empty value removes it.
    pub(super) fn set_cookie(&self, value: &str) -> String {
        let secure = self.0.guard.as_ref().is_some_and(|guard| guard.secure);
        let (secure, gone) = (
            if secure { "; Secure" } else { "" },
            if value.is_empty() { "; Max-Age=0" } else { "" },
        );
        // Lax, so that a link from elsewhere finds the session; nothing is ever done by GET.
        format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{gone}", self.cookie_name())
    }

    pub(super) fn end_session(&self, headers: &HeaderMap) {
        if let (Some(guard), Some(cookie)) = (&self.0.guard, self.cookie(headers)) {
            lock(&guard.sessions).end(cookie);
        }
    }
}
