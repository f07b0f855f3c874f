//! What the uplink tells about itself.

use serde::Serialize;

use crate::model::{Moment, Seq, Words};

/// Present state of the uplink.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UplinkStatus {
    /// Whether an uplink is configured.
    pub configured: bool,
    /// Whether the platform's broker accepted the session.
    pub connected: bool,
    /// Since when it is (not) connected.
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub since: Moment,
    /// Why not connected.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub fault: Option<Words>,
    /// Files of the connection changed and are wrong; it goes on with those before.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub credentials: Option<Words>,
    /// Blocks below this position were stored before the present session began.
    pub late_below: Option<Seq>,
    /// Broker, for people.
    pub broker: String,
    /// Whether the session is encrypted and the broker authenticated.
    pub tls: bool,
    /// When a block was last acknowledged.
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub acknowledged_at: Option<Moment>,
    /// Blocks published since start, repeats included.
    pub published_blocks: u64,
    /// Blocks acknowledged since start.
    pub acknowledged_blocks: u64,
    /// Readings in them.
    pub acknowledged_readings: u64,
    /// Bytes of payload acknowledged since start.
    pub acknowledged_bytes: u64,
    /// Blocks published and not yet acknowledged.
    pub in_flight: u32,
    /// Sessions begun since start.
    pub sessions: u64,
    /// Milliseconds from commit to acknowledgement of the last live block.
    pub live_latency_ms: Option<u64>,
}
