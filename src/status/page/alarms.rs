//! The board of alarms: worst first, with clocks that run, what to do, and the forms to do it.

use maud::{Markup, html};

use crate::alarm::{Alarm, Board, Filter, MOST_OPEN, Now, Page, Said, Window};
use crate::model::{AlarmLevel, AlarmState, Category};
use crate::starlevel::LONGEST_NAME;
use crate::status::alarms::now;
use crate::status::layout::{Request, page, pill};
use crate::status::show;
use crate::status::text::{Lang, Text};
use crate::status::view::View;

/// Most open alarms of a page.
const MOST: usize = 200;

pub(in crate::status) fn alarms(
    view: &View,
    ask: &Request,
    board: &Board,
    filter: &Filter,
    past: &Page,
) -> Markup {
    let lang = ask.lang;
    let now = now(view);
    let closed = ask.query("state") == "closed";
    let body = html! {
        h1 { (lang.t(Text::Alarms)) }
        (summary(lang, board))
        (filters(ask))
        @if closed { (history(view, ask, board, past, &now)) }
        @else { (open(view, ask, board, filter, &now)) }
        (windows(ask, board, &now))
    };
    page(view, ask, "/alarms", lang.t(Text::Alarms), &body)
}

/// The texts of an alarm in the language of the page.
pub(super) fn said(lang: Lang, said: &Said) -> &str {
    lang.pick(&said.zh, &said.en)
}

/// A level as a coloured word.
pub(super) fn level(lang: Lang, level: AlarmLevel) -> Markup {
    let class = match level {
        AlarmLevel::Red => "red",
        AlarmLevel::Orange => "orange",
        AlarmLevel::Yellow => "yellow",
        AlarmLevel::Blue => "blue",
    };
    html! { span class={ "pill " (class) } { (lang.words(&level.words())) } }
}

/// A state as a coloured word.
pub(super) fn state(lang: Lang, state: AlarmState) -> Markup {
    let class = match state {
        AlarmState::Raised => "crit",
        AlarmState::Acknowledged => "warn",
        AlarmState::Cleared => "ok",
        AlarmState::Closed => "off",
    };
    pill(class, lang.words(&state.words()))
}

fn summary(lang: Lang, board: &Board) -> Markup {
    html! {
        p.soft {
            @for (at, one) in AlarmLevel::ALL.iter().enumerate() {
                @if at > 0 { " · " }
                (lang.words(&one.words())) " " span.num { (board.counts.open[at]) }
            }
            @if board.counts.silenced > 0 {
                " · " (lang.pick("维护静默", "silenced")) " " span.num { (board.counts.silenced) }
            }
        }
        @if !board.contact.is_empty() {
            p { (lang.pick("升级联系人", "Escalate to")) (lang.colon()) b { (board.contact) } }
        }
        @if board.open.len() >= MOST_OPEN {
            p.banner.warn { (lang.pick("未关闭的报警过多，新的报警在等待：请先关闭已处理的报警", "Too many alarms are open, and new ones wait: close those that are done")) }
        }
    }
}

fn filters(ask: &Request) -> Markup {
    let lang = ask.lang;
    let link = |key: &str, value: &str, text: &str| {
        let path = ask.with(key, value);
        html! { a href=(path) aria-current=[(ask.query(key) == value).then_some("true")] { (text) } }
    };
    html! {
        div.filters {
            (link("state", "", lang.pick("未关闭", "Open")))
            (link("state", "closed", lang.pick("历史", "History")))
        }
        div.filters {
            (link("level", "", lang.pick("全部级别", "All levels")))
            @for one in AlarmLevel::ALL { (link("level", one.word(), lang.words(&one.words()))) }
        }
    }
}

/// Device and place of an alarm.
pub(super) fn whereabouts(view: &View, lang: Lang, alarm: &Alarm) -> Markup {
    let device = alarm.key.device.as_ref().and_then(|id| view.estate.find(id));
    html! {
        @match (device.map(|index| view.estate.device(index)), &alarm.key.device) {
            (Some(device), _) => {
                a href={ "/devices/" (device.id) } { (device.title()) }
                @if !device.place.is_empty() { " · " (device.place) }
            }
            (None, Some(id)) => { (id) }
            (None, None) if alarm.is_group() => {
                (alarm.members.unwrap_or(0)) " " (lang.pick("台设备", "devices"))
            }
            (None, None) => { (lang.pick("网关自身", "the gateway itself")) @if !alarm.key.about.is_empty() { " · " (alarm.key.about) } }
        }
    }
}

/// The value that raised an alarm, with its limit.
pub(super) fn values(view: &View, lang: Lang, alarm: &Alarm) -> Markup {
    let index = alarm.key.device.as_ref().and_then(|id| view.estate.find(id));
    let point = index.zip(alarm.key.point.as_ref()).and_then(|(index, name)| {
        view.estate.device(index).points.iter().find(|point| *point.name == **name)
    });
    html! {
        @if let Some(point) = point { (show::point_name(lang, point)) " " }
        @if let Some(value) = &alarm.value {
            @match point {
                Some(point) => { (show::value(lang, point, value)) }
                None => { (show::shorten(&value.to_string())) }
            }
        }
        @if let Some(limit) = alarm.limit {
            span.soft { " (" (lang.pick("限值", "limit")) " " (limit) ")" }
        }
    }
}

/// The clock that runs, as words.
pub(super) fn clock(lang: Lang, board: &Board, alarm: &Alarm, now: &Now) -> Markup {
    let Some(left) = board.left_ms(alarm, now) else { return html! {} };
    let what = match alarm.acknowledged {
        None => lang.pick("确认", "acknowledge"),
        Some(_) => lang.pick("关闭", "close"),
    };
    let span = show::span(lang, std::time::Duration::from_millis(left.unsigned_abs()));
    html! {
        @if left < 0 { b.overdue { (lang.pick(format!("{what}已超时 {span}"), format!("{span} overdue to {what}"))) } }
        @else { span { (lang.pick(format!("{span}内{what}"), format!("{span} left to {what}"))) } }
        @if alarm.escalations > 0 {
            " " span.soft { (lang.pick(format!("已升级 {} 次", alarm.escalations), format!("escalated {}×", alarm.escalations))) }
        }
    }
}

fn open(view: &View, ask: &Request, board: &Board, filter: &Filter, now: &Now) -> Markup {
    let wanted: Vec<_> = board.called().filter(|alarm| filter.wants(alarm)).collect();
    let lang = ask.lang;
    html! {
        @if wanted.is_empty() {
            section.state.ok { h2.first { (lang.pick("没有未关闭的报警", "No alarm is open")) } }
        } @else {
            ul.list.alarms { @for alarm in wanted.iter().take(MOST) { (row(view, ask, board, alarm, now)) } }
            @if wanted.len() > MOST {
                p.soft { (lang.pick(format!("另有 {} 个，请按级别筛选", wanted.len() - MOST), format!("{} more: choose a level", wanted.len() - MOST))) }
            }
        }
    }
}

fn row(view: &View, ask: &Request, board: &Board, alarm: &Alarm, now: &Now) -> Markup {
    let lang = ask.lang;
    let age = std::time::Duration::from_millis(board.age_ms(alarm, now));
    html! {
        li {
            span { (level(lang, alarm.level)) }
            a.t href={ "/alarms/" (alarm.id) } { (said(lang, &alarm.title)) }
            span { (state(lang, alarm.state)) }
            div.d.small {
                div {
                    (whereabouts(view, lang, alarm))
                    @if alarm.key.point.is_some() || alarm.value.is_some() || alarm.limit.is_some() {
                        " · " (values(view, lang, alarm))
                    }
                }
                div {
                    span.soft { (lang.t(Text::Since)) " " (show::span(lang, age)) }
                    @if alarm.times > 1 { span.soft { " · " (alarm.times) "×" } }
                    @if alarm.flapping { " " (pill("note", lang.pick("反复", "flapping"))) }
                    " · " (clock(lang, board, alarm, now))
                }
                div.soft { (lang.t(Text::WhatToDo)) (lang.colon()) (said(lang, &alarm.todo)) }
                (acts(ask, alarm, "board"))
            }
        }
    }
}

/// The forms of an open alarm; `from` is where they lead back to.
pub(super) fn acts(ask: &Request, alarm: &Alarm, from: &str) -> Markup {
    let lang = ask.lang;
    html! {
        @if ask.may_act() && alarm.is_called() {
            div.acts {
                @if alarm.acknowledged.is_none() {
                    form.fields.inline method="post" action={ "/alarms/" (alarm.id) "/acknowledge" } {
                        (ask.form_field()) (whence(from)) (by(ask))
                        button { (lang.pick("确认", "Acknowledge")) }
                    }
                }
                details {
                    summary { (lang.pick("关闭报警…", "Close the alarm…")) }
                    form.fields.inline method="post" action={ "/alarms/" (alarm.id) "/close" } {
                        (ask.form_field()) (whence(from)) (by(ask))
                        label { (lang.pick("原因与处理结果", "Reason and what was done"))
                            input name="reason" required maxlength="300" size="40";
                        }
                        @if alarm.active {
                            p.small.soft { (lang.pick("条件仍然成立：恢复后再次出现才会重新报警", "The condition still holds: it is raised again only after it was gone")) }
                        }
                        button { (lang.pick("关闭", "Close")) }
                    }
                }
            }
        }
    }
}

fn whence(from: &str) -> Markup {
    html! { input type="hidden" name="from" value=(from); }
}

/// Who does it: asked for only where nobody is logged in.
fn by(ask: &Request) -> Markup {
    html! {
        @if let Some(name) = ask.person() { input type="hidden" name="by" value=(name); }
        @else {
            label { (ask.lang.t(Text::YourName))
                input name="by" required maxlength=(LONGEST_NAME) autocomplete="name";
            }
        }
    }
}

fn history(view: &View, ask: &Request, board: &Board, past: &Page, now: &Now) -> Markup {
    let lang = ask.lang;
    let columns = [
        lang.pick("级别", "Level"),
        lang.pick("报警", "Alarm"),
        lang.pick("设备", "Device"),
        lang.pick("触发", "Raised"),
        lang.pick("关闭", "Closed"),
        lang.pick("原因", "Reason"),
    ];
    let when = |t: u64| show::date(board.line.wall_ms(t, now));
    html! {
        @if past.alarms.is_empty() { p { (lang.pick("没有已关闭的报警", "No alarm was closed")) } } @else {
            table {
                thead { tr { @for column in columns { th { (column) } } } }
                tbody { @for alarm in &past.alarms { tr {
                    td data-l=(columns[0]) { (level(lang, alarm.level)) }
                    td.head data-l=(columns[1]) { a href={ "/alarms/" (alarm.id) } { (said(lang, &alarm.title)) } }
                    td data-l=(columns[2]) { div { (whereabouts(view, lang, alarm)) } }
                    td.num data-l=(columns[3]) { (when(alarm.raised)) }
                    td.num data-l=(columns[4]) { (alarm.closed.map_or_else(|| "—".to_owned(), when)) }
                    td data-l=(columns[5]) { div {
                        (alarm.reason.as_deref().unwrap_or("—"))
                        @if let Some(by) = &alarm.closed_by { div.small.soft { (by) } }
                    } }
                } } }
            }
        }
        @if let Some(next) = past.next {
            p.next { a href=(ask.with("before", &next.to_string())) { (lang.t(Text::Older)) } }
        }
    }
}

fn windows(ask: &Request, board: &Board, now: &Now) -> Markup {
    let lang = ask.lang;
    html! {
        h2 id="maintenance" { (lang.pick("维护窗口", "Maintenance windows")) }
        p.small.soft.under { (lang.pick("窗口内新出现的报警静默；结束时仍成立的会立即报警。", "What begins within a window is silenced; what still holds at its end is raised then.")) }
        @if !board.windows.is_empty() {
            ul.list { @for window in board.windows.iter().rev() { (window_row(ask, window, now)) } }
        }
        @if ask.may_act() { (window_form(ask)) }
    }
}

fn window_row(ask: &Request, window: &Window, now: &Now) -> Markup {
    let lang = ask.lang;
    let (class, word) = match (window.over, window.is_open(now.wall_ms)) {
        (true, _) => ("off", lang.pick("已结束", "over")),
        (false, true) => ("warn", lang.pick("进行中", "open")),
        (false, false) => ("note", lang.pick("计划中", "planned")),
    };
    let scope = &window.scope;
    let names: Vec<&str> = [&scope.devices, &scope.places, &scope.categories]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    html! {
        li {
            span { (pill(class, word)) }
            span.t { (window.name) }
            span.soft.small { (window.by) }
            div.d.small {
                div.num { (show::date(window.from_ms)) " – " (show::date(window.to_ms)) }
                div { @if names.is_empty() { (lang.pick("全部设备", "everything")) } @else { (names.join(lang.pick("、", ", "))) } }
                @if let Some(by) = &window.ended_by { div.soft { (lang.pick("提前结束", "ended early")) (lang.colon()) (by) } }
                @if ask.may_act() && !window.over {
                    form.fields.inline method="post" action={ "/maintenance/" (window.number) "/end" } {
                        (ask.form_field()) (by(ask))
                        button { (lang.pick("结束", "End it")) }
                    }
                }
            }
        }
    }
}

fn window_form(ask: &Request) -> Markup {
    let lang = ask.lang;
    html! {
        details.card {
            summary { (lang.pick("新建维护窗口…", "Plan a maintenance window…")) }
            form.fields method="post" action="/maintenance" {
                (ask.form_field())
                label { (lang.pick("事由", "What is done")) input name="name" required maxlength=(LONGEST_NAME); }
                (by(ask))
                label { (lang.pick("开始（不填为现在）", "Begin (now when empty)")) input type="datetime-local" name="begin"; }
                label { (lang.pick("结束", "End")) input type="datetime-local" name="to" required; }
                label { (lang.pick("设备类别（不填为全部）", "Category (all when empty)"))
                    select name="category" {
                        option value="" { "—" }
                        @for category in Category::ALL { option value=(category.word()) { (lang.pick(category.zh(), category.en())) } }
                    }
                }
                label { (lang.pick("设备编号，用空格分隔", "Devices, separated by spaces")) input name="devices" maxlength="1000"; }
                label { (lang.pick("位置开头，如 3号楼", "Places by their begin")) input name="places" maxlength="500"; }
                button { (lang.pick("新建", "Plan")) }
            }
        }
    }
}
