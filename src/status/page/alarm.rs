//! One alarm with everything that happened to it.

use maud::{Markup, html};

use super::alarms::{acts, clock, level, said, state, values, whereabouts};
use crate::alarm::{Alarm, Board, Entry};
use crate::status::alarms::{now, started};
use crate::status::layout::{Request, page, pill};
use crate::status::show;
use crate::status::text::{Lang, Text};
use crate::status::view::View;

/// Most members that are listed.
const MOST: usize = 300;

pub(in crate::status) fn alarm(
    view: &View,
    ask: &Request,
    board: &Board,
    alarm: &Alarm,
    ledger: &[Entry],
) -> Markup {
    let lang = ask.lang;
    let now = now(view);
    let body = html! {
        p.small { a href="/alarms" { (lang.t(Text::Alarms)) } }
        h1 { (said(lang, &alarm.title)) }
        p { (level(lang, alarm.level)) " " (state(lang, alarm.state)) @if alarm.flapping { " " (pill("note", lang.pick("反复", "flapping"))) } }
        section.card {
            div { (whereabouts(view, lang, alarm)) }
            div { (values(view, lang, alarm)) }
            div { (clock(lang, board, alarm, &now)) }
            div { (lang.t(Text::WhatToDo)) (lang.colon()) (said(lang, &alarm.todo)) }
            @if let Some(window) = &alarm.silenced { div.soft { (lang.pick("维护窗口内静默", "Silenced by the maintenance window")) (lang.colon()) (window) } }
            @if let Some(group) = &alarm.group { div { (lang.pick("属于成组报警", "Belongs to the group alarm")) (lang.colon()) a href={ "/alarms/" (group) } { (group) } } }
            @if let Some(warning) = started(view, alarm) { div { (lang.pick("已启动应急广播", "It warns people")) (lang.colon()) a href={ "/broadcast/" (warning) } { (warning) } } }
            @if let Some(reason) = &alarm.reason { div { (lang.pick("关闭原因", "Closed because")) (lang.colon()) (reason) } }
            div.small.soft { (lang.pick("编号", "Number")) " " (alarm.id) " · " (lang.pick("规则", "rule")) " " (alarm.key.rule) }
            (acts(ask, alarm, "alarm"))
        }
        h2 { (lang.pick("经过", "What happened")) }
        (steps(lang, ledger))
        (members(view, lang, board, alarm))
    };
    page(view, ask, "/alarms", said(lang, &alarm.title), &body)
}

fn steps(lang: Lang, ledger: &[Entry]) -> Markup {
    let columns =
        [lang.t(Text::Time), lang.t(Text::What), lang.t(Text::Who), lang.pick("说明", "Remarks")];
    html! {
        table {
            thead { tr { @for column in columns { th { (column) } } } }
            tbody { @for entry in ledger { tr {
                td.num data-l=(columns[0]) { div {
                    (show::date(entry.at_ms))
                    @if !entry.trusted { div.small.soft { (lang.t(Text::UntrustedTime)) } }
                } }
                td data-l=(columns[1]) { (lang.words(&entry.step.words())) @if let Some(count) = entry.escalation { " " (count) } }
                td data-l=(columns[2]) { (entry.by.as_deref().unwrap_or(lang.pick("自动", "by itself"))) }
                td data-l=(columns[3]) { div {
                    @if let Some(value) = &entry.value { (show::shorten(&value.to_string())) " " }
                    (entry.reason.as_deref().unwrap_or_default())
                } }
            } } }
        }
    }
}

fn members(view: &View, lang: Lang, board: &Board, alarm: &Alarm) -> Markup {
    let all: Vec<_> = board.members(alarm.id).collect();
    html! {
        @if !all.is_empty() {
            h2 { (lang.pick("成员", "Members")) " " span.soft.num { (all.len()) } }
            ul.list { @for member in all.iter().take(MOST) { li {
                span { (state(lang, member.state)) }
                span.t { (whereabouts(view, lang, member)) }
                span.small { (values(view, lang, member)) }
            } } }
            @if all.len() > MOST { p.soft { "… " (all.len() - MOST) } }
        }
    }
}
