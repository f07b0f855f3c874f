//! What is stored, counted; and what one commit changes: new blocks, deletions, evictions with
//! their announcement, damaged blocks set aside, the next position. All of it is one batch.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::ops::ControlFlow;

use crate::clock::Clock;
use crate::model::{Event, Moment, Seq};
use crate::store::{Changes, Store, StoreError, Tree};

use super::block::{Lane, Sealed, damaged_key, is_thinned, key, parse, parse_key};
use super::budget::Budget;
use super::contents::Contents;
use super::evict::Gap;
use super::meta::{META_KEY, Meta, Totals};
use super::pace::Pace;
use super::sealer::Sealer;
use super::thin::Thinner;

/// While files grow they are two to three times as large as what they hold. Files that are this
/// many times as large have room inside.
const REUSE: u64 = 4;

/// Most damaged blocks that are kept for inspection.
const KEPT_DAMAGED: usize = 64;

/// Counts of what the store holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub blocks: u64,
    pub readings: u64,
    pub live_bytes: u64,
    /// Of them, blocks of readings that are not thinned.
    pub fine_bytes: u64,
    /// Of them, thinned blocks.
    pub thinned_bytes: u64,
}

impl Counts {
    fn add(&mut self, lane: Lane, value: &[u8]) {
        self.change(lane, value, |count, by| *count += by);
    }

    pub(super) fn remove(&mut self, lane: Lane, value: &[u8]) {
        self.change(lane, value, |count, by| *count = count.saturating_sub(by));
    }

    fn change(&mut self, lane: Lane, value: &[u8], by: impl Fn(&mut u64, u64)) {
        let bytes = value.len() as u64;
        by(&mut self.blocks, 1);
        by(&mut self.readings, readings_of(value));
        by(&mut self.live_bytes, bytes);
        match lane {
            Lane::Urgent => {}
            Lane::Telemetry if is_thinned(value) => by(&mut self.thinned_bytes, bytes),
            Lane::Telemetry => by(&mut self.fine_bytes, bytes),
        }
    }
}

/// Readings that a stored value claims; it counts the same when it comes and when it goes.
pub(super) fn readings_of(value: &[u8]) -> u64 {
    match value {
        [_, _, low, high, ..] => u64::from(u16::from_le_bytes([*low, *high])),
        _ => 0,
    }
}

/// What one commit is to change.
#[derive(Debug, Default)]
pub(super) struct Job {
    pub blocks: Vec<Sealed>,
    /// Delivered.
    pub removals: Vec<(Lane, Seq)>,
    /// Evicted, or replaced by thinned blocks: removed only together with a block of this job
    /// that says so.
    pub evicted: Vec<(Lane, Seq)>,
    /// Found damaged, still to be announced.
    pub damaged: Vec<(Lane, Seq)>,
    /// Found damaged and already announced by a block of this job.
    pub set_aside: Vec<(Lane, Seq, Vec<u8>)>,
    /// Deleted before the platform had them, or damaged; to be told when it is durable.
    pub lost: Vec<(Seq, Contents)>,
    /// Blocks of readings up to here were told to the star level as lost.
    pub given_up: Seq,
    /// Blocks that the uplink had been handed are free again.
    pub freed: bool,
    /// An earlier attempt failed, so that some of it may be stored already.
    pub replay: bool,
}

impl Job {
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
            && self.removals.is_empty()
            && self.evicted.is_empty()
            && !self.freed
            && self.damaged.is_empty()
            && self.set_aside.is_empty()
    }
}

/// What the ledger asks of the uplink's side before it takes blocks away from it.
pub(super) trait Desk {
    /// Whether the uplink was handed a block of readings in its present session.
    fn is_handed(&self, seq: Seq) -> bool;
    /// From now on none of these blocks of readings is handed out; false when one was, and then
    /// nothing changed.
    fn withhold(&self, blocks: &[Seq]) -> bool;
}

/// How an attempt to apply a job ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Applied {
    /// All of it; durable after the next commit of the store.
    All,
    /// Deletions only: the file system has too little room. The rest is still in the job.
    DeletionsOnly { free: u64 },
}

/// What becomes one batch, while it is decided.
#[derive(Default)]
pub(super) struct Draft {
    pub changes: Changes,
    /// Blocks that it deletes.
    pub gone: HashSet<(Lane, Seq)>,
    /// What is announced with it.
    pub events: Vec<Event>,
}

/// Owner of the queue's content.
pub(super) struct Ledger {
    pub store: Store,
    pub queue: Tree,
    pub counts: Counts,
    pub totals: Totals,
    pub thinner: Thinner,
    pub pace: Pace,
    pub budget: Budget,
    pub keep_free: u64,
    pub clock: Clock,
    /// When the log was last told that blocks had to be deleted, or thinned.
    pub told_full: [Option<Moment>; 2],
}

/// Goes through the whole queue. Returns the counts and the greatest position.
pub(super) fn count(queue: &Tree) -> Result<(Counts, Seq), StoreError> {
    let mut counts = Counts::default();
    let mut last = Seq(0);
    queue.scan(b"b", b"c", |key, value| {
        if let Some((lane, seq)) = parse_key(key) {
            counts.add(lane, value);
            last = last.max(seq);
        }
        ControlFlow::Continue(())
    })?;
    Ok((counts, last))
}

impl Ledger {
    /// Counts again, after the store was opened again.
    pub fn recount(&mut self) -> Result<(), StoreError> {
        self.counts = count(&self.queue)?.0;
        self.thinner.look_again();
        Ok(())
    }

    /// Oldest position stored.
    pub fn oldest(&self) -> Result<Option<Seq>, StoreError> {
        let mut oldest: Option<Seq> = None;
        for lane in Lane::ALL {
            self.queue.scan(&key(lane, Seq(0)), &key(lane, Seq(u64::MAX)), |key, _| {
                let seq = parse_key(key).map(|(_, seq)| seq);
                oldest = [oldest, seq].into_iter().flatten().min();
                ControlFlow::Break(())
            })?;
        }
        Ok(oldest)
    }

    /// Applies the job. What was decided on the way (evictions, their announcement) is written
    /// into the job, so that a second attempt decides nothing anew.
    pub fn apply(
        &mut self,
        job: &mut Job,
        sealer: &mut Sealer,
        desk: &dyn Desk,
    ) -> Result<Applied, StoreError> {
        let fresh = bytes(&job.blocks);
        let file = self.keep_files_small()?;
        let free = self.store.free_bytes().unwrap_or(u64::MAX);
        // sled reuses the room of what was deleted before it lets the file grow.
        let reuse = (self.counts.live_bytes + fresh) * REUSE <= file;
        let may_write = free >= self.keep_free || reuse;
        let mut draft = Draft::default();
        self.remove(&job.removals, &mut draft)?;
        if !may_write {
            if !draft.changes.is_empty() {
                self.queue.apply(draft.changes)?;
            }
            return Ok(Applied::DeletionsOnly { free });
        }
        self.remove(&job.evicted, &mut draft)?;
        let decided = self
            .look_at_wear(&mut draft.events)
            .and_then(|()| self.take_damaged(job, &mut draft))
            .and_then(|()| self.make_room(job, sealer, desk, &mut draft));
        let Draft { mut changes, mut events, .. } = draft;
        // Also when the store failed half-way: what was decided stands, and must be announced.
        sealer.seal_events(&mut events, &mut job.blocks);
        decided?;
        for (lane, seq, value) in &job.set_aside {
            changes.remove(&key(*lane, *seq));
            changes.insert(&damaged_key(*lane, *seq), value);
        }
        for block in &job.blocks {
            let key = key(block.lane, block.seq);
            if job.replay
                && let Some(stored) = self.queue.get(&key)?
            {
                self.counts.remove(block.lane, &stored);
            }
            changes.insert(&key, &block.value);
            self.counts.add(block.lane, &block.value);
        }
        if !changes.is_empty() {
            let meta = Meta { next: sealer.next(), totals: self.totals };
            changes.insert(META_KEY, &meta.encode());
            self.queue.apply(changes)?;
        }
        Ok(Applied::All)
    }

    /// Rebuilds the files when they near the budget; returns their size.
    fn keep_files_small(&mut self) -> Result<u64, StoreError> {
        let file = self.store.file_bytes();
        let free = self.store.free_bytes().unwrap_or(0);
        if !self.budget.wants_rebuild(file) || free < self.counts.live_bytes * 2 {
            self.budget.observe(file, self.counts.live_bytes);
            return Ok(file);
        }
        let rebuilt = self.store.rebuild();
        let after = self.store.file_bytes();
        self.budget.rebuilt(after);
        match rebuilt {
            Ok(()) => tracing::debug!(before = file, after, "rebuilt the files of the buffer"),
            Err(StoreError::Io { source, .. }) if source.kind() == ErrorKind::InvalidInput => {
                tracing::info!("the file system cannot exchange folders: less room for blocks");
            }
            Err(error) => return Err(error),
        }
        Ok(after)
    }

    pub(super) fn remove(
        &mut self,
        list: &[(Lane, Seq)],
        draft: &mut Draft,
    ) -> Result<(), StoreError> {
        for (lane, seq) in list {
            let key = key(*lane, *seq);
            if let Some(stored) = self.queue.get(&key)?
                && draft.gone.insert((*lane, *seq))
            {
                self.counts.remove(*lane, &stored);
                draft.changes.remove(&key);
            }
        }
        Ok(())
    }

    fn take_damaged(&mut self, job: &mut Job, draft: &mut Draft) -> Result<(), StoreError> {
        let mut gap: Option<Gap> = None;
        job.damaged.append(&mut self.thinner.take_damaged());
        for (lane, seq) in std::mem::take(&mut job.damaged) {
            let key = key(lane, seq);
            let Some(stored) = self.queue.get(&key)? else { continue };
            if parse(&key, &stored).is_ok() || !draft.gone.insert((lane, seq)) {
                continue;
            }
            self.counts.remove(lane, &stored);
            self.totals.damaged += 1;
            tracing::error!(%seq, lane = lane.word(), "a stored block is damaged; set aside");
            gap.get_or_insert_default().add(seq, readings_of(&stored));
            job.lost.push((seq, Contents::damaged(lane, readings_of(&stored))));
            job.set_aside.push((lane, seq, stored));
        }
        if let Some(gap) = gap {
            draft.events.push(gap.event(&self.clock, "damaged"));
            self.trim_damaged()?;
        }
        Ok(())
    }

    /// Keeps the set of damaged blocks small.
    fn trim_damaged(&self) -> Result<(), StoreError> {
        let mut keys = Vec::new();
        self.queue.scan(b"d", b"e", |key, _| {
            keys.push(key.to_vec());
            ControlFlow::Continue(())
        })?;
        let mut changes = Changes::default();
        let excess = keys.len().saturating_sub(KEPT_DAMAGED);
        keys[..excess].iter().for_each(|key| changes.remove(key));
        if changes.is_empty() { Ok(()) } else { self.queue.apply(changes) }
    }
}

pub(super) fn bytes(blocks: &[Sealed]) -> u64 {
    blocks.iter().map(|block| block.value.len() as u64).sum()
}
