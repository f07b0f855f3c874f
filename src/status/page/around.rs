//! What stands around a device: what is called about it, and who else is on its line.

use maud::{Markup, html};

use super::alarms::{clock, level, said, state, values};
use super::buses::{class, share, strip};
use crate::alarm::Board;
use crate::model::{DeviceIndex, UnitState};
use crate::status::alarms::now;
use crate::status::layout::{Request, health};
use crate::status::show;
use crate::status::text::Text;
use crate::status::view::View;

/// Open alarms shown; the board has all.
const MOST_ALARMS: usize = 10;
/// Neighbours shown on each side.
const NEIGHBOURS: usize = 3;

/// The open alarms of a device, and the way to those that are over.
pub(super) fn alarms(view: &View, ask: &Request, index: DeviceIndex) -> Markup {
    let lang = ask.lang;
    let Some(desk) = &view.alarms else { return html! {} };
    let board = desk.board();
    let id = &view.estate.device(index).id;
    let of_it: Vec<_> =
        board.open.iter().filter(|alarm| alarm.key.device.as_ref() == Some(id)).collect();
    let all = format!("/alarms?device={id}");
    html! {
        h2 id="alarms" { (lang.t(Text::Alarms)) " " span.soft.num { (of_it.len()) } }
        @if of_it.is_empty() {
            p.soft { (lang.pick("没有未关闭的报警", "No alarm is open")) }
        } @else {
            ul.list { @for alarm in of_it.iter().take(MOST_ALARMS) { (row(view, ask, &board, alarm)) } }
        }
        p.small {
            @if of_it.len() > MOST_ALARMS {
                a href=(all) { (lang.pick(format!("全部 {} 个", of_it.len()), format!("All {}", of_it.len()))) } " · "
            }
            a href={ (all) "&state=closed" } { (lang.pick("已关闭的报警", "Closed alarms")) }
        }
    }
}

fn row(view: &View, ask: &Request, board: &Board, alarm: &crate::alarm::Alarm) -> Markup {
    let lang = ask.lang;
    let now = now(view);
    let age = std::time::Duration::from_millis(board.age_ms(alarm, &now));
    html! {
        li {
            span { (level(lang, alarm.level)) }
            a.t href={ "/alarms/" (alarm.id) } { (said(lang, &alarm.title)) }
            span { (state(lang, alarm.state)) }
            div.d.small {
                (values(view, lang, alarm)) " "
                span.soft { (lang.t(Text::Since)) " " (show::span(lang, age)) }
                @if let Some(window) = &alarm.silenced {
                    " · " (lang.pick("维护静默", "silenced")) (lang.colon()) (window)
                }
                @else { " · " (clock(lang, board, alarm, &now)) }
            }
        }
    }
}

/// The devices beside it on the wire, with the share of their requests that they answer: a fault of
/// the line shows at several of them. And its frames.
pub(super) fn neighbours(view: &View, ask: &Request, index: DeviceIndex) -> Markup {
    let lang = ask.lang;
    let buses = view.buses.all();
    let found = buses.iter().find_map(|bus| {
        let place = bus.units.iter().position(|unit| unit.device == index)?;
        Some((bus, place))
    });
    let Some((bus, place)) = found else { return html! {} };
    let id = &view.estate.device(index).id;
    let (begin, end) = (place.saturating_sub(NEIGHBOURS), place + NEIGHBOURS + 1);
    let near = bus.units.iter().enumerate().take(end).skip(begin);
    html! {
        h2 id="line" { (lang.pick("同一总线", "On the same line")) (lang.colon()) a href={ "/buses/" (bus.id) } { (bus.id) } }
        (strip(view, lang, &bus.units))
        table {
            thead { tr {
                th { (lang.t(Text::Device)) } th { (lang.t(Text::Address)) }
                th { (lang.t(Text::State)) } th { (lang.t(Text::AnswerRate)) }
            } }
            tbody { @for (at, unit) in near { (unit_row(view, ask, at, unit, at == place)) } }
        }
        p { a href={ "/buses/" (bus.id) "?device=" (id) "#frames" } { (lang.pick("它的原始报文", "Its raw frames")) } }
    }
}

fn unit_row(view: &View, ask: &Request, at: usize, unit: &UnitState, own: bool) -> Markup {
    let lang = ask.lang;
    let device = view.estate.device(unit.device);
    html! { tr {
        td.head {
            span.soft.num { (at + 1) " " }
            @if own { b aria-current="true" { (device.title()) } }
            @else { a href={ "/devices/" (device.id) } { (device.title()) } }
        }
        td.num data-l=(lang.t(Text::Address)) { (unit.address) }
        td data-l=(lang.t(Text::State)) { (health(lang, view.snapshot.device(unit.device).health)) }
        td data-l=(lang.t(Text::AnswerRate)) {
            @match share(unit) {
                Some(share) => { span.pill.num.(class(unit)) { (show::percent(share)) } }
                None => { (lang.t(Text::NotRead)) }
            }
        }
    } }
}
