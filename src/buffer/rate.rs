//! Bytes per hour over the last hour, in minutes.

use tokio::time::Instant;

const MINUTES: usize = 60;

/// Counts what was written in each of the last sixty minutes.
#[derive(Debug)]
pub(super) struct Rate {
    start: Instant,
    minutes: [u64; MINUTES],
    /// The minute that was written last, counted from the start.
    current: u64,
}

impl Rate {
    pub fn new(now: Instant) -> Self {
        Self { start: now, minutes: [0; MINUTES], current: 0 }
    }

    pub fn add(&mut self, now: Instant, bytes: u64) {
        self.advance(now);
        self.minutes[slot(self.current)] += bytes;
    }

    /// `None` within the first minute.
    pub fn per_hour(&mut self, now: Instant) -> Option<f64> {
        self.advance(now);
        let seconds = now.duration_since(self.start).as_secs_f64();
        let covered = seconds.min(3600.0 - 60.0 + seconds % 60.0);
        let sum: u64 = self.minutes.iter().sum();
        (seconds >= 60.0).then(|| sum as f64 * 3600.0 / covered)
    }

    fn advance(&mut self, now: Instant) {
        let minute = now.duration_since(self.start).as_secs() / 60;
        let steps = minute.saturating_sub(self.current).min(MINUTES as u64);
        for step in 1..=steps {
            self.minutes[slot(self.current + step)] = 0;
        }
        if steps > 0 {
            // After a long pause every slot was cleared, whichever way round.
            self.current = minute;
            self.minutes[slot(minute)] = 0;
        }
    }
}

fn slot(minute: u64) -> usize {
    usize::try_from(minute % MINUTES as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_steady_stream_gives_its_rate_and_what_is_older_than_an_hour_is_forgotten() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        assert_eq!(rate.per_hour(start), None);
        for second in 0..7200 {
            let bytes = if second < 3600 { 5 } else { 1 };
            rate.add(start + Duration::from_secs(second), bytes);
        }
        let found = rate.per_hour(start + Duration::from_secs(7199)).unwrap();
        assert!((found - 3600.0).abs() < 20.0, "{found}");
    }
}
