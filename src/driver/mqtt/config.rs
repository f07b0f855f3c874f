//! Settings of the field broker's side.

use std::time::Duration;

use crate::broker::BrokerConfig;

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
