//! Runs the rules over readings of the past: what would have been raised, when, for how long.
//! Nothing is kept and nobody is told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::book::{Book, Kept, Manner};
use super::detector::Detector;
use super::entry::{Alarm, Key, Said};
use super::plan::Plan;
use super::timeline::Now;
use crate::model::{AlarmEyes as _, AlarmLevel, DeviceIndex, Epoch, Event, Moment, Reading};

/// Longest step of the time between two readings, milliseconds: holds are noticed that late.
const STEP: i64 = 60_000;
/// Most alarms that are listed; all are counted.
const MOST_LISTED: usize = 10_000;

/// A reading of the past.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Which device.
    pub device: DeviceIndex,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// What was read.
    pub reading: Reading,
}

/// An alarm that would have been raised.
#[derive(Debug, Clone, PartialEq)]
pub struct Rehearsed {
    /// What it is about.
    pub key: Key,
    /// How grave it is.
    pub level: AlarmLevel,
    /// What it says.
    pub title: Said,
    /// When it began, milliseconds since 1970.
    pub from_ms: i64,
    /// When its condition was gone for the last time; `None` while it holds.
    pub to_ms: Option<i64>,
    /// How often its condition began.
    pub times: u32,
}

/// See the module.
#[derive(Debug)]
pub struct Rehearsal {
    plan: Arc<Plan>,
    detector: Detector,
    book: Book,
    /// Those that closed by themselves.
    closed: Vec<Arc<Alarm>>,
    begin_ms: i64,
    now_ms: i64,
}

impl Rehearsal {
    /// Begins at a time; nothing holds yet. Groups are not made: each alarm counts.
    pub fn new(plan: Arc<Plan>, mut manner: Manner, begin_ms: i64) -> Self {
        manner.clocks = [None; 4];
        manner.grouping.size = u32::MAX;
        manner.grouping.after_start = Duration::ZERO;
        let now = Now { moment: Moment { boot_ms: 0 }, wall_ms: begin_ms, trusted: true };
        let id = (Epoch(0), "rehearsal");
        let book = Book::new(Arc::clone(&plan), manner, id, Kept::default(), &[], &now);
        let detector = Detector::new(Arc::clone(&plan), []);
        Self { plan, detector, book, closed: Vec::new(), begin_ms, now_ms: begin_ms }
    }

    /// The rules that it runs.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Shows it a reading. One that is a little older than the last is taken as if it came now.
    pub fn reading(&mut self, sample: &Sample) {
        self.go_to(sample.at_ms);
        let at = self.now().moment;
        self.detector.reading(sample.device, at, &sample.reading);
        self.follow();
    }

    /// Shows it something that happened.
    pub fn event(&mut self, at_ms: i64, event: &Event) {
        self.go_to(at_ms);
        self.detector.event(&Event { at: self.now().moment, ..event.clone() });
        self.follow();
    }

    /// Lets the time go on.
    pub fn go_to(&mut self, to_ms: i64) {
        while self.now_ms < to_ms {
            self.now_ms = to_ms.min(self.now_ms.saturating_add(STEP));
            let now = self.now();
            let effects = self.book.tick(&now);
            self.closed.extend(effects.closed);
        }
    }

    fn now(&self) -> Now {
        let passed = u64::try_from(self.now_ms - self.begin_ms).unwrap_or(0);
        Now { moment: Moment { boot_ms: passed }, wall_ms: self.now_ms, trusted: true }
    }

    fn follow(&mut self) {
        let now = self.now();
        for signal in self.detector.take() {
            let effects = self.book.signal(&signal, &now);
            self.closed.extend(effects.closed);
        }
    }

    /// What would have been raised, in order of time, and how many by rule.
    pub fn end(self) -> (Vec<Rehearsed>, BTreeMap<String, usize>) {
        let wall = |t: u64| self.begin_ms.saturating_add(i64::try_from(t).unwrap_or(i64::MAX));
        let mut counts = BTreeMap::new();
        let mut found = Vec::new();
        for alarm in self.book.open().chain(&self.closed) {
            *counts.entry(alarm.key.rule.clone()).or_insert(0) += 1;
            found.push(Rehearsed {
                key: alarm.key.clone(),
                level: alarm.level,
                title: alarm.title.clone(),
                from_ms: wall(alarm.raised),
                to_ms: alarm.cleared.map(wall),
                times: alarm.times,
            });
        }
        found.sort_by_key(|alarm| alarm.from_ms);
        found.truncate(MOST_LISTED);
        (found, counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::testing::{config, manner, plan};
    use crate::model::{PointIndex, Value};

    #[test]
    fn what_would_have_been_raised_is_told_with_begin_end_and_count_by_rule() {
        let config = config();
        let mut rehearsal = Rehearsal::new(plan(&config, 20, &[]), manner(&config), 1_000_000);
        let mut show = |device, point, minute: i64, value| {
            let reading = Reading::good(PointIndex(point), Value::Number(value));
            let at_ms = 1_000_000 + minute * 60_000;
            rehearsal.reading(&Sample { device: DeviceIndex(device), at_ms, reading });
        };
        show(0, 0, 10, 70.0);
        show(0, 0, 25, 40.0);
        show(0, 0, 30, 70.0);
        show(0, 0, 40, 40.0);
        // Full, but not for ten minutes; then for longer, and it closes by itself.
        show(1, 1, 50, 90.0);
        show(1, 1, 55, 10.0);
        show(1, 1, 60, 90.0);
        show(1, 1, 75, 10.0);
        show(2, 1, 900, 90.0);
        rehearsal.go_to(1_000_000 + 1000 * 60_000);
        let (found, counts) = rehearsal.end();
        let counts: Vec<(String, usize)> = counts.into_iter().collect();
        assert_eq!(counts, [("full".to_owned(), 2), ("hot".to_owned(), 1)]);
        let minute = |ms: i64| (ms - 1_000_000) / 60_000;
        let spans: Vec<_> = found
            .iter()
            .map(|one| (&*one.key.rule, minute(one.from_ms), one.to_ms.map(minute), one.times))
            .collect();
        let expected =
            [("hot", 10, Some(40), 2), ("full", 70, Some(75), 1), ("full", 910, None, 1)];
        assert_eq!(spans, expected);
    }
}
