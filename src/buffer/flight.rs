//! A commit under way, beside which the recorder goes on collecting.

use tokio::task::{JoinError, JoinHandle};
use tokio::time::Instant;

use crate::model::{Receipt, Seq};
use crate::store::StoreError;

use super::ledger::{Job, Ledger};
use super::sealer::Sealer;

/// What works in the thread for blocking calls.
pub(super) struct Worker {
    pub ledger: Ledger,
    pub sealer: Sealer,
}

/// A commit in the thread for blocking calls.
pub(super) struct Flight {
    pub job: Job,
    pub receipts: Vec<Receipt>,
    /// The next position after it.
    pub next: Seq,
    /// Only deletions were applied, because the file system has so few bytes free.
    pub deletions_only: Option<u64>,
    pub started: Instant,
    pub task: JoinHandle<Result<(), StoreError>>,
}

/// Waits for the commit; for ever when there is none.
pub(super) async fn land(flight: &mut Option<Flight>) -> Result<Result<(), StoreError>, JoinError> {
    match flight {
        Some(flight) => (&mut flight.task).await,
        None => std::future::pending().await,
    }
}

/// Waits; for ever when nothing is due.
pub(super) async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
