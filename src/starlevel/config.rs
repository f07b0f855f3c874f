//! Settings of the star-level check.

use std::path::PathBuf;
use std::time::Duration;

/// Settings of the star-level check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Rule pack; the one built into the program when `None`.
    pub rule_pack: Option<PathBuf>,
    /// How often the assessment is renewed.
    pub every: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { rule_pack: None, every: Duration::from_secs(60) }
    }
}
