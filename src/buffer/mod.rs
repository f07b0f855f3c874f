//! The durable queue of blocks between the pipeline and the uplink.

mod config;
mod status;

pub use config::Config;
pub use status::BufferStatus;
