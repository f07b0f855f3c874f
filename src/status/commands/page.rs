//! The forms and lists of commands.

use std::collections::BTreeMap;

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};

use super::words::Word;
use super::{LIFE_MS, by, new_id, now_ms, ordered, request, typed};
use crate::command::{Known, Row, Target};
use crate::model::{
    CommandId, CommandOutcome, Device, DeviceId, DeviceIndex, DeviceState, Health, LONGEST_BY,
    Unit, Value,
};
use crate::profile::{Command, CommandKind};
use crate::status::access::Who;
use crate::status::exchange::refuse;
use crate::status::layout::{Request, encode, facts, page as frame, pill};
use crate::status::server::{Asked, Shared, answer};
use crate::status::show;
use crate::status::text::{Lang, Text};
use crate::status::view::View;

/// Commands of a page.
const A_PAGE: usize = 50;
/// Commands on the page of a device.
const OF_DEVICE: usize = 5;

fn find<'v>(view: &'v View, id: &str) -> Option<(DeviceIndex, &'v Target)> {
    let index = view.estate.find(&DeviceId::new(id).ok()?)?;
    Some((index, view.commands.as_ref()?.target(index)?))
}

/// The last commands of a device.
pub(in crate::status) async fn of_device(view: &View, device: DeviceIndex) -> Vec<Row> {
    let Some(router) = &view.commands else { return Vec::new() };
    let id = view.estate.device(device).id.to_string();
    // While the gateway stops there is nothing to show.
    router.recent(None, Some(id), OF_DEVICE).await.unwrap_or_default()
}

/// On the page of a device: what may be ordered, and what was.
pub(in crate::status) fn section(
    view: &View,
    ask: &Request,
    index: DeviceIndex,
    state: &DeviceState,
    recent: &[Row],
) -> Markup {
    let lang = ask.lang;
    let device = view.estate.device(index);
    let target = view.commands.as_ref().and_then(|router| router.target(index));
    let Some(target) =
        target.filter(|target| !target.profile.commands.is_empty() || !target.acts.is_empty())
    else {
        return html! {};
    };
    let allowed: Vec<Known<'_>> = target.allowed().collect();
    html! {
        h2 #commands { (lang.t(Text::Commands)) }
        @if allowed.is_empty() {
            p.soft.small { (lang.t(Word::NotAllowed)) " " code { (example(target)) } }
        } @else if !ask.may_act() {
            p.soft.small { (lang.t(Word::NeedRole)) }
        } @else if state.health != Health::Online {
            p { (lang.t(Word::Offline)) }
        } @else {
            details.card {
                summary { (lang.t(Word::Give)) }
                @for known in allowed { (choose(lang, device, state, known)) }
            }
        }
        @if !recent.is_empty() { (table(view, lang, recent, false)) }
        @if !recent.is_empty() { p.small { a href={ "/commands?device=" (device.id) } { (lang.t(Word::All)) } } }
    }
}

/// How a command of this device is allowed.
fn example(target: &Target) -> String {
    let first = target.profile.commands.first();
    format!("allow = [\"{}\"]", first.map_or("", |command| &*command.name))
}

/// The first step: a form that only asks for the second.
fn choose(lang: Lang, device: &Device, state: &DeviceState, known: Known<'_>) -> Markup {
    let words = known.words();
    html! {
        form.command method="get" action={ "/devices/" (device.id) "/command" } {
            input type="hidden" name="command" value=(known.name());
            label { b { (lang.words(&words)) } " " (input(lang, known)) }
            @if let Some(present) = present(lang, device, state, known) {
                " " span.soft.small { (lang.t(Text::Now)) (lang.colon()) (present) }
            }
            " " button { (lang.t(Word::Next)) }
        }
    }
}

fn present(lang: Lang, device: &Device, state: &DeviceState, known: Known<'_>) -> Option<String> {
    let Known::Command(Command { read_back: Some(point), .. }) = known else { return None };
    let value = state.point(*point).value.as_ref()?;
    Some(show::value(lang, &device.points[point.slot()], value))
}

/// Where the value is typed in.
fn input(lang: Lang, known: Known<'_>) -> Markup {
    let Known::Command(command) = known else { return html! {} };
    match &command.kind {
        CommandKind::Trigger => html! {},
        CommandKind::Number { unit, range: (low, high), decimals } => {
            let step = if *decimals == 0 {
                "1".to_owned()
            } else {
                format!("0.{:0>1$}", 1, usize::from(*decimals))
            };
            html! {
                input type="number" name="value" required min=(low) max=(high) step=(step) inputmode="decimal";
                " " (unit.sign()) " " span.soft.small { (low) "–" (high) }
            }
        }
        CommandKind::Flag => html! { select name="value" required {
            option value="" {}
            option value="on" { (lang.t(Word::On)) }
            option value="off" { (lang.t(Word::Off)) }
        } },
        CommandKind::Choice { labels } => html! { select name="value" required {
            option value="" {}
            @for label in labels { option value=(label.code) { (lang.pick(&label.zh, &label.en)) } }
        } },
        CommandKind::Text { max_length } => {
            html! { input name="value" required maxlength=(max_length); }
        }
    }
}

/// A value for people.
fn told(lang: Lang, known: Option<Known<'_>>, value: Option<&Value>) -> String {
    let unit = |unit: &Unit| match unit.sign() {
        "" => String::new(),
        sign => format!(" {sign}"),
    };
    let kind = match known {
        Some(Known::Command(command)) => Some(&command.kind),
        _ => None,
    };
    match (kind, value) {
        (_, None) => String::new(),
        (Some(CommandKind::Number { unit: of, .. }), Some(value)) => format!("{value}{}", unit(of)),
        (Some(CommandKind::Choice { labels }), Some(value)) => {
            #[expect(clippy::cast_precision_loss, reason = "codes are small")]
            let label = labels.iter().find(|label| value.number() == Some(label.code as f64));
            label.map_or_else(|| value.to_string(), |label| lang.pick(&label.zh, &label.en).clone())
        }
        (_, Some(Value::Flag(flag))) => lang.t(if *flag { Word::On } else { Word::Off }).to_owned(),
        (_, Some(value)) => value.to_string(),
    }
}

/// `GET /devices/{id}/command`: the second step, with everything once more before it is done.
pub(in crate::status) async fn confirm(
    State(view): Shared,
    Path(id): Path<String>,
    Asked(ask): Asked,
) -> Response {
    let lang = ask.lang;
    let found = find(&view, &id);
    let command = found.and_then(|(_, target)| target.find(ask.query("command")));
    let (Some((index, _)), Some((known, true))) = (found, command) else {
        return refuse(StatusCode::NOT_FOUND, lang.t(Word::Unknown));
    };
    let Ok(value) = typed(known, ask.query("value")) else {
        return refuse(StatusCode::BAD_REQUEST, lang.t(Word::Value));
    };
    let Some(command_id) = new_id() else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "the system gives no random numbers");
    };
    let device = view.estate.device(index);
    let state = view.snapshot.device(index);
    let words = known.words();
    let mut rows = vec![
        (Text::Device, device.title().to_owned()),
        (Text::Place, device.place.clone()),
        (Text::Command, lang.words(&words).to_owned()),
    ];
    if value.is_some() {
        rows.push((Text::Value, told(lang, Some(known), value.as_ref())));
    }
    rows.extend(present(lang, device, &state, known).map(|present| (Text::Now, present)));
    let title = lang.t(Word::Confirm);
    let may = ask.may_act();
    let body = html! {
        h1 { (title) }
        (facts(&rows, lang))
        @if let Some(danger) = known.danger() { p.banner.warn role="alert" { (lang.words(&danger)) } }
        @if may {
            form.confirm method="post" action={ "/devices/" (device.id) "/command" } {
                (ask.form_field())
                input type="hidden" name="id" value=(command_id);
                input type="hidden" name="issued" value=(now_ms(&view));
                input type="hidden" name="command" value=(known.name());
                input type="hidden" name="value" value=(ask.query("value"));
                @if ask.person().is_none() {
                    label { (lang.t(Text::YourName)) " "
                        input name="by" required maxlength=(LONGEST_BY) autocomplete="name";
                    }
                    " "
                }
                button { (lang.t(Word::Do)) }
                " " a href={ "/devices/" (device.id) "#commands" } { (lang.t(Word::Cancel)) }
            }
            p.soft.small { (lang.t(Word::Soon)) }
        } @else {
            p { (lang.t(Word::NeedRole)) }
        }
    };
    answer(&ask, frame(&view, &ask, "/devices", title, &body))
}

/// `POST /devices/{id}/command`: does it, and shows the device with what became of it.
pub(in crate::status) async fn order(
    State(view): Shared,
    Path(device): Path<String>,
    who: Who,
    Form(fields): Form<BTreeMap<String, String>>,
) -> Response {
    let field = |name: &str| fields.get(name).map_or("", String::as_str);
    let found = find(&view, &device).and_then(|(_, target)| target.find(field("command")));
    let Some((known, _)) = found else {
        return refuse(StatusCode::NOT_FOUND, "没有这条命令 / there is no such command");
    };
    let (id, issued) = (CommandId::new(field("id")), field("issued").parse::<i64>());
    let (Ok(id), Ok(issued), Ok(value)) = (id, issued, typed(known, field("value"))) else {
        return refuse(StatusCode::BAD_REQUEST, "表单有误 / the form is wrong");
    };
    let by = by(&who, field("by"));
    let times = (issued, issued.saturating_add(LIFE_MS));
    match ordered(&view, request((id, &device, known.name()), value, times, by)).await {
        Ok(_told_on_the_page) => {
            Redirect::to(&format!("/devices/{}#commands", encode(&device))).into_response()
        }
        Err(error) => refuse(StatusCode::SERVICE_UNAVAILABLE, &format!("网关正在停止 / {error}")),
    }
}

/// `GET /commands`: what was ordered, newest first.
pub(in crate::status) async fn list(State(view): Shared, Asked(ask): Asked) -> Response {
    let lang = ask.lang;
    let before = ask.query("before").parse().ok();
    let device = Some(ask.query("device").to_owned()).filter(|device| !device.is_empty());
    let rows = match &view.commands {
        Some(router) => router.recent(before, device, A_PAGE).await.unwrap_or_default(),
        None => Vec::new(),
    };
    let older = rows.last().filter(|_| rows.len() == A_PAGE).map(|row| row.number);
    let title = lang.t(Text::Commands);
    let body = html! {
        h1 { (title) }
        @if rows.is_empty() { p { (lang.t(Word::None)) } } @else { (table(&view, lang, &rows, true)) }
        @if let Some(older) = older {
            p { a href=(ask.with("before", &older.to_string())) { (lang.t(Text::Older)) } }
        }
    };
    answer(&ask, frame(&view, &ask, "/commands", title, &body))
}

fn table(view: &View, lang: Lang, rows: &[Row], devices: bool) -> Markup {
    html! { table {
        thead { tr {
            th { (lang.t(Text::Time)) }
            @if devices { th { (lang.t(Text::Device)) } }
            th { (lang.t(Text::Command)) } th { (lang.t(Text::Who)) } th { (lang.t(Text::Result)) }
        } }
        tbody { @for row in rows {
            @let found = find(view, &row.device);
            @let known = found.and_then(|(_, target)| target.find(&row.report.command)).map(|(k, _)| k);
            @let report = &row.report;
            tr id=(report.id) {
                td.head.num { (show::date(row.at_ms)) }
                @if devices { td data-l=(lang.t(Text::Device)) {
                    @match found {
                        Some((index, _)) => a href={ "/devices/" (row.device) } { (view.estate.device(index).title()) },
                        None => (row.device),
                    }
                } }
                td data-l=(lang.t(Text::Command)) {
                    (known.map_or_else(|| report.command.clone(), |known| lang.words(&known.words()).to_owned()))
                    " " b.num { (told(lang, known, report.value.as_ref())) }
                }
                td data-l=(lang.t(Text::Who)) { (report.by) div.small.soft { (lang.words(&report.source.words())) } }
                td data-l=(lang.t(Text::Result)) { (outcome(lang, known, &report.outcome)) }
            }
        } }
    } }
}

fn outcome(lang: Lang, known: Option<Known<'_>>, outcome: &CommandOutcome) -> Markup {
    let class = match outcome {
        CommandOutcome::Accepted => "note",
        CommandOutcome::Done { .. } => "ok",
        CommandOutcome::Unconfirmed { .. } | CommandOutcome::Unknown => "warn",
        CommandOutcome::Refused { .. } | CommandOutcome::Expired => "crit",
    };
    let read = match outcome {
        CommandOutcome::Done { read_back } | CommandOutcome::Unconfirmed { read_back } => {
            read_back.as_ref().map(|value| told(lang, known, Some(value)))
        }
        _ => None,
    };
    let (word, said) = match outcome {
        CommandOutcome::Refused { said, said_zh, .. } => {
            (lang.t(Text::Refused).to_owned(), Some(lang.pick(said_zh, said)))
        }
        other => (lang.words(&other.words()).to_owned(), None),
    };
    html! {
        (pill(class, &word))
        @if let Some(said) = said { div.small.soft { (said) } }
        @if let Some(read) = read { div.small.soft { (lang.t(Text::ReadBack)) (lang.colon()) (read) } }
    }
}
