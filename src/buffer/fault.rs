//! Why the recorder may end before its time.

use tokio::task::JoinError;

use crate::store::StoreError;

/// Why the recorder gave up.
#[derive(Debug, thiserror::Error)]
pub enum RecorderError {
    /// The store stays damaged also when it is opened again; opening the buffer anew sets it
    /// aside.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The end came while the disk would not take the last blocks.
    #[error("{readings} readings could not be stored before the end: {fault}")]
    Unwritten {
        /// Readings that are lost, unless their device delivers them again.
        readings: u64,
        /// What the disk said.
        fault: String,
    },
    /// A commit panicked.
    #[error("a commit of the buffer panicked: {0}")]
    Panicked(#[from] JoinError),
}
