//! The data model of a profile that publishes: its topics, and where each point stands in a payload.

use std::collections::BTreeMap;
use std::time::Duration;

use super::binding::{Code, Member, Scale};

/// How an MQTT model publishes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MqttModel {
    /// Topics it publishes, relative to the device's base topic.
    pub topics: Vec<TopicRule>,
    /// How it says that it is there, if it does.
    pub availability: Option<Availability>,
    /// One per point, in the order of [`Profile::points`](super::Profile::points).
    pub sources: Vec<MqttSource>,
    /// The device is silent after this long without any message.
    pub silent_after: Option<Duration>,
}

/// One topic of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicRule {
    /// Pattern with `{base}` for the device's base topic: `{base}`, `{base}/state`,
    /// `tele/{base}/SENSOR`. May contain `+`.
    pub pattern: String,
    /// What the payload is.
    pub format: PayloadFormat,
    /// Which entry of `topics` in the file it is from.
    pub entry: usize,
    /// Of which member of a group it speaks, when there is one topic for each.
    pub member: Option<Member>,
    /// Where the device's own time stands, if it sends one that can be trusted.
    pub time: Option<Vec<PathStep>>,
}

/// What a payload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadFormat {
    /// A JSON document.
    Json,
    /// Plain text: number, word.
    Text,
}

/// A topic that says whether the device is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability {
    /// Pattern with `{base}`.
    pub pattern: String,
    /// Where the word stands in a JSON payload; empty for a plain text.
    pub path: Vec<PathStep>,
    /// Words that mean present.
    pub online: Vec<String>,
    /// Words that mean absent.
    pub offline: Vec<String>,
}

/// One step into a JSON document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathStep {
    /// Member of an object.
    Key(String),
    /// Element of an array.
    Index(usize),
}

/// Where a point lies in an MQTT model.
#[derive(Debug, Clone, PartialEq)]
pub struct MqttSource {
    /// Index into [`MqttModel::topics`].
    pub topic: usize,
    /// Where it stands in the document; empty for the whole payload.
    pub path: Vec<PathStep>,
    /// Bit `k`: the number in step `k` of the path is a name in an object, not a place in an array.
    pub names: u32,
    /// To the point's unit.
    pub scale: Scale,
    /// Texts or numbers that mean "not available" (JSON null always does).
    pub unavailable: Vec<Absent>,
    /// Table of codes; empty when the value is the code.
    pub codes: Vec<Code>,
    /// Words (besides `true`/`false`) that mean true and false, for flags.
    pub flag_words: BTreeMap<String, bool>,
    /// The value is a flag.
    pub flag: bool,
    /// The value is a text.
    pub text: bool,
    /// Digits to round to, from the point.
    pub decimals: u8,
}

/// A word of a message, or a number, that means "not available".
#[derive(Debug, Clone, PartialEq)]
pub struct Absent {
    /// As it stands in the payload.
    pub(super) word: String,
    /// The word as a number, so that a lookup need not parse it.
    pub(super) number: Option<f64>,
}

impl Absent {
    /// The word as it stands in the payload.
    pub fn new(word: impl Into<String>) -> Self {
        let word = word.into();
        let number = word.parse().ok();
        Self { word, number }
    }

    /// The word as it stands in the payload.
    pub fn word(&self) -> &str {
        &self.word
    }
}
