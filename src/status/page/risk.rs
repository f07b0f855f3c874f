//! The risk grades on the pages: a word for each device, and who is to be visited first (5.1.1.2).

use maud::{Markup, html};

use crate::model::{DeviceIndex, RiskGrade};
use crate::starlevel::DeviceRisk;
use crate::status::layout::pill;
use crate::status::show;
use crate::status::text::{Lang, Text};
use crate::status::view::View;

/// Most devices named on the first page.
const MOST: usize = 10;

/// A grade as a coloured word.
pub(super) fn grade(lang: Lang, grade: Option<RiskGrade>) -> Markup {
    let class = match grade {
        None => "off",
        Some(RiskGrade::Low) => "ok",
        Some(RiskGrade::Medium) => "warn",
        Some(RiskGrade::High) => "crit",
    };
    pill(class, lang.t(word(grade)))
}

/// The same in a list of nothing but risks: its column has no room for more.
fn short(lang: Lang, of: Option<RiskGrade>) -> Markup {
    match (lang, of) {
        (Lang::En, Some(RiskGrade::Medium)) => pill("warn", "Medium"),
        (Lang::En, Some(RiskGrade::High)) => pill("crit", "High"),
        _ => grade(lang, of),
    }
}

/// The word of a grade.
pub(super) fn word(grade: Option<RiskGrade>) -> Text {
    match grade {
        None => Text::RiskUnknown,
        Some(RiskGrade::Low) => Text::RiskLow,
        Some(RiskGrade::Medium) => Text::RiskMedium,
        Some(RiskGrade::High) => Text::RiskHigh,
    }
}

/// The grade of a device with its causes; nothing more to say about a low one.
pub(super) fn of_device(view: &View, lang: Lang, index: DeviceIndex) -> Markup {
    let Some(risk) = view.risk.device(index) else { return html! {} };
    html! {
        section.card.after {
            div {
                (lang.t(Text::Risk)) (lang.colon()) (grade(lang, risk.grade))
                @if let Some(since) = risk.since_ms { " " span.small.soft.num { (lang.t(Text::RiskSince)) " " (show::date(since)) } }
            }
            (causes(lang, &risk))
        }
    }
}

fn causes(lang: Lang, risk: &DeviceRisk) -> Markup {
    let held = risk.grade > Some(RiskGrade::Low) && risk.causes.is_empty();
    html! {
        @for cause in &risk.causes { div.small { (lang.pick(&cause.zh, &cause.en)) } }
        @if held { div.small.soft { (lang.t(Text::RiskHeld)) } }
        @if risk.grade > Some(RiskGrade::Low) && let Some(advice) = &risk.advice {
            div.small.soft { (lang.t(Text::WhatToDo)) (lang.colon()) (lang.of(advice)) }
        }
    }
}

/// The estate's grade and who is to be visited, for the first page.
pub(super) fn visits(view: &View, lang: Lang) -> Markup {
    let estate = view.risk.estate();
    let visits = view.risk.visits();
    if estate.grade.is_none() {
        return html! {};
    }
    let counts = estate.counts;
    html! {
        h2 id="risk" { (lang.t(Text::VisitFirst)) " " span.soft.num { (visits.len()) } }
        p.under.small {
            (lang.t(Text::EstateRisk)) (lang.colon()) (grade(lang, estate.grade)) " "
            span.soft.num {
                (lang.t(Text::RiskHigh)) " " (counts.high) " · " (lang.t(Text::RiskMedium)) " " (counts.medium)
                " · " (lang.t(Text::RiskLow)) " " (counts.low) " · " (lang.t(Text::RiskUnknown)) " " (counts.unknown)
            }
        }
        @if visits.is_empty() { p.soft { (lang.t(Text::NobodyToVisit)) } }
        @else {
            ul.list { @for index in visits.iter().take(MOST) { (row(view, lang, *index)) } }
            @if visits.len() > MOST {
                p { a href="/devices?risk=visit" { (lang.t(Text::More)) " (" (visits.len() - MOST) ")" } }
            }
        }
    }
}

fn row(view: &View, lang: Lang, index: DeviceIndex) -> Markup {
    let device = view.estate.device(index);
    let Some(risk) = view.risk.device(index) else { return html! {} };
    html! {
        li {
            span { (short(lang, risk.grade)) }
            a.t href={ "/devices/" (device.id) } { (device.title()) }
            span.soft.small { (device.place) }
            div.d { (causes(lang, &risk)) }
        }
    }
}
