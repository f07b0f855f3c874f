//! Drivers: from the wire to readings. One owner task per bus, one request at a time.

mod config;
pub mod mqtt;
mod health;
pub mod modbus;
mod schedule;

pub use config::{BusConfig, Parity, Transport};
