//! Drivers: from the wire to readings. One owner task per bus, one request at a time.

pub mod bus;
mod config;
pub mod discover;
pub mod doctor;
mod health;
pub mod modbus;
pub mod mqtt;
mod ports;
pub mod record;
pub mod scan;
mod schedule;
mod ticks;

pub use config::{Act, BusAddress, BusConfig, LineSettings, Parity, Transport, read_line};
pub use ports::{SERIAL_DRIVERS, SerialPort, serial_ports};
