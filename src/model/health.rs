//! Health of a device and what a driver tells the pipeline.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Batch, DeviceIndex, Event, Moment, Words};

/// Whether a device can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Not heard of since the daemon started.
    #[default]
    Unknown,
    /// Answers.
    Online,
    /// Missed some answers; not given up yet.
    Suspect,
    /// Does not answer; probed with back-off.
    Offline,
}

impl Health {
    /// The word used in the stream.
    pub fn word(self) -> &'static str {
        match self {
            Health::Unknown => "unknown",
            Health::Online => "online",
            Health::Suspect => "suspect",
            Health::Offline => "offline",
        }
    }

    /// For people, Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            Health::Unknown => "未知",
            Health::Online => "在线",
            Health::Suspect => "可疑",
            Health::Offline => "离线",
        }
    }
}

/// Why a device is not online: a word for machines, texts for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "code", content = "detail", rename_all = "snake_case")]
pub enum Cause {
    /// The line is there, the device says nothing.
    NoAnswer,
    /// Something answers, but damaged (CRC, length, foreign unit id).
    DamagedReplies,
    /// The device answers every request with an exception; its Modbus code.
    Refuses(u8),
    /// The line or endpoint cannot be opened or broke; the system's words.
    LineDown(String),
    /// The device's availability topic or last will says offline.
    SaysOffline,
    /// No message for longer than expected.
    Silent,
    /// The field broker cannot be reached; the client's words.
    BrokerDown(#[cfg_attr(feature = "schema", schemars(with = "String"))] Words),
}

impl Cause {
    /// For people, Chinese.
    pub fn zh(&self) -> String {
        match self {
            Cause::NoAnswer => "无应答：检查供电、A/B 线、地址和波特率".into(),
            Cause::DamagedReplies => "应答损坏：检查屏蔽、终端电阻、重复地址".into(),
            Cause::Refuses(code) => format!("设备拒绝请求（异常码 {code}）"),
            Cause::LineDown(why) => format!("线路不通：{why}"),
            Cause::SaysOffline => "设备自报离线".into(),
            Cause::Silent => "长时间无消息".into(),
            Cause::BrokerDown(why) => format!("现场消息代理不通：{}", why.zh),
        }
    }

    /// For people, English.
    pub fn en(&self) -> String {
        match self {
            Cause::NoAnswer => "no answer: check power, A/B wires, address and baud rate".into(),
            Cause::DamagedReplies => {
                "damaged replies: check shield, termination, duplicate address".into()
            }
            Cause::Refuses(code) => format!("refuses requests (exception {code})"),
            Cause::LineDown(why) => format!("line down: {why}"),
            Cause::SaysOffline => "reports itself offline".into(),
            Cause::Silent => "no message for too long".into(),
            Cause::BrokerDown(why) => format!("field broker unreachable: {why}"),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en())
    }
}

/// A device's health changed.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthChange {
    /// Which device.
    pub device: DeviceIndex,
    /// When it was noticed.
    pub at: Moment,
    /// The new state.
    pub health: Health,
    /// Why, unless online.
    pub cause: Option<Cause>,
}

/// What drivers send to the pipeline, in order.
#[derive(Debug)]
pub enum FieldMessage {
    /// Readings of one device.
    Readings(Batch),
    /// A device's health changed.
    Health(HealthChange),
    /// Something that the platform must know.
    Event(Event),
}

/// What the pipeline asks of a driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldRequest {
    /// Read these points of a device again, at once.
    ReadAgain {
        /// Which device.
        device: DeviceIndex,
        /// Which of its points.
        points: Vec<super::PointIndex>,
    },
}
