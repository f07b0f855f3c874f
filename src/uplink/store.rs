//! What the uplink needs of the buffer. A trait, so that its decisions are tested without a disk.

use std::future::Future;

use tokio::sync::watch;

use crate::buffer::{Block, Buffer, Lane, ReadError};
use crate::model::{Epoch, Seq};

/// The queue of blocks as the uplink sees it.
pub trait Store: Send + Sync + 'static {
    /// The life of the buffer.
    fn epoch(&self) -> Epoch;
    /// The position that the next block gets.
    fn next_seq(&self) -> Seq;
    /// Changes with every commit.
    fn committed(&self) -> watch::Receiver<Seq>;
    /// Durable blocks of a lane after a position, oldest first, at most `limit`.
    ///
    /// # Errors
    /// The store cannot be read.
    fn read(&self, lane: Lane, after: Option<Seq>, limit: usize) -> Result<Vec<Block>, ReadError>;
    /// The payload with wall times; `None` when they are not known.
    fn stamp(&self, block: &Block) -> Option<Vec<u8>>;
    /// The link to the platform came up or went down.
    fn link(&self, up: bool);
    /// The platform has these blocks: they may be deleted.
    fn acknowledge(&self, blocks: Vec<(Lane, Seq)>) -> impl Future<Output = ()> + Send;
}

impl Store for Buffer {
    fn epoch(&self) -> Epoch {
        Buffer::epoch(self)
    }

    fn next_seq(&self) -> Seq {
        self.status().borrow().next_seq
    }

    fn committed(&self) -> watch::Receiver<Seq> {
        Buffer::committed(self)
    }

    fn read(&self, lane: Lane, after: Option<Seq>, limit: usize) -> Result<Vec<Block>, ReadError> {
        Buffer::read(self, lane, after, limit)
    }

    fn stamp(&self, block: &Block) -> Option<Vec<u8>> {
        Buffer::stamp(self, block)
    }

    fn link(&self, up: bool) {
        Buffer::link(self, up);
    }

    async fn acknowledge(&self, blocks: Vec<(Lane, Seq)>) {
        Buffer::acknowledge(self, blocks).await;
    }
}
