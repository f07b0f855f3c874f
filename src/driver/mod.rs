//! Drivers: from the wire to readings. One owner task per bus, one request at a time.

mod config;
mod health;
pub mod modbus;
pub mod mqtt;
mod schedule;
mod ticks;

pub use config::{BusConfig, Parity, Transport};
