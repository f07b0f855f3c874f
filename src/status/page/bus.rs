//! One bus: findings, budget, its devices in the order of the wire, and its recorder.

use maud::{Markup, html};

use super::buses::{answer_rate, class, findings, share, strip, time};
use crate::driver::BusAddress;
use crate::driver::doctor::named;
use crate::driver::record::{Captured, Kept, Way};
use crate::model::{BusState, Finding, Moment, UnitState};
use crate::status::finding;
use crate::status::frames;
use crate::status::layout::{Request, facts, page, pill};
use crate::status::show;
use crate::status::text::{Lang, Text};
use crate::status::view::{BusLine, View};

/// Frames shown; the files hold all.
const MOST_FRAMES: usize = 40;
/// Bytes shown of one.
const MOST_BYTES: usize = 160;

pub(in crate::status) fn bus(view: &View, ask: &Request, bus: &BusState) -> Markup {
    let lang = ask.lang;
    let body = html! {
        h1 {
            (bus.id) " "
            @if bus.open { (pill("ok", lang.t(Text::Open))) } @else { (pill("crit", lang.t(Text::Closed))) }
        }
        p.under.soft.small {
            (bus.line) " · " (lang.t(Text::Since)) " " (show::span(lang, view.now().since(bus.since)))
        }
        @if let Some(fault) = &bus.fault { p { (lang.t(Text::Fault)) (lang.colon()) (show::shorten(lang.words(fault))) } }
        (findings(view, lang, bus))
        (budget(lang, bus))
        h2 { (lang.t(Text::WireOrder)) " " span.soft.num { (bus.units.len()) } }
        p.small.soft { (lang.t(Text::WireOrderMore)) }
        (strip(view, lang, &bus.units))
        (units(view, ask, bus))
        @if let Some(line) = view.line(bus.id.as_str()) { (recorder(view, ask, bus, line)) }
    };
    page(view, ask, "/buses", bus.id.as_str(), &body)
}

fn budget(lang: Lang, bus: &BusState) -> Markup {
    let (planned, measured) = (bus.planned, bus.measured);
    let dash = || "—".to_owned();
    let rows = [
        (Text::SweepMeasured, measured.map_or_else(dash, |found| time(lang, found.sweep))),
        (
            Text::SweepPlanned,
            format!(
                "{} · {} {}",
                time(lang, planned.sweep),
                planned.requests,
                lang.t(Text::Requests)
            ),
        ),
        (Text::SweepDead, time(lang, planned.sweep_with_dead)),
        (Text::WantedPeriod, time(lang, planned.wanted)),
        (
            Text::Load,
            format!(
                "{} · {} {}",
                show::percent(bus.load),
                lang.t(Text::Planned),
                show::percent(planned.load)
            ),
        ),
        (Text::AnswerRate, answer_rate(bus).map_or_else(dash, show::percent)),
    ];
    html! {
        (facts(&rows, lang))
        @if planned.load.max(bus.load) > 0.85 { p.small { (lang.t(Text::BusFull)) } }
    }
}

fn units(view: &View, ask: &Request, bus: &BusState) -> Markup {
    let lang = ask.lang;
    html! {
        table {
            thead { tr {
                th { (lang.t(Text::Device)) } th { (lang.t(Text::Address)) } th { (lang.t(Text::AnswerRate)) }
                th { (lang.t(Text::AnswerTime)) } th { (lang.t(Text::Timeouts)) } th { (lang.t(Text::Damaged)) }
            } }
            tbody { @for (place, unit) in (1..).zip(&bus.units) { (unit_row(view, ask, bus, place, unit)) } }
        }
    }
}

fn unit_row(view: &View, ask: &Request, bus: &BusState, place: usize, unit: &UnitState) -> Markup {
    let lang = ask.lang;
    let device = view.estate.device(unit.device);
    let about: Vec<&Finding> =
        bus.findings.iter().filter(|one| one.devices.contains(&unit.device)).collect();
    html! { tr {
        td.head {
            span.soft.num { (place) " " }
            a href={ "/devices/" (device.id) } { (device.title()) }
            @for one in &about {
                " " (pill(finding::severity(one).class(), lang.of(&finding::name(one.diagnosis))))
            }
            div.small.soft {
                (device.place)
                @if !device.place.is_empty() { " · " }
                a href={ (ask.with("device", device.id.as_str())) "#frames" } { (lang.t(Text::ItsFrames)) }
            }
        }
        td.num data-l=(lang.t(Text::Address)) { div {
            (unit.address)
            @if let Some(line) = &unit.line { div.small.soft { (line) } }
        } }
        td data-l=(lang.t(Text::AnswerRate)) { div {
            @match share(unit) {
                Some(share) => {
                    span.pill.num.(class(unit)) { (show::percent(share)) }
                    span.small.soft.num { " / " (show::count(unit.requests)) }
                }
                None => { (lang.t(Text::NotRead)) }
            }
        } }
        td.num data-l=(lang.t(Text::AnswerTime)) { div {
            @match unit.answer_time {
                Some(mean) => {
                    (time(lang, mean))
                    span.small.soft { " · " (lang.t(Text::Longest)) " " (time(lang, unit.longest)) }
                }
                None => { "—" }
            }
        } }
        td.num.zero[unit.timeouts == 0] data-l=(lang.t(Text::Timeouts)) { (show::count(unit.timeouts)) }
        td.num.zero[unit.damaged == 0] data-l=(lang.t(Text::Damaged)) { (show::count(unit.damaged)) }
    } }
}

fn recorder(view: &View, ask: &Request, bus: &BusState, line: &BusLine) -> Markup {
    let lang = ask.lang;
    let chosen = frames::kept(line, ask.query("kept"));
    let kept = line.log.kept();
    let mut all = match &chosen {
        Some(kept) => kept.frames.clone(),
        None => line.log.recent(Moment::default()),
    };
    let mbap = line.log.recording(Vec::new()).mbap;
    let only = bus
        .units
        .iter()
        .find(|unit| view.estate.device(unit.device).id.as_str() == ask.query("device"));
    if let Some(unit) = only {
        keep_those_of(&mut all, mbap, &unit.address);
    }
    html! {
        h2 id="frames" { (lang.t(Text::Recorder)) " " span.soft.num { (all.len()) } }
        p.small.soft { (lang.t(Text::RecorderMore)) }
        @if let Some(kept) = &chosen {
            p { b { (lang.t(Text::Recording)) (lang.colon()) (lang.words(&kept.why)) }
                " " span.soft.small { (show::when(lang, &view.clock, kept.at)) }
                " " a href=(ask.with("kept", "")) { (lang.t(Text::ShowRecent)) } }
        }
        @if let Some(unit) = only {
            p { b { (view.estate.device(unit.device).title()) }
                " " a href={ (ask.with("device", "")) "#frames" } { (lang.t(Text::AllFrames)) } }
        }
        p { (files(lang, line, chosen.as_ref())) }
        @if all.is_empty() { p { (lang.t(Text::NoFrames)) } } @else { (frame_table(view, lang, bus, line, all)) }
        @if !kept.is_empty() { h2 { (lang.t(Text::KeptRecordings)) } (kept_table(view, ask, line, &kept)) }
    }
}

fn files(lang: Lang, line: &BusLine, kept: Option<&Kept>) -> Markup {
    let query = kept.map_or_else(String::new, |kept| format!("?kept={}", kept.at.boot_ms));
    html! {
        @for ending in ["txt", "pcapng"] {
            a href={ "/buses/" (line.id) "/frames." (ending) (query) } download {
                (lang.t(Text::Download)) " ." (ending)
            }
            " "
        }
    }
}

fn kept_table(view: &View, ask: &Request, line: &BusLine, kept: &[Kept]) -> Markup {
    let lang = ask.lang;
    html! {
        table {
            thead { tr {
                th { (lang.t(Text::Cause)) } th { (lang.t(Text::Time)) } th { (lang.t(Text::Frames)) } th { (lang.t(Text::Download)) }
            } }
            tbody { @for one in kept.iter().rev() { tr {
                td.head { a href={ (ask.with("kept", &one.at.boot_ms.to_string())) "#frames" } { (lang.words(&one.why)) } }
                td.num data-l=(lang.t(Text::Time)) { (show::when(lang, &view.clock, one.at)) }
                td.num data-l=(lang.t(Text::Frames)) { (one.frames.len()) }
                td data-l=(lang.t(Text::Download)) { div { (files(lang, line, Some(one))) } }
            } } }
        }
    }
}

/// The last frames, the newest first; a reply is read with the request before it.
fn frame_table(
    view: &View,
    lang: Lang,
    bus: &BusState,
    line: &BusLine,
    all: Vec<Captured>,
) -> Markup {
    let begin = all.len().saturating_sub(MOST_FRAMES + 1);
    let recording = line.log.recording(all.into_iter().skip(begin).collect());
    let told: Vec<Option<String>> = recording.meanings(frames::tongue(lang)).collect();
    let rows = recording.frames.iter().zip(&told).rev().take(MOST_FRAMES);
    html! {
        table.frames {
            thead { tr {
                th { (lang.t(Text::Time)) } th { (lang.t(Text::Direction)) } th { (lang.t(Text::FrameBytes)) }
            } }
            tbody { @for (frame, meaning) in rows { tr {
                td.num data-l=(lang.t(Text::Time)) { (clock_time(view, frame.at)) }
                td.num data-l=(lang.t(Text::Direction)) { div {
                    @match frame.way {
                        Way::Sent => { "→ " (lang.t(Text::Sent)) }
                        Way::Received => { "← " (lang.t(Text::Received)) }
                    }
                    @if let Some(settings) = frame.line { div.small.soft.num { (settings) } }
                } }
                td.wide {
                    @if let Some(title) = title_of(view, bus, recording.mbap, &frame.bytes) { div { (title) } }
                    div.hex { (hex(&frame.bytes)) }
                    div.small {
                        @match meaning {
                            Some(meaning) => { (meaning) }
                            None => {
                                (pill("warn", lang.t(Text::Damaged))) " "
                                span.soft { (lang.t(Text::NoMeaning)) }
                            }
                        }
                    }
                }
            } } }
        }
    }
}

/// The address that a frame names, as a bus shows it.
fn address_of(mbap: bool, bytes: &[u8]) -> Option<String> {
    // The head of Modbus TCP has the unit at its end.
    let unit = || bytes.get(6).copied().map(BusAddress::Unit);
    let address = if mbap { unit() } else { named(bytes) };
    address.map(|address| address.to_string())
}

/// Leaves the requests to one device, and what came after each: a damaged answer names nobody.
fn keep_those_of(all: &mut Vec<Captured>, mbap: bool, address: &str) {
    let mut asked = false;
    all.retain(|frame| {
        if frame.way == Way::Sent {
            asked = address_of(mbap, &frame.bytes).as_deref() == Some(address);
        }
        asked
    });
}

/// What people call the device that a frame names.
fn title_of<'a>(view: &'a View, bus: &BusState, mbap: bool, bytes: &[u8]) -> Option<&'a str> {
    let address = address_of(mbap, bytes)?;
    let unit = bus.units.iter().find(|unit| unit.address == address)?;
    Some(view.estate.device(unit.device).title())
}

/// To the millisecond at +08:00; by the best clock that there is.
fn clock_time(view: &View, at: Moment) -> String {
    let ms = view.clock.best_wall(at).unix_ms;
    let text = show::date(ms);
    let time = text.split_once(' ').map_or(text.as_str(), |(_, time)| time);
    format!("{time}.{:03}", ms.rem_euclid(1000))
}

fn hex(bytes: &[u8]) -> String {
    let mut text: Vec<String> =
        bytes.iter().take(MOST_BYTES).map(|byte| format!("{byte:02X}")).collect();
    if bytes.len() > MOST_BYTES {
        text.push("…".to_owned());
    }
    text.join(" ")
}
