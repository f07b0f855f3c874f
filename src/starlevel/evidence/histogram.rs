//! How long things took, counted so that a percentile is compared with a threshold exactly.
//!
//! The limits of the buckets contain every threshold that a rule pack may use. "95 % took at most
//! 60 s" is then a question of whole numbers: do 95 of 100 counts lie in the buckets up to 60 s?
//! The percentile shown is the upper limit of the bucket that holds it, so it never claims more
//! than was measured.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Upper limits of the buckets, milliseconds, inclusive; one more bucket takes what is above.
const LIMITS_MS: [u64; 25] = [
    100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 20_000, 30_000, 45_000, 60_000, 90_000,
    100_000, 120_000, 180_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000,
    14_400_000, 43_200_000, 86_400_000,
];
const BUCKETS: usize = LIMITS_MS.len() + 1;

/// Counts by how long it took. In the store: a list of bucket and count for those that have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<(u8, u64)>", into = "Vec<(u8, u64)>")]
pub(in crate::starlevel) struct Histogram([u64; BUCKETS]);

/// A percentile of what was counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::starlevel) struct Percentile {
    /// The upper limit of its bucket, seconds; `None` above the last limit.
    pub(in crate::starlevel) at_most_s: Option<f64>,
    /// How many were counted.
    pub(in crate::starlevel) count: u64,
}

impl Histogram {
    pub(super) fn add(&mut self, took: Duration, count: u64) {
        let took = took.as_nanos();
        let slot = LIMITS_MS.partition_point(|limit| u128::from(*limit) * 1_000_000 < took);
        self.0[slot] = self.0[slot].saturating_add(count);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (sum, count) in self.0.iter_mut().zip(other.0) {
            *sum = sum.saturating_add(count);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The value that `percent` of 100 counts do not exceed; `None` when nothing was counted.
    pub(super) fn percentile(&self, percent: u8) -> Option<Percentile> {
        let count = self.0.iter().fold(0u64, |sum, count| sum.saturating_add(*count));
        if count == 0 {
            return None;
        }
        let wanted = u128::from(count) * u128::from(percent);
        let mut below = 0u128;
        let slot = self.0.iter().position(|here| {
            below += u128::from(*here);
            below * 100 >= wanted
        });
        let limit = slot.and_then(|slot| LIMITS_MS.get(slot));
        Some(Percentile { at_most_s: limit.map(|ms| seconds(*ms)), count })
    }
}

/// Whether a threshold, seconds, is the limit of a bucket.
pub(in crate::starlevel) fn is_limit(threshold_s: f64) -> bool {
    limits().any(|limit| limit == threshold_s)
}

/// The thresholds that a rule pack may use, seconds.
pub(in crate::starlevel) fn limits() -> impl Iterator<Item = f64> {
    LIMITS_MS.iter().map(|ms| seconds(*ms))
}

fn seconds(ms: u64) -> f64 {
    Duration::from_millis(ms).as_secs_f64()
}

impl TryFrom<Vec<(u8, u64)>> for Histogram {
    type Error = String;

    fn try_from(list: Vec<(u8, u64)>) -> Result<Self, String> {
        let mut histogram = Self::default();
        for (slot, count) in list {
            *histogram
                .0
                .get_mut(usize::from(slot))
                .ok_or_else(|| format!("bucket {slot}, allowed are 0 to {}", BUCKETS - 1))? = count;
        }
        Ok(histogram)
    }
}

impl From<Histogram> for Vec<(u8, u64)> {
    fn from(histogram: Histogram) -> Self {
        (0u8..).zip(histogram.0).filter(|(_, count)| *count > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_edge_belongs_to_its_bucket_and_a_nanosecond_more_to_the_next() {
        for (slot, ms) in LIMITS_MS.into_iter().enumerate() {
            let mut histogram = Histogram::default();
            histogram.add(Duration::from_millis(ms), 1);
            let percentile = histogram.percentile(95).unwrap();
            assert_eq!(percentile.at_most_s, Some(seconds(ms)));
            let mut above = Histogram::default();
            above.add(Duration::from_millis(ms) + Duration::from_nanos(1), 1);
            let next = LIMITS_MS.get(slot + 1).map(|ms| seconds(*ms));
            assert_eq!(above.percentile(95).unwrap().at_most_s, next);
        }
        let mut never = Histogram::default();
        never.add(Duration::MAX, 1);
        assert_eq!(never.percentile(1), Some(Percentile { at_most_s: None, count: 1 }));
    }

    #[test]
    fn ninety_five_of_a_hundred_suffice_and_one_less_does_not() {
        for (fast, slow, expected) in
            [(95, 5, Some(10.0)), (94, 6, None), (19, 1, Some(10.0)), (18, 1, None), (0, 1, None)]
        {
            let mut histogram = Histogram::default();
            histogram.add(Duration::from_secs(10), fast);
            histogram.add(Duration::MAX, slow);
            assert_eq!(histogram.percentile(95).unwrap().at_most_s, expected, "{fast} and {slow}");
        }
        assert_eq!(Histogram::default().percentile(95), None);
    }

    #[test]
    fn a_histogram_reads_back_as_it_was_written_and_foreign_buckets_are_refused() {
        let mut histogram = Histogram::default();
        histogram.add(Duration::from_millis(1), 7);
        histogram.add(Duration::MAX, u64::MAX);
        let json = serde_json::to_string(&histogram).unwrap();
        assert_eq!(json, "[[0,7],[25,18446744073709551615]]");
        assert_eq!(serde_json::from_str::<Histogram>(&json).unwrap(), histogram);
        let error = serde_json::from_str::<Histogram>("[[26,1]]").unwrap_err();
        assert!(error.to_string().contains("bucket 26, allowed are 0 to 25"), "{error}");
    }

    #[test]
    fn every_threshold_of_the_built_in_pack_is_a_limit() {
        for threshold in [1.0, 5.0, 10.0, 30.0, 60.0, 100.0, 120.0, 300.0, 900.0, 1800.0, 3600.0] {
            assert!(is_limit(threshold), "{threshold}");
        }
        assert!(!is_limit(59.0) && !is_limit(f64::NAN) && !is_limit(60.5));
    }
}
