//! What is kept of an alarm, and of each step in its life.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::model::{AlarmId, AlarmLevel, AlarmState, AlarmStep, DeviceId, Value, Words};

/// A text in both languages, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Said {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl From<&Words> for Said {
    fn from(words: &Words) -> Self {
        Self { zh: words.zh.clone(), en: words.en.clone() }
    }
}

/// What an alarm is about. There is at most one open alarm for each.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// The rule's identifier.
    pub rule: String,
    /// The device; `None` for the gateway itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// Its point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<String>,
    /// What else: a bus, a certificate.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
}

/// One alarm. Times are those of the [`Timeline`](super::Timeline).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Its identifier.
    pub id: AlarmId,
    /// What it is about.
    #[serde(flatten)]
    pub key: Key,
    /// How grave it is.
    pub level: AlarmLevel,
    /// How far it is.
    pub state: AlarmState,
    /// Whether the condition holds.
    pub active: bool,
    /// What it says.
    pub title: Said,
    /// What to do.
    pub todo: Said,
    /// The value that raised it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The limit of the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// When it was raised: from here its clocks run.
    pub raised: u64,
    /// When it was acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<u64>,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<String>,
    /// Since when the condition is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared: Option<u64>,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<u64>,
    /// By whom; `None` when it closed by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How often it was escalated.
    #[serde(default)]
    pub escalations: u32,
    /// When first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalated: Option<u64>,
    /// When next, unless what is due is done; `None` for a level without clocks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
    /// How often the condition began.
    pub times: u32,
    /// When it lately changed.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub changes: VecDeque<u64>,
    /// It comes and goes: single changes are not told.
    #[serde(default)]
    pub flapping: bool,
    /// It is a group alarm with so many members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<u32>,
    /// The group alarm that it belongs to: it has no clocks of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<AlarmId>,
    /// The name of the maintenance window that silences it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silenced: Option<String>,
    /// Steps so far.
    pub steps: u32,
    /// The star level knows of it.
    #[serde(default)]
    pub counted: bool,
}

impl Alarm {
    /// Whether people see it on the board, with clocks that run: neither part of a group nor
    /// silenced nor closed.
    pub fn is_called(&self) -> bool {
        self.group.is_none() && self.silenced.is_none() && self.state != AlarmState::Closed
    }

    /// Whether it is a group alarm.
    pub fn is_group(&self) -> bool {
        self.members.is_some()
    }

    /// The state that follows from what happened so far.
    pub(super) fn settle(&mut self) {
        self.state = match (self.closed, self.active, self.acknowledged) {
            (Some(_), ..) => AlarmState::Closed,
            (None, false, _) => AlarmState::Cleared,
            (None, true, Some(_)) => AlarmState::Acknowledged,
            (None, true, None) => AlarmState::Raised,
        };
    }
}

/// One step, as it stands in the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Entry {
    /// Counts the steps of the alarm, from 1.
    pub number: u32,
    /// What happened.
    pub step: AlarmStep,
    /// How far the alarm was after it.
    pub state: AlarmState,
    /// When, milliseconds since 1970 by the best knowledge of then.
    pub at_ms: i64,
    /// Whether the clock was trusted then.
    pub trusted: bool,
    /// The value then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Who; absent for what happened by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How often it was escalated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<u32>,
}
