//! Opens the buffer: takes up its life where it stopped, or begins a new one.

use std::sync::Arc;

use crate::clock::Clock;
use crate::model::{Epoch, Estate, Event, EventKind, Record, Seq};
use crate::store::{Changes, Limits, SetAside, Store, StoreError, Tree};

use super::block::boot_tag;
use super::budget::Budget;
use super::ledger::{Counts, Desk, Job, Ledger, count};
use super::mark::{Mark, Noted};
use super::meta::{EPOCH_KEY, META_KEY, Meta, decode_epoch};
use super::pace::Pace;
use super::queue::{Buffer, Shared};
use super::recorder::Recorder;
use super::sealer::Sealer;
use super::thin::Thinner;
use super::{BufferStatus, Config};

/// Name of the tree that holds the queue.
pub(super) const QUEUE: &str = "queue";

/// Least budget: the files grow by segments of 512 KiB, and some of them are always in use.
pub const MIN_BUDGET: u64 = 16 << 20;

/// Why the buffer cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A budget below [`MIN_BUDGET`].
    #[error("a buffer budget of {0} bytes is too small; at least {MIN_BUDGET} are needed")]
    Budget(u64),
    /// The system gave no random number for the epoch.
    #[error("cannot get a random number for the buffer's epoch: {0}")]
    Random(getrandom::Error),
}

/// What an existing queue says about itself.
pub(super) struct Found {
    pub queue: Tree,
    pub epoch: Option<Epoch>,
    pub meta: Meta,
    pub counts: Counts,
}

/// Reads the queue's counters and goes through its blocks.
pub(super) fn examine(store: &Store) -> Result<Found, StoreError> {
    let damaged = |detail: String| StoreError::Damaged { path: store.path().to_owned(), detail };
    let queue = store.tree(QUEUE);
    let epoch = match queue.get(EPOCH_KEY)? {
        None => None,
        Some(bytes) => Some(
            decode_epoch(&bytes).ok_or_else(|| damaged("the epoch cannot be read".to_owned()))?,
        ),
    };
    let meta = match queue.get(META_KEY)? {
        Some(bytes) => {
            Meta::decode(&bytes).ok_or_else(|| damaged("the counters cannot be read".to_owned()))?
        }
        None => Meta::default(),
    };
    let (counts, last) = count(&queue)?;
    // A position that was given must never be given again.
    if counts.blocks > 0 && (epoch.is_none() || last >= meta.next) {
        return Err(damaged(format!("block {last} lies beyond the next position {}", meta.next)));
    }
    Ok(Found { queue, epoch, meta, counts })
}

/// Opens the buffer. Blocks for as long as reading the whole store takes.
///
/// # Errors
/// The folder is used by another daemon, cannot be read or written, or the budget is too small.
/// A damaged store is no error: it is set aside, and the platform is told by an event.
pub fn open(
    config: &Config,
    estate: Arc<Estate>,
    clock: Clock,
) -> Result<(Recorder, Buffer), OpenError> {
    if config.budget < MIN_BUDGET {
        return Err(OpenError::Budget(config.budget));
    }
    let (store, found, mut replaced) =
        Store::open_or_replace(&config.path, Limits::default(), examine)?;
    let boot = boot_tag(clock.boot());
    let (mark, left) = Mark::open(&config.path, boot)
        .map_err(|source| StoreError::Io { path: config.path.clone(), source })?;
    if found.epoch.is_none() && left.noted.is_some() && replaced.is_none() {
        let reason = "it was found empty".to_owned();
        replaced = Some(SetAside { path: config.path.clone(), reason });
    }
    let epoch = match found.epoch {
        Some(epoch) => epoch,
        None => Epoch(getrandom::u64().map_err(OpenError::Random)?),
    };
    let mut ledger = Ledger {
        store: store.clone(),
        queue: found.queue.clone(),
        counts: found.counts,
        totals: found.meta.totals,
        thinner: Thinner::default(),
        pace: Pace::open(config, &store)?,
        budget: Budget::new(config.budget, store.file_bytes()),
        keep_free: config.keep_free,
        clock: clock.clone(),
        told_full: [None; 2],
    };
    // Positions that the store does not know of although they were durable once.
    let lost = left.lost(epoch, found.meta.next);
    let known = lost.map_or(found.meta.next, |(_, next)| next);
    let next = left.resume(epoch, known, boot);
    let mut sealer = Sealer::new(estate, clock.clone(), epoch, next);
    if found.epoch.is_none() {
        begin(&mut ledger, &mut sealer, epoch, replaced)?;
        mark.note(Noted { epoch, next: sealer.next() });
    }
    let lost = lost.map(|(from, next)| announce(&mut ledger, from, next));
    let skipped = (next > known).then(|| skip(&mut ledger, known, next));
    // What is skipped is durable with the first commit.
    let durable = if next > known { known } else { sealer.next() };
    let status = first_status(&ledger, epoch, durable)?;
    let shared = Arc::new(Shared::new(store, found.queue, epoch, clock, mark, status));
    let mut recorder = Recorder::new(config.clone(), shared.clone(), ledger, sealer);
    lost.into_iter().chain(skipped).for_each(|event| recorder.take(Record::Event(event)));
    Ok((recorder, Buffer(shared)))
}

/// What was durable and is gone with a part of the file. The event goes out with the first
/// commit; until then the note shows the loss again.
fn announce(ledger: &mut Ledger, from: Seq, next: Seq) -> Event {
    let blocks = next.0 - from.0;
    let to = Seq(next.0 - 1);
    ledger.totals.damaged += blocks;
    tracing::error!(%from, %to, "the end of the buffer is lost: its file was damaged");
    // How many readings were in them, or whether the platform had them already, nobody knows.
    let reason = "damaged".to_owned();
    let kind = EventKind::BlocksEvicted { from, to, blocks, readings: 0, reason };
    Event { at: ledger.clock.now(), device: None, kind }
}

/// After a power cut positions go on behind those that were reserved before it. As above, the
/// reservation stays until the event is durable.
fn skip(ledger: &mut Ledger, from: Seq, next: Seq) -> Event {
    let to = Seq(next.0 - 1);
    ledger.totals.skipped += next.0 - from.0;
    tracing::info!(%from, %to, "positions are skipped after a power cut");
    Event { at: ledger.clock.now(), device: None, kind: EventKind::PositionsSkipped { from, to } }
}

/// Nobody reads from the buffer yet.
struct Nobody;

impl Desk for Nobody {
    fn is_handed(&self, _: Seq) -> bool {
        false
    }

    fn withhold(&self, _: &[Seq]) -> bool {
        true
    }
}

/// Begins a new life: the epoch is durable before the first block is cut.
fn begin(
    ledger: &mut Ledger,
    sealer: &mut Sealer,
    epoch: Epoch,
    replaced: Option<SetAside>,
) -> Result<(), OpenError> {
    let mut changes = Changes::default();
    changes.insert(EPOCH_KEY, &epoch.0.to_le_bytes());
    ledger.queue.apply(changes)?;
    if let Some(SetAside { path, reason }) = replaced {
        let set_aside = path.display().to_string();
        tracing::error!(set_aside, reason, %epoch, "the buffer was damaged; a new one begins");
        let kind = EventKind::BufferReplaced { set_aside, reason };
        let event = Event { at: ledger.clock.now(), device: None, kind };
        let mut job = Job::default();
        sealer.seal_events(&mut vec![event], &mut job.blocks);
        // A new store has no room problem that the recorder would not meet and report as well.
        let keep_free = std::mem::take(&mut ledger.keep_free);
        let applied = ledger.apply(&mut job, sealer, &Nobody);
        ledger.keep_free = keep_free;
        applied?;
    }
    ledger.store.commit()?;
    Ok(())
}

fn first_status(ledger: &Ledger, epoch: Epoch, next: Seq) -> Result<BufferStatus, StoreError> {
    Ok(BufferStatus {
        epoch,
        next_seq: next,
        oldest_seq: ledger.oldest()?,
        blocks: ledger.counts.blocks,
        readings: ledger.counts.readings,
        live_bytes: ledger.counts.live_bytes,
        file_bytes: ledger.store.file_bytes(),
        budget: ledger.budget.total(),
        bytes_per_hour: 0.0,
        hours_left: None,
        committed_readings: 0,
        committed_bytes: 0,
        evicted_blocks: ledger.totals.evicted,
        damaged_blocks: ledger.totals.damaged,
        thinned_blocks: ledger.totals.thinned,
        left_out_readings: ledger.totals.left_out,
        skipped_positions: ledger.totals.skipped,
        thinned_bytes: ledger.counts.thinned_bytes,
        commits: 0,
        last_commit_ms: 0,
        wear: ledger.pace.status(),
        fault: None,
    })
}
