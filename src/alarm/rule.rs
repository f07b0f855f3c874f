//! One rule: which condition of what raises an alarm, how grave it is, and what to do then.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use crate::model::{AlarmLevel, Category, Words};

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A value above the limit.
    Above,
    /// A value below the limit.
    Below,
    /// A value that rises faster than the limit per hour.
    Rises,
    /// A value that falls faster than the limit per hour.
    Falls,
    /// A flag.
    Flag,
    /// A state or text that is one of those listed.
    State,
    /// No good value for so many expected periods.
    NoData,
    /// A device that does not answer.
    Offline,
    /// A counter that is in doubt.
    Counter,
    /// The hourly air quality index.
    Aqi,
    /// Noise above the limit of its zone.
    Noise,
    /// What the gateway promises and does not keep.
    Promise,
    /// A certificate that ends.
    Certificate,
    /// A finding of the wiring doctor.
    Wiring,
    /// The equipment-risk grade.
    Risk,
}

impl Kind {
    /// The word in files.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Above => "above",
            Kind::Below => "below",
            Kind::Rises => "rises",
            Kind::Falls => "falls",
            Kind::Flag => "flag",
            Kind::State => "state",
            Kind::NoData => "no_data",
            Kind::Offline => "offline",
            Kind::Counter => "counter",
            Kind::Aqi => "aqi",
            Kind::Noise => "noise",
            Kind::Promise => "promise",
            Kind::Certificate => "certificate",
            Kind::Wiring => "wiring",
            Kind::Risk => "risk",
        }
    }

    /// Whether it looks at readings of points.
    pub fn reads_points(self) -> bool {
        matches!(
            self,
            Kind::Above | Kind::Below | Kind::Rises | Kind::Falls | Kind::Flag | Kind::State
        )
    }

    /// Whether it has a limit.
    pub fn has_limit(self) -> bool {
        matches!(
            self,
            Kind::Above
                | Kind::Below
                | Kind::Rises
                | Kind::Falls
                | Kind::NoData
                | Kind::Aqi
                | Kind::Noise
                | Kind::Certificate
        )
    }

    /// Whether it is about the gateway, not about a device.
    pub fn is_gateway(self) -> bool {
        matches!(self, Kind::Promise | Kind::Certificate | Kind::Wiring)
    }

    /// The words that `what` may hold; empty where it is not used.
    pub fn what(self) -> &'static [&'static str] {
        match self {
            Kind::Noise => &["day", "night"],
            Kind::Promise => {
                &["durable", "delivered", "collected", "clock", "certificate", "configuration"]
            }
            Kind::Wiring => &[
                "nothing_heard",
                "device_silent",
                "wrong_line_settings",
                "address_collision",
                "damaged_replies",
                "noisy_line",
                "slower_answers",
                "foreign_master",
            ],
            Kind::Risk => &["medium", "high"],
            _ => &[],
        }
    }
}

/// Of what a rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Devices of a category.
    Devices(Category),
    /// The gateway itself.
    Gateway,
}

/// One rule, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its identifier.
    pub id: Arc<str>,
    /// How grave its alarms are.
    pub level: AlarmLevel,
    /// What it looks at.
    pub kind: Kind,
    /// Of what it holds.
    pub of: Vec<Of>,
    /// Points that it reads, by name or property.
    pub points: Vec<String>,
    /// The limit; its unit follows from the kind.
    pub limit: Option<f64>,
    /// Where it is over again; the limit itself when `None`.
    pub clear: Option<f64>,
    /// The first value that is beyond it, for ranges.
    pub to: Option<f64>,
    /// The flag that is bad.
    pub flag: bool,
    /// Codes that are bad.
    pub codes: Vec<i64>,
    /// Texts that are bad.
    pub texts: Vec<String>,
    /// Which ones, where the kind has several; empty means all.
    pub what: Vec<String>,
    /// So long must the condition last.
    pub hold: Duration,
    /// So long after it is over the alarm closes by itself; `None` when a person must close it.
    pub closes_itself: Option<Duration>,
    /// Whether it is used where nothing else is configured.
    pub on: bool,
    /// Template of the emergency broadcast that its alarms play where they are.
    pub broadcast: Option<Arc<str>>,
    /// What it says.
    pub title: Words,
    /// What to do.
    pub todo: Words,
    /// Clause or manual that it comes from; may be empty.
    pub source: String,
}

impl Rule {
    /// Whether it holds for devices of a category.
    pub fn is_for(&self, category: Category) -> bool {
        self.of.contains(&Of::Devices(category))
    }

    /// Whether it looks at a point of this name: by its whole name, or by the property in it.
    pub fn reads(&self, name: &str) -> bool {
        let property = property_of(name);
        self.points.iter().any(|point| point == name || point == property)
    }

    /// Whether `what` is meant by it.
    pub fn means(&self, what: &str) -> bool {
        self.what.is_empty() || self.what.iter().any(|one| one == what)
    }
}

/// The property in the name of a point: without `group.number.` before it and `.part` behind.
pub fn property_of(name: &str) -> &str {
    let mut rest = name;
    while let Some((_, behind)) = rest.split_once('.')
        && let Some((number, behind)) = behind.split_once('.')
        && number.bytes().all(|byte| byte.is_ascii_digit())
    {
        rest = behind;
    }
    rest.split_once('.').map_or(rest, |(property, _)| property)
}

/// What a site changes of a rule.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Change {
    /// Used or not.
    pub on: Option<bool>,
    /// Another level.
    pub level: Option<AlarmLevel>,
    /// Another limit.
    pub limit: Option<f64>,
    /// Another end.
    pub clear: Option<f64>,
    /// Another time that it must last.
    pub hold: Option<Duration>,
    /// Another template that is played; none when empty.
    pub broadcast: Option<Arc<str>>,
}

impl Change {
    /// The rule with the changes.
    pub fn of(&self, rule: &Rule) -> Rule {
        let mut rule = rule.clone();
        rule.on = self.on.unwrap_or(rule.on);
        rule.level = self.level.unwrap_or(rule.level);
        if self.limit.is_some() {
            // The end of the rule belongs to its own limit.
            (rule.limit, rule.clear) = (self.limit, None);
        }
        rule.clear = self.clear.or(rule.clear);
        rule.hold = self.hold.unwrap_or(rule.hold);
        if let Some(template) = &self.broadcast {
            rule.broadcast = (!template.is_empty()).then(|| Arc::clone(template));
        }
        rule
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_stands_between_group_and_part() {
        for (name, property) in [
            ("phaseVoltage.L2", "phaseVoltage"),
            ("cells.3.door", "door"),
            ("channels.1.activePower.L2", "activePower"),
            ("temperature", "temperature"),
            ("a.1.b.2.c", "c"),
        ] {
            assert_eq!(property_of(name), property, "{name}");
        }
    }
}
