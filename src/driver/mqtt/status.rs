//! What the MQTT driver tells about the field broker.

use serde::Serialize;

use crate::model::{Moment, Words};

/// Present state of the field broker's session.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BrokerStatus {
    /// Whether the broker accepted the session.
    pub connected: bool,
    /// Since when it is (not) connected.
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub since: Moment,
    /// Why not connected, or which topics the broker refuses.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub fault: Option<Words>,
    /// Files of the connection changed and are wrong; it goes on with those before.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub credentials: Option<Words>,
    /// Broker, for people.
    pub broker: String,
    /// Messages received since start.
    pub messages: u64,
    /// Of those, refused ones.
    pub rejected: u64,
    /// Messages that are not durable yet.
    pub unacked: u32,
}

/// Says which topics the broker refuses, a few by name.
pub(super) fn refusal(filters: &[String]) -> Words {
    let shown: Vec<&str> = filters.iter().take(5).map(String::as_str).collect();
    let more = filters.len().saturating_sub(shown.len());
    let shown = shown.join(", ");
    let (en, zh) = match more {
        0 => (String::new(), String::new()),
        more => (format!(" and {more} more"), format!(" 等，另有 {more} 个")),
    };
    (
        format!("the broker refuses to deliver: {shown}{en}"),
        format!("消息代理拒绝投递：{shown}{zh}"),
    )
        .into()
}
