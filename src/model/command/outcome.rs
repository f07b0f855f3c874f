//! What became of a command.

use serde::{Deserialize, Serialize};

use super::{CommandId, CommandRequest, CommandSource};
use crate::model::{Value, Words};

/// So much of a text is shown in reports, characters.
const SHOWN: usize = 200;

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident => $word:literal, $en:literal, $zh:literal;)*) => {
        /// Why a command was refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum Refusal { $($(#[$doc])* $name,)* }

        impl Refusal {
            /// Every reason.
            pub const ALL: &[Refusal] = &[$(Refusal::$name),*];

            /// The word in documents.
            pub fn word(self) -> &'static str {
                match self { $(Refusal::$name => $word,)* }
            }

            /// For people.
            pub fn words(self) -> Words {
                match self { $(Refusal::$name => ($en, $zh).into(),)* }
            }
        }
    };
}

refusals! {
    /// The message is no command.
    Malformed => "malformed", "the message is no command", "报文不是命令";
    /// The broker kept the message: nobody knows whether it is meant now.
    Retained => "retained", "a retained message is no command", "保留消息不作为命令执行";
    /// It is for another gateway.
    Gateway => "gateway", "it is for another gateway", "命令是给其他网关的";
    /// The id was used for another command.
    IdReused => "id_reused", "the id was used for another command", "编号已用于另一条命令";
    /// So old that its id may have been forgotten.
    Replayed => "replayed", "it is older than what is remembered: a replay", "早于可记忆的范围，按重放处理";
    /// It would be good for longer than is allowed.
    Lifetime => "lifetime", "it expires more than 24 h ahead", "有效期超过 24 小时";
    /// The signature is missing or wrong.
    Signature => "signature", "it is not signed by a key of the configuration", "没有配置中密钥的有效签名";
    /// The gateway does not know the time, and cannot say whether it expired.
    Clock => "clock", "the gateway's clock is not trusted: whether it expired is not known", "网关时钟未校准，无法判断是否过期";
    /// There is no such device.
    UnknownDevice => "unknown_device", "there is no such device", "没有这个设备";
    /// Its model has no such command.
    UnknownCommand => "unknown_command", "the device's model has no such command", "该设备型号没有这条命令";
    /// The configuration does not allow it for this device.
    NotAllowed => "not_allowed", "the configuration does not allow it for this device", "配置不允许对该设备下达这条命令";
    /// The value is not one that the command takes.
    Value => "value", "the value is not one that the command takes", "该命令不接受这个值";
    /// The device does not answer: it is not waited for.
    Offline => "offline", "the device is not online", "设备不在线";
    /// Too many commands are under way.
    Busy => "busy", "too many commands are under way", "正在执行的命令过多";
    /// The device refused it.
    Device => "device", "the device refused it", "设备拒绝执行";
    /// It could not be kept: nothing is done that would be forgotten.
    NotKept => "not_kept", "the gateway cannot keep it at present; nothing was done", "网关暂时无法保存该命令，未执行";
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum CommandOutcome {
    /// It is kept, and will be done.
    Accepted,
    /// It was done: the device took it, and where a point shows it, that point shows it.
    Done {
        /// What that point shows; absent where the model has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
        read_back: Option<Value>,
    },
    /// The device took it, and the point that should show it does not in time.
    Unconfirmed {
        /// What that point shows; absent when it was not read since.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
        read_back: Option<Value>,
    },
    /// It was not done.
    Refused {
        /// Why.
        reason: Refusal,
        /// Why, with names and values, English.
        said: String,
        /// The same, Chinese.
        said_zh: String,
    },
    /// It came, or its turn came, too late; nothing was done.
    Expired,
    /// Nobody knows: the answer was lost, or the gateway stopped in the middle. It is not done again.
    Unknown,
}

impl CommandOutcome {
    /// Refused, with no more to say.
    pub fn refused(reason: Refusal) -> Self {
        Self::refused_for(reason, reason.words())
    }

    /// Refused, and why in words.
    pub fn refused_for(reason: Refusal, said: Words) -> Self {
        Self::Refused { reason, said: said.en, said_zh: said.zh }
    }

    /// The word in documents and metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Done { .. } => "done",
            Self::Unconfirmed { .. } => "unconfirmed",
            Self::Refused { .. } => "refused",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
        }
    }

    /// Every word.
    pub const WORDS: [&'static str; 6] =
        ["accepted", "done", "unconfirmed", "refused", "expired", "unknown"];

    /// For people.
    pub fn words(&self) -> Words {
        match self {
            Self::Accepted => ("accepted", "已受理").into(),
            Self::Done { .. } => ("done", "已执行").into(),
            Self::Unconfirmed { .. } => ("sent, not confirmed", "已下发，未得到回读确认").into(),
            Self::Refused { said, said_zh, .. } => {
                (format!("refused: {said}"), format!("拒绝：{said_zh}")).into()
            }
            Self::Expired => ("expired", "已过期").into(),
            Self::Unknown => ("unknown whether it was done", "是否执行不明").into(),
        }
    }

    /// Whether nothing more will become of it.
    pub fn is_final(&self) -> bool {
        *self != Self::Accepted
    }
}

/// A command and what became of it, as events, results and the page tell it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CommandReport {
    /// What it is called.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub id: CommandId,
    /// The command.
    pub command: String,
    /// What was ordered; of a long text the begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub value: Option<Value>,
    /// From where.
    pub source: CommandSource,
    /// Who.
    pub by: String,
    /// When it was ordered, milliseconds since 1970.
    pub issued_ms: i64,
    /// When it expires, milliseconds since 1970.
    pub expires_ms: i64,
    /// Until when the order holds, milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
    /// For the gateway's own: the command that it takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub takes_back: Option<CommandId>,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: CommandOutcome,
}

impl CommandReport {
    /// Of a request.
    pub fn new(request: &CommandRequest, outcome: CommandOutcome) -> Self {
        Self {
            id: request.id.clone(),
            command: request.command.clone(),
            value: request.value.as_ref().map(shown),
            source: request.source,
            by: request.by.clone(),
            issued_ms: request.issued_ms,
            expires_ms: request.expires_ms,
            until_ms: request.until_ms,
            takes_back: None,
            outcome,
        }
    }

    /// Of a message that was not read; nothing but its identifier is known.
    pub fn unread(id: CommandId, outcome: CommandOutcome) -> Self {
        Self {
            id,
            command: String::new(),
            value: None,
            source: CommandSource::Platform,
            by: String::new(),
            issued_ms: 0,
            expires_ms: 0,
            until_ms: None,
            takes_back: None,
            outcome,
        }
    }
}

/// A value as reports show it: of a long text the begin.
fn shown(value: &Value) -> Value {
    match value {
        Value::Text(text) if text.chars().count() > SHOWN => {
            let begin: String = text.chars().take(SHOWN - 1).chain(['…']).collect();
            Value::Text(begin.into())
        }
        value => value.clone(),
    }
}

/// What became of a command, published under `command/<id>/result`, QoS 1, not retained. It is not
/// repeated after an outage: the event `command` is the record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CommandResult {
    /// Version of the document, 1.
    pub v: u8,
    /// The gateway.
    pub gateway: String,
    /// The device that was named.
    pub device: String,
    /// When, milliseconds since 1970; absent while the clock is not trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<i64>,
    /// The command and what became of it.
    #[serde(flatten)]
    pub report: CommandReport,
}
