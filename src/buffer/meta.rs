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
    /// Blocks evicted.
    pub evicted: u64,
    /// Blocks found damaged.
    pub damaged: u64,
}

impl Default for Meta {
    fn default() -> Self {
        Self { next: Seq(1), evicted: 0, damaged: 0 }
    }
}

impl Meta {
    pub fn encode(&self) -> [u8; 24] {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.next.0.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.evicted.to_le_bytes());
        bytes[16..].copy_from_slice(&self.damaged.to_le_bytes());
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        Some(Self { next: Seq(word(0)?), evicted: word(8)?, damaged: word(16)? })
    }
}

/// The epoch as stored.
pub(super) fn decode_epoch(bytes: &[u8]) -> Option<Epoch> {
    Some(Epoch(u64::from_le_bytes(bytes.try_into().ok()?)))
}
