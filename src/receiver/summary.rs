//! What the receiver has seen, for people and for scripts.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Range;

/// Readings of one device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeviceCount {
    /// Readings received.
    pub readings: u64,
    /// Of them, not good.
    pub not_good: u64,
}

/// The gaps of one stream that nobody announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GapReport {
    /// The gateway.
    pub gateway: String,
    /// The life of its buffer.
    pub epoch: String,
    /// Missing blocks, in all.
    pub blocks: u64,
    /// The first ranges of them.
    pub ranges: Vec<Range>,
}

/// Everything counted so far.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Summary {
    /// Gateways seen.
    pub gateways: usize,
    /// Buffers seen: one or more for each gateway.
    pub epochs: usize,
    /// Different blocks received.
    pub blocks: u64,
    /// Blocks received again.
    pub duplicates: u64,
    /// Of the different blocks, those that came under `telemetry/late`.
    pub late: u64,
    /// Bytes of payload of the different blocks.
    pub bytes: u64,
    /// Readings in the different blocks.
    pub readings: u64,
    /// Of them, good.
    pub good: u64,
    /// Of them, uncertain or bad.
    pub not_good: u64,
    /// Events in the different blocks.
    pub events: u64,
    /// Devices that readings came from.
    pub devices: usize,
    /// Times that a gateway said it had to begin a new buffer.
    pub buffers_replaced: u64,
    /// Missing blocks that the gateway announced.
    pub announced_gaps: u64,
    /// Of the different blocks, those that stand thinned in place of others.
    pub thinned: u64,
    /// Readings that had been taken where they stand.
    pub stands_for: u64,
    /// Blocks that were announced as replaced by thinned ones.
    pub replaced_blocks: u64,
    /// Readings that were announced as deleted, or left out by thinning.
    pub announced_readings: u64,
    /// Missing blocks that nobody announced.
    pub open_gaps: u64,
    /// Where they are.
    pub gaps: Vec<GapReport>,
    /// Payloads refused, altered duplicates, and other breaches of the contract.
    pub faults: u64,
    /// The last of them, in words.
    pub last_faults: Vec<String>,
    /// Highest block of any stream.
    pub highest_seq: u64,
}

impl Summary {
    /// Whether the stream kept its promise: no silent gap, no fault.
    pub fn is_whole(&self) -> bool {
        self.open_gaps == 0 && self.faults == 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "gateways            {:>10}   epochs {}", self.gateways, self.epochs)?;
        writeln!(
            f,
            "blocks              {:>10}   late {}, again {}",
            self.blocks, self.late, self.duplicates
        )?;
        writeln!(
            f,
            "readings            {:>10}   good {}, not good {}, devices {}",
            self.readings, self.good, self.not_good, self.devices
        )?;
        let per_reading =
            if self.readings == 0 { 0.0 } else { self.bytes as f64 / self.readings as f64 };
        writeln!(f, "bytes               {:>10}   {per_reading:.1} a reading", self.bytes)?;
        writeln!(f, "events              {:>10}", self.events)?;
        writeln!(
            f,
            "announced gaps      {:>10}   readings deleted {}",
            self.announced_gaps, self.announced_readings
        )?;
        writeln!(
            f,
            "thinned             {:>10}   in place of {} blocks, for {} readings",
            self.thinned, self.replaced_blocks, self.stands_for
        )?;
        writeln!(f, "silent gaps         {:>10}", self.open_gaps)?;
        for gap in &self.gaps {
            for range in &gap.ranges {
                writeln!(f, "  {} {} {}..={}", gap.gateway, gap.epoch, range.from, range.to)?;
            }
        }
        write!(f, "faults              {:>10}", self.faults)?;
        for fault in &self.last_faults {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}
