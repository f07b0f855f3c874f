//! The emergency broadcast: what is on, what was, what was refused, drills; and to warn.

mod compose;
mod one;

use maud::{Markup, html};

use crate::broadcast::{BroadcastDesk, BroadcastView, WarningRow};
use crate::model::{ReceiptCounts, Severity, WarningSource, WarningStatus};
use crate::status::layout::{Request, page, pill};
use crate::status::show;
use crate::status::text::Lang;
use crate::status::view::View;

pub(in crate::status) use compose::{Draft, preview};
pub(in crate::status) use one::one;

/// Warnings that are listed.
const LISTED: usize = 50;

/// The title of all these pages.
pub(super) fn title(lang: Lang) -> &'static str {
    lang.pick("应急广播", "Emergency broadcast")
}

/// What is on, what was, and the forms.
pub(in crate::status) fn broadcast(view: &View, ask: &Request) -> Markup {
    let lang = ask.lang;
    let body = match &view.broadcast {
        Some(desk) => all(desk, ask),
        None => html! {
            h1 { (title(lang)) }
            p { (lang.pick(
                "没有可播发的终端或信息屏：请在设备的 allow 中允许 play、text。",
                "No terminal and no screen may be ordered: put `play` and `text` into the `allow` of the devices.",
            )) }
        },
    };
    page(view, ask, "/broadcast", title(lang), &body)
}

fn all(desk: &BroadcastDesk, ask: &Request) -> Markup {
    let lang = ask.lang;
    let seen = desk.view();
    let open: Vec<&WarningRow> = seen.warnings.iter().filter(|row| row.over_ms.is_none()).collect();
    let over: Vec<&WarningRow> = seen.warnings.iter().filter(|row| row.over_ms.is_some()).collect();
    let class = if open.iter().any(|row| is_meant(row)) { "crit" } else { "ok" };
    html! {
        div.state.(class) {
            h1 { @if open.is_empty() { (lang.pick("当前没有播发", "Nothing is on the air")) } @else {
                (lang.pick("正在播发", "On the air")) (lang.colon()) (open.len())
            } }
            p.soft { (lang.pick("终端", "terminals")) " " (seen.terminals) " · "
                (lang.pick("信息屏", "screens")) " " (seen.screens)
                @if let Some(ms) = seen.latency.p95_ms {
                    " · " (lang.pick("接收至播出（95%）", "accepted to playing (95 of 100)")) " " (seconds(ms))
                }
            }
        }
        @if !open.is_empty() { (list(lang, &open)) }
        @if ask.may_act() { (compose::form(&seen, ask)) }
        h2 { (lang.pick("播发记录", "Earlier warnings")) " " span.soft.num { (over.len()) } }
        @if over.is_empty() { p.soft { (lang.pick("尚无记录", "Nothing yet")) } } @else { (list(lang, &over)) }
        (drills(&seen, lang))
        (refused(&seen, lang))
    }
}

fn is_meant(row: &WarningRow) -> bool {
    row.status == WarningStatus::Actual && row.severity != Severity::Test
}

fn list(lang: Lang, rows: &[&WarningRow]) -> Markup {
    html! { table {
        thead { tr {
            th { (lang.pick("预警", "Warning")) } th { (lang.pick("级别", "Level")) }
            th { (lang.pick("来源", "From")) } th.num { (lang.pick("接收时间", "Accepted")) }
            th.num { (lang.pick("回执", "Receipts")) } th { (lang.pick("状态", "State")) }
        } }
        tbody { @for row in rows.iter().take(LISTED) { tr {
            td.head { a href={ "/broadcast/" (row.id) } { (named(lang, row)) }
                div.small.soft { (row.id) } }
            td data-l=(lang.pick("级别", "Level")) { div { (level(lang, row)) } }
            td data-l=(lang.pick("来源", "From")) { (from(lang, row)) }
            td.num data-l=(lang.pick("接收时间", "Accepted")) { (show::date(row.accepted_ms)) }
            td.num data-l=(lang.pick("回执", "Receipts")) { (acknowledged(&row.counts)) }
            td data-l=(lang.pick("状态", "State")) { (life(lang, row)) }
        } } }
    } }
}

fn acknowledged(counts: &ReceiptCounts) -> String {
    format!("{} / {}", counts.acknowledged, counts.addressed)
}

/// The title in the language of the page, else in the other.
pub(super) fn named(lang: Lang, row: &WarningRow) -> &str {
    let (first, second) = match lang {
        Lang::Zh => (&row.zh, &row.en),
        Lang::En => (&row.en, &row.zh),
    };
    let texts = [&first.title, &second.title, &first.body, &second.body];
    texts.into_iter().find(|text| !text.is_empty()).map_or("—", String::as_str)
}

/// The level as a coloured word.
pub(super) fn severity(lang: Lang, severity: Severity) -> Markup {
    let (class, zh, en) = match severity {
        Severity::Red => ("red", "红色", "red"),
        Severity::Orange => ("orange", "橙色", "orange"),
        Severity::Yellow => ("yellow", "黄色", "yellow"),
        Severity::Blue => ("blue", "蓝色", "blue"),
        Severity::Unknown => ("off", "未定级", "not graded"),
        Severity::Test => ("off", "测试", "test"),
    };
    pill(class, lang.pick(zh, en))
}

fn level(lang: Lang, row: &WarningRow) -> Markup {
    html! {
        (severity(lang, row.severity))
        @match row.status {
            WarningStatus::Actual => {}
            WarningStatus::Exercise => { " " (pill("off", lang.pick("演练", "drill"))) }
            WarningStatus::Test => { " " (pill("off", lang.pick("测试", "test"))) }
        }
    }
}

fn from(lang: Lang, row: &WarningRow) -> String {
    let way = match row.source {
        WarningSource::Json | WarningSource::Cap | WarningSource::Ebm => {
            lang.pick("平台", "platform")
        }
        WarningSource::Staff => lang.pick("值班人员", "staff"),
        WarningSource::Alarm => lang.pick("告警规则", "alarm rule"),
        WarningSource::Calendar => lang.pick("演练计划", "calendar"),
    };
    let sender = &row.sender;
    if sender.is_empty() { way.to_owned() } else { format!("{way} · {sender}") }
}

fn life(lang: Lang, row: &WarningRow) -> Markup {
    match (row.over_ms, row.cancelled_by.is_empty()) {
        (None, _) => pill("note", lang.pick("进行中", "on")),
        (Some(_), true) => pill("ok", lang.pick("已结束", "over")),
        (Some(_), false) => pill("off", lang.pick("已取消", "cancelled")),
    }
}

/// `63 ms`, `1.2 s`.
pub(super) fn seconds(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms}\u{a0}ms"),
        _ => format!("{}.{}\u{a0}s", ms / 1000, ms % 1000 / 100),
    }
}

fn drills(seen: &BroadcastView, lang: Lang) -> Markup {
    html! {
        h2 { (lang.pick("演练计划", "Drills")) }
        @if seen.drills.is_empty() {
            p.soft { (lang.pick(
                "未配置演练：[[broadcast.drill]]",
                "No drill is planned: [[broadcast.drill]]",
            )) }
        } @else { ul.list { @for drill in &seen.drills { li {
            span { (pill("off", lang.pick("演练", "drill"))) }
            span.t { (drill.name) }
            span.num { @if let Some(ms) = drill.next_ms { (show::date(ms)) } @else { "—" } }
        } } } }
    }
}

fn refused(seen: &BroadcastView, lang: Lang) -> Markup {
    html! { @if !seen.refused.is_empty() {
        h2 { (lang.pick("已拒绝的消息", "Refused messages")) " " span.soft.num { (seen.refused.len()) } }
        ul.list { @for row in &seen.refused { li {
            span { (pill("warn", lang.pick("拒绝", "refused"))) }
            span.t { (lang.words(&row.reason.words())) }
            span.num { (show::date(row.at_ms)) }
            span.d.small.soft {
                (row.name) " · " (row.detail) " · " (row.bytes) " B · SHA-256 "
                span.hex { (row.sha256) }
                details { summary { (lang.pick("内容开头", "How it begins")) } span.hex { (row.begin) } }
            }
        } } }
    } }
}
