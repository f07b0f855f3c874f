//! What became of a warning: refusals, receipts, news for the platform.

use serde::{Deserialize, Serialize};

use super::{Severity, WarningId, WarningSource, WarningStatus};
use crate::model::Words;

/// Why a message is not taken as a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WarningRefusal {
    /// It is no message that can be read.
    Malformed,
    /// Its signature is missing.
    Unsigned,
    /// Its signature does not fit, or nobody who is trusted made it.
    WrongSignature,
    /// Another content under an identifier that is known.
    Changed,
    /// Its time is over, or it was sent too long ago.
    Expired,
    /// It is for another area.
    OtherArea,
    /// A draft, or a kind of message that is not for playing.
    NotForPlaying,
    /// It cancels or replaces what is not known here.
    UnknownReference,
    /// No terminal and no screen would get it.
    NobodyReached,
    /// So many warnings are on that no more is taken.
    TooMany,
}

impl WarningRefusal {
    /// For people.
    pub fn words(self) -> Words {
        match self {
            Self::Malformed => ("it cannot be read", "无法识别的消息"),
            Self::Unsigned => ("it is not signed", "消息未签名"),
            Self::WrongSignature => ("its signature is wrong", "签名不正确"),
            Self::Changed => ("another content under a known identifier", "编号相同但内容不同"),
            Self::Expired => ("its time is over", "消息已过期"),
            Self::OtherArea => ("it is for another area", "不属于本区域"),
            Self::NotForPlaying => ("it is not for playing", "该消息不用于播发"),
            Self::UnknownReference => ("it refers to what is not known here", "所引用的消息不存在"),
            Self::NobodyReached => {
                ("no terminal and no screen would get it", "没有可播发的终端或屏幕")
            }
            Self::TooMany => ("too many warnings are on", "正在处理的预警过多"),
        }
        .into()
    }
}

/// What became of a warning at one terminal or screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReceiptState {
    /// Its turn has not come.
    Waiting,
    /// It was ordered to play; no word yet.
    Ordered,
    /// It says that it plays, or shows the text.
    Playing,
    /// Between two plays.
    Pausing,
    /// A more urgent one cut it off; it goes on afterwards.
    Interrupted,
    /// It was played as often as it should be.
    Finished,
    /// It said nothing, refused, or reports a fault.
    Failed,
    /// It was cancelled before it was through.
    Cancelled,
    /// Its time was over before it was through.
    Missed,
}

impl ReceiptState {
    /// Whether nothing more happens there.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Cancelled | Self::Missed)
    }

    /// For people.
    pub fn words(self) -> Words {
        match self {
            Self::Waiting => ("waiting", "等待播发"),
            Self::Ordered => ("ordered", "已下发"),
            Self::Playing => ("playing", "播发中"),
            Self::Pausing => ("pause between two plays", "重播间歇"),
            Self::Interrupted => ("interrupted", "被更高级别打断"),
            Self::Finished => ("played", "播发完成"),
            Self::Failed => ("failed", "播发失败"),
            Self::Cancelled => ("cancelled", "已取消"),
            Self::Missed => ("time was over", "到期未播"),
        }
        .into()
    }
}

/// The receipt of one terminal or screen. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TerminalReceipt {
    /// The device.
    pub device: String,
    /// How it stands.
    pub state: ReceiptState,
    /// When it was first ordered to play.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordered_ms: Option<i64>,
    /// When it first said that it plays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playing_ms: Option<i64>,
    /// When it was through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<i64>,
    /// How often it was played to the end.
    pub plays: u16,
    /// How often an order was given in vain.
    pub retries: u16,
}

/// How many terminals and screens stand how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReceiptCounts {
    /// Terminals and screens that were addressed.
    pub addressed: u32,
    /// Of those, the ones that said that they play or show it.
    pub acknowledged: u32,
    /// Of those, the ones that are through.
    pub finished: u32,
    /// Those that failed.
    pub failed: u32,
    /// From accepting the message to the first terminal that plays, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_after_ms: Option<u64>,
    /// Within this time after accepting, 95 of 100 that play said so, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95_after_ms: Option<u64>,
}

/// What happened to a warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum WarningStep {
    /// It was taken.
    Accepted {
        /// Who warns.
        source: WarningSource,
        /// Terminals and screens that it addresses.
        addressed: u32,
    },
    /// The first terminal says that it plays.
    Playing {
        /// After accepting it, milliseconds.
        after_ms: u64,
    },
    /// The receipts, when every terminal is through; in parts, so that each stays small.
    Receipts {
        /// Which part, from 1.
        part: u32,
        /// Of how many.
        parts: u32,
        /// One each.
        receipts: Vec<TerminalReceipt>,
    },
    /// It is over.
    Finished {
        /// How it stands.
        counts: ReceiptCounts,
    },
    /// It was cancelled, or replaced by an update.
    Cancelled {
        /// By whom.
        by: String,
        /// How it stood.
        counts: ReceiptCounts,
    },
    /// A message was not taken; it is kept as evidence.
    Refused {
        /// Why.
        reason: WarningRefusal,
        /// More about that, English.
        detail: String,
        /// Digest of the message: SHA-256, hexadecimal.
        sha256: String,
        /// How long it is, bytes.
        bytes: u64,
    },
    /// A drill of the calendar is ahead.
    Planned {
        /// When, milliseconds since 1970.
        at_ms: i64,
    },
    /// A drill of the calendar did not take place.
    DrillMissed {
        /// When it should have begun, milliseconds since 1970.
        at_ms: i64,
        /// Why, English.
        why: String,
        /// The same, Chinese.
        why_zh: String,
    },
}

/// Something that happened to a warning, for the platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WarningNews {
    /// Which warning; absent when a refused message had none that could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<WarningId>,
    /// Its title, Chinese; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title_zh: String,
    /// Its title, English; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// Whether it is meant.
    pub status: WarningStatus,
    /// What happened.
    #[serde(flatten)]
    pub step: WarningStep,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_read_back_as_they_were_written() {
        let news = WarningNews {
            id: Some(WarningId::new("local-1").unwrap()),
            title_zh: "测试".into(),
            title: String::new(),
            severity: Severity::Red,
            status: WarningStatus::Exercise,
            step: WarningStep::Playing { after_ms: 12 },
        };
        let text = serde_json::to_string(&news).unwrap();
        assert!(text.contains(r#""step":"playing""#), "{text}");
        assert_eq!(serde_json::from_str::<WarningNews>(&text).unwrap(), news);
    }
}
