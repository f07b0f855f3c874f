//! How times, spans, sizes and values are written for people.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::text::{Lang, Text};
use crate::clock::Clock;
use crate::model::{Moment, Point, Quality, Value};
pub(super) use crate::starlevel::percent;

/// Longest text of a device that is shown, in characters.
const MOST_CHARS: usize = 120;

/// Hours east of Greenwich of the times on the page: the whole country has one zone.
const CHINA: Offset = Offset::constant(8);

/// `3 分钟`, `3 min`: one unit, rounded down.
pub(super) fn span(lang: Lang, span: Duration) -> String {
    let seconds = span.as_secs();
    let (count, zh, en) = match seconds {
        0..=119 => (seconds, "秒", "s"),
        120..=7_199 => (seconds / 60, "分钟", "min"),
        7_200..=172_799 => (seconds / 3600, "小时", "h"),
        _ => (seconds / 86_400, "天", "days"),
    };
    format!("{count} {}", lang.pick(zh, en))
}

/// `3 分钟前`, `3 min ago`.
pub(super) fn ago(lang: Lang, now: Moment, then: Moment) -> String {
    let passed = now.since(then);
    if passed < Duration::from_secs(2) {
        return lang.pick("刚刚", "just now").to_owned();
    }
    let text = span(lang, passed);
    lang.pick(format!("{text}前"), format!("{text} ago"))
}

/// Date and time at +08:00, to the second.
pub(super) fn date(unix_ms: i64) -> String {
    Timestamp::from_millisecond(unix_ms).map_or_else(
        |_| "—".to_owned(),
        |stamp| CHINA.to_datetime(stamp).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

/// Date and time of a moment at +08:00; says so when the clock is not trusted.
pub(super) fn when(lang: Lang, clock: &Clock, moment: Moment) -> String {
    let text = date(clock.best_wall(moment).unix_ms);
    if clock.trusted() { text } else { format!("{text} {}", lang.t(Text::UntrustedTime)) }
}

/// `12.3 MiB`.
#[expect(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
pub(super) fn bytes(count: u64) -> String {
    match count {
        0..1024 => format!("{count} B"),
        1024..1_048_576 => format!("{:.1} KiB", count as f64 / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", count as f64 / 1_048_576.0),
        _ => format!("{:.2} GiB", count as f64 / 1_073_741_824.0),
    }
}

/// `1,234,567`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `3.5 天` from hours.
pub(super) fn hours(lang: Lang, hours: f64) -> String {
    if hours < 72.0 {
        format!("{hours:.0} {}", lang.pick("小时", "h"))
    } else {
        format!("{:.0} {}", (hours / 24.0).min(9999.0), lang.pick("天", "days"))
    }
}

/// A value with its unit, or the meaning of its code.
pub(super) fn value(lang: Lang, point: &Point, value: &Value) -> String {
    if let Some(number) = value.number()
        && let Some(label) = point.labels.iter().find(|label| is_code(number, label.code))
    {
        return lang.pick(&label.zh, &label.en).clone();
    }
    let text = match value {
        Value::Flag(flag) => lang.t(if *flag { Text::Yes } else { Text::No }).to_owned(),
        Value::Number(number) => format!("{number:.*}", usize::from(point.decimals.min(9))),
        Value::Text(text) => shorten(text),
    };
    match point.unit.sign() {
        "" => text,
        sign => format!("{text} {sign}"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "codes are small")]
fn is_code(number: f64, code: i64) -> bool {
    (number - code as f64).abs() < f64::EPSILON
}

/// At most [`MOST_CHARS`] characters.
pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARS) {
        None => text.to_owned(),
        Some(_) => text.chars().take(MOST_CHARS).chain(['…']).collect(),
    }
}

/// Name of a point for people.
pub(super) fn point_name(lang: Lang, point: &Point) -> &str {
    match lang.pick(point.zh.as_str(), point.en.as_str()) {
        "" => &point.name,
        name => name,
    }
}

/// `存疑：超出量程`.
pub(super) fn quality(lang: Lang, quality: Option<Quality>) -> String {
    let Some(quality) = quality else { return lang.t(Text::NotRead).to_owned() };
    let word = lang.t(match quality {
        Quality::Good => Text::Good,
        Quality::Uncertain(_) => Text::Uncertain,
        Quality::Bad(_) => Text::Bad,
    });
    match quality.reason() {
        None => word.to_owned(),
        Some(reason) => {
            format!("{word}{}{}", lang.pick("：", ": "), lang.pick(reason.zh(), reason.en()))
        }
    }
}
