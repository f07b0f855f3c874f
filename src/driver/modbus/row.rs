//! The bus's row in the table that pages and metrics read.

use std::time::Duration;

use super::session::{Answer, Exchange, Fault};
use crate::model::{BusState, BusTable, Moment};

/// The load is that of this many seconds.
const WINDOW: usize = 60;

/// Writes one row, with one short lock for each request.
#[derive(Debug)]
pub(super) struct Row {
    table: BusTable,
    row: usize,
    load: Load,
}

impl Row {
    pub(super) fn new(table: BusTable, row: usize) -> Self {
        Self { table, row, load: Load::default() }
    }

    fn with(&self, work: impl FnOnce(&mut BusState)) {
        self.table.with(self.row, work);
    }

    /// The line was opened.
    pub(super) fn opened(&self, now: Moment) {
        self.with(|state| {
            state.counters.opens += 1;
            state.fault = None;
            if !state.open {
                state.open = true;
                state.since = now;
            }
        });
    }

    /// The line is not open.
    pub(super) fn closed(&self, now: Moment, fault: Option<&str>) {
        self.with(|state| {
            if fault.is_some() {
                state.fault = fault.map(str::to_owned);
            }
            if state.open {
                state.open = false;
                state.since = now;
            }
        });
    }

    /// One exchange ended, `elapsed` after the bus started.
    pub(super) fn exchanged(
        &mut self,
        exchange: &Exchange,
        probing: bool,
        missed: u64,
        elapsed: Duration,
    ) {
        self.load.add(elapsed, exchange.took);
        let load = self.load.share(elapsed);
        self.with(|state| {
            let counters = &mut state.counters;
            counters.missed += missed;
            counters.sent_bytes += exchange.traffic.sent;
            counters.received_bytes += exchange.traffic.received;
            state.load = load;
            match &exchange.outcome {
                Err(Fault::Lost(_)) => return,
                Ok(Answer::Exception(_)) => counters.exceptions += 1,
                Ok(_) => counters.answers += 1,
                Err(Fault::Silent) => counters.timeouts += 1,
                Err(Fault::Damaged) => counters.damaged += 1,
                Err(Fault::Broken(_)) => {}
            }
            counters.requests += 1;
            counters.busy += exchange.took;
            if probing {
                counters.probing += exchange.took;
            }
        });
    }

    /// Nothing happened: the load of the last minute falls.
    pub(super) fn idle(&mut self, elapsed: Duration) {
        let load = self.load.share(elapsed);
        self.with(|state| state.load = load);
    }
}

/// Busy time of the last minute, by seconds.
#[derive(Debug)]
struct Load {
    seconds: [Duration; WINDOW],
    sum: Duration,
    second: u64,
}

impl Default for Load {
    fn default() -> Self {
        Self { seconds: [Duration::ZERO; WINDOW], sum: Duration::ZERO, second: 0 }
    }
}

impl Load {
    fn turn(&mut self, elapsed: Duration) -> usize {
        let second = elapsed.as_secs();
        let steps = (second - self.second.min(second)).min(WINDOW as u64);
        for step in 0..steps {
            let slot = slot(second - step);
            self.sum -= self.seconds[slot];
            self.seconds[slot] = Duration::ZERO;
        }
        self.second = second;
        slot(second)
    }

    fn add(&mut self, elapsed: Duration, busy: Duration) {
        let slot = self.turn(elapsed);
        self.seconds[slot] += busy;
        self.sum += busy;
    }

    fn share(&mut self, elapsed: Duration) -> f64 {
        self.turn(elapsed);
        let window = elapsed.as_secs_f64().clamp(1.0, WINDOW as f64);
        (self.sum.as_secs_f64() / window).min(1.0)
    }
}

fn slot(second: u64) -> usize {
    usize::try_from(second % WINDOW as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_is_that_of_the_last_minute() {
        let mut load = Load::default();
        for second in 0..120 {
            load.add(Duration::from_secs(second), Duration::from_millis(500));
        }
        let share = load.share(Duration::from_secs(119));
        assert!((share - 0.5).abs() < 0.01, "{share}");
        assert_eq!(load.share(Duration::from_secs(300)), 0.0);
    }
}
