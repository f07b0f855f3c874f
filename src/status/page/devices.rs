//! The list of the devices, with filters.

use maud::{Markup, html};

use super::{plan, risk};
use crate::model::{Category, Device, DeviceIndex, DeviceState, Health, Point, RiskGrade, Value};
use crate::status::layout::{Request, health, page};
use crate::status::show;
use crate::status::text::{Lang, Text};
use crate::status::view::View;

/// Values shown per device in the list.
const MOST_VALUES: usize = 3;

const STATES: [Health; 4] = [Health::Offline, Health::Suspect, Health::Unknown, Health::Online];

struct Row<'a> {
    device: &'a Device,
    health: Health,
    risk: Option<RiskGrade>,
    cause: String,
    heard: Option<crate::model::Moment>,
    values: Vec<(String, String)>,
}

pub(in crate::status) fn devices(view: &View, ask: &Request) -> Markup {
    let lang = ask.lang;
    let wanted = Category::from_word(ask.query("category"));
    let state = STATES.into_iter().find(|health| health.word() == ask.query("state"));
    let to_visit = ask.query("risk") == "visit";
    let building = ask.query("building");
    let here =
        |device: &Device| building.is_empty() || plan::query_of(device.building()) == building;
    let mut rows: Vec<Row> = view
        .estate
        .indexed()
        .filter(|(_, device)| wanted.is_none_or(|category| device.category == category))
        .filter(|(_, device)| here(device))
        .map(|(index, device)| row(view, lang, index, device))
        .filter(|row| state.is_none_or(|state| row.health == state))
        .filter(|row| !to_visit || row.risk > Some(RiskGrade::Low))
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
        div.filters role="group" aria-label=(lang.t(Text::Risk)) {
            a href=(ask.with("risk", "")) aria-current=[(!to_visit).then_some("true")] { (lang.t(Text::All)) }
            a href=(ask.with("risk", "visit")) aria-current=[to_visit.then_some("true")] { (lang.t(Text::VisitFirst)) }
        }
        (buildings(view, ask, building))
        @if rows.is_empty() { p { (lang.t(Text::NoDevices)) } } @else { (table(view, lang, &rows)) }
    };
    page(view, ask, "/devices", lang.t(Text::Devices), &body)
}

/// Which building; nothing where there is only one. A list to choose from: an estate has dozens.
fn buildings(view: &View, ask: &Request, wanted: &str) -> Markup {
    let lang = ask.lang;
    let mut names: Vec<&str> = view.estate.devices().iter().map(Device::building).collect();
    names.sort_by(|one, other| plan::by_number(one, other));
    names.dedup();
    if names.len() < 2 {
        return html! {};
    }
    html! {
        form.fields.inline method="get" {
            @for (key, value) in ask.query.iter().filter(|(key, _)| *key != "building") {
                input type="hidden" name=(key) value=(value);
            }
            label { (lang.t(Text::Building))
                select name="building" {
                    option value="" { (lang.t(Text::All)) }
                    @for name in names {
                        option value=(plan::query_of(name)) selected[plan::query_of(name) == wanted] {
                            @if name.is_empty() { (lang.t(Text::NoPlace)) } @else { (name) }
                        }
                    }
                }
            }
            button { (lang.t(Text::Filter)) }
        }
    }
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
    let risk = view.risk.device(index).and_then(|risk| risk.grade);
    view.snapshot.with(index, |state| Row {
        device,
        health: state.health,
        risk,
        cause: state
            .cause
            .as_ref()
            .map_or(String::new(), |cause| lang.pick(cause.zh(), cause.en())),
        heard: state.heard_at,
        values: values(device, state)
            .take(MOST_VALUES)
            .map(|(point, value)| {
                (show::point_name(lang, point).to_owned(), show::value(lang, point, value))
            })
            .collect(),
    })
}

/// What is known, that of the whole device before that of its members.
fn values<'d>(
    device: &'d Device,
    state: &'d DeviceState,
) -> impl Iterator<Item = (&'d Point, &'d Value)> {
    let known = move |of_member: bool| {
        let points = device.points.iter().zip(&state.points);
        points
            .filter(move |(point, _)| device.group_of(point).is_some() == of_member)
            .filter_map(|(point, now)| Some((point, now.value.as_ref()?)))
    };
    known(false).chain(known(true))
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
                    (health(lang, row.health)) " "
                    (risk::grade(lang, row.risk))
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
