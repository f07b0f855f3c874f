//! The first page: is the estate all right, and if not, what is broken, worst first.

use maud::{Markup, html};

use super::{plan, risk, urgent};
use crate::status::layout::{Request, page, pill};
use crate::status::show;
use crate::status::text::{Lang, Text};
use crate::status::trouble::{self, Severity, Trouble};
use crate::status::view::View;

/// Most troubles named on the page.
const MOST: usize = 30;

pub(in crate::status) fn overview(view: &View, ask: &Request) -> Markup {
    let lang = ask.lang;
    let troubles = trouble::all(view);
    let body = html! {
        (urgent::on_the_air(view, lang))
        (state(view, lang, &troubles))
        (tiles(view, lang))
        @if !troubles.is_empty() {
            h2 { (lang.t(Text::WorstFirst)) }
            ul.list { @for trouble in troubles.iter().take(MOST) { (row(view, lang, trouble)) } }
            @if troubles.len() > MOST {
                p { a href="/devices?state=offline" { (lang.t(Text::More)) " (" (troubles.len() - MOST) ")" } }
            }
        }
        (plan::plan(view, lang))
        (risk::visits(view, lang))
    };
    page(view, ask, "/", lang.t(Text::Overview), &body)
}

fn state(view: &View, lang: Lang, troubles: &[Trouble]) -> Markup {
    let count = |severity| troubles.iter().filter(|t| t.severity == severity).count();
    let Some(worst) = troubles.first() else {
        return match urgent::worst(view) {
            None => html! {
                section.state.ok { h1 { (lang.t(Text::AllWell)) } p.soft { (lang.t(Text::AllWellMore)) } }
            },
            Some((class, alarms)) => html! {
                section.state.(class) {
                    h1 { (lang.pick(format!("设备正常，{alarms} 个报警待处理"), format!("Devices are well; alarms to deal with: {alarms}"))) }
                }
            },
        };
    };
    let counts = [Severity::Critical, Severity::Warning, Severity::Notice];
    html! {
        section.state.(worst.severity.class()) {
            h1 { (lang.of(&worst.title)) }
            p.soft {
                (troubles.len()) " " (lang.t(Text::Attention)) (lang.colon())
                @for (place, severity) in counts.into_iter().filter(|s| count(*s) > 0).enumerate() {
                    @if place > 0 { " · " }
                    (lang.t(severity.text())) " " (count(severity))
                }
            }
        }
    }
}

fn row(view: &View, lang: Lang, trouble: &Trouble) -> Markup {
    html! {
        li {
            span { (pill(trouble.severity.class(), lang.t(trouble.severity.text()))) }
            a.t href=(trouble.link) { (lang.of(&trouble.title)) }
            span.soft.small.num {
                @if let Some(since) = trouble.since {
                    (lang.t(Text::Since)) " " (show::span(lang, view.now().since(since)))
                }
            }
            div.d.small {
                div { (show::shorten(lang.of(&trouble.cause))) }
                div.soft { (lang.t(Text::WhatToDo)) (lang.colon()) (lang.of(&trouble.advice)) }
            }
        }
    }
}

fn tiles(view: &View, lang: Lang) -> Markup {
    let tally = view.tally();
    let uplink = view.uplink.borrow().clone();
    let buffer = view.buffer.borrow().clone();
    let assessment = view.assessment.borrow().clone();
    let (class, link) = match (uplink.configured, uplink.connected) {
        (false, _) => ("off", Text::NotConfigured),
        (true, true) => ("ok", Text::Connected),
        (true, false) => ("crit", Text::Disconnected),
    };
    let room = buffer
        .hours_left
        .map_or_else(|| lang.t(Text::RateUnknown).to_owned(), |left| show::hours(lang, left));
    html! {
        section.tiles {
            a.tile href="/devices" {
                div.k { (lang.t(Text::Devices)) " · " (lang.t(Text::Online)) }
                div.v { (tally.online) " / " (tally.total()) }
                div.small.soft {
                    (lang.t(Text::Suspect)) " " (tally.suspect) " · "
                    (lang.t(Text::Offline)) " " (tally.offline) " · "
                    (lang.t(Text::Unknown)) " " (tally.unknown)
                }
            }
            (urgent::tile(view, lang))
            a.tile href="/delivery" {
                div.k { (lang.t(Text::Uplink)) }
                div.v { (pill(class, lang.t(link))) }
                div.small.soft {
                    (lang.t(Text::LastAck)) (lang.colon())
                    (uplink.acknowledged_at.map_or_else(|| lang.t(Text::Never).to_owned(), |at| show::ago(lang, view.now(), at)))
                }
            }
            a.tile href="/delivery" {
                div.k { (lang.t(Text::Buffer)) " · " (lang.t(Text::HoursLeft)) }
                div.v { (room) }
                div.small.soft { (lang.t(Text::StoredReadings)) (lang.colon()) (show::count(buffer.readings)) }
            }
            a.tile href="/stars" {
                div.k { (lang.t(Text::StarLevel)) }
                div.v {
                    @match &assessment {
                        Some(result) if result.star > 0 => { "★ " (result.star) }
                        _ => { (lang.t(Text::NoStarYet)) }
                    }
                }
                @if let Some(result) = &assessment {
                    div.small.soft { (lang.t(Text::Target)) " ★ " (result.target) @if result.provisional { " · " (lang.pick("临时", "provisional")) } }
                }
            }
            a.tile href="/settings#clock" {
                div.k { (lang.t(Text::Clock)) }
                div.v {
                    @if view.clock.trusted() { (pill("ok", lang.t(Text::ClockTrusted))) }
                    @else { (pill("warn", lang.t(Text::ClockUntrusted))) }
                }
            }
        }
    }
}
