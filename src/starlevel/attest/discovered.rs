//! Devices that a scan found and that are not registered.

use serde::{Deserialize, Serialize};

use crate::model::{Category, Estate};

/// Most of them that are kept; what is found beyond is told in the log.
pub const MOST_DISCOVERED: usize = 4096;

/// A device that answered on a bus and stands in no configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discovered {
    /// The bus that it answered on.
    pub bus: String,
    /// Where there, as a configured device shows it: `#3`, digits of a meter.
    pub address: String,
    /// `modbus`, `dlt645-2007`, `dlt645-1997`, `cjt188`.
    pub protocol: String,
    /// What it is, where the protocol tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// When it was found first, milliseconds since 1970; absent when the clock was not trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen_ms: Option<i64>,
}

impl Discovered {
    /// Where it is, as a device's `connection` says it.
    pub fn place(&self) -> String {
        format!("{} {}", self.bus, self.address)
    }

    /// Whether a device of the estate is reached there.
    pub(super) fn is_registered(&self, estate: &Estate) -> bool {
        let place = self.place();
        estate.devices().iter().any(|device| device.connection == place)
    }
}
