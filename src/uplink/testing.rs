//! A queue of blocks in memory, for tests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::store::Store;
use crate::buffer::{Block, Lane, ReadError};
use crate::model::{Epoch, Moment, Seq};

/// A stamped block with one reading.
pub(super) fn block(seq: u64, lane: Lane) -> Block {
    Block {
        seq: Seq(seq),
        lane,
        payload: format!("block {seq}").into_bytes().into(),
        readings: 1,
        created: Moment::default(),
        this_boot: true,
        thinned: false,
        stamped: true,
    }
}

#[derive(Debug, Clone)]
pub(super) struct MemoryStore {
    blocks: Arc<Mutex<BTreeMap<(Lane, Seq), Block>>>,
    next: Arc<Mutex<Seq>>,
    acknowledged: Arc<Mutex<Vec<Seq>>>,
    committed: Arc<watch::Sender<Seq>>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self {
            blocks: Arc::default(),
            next: Arc::new(Mutex::new(Seq(1))),
            acknowledged: Arc::default(),
            committed: Arc::new(watch::Sender::new(Seq(0))),
        }
    }
}

impl MemoryStore {
    pub fn put(&self, block: Block) {
        let seq = block.seq;
        self.blocks.lock().unwrap().insert((block.lane, seq), block);
        *self.next.lock().unwrap() = seq.next();
        self.committed.send_replace(seq);
    }

    pub fn evict(&self, lane: Lane, seq: Seq) {
        self.blocks.lock().unwrap().remove(&(lane, seq)).unwrap();
    }

    pub fn left(&self) -> usize {
        self.blocks.lock().unwrap().len()
    }

    /// In the order of acknowledgement, repeats included.
    pub fn acknowledged(&self) -> Vec<u64> {
        self.acknowledged.lock().unwrap().iter().map(|seq| seq.0).collect()
    }
}

impl Store for MemoryStore {
    fn epoch(&self) -> Epoch {
        Epoch(7)
    }

    fn next_seq(&self) -> Seq {
        *self.next.lock().unwrap()
    }

    fn committed(&self) -> watch::Receiver<Seq> {
        self.committed.subscribe()
    }

    fn read(&self, lane: Lane, after: Option<Seq>, limit: usize) -> Result<Vec<Block>, ReadError> {
        let from = after.map_or(Seq(0), Seq::next);
        let blocks = self.blocks.lock().unwrap();
        Ok(blocks
            .range((lane, from)..=(lane, Seq(u64::MAX)))
            .take(limit)
            .map(|b| b.1.clone())
            .collect())
    }

    fn stamp(&self, block: &Block) -> Option<Vec<u8>> {
        Some(format!("stamped {}", block.seq).into_bytes())
    }

    fn link(&self, _up: bool) {}

    async fn acknowledge(&self, list: Vec<(Lane, Seq)>) {
        let mut blocks = self.blocks.lock().unwrap();
        for key in list {
            blocks.remove(&key);
            self.acknowledged.lock().unwrap().push(key.1);
        }
    }
}
