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
    /// Blocks replaced by thinned ones before the platform had them, since the buffer was created.
    pub thinned_blocks: u64,
    /// Readings that thinning left out, since the buffer was created.
    pub left_out_readings: u64,
    /// Positions skipped after power cuts, since the buffer was created: there never was a block.
    pub skipped_positions: u64,
    /// Of the stored bytes, those of thinned blocks.
    pub thinned_bytes: u64,
    /// Blocks found damaged, since the buffer was created.
    pub damaged_blocks: u64,
    /// Commits since start.
    pub commits: u64,
    /// Milliseconds that the last commit took.
    pub last_commit_ms: u64,
    /// What is written to the medium, and the time between two commits that follows from it.
    pub wear: WearStatus,
    /// Why nothing is durable at present; `None` when all is well.
    pub fault: Option<String>,
}

/// How the medium wears.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WearStatus {
    /// Time between two group commits now, milliseconds.
    pub tick_ms: u64,
    /// The longest that it may become, milliseconds.
    pub loss_bound_ms: u64,
    /// Bytes that the daemon wrote to disks since it started.
    pub written_bytes: u64,
    /// Bytes a day, over the last 24 hours of running; `None` before the first minute.
    pub written_per_day: Option<f64>,
    /// Bytes a day that the medium bears over the years that it is to last.
    pub budget_per_day: Option<f64>,
    /// Years that the medium lasts at that pace.
    pub years_left: Option<f64>,
}
