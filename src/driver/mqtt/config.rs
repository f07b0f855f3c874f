//! Settings of the field broker's side.

use std::time::Duration;

use crate::broker::BrokerConfig;
use crate::settings::Section;

/// Settings of the MQTT driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The field broker.
    pub broker: BrokerConfig,
    /// Largest payload that is read, bytes.
    pub max_payload: usize,
    /// Deepest nesting of a JSON payload.
    pub max_depth: usize,
    /// Most messages a second from one device, averaged over ten seconds.
    pub max_rate: u32,
    /// A device is silent after this long without a message, unless its profile says otherwise.
    pub silent_after: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            broker: BrokerConfig { client_id: "linli-field".into(), ..BrokerConfig::default() },
            max_payload: 64 * 1024,
            max_depth: 16,
            max_rate: 50,
            silent_after: Duration::from_secs(3600),
        }
    }
}

impl Config {
    /// Reads the section `[mqtt]`, whose keys for the broker were read into `broker` already;
    /// what is wrong is noted there.
    pub fn read(section: &mut Section<'_>, broker: BrokerConfig) -> Self {
        let default = Self::default();
        let payload = section.size_or("max_payload", 256..=1 << 20, default.max_payload as u64);
        let depth: u16 = section.integer_or("max_depth", 1..=64, default_depth(&default));
        let silent = Duration::from_secs(10)..=Duration::from_secs(30 * 86_400);
        Self {
            broker,
            max_payload: usize::try_from(payload).unwrap_or(default.max_payload),
            max_depth: usize::from(depth),
            max_rate: section.integer_or("max_rate", 1..=10_000, default.max_rate),
            silent_after: section.duration_or("silent_after", silent, default.silent_after),
        }
    }
}

fn default_depth(config: &Config) -> u16 {
    u16::try_from(config.max_depth).unwrap_or(u16::MAX)
}
