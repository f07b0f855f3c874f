//! What the MQTT driver tells about the field broker.

use serde::Serialize;

use crate::model::Moment;

/// Present state of the field broker's session.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct BrokerStatus {
    /// Whether the broker accepted the session.
    pub connected: bool,
    /// Since when it is (not) connected.
    pub since: Moment,
    /// Why not connected, or which topics the broker refuses.
    pub fault: Option<String>,
    /// Broker, for people.
    pub broker: String,
    /// Messages received since start.
    pub messages: u64,
    /// Of those, refused ones.
    pub rejected: u64,
    /// Messages that are not durable yet.
    pub unacked: u32,
}
