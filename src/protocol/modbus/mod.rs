//! Modbus as captured bytes show it: requests and replies, over serial lines (RTU) and over TCP.
//! The live bus has its own, narrower reader in the driver; this one explains what a wire carried.
//!
//! ```text
//! RTU   unit(1) PDU crc(2, low byte first)
//! TCP   transaction(2) protocol(2)=0 length(2) unit(1) PDU      length counts from unit
//! PDU   function(1) data; an exception is function + 80H and a code
//! ```

mod adu;
mod describe;
mod numbers;
mod pdu;
mod vendor;

#[cfg(test)]
mod tests;

pub use adu::{Adu, AduFault, Direction, Mismatch, answers, crc16, rtu, tcp};
pub use describe::{describe, exception_names, function_names};
pub use numbers::{Numbers, UnknownType};
pub use pdu::{Pdu, PduFault, is_function};
pub use vendor::Vendor;
