//! The bus's row in the table that pages and metrics read.

use std::time::Duration;

use super::session::{Exchange, Fault};
use super::unit::{Unit, refused_code};
use crate::model::{BusBudget, BusState, BusTable, Finding, Moment, UnitState, Words};

/// A probe that waited this long goes before the next poll: a full bus can be scanned as well.
const PROBE_WAIT: Duration = Duration::from_secs(2);
/// Share of the line that a scan leaves free beside the polls.
const PROBE_FREE: f64 = 0.1;
/// The load is that of this many seconds.
const WINDOW: usize = 60;

/// Writes one row, with one short lock for each request.
#[derive(Debug)]
pub(super) struct Row {
    table: BusTable,
    row: usize,
    load: Load,
    polls: Load,
    costs: Costs,
}

impl Row {
    /// `serial`: whether there is a serial line, whose settings then are of interest.
    pub(super) fn new(table: BusTable, row: usize, units: &[Unit], serial: bool) -> Self {
        let shown = units.iter().map(|unit| UnitState {
            device: unit.index,
            address: unit.manners.address.to_string(),
            line: serial.then(|| unit.manners.line.to_string()),
            requests: 0,
            answers: 0,
            timeouts: 0,
            damaged: 0,
            answer_time: None,
            longest: Duration::ZERO,
        });
        table.with(row, |state| state.units = shown.collect());
        let costs = Costs { of: units.iter().map(|unit| vec![None; unit.blocks.len()]).collect() };
        Self { table, row, load: Load::default(), polls: Load::default(), costs }
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
    pub(super) fn closed(&self, now: Moment, fault: Option<&Words>) {
        self.with(|state| {
            if fault.is_some() {
                state.fault = fault.cloned();
            }
            if state.open {
                state.open = false;
                state.since = now;
            }
        });
    }

    /// One exchange with a device ended, `elapsed` after the bus started.
    pub(super) fn exchanged(
        &mut self,
        (slot, block): (usize, usize),
        exchange: &Exchange,
        probing: bool,
        missed: u64,
        elapsed: Duration,
    ) {
        self.load.add(elapsed, exchange.took);
        self.polls.add(elapsed, exchange.took);
        if exchange.outcome.is_ok() {
            self.costs.add(slot, block, exchange.took);
        }
        let load = self.load.share(elapsed);
        let measured = self.costs.sweep();
        self.with(|state| {
            state.counters.missed += missed;
            state.load = load;
            state.measured = measured.map(|(sweep, requests)| BusBudget {
                sweep,
                requests,
                load,
                ..state.planned
            });
            count(state, exchange);
            if probing {
                state.counters.probing += exchange.took;
            }
            if let Some(unit) = state.units.get_mut(slot) {
                count_unit(unit, exchange);
            }
        });
    }

    /// An exchange beside the polls: a probe of a scan, a command, a broadcast.
    pub(super) fn foreign(&mut self, exchange: &Exchange, elapsed: Duration) {
        self.load.add(elapsed, exchange.took);
        let load = self.load.share(elapsed);
        self.with(|state| {
            state.load = load;
            state.counters.sent_bytes += exchange.traffic.sent;
            state.counters.received_bytes += exchange.traffic.received;
            state.counters.busy += exchange.took;
        });
    }

    /// A device is read by other blocks from now on.
    pub(super) fn planned(&mut self, slot: usize, units: &[Unit]) {
        self.costs.of[slot] = vec![None; units[slot].blocks.len()];
    }

    /// The doctor's findings; returns those before.
    pub(super) fn found(&self, findings: Vec<Finding>) -> Vec<Finding> {
        let mut before = findings;
        self.with(|state| std::mem::swap(&mut state.findings, &mut before));
        before
    }

    /// How long a probe of a scan that takes `need` waits for a gap between the polls before it
    /// goes ahead of one: so long that the scan uses what the polls leave and no tick is lost.
    pub(super) fn probe_wait(&mut self, need: Duration, elapsed: Duration) -> Duration {
        let share = 1.0 - PROBE_FREE - self.polls.share(elapsed);
        let shortest = self.table.with(self.row, |state| state.planned.wanted);
        // A poll has half a period of time.
        if share < PROBE_FREE || need * 2 > shortest {
            return PROBE_WAIT;
        }
        need.mul_f64((1.0 - share) / share).min(PROBE_WAIT)
    }

    /// Nothing happened: the load of the last minute falls.
    pub(super) fn idle(&mut self, elapsed: Duration) {
        let load = self.load.share(elapsed);
        self.with(|state| state.load = load);
    }
}

fn count(state: &mut BusState, exchange: &Exchange) {
    let counters = &mut state.counters;
    counters.sent_bytes += exchange.traffic.sent;
    counters.received_bytes += exchange.traffic.received;
    match &exchange.outcome {
        Err(Fault::Unset(_) | Fault::Lost(_)) => return,
        Ok(answer) if refused_code(answer).is_some() => counters.exceptions += 1,
        Ok(_) => counters.answers += 1,
        Err(Fault::Silent) => counters.timeouts += 1,
        Err(Fault::Damaged | Fault::Foreign) => counters.damaged += 1,
        Err(Fault::Broken(_)) => {}
    }
    counters.requests += 1;
    counters.busy += exchange.took;
}

fn count_unit(unit: &mut UnitState, exchange: &Exchange) {
    match &exchange.outcome {
        Err(Fault::Unset(_) | Fault::Lost(_)) => return,
        Ok(_) => unit.answers += 1,
        Err(Fault::Silent) => unit.timeouts += 1,
        Err(Fault::Damaged | Fault::Foreign) => unit.damaged += 1,
        Err(Fault::Broken(_)) => {}
    }
    unit.requests += 1;
    if let (Ok(_), Some(time)) = (&exchange.outcome, exchange.answer_time) {
        // A mean over about sixteen answers follows a change within a minute or two.
        let mean = unit.answer_time.unwrap_or(time);
        unit.answer_time = Some((mean * 15 + time) / 16);
        unit.longest = unit.longest.max(time);
    }
}

/// What each block last took, smoothed.
#[derive(Debug)]
struct Costs {
    of: Vec<Vec<Option<Duration>>>,
}

impl Costs {
    fn add(&mut self, slot: usize, block: usize, took: Duration) {
        let blocks = &mut self.of[slot];
        if blocks.len() <= block {
            blocks.resize(block + 1, None);
        }
        let mean = blocks[block].unwrap_or(took);
        blocks[block] = Some((mean * 7 + took) / 8);
    }

    /// Time of one round of everything that ever answered, and its requests.
    fn sweep(&self) -> Option<(Duration, usize)> {
        let known = || self.of.iter().flatten().flatten();
        let requests = known().count();
        (requests > 0).then(|| (known().sum(), requests))
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
