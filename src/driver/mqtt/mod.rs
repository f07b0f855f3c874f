//! Devices that publish to the field broker.

mod config;
mod status;

pub use config::Config;
pub use status::BrokerStatus;
