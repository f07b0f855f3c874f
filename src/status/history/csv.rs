//! The history as a table for spreadsheets: UTF-8 with a mark in front, so that Excel reads the
//! Chinese; sent day by day.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::unfold;

use super::{Limits, Wanted, series, wanted};
use crate::history::{Bucket, Series, Slot};
use crate::model::{DeviceIndex, Point, Quantity, Value};
use crate::status::server::{Asked, Shared};
use crate::status::show;
use crate::status::text::Lang;
use crate::status::view::View;

/// Tells spreadsheets the encoding.
const MARK: &str = "\u{feff}";

/// `GET /api/v1/devices/{id}/history.csv`.
pub(in crate::status) async fn table(
    axum::extract::State(view): Shared,
    Path(id): Path<String>,
    Asked(ask): Asked,
) -> Response {
    let (history, device, wanted) = match wanted(&view, &id, &ask, Limits { values: None }) {
        Ok(found) => found,
        Err(answer) => return *answer,
    };
    let lang = ask.lang;
    let mut days = wanted.by_day();
    days.reverse();
    let first = Some(head(&view, lang, device, &wanted));
    let pieces =
        unfold((view, history, days, first), move |(view, history, mut days, first)| async move {
            if let Some(text) = first {
                return Some((Ok::<_, String>(text), (view, history, days, None)));
            }
            let day = days.pop()?;
            // The connection breaks then: a table that ends too early must not look whole.
            let text = match series(&view, history.clone(), device, &day).await {
                Ok(series) => Ok(rows(&view, lang, device, &series)),
                Err(why) => {
                    tracing::warn!(why, "a table of the history is cut short");
                    days.clear();
                    Err(why)
                }
            };
            Some((text, (view, history, days, None)))
        });
    let name = format!("attachment; filename=\"{id}.csv\"");
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    (headers, Body::from_stream(pieces)).into_response()
}

/// Whether lowest and highest say something beside the last.
fn varies(point: &Point) -> bool {
    point.quantity == Quantity::Instantaneous
}

fn head(view: &Arc<View>, lang: Lang, device: DeviceIndex, wanted: &Wanted) -> String {
    let mut text = format!("{MARK}{}", lang.pick("时间 (+08:00)", "time (+08:00)"));
    for index in &wanted.points {
        let point = view.estate.point(device, *index);
        let unit = match point.unit.sign() {
            "" => String::new(),
            sign => format!(" [{sign}]"),
        };
        let name = show::point_name(lang, point);
        let kinds: &[&str] = match varies(point) {
            true => &lang.pick([" 最低", " 最高", " 最后"], [" lowest", " highest", " last"]),
            false => &[""],
        };
        for kind in kinds {
            text.push(',');
            text.push_str(&field(&format!("{name}{kind}{unit}")));
        }
    }
    text.push_str("\r\n");
    text
}

/// RFC 4180; and what a spreadsheet would take for a formula is none.
fn field(text: &str) -> String {
    let text = match text.starts_with(['=', '+', '-', '@', '\t']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    };
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

fn rows(view: &View, lang: Lang, device: DeviceIndex, series: &[Series]) -> String {
    let mut rows: BTreeMap<Slot, Vec<Option<&Bucket>>> = BTreeMap::new();
    for (place, one) in series.iter().enumerate() {
        for bucket in &one.buckets {
            let row = rows.entry(bucket.slot).or_insert_with(|| vec![None; series.len()]);
            row[place] = Some(bucket);
        }
    }
    let mut text = String::new();
    for (slot, row) in rows {
        text.push_str(&show::date(slot.begin().unix_ms));
        for (one, bucket) in series.iter().zip(row) {
            let point = view.estate.point(device, one.point);
            match bucket {
                Some(bucket) => cells(&mut text, lang, point, bucket),
                None => text.push_str(if varies(point) { ",,," } else { "," }),
            }
        }
        text.push_str("\r\n");
    }
    text
}

fn cells(text: &mut String, lang: Lang, point: &Point, bucket: &Bucket) {
    let digits = usize::from(point.decimals.min(9));
    let mut put = |value: f64| write!(text, ",{value:.digits$}");
    let put = match varies(point) {
        true => put(bucket.min).and_then(|()| put(bucket.max)).and_then(|()| put(bucket.last)),
        // A state by what its code means.
        false if !point.labels.is_empty() => {
            let meaning = show::value(lang, point, &Value::Number(bucket.last));
            write!(text, ",{}", field(&meaning))
        }
        false => put(bucket.last),
    };
    put.expect("a text takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_quoted_where_needed_and_never_a_formula() {
        for (text, want) in [
            ("A相电压 [V]", "A相电压 [V]"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+1", "'=1+1"),
        ] {
            assert_eq!(field(text), want);
        }
    }
}
