//! CJ/T 188-2004 and 2018: water, gas and heat meters on RS-485 or M-Bus wires.
//!
//! ```text
//! FE*   68  T  A0..A6  C  L  DI(2) SER data  CS  16      L counts DI, SER and data
//!       type, address least significant byte first, control code, identifier, sequence
//! ```
//!
//! What meters of the field do beside the standard's text is met here: both byte orders of the
//! identifier, a sequence number or a type that changes in the reply, units before the value,
//! FFH in fields that a meter does not have, lost preambles, DL/T 645 meters on the same wires.

mod address;
mod current;
mod describe;
mod encode;
mod frame;
mod message;
mod unit;

#[cfg(test)]
mod tests;

pub use address::{Address, BadAddress, DataId, DiOrder, Kind, MeterType};
pub use current::{
    BadBody, Cooling, Current, HeatReading, Status, Valve, VolumeReading, current, value_with_unit,
};
pub use describe::{describe, meaning};
pub use encode::DoesNotFit;
pub use frame::{FRAME_MAX, Frame, PREAMBLE, checksum, find};
pub use message::{
    Mismatch, Reply, ValveAct, answer_address, answer_data, answer_done, answer_refused, read,
    read_address, reply, valve,
};
pub use unit::{Dimension, Quantity, Unit};
