//! What the field broker's side tells about itself.

use serde::Serialize;

use crate::model::Moment;

/// Present state of the connection to the field broker.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct BrokerStatus {
    /// Whether the field broker accepted the session.
    pub connected: bool,
    /// Since when it is (not) connected.
    pub since: Moment,
    /// Why not connected.
    pub fault: Option<String>,
    /// Broker, for people.
    pub broker: String,
    /// Messages received since start.
    pub messages: u64,
    /// Of those, refused: too large, too many, wrong payload.
    pub rejected: u64,
    /// QoS 1 messages received and not yet acknowledged, because not yet durable.
    pub unacked: usize,
}
