//! What the points of a device were: charts by a script of the page, or a table of the same values
//! that the gateway renders.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::history::{BUCKET_S, Bucket, Series, Slot};
use crate::model::{DeviceIndex, Point, PointIndex, Quantity, Value};
use crate::status::history::{Span, points_of};
use crate::status::layout::Request;
use crate::status::text::Lang;
use crate::status::view::View;
use crate::status::{assets, show};

/// Charts of values on a page; what is beyond is in the table for spreadsheets.
const MOST_CHARTS: usize = 16;
/// Bands of states on a page.
const MOST_BANDS: usize = 24;

/// Whether the page asked for is the one with a table.
pub(in crate::status) fn as_table(ask: &Request) -> bool {
    ask.query("as") == "table"
}

/// The section of the device's page; `table` is what the table shows, when that was asked for.
pub(in crate::status) fn history(
    view: &View,
    ask: &Request,
    index: DeviceIndex,
    table: Option<&Result<Vec<Series>, String>>,
) -> Markup {
    let lang = ask.lang;
    let points = points_of(view, index);
    if view.history.is_none() || points.is_empty() {
        return html! {};
    }
    let id = &view.estate.device(index).id;
    let span = Span::of(ask.query("span"));
    let csv = format!("/api/v1/devices/{id}/history.csv?lang={}", lang.word());
    html! {
        section #history data-keep data-device=(id) data-lang=(lang.tag()) data-span=(span.word())
            data-length=(span.length() * BUCKET_S) data-step=(span.step() * BUCKET_S) {
            link rel="stylesheet" href=(assets::history_style().path);
            h2 { (lang.pick("历史", "History")) }
            div.filters {
                @for one in Span::ALL {
                    a href={ (ask.with("span", one.word())) "#history" }
                        aria-current=[(one == span).then_some("true")] { (name(lang, one)) }
                }
                a href={ (ask.with("as", if as_table(ask) { "" } else { "table" })) "#history" } {
                    (if as_table(ask) { lang.pick("图表", "As charts") } else { lang.pick("表格", "As a table") })
                }
                a href=(csv) download { (lang.pick("下载 CSV（24 小时）", "CSV (24 h)")) }
                a href={ (csv) "&step=1h&span=30d" } download { (lang.pick("CSV（30 天）", "CSV (30 d)")) }
            }
            @if !view.clock.trusted() {
                p.banner.warn { (lang.pick(
                    "时钟尚不可信：读数暂不计入历史。",
                    "The clock is not trusted yet: what is read now is not put into the history.",
                )) }
            }
            @match table {
                Some(Ok(series)) => (rows(view, lang, index, span, series)),
                Some(Err(why)) => p.banner.warn { (why) },
                None => (charts(view, lang, index, &points)),
            }
        }
    }
}

fn name(lang: Lang, span: Span) -> &'static str {
    match span {
        Span::Day => lang.pick("24 小时", "24 hours"),
        Span::Week => lang.pick("7 天", "7 days"),
        Span::Month => lang.pick("30 天", "30 days"),
    }
}

/// Places for the charts, as high as they will be: a script draws into them.
fn charts(view: &View, lang: Lang, index: DeviceIndex, points: &[PointIndex]) -> Markup {
    let device = view.estate.device(index);
    let point = |index: &PointIndex| &device.points[index.slot()];
    let is_state = |point: &Point| point.quantity == Quantity::State;
    let (states, numbers): (Vec<&Point>, Vec<&Point>) =
        points.iter().map(point).partition(|p| is_state(p));
    let more = numbers.len().saturating_sub(MOST_CHARTS) + states.len().saturating_sub(MOST_BANDS);
    // A device that is read seldom has no gap between two of its readings.
    let every = device.expected_every.as_secs();
    html! {
        noscript { p { (lang.pick(
            "图表需要 JavaScript；“表格”显示同样的数值。",
            "The charts need JavaScript; “As a table” shows the same values.",
        )) } }
        p.soft.small #history-says role="status" {
            (lang.pick("带状区域为最低至最高，曲线为最后值；时间为 +08:00。", "The band is lowest to highest, the line the last value; times are +08:00."))
            @if more > 0 { " " (lang.pick(format!("另有 {more} 个测点仅在 CSV 中。"), format!("{more} more points are in the CSV only."))) }
        }
        div.charts {
            @for point in numbers.iter().take(MOST_CHARTS) { figure.card {
                figcaption { (show::point_name(lang, point)) @if !point.unit.sign().is_empty() { span.soft { " " (point.unit.sign()) } } }
                div.plot tabindex="0" role="img" aria-label=(show::point_name(lang, point))
                    data-chart=(point.name) data-unit=(point.unit.sign()) data-decimals=(point.decimals)
                    data-every=(every) data-counter[point.quantity == Quantity::Counter] {}
            } }
        }
        @if !states.is_empty() { div.card.bands {
            @for point in states.iter().take(MOST_BANDS) { div.band {
                span.small { (show::point_name(lang, point)) }
                div.strip-of-time role="img" aria-label=(show::point_name(lang, point)) data-band=(point.name)
                    data-every=(every) data-labels=(labels(lang, point)) {}
            } }
            div.band.scale { span {} div.ends.small.soft { span data-end="from" { "—" } span data-end="to" { "—" } } }
        } }
        script defer src=(assets::uplot().path) {}
        script defer src=(assets::history_script().path) {}
    }
}

/// What codes mean, as JSON: `{"1":"空闲"}`.
fn labels(lang: Lang, point: &Point) -> String {
    let labels = point.labels.iter();
    let map: BTreeMap<String, &str> = labels
        .map(|label| (label.code.to_string(), lang.pick(label.zh.as_str(), label.en.as_str())))
        .collect();
    serde_json::to_string(&map).expect("a map of texts has text keys")
}

/// The table: a row a step, the newest first.
fn rows(view: &View, lang: Lang, index: DeviceIndex, span: Span, series: &[Series]) -> Markup {
    let device = view.estate.device(index);
    let mut rows: BTreeMap<Slot, BTreeMap<usize, &Bucket>> = BTreeMap::new();
    let shown: Vec<&Series> = series.iter().filter(|one| !one.buckets.is_empty()).collect();
    for (place, one) in shown.iter().enumerate() {
        for bucket in &one.buckets {
            rows.entry(bucket.slot).or_default().insert(place, bucket);
        }
    }
    let point = |one: &Series| &device.points[one.point.slot()];
    let digits = if span == Span::Month { 10 } else { 16 };
    let begin = |slot: &Slot| {
        let date = show::date(slot.begin().unix_ms);
        date.get(..digits).unwrap_or(&date).to_owned()
    };
    html! {
        @if rows.is_empty() { p.soft { (lang.pick("此期间没有历史数据。", "There is nothing of this span.")) } }
        @else { div.scroll tabindex="0" role="region" aria-label=(lang.pick("历史表格", "Table of the history")) { table {
            thead { tr {
                th { (lang.pick("时间", "Time")) }
                @for one in &shown { th { (show::point_name(lang, point(one))) } }
            } }
            tbody { @for (slot, row) in rows.iter().rev() { tr {
                td.head.num { (begin(slot)) }
                @for (place, one) in shown.iter().enumerate() {
                    td.num data-l=(show::point_name(lang, point(one))) { div {
                        @match row.get(&place) { Some(bucket) => (cell(lang, point(one), bucket)), None => "—" }
                    } }
                }
            } } }
        } } }
    }
}

fn cell(lang: Lang, point: &Point, bucket: &Bucket) -> Markup {
    let value = |number: f64| show::value(lang, point, &Value::Number(number));
    let digits = usize::from(point.decimals.min(9));
    let moved = bucket.min < bucket.max;
    html! {
        (value(bucket.last))
        @if moved && point.quantity == Quantity::Instantaneous {
            div.small.soft { (format!("{:.digits$} – {:.digits$}", bucket.min, bucket.max)) }
        }
        @if moved && point.quantity == Quantity::State {
            div.small.soft { (lang.pick("有变化", "changed")) }
        }
    }
}
