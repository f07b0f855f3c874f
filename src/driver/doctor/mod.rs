//! The wiring doctor: from what the bus sees anyway to what is wrong with it. Synchronous.
//!
//! ```text
//! signature   what bytes look like: frames, damage, a wrong baud rate or parity
//! chart       the last twenty exchanges of one device, and how fast it answers
//! verdict     what ails the devices together: the line, a part of it, or one of them
//! words       that, for an electrician, in both languages
//! ```
//!
//! Evidence counts exchanges, not time: a device that is asked rarely is judged slowly. What was
//! found stays until enough exchanges were good. The echo of our own request, which many RS-485
//! adapters hand back, is no evidence of anything, nor is a single stray byte.

mod chart;
mod signature;
#[cfg(test)]
mod tests;
mod verdict;
mod words;

use std::collections::VecDeque;
use std::time::Duration;

use chart::Chart;
pub use signature::{Signature, signature};

use super::{BusAddress, LineSettings};
use crate::model::{DeviceIndex, Finding, Moment};

/// One device of the line.
#[derive(Debug, Clone)]
pub struct Patient {
    /// Its place in the estate.
    pub index: DeviceIndex,
    /// What people call it.
    pub title: String,
    /// Where it answers.
    pub address: BusAddress,
}

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A whole frame, data or a refusal.
    Answered,
    /// Not one byte.
    Silent,
    /// Bytes, but no whole frame of this device.
    Damaged,
    /// A whole frame in the name of another device.
    Foreign,
}

/// One exchange, as the doctor sees it.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// Which patient was asked.
    pub patient: usize,
    /// How it ended.
    pub outcome: Outcome,
    /// Everything that came after the request.
    pub received: &'a [u8],
    /// From the end of the request to the first byte.
    pub answer_time: Option<Duration>,
    /// How the line was set; `None` where it is not known.
    pub line: Option<LineSettings>,
    /// When it ended.
    pub now: Moment,
}

/// Looks at the line at most this often: between two looks a few exchanges pass.
const LOOK: Duration = Duration::from_secs(1);
/// Figures of findings that stay are told anew this often.
const REFRESH: Duration = Duration::from_secs(60);
/// Requests of another master that are remembered, and how many make a finding.
const STRANGERS: (usize, usize) = (8, 3);
/// How long they count.
const RECENT: Duration = Duration::from_secs(600);

/// Knows one line.
#[derive(Debug)]
pub struct Doctor {
    charts: Vec<Chart>,
    /// Answers of all devices.
    answers: u64,
    /// When others asked here, the oldest first.
    strangers: VecDeque<Moment>,
    /// The last of their requests went to nobody in particular.
    broadcasts: bool,
    noisy: Option<Moment>,
    findings: Vec<Finding>,
    looked: Option<Moment>,
    told: Option<Moment>,
}

impl Doctor {
    /// A line of these devices. One over Modbus TCP has no wires to look at.
    pub fn new(patients: Vec<Patient>) -> Self {
        Self {
            charts: patients.into_iter().map(Chart::new).collect(),
            answers: 0,
            strangers: VecDeque::with_capacity(STRANGERS.0),
            broadcasts: true,
            noisy: None,
            findings: Vec::new(),
            looked: None,
            told: None,
        }
    }

    /// An exchange ended. One of a patient that does not exist is not looked at.
    pub fn observe(&mut self, seen: &Observation<'_>) {
        let Some(chart) = self.charts.get_mut(seen.patient) else { return };
        chart.book(seen, self.answers);
        let ours = chart.patient.address;
        if seen.outcome == Outcome::Answered {
            self.answers += 1;
        } else {
            self.overhear(seen.received, Some(ours), seen.now);
        }
    }

    /// Bytes came while nobody was asked.
    pub fn unasked(&mut self, bytes: &[u8], now: Moment) {
        self.overhear(bytes, None, now);
    }

    /// Remembers requests of another master. Replies are not counted: they may be late ones.
    fn overhear(&mut self, bytes: &[u8], ours: Option<BusAddress>, now: Moment) {
        for frame in signature::frames(bytes).filter(|frame| !frame.reply) {
            if ours == Some(frame.address) {
                continue;
            }
            if self.strangers.len() == STRANGERS.0 {
                self.strangers.pop_front();
            }
            self.strangers.push_back(now);
            let broadcast = is_broadcast(frame.address);
            self.broadcasts = broadcast && (self.broadcasts || self.strangers.len() == 1);
        }
    }

    /// The findings, when they changed since the last look.
    pub fn examine(&mut self, now: Moment) -> Option<Vec<Finding>> {
        if self.looked.is_some_and(|looked| now.since(looked) < LOOK) {
            return None;
        }
        self.looked = Some(now);
        while self.strangers.front().is_some_and(|&heard| now.since(heard) > RECENT) {
            self.strangers.pop_front();
        }
        let findings = self.verdict(now);
        let same = findings.len() == self.findings.len()
            && findings
                .iter()
                .zip(&self.findings)
                .all(|(new, old)| new.diagnosis == old.diagnosis && new.devices == old.devices);
        let stale = self.told.is_none_or(|told| now.since(told) >= REFRESH);
        if same && (!stale || findings == self.findings) {
            return None;
        }
        self.told = Some(now);
        self.findings.clone_from(&findings);
        Some(findings)
    }
}

/// Whom the first whole frame in these bytes names: who is asked, or who answers.
pub fn named(bytes: &[u8]) -> Option<BusAddress> {
    signature::frames(bytes).next().map(|frame| frame.address)
}

/// Whether an address is everybody's.
fn is_broadcast(address: BusAddress) -> bool {
    match address {
        BusAddress::Unit(unit) => unit == 0,
        BusAddress::Dlt645(address) => address == crate::protocol::dlt645::Address::BROADCAST,
        BusAddress::Cjt188(address) => address == crate::protocol::cjt188::Address::ANY,
    }
}
