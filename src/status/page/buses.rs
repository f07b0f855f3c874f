//! The buses: what is wrong with their wiring, load and sweep, answers; and the field broker.

use std::time::Duration;

use maud::{Markup, html};

use crate::model::{BusState, UnitState, Words};
use crate::status::finding;
use crate::status::layout::{Request, facts, page, pill};
use crate::status::show;
use crate::status::text::{Lang, Text};
use crate::status::view::View;

/// Answered less than this, a device is marked; less than half, it is marked as dead.
const GOOD: f64 = 0.95;

pub(in crate::status) fn buses(view: &View, ask: &Request) -> Markup {
    let lang = ask.lang;
    let mut all = view.buses.all();
    all.sort_by_key(|bus| bus.open);
    let body = html! {
        h1 { (lang.t(Text::Buses)) }
        @for bus in &all { (findings(view, lang, bus)) }
        @if all.is_empty() { p { (lang.t(Text::NoBuses)) } } @else { (table(view, lang, &all)) }
        (broker(view, lang))
    };
    page(view, ask, "/buses", lang.t(Text::Buses), &body)
}

/// What the wiring doctor found on a bus, worst first, with the next thing to check.
pub(super) fn findings(view: &View, lang: Lang, bus: &BusState) -> Markup {
    let now = view.now();
    html! {
        @for one in finding::sorted(bus) {
            @let severity = finding::severity(one);
            section.state.(severity.class()) {
                h2.first {
                    a href={ "/buses/" (bus.id) } { (lang.of(&finding::title(view, &bus.id, one))) }
                    " " (pill(severity.class(), lang.t(severity.text())))
                }
                p { (lang.words(&one.seen)) }
                p { b { (lang.t(Text::CheckNext)) (lang.colon()) } (lang.words(&one.check)) }
                p.small.soft {
                    (bus.id) " · " (lang.t(Text::Since)) " " (show::span(lang, now.since(one.since)))
                }
            }
        }
    }
}

fn table(view: &View, lang: Lang, all: &[BusState]) -> Markup {
    html! {
        table {
            thead { tr {
                th { (lang.t(Text::Line)) } th { (lang.t(Text::State)) } th { (lang.t(Text::Sweep)) }
                th { (lang.t(Text::Load)) } th { (lang.t(Text::AnswerRate)) } th { (lang.t(Text::Requests)) }
            } }
            tbody { @for bus in all { tr {
                td.head {
                    a href={ "/buses/" (bus.id) } { b { (bus.id) } }
                    " " span.soft.small { (bus.devices) " " (lang.t(Text::Devices)) }
                    div.small.soft { (bus.line) }
                    (strip(view, lang, &bus.units))
                }
                td data-l=(lang.t(Text::State)) { div {
                    @if bus.open { (pill("ok", lang.t(Text::Open))) } @else { (pill("crit", lang.t(Text::Closed))) }
                    div.small.soft { (lang.t(Text::Since)) " " (show::span(lang, view.now().since(bus.since))) }
                    @if let Some(fault) = &bus.fault { div.small { (show::shorten(lang.words(fault))) } }
                } }
                td data-l=(lang.t(Text::Sweep)) { div { (sweep(lang, bus)) } }
                td data-l=(lang.t(Text::Load)) { div.load {
                    span.num { (show::percent(bus.load)) }
                    meter min="0" max="1" high="0.85" value=(format!("{:.3}", bus.load.clamp(0.0, 1.0))) {}
                    div.small.soft.num { (lang.t(Text::Planned)) " " (show::percent(bus.planned.load)) }
                    @if bus.counters.missed > 0 {
                        div.small.soft { (lang.t(Text::Missed)) " " (show::count(bus.counters.missed)) }
                    }
                } }
                td.num data-l=(lang.t(Text::AnswerRate)) {
                    (answer_rate(bus).map_or_else(|| "—".to_owned(), show::percent))
                }
                td data-l=(lang.t(Text::Requests)) { div.small {
                    div.num { (show::count(bus.counters.requests)) }
                    div.soft { (lang.t(Text::Timeouts)) " " (show::count(bus.counters.timeouts)) }
                    div.soft { (lang.t(Text::Damaged)) " " (show::count(bus.counters.damaged)) }
                    @if bus.counters.exceptions > 0 {
                        div.soft { (lang.t(Text::Exceptions)) " " (show::count(bus.counters.exceptions)) }
                    }
                    @if !bus.counters.probing.is_zero() {
                        div.soft { (lang.t(Text::Probing)) " " (time(lang, bus.counters.probing)) }
                    }
                } }
            } } }
        }
    }
}

fn sweep(lang: Lang, bus: &BusState) -> Markup {
    let planned = bus.planned;
    html! {
        @match bus.measured {
            Some(measured) => { div.num { (time(lang, measured.sweep)) } }
            None => { div.num { "—" } }
        }
        div.small.soft.num { (lang.t(Text::Planned)) " " (time(lang, planned.sweep)) }
        div.small.soft.num { (lang.t(Text::Wanted)) " " (time(lang, planned.wanted)) }
    }
}

/// `11.4 s`, `850 ms`.
pub(super) fn time(lang: Lang, time: Duration) -> String {
    lang.words(&Words::of_span(time)).to_owned()
}

/// One mark a device, in the order of the wire: from where on it gets bad is seen at a glance.
pub(super) fn strip(view: &View, lang: Lang, units: &[UnitState]) -> Markup {
    if units.len() < 2 {
        return html! {};
    }
    let bad = units.iter().filter(|unit| share(unit).is_some_and(|share| share < GOOD)).count();
    html! {
        div.strip role="img" aria-label={ (lang.t(Text::WireOrder)) (lang.colon()) (bad) " / " (units.len()) } {
            @for unit in units {
                i.(class(unit)) title={
                    (view.estate.device(unit.device).title()) " " (unit.address) " "
                    (share(unit).map_or_else(|| "—".to_owned(), show::percent))
                } {}
            }
        }
    }
}

/// Share of its requests that a device answered whole; `None` before the first.
#[expect(clippy::cast_precision_loss, reason = "a share for people")]
pub(super) fn share(unit: &UnitState) -> Option<f64> {
    (unit.requests > 0).then(|| unit.answers as f64 / unit.requests as f64)
}

/// How that share is coloured.
pub(super) fn class(unit: &UnitState) -> &'static str {
    match share(unit) {
        None => "off",
        Some(share) if share >= GOOD => "ok",
        Some(share) if share >= 0.5 => "warn",
        Some(_) => "crit",
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share for people")]
pub(super) fn answer_rate(bus: &BusState) -> Option<f64> {
    let asked = bus.counters.requests;
    // An exception is an answer too: the line is fine, the profile may not be.
    let answered = bus.counters.answers + bus.counters.exceptions;
    (asked > 0).then(|| answered as f64 / asked as f64)
}

fn broker(view: &View, lang: Lang) -> Markup {
    let Some(status) = view.broker.as_ref().map(|broker| broker.borrow().clone()) else {
        return html! {};
    };
    let rows = [
        (Text::Broker, status.broker.clone()),
        (Text::Messages, show::count(status.messages)),
        (Text::Rejected, show::count(status.rejected)),
        (Text::Unacked, show::count(status.unacked.into())),
    ];
    html! {
        h2 {
            (lang.t(Text::FieldBroker)) " "
            @if status.connected { (pill("ok", lang.t(Text::Connected))) }
            @else { (pill("crit", lang.t(Text::Disconnected))) }
            " " span.soft.small { (lang.t(Text::Since)) " " (show::span(lang, view.now().since(status.since))) }
        }
        @if let Some(fault) = &status.fault { p { (show::shorten(lang.words(fault))) } }
        (facts(&rows, lang))
    }
}
