//! The local page and its API.

mod config;

pub use config::Config;
