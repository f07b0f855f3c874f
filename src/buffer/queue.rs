//! The uplink's side of the queue: reads durable blocks, acknowledges them, watches.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use tokio::sync::{Notify, mpsc, watch};

use crate::clock::Clock;
use crate::model::{Epoch, Fact, Seq};
use crate::store::{Store, StoreError, Tree};

use super::BufferStatus;
use super::block::{Block, Lane, boot_tag, key, parse, parse_key};
use super::delivery::Deliveries;
use super::ledger::{Desk, Job};
use super::mark::Mark;
use super::sealer;

/// Acknowledgements that wait for the next commit; above this the caller waits.
const MAX_WAITING: usize = 8192;

/// Why blocks could not be read; try again after the next change of the status.
#[derive(Debug, thiserror::Error)]
#[error("cannot read from the buffer: {0}")]
pub struct ReadError(#[from] StoreError);

impl ReadError {
    /// Whether it passes by itself: the files are just being rebuilt or opened again. When they
    /// cannot be opened, the recorder says so.
    pub fn passes(&self) -> bool {
        matches!(self.0, StoreError::Closed { .. })
    }
}

/// Handle on the buffer; clones share it.
#[derive(Clone)]
pub struct Buffer(pub(super) Arc<Shared>);

/// What recorder and handles share.
pub(super) struct Shared {
    pub store: Store,
    pub queue: Tree,
    pub epoch: Epoch,
    pub clock: Clock,
    pub mark: Mark,
    pub committed: watch::Sender<Seq>,
    pub status: watch::Sender<BufferStatus>,
    pub hurry: Notify,
    /// Something lies in the inbox.
    pub news: Notify,
    inbox: Mutex<Inbox>,
    /// Changes when the inbox was emptied.
    emptied: watch::Sender<()>,
    deliveries: Mutex<Deliveries>,
}

/// What the handles want the next commit to do.
#[derive(Debug, Default)]
struct Inbox {
    delivered: BTreeSet<(Lane, Seq)>,
    damaged: BTreeSet<(Lane, Seq)>,
    /// Taken by a commit that is under way: still stored, not to be handed out again.
    leaving: BTreeSet<(Lane, Seq)>,
    /// Blocks of readings handed to the uplink since its session began, and not acknowledged.
    handed: BTreeSet<Seq>,
    /// The session ended: they are free again.
    freed: bool,
}

impl Shared {
    pub fn new(
        store: Store,
        queue: Tree,
        epoch: Epoch,
        clock: Clock,
        mark: Mark,
        status: BufferStatus,
    ) -> Self {
        Self {
            store,
            queue,
            epoch,
            clock,
            mark,
            committed: watch::Sender::new(status.next_seq),
            status: watch::Sender::new(status),
            hurry: Notify::new(),
            news: Notify::new(),
            inbox: Mutex::default(),
            emptied: watch::Sender::new(()),
            deliveries: Mutex::default(),
        }
    }

    /// Moves what was delivered and what was found damaged into the job.
    pub fn take_inbox(&self, job: &mut Job) {
        let mut inbox = self.inbox();
        let delivered = std::mem::take(&mut inbox.delivered);
        let damaged = std::mem::take(&mut inbox.damaged);
        inbox.leaving.extend(delivered.iter().chain(&damaged));
        job.removals.extend(delivered);
        job.damaged.extend(damaged);
        job.freed |= std::mem::take(&mut inbox.freed);
        drop(inbox);
        job.given_up = self.deliveries().given_up(Lane::Telemetry);
        self.emptied.send_replace(());
    }

    /// Deletions took place: nothing is on its way out any more.
    pub fn left(&self) {
        self.inbox().leaving.clear();
    }

    /// A job is durable: its blocks may arrive, what it deleted never will.
    pub fn note(&self, job: &Job) {
        let mut deliveries = self.deliveries();
        deliveries.stored(&job.blocks);
        let now = self.clock.now();
        job.lost.iter().for_each(|(seq, contents)| deliveries.lost(*seq, contents, now));
        if let Err(error) = deliveries.look(&self.queue, &self.clock) {
            tracing::debug!(%error, "late blocks are looked for again");
        }
    }

    /// Whether the inbox holds anything.
    pub fn has_news(&self) -> bool {
        let inbox = self.inbox();
        !inbox.delivered.is_empty() || !inbox.damaged.is_empty()
    }

    /// What is told to the star level.
    // Nothing that holds it panics half-way through a change.
    pub fn deliveries(&self) -> MutexGuard<'_, Deliveries> {
        self.deliveries.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    // Held for set operations only, which do not panic.
    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Buffer {
    /// The life of the buffer.
    pub fn epoch(&self) -> Epoch {
        self.0.epoch
    }

    /// Its state, after each commit.
    pub fn status(&self) -> watch::Receiver<BufferStatus> {
        self.0.status.subscribe()
    }

    /// The next position: every block below it is durable.
    pub fn committed(&self) -> watch::Receiver<Seq> {
        self.0.committed.subscribe()
    }

    /// The store, for modules that keep a tree of their own in it. The recorder's commits make
    /// it durable.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// Durable blocks of a lane above `after`, oldest first, at most `limit`. Blocks that were
    /// acknowledged are left out, and so are damaged ones, which are set aside and announced.
    /// Reads from cached pages, mostly; a backlog may cost some milliseconds of disk.
    ///
    /// # Errors
    /// The store failed; the recorder opens it again.
    pub fn read(
        &self,
        lane: Lane,
        after: Option<Seq>,
        limit: usize,
    ) -> Result<Vec<Block>, ReadError> {
        let from = key(lane, after.map_or(Seq(0), Seq::next));
        let to = key(lane, *self.0.committed.borrow());
        let boot = boot_tag(self.0.clock.boot());
        let mut blocks = Vec::with_capacity(limit.min(256));
        let mut damaged = Vec::new();
        if limit == 0 {
            return Ok(blocks);
        }
        self.0.queue.scan(&from, &to, |key, value| {
            let Some((lane, seq)) = parse_key(key) else { return ControlFlow::Continue(()) };
            if !self.0.inbox().hand_out(lane, seq) {
                return ControlFlow::Continue(());
            }
            match parse(key, value) {
                Ok((header, payload)) => blocks.push(Block {
                    seq,
                    lane,
                    payload: Bytes::copy_from_slice(payload),
                    readings: u32::from(header.readings),
                    created: header.created,
                    this_boot: header.boot == boot,
                    stamped: header.stamped,
                    thinned: header.thinned,
                }),
                Err(_) => damaged.push((lane, seq)),
            }
            if blocks.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        if !damaged.is_empty() {
            self.0.inbox().damaged.extend(damaged);
            self.0.news.notify_one();
        }
        Ok(blocks)
    }

    /// The platform has these blocks. They are deleted with the next commit, and not handed out
    /// any more from now on. Waits while thousands of acknowledgements wait for a commit.
    pub async fn acknowledge(&self, blocks: Vec<(Lane, Seq)>) {
        // One that was acknowledged before is told once.
        for (lane, seq) in blocks.iter().filter(|(lane, seq)| !self.0.inbox().hides(*lane, *seq)) {
            self.0.deliveries().arrived(*lane, *seq, &self.0.queue, &self.0.clock);
        }
        let mut emptied = self.0.emptied.subscribe();
        loop {
            emptied.mark_unchanged();
            {
                let mut inbox = self.0.inbox();
                if inbox.delivered.len() < MAX_WAITING {
                    for (lane, seq) in &blocks {
                        if *lane == Lane::Telemetry {
                            inbox.handed.remove(seq);
                        }
                    }
                    inbox.delivered.extend(blocks);
                    break;
                }
            }
            if emptied.changed().await.is_err() {
                return;
            }
        }
        self.0.news.notify_one();
    }

    /// From now on the star level is told what reaches the platform, and what is lost.
    pub fn tell(&self, facts: mpsc::Sender<Fact>) {
        self.0.deliveries().tell(facts);
    }

    /// The link to the platform came up or went down: decides which blocks belong to an outage.
    pub fn link(&self, up: bool) {
        if !up {
            let mut inbox = self.0.inbox();
            inbox.freed |= !inbox.handed.is_empty();
            inbox.handed.clear();
        }
        self.0.deliveries().link(up, self.0.clock.now());
    }

    /// Asks for a commit soon, because somebody in the field waits for a receipt. Does not block;
    /// many requests make one commit, and there is at most one early commit in 100 ms.
    pub fn hurry(&self) {
        self.0.hurry.notify_one();
    }

    /// The payload of a block that was cut without a trusted clock, with what is known about its
    /// time by now: wall time, or the bounds of a boot that never had one. The position stays.
    pub fn stamp(&self, block: &Block) -> Option<Vec<u8>> {
        if block.stamped {
            return None;
        }
        sealer::stamp(&block.payload, &self.0.clock)
    }
}

impl Desk for Shared {
    fn is_handed(&self, seq: Seq) -> bool {
        self.inbox().handed.contains(&seq)
    }

    fn withhold(&self, blocks: &[Seq]) -> bool {
        let mut inbox = self.inbox();
        if blocks.iter().any(|seq| inbox.handed.contains(seq)) {
            return false;
        }
        inbox.leaving.extend(blocks.iter().map(|seq| (Lane::Telemetry, *seq)));
        true
    }
}

impl Inbox {
    /// Whether a block may be handed out; then it is.
    fn hand_out(&mut self, lane: Lane, seq: Seq) -> bool {
        if self.hides(lane, seq) {
            return false;
        }
        if lane == Lane::Telemetry {
            self.handed.insert(seq);
        }
        true
    }

    fn hides(&self, lane: Lane, seq: Seq) -> bool {
        let at = &(lane, seq);
        self.delivered.contains(at) || self.damaged.contains(at) || self.leaving.contains(at)
    }
}
