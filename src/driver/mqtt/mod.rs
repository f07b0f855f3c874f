//! Devices that publish to the field broker.

mod config;

pub use config::Config;
