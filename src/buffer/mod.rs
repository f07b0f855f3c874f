//! The durable queue of blocks between the pipeline and the uplink.

mod config;
mod queue;
mod status;

pub use config::Config;
pub use queue::{Block, Buffer, Lane, ReadError};
pub use status::BufferStatus;
