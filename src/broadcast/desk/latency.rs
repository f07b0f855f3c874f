//! How long terminals took from the acceptance to playing.

use std::collections::VecDeque;

/// How long terminals took from the acceptance to playing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Latencies {
    /// The newest, milliseconds.
    recent: VecDeque<u32>,
    /// How many there were.
    pub count: u64,
    /// All together, milliseconds.
    pub sum_ms: u64,
}

impl Latencies {
    const KEPT: usize = 1000;

    pub(super) fn add(&mut self, ms: u64) {
        if self.recent.len() == Self::KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back(u32::try_from(ms).unwrap_or(u32::MAX));
        self.count += 1;
        self.sum_ms = self.sum_ms.saturating_add(ms);
    }

    /// Of the newest thousand, the time within which so many of 100 were playing.
    pub fn percentile(&self, percent: usize) -> Option<u64> {
        let mut sorted: Vec<u32> = self.recent.iter().copied().collect();
        sorted.sort_unstable();
        let place = (sorted.len() * percent).div_ceil(100).checked_sub(1)?;
        sorted.get(place).copied().map(u64::from)
    }
}
