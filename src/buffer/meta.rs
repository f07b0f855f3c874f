//! The counters that must survive, stored in the same batch as the blocks they count.

use crate::model::{Epoch, Seq};

/// Key of the counters.
pub(super) const META_KEY: &[u8] = b"m";
/// Key of the epoch; written once.
pub(super) const EPOCH_KEY: &[u8] = b"a";

/// Counters of the buffer's whole life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meta {
    /// The next position: it never repeats, also when every block is deleted.
    pub next: Seq,
    /// What became of blocks that the platform did not get.
    pub totals: Totals,
}

/// Blocks that did not reach the platform as they were, counted over the buffer's whole life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// Blocks evicted.
    pub evicted: u64,
    /// Blocks found damaged.
    pub damaged: u64,
    /// Blocks replaced by thinned ones.
    pub thinned: u64,
    /// Readings that thinning left out.
    pub left_out: u64,
    /// Positions skipped after power cuts: there never was a block.
    pub skipped: u64,
}

impl Default for Meta {
    fn default() -> Self {
        Self { next: Seq(1), totals: Totals::default() }
    }
}

impl Meta {
    pub fn encode(&self) -> [u8; 48] {
        let Totals { evicted, damaged, thinned, left_out, skipped } = self.totals;
        let words = [self.next.0, evicted, damaged, thinned, left_out, skipped];
        let mut bytes = [0; 48];
        for (slot, word) in bytes.chunks_exact_mut(8).zip(words) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        // What older versions did not write did not happen.
        let more = |at| word(at).unwrap_or(0);
        let totals = Totals {
            evicted: word(8)?,
            damaged: word(16)?,
            thinned: more(24),
            left_out: more(32),
            skipped: more(40),
        };
        Some(Self { next: Seq(word(0)?), totals })
    }
}

/// The epoch as stored.
pub(super) fn decode_epoch(bytes: &[u8]) -> Option<Epoch> {
    Some(Epoch(u64::from_le_bytes(bytes.try_into().ok()?)))
}
