//! Tells the status after a commit.

use std::time::Duration;

use tokio::sync::watch;

use crate::model::Seq;

use super::BufferStatus;
use super::ledger::Ledger;

/// What a commit did.
pub(super) struct Done {
    pub next: Seq,
    pub readings: u64,
    pub written: u64,
    pub took: Duration,
    /// Bytes per hour as of late.
    pub per_hour: Option<f64>,
}

impl Ledger {
    /// Publishes the state after a commit that went well.
    pub fn report(&self, status: &watch::Sender<BufferStatus>, done: &Done) {
        let oldest = self.oldest();
        let file_bytes = self.store.file_bytes();
        let room = self.budget.limit().saturating_sub(self.counts.live_bytes);
        status.send_modify(|status| {
            if status.fault.take().is_some() {
                tracing::info!("the buffer stores again");
            }
            status.next_seq = done.next;
            // A read that fails now fails again at the next commit, which deals with it.
            if let Ok(oldest) = oldest {
                status.oldest_seq = oldest;
            }
            status.blocks = self.counts.blocks;
            status.readings = self.counts.readings;
            status.live_bytes = self.counts.live_bytes;
            status.file_bytes = file_bytes;
            status.bytes_per_hour = done.per_hour.unwrap_or(0.0);
            status.hours_left =
                done.per_hour.filter(|rate| *rate > 0.0).map(|rate| room as f64 / rate);
            status.committed_readings += done.readings;
            status.committed_bytes += done.written;
            status.evicted_blocks = self.totals.evicted;
            status.damaged_blocks = self.totals.damaged;
            status.thinned_blocks = self.totals.thinned;
            status.left_out_readings = self.totals.left_out;
            status.skipped_positions = self.totals.skipped;
            status.thinned_bytes = self.counts.thinned_bytes;
            status.wear = self.pace.status();
            status.commits += 1;
            status.last_commit_ms = u64::try_from(done.took.as_millis()).unwrap_or(u64::MAX);
        });
    }
}
