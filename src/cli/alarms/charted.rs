//! The history of the charts as a source of the past: five-minute values, also while the gateway
//! runs.

use std::path::Path;

use anyhow::Context as _;

use crate::alarm::Sample;
use crate::history::{Archive, Bucket, Slot};
use crate::model::{DeviceIndex, Estate, PointIndex, Reading, Value, WallTime};

/// Within its five minutes a bucket is shown so late, milliseconds: lowest, highest, last. They stand
/// together, so that a rate is taken from one bucket to the next and never within one.
const SHOWN: [i64; 3] = [148_000, 149_000, 150_000];

/// What the charts keep of an estate.
pub(super) struct Charted<'p> {
    archive: Archive,
    estate: &'p Estate,
}

impl<'p> Charted<'p> {
    /// Of the files in this folder.
    pub fn at(folder: &Path, estate: &'p Estate) -> Self {
        Self { archive: Archive::at(folder), estate }
    }

    /// The end of the newest five minutes; `None` without any.
    ///
    /// # Errors
    /// The files cannot be read.
    pub fn newest(&self) -> anyhow::Result<Option<i64>> {
        let days = self.archive.days().context("listing the history")?;
        let Some(day) = days.into_iter().max() else { return Ok(None) };
        let mut newest: Option<Slot> = None;
        let walked = self.archive.walk(day.slots(), |_, _, bucket| {
            newest = newest.max(Some(bucket.slot));
        });
        walked.context("reading the history")?;
        Ok(newest.map(|slot| Slot(slot.0 + 1).begin().unix_ms))
    }

    /// Shows what was between two times, in order; how many values.
    ///
    /// # Errors
    /// The files cannot be read.
    pub fn each(
        &self,
        (from_ms, to_ms): (i64, i64),
        mut show: impl FnMut(&Sample),
    ) -> anyhow::Result<u64> {
        let slot = |unix_ms: i64| Slot::of(WallTime { unix_ms });
        let mut slots = slot(from_ms)..slot(to_ms);
        // Only whole ones: the first begins after `from_ms`.
        if slots.start.begin().unix_ms < from_ms {
            slots.start = Slot(slots.start.0.saturating_add(1));
        }
        if slots.is_empty() {
            return Ok(0);
        }
        let mut pending: Vec<(DeviceIndex, PointIndex, Bucket)> = Vec::new();
        let mut count = 0;
        let walked = self.archive.walk(slots, |device, name, bucket| {
            if pending.first().is_some_and(|(.., first)| first.slot != bucket.slot) {
                count += tell(&mut pending, &mut show);
            }
            let Some(device) = self.estate.find(device) else { return };
            let points = &self.estate.device(device).points;
            let place = points.iter().position(|point| *point.name == **name);
            if let Some(point) = place.and_then(|place| u16::try_from(place).ok()) {
                pending.push((device, PointIndex(point), *bucket));
            }
        });
        walked.context("reading the history")?;
        Ok(count + tell(&mut pending, &mut show))
    }
}

/// Shows the buckets of one time, and forgets them.
fn tell(
    pending: &mut Vec<(DeviceIndex, PointIndex, Bucket)>,
    show: &mut impl FnMut(&Sample),
) -> u64 {
    let mut count = 0;
    for (which, after) in SHOWN.into_iter().enumerate() {
        for (device, point, bucket) in pending.iter() {
            // One that did not change is told once.
            if which < 2 && bucket.min == bucket.max {
                continue;
            }
            let value = [bucket.min, bucket.max, bucket.last][which];
            let at_ms = bucket.slot.begin().unix_ms + after;
            let reading = Reading::good(*point, Value::Number(value));
            show(&Sample { device: *device, at_ms, reading });
            count += 1;
        }
    }
    pending.clear();
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lowest_highest_and_last_of_all_points_come_in_order_of_time_and_what_stood_still_once() {
        let bucket = |min, max, last| Bucket { slot: Slot(10), min, max, last };
        let mut pending = vec![
            (DeviceIndex(0), PointIndex(0), bucket(1.0, 3.0, 2.0)),
            (DeviceIndex(1), PointIndex(0), bucket(5.0, 5.0, 5.0)),
        ];
        let mut seen = Vec::new();
        let count = tell(&mut pending, &mut |sample: &Sample| {
            seen.push((sample.at_ms, sample.device.0, sample.reading.value.clone()));
        });
        let begin = Slot(10).begin().unix_ms;
        let value = |number| Some(Value::Number(number));
        let expected = [
            (begin + 148_000, 0, value(1.0)),
            (begin + 149_000, 0, value(3.0)),
            (begin + 150_000, 0, value(2.0)),
            (begin + 150_000, 1, value(5.0)),
        ];
        assert_eq!((count, &*seen), (4, &expected[..]));
        assert!(pending.is_empty());
    }
}
