//! From the buffer to the platform's broker: pull, publish, delete only after PUBACK.

mod config;
mod status;

pub use config::Config;
pub use status::UplinkStatus;
