//! One device with all its points; like things stand side by side.

use maud::{Markup, html};

use super::{around, clock, risk};
use crate::command::Row;
use crate::model::{Device, DeviceIndex, DeviceState, Group, Health, Point, PointState, Quality};
use crate::status::layout::{Request, facts, health, page, quality};
use crate::status::show;
use crate::status::text::{Lang, Text};
use crate::status::trouble::cause_text;
use crate::status::view::View;
use crate::status::{commands, exchange};

/// `ordered` is what was ordered of it, `history` what its points were.
pub(in crate::status) fn device(
    view: &View,
    ask: &Request,
    index: DeviceIndex,
    ordered: &[Row],
    history: &Markup,
) -> Markup {
    let lang = ask.lang;
    let device = view.estate.device(index);
    let state = view.snapshot.device(index);
    let now = view.now();
    let rows = [
        (Text::Category, lang.pick(device.category.zh(), device.category.en()).to_owned()),
        (Text::Place, or_dash(&device.place)),
        (Text::Owner, or_dash(&device.owner)),
        (Text::Maintainer, or_dash(&device.maintainer)),
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
        @if let Some(said) = clock::of_meter(view, lang, &device.id) {
            (facts(&[(Text::MeterClock, said)], lang))
        }
        (risk::of_device(view, lang, index))
        (around::alarms(view, ask, index))
        (commands::section(view, ask, index, &state, ordered))
        (points(view, lang, device, &state))
        @for group in device.groups.iter() { (members(lang, device, group, &state)) }
        (history)
        (around::neighbours(view, ask, index))
        (exchange::form(ask, device))
    };
    page(view, ask, "/devices", device.title(), &body)
}

/// The points that are of no group.
fn points(view: &View, lang: Lang, device: &Device, state: &DeviceState) -> Markup {
    let now = view.now();
    let rows: Vec<(&Point, &PointState)> = device
        .points
        .iter()
        .zip(&state.points)
        .filter(|(point, _)| device.group_of(point).is_none())
        .collect();
    html! {
        h2 { (lang.pick("测点", "Points")) " " span.soft.num { (rows.len()) } }
        @if !rows.is_empty() { table.points {
            thead { tr {
                th { (lang.t(Text::Point)) } th { (lang.t(Text::Value)) }
                th { (lang.t(Text::Quality)) } th { (lang.t(Text::Age)) }
            } }
            tbody { @for (point, last) in rows { tr data-point=(point.name) {
                td.head { (show::point_name(lang, point)) div.small.soft { (point.name) } }
                td.num data-l=(lang.t(Text::Value)) { div.flows data-value { (value(lang, point, last)) } }
                td.good[last.quality == Some(Quality::Good)] data-l=(lang.t(Text::Quality)) data-quality { (quality(lang, last.quality)) }
                td.num.age data-l=(lang.t(Text::Age)) data-age {
                    (last.good_at.or(last.at).map_or_else(|| lang.t(Text::Never).to_owned(), |at| show::ago(lang, now, at)))
                }
            } } }
        } }
    }
}

fn value(lang: Lang, point: &Point, last: &PointState) -> String {
    last.value.as_ref().map_or_else(|| "—".to_owned(), |value| show::value(lang, point, value))
}

/// What the members are called together: `{n} 号格口` is `格口`.
fn of_all(lang: Lang, group: &Group) -> String {
    let title = lang.pick(&group.zh, &group.en).replace("{n}", "");
    title.trim().trim_start_matches('号').to_owned()
}

/// The members of a group, each in a box: what is good needs no word of it.
fn members(lang: Lang, device: &Device, group: &Group, state: &DeviceState) -> Markup {
    let mut boxes: Vec<Vec<(&Point, &PointState)>> = vec![Vec::new(); usize::from(group.count)];
    for (point, last) in device.points.iter().zip(&state.points) {
        if let Some((place, _)) = group.place_of(&point.name) {
            boxes[usize::from(place)].push((point, last));
        }
    }
    html! {
        h2 { (of_all(lang, group)) " " span.soft.num { "× " (group.count) } }
        div.members { @for (place, points) in (0u16..).zip(&boxes) {
            @let title = lang.pick(group.zh(place), group.en(place));
            div.card {
                h3 { (title) }
                @for (point, last) in points {
                    div.small data-point=(point.name) {
                        span.soft { (show::point_name(lang, point).strip_prefix(&*title).unwrap_or(show::point_name(lang, point)).trim()) }
                        " " span.num data-value { (value(lang, point, last)) }
                        @if !matches!(last.quality, Some(Quality::Good)) { " " (quality(lang, last.quality)) }
                    }
                }
            }
        } }
    }
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "—".to_owned() } else { text.to_owned() }
}
