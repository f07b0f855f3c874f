//! Wire formats as pure functions: bytes in, frames out. No I/O, no clock, no configuration; the
//! drivers, the simulators, the scan and `linli decode` all speak through these.
//!
//! ```text
//! dlt645   electricity meters: DL/T 645-2007 and 1997
//! cjt188   water, gas and heat meters: CJ/T 188-2004 and 2018
//! modbus   captured requests and replies, RTU and TCP
//! mbus     captured M-Bus frames (EN 13757)
//! explain  any of them, guessed and taken apart field by field
//! bcd      numbers of the meters, least significant byte first
//! ```

use std::ops::Range;

pub mod bcd;
pub mod cjt188;
pub mod dlt645;
pub mod explain;
pub mod mbus;
pub mod modbus;

/// What was found in the bytes that a line brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<F> {
    /// The first whole frame with a right check sum. Its preamble lies inside `range`; what stands
    /// before `range` is noise.
    Frame {
        /// Where it stands.
        range: Range<usize>,
        /// What it says.
        frame: F,
    },
    /// No whole frame yet.
    More {
        /// No frame begins before this place any more: bytes before it may be thrown away.
        from: usize,
        /// Something had the shape of a frame but a wrong check sum or end.
        damaged: bool,
    },
}

/// A date and time as meters carry it; fields are not checked against the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeterTime {
    /// Full year, e.g. 2026.
    pub year: u16,
    /// 1..=12.
    pub month: u8,
    /// 1..=31.
    pub day: u8,
    /// 0..=23.
    pub hour: u8,
    /// 0..=59.
    pub minute: u8,
    /// 0..=59.
    pub second: u8,
}

/// Bytes as people write them, without spaces.
fn hex<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> String {
    bytes.into_iter().map(|byte| format!("{byte:02X}")).collect()
}
