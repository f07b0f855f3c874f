//! How far the pipeline has come.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How far the pipeline has come, for the watchdog and the metrics; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<ProgressCounters>);

#[derive(Debug, Default)]
struct ProgressCounters {
    turns: AtomicU64,
    readings: AtomicU64,
    stored: AtomicU64,
}

impl Progress {
    /// Messages handled.
    pub fn turns(&self) -> u64 {
        self.0.turns.load(Ordering::Relaxed)
    }

    /// Readings that came from the drivers.
    pub fn readings(&self) -> u64 {
        self.0.readings.load(Ordering::Relaxed)
    }

    /// Readings that were worth storing.
    pub fn stored(&self) -> u64 {
        self.0.stored.load(Ordering::Relaxed)
    }

    /// A message was handled.
    pub(super) fn turn(&self) {
        self.0.turns.fetch_add(1, Ordering::Relaxed);
    }

    /// So many readings came, and so many of them were worth storing.
    pub(super) fn read(&self, read: u64, stored: u64) {
        self.0.readings.fetch_add(read, Ordering::Relaxed);
        self.0.stored.fetch_add(stored, Ordering::Relaxed);
    }
}
