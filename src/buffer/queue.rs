//! Handle on the queue of blocks.

use bytes::Bytes;
use tokio::sync::watch;

use super::BufferStatus;
use crate::model::{Epoch, Moment, Seq};

/// Which blocks go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// Events.
    Urgent,
    /// Readings.
    Telemetry,
}

/// A stored block.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Its position.
    pub seq: Seq,
    /// Its lane.
    pub lane: Lane,
    /// What is published.
    pub payload: Bytes,
    /// Readings in it.
    pub readings: u32,
    /// When it was committed.
    pub created: Moment,
    /// Whether its times are wall times.
    pub stamped: bool,
}

/// Why blocks cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the buffer cannot be read: {0}")]
pub struct ReadError(pub String);

/// Handle on the queue; clones share it.
#[derive(Debug, Clone)]
pub struct Buffer {
    epoch: Epoch,
    status: watch::Receiver<BufferStatus>,
    committed: watch::Receiver<Seq>,
}

impl Buffer {
    /// The life of the buffer.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Its state after each commit.
    pub fn status(&self) -> watch::Receiver<BufferStatus> {
        self.status.clone()
    }

    /// The last durable position.
    pub fn committed(&self) -> watch::Receiver<Seq> {
        self.committed.clone()
    }

    /// Durable blocks of a lane after a position, oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn read(
        &self,
        _lane: Lane,
        _after: Option<Seq>,
        _limit: usize,
    ) -> Result<Vec<Block>, ReadError> {
        Ok(Vec::new())
    }

    /// The platform has them: they may be deleted.
    #[expect(clippy::unused_async, reason = "the shape of the real one")]
    pub async fn acknowledge(&self, _blocks: Vec<(Lane, Seq)>) {}

    /// Commit now.
    pub fn hurry(&self) {}

    /// The payload with wall times; `None` when they are not known.
    pub fn stamp(&self, _block: &Block) -> Option<Vec<u8>> {
        None
    }
}
