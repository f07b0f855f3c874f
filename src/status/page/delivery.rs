//! Delivery: the uplink and the outage buffer.

use maud::{Markup, html};

use crate::buffer::WearStatus;
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
    let [every, written, lasts] = wear(&status.wear, lang);
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
        (
            Text::ThinnedBlocks,
            format!(
                "{} · {} {}",
                show::count(status.thinned_blocks),
                show::count(status.left_out_readings),
                lang.t(Text::LeftOut)
            ),
        ),
        (Text::Evicted, show::count(status.evicted_blocks)),
        (Text::DamagedBlocks, show::count(status.damaged_blocks)),
        (Text::CommitEvery, every),
        (Text::WrittenPerDay, written),
        (Text::MediumLasts, lasts),
    ];
    html! {
        h2 {
            (lang.t(Text::Buffer)) " "
            @if status.fault.is_none() { (pill("ok", lang.t(Text::Durable))) }
            @else { (pill("crit", lang.t(Text::NotDurable))) }
        }
        @if let Some(fault) = &status.fault { p { (lang.t(Text::Fault)) (lang.colon()) (show::shorten(fault)) } }
        (facts(&rows, lang))
        p.soft.small { (lang.t(Text::ThinnedFirst)) }
    }
}

/// The time between two commits; bytes written a day; years that the medium lasts.
fn wear(wear: &WearStatus, lang: Lang) -> [String; 3] {
    let unknown = || lang.t(Text::NotKnown).to_owned();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes for people")]
    let bytes = |per_day: f64| show::bytes(per_day.max(0.0) as u64);
    #[expect(clippy::cast_precision_loss, reason = "seconds for people")]
    let seconds = |ms: u64| format!("{:.1} s", ms as f64 / 1000.0);
    let every = format!(
        "{} · {} {}",
        seconds(wear.tick_ms),
        lang.t(Text::AtMost),
        seconds(wear.loss_bound_ms)
    );
    let written = wear.written_per_day.map_or_else(unknown, bytes);
    let bears = wear.budget_per_day.map_or_else(unknown, bytes);
    let lasts = wear.years_left.map(|years| match years {
        years if years >= 100.0 => format!("> 100 {}", lang.t(Text::Years)),
        years => format!("{years:.1} {}", lang.t(Text::Years)),
    });
    [
        every,
        format!("{written} · {} {bears}", lang.t(Text::MediumBears)),
        lasts.unwrap_or_else(unknown),
    ]
}
