//! The wiring doctor: from what the bus sees anyway to what is wrong with it. Synchronous.

use std::time::Duration;

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

/// Knows one line.
#[derive(Debug)]
pub struct Doctor {
    patients: Vec<Patient>,
}

impl Doctor {
    /// A line of these devices. One over Modbus TCP has no wires to look at.
    pub fn new(patients: Vec<Patient>) -> Self {
        Self { patients }
    }

    /// An exchange ended.
    pub fn observe(&mut self, _seen: &Observation<'_>) {}

    /// Bytes came while nobody was asked.
    pub fn unasked(&mut self, _bytes: &[u8], _now: Moment) {}

    /// The findings, when they changed since the last look.
    pub fn examine(&mut self, _now: Moment) -> Option<Vec<Finding>> {
        debug_assert!(self.patients.len() < usize::MAX);
        None
    }
}
