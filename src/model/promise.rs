//! What the gateway promises its operators.

use serde::{Deserialize, Serialize};

/// What the gateway promises its operators at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// What was read is on the disk.
    Durable,
    /// What is stored reaches the platform.
    Delivered,
    /// Moments have a trusted wall time.
    Clock,
    /// Every certificate is readable and does not expire soon.
    Certificate,
    /// The configuration in the file is the one that runs.
    Configuration,
    /// The lines and the field broker are there to be read.
    Collected,
}

impl Promise {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Durable,
        Self::Delivered,
        Self::Clock,
        Self::Certificate,
        Self::Configuration,
        Self::Collected,
    ];

    /// The word in documents and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Durable => "durable",
            Self::Delivered => "delivered",
            Self::Clock => "clock",
            Self::Certificate => "certificate",
            Self::Configuration => "configuration",
            Self::Collected => "collected",
        }
    }
}
