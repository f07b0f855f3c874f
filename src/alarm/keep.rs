//! Where alarms are kept: the tree `alarms` of the store.
//!
//! | key | value |
//! | --- | --- |
//! | `a` number | an open alarm |
//! | `h` number, inverted | an alarm that is over: the newest comes first |
//! | `l` number, step | a step of the ledger |
//! | `m` key | what is muted until its condition is gone |
//! | `n` | numbers below this one may have been given |
//! | `t` | where the time stood |
//! | `w` number | a maintenance window |
//!
//! What is applied becomes durable with the next commit of the recorder. Until one is known to have
//! held it is applied again with what comes after it: after a failed commit nobody knows what is in
//! the store.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::book::{Book, Effects, Kept};
use super::entry::{Alarm, Key};
use super::history::History;
use super::timeline::Now;
use crate::model::AlarmId;
use crate::store::{Changes, StoreError, Tree};

/// Most alarms that are over and still kept.
const MOST_CLOSED: usize = 5000;
/// Numbers that are reserved at once: so many may be lost by a crash, none is given twice.
const RESERVE: u64 = 64;
/// Batches that wait to be known as durable.
const MOST_WAITING: usize = 256;

const NEXT: &[u8] = b"n";
const TIME: &[u8] = b"t";

/// A row to be set or removed.
type Row = (Vec<u8>, Option<Vec<u8>>);

pub(super) fn open_key(number: u64) -> Vec<u8> {
    [b"a", &number.to_be_bytes()[..]].concat()
}

pub(super) fn closed_key(number: u64) -> Vec<u8> {
    [b"h", &(!number).to_be_bytes()[..]].concat()
}

pub(super) fn step_key(number: u64, step: u32) -> Vec<u8> {
    [b"l", &number.to_be_bytes()[..], &step.to_be_bytes()[..]].concat()
}

fn window_key(number: u32) -> Vec<u8> {
    [b"w", &number.to_be_bytes()[..]].concat()
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("what is kept of alarms has text keys")
}

fn muted_key(key: &Key) -> Vec<u8> {
    [b"m", json(key).as_slice()].concat()
}

/// What cannot be read is worth nothing: the rest goes on without it, and says so.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes)
        .inspect_err(|error| tracing::warn!(%error, "kept of the alarms, and not to be read"))
        .ok()
}

/// Keeps the book.
pub struct Keep {
    tree: Tree,
    /// Numbers below this one are reserved.
    reserved: u64,
    /// Alarms that are over, with their number of steps.
    closed: BTreeMap<u64, u32>,
    /// With how many commits there had been when they were applied.
    waiting: VecDeque<(u64, Vec<Row>)>,
}

impl std::fmt::Debug for Keep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keep(numbers below {})", self.reserved)
    }
}

impl Keep {
    /// What an earlier run kept. Reserves the first numbers: the first commit makes that durable.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open(tree: Tree) -> Result<(Self, Kept), StoreError> {
        let mut kept = Kept::default();
        let mut closed = BTreeMap::new();
        let mut highest = 0;
        tree.scan(b"a", b"b", |_, bytes| {
            kept.open.extend(read::<Alarm>(bytes));
            ControlFlow::Continue(())
        })?;
        tree.scan(b"h", b"i", |_, bytes| {
            if let Some(alarm) = read::<Alarm>(bytes) {
                closed.insert(alarm.id.number, alarm.steps);
            }
            ControlFlow::Continue(())
        })?;
        tree.scan(b"m", b"n", |key, _| {
            kept.muted.extend(key.get(1..).and_then(read::<Key>));
            ControlFlow::Continue(())
        })?;
        tree.scan(b"w", b"x", |_, bytes| {
            kept.windows.extend(read(bytes));
            ControlFlow::Continue(())
        })?;
        for number in kept.open.iter().map(|alarm| alarm.id.number).chain(closed.keys().copied()) {
            highest = highest.max(number);
        }
        // One that was closed by a later version, or by a batch that came half: it is over.
        kept.open.retain(|alarm| !closed.contains_key(&alarm.id.number));
        kept.anchor = tree.get(TIME)?.and_then(|bytes| read(&bytes));
        let next = tree.get(NEXT)?.and_then(|bytes| bytes.try_into().ok());
        kept.next = next.map_or(1, u64::from_be_bytes).max(highest + 1);
        let mut keep = Self { tree, reserved: kept.next, closed, waiting: VecDeque::new() };
        let mut rows = Vec::new();
        keep.reserve(kept.next, &mut rows);
        keep.apply(0, rows)?;
        Ok((keep, kept))
    }

    /// Reads what is kept.
    pub fn history(&self) -> History {
        History::new(self.tree.clone())
    }

    /// Applies what follows. `commits` says how many there were so far.
    ///
    /// # Errors
    /// The store is not there; what was to be kept waits, see [`again`](Self::again).
    pub fn write(
        &mut self,
        book: &Book,
        effects: &Effects,
        now: &Now,
        commits: u64,
    ) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        self.reserve(book.next(), &mut rows);
        for alarm in &effects.keep {
            rows.push((open_key(alarm.id.number), Some(json(&**alarm))));
        }
        for alarm in &effects.closed {
            let number = alarm.id.number;
            rows.push((open_key(number), None));
            rows.push((closed_key(number), Some(json(&**alarm))));
            self.closed.insert(number, alarm.steps);
        }
        for (AlarmId { number, .. }, entry) in &effects.ledger {
            rows.push((step_key(*number, entry.number), Some(json(entry))));
        }
        for (key, muted) in &effects.muted {
            rows.push((muted_key(key), muted.then(Vec::new)));
        }
        for window in &effects.windows {
            rows.push((window_key(window.number), Some(json(window))));
        }
        for number in &effects.forgotten {
            rows.push((window_key(*number), None));
        }
        self.forget(&mut rows);
        rows.push((TIME.to_vec(), Some(json(&book.line().anchor(now)))));
        self.apply(commits, rows)
    }

    /// Whether something may still be lost by a failed commit.
    pub fn waits(&mut self, commits: u64) -> bool {
        self.settled(commits);
        !self.waiting.is_empty()
    }

    /// Applies once more what is not known to be durable.
    ///
    /// # Errors
    /// The store is not there.
    pub fn again(&mut self, commits: u64) -> Result<(), StoreError> {
        self.apply(commits, Vec::new())
    }

    fn reserve(&mut self, next: u64, rows: &mut Vec<Row>) {
        if next + RESERVE / 8 >= self.reserved {
            self.reserved = next + RESERVE;
            rows.push((NEXT.to_vec(), Some(self.reserved.to_be_bytes().to_vec())));
        }
    }

    /// Drops the oldest that are over, with their ledgers.
    fn forget(&mut self, rows: &mut Vec<Row>) {
        while self.closed.len() > MOST_CLOSED
            && let Some((number, steps)) = self.closed.pop_first()
        {
            rows.push((closed_key(number), None));
            rows.extend((1..=steps).map(|step| (step_key(number, step), None)));
        }
    }

    /// A commit that began after a batch was applied holds it: the one under way then may not.
    fn settled(&mut self, commits: u64) {
        while self.waiting.front().is_some_and(|(then, _)| *then + 2 <= commits) {
            self.waiting.pop_front();
        }
    }

    fn apply(&mut self, commits: u64, rows: Vec<Row>) -> Result<(), StoreError> {
        self.settled(commits);
        if !rows.is_empty() {
            self.waiting.push_back((commits, rows));
        }
        if self.waiting.len() > MOST_WAITING
            && let Some((_, second)) = self.waiting.remove(1)
            && let Some((_, first)) = self.waiting.front_mut()
        {
            // Later rows of a key win, so two batches in order are one.
            first.extend(second);
        }
        let mut changes = Changes::default();
        for (key, value) in self.waiting.iter().flat_map(|(_, rows)| rows) {
            match value {
                Some(value) => changes.insert(key, value),
                None => changes.remove(key),
            }
        }
        self.tree.apply(changes)
    }
}
