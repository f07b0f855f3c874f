//! The devices: the list with filters, and one device with all its points.

use maud::{Markup, html};

use crate::model::{Category, Device, DeviceIndex, DeviceState, Health};
use crate::status::exchange;
use crate::status::layout::{Request, facts, health, page, quality};
use crate::status::show;
use crate::status::text::{Lang, Text};
use crate::status::trouble::cause_text;
use crate::status::view::View;

/// Values shown per device in the list.
const MOST_VALUES: usize = 3;

const STATES: [Health; 4] = [Health::Offline, Health::Suspect, Health::Unknown, Health::Online];

struct Row<'a> {
    device: &'a Device,
    health: Health,
    cause: String,
    heard: Option<crate::model::Moment>,
    values: Vec<(String, String)>,
}

pub(in crate::status) fn devices(view: &View, ask: &Request) -> Markup {
    let lang = ask.lang;
    let wanted = Category::from_word(ask.query("category"));
    let state = STATES.into_iter().find(|health| health.word() == ask.query("state"));
    let mut rows: Vec<Row> = view
        .estate
        .indexed()
        .filter(|(_, device)| wanted.is_none_or(|category| device.category == category))
        .map(|(index, device)| row(view, lang, index, device))
        .filter(|row| state.is_none_or(|state| row.health == state))
        .collect();
    // Broken ones first; the sort keeps the order of the configuration otherwise.
    rows.sort_by_key(|row| STATES.iter().position(|health| *health == row.health));
    let mut present: Vec<Category> = view.estate.devices().iter().map(|d| d.category).collect();
    present.sort_unstable();
    present.dedup();
    let body = html! {
        h1 { (lang.t(Text::Devices)) " " span.soft.num { (rows.len()) } }
        div.filters role="group" aria-label=(lang.t(Text::State)) {
            a href=(ask.with("state", "")) aria-current=[state.is_none().then_some("true")] { (lang.t(Text::All)) }
            @for health in STATES {
                a href=(ask.with("state", health.word())) aria-current=[(state == Some(health)).then_some("true")] {
                    (health_word(lang, health))
                }
            }
        }
        div.filters role="group" aria-label=(lang.t(Text::Category)) {
            a href=(ask.with("category", "")) aria-current=[wanted.is_none().then_some("true")] { (lang.t(Text::All)) }
            @for category in present {
                a href=(ask.with("category", category.word())) aria-current=[(wanted == Some(category)).then_some("true")] {
                    (lang.pick(category.zh(), category.en()))
                }
            }
        }
        @if rows.is_empty() { p { (lang.t(Text::NoDevices)) } } @else { (table(view, lang, &rows)) }
    };
    page(view, ask, "/devices", lang.t(Text::Devices), &body)
}

fn health_word(lang: Lang, health: Health) -> &'static str {
    lang.t(match health {
        Health::Online => Text::Online,
        Health::Suspect => Text::Suspect,
        Health::Offline => Text::Offline,
        Health::Unknown => Text::Unknown,
    })
}

fn row<'a>(view: &View, lang: Lang, index: DeviceIndex, device: &'a Device) -> Row<'a> {
    view.snapshot.with(index, |state| Row {
        device,
        health: state.health,
        cause: state
            .cause
            .as_ref()
            .map_or(String::new(), |cause| lang.pick(cause.zh(), cause.en())),
        heard: state.heard_at,
        values: device
            .points
            .iter()
            .zip(&state.points)
            .filter_map(|(point, now)| Some((point, now.value.as_ref()?)))
            .take(MOST_VALUES)
            .map(|(point, value)| {
                (show::point_name(lang, point).to_owned(), show::value(lang, point, value))
            })
            .collect(),
    })
}

fn table(view: &View, lang: Lang, rows: &[Row]) -> Markup {
    let now = view.now();
    html! {
        table {
            thead { tr {
                th { (lang.t(Text::Device)) } th { (lang.t(Text::State)) }
                th { (lang.t(Text::LastValues)) } th { (lang.t(Text::LastHeard)) }
            } }
            tbody { @for row in rows { tr {
                td.head {
                    a href={ "/devices/" (row.device.id) } { (row.device.title()) }
                    div.small.soft {
                        (lang.pick(row.device.category.zh(), row.device.category.en()))
                        @if !row.device.place.is_empty() { " · " (row.device.place) }
                    }
                }
                td data-l=(lang.t(Text::State)) { div {
                    (health(lang, row.health))
                    @if !row.cause.is_empty() { div.small.soft { (show::shorten(&row.cause)) } }
                } }
                td data-l=(lang.t(Text::LastValues)) { div {
                    @for (name, value) in &row.values {
                        div.small { span.soft { (name) } " " span.num { (value) } }
                    }
                    @if row.values.is_empty() { "—" }
                } }
                td.num data-l=(lang.t(Text::LastHeard)) {
                    (row.heard.map_or_else(|| lang.t(Text::Never).to_owned(), |at| show::ago(lang, now, at)))
                }
            } } }
        }
    }
}

pub(in crate::status) fn device(view: &View, ask: &Request, index: DeviceIndex) -> Markup {
    let lang = ask.lang;
    let device = view.estate.device(index);
    let state = view.snapshot.device(index);
    let now = view.now();
    let rows = [
        (Text::Category, lang.pick(device.category.zh(), device.category.en()).to_owned()),
        (Text::Place, or_dash(&device.place)),
        (Text::Connection, or_dash(&device.connection)),
        (Text::Product, or_dash(&device.product)),
        (Text::Profile, device.profile.clone()),
        (Text::ReadEvery, show::span(lang, device.expected_every)),
        (
            Text::LastHeard,
            state
                .heard_at
                .map_or_else(|| lang.t(Text::Never).to_owned(), |at| show::ago(lang, now, at)),
        ),
        (
            Text::Readings,
            format!(
                "{} · {} {}",
                show::count(state.readings),
                lang.t(Text::NotGood),
                show::count(state.not_good)
            ),
        ),
    ];
    let class = match state.health {
        Health::Online => "ok",
        Health::Suspect => "warn",
        Health::Offline => "crit",
        Health::Unknown => "note",
    };
    let body = html! {
        section.state.(class) {
            h1 { (device.title()) " " (health(lang, state.health)) }
            p.soft {
                (device.id) " · " (lang.t(Text::Since)) " " (show::span(lang, now.since(state.since)))
                " (" (show::when(lang, &view.clock, state.since)) ")"
            }
            @if state.cause.is_some() {
                p { (lang.t(Text::Cause)) (lang.colon()) (show::shorten(lang.of(&cause_text(state.cause.as_ref())))) }
            }
        }
        (facts(&rows, lang))
        h2 { (lang.t(Text::Point)) " " span.soft.num { (device.points.len()) } }
        (points(view, lang, device, &state))
        (exchange::form(lang, device))
    };
    page(view, ask, "/devices", device.title(), &body)
}

fn points(view: &View, lang: Lang, device: &Device, state: &DeviceState) -> Markup {
    let now = view.now();
    html! {
        table {
            thead { tr {
                th { (lang.t(Text::Point)) } th { (lang.t(Text::Value)) }
                th { (lang.t(Text::Quality)) } th { (lang.t(Text::Age)) }
            } }
            tbody { @for (point, last) in device.points.iter().zip(&state.points) { tr {
                td.head { (show::point_name(lang, point)) div.small.soft { (point.name) } }
                td.num data-l=(lang.t(Text::Value)) { div style="white-space:normal" {
                    (last.value.as_ref().map_or_else(|| "—".to_owned(), |value| show::value(lang, point, value)))
                } }
                td data-l=(lang.t(Text::Quality)) { (quality(lang, last.quality)) }
                td.num data-l=(lang.t(Text::Age)) {
                    (last.good_at.or(last.at).map_or_else(|| lang.t(Text::Never).to_owned(), |at| show::ago(lang, now, at)))
                }
            } } }
        }
    }
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "—".to_owned() } else { text.to_owned() }
}
