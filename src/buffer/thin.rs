//! Thinning: when the budget is used up, the oldest readings are thinned before any is dropped.
//!
//! # Rules
//!
//! - A run of the oldest blocks of readings is replaced by fewer blocks with new positions, in one
//!   batch with the event that announces it. No position ever has two contents.
//! - The blocks of a run are folded over many commits, some at each, before there is need. Until
//!   the run is replaced nothing but memory changes, so a kill in between changes nothing.
//! - A run ends with an hour, so that its quarters and hours are whole, unless it grows too large.
//! - What is thinned is not thinned again; when nothing else is old enough, it is dropped, the
//!   oldest first. The youngest quarter of the budget stays as it is.
//! - What was read so seldom that thinning would save little is left as it is, and dropped later.
//! - Blocks that the uplink was handed in its present session are left alone: the platform may
//!   have them already. So is a run of which a block was delivered meanwhile: it is folded anew.

mod fold;
mod write;

use std::collections::HashSet;
use std::ops::ControlFlow;

use crate::clock::Clock;
use crate::model::{Estate, EventKind, Moment, Seq, TimeBase, TimeTrust};
use crate::store::{StoreError, Tree};

use super::block::{Header, Lane, Sealed, boot_tag, is_thinned, key, parse, parse_key};
use super::contents::Contents;
use super::sealer::{Sealer, unpack};
use fold::{Fold, Source};
use write::{Head, METHOD};

const HOUR_MS: i64 = 3_600_000;
/// Least blocks that are folded at one commit, and most.
const PACE: (usize, usize) = (64, 512);
/// Limits of a run: what is removed in one batch, memory, and the length of the announcement.
const MOST_BLOCKS: usize = 4096;
const MOST_SPANS: usize = 32_768;
const MOST_RANGES: usize = 96;
const MOST_FOLDS: usize = 16;

/// Folds runs of blocks.
#[derive(Debug)]
pub(super) struct Thinner {
    run: Run,
    /// Blocks of readings below it are thinned, folded, or cannot be thinned.
    next: Seq,
    /// Blocks that could not be read.
    damaged: Vec<(Lane, Seq)>,
}

/// A run that is being folded.
#[derive(Debug, Default)]
struct Run {
    folds: Vec<(Frame, Fold)>,
    /// Positions, as ranges, first and last inclusive.
    ranges: Vec<(Seq, Seq)>,
    blocks: usize,
    bytes: u64,
    /// Hour of the last block's oldest reading.
    hour: Option<i64>,
    /// An hour has ended, and there is enough of it; or it must not grow.
    complete: bool,
}

/// Blocks with the same clock.
#[derive(Debug, Clone, PartialEq)]
struct Frame {
    /// Tag of the boot in which they were cut.
    boot: u64,
    trust: TimeTrust,
    /// The boot from which moments count; `None` for wall time.
    since: Option<String>,
    /// The readings got their wall time later.
    afterwards: bool,
    /// Their readings were told to the star level as lost.
    told: bool,
}

/// What the run became.
pub(super) struct Thin {
    pub blocks: Vec<Sealed>,
    /// Bytes of the blocks that are replaced.
    pub bytes: u64,
    /// The positions that are replaced.
    pub replaced: Vec<Seq>,
    /// What is lost for the star level, by position.
    pub lost: Vec<(Seq, Contents)>,
    /// Readings that are left out.
    pub left_out: u64,
    pub event: EventKind,
}

/// What is needed to read a block.
pub(super) struct Reading<'a> {
    pub queue: &'a Tree,
    pub estate: &'a Estate,
    pub clock: &'a Clock,
    /// Blocks up to here were told to the star level as lost.
    pub given_up: Seq,
    /// Most bytes of blocks that may be stored.
    pub limit: u64,
    /// Whether the uplink was handed a block in its present session.
    pub handed: &'a dyn Fn(Seq) -> bool,
}

impl Default for Thinner {
    fn default() -> Self {
        Self { run: Run::default(), next: Seq(0), damaged: Vec::new() }
    }
}

impl Thinner {
    /// Bytes folded, and whether the run should not wait for more.
    pub fn ready(&self) -> (u64, bool) {
        (self.run.bytes, self.run.complete)
    }

    /// Blocks that turned out to be damaged.
    pub fn take_damaged(&mut self) -> Vec<(Lane, Seq)> {
        std::mem::take(&mut self.damaged)
    }

    /// Forgets what was folded; it is folded again when there is need.
    pub fn forget(&mut self) {
        if let Some((first, _)) = self.run.ranges.first() {
            self.next = *first;
        }
        self.run = Run::default();
    }

    /// Looks for blocks from the oldest one again: some that were left alone may be free now.
    pub fn look_again(&mut self) {
        *self = Self { damaged: std::mem::take(&mut self.damaged), ..Self::default() };
    }

    /// Forgets what was folded if one of its blocks is going another way.
    pub fn forget_if_touched(&mut self, gone: &HashSet<(Lane, Seq)>) {
        let ranges = &self.run.ranges;
        let within = |seq: Seq| {
            let slot = ranges.partition_point(|(_, last)| *last < seq);
            ranges.get(slot).is_some_and(|(first, _)| *first <= seq)
        };
        if gone.iter().any(|(lane, seq)| *lane == Lane::Telemetry && within(*seq)) {
            self.forget();
        }
    }

    /// Folds some of the oldest blocks that are not thinned. At most `bytes` of them, and `most`
    /// blocks within the limits of one commit.
    pub fn gather(
        &mut self,
        from: &Reading<'_>,
        bytes: u64,
        most: usize,
    ) -> Result<(), StoreError> {
        if self.run.complete {
            return Ok(());
        }
        let mut found: Vec<(Seq, Vec<u8>)> = Vec::new();
        let (mut room, most) = (bytes, most.clamp(PACE.0, PACE.1));
        let (lowest, highest) =
            (key(Lane::Telemetry, self.next), key(Lane::Telemetry, Seq(u64::MAX)));
        from.queue.scan(&lowest, &highest, |key, value| {
            let Some((_, seq)) = parse_key(key) else { return ControlFlow::Continue(()) };
            if is_thinned(value) || (from.handed)(seq) {
                return ControlFlow::Continue(());
            }
            let length = value.len() as u64;
            if found.len() == most || length > room {
                return ControlFlow::Break(());
            }
            room -= length;
            found.push((seq, value.to_vec()));
            ControlFlow::Continue(())
        })?;
        for (seq, value) in found {
            if self.run.complete {
                break;
            }
            self.take(from, seq, &value);
        }
        Ok(())
    }

    /// Folds one block, unless the run is complete with those before it.
    fn take(&mut self, from: &Reading<'_>, seq: Seq, value: &[u8]) {
        let Ok((header, payload)) = parse(&key(Lane::Telemetry, seq), value) else {
            self.damaged.push((Lane::Telemetry, seq));
            self.next = seq.next();
            return;
        };
        let json = unpack(payload);
        let source = json.as_ref().ok().and_then(|json| serde_json::from_slice(json).ok());
        let Some(source): Option<Source<'_>> = source else {
            tracing::warn!(%seq, "a block is no document that can be thinned");
            self.next = seq.next();
            return;
        };
        let told = seq <= from.given_up;
        let (frame, time) = frame(&source.time, header.boot, told, from.clock);
        let hour = time.base.div_euclid(HOUR_MS);
        let ended = self.run.hour.is_some_and(|before| before != hour);
        if ended && self.run.bytes >= from.limit / 64 {
            self.run.complete = true;
            return;
        }
        self.next = seq.next();
        self.run.hour = Some(hour);
        self.run.add(frame, &time, &source, (seq, &header, value.len()), from.estate);
        self.run.complete = self.run.bytes >= from.limit / 8 || self.run.is_large();
    }

    /// Positions of the run.
    pub fn positions(&self) -> Vec<Seq> {
        self.run.folds.iter().flat_map(|(_, fold)| fold.sources.iter().copied()).collect()
    }

    /// Puts thinned blocks in place of the run; `None` when there is nothing to put.
    pub fn replace(&mut self, sealer: &mut Sealer, clock: &Clock) -> Option<Thin> {
        let replaced = self.positions();
        let run = std::mem::take(&mut self.run);
        let (from, to) = (run.ranges.first()?.0, run.ranges.last()?.1);
        let into_from = sealer.next();
        let (mut blocks, mut lost) = (Vec::new(), Vec::with_capacity(replaced.len()));
        let (mut readings, mut readings_left) = (0, 0);
        for (frame, fold) in run.folds {
            readings += fold.readings;
            readings_left += put(sealer, clock, (from, to), &frame, fold, &mut blocks, &mut lost);
        }
        let into_to = blocks.last()?.seq;
        let event = EventKind::ReadingsThinned {
            from,
            to,
            ranges: run.ranges,
            blocks: replaced.len() as u64,
            readings,
            into_from,
            into_to,
            readings_left,
            method: METHOD.to_owned(),
        };
        let left_out = readings - readings_left;
        Some(Thin { blocks, bytes: run.bytes, replaced, lost, left_out, event })
    }
}

/// Seals what is left of a fold. Returns how many readings that is.
fn put(
    sealer: &mut Sealer,
    clock: &Clock,
    range: (Seq, Seq),
    frame: &Frame,
    fold: Fold,
    blocks: &mut Vec<Sealed>,
    lost: &mut Vec<(Seq, Contents)>,
) -> u64 {
    let (readings, changes) = (fold.readings, fold.changes);
    let created = fold.created.unwrap_or_default();
    let sources = fold.sources.clone();
    let head = Head {
        time: TimeBase {
            trust: frame.trust,
            boot: frame.since.clone(),
            uncertainty_ms: fold.uncertainty_ms,
            afterwards: frame.afterwards,
            ..TimeBase::trusted(0)
        },
        header: Header {
            readings: 0,
            changes: 0,
            stamped: frame.since.is_none(),
            thinned: true,
            told: frame.told,
            created,
            boot: frame.boot,
        },
        range,
    };
    let before = blocks.len();
    let left = write::seal(sealer, &head, &fold.atoms(), blocks);
    let put: Vec<&Sealed> = blocks[before..].iter().collect();
    let changes_left = put.iter().map(|block| block.contents.changes()).sum::<u64>();
    let this_boot = frame.boot == boot_tag(clock.boot());
    // Told once, for all of them; the others are only forgotten.
    let mut told = Contents::nothing(this_boot.then_some(created));
    if !frame.told {
        let changes = changes.saturating_sub(changes_left);
        told.count_readings(readings.saturating_sub(left), changes);
    }
    for seq in sources {
        let nothing = Contents::nothing(told.created);
        lost.push((seq, std::mem::replace(&mut told, nothing)));
    }
    left
}

/// The time of a document as it is known by now, and the clock that it counts on.
fn frame(time: &TimeBase, boot: u64, told: bool, clock: &Clock) -> (Frame, TimeBase) {
    let since_boot = |time: &TimeBase| time.trust == TimeTrust::SinceBoot;
    let moment = u64::try_from(time.base).ok().map(|boot_ms| Moment { boot_ms });
    let better = match (&time.boot, moment) {
        (Some(boot), Some(moment)) if since_boot(time) => clock.afterwards(boot, moment),
        _ => None,
    };
    // Bounds of a boot that never had the time are put in when the block is sent.
    let better = better.filter(|better| !since_boot(better));
    let time = better.unwrap_or_else(|| time.clone());
    let since = time.boot.clone().filter(|_| since_boot(&time));
    (Frame { boot, trust: time.trust, since, afterwards: time.afterwards, told }, time)
}

impl Run {
    fn add(
        &mut self,
        frame: Frame,
        time: &TimeBase,
        source: &Source<'_>,
        (seq, header, bytes): (Seq, &Header, usize),
        estate: &Estate,
    ) {
        // Not the last one only: the two lanes of time may alternate while the clock is found.
        let at = self.folds.iter().position(|(known, _)| *known == frame);
        let at = at.unwrap_or_else(|| {
            self.folds.push((frame, Fold::default()));
            self.folds.len() - 1
        });
        let fold = &mut self.folds[at].1;
        fold.add(source, time.base, estate);
        fold.uncertainty_ms = fold.uncertainty_ms.max(time.uncertainty_ms);
        fold.created = Some(fold.created.map_or(header.created, |at| at.min(header.created)));
        fold.changes += u64::from(header.changes);
        fold.sources.push(seq);
        self.blocks += 1;
        self.bytes += bytes as u64;
        match self.ranges.last_mut() {
            Some((_, last)) if last.next() == seq => *last = seq,
            _ => self.ranges.push((seq, seq)),
        }
    }

    fn is_large(&self) -> bool {
        let spans: usize = self.folds.iter().map(|(_, fold)| fold.spans()).sum();
        self.blocks >= MOST_BLOCKS
            || self.ranges.len() >= MOST_RANGES
            || self.folds.len() >= MOST_FOLDS
            || spans >= MOST_SPANS
    }
}
