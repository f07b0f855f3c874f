//! What is kept of a point: five minutes of it in three numbers.

use std::ops::Range;

use crate::model::WallTime;

/// Seconds of a bucket.
pub const BUCKET_S: u32 = 300;
/// Buckets of a day.
pub const OF_A_DAY: u32 = 86_400 / BUCKET_S;
/// Buckets that local time, +08:00 everywhere in the country and without summer time, is ahead of
/// universal time.
const AHEAD: u32 = 8 * 3600 / BUCKET_S;

/// Which five minutes: their number since 1970-01-01T00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Slot(pub u32);

impl Slot {
    /// The one that holds a moment; moments before 1970 and after 42 000 years are its ends.
    pub fn of(wall: WallTime) -> Self {
        let slot = wall.unix_ms.div_euclid(i64::from(BUCKET_S) * 1000);
        Self(u32::try_from(slot.max(0)).unwrap_or(u32::MAX))
    }

    /// When it begins.
    pub fn begin(self) -> WallTime {
        WallTime { unix_ms: i64::from(self.0) * i64::from(BUCKET_S) * 1000 }
    }

    /// The first of the `step` buckets that it is shown with. Steps count from local midnight.
    fn floor(self, step: u32) -> Self {
        Self(self.0 - self.0.wrapping_add(AHEAD) % step.max(1))
    }
}

/// The local day, +08:00, that a file is about: days since 1970-01-01.
///
/// Local, not universal: a day of the history is then a day of the people on the estate, and the
/// work at its end falls into their night and not into eight o'clock in the morning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub u32);

impl Day {
    /// The day of a bucket.
    pub fn of(slot: Slot) -> Self {
        Self(slot.0.saturating_add(AHEAD) / OF_A_DAY)
    }

    /// Its buckets.
    pub fn slots(self) -> Range<Slot> {
        let first = self.0.saturating_mul(OF_A_DAY).saturating_sub(AHEAD);
        Slot(first)..Slot(first.saturating_add(OF_A_DAY))
    }
}

/// Five minutes, or more of them together, of one point. A flag counts as 0 and 1, a state by its
/// code: it changed within the bucket when `min` and `max` differ.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bucket {
    /// Which five minutes, or the first of them.
    pub slot: Slot,
    /// Lowest value.
    pub min: f64,
    /// Highest value.
    pub max: f64,
    /// Last value.
    pub last: f64,
}

impl Bucket {
    /// Of one reading.
    pub fn new(slot: Slot, value: f64) -> Self {
        Self { slot, min: value, max: value, last: value }
    }

    /// Takes in what came later.
    pub fn absorb(&mut self, later: &Bucket) {
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
        self.last = later.last;
    }
}

/// In order of time, one a slot; of two for one slot the later in the list is the later one.
pub fn settle(buckets: &mut Vec<Bucket>) {
    buckets.sort_by_key(|bucket| bucket.slot);
    buckets.dedup_by(|later, kept| {
        let same = later.slot == kept.slot;
        if same {
            kept.absorb(later);
        }
        same
    });
}

/// Adds settled buckets to a series of `step` buckets each; they come in order of time.
pub fn gather(series: &mut Vec<Bucket>, buckets: &[Bucket], step: u32) {
    for bucket in buckets {
        let slot = bucket.slot.floor(step);
        match series.last_mut() {
            Some(last) if last.slot == slot => last.absorb(bucket),
            _ => series.push(Bucket { slot, ..*bucket }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Slot {
        let stamp: jiff::Timestamp = text.parse().unwrap();
        Slot::of(WallTime { unix_ms: stamp.as_millisecond() })
    }

    #[test]
    fn a_day_begins_at_local_midnight_and_always_has_its_288_buckets() {
        let midnight = at("2026-03-29T00:00:00+08:00");
        assert_eq!(Day::of(midnight).slots().start, midnight);
        assert_eq!(Day::of(Slot(midnight.0 - 1)).0 + 1, Day::of(midnight).0);
        // Days on which others change to summer time and back are as long as all.
        for day in ["2026-03-29T12:00:00+08:00", "2026-10-25T12:00:00+08:00"] {
            let slots = Day::of(at(day)).slots();
            assert_eq!(slots.end.0 - slots.start.0, 288);
            assert!(slots.contains(&at(day)));
        }
    }

    #[test]
    fn two_buckets_of_one_slot_become_one_whose_last_is_the_later() {
        let bucket = |slot, min, max, last| Bucket { slot: Slot(slot), min, max, last };
        let mut buckets =
            vec![bucket(9, 1.0, 4.0, 2.0), bucket(8, 5.0, 5.0, 5.0), bucket(9, 0.0, 3.0, 3.0)];
        settle(&mut buckets);
        assert_eq!(buckets, [bucket(8, 5.0, 5.0, 5.0), bucket(9, 0.0, 4.0, 3.0)]);
    }

    #[test]
    fn hours_and_days_are_gathered_as_the_clock_on_the_wall_shows_them() {
        let begin = at("2026-06-01T23:00:00+08:00");
        let buckets: Vec<Bucket> =
            (0..24).map(|n| Bucket::new(Slot(begin.0 + n), f64::from(n))).collect();
        let mut days = Vec::new();
        // In two pieces, as two files bring them.
        gather(&mut days, &buckets[..7], OF_A_DAY);
        gather(&mut days, &buckets[7..], OF_A_DAY);
        assert_eq!(days.len(), 2);
        assert_eq!(
            (days[0].slot, days[0].min, days[0].max),
            (at("2026-06-01T00:00:00+08:00"), 0.0, 11.0)
        );
        assert_eq!((days[1].slot, days[1].last), (at("2026-06-02T00:00:00+08:00"), 23.0));
        let mut hours = Vec::new();
        gather(&mut hours, &buckets, 12);
        assert_eq!(
            hours.iter().map(|hour| hour.slot).collect::<Vec<_>>(),
            [begin, Slot(begin.0 + 12)]
        );
    }
}
