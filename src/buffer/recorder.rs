//! The one task that writes: collects records, cuts blocks, commits them in groups.
//!
//! # Rules
//!
//! - A commit is due one tick after the first record that waits for it, 5 ms after the first
//!   event, and early when half of the allowed memory is used or somebody hurries.
//! - While the flash works, collecting goes on, up to [`MAX_WAITING_BYTES`]; beyond that nothing
//!   more is taken from the channel, and the field waits.
//! - A receipt is confirmed after the fsync that covers its batch, never before.
//! - A commit that failed is tried again with the same blocks at the same positions: applying
//!   them twice changes nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinError;
use tokio::time::Instant;

use crate::model::{Event, Receipt, Record};
use crate::store::StoreError;

use super::Config;
use super::block::Sealed;
use super::fault::RecorderError;
use super::flight::{Flight, Worker, land, sleep_until};
use super::ledger::{Applied, Job, Ledger};
use super::mark::Noted;
use super::queue::Shared;
use super::rate::Rate;
use super::report::Done;
use super::sealer::Sealer;

/// Encoded bytes that may wait for a commit.
pub(super) const MAX_WAITING_BYTES: usize = 4 << 20;
/// Batches and events that may wait for a commit.
const MAX_WAITING_RECORDS: usize = 65_536;
/// Records taken from the channel at once.
const TAKE: usize = 256;
/// Events within this time share a commit.
const EVENT_GROUP: Duration = Duration::from_millis(5);
/// Least time between a commit and one that somebody asked for.
const HURRY_PAUSE: Duration = Duration::from_millis(100);
/// At the end, or when the store is damaged, so many attempts are made.
const LAST_ATTEMPTS: u32 = 3;

/// Takes records, makes them durable.
pub struct Recorder {
    config: Config,
    /// Time between two commits: the configured one, or longer to spare the medium.
    tick: Duration,
    shared: Arc<Shared>,
    /// Absent while it works in the thread for blocking calls.
    worker: Option<Box<Worker>>,
    events: Vec<Event>,
    sealed: Vec<Sealed>,
    sealed_bytes: usize,
    /// For batches in the block that is being filled.
    open_receipts: Vec<Receipt>,
    /// For batches in `sealed`.
    sealed_receipts: Vec<Receipt>,
    records_waiting: usize,
    /// The same of the commit under way: they take memory until it ends well.
    flight_bytes: usize,
    flight_records: usize,
    /// When the first record came that waits for a commit.
    first_waiting: Option<Instant>,
    first_event: Option<Instant>,
    hurried: bool,
    last_commit: Instant,
    /// After a failure: not before.
    not_before: Option<Instant>,
    failures: u32,
    /// Deletions and more that a failed attempt left.
    left_over: Job,
    rate: Rate,
    closed: bool,
}

impl Recorder {
    pub(super) fn new(config: Config, shared: Arc<Shared>, ledger: Ledger, sealer: Sealer) -> Self {
        let now = Instant::now();
        Self {
            tick: ledger.pace.wear.tick(),
            config,
            shared,
            worker: Some(Box::new(Worker { ledger, sealer })),
            events: Vec::new(),
            sealed: Vec::new(),
            sealed_bytes: 0,
            open_receipts: Vec::new(),
            sealed_receipts: Vec::new(),
            records_waiting: 0,
            flight_bytes: 0,
            flight_records: 0,
            first_waiting: None,
            first_event: None,
            hurried: false,
            last_commit: now,
            not_before: None,
            failures: 0,
            left_over: Job::default(),
            rate: Rate::new(now),
            closed: false,
        }
    }

    /// Works until the channel closes; then commits what is left and returns.
    ///
    /// # Errors
    /// The store is beyond repair at run time, or the last commit failed.
    pub async fn run(mut self, mut records: mpsc::Receiver<Record>) -> Result<(), RecorderError> {
        let shared = self.shared.clone();
        let mut taken = Vec::with_capacity(TAKE);
        let mut flight: Option<Flight> = None;
        loop {
            let due = self.due();
            let idle = flight.is_none();
            if self.closed && idle && due.is_none() {
                // After an orderly end no position is skipped.
                let next = self.worker.as_ref().expect("the worker is at home").sealer.next();
                let settle = move || shared.mark.settle(shared.epoch, next);
                tokio::task::spawn_blocking(settle).await?;
                return Ok(());
            }
            tokio::select! {
                biased;
                done = land(&mut flight), if !idle => {
                    if let Some(landed) = flight.take() {
                        self.settle(landed, done).await?;
                    }
                }
                () = sleep_until(due), if idle && due.is_some() => {
                    flight = self.depart().await?;
                }
                () = shared.hurry.notified() => self.hurried = true,
                () = shared.news.notified() => self.note_waiting(),
                count = records.recv_many(&mut taken, TAKE), if !self.closed && self.has_room() => {
                    self.closed = count == 0;
                    for record in taken.drain(..) {
                        self.take(record);
                    }
                }
            }
        }
    }

    /// Takes a record; what waits before [`run`](Self::run) comes first.
    pub(super) fn take(&mut self, record: Record) {
        self.note_waiting();
        self.records_waiting += 1;
        match record {
            Record::Event(event) => {
                self.first_event.get_or_insert_with(Instant::now);
                self.events.push(event);
            }
            Record::Readings(mut batch) => {
                let receipt = batch.receipt.take();
                if batch.readings.is_empty() {
                    self.sealed_receipts.extend(receipt);
                    return;
                }
                self.open_receipts.extend(receipt);
                let before = self.sealed.len();
                let sealer = &mut self.worker.as_mut().expect("the worker is at home").sealer;
                if sealer.push(batch, &mut self.sealed) {
                    self.sealed_receipts.append(&mut self.open_receipts);
                }
                self.sealed_bytes += bytes(&self.sealed[before..]);
            }
        }
    }

    fn has_room(&self) -> bool {
        self.sealed_bytes + self.flight_bytes < MAX_WAITING_BYTES
            && self.records_waiting + self.flight_records < MAX_WAITING_RECORDS
    }

    fn note_waiting(&mut self) {
        self.first_waiting.get_or_insert_with(Instant::now);
    }

    /// When the next commit begins, if anything waits for one.
    fn due(&self) -> Option<Instant> {
        let waiting = self.first_waiting?;
        let mut due = waiting + self.tick;
        if let Some(event) = self.first_event {
            due = due.min(event + EVENT_GROUP);
        }
        if self.hurried {
            due = due.min(self.last_commit + HURRY_PAUSE);
        }
        if self.closed || self.half_full() {
            due = due.min(waiting);
        }
        Some(self.not_before.map_or(due, |earliest| due.max(earliest)))
    }

    fn half_full(&self) -> bool {
        self.sealed_bytes >= MAX_WAITING_BYTES / 2
            || self.records_waiting >= MAX_WAITING_RECORDS / 2
    }

    /// Cuts what is due, applies it, and sends it off to be made durable.
    async fn depart(&mut self) -> Result<Option<Flight>, RecorderError> {
        let started = Instant::now();
        let mut worker = self.worker.take().expect("the worker is at home");
        let hold = worker.sealer.open_readings() > 0 && !self.telemetry_due(started);
        let held = hold.then_some(self.first_waiting).flatten();
        if !hold {
            worker.sealer.cut(&mut self.sealed);
            self.sealed_receipts.append(&mut self.open_receipts);
        }
        worker.sealer.seal_events(&mut self.events, &mut self.sealed);
        self.first_waiting = held;
        self.first_event = None;
        self.last_commit = started;
        self.flight_records = std::mem::take(&mut self.records_waiting);
        self.flight_bytes = std::mem::take(&mut self.sealed_bytes);
        self.not_before = None;
        if !hold {
            self.hurried = false;
        }
        let mut job = std::mem::take(&mut self.left_over);
        job.blocks.append(&mut self.sealed);
        self.shared.take_inbox(&mut job);
        let receipts = std::mem::take(&mut self.sealed_receipts);
        if job.is_empty() {
            // Nothing that a receipt waits for is left to be written.
            self.worker = Some(worker);
            self.flight_records = 0;
            receipts.into_iter().for_each(Receipt::confirm);
            return Ok(None);
        }
        let shared = self.shared.clone();
        let (worker, job, applied) = tokio::task::spawn_blocking(move || {
            let Worker { ledger, sealer } = &mut *worker;
            let applied = ledger.apply(&mut job, sealer, &*shared);
            (worker, job, applied)
        })
        .await?;
        let next = worker.sealer.next();
        self.worker = Some(worker);
        let deletions_only = match applied {
            Ok(Applied::All) => None,
            Ok(Applied::DeletionsOnly { free }) => Some(free),
            Err(error) => {
                self.fail(job, receipts, error).await?;
                return Ok(None);
            }
        };
        let shared = self.shared.clone();
        let task = tokio::task::spawn_blocking(move || {
            if deletions_only.is_none() {
                shared.mark.reserve(shared.epoch, next);
            }
            shared.store.commit()?;
            if deletions_only.is_none() {
                shared.mark.note(Noted { epoch: shared.epoch, next });
            }
            Ok(())
        });
        Ok(Some(Flight { job, receipts, next, deletions_only, started, task }))
    }

    fn telemetry_due(&self, now: Instant) -> bool {
        let ticked = self.first_waiting.is_none_or(|first| now >= first + self.tick);
        ticked || self.closed || self.half_full() || self.hurried
    }

    async fn settle(
        &mut self,
        flight: Flight,
        done: Result<Result<(), StoreError>, JoinError>,
    ) -> Result<(), RecorderError> {
        let Flight { mut job, receipts, next, deletions_only, started, .. } = flight;
        if let Err(error) = done? {
            return self.fail(job, receipts, error).await;
        }
        self.shared.left();
        if let Some(free) = deletions_only {
            job.removals.clear();
            self.keep(job, receipts);
            let fault = format!(
                "the disk has {free} bytes free, {} are to be left to others: nothing is stored",
                self.config.keep_free
            );
            return self.wait(fault);
        }
        receipts.into_iter().for_each(Receipt::confirm);
        self.flight_bytes = 0;
        self.flight_records = 0;
        self.failures = 0;
        let written = bytes(&job.blocks) as u64;
        let readings: u64 = job.blocks.iter().map(|block| u64::from(block.readings)).sum();
        self.rate.add(started, written);
        let worker = self.worker.as_ref().expect("the worker is at home");
        let took = Instant::now().saturating_duration_since(started);
        let per_hour = self.rate.per_hour(Instant::now());
        let done = Done { next, readings, written, took, per_hour };
        worker.ledger.report(&self.shared.status, &done);
        self.tick = worker.ledger.pace.wear.tick();
        self.shared.note(&job);
        self.shared.committed.send_replace(next);
        if self.shared.has_news() {
            self.note_waiting();
        }
        Ok(())
    }

    /// A commit failed: opens the store again and keeps everything for the next attempt.
    async fn fail(
        &mut self,
        mut job: Job,
        receipts: Vec<Receipt>,
        error: StoreError,
    ) -> Result<(), RecorderError> {
        job.replay = true;
        self.keep(job, receipts);
        let store = self.shared.store.clone();
        let mut worker = self.worker.take().expect("the worker is at home");
        let (worker, opened) = tokio::task::spawn_blocking(move || {
            let opened = store.reopen().and_then(|()| worker.ledger.recount());
            (worker, opened)
        })
        .await?;
        self.worker = Some(worker);
        let fault = match &opened {
            Ok(()) => error.to_string(),
            Err(again) => again.to_string(),
        };
        let damage = [Some(&error), opened.as_ref().err()]
            .into_iter()
            .flatten()
            .any(|error| matches!(error, StoreError::Damaged { .. }));
        self.wait(fault)?;
        if damage && self.failures >= LAST_ATTEMPTS {
            return Err(opened.err().unwrap_or(error).into());
        }
        Ok(())
    }

    /// Puts a job back in front of what came meanwhile.
    fn keep(&mut self, mut job: Job, mut receipts: Vec<Receipt>) {
        self.sealed_bytes += bytes(&job.blocks);
        self.records_waiting += std::mem::take(&mut self.flight_records);
        self.flight_bytes = 0;
        // The blocks come first: what was sealed meanwhile follows at the next attempt.
        job.replay |= self.left_over.replay;
        self.left_over = job;
        receipts.append(&mut self.sealed_receipts);
        self.sealed_receipts = receipts;
    }

    /// Says what is wrong, once, and tries again after a tick.
    fn wait(&mut self, fault: String) -> Result<(), RecorderError> {
        self.failures += 1;
        let readings: u64 = self.left_over.blocks.iter().map(|b| u64::from(b.readings)).sum();
        if self.closed && self.failures >= LAST_ATTEMPTS {
            return Err(RecorderError::Unwritten { readings, fault });
        }
        let now = Instant::now();
        self.not_before = Some(now + self.config.tick);
        self.first_waiting.get_or_insert(now);
        self.shared.status.send_if_modified(|status| {
            let news = status.fault.is_none();
            if news {
                tracing::warn!(fault, "the buffer cannot store; the field waits");
            }
            let changed = status.fault.as_ref() != Some(&fault);
            status.fault = Some(fault);
            changed
        });
        Ok(())
    }
}

fn bytes(blocks: &[Sealed]) -> usize {
    blocks.iter().map(|block| block.value.len()).sum()
}
