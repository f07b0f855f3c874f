//! Report by exception: which readings are worth storing.

use crate::model::{Moment, Point, Quality, Reading, Value};

/// What was last stored of a point.
#[derive(Debug, Clone)]
pub(super) struct Reported {
    value: Option<Value>,
    quality: Quality,
    at: Moment,
}

/// Whether the reading is worth storing; if so it becomes the last stored one.
pub(super) fn worth_storing(
    point: &Point,
    reported: &mut Option<Reported>,
    reading: &Reading,
    at: Moment,
) -> bool {
    let worth = reported.as_ref().is_none_or(|last| {
        last.quality != reading.quality
            || at.since(last.at) >= point.report.at_least_every
            || moved(last.value.as_ref(), reading.value.as_ref(), point.report.dead_band)
    });
    if worth {
        *reported = Some(Reported { value: reading.value.clone(), quality: reading.quality, at });
    }
    worth
}

fn moved(before: Option<&Value>, now: Option<&Value>, dead_band: f64) -> bool {
    match (before, now) {
        (Some(Value::Number(a)), Some(Value::Number(b))) if dead_band > 0.0 => {
            (a - b).abs() >= dead_band
        }
        (before, now) => before != now,
    }
}
