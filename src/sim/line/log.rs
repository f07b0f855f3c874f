//! What happened on a line.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::driver::{BusAddress, LineSettings};

/// Transmissions of the master that are kept; older ones leave their sums.
const MOST: usize = 20_000;

/// One transmission of the master and what came of it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// When its first character began.
    pub begin: Instant,
    /// When its last character ended.
    pub end: Instant,
    /// Its bytes.
    pub request: Vec<u8>,
    /// The settings that the line had (or was taken to have).
    pub line: LineSettings,
    /// It is a whole request of a protocol of the line.
    pub whole: bool,
    /// Slaves that answered.
    pub by: Vec<BusAddress>,
    /// What they sent, as they sent it: each answer behind the other, before they met on the wire.
    pub reply: Vec<u8>,
    /// When the first answer began and the last one ended.
    pub answered: Option<(Instant, Instant)>,
    /// Something else was on the wire at the same time.
    pub collided: bool,
    /// Silence on the line before it; of the first one nothing.
    pub idle: Duration,
    /// Sent by the other master on the line.
    pub foreign: bool,
}

/// Sums over a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// From the first begin to the last end.
    pub elapsed: Duration,
    /// Transmissions of the master.
    pub requests: u64,
    /// Of these, answered.
    pub answered: u64,
    /// Characters were on the wire, of whomever.
    pub on_wire: Duration,
    /// A slave that then answered was thinking.
    pub thinking: Duration,
    /// From the end of requests that nobody answered to the next request.
    pub unanswered: Duration,
    /// Of `idle`, the silence of 3.5 characters that every Modbus frame needs before it.
    pub gaps: Duration,
    /// All the rest: nobody was talking and nobody was to answer.
    pub idle: Duration,
    /// Transmissions that met another.
    pub collisions: u64,
}

impl Summary {
    /// The least time in which the same requests could have been answered: what was on the wire,
    /// and what the slaves took to answer.
    pub fn least(&self) -> Duration {
        self.on_wire + self.thinking
    }

    /// Share of the time that the line was busy or lawfully waiting for a slave that answered,
    /// 0..=1.
    pub fn utilisation(&self) -> f64 {
        share(self.least(), self.elapsed)
    }

    /// The same, with the waiting for slaves that did not answer left out of the time.
    pub fn utilisation_of_the_living(&self) -> f64 {
        share(self.least(), self.elapsed.saturating_sub(self.unanswered))
    }
}

fn share(part: Duration, whole: Duration) -> f64 {
    if whole.is_zero() { 0.0 } else { part.as_secs_f64() / whole.as_secs_f64() }
}

/// What happened on a line, the newest 20,000 transmissions.
#[derive(Debug, Clone, Default)]
pub struct Log {
    entries: VecDeque<Entry>,
    /// Transmissions that were forgotten.
    pub forgotten: u64,
    /// Answers that met another transmission.
    pub collisions: u64,
}

impl Log {
    /// The transmissions, oldest first.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator {
        self.entries.iter()
    }

    /// Sums of all that is kept.
    pub fn summary(&self) -> Option<Summary> {
        let from = self.entries.front()?.begin;
        let to = self.entries.iter().map(Entry::over).max()?;
        self.between(from, to)
    }

    /// Sums of the transmissions that began in `from..to`; the time is that from the first begin
    /// to `to` or the end of the last answer, whichever is earlier. `None` when there are none.
    pub fn between(&self, from: Instant, to: Instant) -> Option<Summary> {
        let chosen = |entry: &&Entry| entry.begin >= from && entry.begin < to;
        let mut entries = self.entries.iter().filter(chosen).peekable();
        let first = entries.peek()?.begin;
        let mut sum = Summary {
            elapsed: Duration::ZERO,
            requests: 0,
            answered: 0,
            on_wire: Duration::ZERO,
            thinking: Duration::ZERO,
            unanswered: Duration::ZERO,
            gaps: Duration::ZERO,
            idle: Duration::ZERO,
            collisions: 0,
        };
        let mut last = first;
        while let Some(entry) = entries.next() {
            sum.requests += 1;
            sum.collisions += u64::from(entry.collided);
            sum.on_wire += entry.end - entry.begin;
            sum.gaps += entry.idle.min(entry.line.frame_gap());
            if let Some((begin, end)) = entry.answered {
                sum.answered += 1;
                sum.thinking += begin.saturating_duration_since(entry.end);
                sum.on_wire += end - begin.max(entry.end);
            } else if let Some(next) = entries.peek() {
                sum.unanswered += next.begin.saturating_duration_since(entry.end);
            }
            last = last.max(entry.over());
        }
        sum.elapsed = last.min(to.max(first)) - first;
        let used = sum.on_wire + sum.thinking + sum.unanswered;
        sum.idle = sum.elapsed.saturating_sub(used);
        Some(sum)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn push(&mut self, entry: Entry) {
        if self.entries.len() == MOST {
            self.entries.pop_front();
            self.forgotten += 1;
        }
        self.entries.push_back(entry);
    }

    /// Something met a transmission of a slave or the master at `at`.
    pub(super) fn collided(&mut self, at: Instant) {
        self.collisions += 1;
        let met = |entry: &&mut Entry| entry.begin <= at && entry.over() >= at;
        if let Some(entry) = self.entries.iter_mut().rev().take(8).find(met) {
            entry.collided = true;
        }
    }

    /// When the last thing that is known ended or will end.
    pub(super) fn over(&self) -> Option<Instant> {
        self.entries.iter().rev().take(4).map(Entry::over).max()
    }
}

impl Entry {
    /// When the last character of it or of its answers ended.
    pub fn over(&self) -> Instant {
        self.answered.map_or(self.end, |(_, end)| end.max(self.end))
    }
}
