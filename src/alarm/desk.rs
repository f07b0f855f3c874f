//! The task that owns the book: hears signals and people, watches the time, keeps what follows,
//! and then tells it.
//!
//! # Invariants
//!
//! - Kept before told: rows are applied to the store before the event goes to the recorder, whose
//!   commit makes both durable. Where they cannot be applied the event waits, and with it whoever
//!   sends signals.
//! - The receipt of a device's message is confirmed only after the commit that holds what the
//!   message raised.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};

use super::board::Board;
use super::book::{ActFault, Book, Effects, Plans};
use super::history::History;
use super::keep::Keep;
use super::lapse::Lapse;
use super::timeline::Now;
use crate::clock::Clock;
use crate::model::{
    AlarmId, AlarmLife, AlarmSignals, Batch, DeviceIndex, Fact, FactKind, Moment, Receipt, Record,
    Snapshot,
};
use crate::store::StoreError;

/// How often the clocks are looked at.
const EVERY: Duration = Duration::from_secs(1);
/// How often the age of values is looked at.
const LAPSE_EVERY: Duration = Duration::from_secs(10);
/// How often it is kept where the time stands, while nothing else is.
const ANCHOR_EVERY: Duration = Duration::from_secs(60);
/// Longest wait of a person for what he did to be durable.
const PATIENCE: Duration = Duration::from_secs(10);
/// What may wait for the store before nothing more is heard.
const MOST_WAITING: usize = 64;

/// What a person does.
#[derive(Debug)]
pub enum Act {
    /// Acknowledges an alarm.
    Acknowledge(AlarmId, String),
    /// Closes one, with a reason.
    Close(AlarmId, String, String),
    /// Plans a maintenance window.
    PlanWindow(Plans),
    /// Ends one.
    EndWindow(u32, String),
}

type Answer = oneshot::Sender<Result<(), ActFault>>;

/// How the page reaches the desk; clones share it.
#[derive(Debug, Clone)]
pub struct DeskHandle {
    acts: mpsc::Sender<(Act, Answer)>,
    board: watch::Receiver<Arc<Board>>,
    history: History,
}

impl DeskHandle {
    /// The alarms as they stand.
    pub fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board.borrow())
    }

    /// Changes of the board.
    pub fn watch(&self) -> watch::Receiver<Arc<Board>> {
        self.board.clone()
    }

    /// What is kept.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Does something; what follows is durable when this returns.
    ///
    /// # Errors
    /// Why it was not done.
    pub async fn act(&self, act: Act) -> Result<(), ActFault> {
        let (answer, answered) = oneshot::channel();
        let asked = async {
            self.acts.send((act, answer)).await.map_err(|_gone| ActFault::NotNow)?;
            answered.await.map_err(|_gone| ActFault::NotNow)?
        };
        tokio::time::timeout(PATIENCE, asked).await.map_err(|_late| ActFault::NotNow)?
    }
}

/// Where the desk hears and speaks.
pub struct DeskEnds {
    /// From the pipeline; when it ends, so does the desk.
    pub signals: mpsc::Receiver<AlarmSignals>,
    /// To the recorder.
    pub records: mpsc::Sender<Record>,
    /// To the star level.
    pub facts: mpsc::Sender<Fact>,
    /// How many commits there were, and whether the buffer cannot store.
    pub stored: Box<dyn Fn() -> (u64, bool) + Send + Sync>,
}

impl std::fmt::Debug for DeskEnds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeskEnds")
    }
}

/// What is to be told once it is kept.
#[derive(Debug, Default)]
struct Untold {
    records: VecDeque<Record>,
    receipt: Option<Receipt>,
}

/// See the module.
#[derive(Debug)]
pub struct Desk {
    book: Book,
    keep: Keep,
    lapse: Lapse,
    snapshot: Snapshot,
    clock: Clock,
    contact: Arc<str>,
    ends: DeskEnds,
    acts: mpsc::Receiver<(Act, Answer)>,
    board: watch::Sender<Arc<Board>>,
    /// Applied to the store, or still to be: in order.
    untold: VecDeque<Untold>,
    /// The last attempt to apply failed.
    behind: bool,
    /// The buffer could not store at the last look.
    faulty: bool,
    lives: BTreeMap<String, AlarmLife>,
    looked: Option<Moment>,
    anchored: Option<Moment>,
}

impl Desk {
    /// Puts the desk together; `acts` is how many of them may wait.
    pub fn new(
        book: Book,
        keep: Keep,
        (snapshot, clock): (Snapshot, Clock),
        lapse: Lapse,
        contact: &str,
        ends: DeskEnds,
        acts: usize,
    ) -> (Self, DeskHandle) {
        let contact: Arc<str> = contact.into();
        let (asks, acts) = mpsc::channel(acts);
        let (board, seen) = watch::channel(Arc::new(Board::of(&book, &contact)));
        let handle = DeskHandle { acts: asks, board: seen, history: keep.history() };
        let desk = Self {
            book,
            keep,
            lapse,
            snapshot,
            clock,
            contact,
            ends,
            acts,
            board,
            untold: VecDeque::new(),
            behind: false,
            faulty: false,
            lives: BTreeMap::new(),
            looked: None,
            anchored: None,
        };
        (desk, handle)
    }

    /// Works until the pipeline ends, or the recorder is gone.
    pub async fn run(mut self) {
        let opening = self.book.opening();
        self.follow(opening, None);
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut acts_open = true;
        loop {
            if self.tell().await.is_err() {
                tracing::error!("the buffer is gone; alarms can no longer be told");
                return;
            }
            let room = self.untold.len() < MOST_WAITING;
            tokio::select! {
                signals = self.ends.signals.recv(), if room => match signals {
                    Some(signals) => self.hear(signals),
                    None => return self.end().await,
                },
                act = self.acts.recv(), if acts_open && room => match act {
                    Some((act, answer)) => self.act(act, answer),
                    None => acts_open = false,
                },
                _ = ticks.tick() => self.tick(),
            }
        }
    }

    fn now(&self) -> Now {
        let moment = self.clock.now();
        let wall_ms = self.clock.best_wall(moment).unix_ms;
        Now { moment, wall_ms, trusted: self.clock.trusted() }
    }

    fn hear(&mut self, signals: AlarmSignals) {
        let now = self.now();
        let mut all = Effects::default();
        for signal in &signals.list {
            all.add(self.book.signal(signal, &now));
        }
        self.follow(all, signals.receipt);
    }

    fn act(&mut self, act: Act, answer: Answer) {
        let now = self.now();
        let done = match act {
            Act::Acknowledge(id, by) => self.book.acknowledge(id, &by, &now),
            Act::Close(id, by, reason) => self.book.close(id, &by, &reason, &now),
            Act::PlanWindow(plans) => {
                self.book.plan_window(plans, &now).map(|(_, effects)| effects)
            }
            Act::EndWindow(number, by) => self.book.end_window(number, &by, &now),
        };
        match done {
            Ok(effects) => {
                let tell = Receipt::new(move || reply(answer, Ok(())));
                self.follow(effects, Some(tell));
            }
            Err(fault) => reply(answer, Err(fault)),
        }
    }

    fn tick(&mut self) {
        let now = self.now();
        let mut all = self.book.tick(&now);
        if self.looked.is_none_or(|last| now.moment.since(last) >= LAPSE_EVERY) {
            self.looked = Some(now.moment);
            for signal in self.lapse.look(&self.snapshot, now.moment) {
                all.add(self.book.signal(&signal, &now));
            }
        }
        let (commits, faulty) = (self.ends.stored)();
        let recovered = std::mem::replace(&mut self.faulty, faulty) && !faulty;
        let anchor = self.book.open().next().is_some()
            && self.anchored.is_none_or(|last| now.moment.since(last) >= ANCHOR_EVERY);
        if !all.is_empty() || anchor {
            self.follow(all, None);
        } else if self.behind || (recovered && self.keep.waits(commits)) {
            let applied = self.keep.again(commits);
            self.note(applied);
        }
        self.count();
    }

    /// Keeps what follows; it is told afterwards.
    fn follow(&mut self, effects: Effects, receipt: Option<Receipt>) {
        let now = self.now();
        let shown = !effects.is_empty();
        if shown || self.anchored.is_none_or(|last| now.moment.since(last) >= ANCHOR_EVERY) {
            self.anchored = Some(now.moment);
            let (commits, _) = (self.ends.stored)();
            let applied = self.keep.write(&self.book, &effects, &now, commits);
            self.note(applied);
        }
        for life in effects.lives {
            self.lives.insert(life.id.clone(), life);
        }
        let records = effects.events.into_iter().map(Record::Event).collect();
        self.untold.push_back(Untold { records, receipt });
        self.count();
        if shown {
            self.board.send_replace(Arc::new(Board::of(&self.book, &self.contact)));
        }
    }

    fn note(&mut self, applied: Result<(), StoreError>) {
        match applied {
            Ok(()) => self.behind = false,
            Err(error) => {
                // While the store is rebuilt, or cannot be written: the next tick tries again.
                if !std::mem::replace(&mut self.behind, true) {
                    tracing::warn!(%error, "what became of the alarms is not kept yet");
                }
            }
        }
    }

    /// Tells what is kept; in order.
    async fn tell(&mut self) -> Result<(), mpsc::error::SendError<Record>> {
        while !self.behind
            && let Some(mut untold) = self.untold.pop_front()
        {
            while let Some(record) = untold.records.pop_front() {
                self.ends.records.send(record).await?;
            }
            if let Some(receipt) = untold.receipt {
                self.ends
                    .records
                    .send(Record::Readings(carrier(receipt, self.clock.now())))
                    .await?;
            }
        }
        Ok(())
    }

    /// Tells the star level how alarms stand; the newest of each is enough.
    fn count(&mut self) {
        let at = self.clock.now();
        while let Some((id, life)) = self.lives.pop_first() {
            match self.ends.facts.try_send(Fact { at, kind: FactKind::Alarm(life.clone()) }) {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => {
                    self.lives.insert(id, life);
                    return;
                }
                // The daemon is stopping; what is open is told at the next start.
                Err(TrySendError::Closed(_)) => return self.lives.clear(),
            }
        }
    }

    /// The pipeline ended: keeps where the time stands, tells what waits.
    async fn end(mut self) {
        self.anchored = None;
        self.follow(Effects::default(), None);
        let left = self.tell().await.is_err() || !self.untold.is_empty();
        if left {
            tracing::warn!(
                "not everything that became of the alarms is told; it is, once it holds"
            );
        }
    }
}

/// A batch that only carries a receipt: it is confirmed with the commit after what came before.
fn carrier(receipt: Receipt, at: Moment) -> Batch {
    Batch {
        device: DeviceIndex(0),
        at,
        source_time: None,
        readings: Vec::new(),
        receipt: Some(receipt),
    }
}

fn reply(answer: Answer, outcome: Result<(), ActFault>) {
    if answer.send(outcome).is_err() {
        tracing::debug!("whoever acted on an alarm did not wait for the answer");
    }
}

#[cfg(test)]
#[path = "desk_tests.rs"]
mod tests;
