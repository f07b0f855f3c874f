//! What is asked of the history: from when to when, in which steps, which points.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::points_of;
use crate::history::{BUCKET_S, Day, OF_A_DAY, Slot};
use crate::model::{DeviceIndex, PointIndex, WallTime};
use crate::settings::{nearest, parse_duration};
use crate::status::view::View;

/// Most steps of an answer: 35 days of five minutes, and some.
pub(super) const MOST_STEPS: u32 = 12_000;
/// Times without a zone are at +08:00.
const CHINA: Offset = Offset::constant(8);
/// What may be asked for.
const KEYS: [&str; 6] = ["from", "to", "span", "step", "points", "lang"];

/// The spans that the page offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Span {
    /// 24 hours in steps of five minutes.
    #[default]
    Day,
    /// 7 days in steps of half an hour.
    Week,
    /// 30 days in steps of two hours.
    Month,
}

impl Span {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// The word in an address.
    pub fn word(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// By its word, else the first.
    pub fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|span| span.word() == word).unwrap_or_default()
    }

    /// Five-minute buckets of it.
    pub fn length(self) -> u32 {
        OF_A_DAY
            * match self {
                Self::Day => 1,
                Self::Week => 7,
                Self::Month => 30,
            }
    }

    /// Buckets of a step of its charts.
    pub fn step(self) -> u32 {
        match self {
            Self::Day => 1,
            Self::Week => 6,
            Self::Month => 24,
        }
    }

    /// Buckets of a row of its table.
    pub fn row(self) -> u32 {
        match self {
            Self::Day => 12,
            Self::Week => 72,
            Self::Month => OF_A_DAY,
        }
    }
}

/// Limits of an answer beside its steps.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most steps times points.
    pub values: Option<usize>,
}

/// What is wanted of a device.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Which five minutes.
    pub slots: Range<Slot>,
    /// So many of them together; a day is a multiple of it.
    pub step: u32,
    /// Which points.
    pub points: Vec<PointIndex>,
}

impl Wanted {
    /// The span before now that the page shows.
    pub fn before_now(view: &View, device: DeviceIndex, span: Span, step: u32) -> Self {
        let end = now(view);
        let slots = Slot(end.0.saturating_sub(span.length()))..end;
        Self { slots, step, points: points_of(view, device) }
    }

    /// Reads the query.
    ///
    /// # Errors
    /// The first thing that is wrong, in English as all of the interface.
    pub fn read(
        view: &View,
        device: DeviceIndex,
        query: &BTreeMap<String, String>,
        limits: Limits,
    ) -> Result<Self, String> {
        if let Some(key) = query.keys().find(|key| !KEYS.contains(&key.as_str())) {
            let near = nearest(key, KEYS).map(|near| format!(", meant is perhaps `{near}`"));
            let known = KEYS.join(", ");
            return Err(format!(
                "`{key}` is not known{}; known are {known}",
                near.unwrap_or_default()
            ));
        }
        let text = |key: &str| query.get(key).map(String::as_str).filter(|text| !text.is_empty());
        let to = match text("to") {
            Some(text) => up(moment("to", text)?),
            None => now(view),
        };
        let from = match (text("from"), text("span")) {
            (Some(_), Some(_)) => return Err("`from` and `span` say the same: give one".into()),
            (Some(text), None) => Slot::of(WallTime { unix_ms: moment("from", text)? }),
            (None, span) => Slot(to.0.saturating_sub(length_of(span)?)),
        };
        if from >= to {
            return Err("`from` is not before `to`".into());
        }
        let length = to.0 - from.0;
        let step = match text("step") {
            Some(text) => steps(text)?,
            // As fine as the charts of the page.
            None if length <= 2 * OF_A_DAY => 1,
            None if length <= 14 * OF_A_DAY => 6,
            None => 24,
        };
        let rows = length.div_ceil(step);
        if rows > MOST_STEPS {
            return Err(format!(
                "{rows} steps are too many; at most {MOST_STEPS}: ask for a shorter span or a longer `step`"
            ));
        }
        let points = points(view, device, text("points"))?;
        let values = (rows as usize).saturating_mul(points.len());
        if let Some(most) = limits.values.filter(|most| values > *most) {
            return Err(format!(
                "{rows} steps of {} points are {values} values; at most {most}: ask for a longer `step`, or for some `points` alone",
                points.len()
            ));
        }
        Ok(Self { slots: from..to, step, points })
    }

    /// Day by day.
    pub fn by_day(&self) -> Vec<Self> {
        let mut days = Vec::new();
        let mut begin = self.slots.start;
        while begin < self.slots.end {
            let end = Day::of(begin).slots().end.min(self.slots.end);
            days.push(Self { slots: begin..end, ..self.clone() });
            begin = end;
        }
        days
    }
}

/// The end of the five minutes that are running.
fn now(view: &View) -> Slot {
    Slot(Slot::of(view.clock.best_wall(view.now())).0.saturating_add(1))
}

/// The first slot that does not begin before.
fn up(unix_ms: i64) -> Slot {
    let last = i64::from(BUCKET_S) * 1000 - 1;
    Slot::of(WallTime { unix_ms: unix_ms.saturating_add(last) })
}

fn length_of(span: Option<&str>) -> Result<u32, String> {
    let Some(word) = span else { return Ok(OF_A_DAY) };
    let span = Span::ALL.into_iter().find(|span| span.word() == word);
    let words = Span::ALL.map(Span::word).join(", ");
    span.map(Span::length).ok_or_else(|| format!("`span` = `{word}` is none of {words}"))
}

fn moment(key: &str, text: &str) -> Result<i64, String> {
    if let Ok(ms) = text.parse::<i64>() {
        return Ok(ms);
    }
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Ok(stamp.as_millisecond());
    }
    let local = text.parse::<DateTime>().ok().and_then(|local| CHINA.to_timestamp(local).ok());
    local.map(Timestamp::as_millisecond).ok_or_else(|| {
        format!(
            "`{key}` = `{text}` is no time: milliseconds since 1970, 2026-11-28, 2026-11-28T08:00 (at +08:00), or with a zone 2026-11-28T00:00:00Z"
        )
    })
}

fn steps(text: &str) -> Result<u32, String> {
    let span = parse_duration(text).unwrap_or(Duration::ZERO);
    let seconds = u32::try_from(span.as_secs()).unwrap_or(0);
    let step = seconds / BUCKET_S;
    if step > 0
        && OF_A_DAY.is_multiple_of(step)
        && span == Duration::from_secs(u64::from(step * BUCKET_S))
    {
        return Ok(step);
    }
    Err(format!(
        "`step` = `{text}` is not allowed: a whole number of five minutes that a day is made of, e.g. 5m 15m 30m 1h 2h 6h 12h 1d"
    ))
}

fn points(
    view: &View,
    device: DeviceIndex,
    names: Option<&str>,
) -> Result<Vec<PointIndex>, String> {
    let all = points_of(view, device);
    let Some(names) = names else { return Ok(all) };
    let name = |index: PointIndex| &*view.estate.point(device, index).name;
    let mut points = Vec::new();
    for wanted in names.split(',') {
        match all.iter().find(|index| name(**index) == wanted) {
            Some(index) if points.contains(index) => {}
            Some(index) => points.push(*index),
            None => {
                let near = nearest(wanted, all.iter().map(|index| name(*index)));
                let near = near.map(|near| format!(", meant is perhaps `{near}`"));
                let near = near.unwrap_or_default();
                return Err(format!("the device has no point `{wanted}` with a history{near}"));
            }
        }
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_form_and_without_a_zone_they_are_local() {
        let ms = 1_780_243_200_000;
        for text in [
            "1780243200000",
            "2026-06-01",
            "2026-06-01T00:00",
            "2026-05-31T16:00:00Z",
            "2026-06-01T00:00:00+08:00",
        ] {
            assert_eq!(moment("from", text), Ok(ms), "{text}");
        }
        let fault = moment("to", "yesterday").unwrap_err();
        assert!(fault.contains("`to`") && fault.contains("yesterday"), "{fault}");
    }

    #[test]
    fn a_step_is_a_part_of_a_day() {
        for (text, step) in [("5m", 1), ("1h", 12), ("2h", 24), ("1d", 288)] {
            assert_eq!(steps(text), Ok(step));
        }
        for text in ["", "1", "7m", "7h", "2d", "301s", "0m", "99999999d"] {
            assert!(steps(text).is_err(), "{text}");
        }
    }
}
