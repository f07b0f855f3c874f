//! Alarms: their identifiers, levels, states and steps, and what the pipeline tells of conditions.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    DeviceIndex, Epoch, Event, IdError, Moment, PointIndex, Reading, Receipt, Value, Words,
};

/// Identifier of an alarm, `<epoch>-<n>`: never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct AlarmId {
    /// The life of the store in which it was raised.
    pub epoch: Epoch,
    /// Counts the alarms of that life, from 1.
    pub number: u64,
}

impl fmt::Display for AlarmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.number)
    }
}

impl From<AlarmId> for String {
    fn from(id: AlarmId) -> String {
        id.to_string()
    }
}

impl TryFrom<String> for AlarmId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        let parsed = text.split_once('-').and_then(|(epoch, number)| {
            let epoch = Epoch::try_from(epoch.to_owned()).ok()?;
            let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            let number = digits.then(|| number.parse().ok()).flatten()?;
            Some(Self { epoch, number })
        });
        parsed.ok_or(IdError(text))
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident => $word:literal, $zh:literal, $en:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$inner])* $variant,)* }

        impl $name {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word in files, documents and addresses.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The one of this word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }

            /// For people.
            pub fn words(self) -> Words {
                match self { $(Self::$variant => ($en, $zh).into(),)* }
            }
        }
    };
}

words! {
    /// How grave an alarm is, the gravest first. The clocks of a level stand in the rule pack.
    AlarmLevel {
        /// 红色（特别重大）
        Red => "red", "红色", "red";
        /// 橙色（重大）
        Orange => "orange", "橙色", "orange";
        /// 黄色（较大）
        Yellow => "yellow", "黄色", "yellow";
        /// 蓝色（一般）
        Blue => "blue", "蓝色", "blue";
    }
}

impl AlarmLevel {
    /// The number that facts and emergency messages have for it, 1 to 4.
    pub fn number(self) -> u8 {
        self as u8 + 1
    }
}

words! {
    /// How far an alarm is.
    AlarmState {
        /// The condition holds, and nobody has said that he knows.
        Raised => "raised", "未确认", "raised";
        /// Somebody knows; the condition holds.
        Acknowledged => "acknowledged", "已确认", "acknowledged";
        /// The condition is gone; somebody has still to close it.
        Cleared => "cleared", "已恢复", "cleared";
        /// It is over, with a reason.
        Closed => "closed", "已关闭", "closed";
    }
}

words! {
    /// What happened to an alarm.
    AlarmStep {
        /// The condition began, or came back before the alarm was closed.
        Raised => "raised", "触发", "raised";
        /// A person acknowledged it.
        Acknowledged => "acknowledged", "确认", "acknowledged";
        /// The condition is gone.
        Cleared => "cleared", "恢复", "cleared";
        /// It was closed, with a reason.
        Closed => "closed", "关闭", "closed";
        /// A clock ran out, and nobody had done what was due.
        Escalated => "escalated", "升级上报", "escalated";
        /// The condition comes and goes too often: single changes are not told until it rests.
        Flapping => "flapping", "反复触发", "flapping";
        /// The condition rests again; the state is what it is now.
        Steady => "steady", "趋于稳定", "steady";
        /// It became a member of a group alarm.
        Grouped => "grouped", "并入成组报警", "grouped";
        /// The condition began within a maintenance window: nobody is called.
        Silenced => "silenced", "维护期静默", "silenced";
    }
}

/// A step in the life of an alarm, as the platform is told. The alarm's identifier and the number
/// of the step make it idempotent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AlarmChange {
    /// The alarm.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub id: AlarmId,
    /// Counts the steps of the alarm, from 1.
    pub number: u32,
    /// What happened.
    pub step: AlarmStep,
    /// How far the alarm is after it.
    pub state: AlarmState,
    /// The rule that raised it.
    pub rule: String,
    /// How grave it is.
    pub level: AlarmLevel,
    /// The point, for an alarm about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<String>,
    /// What else it is about: a bus, a certificate, a promise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The value that raised it, or the one with which it cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The limit of the rule, in the value's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// What it says, English.
    pub title: String,
    /// The same, Chinese.
    pub title_zh: String,
    /// What to do, English.
    pub todo: String,
    /// The same, Chinese.
    pub todo_zh: String,
    /// Who did it; absent for what happened by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why it was closed, or what more there is to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How often it was escalated, this time included; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<u32>,
    /// The group alarm that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub group: Option<AlarmId>,
    /// How many members it has, for a group alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<u32>,
}

/// A condition of a rule began or ended.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmSignal {
    /// Which rule, by its place among the compiled ones.
    pub rule: u16,
    /// Which device; `None` for the gateway itself.
    pub device: Option<DeviceIndex>,
    /// Which of its points.
    pub point: Option<PointIndex>,
    /// What else it is about, where one device has several such things; else empty.
    pub about: String,
    /// Whether it holds now.
    pub on: bool,
    /// The value that decided.
    pub value: Option<Value>,
    /// When it was seen.
    pub at: Moment,
}

/// What the pipeline passes on from one message.
#[derive(Debug, Default)]
pub struct AlarmSignals {
    /// The conditions that changed, in order.
    pub list: Vec<AlarmSignal>,
    /// To be confirmed once what follows from them is durable.
    pub receipt: Option<Receipt>,
}

/// Watches over readings and events for conditions. The pipeline shows it every normalised reading,
/// also those that are not worth storing, and every event.
pub trait AlarmEyes: Send + Sync {
    /// A reading of a device.
    fn reading(&mut self, device: DeviceIndex, at: Moment, reading: &Reading);

    /// Something that happened.
    fn event(&mut self, event: &Event);

    /// What changed since the last call; mostly nothing.
    fn take(&mut self) -> Vec<AlarmSignal>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_reads_back_and_anything_else_is_none() {
        let id = AlarmId { epoch: Epoch(0xab), number: 17 };
        assert_eq!(id.to_string(), "00000000000000ab-17");
        assert_eq!(AlarmId::try_from(id.to_string()), Ok(id));
        for wrong in ["", "17", "ab-17", "00000000000000ab-", "00000000000000ab-+1", "x-1-2"] {
            assert!(AlarmId::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn levels_have_the_numbers_of_facts_and_messages_and_red_comes_first() {
        let numbers: Vec<u8> = AlarmLevel::ALL.iter().map(|level| level.number()).collect();
        assert_eq!(numbers, [1, 2, 3, 4]);
        assert!(AlarmLevel::Red < AlarmLevel::Blue);
    }
}
