//! How fast the medium wears, and the time between two commits that keeps it within its years.
//!
//! Flash bears a number of program/erase cycles. What the daemon may write a day follows from the
//! size of the medium, its cycles, the years that it is to last, and what the flash's own
//! controller writes beside each write ([`AMPLIFICATION`]). Once an hour the pace of that hour is
//! held against it: above, the tick grows by a step; when the pace would stay below with a shorter
//! tick, it shrinks by one. It stays between the configured tick and the configured loss bound.
//!
//! An hour is an hour of running: no wall clock is asked.

use std::time::Duration;

use crate::model::Moment;

use super::config::Medium;

/// Bytes that the flash writes for each byte that it is told to: erase blocks are larger than what
/// a commit writes, and the file system's journal is not counted in what the daemon writes. An
/// assumption, on the safe side for small synchronous writes.
const AMPLIFICATION: u64 = 4;
/// Hours over which the bytes of a day are added up.
const HOURS: usize = 24;
const HOUR: Duration = Duration::from_secs(3600);
/// A step of the tick.
const STEP: f64 = 1.5;
/// The pace with a shorter tick must stay below this share of the budget.
const EASY: f64 = 0.9;

/// Bytes written, over a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Span {
    bytes: u64,
    ms: u64,
}

/// What was written, and the tick that follows from it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wear {
    tick: (Duration, Duration),
    now: Duration,
    /// Bytes a day that the medium bears; `None` when its size is not known.
    budget: Option<f64>,
    /// The last hours, the current one last.
    hours: [Span; HOURS],
    /// Since the buffer was created.
    whole: Span,
    /// Bytes since the daemon started.
    since_start: u64,
    /// The counter at the last look, and when that was.
    last: Option<(u64, Moment)>,
}

/// A change of the tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    pub before: Duration,
    pub after: Duration,
    /// Bytes a day at the pace of the last hour, and what the medium bears.
    pub pace: u64,
    pub budget: u64,
}

impl Span {
    fn add(&mut self, other: Self) {
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.ms = self.ms.saturating_add(other.ms);
    }

    fn per_day(self) -> Option<f64> {
        (self.ms >= 60_000).then(|| self.bytes as f64 * 86_400_000.0 / self.ms as f64)
    }
}

impl Wear {
    /// The tick is between `tick` and `bound`. `size` of the medium in bytes, where known.
    pub fn new(tick: Duration, bound: Duration, medium: Medium, size: Option<u64>) -> Self {
        let budget = medium.size.or(size).map(|size| {
            let endurance = size as f64 * f64::from(medium.cycles) / AMPLIFICATION as f64;
            endurance / (f64::from(medium.years) * 365.0)
        });
        Self {
            tick: (tick, bound.max(tick)),
            now: tick,
            budget,
            hours: [Span::default(); HOURS],
            whole: Span::default(),
            since_start: 0,
            last: None,
        }
    }

    /// The present tick.
    pub fn tick(&self) -> Duration {
        self.now
    }

    /// The longest tick.
    pub fn bound(&self) -> Duration {
        self.tick.1
    }

    /// Bytes written since the daemon started.
    pub fn since_start(&self) -> u64 {
        self.since_start
    }

    /// Bytes a day, over the last day of running; `None` in the first minute of all.
    pub fn per_day(&self) -> Option<f64> {
        let mut day = Span::default();
        self.hours.iter().for_each(|hour| day.add(*hour));
        day.per_day()
    }

    /// Bytes a day that the medium bears.
    pub fn budget(&self) -> Option<f64> {
        self.budget
    }

    /// Years that the medium lasts at the pace of the last day, less what this buffer wrote so
    /// far. `years` are those of the budget.
    pub fn years_left(&self, years: u32) -> Option<f64> {
        let (budget, pace) = (self.budget?, self.per_day()?);
        let endurance = budget * f64::from(years) * 365.0;
        let left = (endurance - self.whole.bytes as f64).max(0.0);
        (pace > 0.0).then(|| left / pace / 365.0)
    }

    /// Takes the daemon's counter of written bytes; returns a change of the tick, if there is one.
    pub fn apply(&mut self, written: u64, now: Moment) -> Option<Change> {
        let Some((before, at)) = self.last.replace((written, now)) else {
            // What was written before the buffer was open counts as well.
            self.since_start = written;
            return None;
        };
        let ms = u64::try_from(now.since(at).as_millis()).unwrap_or(u64::MAX);
        let span = Span { bytes: written.saturating_sub(before), ms };
        self.since_start = self.since_start.saturating_add(span.bytes);
        self.whole.add(span);
        let hour = &mut self.hours[HOURS - 1];
        hour.add(span);
        let over = Duration::from_millis(hour.ms) >= HOUR;
        let pace = hour.per_day().filter(|_| over)?;
        self.hours.rotate_left(1);
        self.hours[HOURS - 1] = Span::default();
        self.judge(pace)
    }

    fn judge(&mut self, pace: f64) -> Option<Change> {
        let budget = self.budget?;
        let before = self.now;
        let (least, most) = self.tick;
        if pace > budget {
            self.now = before.mul_f64(STEP).min(most);
        } else if before > least && pace * STEP < budget * EASY {
            self.now = before.div_f64(STEP).max(least);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "bytes, and not below zero"
        )]
        let (pace, budget) = (pace as u64, budget as u64);
        (self.now != before).then_some(Change { before, after: self.now, pace, budget })
    }

    /// What is kept across restarts.
    pub fn encode(&self) -> Vec<u8> {
        let spans = self.hours.iter().chain([&self.whole]);
        let tick = u64::try_from(self.now.as_millis()).unwrap_or(u64::MAX);
        let words = spans.flat_map(|span| [span.bytes, span.ms]).chain([tick]);
        words.flat_map(u64::to_le_bytes).collect()
    }

    /// Takes up what an earlier run kept; anything else is left out.
    pub fn resume(&mut self, kept: &[u8]) {
        let words: Vec<u64> = kept
            .chunks_exact(8)
            .filter_map(|chunk| Some(u64::from_le_bytes(chunk.try_into().ok()?)))
            .collect();
        let [spans @ .., tick] = words.as_slice() else { return };
        if spans.len() != (HOURS + 1) * 2 {
            return;
        }
        let spans: Vec<Span> =
            spans.chunks_exact(2).map(|pair| Span { bytes: pair[0], ms: pair[1] }).collect();
        self.hours.copy_from_slice(&spans[..HOURS]);
        self.whole = spans[HOURS];
        // The configuration may have changed.
        self.now = Duration::from_millis(*tick).clamp(self.tick.0, self.tick.1);
    }
}

/// Bytes that this process made the system write to disks, as the kernel counts them (`proc(5)`,
/// `/proc/pid/io`): pages that were made dirty. `None` where the kernel does not count.
pub(super) fn written() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/io").ok()?;
    let value = |name: &str| -> Option<u64> {
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    };
    let cancelled = value("cancelled_write_bytes:").unwrap_or(0);
    Some(value("write_bytes:")?.saturating_sub(cancelled))
}

#[cfg(test)]
#[path = "wear_tests.rs"]
mod tests;
