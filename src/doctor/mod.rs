//! What is wrong with the box around the gateway and what to do, worst first: disk, flash, memory,
//! clock, serial lines, brokers, certificates, service, configuration, and what the running gateway
//! itself says.
//!
//! ```text
//!  files below a root, systemctl's words, the gateway's API, attempts to connect ─► Item ─► Report
//! ```
//! Probes look and change nothing; roots and texts are parameters, so that tests need no root
//! rights. What a probe cannot see is [`Level::Unseen`], never good.

pub mod account;
pub mod clock;
pub mod gateway;
pub mod links;
pub mod memory;
pub mod serial;
pub mod service;
pub mod storage;
mod text;

use serde::Serialize;

use crate::model::Words;
pub use text::Language;

/// How bad it is; the worst comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Data are being lost, or nothing works.
    Critical,
    /// Something does not work, or soon will not.
    Warning,
    /// Could not be looked at.
    Unseen,
    /// Worth knowing.
    Notice,
    /// As it should be.
    Good,
}

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// The configuration.
    Configuration,
    /// The service.
    Service,
    /// The local page.
    Page,
    /// Disks and the buffer on them.
    Storage,
    /// Wear of the flash.
    Wear,
    /// Memory.
    Memory,
    /// The clock.
    Clock,
    /// Serial lines.
    Serial,
    /// The field broker.
    FieldBroker,
    /// The platform.
    Platform,
    /// Certificates.
    Certificates,
    /// What the running gateway says is broken.
    Gateway,
    /// Passwords and files with secrets.
    Safety,
    /// An upgrade.
    Upgrade,
}

impl Area {
    /// For people.
    pub fn words(self) -> Words {
        match self {
            Area::Configuration => ("configuration", "配置"),
            Area::Service => ("service", "服务"),
            Area::Page => ("page", "本地页面"),
            Area::Storage => ("storage", "存储"),
            Area::Wear => ("flash wear", "闪存寿命"),
            Area::Memory => ("memory", "内存"),
            Area::Clock => ("clock", "时钟"),
            Area::Serial => ("serial line", "串口"),
            Area::FieldBroker => ("field broker", "现场消息代理"),
            Area::Platform => ("platform", "平台"),
            Area::Certificates => ("certificate", "证书"),
            Area::Gateway => ("gateway", "网关"),
            Area::Safety => ("safety", "安全"),
            Area::Upgrade => ("upgrade", "升级"),
        }
        .into()
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Where it belongs.
    pub area: Area,
    /// How bad it is.
    pub level: Level,
    /// What was seen; never a secret.
    pub seen: Words,
    /// What to do, where there is something to do.
    pub todo: Option<Words>,
}

impl Item {
    /// As it should be.
    pub fn good(area: Area, seen: impl Into<Words>) -> Self {
        Self { area, level: Level::Good, seen: seen.into(), todo: None }
    }

    /// Worth knowing.
    pub fn notice(area: Area, seen: impl Into<Words>) -> Self {
        Self { level: Level::Notice, ..Self::good(area, seen) }
    }

    /// Something to be done.
    pub fn wrong(area: Area, level: Level, seen: impl Into<Words>, todo: impl Into<Words>) -> Self {
        Self { area, level, seen: seen.into(), todo: Some(todo.into()) }
    }

    /// Could not be looked at; `todo` says how it could.
    pub fn unseen(area: Area, seen: impl Into<Words>, todo: impl Into<Words>) -> Self {
        Self::wrong(area, Level::Unseen, seen, todo)
    }

    /// With something to do.
    #[must_use]
    pub fn todo(mut self, todo: impl Into<Words>) -> Self {
        self.todo = Some(todo.into());
        self
    }
}

/// Everything that was looked at, worst first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    items: Vec<Item>,
}

impl Report {
    /// Puts the items in order: worst first, then by area, else as they were found.
    pub fn new(mut items: Vec<Item>) -> Self {
        items.sort_by_key(|item| (item.level, item.area));
        items.dedup();
        Self { items }
    }

    /// The items, worst first.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// How bad the worst is.
    pub fn worst(&self) -> Level {
        self.items.first().map_or(Level::Good, |item| item.level)
    }

    /// How many are that bad.
    pub fn count(&self, level: Level) -> usize {
        self.items.iter().filter(|item| item.level == level).count()
    }

    /// How a script learns of the worst: 0 nothing to do, 2 a warning or something that could not
    /// be looked at, 3 critical. (1 is a command that failed.)
    pub fn exit_code(&self) -> u8 {
        match self.worst() {
            Level::Critical => 3,
            Level::Warning | Level::Unseen => 2,
            Level::Notice | Level::Good => 0,
        }
    }
}

#[cfg(test)]
mod tests;
