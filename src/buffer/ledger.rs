//! What is stored, counted; and what one commit changes: new blocks, deletions, evictions with
//! their announcement, damaged blocks set aside, the next position. All of it is one batch.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::clock::Clock;
use crate::model::{Event, EventKind, Moment, Seq};
use crate::store::{Changes, Store, StoreError, Tree};

use super::block::{Lane, Sealed, damaged_key, key, parse, parse_key};
use super::budget::Budget;
use super::contents::Contents;
use super::meta::{META_KEY, Meta};
use super::sealer::{Sealer, unpack};

/// While files grow they are two to three times as large as what they hold. Files that are this
/// many times as large have room inside.
const REUSE: u64 = 4;

/// The log is told of evictions at most this often.
const TELL_EVERY: Duration = Duration::from_secs(3600);

/// Most damaged blocks that are kept for inspection.
const KEPT_DAMAGED: usize = 64;

/// Counts of what the store holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub blocks: u64,
    pub readings: u64,
    pub live_bytes: u64,
}

impl Counts {
    fn add(&mut self, value: &[u8]) {
        self.blocks += 1;
        self.readings += readings_of(value);
        self.live_bytes += value.len() as u64;
    }

    fn remove(&mut self, value: &[u8]) {
        self.blocks = self.blocks.saturating_sub(1);
        self.readings = self.readings.saturating_sub(readings_of(value));
        self.live_bytes = self.live_bytes.saturating_sub(value.len() as u64);
    }
}

/// Readings that a stored value claims; it counts the same when it comes and when it goes.
fn readings_of(value: &[u8]) -> u64 {
    match value {
        [_, _, low, high, ..] => u64::from(u16::from_le_bytes([*low, *high])),
        _ => 0,
    }
}

/// What one commit is to change.
#[derive(Debug, Default)]
pub(super) struct Job {
    pub blocks: Vec<Sealed>,
    /// Delivered, or evicted by an attempt that failed.
    pub removals: Vec<(Lane, Seq)>,
    /// Found damaged, still to be announced.
    pub damaged: Vec<(Lane, Seq)>,
    /// Found damaged and already announced by a block of this job.
    pub set_aside: Vec<(Lane, Seq, Vec<u8>)>,
    /// Deleted before the platform had them, or damaged; to be told when it is durable.
    pub lost: Vec<(Seq, Contents)>,
    /// An earlier attempt failed, so that some of it may be stored already.
    pub replay: bool,
}

impl Job {
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
            && self.removals.is_empty()
            && self.damaged.is_empty()
            && self.set_aside.is_empty()
    }
}

/// How an attempt to apply a job ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Applied {
    /// All of it; durable after the next commit of the store.
    All,
    /// Deletions only: the file system has too little room. The rest is still in the job.
    DeletionsOnly { free: u64 },
}

/// Owner of the queue's content.
pub(super) struct Ledger {
    pub store: Store,
    pub queue: Tree,
    pub counts: Counts,
    pub evicted: u64,
    pub damaged: u64,
    pub budget: Budget,
    pub keep_free: u64,
    pub clock: Clock,
    /// When the log was last told that blocks had to be deleted.
    pub told_full: Option<Moment>,
}

/// Goes through the whole queue. Returns the counts and the greatest position.
pub(super) fn count(queue: &Tree) -> Result<(Counts, Seq), StoreError> {
    let mut counts = Counts::default();
    let mut last = Seq(0);
    queue.scan(b"b", b"c", |key, value| {
        counts.add(value);
        if let Some((_, seq)) = parse_key(key) {
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
    pub fn apply(&mut self, job: &mut Job, sealer: &mut Sealer) -> Result<Applied, StoreError> {
        let fresh: u64 = job.blocks.iter().map(|block| block.value.len() as u64).sum();
        let file = self.keep_files_small()?;
        let free = self.store.free_bytes().unwrap_or(u64::MAX);
        // sled reuses the room of what was deleted before it lets the file grow.
        let reuse = (self.counts.live_bytes + fresh) * REUSE <= file;
        let may_write = free >= self.keep_free || reuse;
        let mut changes = Changes::default();
        let mut gone = HashSet::new();
        self.remove(&job.removals, &mut changes, &mut gone)?;
        if !may_write {
            if !changes.is_empty() {
                self.queue.apply(changes)?;
            }
            return Ok(Applied::DeletionsOnly { free });
        }
        let mut events = Vec::new();
        let decided = self
            .take_damaged(job, &mut gone, &mut events)
            .and_then(|()| self.evict(fresh, job, &mut changes, &mut gone, &mut events));
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
                self.counts.remove(&stored);
            }
            changes.insert(&key, &block.value);
            self.counts.add(&block.value);
        }
        if !changes.is_empty() {
            let meta = Meta { next: sealer.next(), evicted: self.evicted, damaged: self.damaged };
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

    fn remove(
        &mut self,
        list: &[(Lane, Seq)],
        changes: &mut Changes,
        gone: &mut HashSet<(Lane, Seq)>,
    ) -> Result<(), StoreError> {
        for (lane, seq) in list {
            let key = key(*lane, *seq);
            if let Some(stored) = self.queue.get(&key)?
                && gone.insert((*lane, *seq))
            {
                self.counts.remove(&stored);
                changes.remove(&key);
            }
        }
        Ok(())
    }

    fn take_damaged(
        &mut self,
        job: &mut Job,
        gone: &mut HashSet<(Lane, Seq)>,
        events: &mut Vec<Event>,
    ) -> Result<(), StoreError> {
        let mut gap: Option<Gap> = None;
        for (lane, seq) in std::mem::take(&mut job.damaged) {
            let key = key(lane, seq);
            let Some(stored) = self.queue.get(&key)? else { continue };
            if parse(&key, &stored).is_ok() || !gone.insert((lane, seq)) {
                continue;
            }
            self.counts.remove(&stored);
            self.damaged += 1;
            tracing::error!(%seq, lane = lane.word(), "a stored block is damaged; set aside");
            gap.get_or_insert_default().add(seq, readings_of(&stored));
            job.lost.push((seq, Contents::damaged(lane, readings_of(&stored))));
            job.set_aside.push((lane, seq, stored));
        }
        if let Some(gap) = gap {
            events.push(gap.event(&self.clock, "damaged"));
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

    /// Makes room for `fresh` bytes: oldest telemetry first, urgent only when none is left.
    fn evict(
        &mut self,
        fresh: u64,
        job: &mut Job,
        changes: &mut Changes,
        gone: &mut HashSet<(Lane, Seq)>,
        events: &mut Vec<Event>,
    ) -> Result<(), StoreError> {
        let Some(mut excess) = self.budget.excess(self.counts.live_bytes + fresh) else {
            return Ok(());
        };
        let mut gap = Gap::default();
        for lane in [Lane::Telemetry, Lane::Urgent] {
            let mut found = Vec::new();
            self.queue.scan(&key(lane, Seq(0)), &key(lane, Seq(u64::MAX)), |key, value| {
                if excess == 0 {
                    return ControlFlow::Break(());
                }
                if let Some((lane, seq)) = parse_key(key)
                    && gone.insert((lane, seq))
                {
                    excess = excess.saturating_sub(value.len() as u64);
                    found.push((seq, value.to_vec()));
                }
                ControlFlow::Continue(())
            })?;
            for (seq, value) in found {
                let key = key(lane, seq);
                self.counts.remove(&value);
                changes.remove(&key);
                job.removals.push((lane, seq));
                let contents = Contents::counts(&key, &value, self.clock.boot());
                let contents =
                    contents.unwrap_or_else(|| Contents::damaged(lane, readings_of(&value)));
                job.lost.push((seq, contents));
                self.evicted += 1;
                gap.add(seq, readings_of(&value));
                if lane == Lane::Urgent {
                    gap.inherit(&key, &value);
                }
            }
        }
        if gap.blocks > 0 {
            self.log_eviction(&gap);
            events.push(gap.event(&self.clock, "budget"));
        }
        Ok(())
    }

    /// The stream names every range; in the log a long outage would drown all else.
    fn log_eviction(&mut self, gap: &Gap) {
        let now = self.clock.now();
        if self.told_full.is_some_and(|told| now.since(told) < TELL_EVERY) {
            tracing::debug!(from = %gap.from, to = %gap.to, blocks = gap.blocks, "deleted");
            return;
        }
        self.told_full = Some(now);
        tracing::error!(
            from = %gap.from, to = %gap.to, blocks = gap.blocks, readings = gap.readings,
            so_far = self.evicted,
            "the buffer is full: the oldest blocks are deleted before the platform had them"
        );
    }
}

/// A range of positions of which some blocks are lost.
#[derive(Debug, Default)]
struct Gap {
    from: Seq,
    to: Seq,
    blocks: u64,
    readings: u64,
}

impl Gap {
    fn add(&mut self, seq: Seq, readings: u64) {
        self.extend(seq, seq, 1, readings);
    }

    fn extend(&mut self, from: Seq, to: Seq, blocks: u64, readings: u64) {
        self.from = if self.blocks == 0 { from } else { self.from.min(from) };
        self.to = self.to.max(to);
        self.blocks += blocks;
        self.readings += readings;
    }

    /// An announcement that is itself evicted hands its gap on: otherwise it would be silent.
    fn inherit(&mut self, key: &[u8], value: &[u8]) {
        let Ok((_, payload)) = parse(key, value) else { return };
        let Ok(json) = unpack(payload) else { return };
        let Ok(document) = serde_json::from_slice::<crate::model::Document>(&json) else { return };
        for event in document.events {
            if let EventKind::BlocksEvicted { from, to, blocks, readings, .. } = event.what {
                self.extend(from, to, blocks, readings);
            }
        }
    }

    fn event(self, clock: &Clock, reason: &str) -> Event {
        let Self { from, to, blocks, readings } = self;
        let reason = reason.to_owned();
        let kind = EventKind::BlocksEvicted { from, to, blocks, readings, reason };
        Event { at: clock.now(), device: None, kind }
    }
}
