//! The clock: moments always, wall time once a source is trusted.

mod config;
mod source;

pub use config::{Config, Trust};
pub use source::Clock;
