//! Delivery: the uplink, the outage buffer, the clock.

use maud::{Markup, html};

use super::clock;
use crate::status::layout::{Request, facts, page, pill};
use crate::status::show;
use crate::status::text::{Lang, Text};
use crate::status::view::View;

pub(in crate::status) fn delivery(view: &View, ask: &Request) -> Markup {
    let lang = ask.lang;
    let body = html! {
        h1 { (lang.t(Text::Delivery)) }
        (uplink(view, lang))
        (buffer(view, lang))
        (clock::section(view, lang))
    };
    page(view, ask, "/delivery", lang.t(Text::Delivery), &body)
}

fn uplink(view: &View, lang: Lang) -> Markup {
    let status = view.uplink.borrow().clone();
    let now = view.now();
    if !status.configured {
        return html! { h2 { (lang.t(Text::Uplink)) " " (pill("off", lang.t(Text::NotConfigured))) } };
    }
    let rows = [
        (
            Text::Broker,
            format!(
                "{} · {}",
                status.broker,
                lang.t(if status.tls { Text::Encrypted } else { Text::Plain })
            ),
        ),
        (
            Text::LastAck,
            status
                .acknowledged_at
                .map_or_else(|| lang.t(Text::Never).to_owned(), |at| show::ago(lang, now, at)),
        ),
        (
            Text::Acknowledged,
            format!(
                "{} · {}",
                show::count(status.acknowledged_readings),
                show::bytes(status.acknowledged_bytes)
            ),
        ),
        (
            Text::Latency,
            status.live_latency_ms.map_or_else(|| "—".to_owned(), |ms| format!("{ms} ms")),
        ),
        (Text::InFlight, status.in_flight.to_string()),
        (Text::Sessions, show::count(status.sessions)),
    ];
    html! {
        h2 {
            (lang.t(Text::Uplink)) " "
            @if status.connected { (pill("ok", lang.t(Text::Connected))) }
            @else { (pill("crit", lang.t(Text::Disconnected))) }
            " " span.soft.small { (lang.t(Text::Since)) " " (show::span(lang, now.since(status.since))) }
        }
        @if let Some(fault) = &status.fault { p { (lang.t(Text::Fault)) (lang.colon()) (show::shorten(lang.words(fault))) } }
        (facts(&rows, lang))
    }
}

fn buffer(view: &View, lang: Lang) -> Markup {
    let status = view.buffer.borrow().clone();
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    let used = status.file_bytes as f64 / status.budget.max(1) as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes for people")]
    let rate = status.bytes_per_hour.max(0.0) as u64;
    let room = status
        .hours_left
        .map_or_else(|| lang.t(Text::RateUnknown).to_owned(), |left| show::hours(lang, left));
    let rows = [
        (Text::HoursLeft, room),
        (Text::StoredReadings, show::count(status.readings)),
        (
            Text::StoredBlocks,
            format!("{} · {}", show::count(status.blocks), show::bytes(status.live_bytes)),
        ),
        (
            Text::DiskUse,
            format!(
                "{} / {} · {}",
                show::bytes(status.file_bytes),
                show::bytes(status.budget),
                show::percent(used)
            ),
        ),
        (Text::RecordRate, format!("{} / h", show::bytes(rate))),
        (Text::LastCommit, format!("{} ms", status.last_commit_ms)),
        (Text::Evicted, show::count(status.evicted_blocks)),
        (Text::DamagedBlocks, show::count(status.damaged_blocks)),
    ];
    html! {
        h2 {
            (lang.t(Text::Buffer)) " "
            @if status.fault.is_none() { (pill("ok", lang.t(Text::Durable))) }
            @else { (pill("crit", lang.t(Text::NotDurable))) }
        }
        @if let Some(fault) = &status.fault { p { (lang.t(Text::Fault)) (lang.colon()) (show::shorten(fault)) } }
        (facts(&rows, lang))
    }
}
