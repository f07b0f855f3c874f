//! Checks the star-level capabilities of DB3710/T 133-2021, 7.5, by a public rule pack.

mod config;

pub use config::Config;
