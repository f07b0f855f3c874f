//! Settings of the uplink.

use std::time::Duration;

use crate::broker::BrokerConfig;
use crate::settings::{Section, Wrong};

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

impl Config {
    /// Reads the section `[uplink]`, whose keys for the broker were read into `broker` already;
    /// what is wrong is noted there.
    pub fn read(section: &mut Section<'_>, broker: BrokerConfig) -> Self {
        let default = Self::default();
        let seconds = |low, high| Duration::from_secs(low)..=Duration::from_secs(high);
        let late_rate = section.size_or("late_rate", 1 << 10..=1 << 30, default.late_rate);
        let ack = section.duration_or("ack_timeout", seconds(5, 600), default.ack_timeout);
        let cap = section.duration_or("reconnect_cap", seconds(1, 3600), default.reconnect_cap);
        let hold =
            section.duration_or("hold_unstamped", seconds(0, 86_400), default.hold_unstamped);
        Self {
            broker,
            prefix: section.parsed_or(
                "prefix",
                &default.prefix,
                "a topic without wildcards",
                topic_prefix,
            ),
            window: section.integer_or("window", 1..=64, default.window),
            late_rate,
            ack_timeout: ack,
            reconnect_cap: cap,
            hold_unstamped: hold,
        }
    }
}

fn topic_prefix(text: &str) -> Result<String, Wrong> {
    if text.is_empty() || text.chars().any(|c| matches!(c, '+' | '#' | '\0')) {
        return Err(Wrong::new(("is not the begin of a topic", "不能作为主题的开头")));
    }
    if text.starts_with('/') || text.ends_with('/') || text.starts_with('$') {
        return Err(Wrong::new((
            "begins or ends with `/`, or begins with `$`",
            "以 `/` 开头或结尾，或以 `$` 开头",
        )));
    }
    if text.replace("{gateway}", "").contains(['{', '}']) {
        return Err(Wrong::placeholder());
    }
    Ok(text.to_owned())
}
