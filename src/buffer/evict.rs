//! Makes room within the budget: the oldest readings are thinned; when only thinned ones are old
//! enough, the oldest of them are dropped; events go last. All of it is announced in the same
//! batch.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::clock::Clock;
use crate::model::{Event, EventKind, Seq};
use crate::store::StoreError;

use super::block::{Lane, is_thinned, key, parse, parse_key};
use super::contents::Contents;
use super::ledger::{Desk, Draft, Job, Ledger, bytes, readings_of};
use super::sealer::{Sealer, unpack};
use super::thin::Reading;

/// The log is told of evictions at most this often.
const TELL_EVERY: Duration = Duration::from_secs(3600);

/// Blocks are folded from this share of the limit on, in percent, so that a run is ready when
/// it is needed; and what was folded is forgotten below the second.
const FOLD_FROM: u64 = 90;
const FORGET_BELOW: u64 = 80;
/// Thinning must leave at most this share of the bytes, in percent; else it is not worth it.
const WORTH: u64 = 90;

/// What goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rank {
    Thinned,
    Fine,
    Urgent,
}

impl Rank {
    fn lane(self) -> Lane {
        if self == Rank::Urgent { Lane::Urgent } else { Lane::Telemetry }
    }
}

impl Ledger {
    /// Makes room for the job's blocks, which may become more.
    pub(super) fn make_room(
        &mut self,
        job: &mut Job,
        sealer: &mut Sealer,
        desk: &dyn Desk,
        draft: &mut Draft,
    ) -> Result<(), StoreError> {
        if std::mem::take(&mut job.freed) {
            self.thinner.look_again();
        }
        self.thinner.forget_if_touched(&draft.gone);
        let limit = self.budget.limit();
        let wanted = self.counts.live_bytes + bytes(&job.blocks);
        if wanted < limit / 100 * FORGET_BELOW {
            self.thinner.forget();
        } else if wanted > limit / 100 * FOLD_FROM {
            self.gather(job, sealer, desk, job.blocks.len() * 2)?;
        }
        if let Some(excess) = self.budget.excess(wanted) {
            self.thin(excess, job, sealer, desk, draft)?;
            self.evict(job, draft)?;
            self.thinner.forget_if_touched(&draft.gone);
        }
        Ok(())
    }

    fn gather(
        &mut self,
        job: &Job,
        sealer: &Sealer,
        desk: &dyn Desk,
        most: usize,
    ) -> Result<(), StoreError> {
        let limit = self.budget.limit();
        let from = Reading {
            queue: &self.queue,
            estate: sealer.estate(),
            clock: &self.clock,
            given_up: job.given_up,
            limit,
            handed: &|seq| desk.is_handed(seq),
        };
        let (folded, _) = self.thinner.ready();
        // The youngest readings stay as they are.
        let room = self.counts.fine_bytes.saturating_sub(folded + limit / 4);
        self.thinner.gather(&from, room, most)
    }

    fn thin(
        &mut self,
        excess: u64,
        job: &mut Job,
        sealer: &mut Sealer,
        desk: &dyn Desk,
        draft: &mut Draft,
    ) -> Result<(), StoreError> {
        let (folded, complete) = self.thinner.ready();
        if !complete && folded < excess {
            self.gather(job, sealer, desk, usize::MAX)?;
        }
        let (_, complete) = self.thinner.ready();
        // While older thinned blocks can go, the run grows to its hour.
        if !complete && self.counts.thinned_bytes >= excess {
            return Ok(());
        }
        let next = sealer.next();
        let Some(thin) = self.thinner.replace(sealer, &self.clock) else { return Ok(()) };
        if bytes(&thin.blocks) * 100 > thin.bytes * WORTH {
            // Read so seldom that little would be left out. They are dropped when they are oldest.
            sealer.take_back(next);
            return Ok(());
        }
        if !desk.withhold(&thin.replaced) {
            sealer.take_back(next);
            self.thinner.look_again();
            return Ok(());
        }
        let replaced: Vec<_> = thin.replaced.iter().map(|seq| (Lane::Telemetry, *seq)).collect();
        job.evicted.extend(&replaced);
        job.lost.extend(thin.lost);
        self.totals.thinned += replaced.len() as u64;
        self.totals.left_out += thin.left_out;
        self.log_thinning(replaced.len(), thin.blocks.len(), thin.left_out);
        job.blocks.extend(thin.blocks);
        draft.events.push(Event { at: self.clock.now(), device: None, kind: thin.event });
        self.remove(&replaced, draft)
    }

    /// Drops the oldest blocks until the job's blocks fit.
    fn evict(&mut self, job: &mut Job, draft: &mut Draft) -> Result<(), StoreError> {
        let wanted = self.counts.live_bytes + bytes(&job.blocks);
        let Some(mut excess) = self.budget.excess(wanted) else { return Ok(()) };
        let mut gap = Gap::default();
        let mut scanned = Ok(());
        for rank in [Rank::Thinned, Rank::Fine, Rank::Urgent] {
            let lane = rank.lane();
            let mut found = Vec::new();
            scanned =
                self.queue.scan(&key(lane, Seq(0)), &key(lane, Seq(u64::MAX)), |key, value| {
                    if excess == 0 {
                        return ControlFlow::Break(());
                    }
                    if (rank == Rank::Thinned) != is_thinned(value) {
                        return ControlFlow::Continue(());
                    }
                    if let Some((lane, seq)) = parse_key(key)
                        && draft.gone.insert((lane, seq))
                    {
                        excess = excess.saturating_sub(value.len() as u64);
                        found.push((seq, value.to_vec()));
                    }
                    ControlFlow::Continue(())
                });
            for (seq, value) in found {
                let key = key(lane, seq);
                self.counts.remove(lane, &value);
                draft.changes.remove(&key);
                job.evicted.push((lane, seq));
                let contents = Contents::counts(&key, &value, self.clock.boot());
                let contents =
                    contents.unwrap_or_else(|| Contents::damaged(lane, readings_of(&value)));
                job.lost.push((seq, contents));
                self.totals.evicted += 1;
                gap.add(seq, readings_of(&value));
                if lane == Lane::Urgent {
                    gap.inherit(&key, &value);
                }
            }
            if scanned.is_err() {
                break;
            }
        }
        // What was found before the store failed is decided, and announced.
        if gap.blocks > 0 {
            self.log_eviction(&gap);
            draft.events.push(gap.event(&self.clock, "budget"));
        }
        scanned
    }

    /// The stream names every range; in the log a long outage would drown all else.
    fn log_eviction(&mut self, gap: &Gap) {
        if !self.tell_now(0) {
            tracing::debug!(from = %gap.from, to = %gap.to, blocks = gap.blocks, "deleted");
            return;
        }
        tracing::error!(
            from = %gap.from, to = %gap.to, blocks = gap.blocks, readings = gap.readings,
            so_far = self.totals.evicted,
            "the buffer is full: the oldest blocks are deleted before the platform had them"
        );
    }

    fn log_thinning(&mut self, before: usize, after: usize, left_out: u64) {
        if !self.tell_now(1) {
            tracing::debug!(before, after, left_out, "thinned");
            return;
        }
        tracing::warn!(
            before,
            after,
            left_out,
            so_far = self.totals.left_out,
            "the buffer is full: the oldest readings are thinned before the platform had them"
        );
    }

    fn tell_now(&mut self, what: usize) -> bool {
        let now = self.clock.now();
        let told = &mut self.told_full[what];
        if told.is_some_and(|told| now.since(told) < TELL_EVERY) {
            return false;
        }
        *told = Some(now);
        true
    }
}

/// A range of positions of which some blocks are lost.
#[derive(Debug, Default)]
pub(super) struct Gap {
    from: Seq,
    to: Seq,
    blocks: u64,
    readings: u64,
}

impl Gap {
    pub(super) fn add(&mut self, seq: Seq, readings: u64) {
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
            match event.what {
                EventKind::BlocksEvicted { from, to, blocks, readings, .. } => {
                    self.extend(from, to, blocks, readings);
                }
                EventKind::ReadingsThinned {
                    from, to, blocks, readings, readings_left, ..
                } => self.extend(from, to, blocks, readings.saturating_sub(readings_left)),
                EventKind::PositionsSkipped { from, to } => {
                    self.extend(from, to, to.0.saturating_sub(from.0) + 1, 0);
                }
                _ => {}
            }
        }
    }

    pub(super) fn event(self, clock: &Clock, reason: &str) -> Event {
        let Self { from, to, blocks, readings } = self;
        let reason = reason.to_owned();
        let kind = EventKind::BlocksEvicted { from, to, blocks, readings, reason };
        Event { at: clock.now(), device: None, kind }
    }
}
