//! How many bytes of blocks may be stored so that the files stay within the budget.
//!
//! sled's files are larger than what they hold: measured, 1.8 times while blocks only come, 2 to 3
//! times and slowly growing while the oldest go as new ones come. So the blocks get a safe share of
//! the budget, and before the files reach it they are rebuilt, which leaves about twice the
//! blocks. While that happens the old and the new files are both on the disk, and both count.

/// Share of the budget that blocks may take, in percent.
const START: u64 = 20;
/// The least that the limit falls to, in percent of the budget.
const FLOOR: u64 = 10;
/// Files above this share of the budget are rebuilt, in percent: the rest is for the new ones.
const REBUILD: u64 = 55;
/// Files above this share of the budget must not grow any more, in percent. Reached only when
/// they cannot be rebuilt.
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
    /// Size of the files after they were rebuilt.
    rebuilt: u64,
}

impl Budget {
    /// `file`: bytes that the files have now.
    pub fn new(total: u64, file: u64) -> Self {
        Self { total, limit: percent(total, START), highest_file: file, rebuilt: 0 }
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
        if file > self.highest_file && file > percent(self.total, NEAR) {
            let lower = percent(self.limit.min(live.max(1)), 95);
            self.limit = lower.max(percent(self.total, FLOOR));
        }
        self.highest_file = self.highest_file.max(file);
    }

    /// Whether the files should be rebuilt before more is written.
    pub fn wants_rebuild(&self, file: u64) -> bool {
        file > percent(self.total, REBUILD) && file > percent(self.rebuilt, 130)
    }

    /// The files were rebuilt, or could not be: not again before they have grown by a third.
    pub fn rebuilt(&mut self, file: u64) {
        self.rebuilt = file;
        self.highest_file = file;
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
        budget.observe(900, 200);
        assert_eq!(budget.limit(), 190);
        budget.observe(900, 190);
        assert_eq!(budget.limit(), 190);
    }

    #[test]
    fn files_are_rebuilt_when_they_near_the_budget_and_not_again_at_once() {
        let mut budget = Budget::new(1000, 0);
        assert!(!budget.wants_rebuild(550));
        assert!(budget.wants_rebuild(551));
        budget.rebuilt(620);
        assert!(!budget.wants_rebuild(700));
        assert!(budget.wants_rebuild(900));
    }
}
