//! The buses: load, answers, faults; and the field broker.

use maud::{Markup, html};

use crate::model::BusState;
use crate::status::layout::{Request, facts, page, pill};
use crate::status::show;
use crate::status::text::{Lang, Text};
use crate::status::view::View;

pub(in crate::status) fn buses(view: &View, ask: &Request) -> Markup {
    let lang = ask.lang;
    let mut all = view.buses.all();
    all.sort_by_key(|bus| bus.open);
    let body = html! {
        h1 { (lang.t(Text::Buses)) }
        @if all.is_empty() { p { (lang.t(Text::NoBuses)) } } @else { (table(view, lang, &all)) }
        (broker(view, lang))
    };
    page(view, ask, "/buses", lang.t(Text::Buses), &body)
}

fn table(view: &View, lang: Lang, all: &[BusState]) -> Markup {
    html! {
        table {
            thead { tr {
                th { (lang.t(Text::Line)) } th { (lang.t(Text::State)) } th { (lang.t(Text::Load)) }
                th { (lang.t(Text::AnswerRate)) } th { (lang.t(Text::Requests)) }
            } }
            tbody { @for bus in all { tr {
                td.head {
                    b { (bus.id) } " " span.soft.small { (bus.devices) " " (lang.t(Text::Devices)) }
                    div.small.soft { (bus.line) }
                }
                td data-l=(lang.t(Text::State)) { div {
                    @if bus.open { (pill("ok", lang.t(Text::Open))) } @else { (pill("crit", lang.t(Text::Closed))) }
                    div.small.soft { (lang.t(Text::Since)) " " (show::span(lang, view.now().since(bus.since))) }
                    @if let Some(fault) = &bus.fault { div.small { (show::shorten(fault)) } }
                } }
                td data-l=(lang.t(Text::Load)) { div style="min-width:90px" {
                    span.num { (show::percent(bus.load)) }
                    meter min="0" max="1" high="0.85" value=(format!("{:.3}", bus.load.clamp(0.0, 1.0))) {}
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
                    div.soft { (lang.t(Text::Exceptions)) " " (show::count(bus.counters.exceptions)) }
                    div.soft { (lang.t(Text::Probing)) " " (show::span(lang, bus.counters.probing)) }
                } }
            } } }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share for people")]
fn answer_rate(bus: &BusState) -> Option<f64> {
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
