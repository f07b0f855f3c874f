//! What announcements say, whoever made them: devices, and the values that they publish.

use serde::{Deserialize, Serialize};

use crate::driver::scan::Text;
use crate::profile::PathStep;

/// Who announced a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The list of devices of Zigbee2MQTT.
    #[serde(rename = "zigbee2mqtt")]
    Zigbee2Mqtt,
    /// Discovery messages in the manner of Home Assistant.
    HomeAssistant,
    /// Tasmota's own discovery messages.
    Tasmota,
    /// A Shelly that says it is there.
    Shelly,
    /// An uplink that ChirpStack handed on.
    ChirpStack,
}

impl Source {
    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Source::Zigbee2Mqtt => "Zigbee2MQTT",
            Source::HomeAssistant => "Home Assistant discovery",
            Source::Tasmota => "Tasmota discovery",
            Source::Shelly => "Shelly",
            Source::ChirpStack => "ChirpStack",
        }
    }
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Number,
    /// The words for true and false; JSON's own are `true` and `false`.
    Flag {
        on: String,
        off: String,
    },
    /// One of these words.
    Choice(Vec<String>),
    Text,
    /// The announcement does not say; a message must.
    Unknown,
}

/// Where a value stands, and what is made of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    /// The payload is a document; else the whole text is the value.
    pub json: bool,
    pub path: Vec<PathStep>,
    pub factor: f64,
    pub offset: f64,
    /// Digits that it is rounded to.
    pub decimals: Option<u8>,
}

impl Place {
    /// The whole payload.
    pub fn whole() -> Self {
        Self { json: false, path: Vec::new(), factor: 1.0, offset: 0.0, decimals: None }
    }

    /// A member of the document.
    pub fn member(path: Vec<PathStep>) -> Self {
        Self { json: true, path, ..Self::whole() }
    }
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entity {
    /// As people read it.
    pub name: String,
    /// What it is called by programs: `power_left`, `hall_temperature`.
    pub id: String,
    /// What it is: a device class, or the name of a property without its endpoint.
    pub word: String,
    /// Which of several like things: `left`, `l1`.
    pub endpoint: Option<String>,
    pub topic: String,
    pub place: Place,
    pub kind: Kind,
    pub unit: Option<String>,
    /// It only grows.
    pub counter: bool,
    /// Lowest and highest value, before [`Place::factor`].
    pub range: Option<(f64, f64)>,
    /// A setting, or something about the device itself.
    pub secondary: bool,
}

/// Where a device says that it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Presence {
    pub topic: String,
    pub path: Vec<PathStep>,
    pub online: String,
    pub offline: String,
}

/// A value that is announced and cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// Its name.
    pub name: String,
    /// Why it is not read.
    pub why: Text,
}

/// A device.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Device {
    pub source: Source,
    /// Something about it that does not change: its address, its identifier.
    pub key: String,
    pub name: String,
    pub maker: String,
    pub model: String,
    /// Its base topic, where the announcement itself says it.
    pub base: Option<String>,
    pub entities: Vec<Entity>,
    pub presences: Vec<Presence>,
    pub unread: Vec<Unread>,
    /// Longest usual silence, seconds.
    pub silent_after: Option<u64>,
    /// Its announcement says enough for a profile of its own.
    pub complete: bool,
}

impl Device {
    pub fn new(source: Source, key: &str) -> Self {
        Self {
            source,
            key: key.to_owned(),
            name: String::new(),
            maker: String::new(),
            model: String::new(),
            base: None,
            entities: Vec::new(),
            presences: Vec::new(),
            unread: Vec::new(),
            silent_after: None,
            complete: false,
        }
    }

    /// Its topics, each once.
    pub fn topics(&self) -> Vec<&str> {
        let mut topics: Vec<&str> = self.entities.iter().map(|e| e.topic.as_str()).collect();
        topics.sort_unstable();
        topics.dedup();
        topics
    }

    pub fn leave(&mut self, name: &str, en: impl Into<String>, zh: impl Into<String>) {
        self.unread.push(Unread { name: super::bounds::clean(name), why: (en, zh).into() });
    }
}

/// A step into a document, as a JSON pointer would say it.
pub(super) fn step(key: &str) -> PathStep {
    match key.parse() {
        Ok(index) if key == "0" || !key.starts_with(['0', '+']) => PathStep::Index(index),
        _ => PathStep::Key(key.to_owned()),
    }
}

/// The JSON pointer of a path.
pub(super) fn pointer(path: &[PathStep]) -> String {
    let level = |step: &PathStep| match step {
        PathStep::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        PathStep::Index(index) => format!("/{index}"),
    };
    path.iter().map(level).collect()
}
