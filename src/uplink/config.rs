//! Settings of the uplink.

use std::time::Duration;

use crate::broker::BrokerConfig;

/// Settings of the uplink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The platform's broker.
    pub broker: BrokerConfig,
    /// Begin of every topic; `{gateway}` stands for the gateway's identifier.
    pub prefix: String,
    /// Most blocks published and not yet acknowledged, 1..=64.
    pub window: u16,
    /// Most bytes a second of the backlog after an outage.
    pub late_rate: u64,
    /// A connection that owes an acknowledgement for this long is given up.
    pub ack_timeout: Duration,
    /// Longest wait between two attempts to connect.
    pub reconnect_cap: Duration,
    /// How long blocks without a trusted time are held back in the hope of one.
    pub hold_unstamped: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            broker: BrokerConfig::default(),
            prefix: "linli/v1/{gateway}".into(),
            window: 32,
            late_rate: 512 << 10,
            ack_timeout: Duration::from_secs(30),
            reconnect_cap: Duration::from_secs(60),
            hold_unstamped: Duration::from_secs(600),
        }
    }
}
