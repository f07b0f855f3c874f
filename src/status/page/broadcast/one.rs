//! One warning: what it says, and the receipt of each terminal and screen.

use maud::{Markup, html};

use super::{acknowledged, from, level, life, named, seconds, title};
use crate::broadcast::WarningRow;
use crate::model::{Device, ReceiptState, TerminalReceipt, WarningText};
use crate::starlevel::LONGEST_NAME;
use crate::status::layout::{Request, page, pill};
use crate::status::server::find;
use crate::status::show;
use crate::status::text::{Lang, Text};
use crate::status::view::View;

/// The page of one warning.
pub(in crate::status) fn one(view: &View, ask: &Request, row: &WarningRow) -> Markup {
    let lang = ask.lang;
    let body = html! {
        p.small { a href="/broadcast" { (title(lang)) } }
        h1 { (named(lang, row)) }
        p { (level(lang, row)) " " (life(lang, row)) " " span.soft.small { (row.id) } }
        (text(&row.zh, "zh-CN"))
        (text(&row.en, "en"))
        @if let Some(alarm) = row.id.alarm() { p { a href={ "/alarms/" (alarm) } { (lang.pick("所属报警", "The alarm that started it")) } } }
        (facts(view, lang, row))
        @if row.over_ms.is_none() && ask.may_act() { (cancel(ask, row)) }
        (receipts(view, lang, row))
    };
    page(view, ask, "/broadcast", title(lang), &body)
}

fn text(text: &WarningText, tag: &str) -> Markup {
    html! { @if !text.is_empty() {
        p lang=(tag) { b { (text.title) } " " (text.body) }
    } }
}

/// What people call the zones; one that is configured no more has its name only.
fn named_zones(view: &View, lang: Lang, names: &[String]) -> String {
    let zones = view.broadcast.as_ref().map(|desk| desk.view().zones.clone()).unwrap_or_default();
    let title = |name: &String| {
        let zone = zones.iter().find(|zone| zone.name == *name);
        zone.map_or_else(|| name.clone(), |zone| lang.pick(&zone.zh, &zone.en).to_owned())
    };
    names.iter().map(title).collect::<Vec<_>>().join(lang.pick("、", ", "))
}

fn facts(view: &View, lang: Lang, row: &WarningRow) -> Markup {
    let ms = |ms: Option<u64>| ms.map_or_else(|| "—".to_owned(), seconds);
    let zones = if row.zones.is_empty() {
        lang.pick("全区", "the whole estate").to_owned()
    } else {
        named_zones(view, lang, &row.zones)
    };
    let signed = row.signed_by.clone().unwrap_or_else(|| "—".to_owned());
    let mut rows = vec![
        (lang.pick("来源", "From"), from(lang, row)),
        (lang.pick("签名", "Signed by"), signed),
        (lang.pick("区域", "Where"), zones),
        (lang.pick("接收时间", "Accepted"), show::date(row.accepted_ms)),
        (lang.pick("最晚结束", "Over at the latest"), show::date(row.end_ms)),
        (lang.pick("播放次数", "Plays"), row.repeat.to_string()),
        (lang.pick("回执", "Receipts"), acknowledged(&row.counts)),
        (lang.pick("首个终端播出", "First terminal after"), ms(row.counts.first_after_ms)),
        (lang.pick("95% 终端播出", "95 of 100 after"), ms(row.counts.p95_after_ms)),
    ];
    if let Some(over) = row.over_ms {
        rows.push((lang.pick("结束时间", "Over"), show::date(over)));
    }
    if !row.cancelled_by.is_empty() {
        rows.push((lang.pick("取消人", "Cancelled by"), row.cancelled_by.clone()));
    }
    html! { dl { @for (name, value) in rows { div { dt { (name) } dd { (value) } } } } }
}

fn cancel(ask: &Request, row: &WarningRow) -> Markup {
    let lang = ask.lang;
    html! { details.card {
        summary { (lang.pick("取消播发", "Cancel it")) }
        form.fields method="post" action={ "/broadcast/" (row.id) "/cancel" } {
            (ask.form_field())
            p.small.soft { (lang.pick(
                "所有终端立即静音，信息屏恢复原内容；更高一级正在播发的不受影响。",
                "Every terminal falls silent at once, screens get their text back; others that are on go on.",
            )) }
            label { (lang.t(Text::YourName)) " "
                input name="by" required maxlength=(LONGEST_NAME) autocomplete="name" value=[ask.person()];
            }
            button { (lang.pick("取消播发", "Cancel it")) }
        }
    } }
}

fn state(lang: Lang, state: ReceiptState) -> Markup {
    let class = match state {
        ReceiptState::Playing | ReceiptState::Finished => "ok",
        ReceiptState::Failed | ReceiptState::Missed => "crit",
        ReceiptState::Interrupted => "warn",
        ReceiptState::Ordered | ReceiptState::Pausing => "note",
        ReceiptState::Waiting | ReceiptState::Cancelled => "off",
    };
    pill(class, lang.words(&state.words()))
}

/// What people call the terminal, and where it stands.
fn whose(view: &View, receipt: &TerminalReceipt) -> Markup {
    let device = find(view, &receipt.device).map(|index| view.estate.device(index));
    html! {
        a href={ "/devices/" (receipt.device) } { (device.map_or(&*receipt.device, Device::title)) }
        @if let Some(device) = device && !device.place.is_empty() { div.small.soft { (device.place) } }
    }
}

/// A screen shows; it does not play so many times.
fn plays(receipt: &TerminalReceipt) -> String {
    if receipt.plays == 0 { "—".to_owned() } else { receipt.plays.to_string() }
}

fn receipts(view: &View, lang: Lang, row: &WarningRow) -> Markup {
    let time = |ms: Option<i64>| ms.map_or_else(|| "—".to_owned(), show::date);
    let cells = |receipt: &TerminalReceipt| {
        [
            (lang.pick("下发", "Ordered"), time(receipt.ordered_ms)),
            (lang.pick("播出", "Playing since"), time(receipt.playing_ms)),
            (lang.pick("结束", "Through"), time(receipt.ended_ms)),
            (lang.pick("次数", "Plays"), plays(receipt)),
            (lang.pick("重试", "Again"), receipt.retries.to_string()),
        ]
    };
    html! {
        h2 { (lang.pick("终端与信息屏回执", "Receipts of terminals and screens")) " "
            span.soft.num { (row.receipts.len()) } }
        table {
            thead { tr {
                th { (lang.pick("设备", "Device")) } th { (lang.pick("状态", "State")) }
                th.num { (lang.pick("下发", "Ordered")) } th.num { (lang.pick("播出", "Playing since")) }
                th.num { (lang.pick("结束", "Through")) } th.num { (lang.pick("次数", "Plays")) }
                th.num { (lang.pick("重试", "Again")) }
            } }
            tbody { @for receipt in &row.receipts { tr {
                td.head { (whose(view, receipt)) }
                td data-l=(lang.pick("状态", "State")) { (state(lang, receipt.state)) }
                @for (name, value) in cells(receipt) { td.num data-l=(name) { (value) } }
            } } }
        }
    }
}
