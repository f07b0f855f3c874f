//! What is known of one stream of blocks: one life of one gateway's buffer.

use serde::{Deserialize, Serialize};

use super::intervals::Intervals;

/// Most separate ranges kept per stream; beyond it, the sender is not a linli gateway.
const MAX_RANGES: usize = 16_384;

/// Blocks of one stream, first and last inclusive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// First block.
    pub from: u64,
    /// Last block.
    pub to: u64,
}

/// What was received and announced of one `(gateway, epoch)`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Ledger {
    received: Intervals,
    announced: Intervals,
    /// Blocks said to be deleted, over all announcements.
    announced_blocks: u64,
    /// The gateway said that it had to begin a new buffer after this one.
    pub(super) set_aside: bool,
}

/// The gaps of one stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Gaps {
    /// Neither received nor announced.
    pub(super) open: Vec<Range>,
    /// Missing and announced.
    pub(super) announced: u64,
    /// Missing in announced ranges beyond the number of blocks that were said to be deleted.
    pub(super) unexplained: u64,
}

/// What became of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    New,
    Known,
    /// The stream has more holes than a ledger holds.
    Full,
}

impl Ledger {
    pub(super) fn receive(&mut self, seq: u64) -> Entry {
        if self.received.contains(seq) {
            return Entry::Known;
        }
        if self.received.ranges() >= MAX_RANGES {
            return Entry::Full;
        }
        self.received.insert(seq, seq);
        Entry::New
    }

    pub(super) fn announce(&mut self, from: u64, to: u64, blocks: u64) -> Entry {
        if self.announced.ranges() >= MAX_RANGES {
            return Entry::Full;
        }
        self.announced.insert(from, to);
        self.announced_blocks = self.announced_blocks.saturating_add(blocks);
        Entry::New
    }

    pub(super) fn first(&self) -> u64 {
        self.received.first().unwrap_or(1)
    }

    pub(super) fn highest(&self) -> u64 {
        self.received.last().unwrap_or(0).max(self.announced.last().unwrap_or(0))
    }

    /// Everything missing from `floor` to `ceiling`, told apart.
    pub(super) fn gaps(&self, floor: u64, ceiling: u64) -> Gaps {
        let mut gaps = Gaps::default();
        for (from, to) in self.received.holes(floor, ceiling) {
            let mut silent = 0;
            for (from, to) in self.announced.holes(from, to) {
                silent += to - from + 1;
                if self.set_aside {
                    gaps.announced += to - from + 1;
                } else {
                    gaps.open.push(Range { from, to });
                }
            }
            gaps.announced += to - from + 1 - silent;
            if !self.set_aside {
                gaps.unexplained += to - from + 1 - silent;
            }
        }
        // A range may name blocks that had been delivered or kept; more than it says deleted
        // may not be missing in it.
        gaps.unexplained = gaps.unexplained.saturating_sub(self.announced_blocks);
        gaps
    }

    pub(super) fn is_sound(&self) -> bool {
        self.received.is_sound() && self.announced.is_sound()
    }
}
