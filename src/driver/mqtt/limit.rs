//! Bounds on what one device may send, and on how often its faults are told.

use std::time::Duration;

use crate::model::{EventKind, Moment};

/// Rates are averaged over this time.
const RATE_SPAN_S: u32 = 10;
/// The same device's faults are told at most this often.
const TELL_EVERY: Duration = Duration::from_secs(60);
/// Longest text of a topic or fault that goes into an event, characters.
const MAX_TEXT: usize = 200;

/// Messages a second, averaged over ten seconds.
#[derive(Debug)]
pub(super) struct Rate {
    per_second: f64,
    tokens: f64,
    at: Moment,
}

impl Rate {
    /// `per_second` messages on average.
    pub fn new(per_second: u32, now: Moment) -> Self {
        let per_second = f64::from(per_second.max(1));
        Self { per_second, tokens: per_second * f64::from(RATE_SPAN_S), at: now }
    }

    /// Whether another message may be taken.
    pub fn take(&mut self, now: Moment) -> bool {
        let burst = self.per_second * f64::from(RATE_SPAN_S);
        let gained = self.per_second * now.since(self.at).as_secs_f64();
        self.tokens = (self.tokens + gained).min(burst);
        self.at = now;
        let open = self.tokens >= 1.0;
        if open {
            self.tokens -= 1.0;
        }
        open
    }
}

/// Collapses the faults of one device: the first at once, then at most one event a minute.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    told: Option<Moment>,
    held: u64,
    topic: String,
    fault: String,
}

impl Complaints {
    /// Another fault; the event to send now, if any.
    pub fn note(&mut self, now: Moment, topic: &str, fault: &str) -> Option<EventKind> {
        if self.told.is_some_and(|told| now.since(told) < TELL_EVERY) {
            if self.held == 0 {
                self.topic = shorten(topic);
                self.fault = shorten(fault);
            }
            self.held += 1;
            return None;
        }
        self.told = Some(now);
        let more = std::mem::take(&mut self.held);
        Some(event(shorten(topic), shorten(fault), more))
    }

    /// The event for faults that were held back, once the minute is over.
    pub fn flush(&mut self, now: Moment) -> Option<EventKind> {
        if self.held == 0 || self.told.is_some_and(|told| now.since(told) < TELL_EVERY) {
            return None;
        }
        self.told = Some(now);
        let more = std::mem::take(&mut self.held) - 1;
        Some(event(std::mem::take(&mut self.topic), std::mem::take(&mut self.fault), more))
    }
}

fn event(topic: String, fault: String, more: u64) -> EventKind {
    let fault = if more == 0 { fault } else { format!("{fault} (and {more} more refused)") };
    EventKind::PayloadRejected { topic, fault }
}

fn shorten(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Moment {
        Moment { boot_ms: ms }
    }

    #[test]
    fn a_burst_within_ten_seconds_of_rate_passes_and_the_excess_does_not() {
        let mut rate = Rate::new(2, at(0));
        assert_eq!((0..100).filter(|_| rate.take(at(0))).count(), 20);
        assert_eq!((0..100).filter(|_| rate.take(at(5_000))).count(), 10);
    }

    #[test]
    fn faults_are_told_at_once_then_once_a_minute_with_their_number() {
        let mut complaints = Complaints::default();
        assert!(complaints.note(at(0), "t", "f").is_some());
        for ms in 1..=3 {
            assert_eq!(complaints.note(at(ms), "t2", "f2"), None);
        }
        assert_eq!(complaints.flush(at(59_999)), None);
        let fault = "f2 (and 2 more refused)".to_owned();
        let expected = EventKind::PayloadRejected { topic: "t2".into(), fault };
        assert_eq!(complaints.flush(at(60_000)), Some(expected));
        assert_eq!(complaints.flush(at(200_000)), None);
    }
}
