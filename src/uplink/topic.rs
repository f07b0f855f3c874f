//! The topics of the stream: the only place that spells them.
//!
//! ```text
//! <prefix>/telemetry            a block of readings, as it happens
//! <prefix>/telemetry/late       the same, after an outage
//! <prefix>/event                a block of events
//! <prefix>/status               retained: birth, last will
//! <prefix>/inventory            retained: devices, points, units
//! <prefix>/assessment           retained: star level
//! <prefix>/time/request         up: what time is it?
//! <prefix>/time                 down: the platform's answer
//! <prefix>/broadcast/<name>      down: a warning
//! <prefix>/broadcast/<name>/result up: whether it was taken
//! <prefix>/command/<id>         down
//! <prefix>/command/<id>/result  up
//! ```

use crate::model::GatewayId;

/// A topic of the stream, without its prefix.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Readings as they happen.
    Telemetry,
    /// Readings after an outage.
    Late,
    /// Events.
    Event,
    /// Birth and last will, retained.
    Status,
    /// Devices, points and units, retained.
    Inventory,
    /// Star level, retained.
    Assessment,
    /// The gateway asks the platform for the time.
    TimeRequest,
    /// The platform's answer.
    Time,
    /// A warning of the platform, by the name that it gives the message.
    Broadcast(String),
    /// What came of that message.
    BroadcastResult(String),
    /// A request to the gateway, by its identifier.
    Command(String),
    /// What became of a request.
    CommandResult(String),
}

impl Topic {
    /// Whether the broker keeps the last message for later subscribers.
    pub fn retained(&self) -> bool {
        matches!(self, Topic::Status | Topic::Inventory | Topic::Assessment)
    }
}

/// Why a prefix cannot begin a topic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "prefix `{0}` cannot begin a topic: it must not be empty, hold `+`, `#` or NUL, nor begin or end with `/`"
)]
pub struct PrefixError(pub String);

/// Printer and parser of one gateway's topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    prefix: String,
}

impl Topics {
    /// `prefix` may hold `{gateway}`.
    ///
    /// # Errors
    /// [`PrefixError`] names a prefix that MQTT does not allow.
    pub fn new(prefix: &str, gateway: &GatewayId) -> Result<Self, PrefixError> {
        let prefix = prefix.replace("{gateway}", gateway.as_str());
        let wrong = prefix.is_empty()
            || prefix.contains(['+', '#', '\0'])
            || prefix.starts_with('/')
            || prefix.ends_with('/');
        if wrong { Err(PrefixError(prefix)) } else { Ok(Self { prefix }) }
    }

    /// The topic as it goes over the wire.
    pub fn print(&self, topic: &Topic) -> String {
        let prefix = &self.prefix;
        match topic {
            Topic::Telemetry => format!("{prefix}/telemetry"),
            Topic::Late => format!("{prefix}/telemetry/late"),
            Topic::Event => format!("{prefix}/event"),
            Topic::Status => format!("{prefix}/status"),
            Topic::Inventory => format!("{prefix}/inventory"),
            Topic::Assessment => format!("{prefix}/assessment"),
            Topic::TimeRequest => format!("{prefix}/time/request"),
            Topic::Time => format!("{prefix}/time"),
            Topic::Broadcast(name) => format!("{prefix}/broadcast/{name}"),
            Topic::BroadcastResult(name) => format!("{prefix}/broadcast/{name}/result"),
            Topic::Command(id) => format!("{prefix}/command/{id}"),
            Topic::CommandResult(id) => format!("{prefix}/command/{id}/result"),
        }
    }

    /// Reads a topic; `None` when it is none of this gateway's.
    pub fn parse(&self, text: &str) -> Option<Topic> {
        let rest = text.strip_prefix(&self.prefix)?.strip_prefix('/')?;
        match rest {
            "telemetry" => Some(Topic::Telemetry),
            "telemetry/late" => Some(Topic::Late),
            "event" => Some(Topic::Event),
            "status" => Some(Topic::Status),
            "inventory" => Some(Topic::Inventory),
            "assessment" => Some(Topic::Assessment),
            "time/request" => Some(Topic::TimeRequest),
            "time" => Some(Topic::Time),
            other => {
                let (kind, rest) = other.split_once('/')?;
                let (id, result) = match rest.strip_suffix("/result") {
                    Some(id) => (id, true),
                    None => (rest, false),
                };
                let id = (!id.is_empty() && !id.contains('/')).then(|| id.to_owned())?;
                match (kind, result) {
                    ("command", true) => Some(Topic::CommandResult(id)),
                    ("command", false) => Some(Topic::Command(id)),
                    ("broadcast", true) => Some(Topic::BroadcastResult(id)),
                    ("broadcast", false) => Some(Topic::Broadcast(id)),
                    _ => None,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics() -> Topics {
        Topics::new("linli/v1/{gateway}", &GatewayId::new("estate-1").unwrap()).unwrap()
    }

    #[test]
    fn every_topic_is_read_back_as_it_was_printed() {
        for topic in [
            Topic::Telemetry,
            Topic::Late,
            Topic::Event,
            Topic::Status,
            Topic::Inventory,
            Topic::Assessment,
            Topic::TimeRequest,
            Topic::Time,
            Topic::Command("42".into()),
            Topic::CommandResult("42".into()),
            Topic::Broadcast("m1".into()),
            Topic::BroadcastResult("m1".into()),
        ] {
            assert_eq!(topics().parse(&topics().print(&topic)), Some(topic));
        }
        assert_eq!(topics().print(&Topic::Late), "linli/v1/estate-1/telemetry/late");
    }

    #[test]
    fn foreign_topics_are_not_taken_for_ours() {
        for text in [
            "linli/v1/estate-10/event",
            "linli/v1/estate-1",
            "linli/v1/estate-1/command/",
            "linli/v1/estate-1/command/a/b",
            "linli/v1/estate-1/telemetry/early",
        ] {
            assert_eq!(topics().parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_prefix_with_wildcards_is_refused_by_name() {
        let gateway = GatewayId::new("g").unwrap();
        for prefix in ["", "a/#", "+/b", "/a", "a/"] {
            let error = Topics::new(prefix, &gateway).unwrap_err();
            assert!(error.to_string().contains(&format!("`{prefix}`")));
        }
    }
}
