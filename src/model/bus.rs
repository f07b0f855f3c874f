//! What a bus tells about itself: counters, load, the last fault.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde::Serialize;

use super::{BusId, DeviceIndex, Finding, Moment, Words};

/// Counters of one bus since the daemon started.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct BusCounters {
    /// Requests sent.
    pub requests: u64,
    /// Requests answered as asked.
    pub answers: u64,
    /// Requests without an answer in time.
    pub timeouts: u64,
    /// Answers with an exception code.
    pub exceptions: u64,
    /// Damaged, short or foreign replies.
    pub damaged: u64,
    /// Times the line or connection was opened.
    pub opens: u64,
    /// Polls that were due but skipped, because the bus was busy.
    pub missed: u64,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Bytes received.
    pub received_bytes: u64,
    /// Time spent in requests, answered or not.
    pub busy: Duration,
    /// Of that, time spent probing devices that do not answer.
    pub probing: Duration,
}

/// What the polls of a bus cost, estimated from the plan or measured from the answers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct BusBudget {
    /// Time to read every device of the bus once.
    pub sweep: Duration,
    /// The same with three more devices that do not answer (all, when there are fewer).
    pub sweep_with_dead: Duration,
    /// The shortest period that a device on it asks for.
    pub wanted: Duration,
    /// Share of the time that the polls take; above 1 the bus cannot keep up.
    pub load: f64,
    /// Requests of one sweep.
    pub requests: usize,
}

/// What one device on a bus cost and gave so far.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitState {
    /// Which device.
    pub device: DeviceIndex,
    /// Where it answers, for people.
    pub address: String,
    /// How the line is set for it, for people: `2400 8E1`; `None` where there is no serial line.
    pub line: Option<String>,
    /// Requests sent to it.
    pub requests: u64,
    /// Of these, answered with data or a refusal.
    pub answers: u64,
    /// Without any answer.
    pub timeouts: u64,
    /// With a damaged one.
    pub damaged: u64,
    /// From the end of a request to the first byte of its answer: smoothed mean.
    pub answer_time: Option<Duration>,
    /// The longest of them.
    pub longest: Duration,
}

/// Present state of one bus.
#[derive(Debug, Clone, PartialEq)]
pub struct BusState {
    /// Its identifier.
    pub id: BusId,
    /// How it is reached, for people: `serial /dev/ttyS1 9600 8N1`, `tcp 10.0.0.5:502`.
    pub line: String,
    /// Number of devices on it.
    pub devices: usize,
    /// Whether the line or connection is open.
    pub open: bool,
    /// What the system last said against it.
    pub fault: Option<Words>,
    /// Since when it is open or closed.
    pub since: Moment,
    /// Share of the last minute that the bus was busy, 0..=1.
    pub load: f64,
    /// Counters since start.
    pub counters: BusCounters,
    /// What its polls cost by the plan.
    pub planned: BusBudget,
    /// What they cost by the answers so far; `None` before the first whole sweep.
    pub measured: Option<BusBudget>,
    /// Its devices, in the order of the configuration.
    pub units: Vec<UnitState>,
    /// What the wiring doctor found.
    pub findings: Vec<Finding>,
}

/// Handle on the state of all buses; each bus owner writes its own row, everybody reads.
#[derive(Debug, Clone)]
pub struct BusTable(Arc<[Mutex<BusState>]>);

impl BusTable {
    /// One row per bus.
    pub fn new(rows: Vec<BusState>) -> Self {
        Self(rows.into_iter().map(Mutex::new).collect())
    }

    /// A copy of every row.
    pub fn all(&self) -> Vec<BusState> {
        (0..self.0.len()).map(|row| self.lock(row).clone()).collect()
    }

    /// Changes one row in place; keep it short.
    pub fn with<R>(&self, row: usize, work: impl FnOnce(&mut BusState) -> R) -> R {
        work(&mut self.lock(row))
    }

    fn lock(&self, row: usize) -> MutexGuard<'_, BusState> {
        match self.0[row].lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}
