//! A set of sequence numbers as ranges: a stream without gaps costs one entry, however long.

use serde::{Deserialize, Serialize};

/// Sorted ranges (first, last inclusive) that neither overlap nor touch.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Intervals(Vec<(u64, u64)>);

impl Intervals {
    /// Whether `n` is in the set.
    pub(super) fn contains(&self, n: u64) -> bool {
        let slot = self.0.partition_point(|&(_, last)| last < n);
        self.0.get(slot).is_some_and(|&(first, _)| first <= n)
    }

    /// Adds `first..=last`, merging with what it touches.
    pub(super) fn insert(&mut self, first: u64, last: u64) {
        let begin = self.0.partition_point(|&(_, l)| l.saturating_add(1) < first);
        let end = self.0.partition_point(|&(f, _)| f <= last.saturating_add(1));
        if begin < end {
            let merged = (self.0[begin].0.min(first), self.0[end - 1].1.max(last));
            self.0[begin] = merged;
            self.0.drain(begin + 1..end);
        } else {
            self.0.insert(begin, (first, last));
        }
    }

    /// Number of ranges.
    pub(super) fn ranges(&self) -> usize {
        self.0.len()
    }

    /// Lowest member.
    pub(super) fn first(&self) -> Option<u64> {
        self.0.first().map(|&(first, _)| first)
    }

    /// Highest member.
    pub(super) fn last(&self) -> Option<u64> {
        self.0.last().map(|&(_, last)| last)
    }

    /// The ranges between `from` and `to` inclusive that are not in the set.
    pub(super) fn holes(&self, from: u64, to: u64) -> Vec<(u64, u64)> {
        let mut holes = Vec::new();
        let mut next = from;
        for &(first, last) in &self.0 {
            if last < next {
                continue;
            }
            if first > to {
                break;
            }
            if first > next {
                holes.push((next, first - 1));
            }
            next = last.saturating_add(1);
        }
        if next <= to {
            holes.push((next, to));
        }
        holes
    }

    /// Whether the ranges are sorted and apart: what was read from a file may not be.
    pub(super) fn is_sound(&self) -> bool {
        self.0.iter().all(|&(first, last)| first <= last)
            && self.0.windows(2).all(|pair| pair[0].1.saturating_add(1) < pair[1].0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_say_the_same_as_a_plain_set(
            spans in prop::collection::vec((1u64..60, 0u64..6), 0..40)
        ) {
            let mut ranges = Intervals::default();
            let mut plain = std::collections::BTreeSet::new();
            for (first, length) in spans {
                ranges.insert(first, first + length);
                plain.extend(first..=first + length);
                prop_assert!(ranges.is_sound());
            }
            for n in 0..70 {
                prop_assert_eq!(ranges.contains(n), plain.contains(&n));
            }
            let holes: Vec<u64> =
                ranges.holes(3, 50).into_iter().flat_map(|(a, b)| a..=b).collect();
            let missing: Vec<u64> = (3..=50).filter(|n| !plain.contains(n)).collect();
            prop_assert_eq!(holes, missing);
        }
    }
}
