//! The frame of every page. Readable without JavaScript; a small script renews the content.

use std::collections::BTreeMap;

use axum::extract::Query;
use axum::http::{HeaderMap, Uri};
use maud::{DOCTYPE, Markup, html};

use super::access::{Via, Who};
use super::server::{Pairs, language};
use super::text::{Lang, Said, Text};
use super::view::View;
use super::{assets, show};
use crate::model::{Health, Quality};
use crate::starlevel::Outcome;

/// Who asks for what.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub lang: Lang,
    pub path: String,
    pub query: BTreeMap<String, String>,
    /// `None` on the pages before the login.
    pub who: Option<Who>,
}

impl Request {
    /// What the address and the headers ask for, by nobody known.
    pub(super) fn of(uri: &Uri, Query(query): Pairs, headers: &HeaderMap) -> Self {
        Self { lang: language(&query, headers), path: uri.path().to_owned(), query, who: None }
    }

    /// Whether who asks may do what the forms of a page do.
    pub(super) fn may_act(&self) -> bool {
        self.who.as_ref().is_some_and(Who::may_act)
    }

    /// The hidden field that every form needs.
    pub(super) fn form_field(&self) -> Markup {
        html! { @if let Some(who) = &self.who { (who.field()) } }
    }

    /// The name to put where a form asks for one.
    pub(super) fn person(&self) -> Option<&str> {
        self.who.as_ref()?.person()
    }

    /// This page with one parameter changed; an empty value removes it.
    pub(super) fn with(&self, key: &str, value: &str) -> String {
        let mut query = self.query.clone();
        if value.is_empty() {
            query.remove(key);
        } else {
            query.insert(key.to_owned(), value.to_owned());
        }
        let pairs: Vec<String> =
            query.iter().map(|(k, v)| format!("{}={}", encode(k), encode(v))).collect();
        if pairs.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, pairs.join("&"))
        }
    }

    pub(super) fn query(&self, key: &str) -> &str {
        self.query.get(key).map_or("", String::as_str)
    }
}

/// Percent-encoded, for a value in a query.
pub(super) fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

/// A whole page; `active` is the path of the menu entry that it belongs to.
pub(super) fn page(view: &View, ask: &Request, active: &str, title: &str, body: &Markup) -> Markup {
    let lang = ask.lang;
    let estate =
        if view.estate.name.is_empty() { view.estate.gateway.as_str() } else { &view.estate.name };
    let menu = [
        ("/", Text::Overview),
        ("/devices", Text::Devices),
        ("/buses", Text::Buses),
        ("/broadcast", Text::Broadcast),
        ("/delivery", Text::Delivery),
        ("/alarms", Text::Alarms),
        ("/stars", Text::Stars),
        ("/settings", Text::Settings),
    ];
    let now = view.now();
    let open = view.alarms.as_ref().map_or(0, |alarms| alarms.board().counts.total());
    html! {
        (DOCTYPE)
        html lang=(lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                noscript { meta http-equiv="refresh" content="60"; }
                title { (title) " · " (estate) }
                link rel="icon" href="data:,";
                script defer src=(assets::script().path) {}
                link rel="stylesheet" href=(assets::style().path);
            }
            body {
                div.stalebar role="alert" { (lang.t(Text::Outdated)) }
                header {
                    div.bar {
                        b { (estate) }
                        span.soft.small { (view.estate.gateway) }
                        a.small href=(ask.with("lang", lang.other().word())) lang=(lang.other().tag()) {
                            (lang.t(Text::SwitchLanguage))
                        }
                        (session(ask))
                    }
                    nav {
                        @for (path, text) in menu {
                            a href=(path) aria-current=[(path == active).then_some("page")] {
                                (lang.t(text))
                                @if path == "/alarms" && open > 0 { " " span.count { (open) } }
                            }
                        }
                    }
                }
                main {
                    @for note in &view.notes { p.banner { (lang.of(note)) } }
                    (body)
                    p.soft.small.stamp {
                        (show::when(lang, &view.clock, now)) " +08:00"
                    }
                }
                footer {
                    "linli " (view.version) " · " (lang.t(Text::RunningFor)) " "
                    (show::span(lang, now.since(view.started)))
                    @if view.commands.is_some() { " · " a href="/commands" { (lang.t(Text::Commands)) } }
                    @if ask.may_act() { " · " a href="/audit" { (lang.t(Text::Audit)) } }
                    " · " a href="/api/v1/gateway" { "API" } " · " a href="/metrics" { "metrics" }
                }
            }
        }
    }
}

/// Who is logged in, and the way out.
fn session(ask: &Request) -> Markup {
    html! { @if let Some(who) = ask.who.as_ref().filter(|who| who.via == Via::Session) {
        form.session method="post" action="/logout" {
            (who.field())
            span.small.soft { (who.name) }
            button.small { (ask.lang.t(Text::LogOut)) }
        }
    } }
}

/// A page that shows nothing of the estate: before the login. `other` is itself in the other
/// language.
pub(super) fn bare(lang: Lang, other: Option<&str>, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                title { (title) " · 邻里 linli" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href=(assets::style().path);
            }
            body {
                header { div.bar {
                    b { "邻里 linli" }
                    span.soft {}
                    @if let Some(other) = other {
                        a.small href=(other) lang=(lang.other().tag()) { (lang.t(Text::SwitchLanguage)) }
                    }
                } }
                main.gate { div.card { (body) } }
            }
        }
    }
}

/// A state as a coloured word.
pub(super) fn pill(class: &str, word: &str) -> Markup {
    html! { span.pill.(class) { (word) } }
}

/// The health of a device.
pub(super) fn health(lang: Lang, health: Health) -> Markup {
    let (class, text) = match health {
        Health::Online => ("ok", Text::Online),
        Health::Suspect => ("warn", Text::Suspect),
        Health::Offline => ("crit", Text::Offline),
        Health::Unknown => ("off", Text::Unknown),
    };
    pill(class, lang.t(text))
}

/// The quality of a reading.
pub(super) fn quality(lang: Lang, quality: Option<Quality>) -> Markup {
    let class = match quality {
        Some(Quality::Good) => "ok",
        Some(Quality::Uncertain(_)) => "warn",
        Some(Quality::Bad(_)) => "crit",
        None => "off",
    };
    pill(class, &show::quality(lang, quality))
}

/// The outcome of a check.
pub(super) fn outcome(lang: Lang, outcome: Outcome) -> Markup {
    let (class, text) = match outcome {
        Outcome::Met => ("ok", Text::Met),
        Outcome::NotMet => ("crit", Text::NotMet),
        Outcome::Unknown => ("warn", Text::OutcomeUnknown),
        Outcome::NotApplicable => ("off", Text::NotApplicable),
    };
    pill(class, lang.t(text))
}

/// Facts in boxes.
pub(super) fn facts(rows: &[(impl Said, String)], lang: Lang) -> Markup {
    html! {
        dl { @for (name, value) in rows { div { dt { (lang.t(*name)) } dd { (value) } } } }
    }
}
