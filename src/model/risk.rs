//! How much at risk a device or the estate is (5.1.1.2 of the standard), in words for the stream.

use serde::{Deserialize, Serialize};

use super::DeviceId;

/// The equipment-risk grade. From medium on, a device is to be visited first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RiskGrade {
    /// Nothing that needs a visit.
    #[default]
    Low,
    /// To be visited.
    Medium,
    /// To be visited first.
    High,
}

impl RiskGrade {
    /// All, the lowest first.
    pub const ALL: [RiskGrade; 3] = [RiskGrade::Low, RiskGrade::Medium, RiskGrade::High];

    /// The word used in the stream.
    pub fn word(self) -> &'static str {
        match self {
            RiskGrade::Low => "low",
            RiskGrade::Medium => "medium",
            RiskGrade::High => "high",
        }
    }

    /// For people, Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            RiskGrade::Low => "低",
            RiskGrade::Medium => "中",
            RiskGrade::High => "高",
        }
    }
}

/// One reason of a grade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RiskCause {
    /// Its word, e.g. `offline`.
    pub code: String,
    /// What was seen, with its figures, Chinese.
    pub zh: String,
    /// The same, English.
    pub en: String,
}

/// Devices by grade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RiskCounts {
    /// Low.
    pub low: u32,
    /// Medium.
    pub medium: u32,
    /// High.
    pub high: u32,
    /// Not graded yet: too little is known since the start.
    pub unknown: u32,
}

impl RiskCounts {
    /// Counts one device more.
    pub fn add(&mut self, grade: Option<RiskGrade>) {
        let slot = match grade {
            None => &mut self.unknown,
            Some(RiskGrade::Low) => &mut self.low,
            Some(RiskGrade::Medium) => &mut self.medium,
            Some(RiskGrade::High) => &mut self.high,
        };
        *slot += 1;
    }

    /// Devices that have a grade.
    pub fn graded(self) -> u32 {
        self.low + self.medium + self.high
    }
}

/// A device on the list of those to be visited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RiskDevice {
    /// Which.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub device: DeviceId,
    /// Its grade: medium or high.
    pub grade: RiskGrade,
    /// Words of its causes, the weightiest first.
    pub causes: Vec<String>,
}

/// The grade of the whole estate at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EstateRisk {
    /// The natural day that it stands for, `2026-01-31`; absent when many devices changed at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// Devices by grade.
    pub counts: RiskCounts,
    /// Devices to be visited, worst first.
    pub devices: Vec<RiskDevice>,
    /// Further such devices that are not listed.
    pub more: u32,
}
