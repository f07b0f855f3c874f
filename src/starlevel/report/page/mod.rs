//! A report as one page: no script, nothing from elsewhere, printable on A4. Chinese first, the
//! English beneath it. Everything on it comes from the [`Report`] alone, which the page also holds
//! as JSON in an element of its own.

mod attested;
mod categories;
mod chart;
mod daily;
mod environment;
mod proof;
mod result;
mod risk;
mod self_test;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::document::Report;
use crate::starlevel::evidence::Zone;
use crate::starlevel::scorecard::page::STYLE;

const REPORT_STYLE: &str = include_str!("page.css");
/// What the report's own text stands between.
const DATA_BEGIN: &str = "<script type=\"application/json\" id=\"report\">";
const DATA_END: &str = "</script>";

/// The page; its signature comes after it.
pub(super) fn render(report: &Report) -> String {
    let title = format!("{} · 智慧小区星级自评报告 · {}", report.estate.gateway, made(report));
    let page = html! {
        (DOCTYPE)
        html lang="zh-CN" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(REPORT_STYLE)) (PreEscaped(margins(report))) }
            }
            body {
                @for section in SECTIONS { (section(report)) }
                // The text of the document, for machines; a `<` in it is written otherwise.
                (PreEscaped(DATA_BEGIN))
                (PreEscaped(report.to_json().replace('<', "\\u003c")))
                (PreEscaped(DATA_END))
            }
        }
    };
    page.into_string()
}

/// The sections in their order. One that has nothing to say renders nothing.
const SECTIONS: &[fn(&Report) -> Markup] = &[
    result::opening,
    result::lacking,
    categories::categories,
    daily::charts,
    result::checks,
    result::groups,
    attested::attestations,
    risk::risk,
    self_test::self_test,
    environment::environment,
    daily::table,
    attested::advisory,
    proof::definitions,
    proof::weak_points,
    proof::rules,
    proof::evidence,
];

/// The report's text in a page.
pub(super) fn embedded(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once(DATA_BEGIN)?;
    rest.split_once(DATA_END).map(|(json, _)| json)
}

fn heading(zh: &str, en: &str) -> Markup {
    html! { h2 { (zh) span.en { (en) } } }
}

fn zone(report: &Report) -> Zone {
    Zone::named(&report.time_zone)
        .or_else(|| Zone::named("UTC"))
        .expect("the zone UTC is always known")
}

fn time(report: &Report, unix_ms: i64) -> String {
    zone(report).time(unix_ms)
}

fn made(report: &Report) -> String {
    report.made_at_ms.map_or_else(|| "时钟未校准 clock not trusted".into(), |at| time(report, at))
}

/// Running header and footer of the printed pages.
fn margins(report: &Report) -> String {
    let estate = match report.estate.name.as_str() {
        "" => report.estate.gateway.clone(),
        name => format!("{name} · {}", report.estate.gateway),
    };
    format!(
        "@page{{@top-left{{content:{}}}@top-right{{content:{}}}@bottom-left{{content:{}}}\
         @bottom-right{{content:counter(page) \" / \" counter(pages)}}}}",
        css_text(&estate),
        css_text(&made(report)),
        css_text(&format!("{} · {}", report.banner.zh, report.banner.en)),
    )
}

/// A text as a CSS string, in which nothing can end the string or the element.
fn css_text(text: &str) -> String {
    let mut out = String::from("\"");
    for sign in text.chars() {
        if sign.is_alphanumeric() || " ·：，。+-_.:/()（）".contains(sign) {
            out.push(sign);
        } else {
            out.push_str(&format!("\\{:x} ", u32::from(sign)));
        }
    }
    out.push('"');
    out
}
