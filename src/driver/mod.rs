//! Drivers: from the wire to readings. One owner task per bus, one request at a time.

mod config;
pub mod mqtt;

pub use config::{BusConfig, Parity, Transport};
