//! What the buffer tells about itself.

use serde::Serialize;

use crate::model::{Epoch, Seq};

/// Present state of the buffer, published after every commit.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BufferStatus {
    /// The life of the buffer.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub epoch: Epoch,
    /// The next block gets this position; every block below it is durable.
    pub next_seq: Seq,
    /// Oldest block that is still stored, if any.
    pub oldest_seq: Option<Seq>,
    /// Blocks stored.
    pub blocks: u64,
    /// Readings stored.
    pub readings: u64,
    /// Bytes of the stored blocks.
    pub live_bytes: u64,
    /// Bytes of the store's files on the disk.
    pub file_bytes: u64,
    /// Most that the files may take.
    pub budget: u64,
    /// Bytes of blocks created per hour, over the last hour (or since start).
    pub bytes_per_hour: f64,
    /// Hours of outage that still fit at that rate; `None` before a rate is known.
    pub hours_left: Option<f64>,
    /// Readings committed since start.
    pub committed_readings: u64,
    /// Bytes of blocks committed since start.
    pub committed_bytes: u64,
    /// Blocks deleted before the platform had them, since the buffer was created.
    pub evicted_blocks: u64,
    /// Blocks found damaged, since the buffer was created.
    pub damaged_blocks: u64,
    /// Commits since start.
    pub commits: u64,
    /// Milliseconds that the last commit took.
    pub last_commit_ms: u64,
    /// Why nothing is durable at present; `None` when all is well.
    pub fault: Option<String>,
}
