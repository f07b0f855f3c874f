//! How many bytes of blocks may be stored so that the files stay within the budget.
//!
//! The files never shrink and are larger than what they hold, by a factor that depends on how the
//! blocks come and go. So the limit on the blocks starts from a safe share of the budget and is
//! taken back whenever the files grow near it.

/// Share of the budget that blocks may take at first, in percent.
const START: u64 = 50;
/// The most that the limit grows to, in percent of the budget.
const CEILING: u64 = 80;
/// The least that the limit falls to, in percent of the budget.
const FLOOR: u64 = 10;
/// Files above this share of the budget must not grow any more, in percent.
const NEAR: u64 = 85;
/// One round of evictions makes this much room at once, in percent of the limit, so that a long
/// outage is announced in few events.
const ROUND: u64 = 1;

/// The limit, and what it was derived from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Budget {
    total: u64,
    limit: u64,
    highest_file: u64,
}

impl Budget {
    /// `file`: bytes that the files have now.
    pub fn new(total: u64, file: u64) -> Self {
        Self { total, limit: percent(total, START), highest_file: file }
    }

    /// Bytes of blocks that may be stored.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Most bytes that the files may have.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Learns from the size of the files while they hold `live` bytes of blocks.
    pub fn observe(&mut self, file: u64, live: u64) {
        let grew = file > self.highest_file;
        self.highest_file = self.highest_file.max(file);
        if grew && file > percent(self.total, NEAR) {
            let lower = percent(self.limit.min(live.max(1)), 95);
            self.limit = lower.max(percent(self.total, FLOOR));
        } else if file < percent(self.total, 70) && live > percent(self.limit, 98) {
            let higher = self.limit + percent(self.total, 1);
            self.limit = higher.min(percent(self.total, CEILING));
        }
    }

    /// Bytes to delete so that `wanted` bytes fit, with some room to spare.
    pub fn excess(&self, wanted: u64) -> Option<u64> {
        (wanted > self.limit).then(|| wanted - self.limit + percent(self.limit, ROUND))
    }
}

fn percent(of: u64, share: u64) -> u64 {
    of / 100 * share + of % 100 * share / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_falls_when_the_files_grow_near_the_budget_and_stays_when_they_do_not() {
        let mut budget = Budget::new(1000, 0);
        budget.observe(900, 480);
        assert_eq!(budget.limit(), 456);
        budget.observe(900, 456);
        assert_eq!(budget.limit(), 456);
    }

    #[test]
    fn the_limit_grows_while_the_files_are_small() {
        let mut budget = Budget::new(1000, 0);
        for _ in 0..100 {
            let live = budget.limit();
            budget.observe(600, live);
        }
        assert_eq!(budget.limit(), 800);
    }
}
