//! The result of the star-level check, as it is shown, stored and published (retained, topic
//! `assessment`). It is a self-assessment and says so.

use serde::{Deserialize, Serialize};

use super::attest::AttestationResult;
use super::effects::{RiskReport, SelfTestItem};
use super::environment::EnvironmentReport;
use super::pack::{Direction, Evidence, Measure, Origin};
use crate::model::{Category, EstateKind, Health};

/// Version of the assessment document.
pub const ASSESSMENT_VERSION: u8 = 1;

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Bilingual {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Bilingual {
    /// Both texts.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Measured and good enough.
    Met,
    /// Measured and not good enough.
    NotMet,
    /// Nothing measured it. Never passes.
    Unknown,
    /// A named person declared that it does not apply here.
    NotApplicable,
}

impl Outcome {
    /// Whether a star may stand on it.
    pub fn passes(self) -> bool {
        matches!(self, Outcome::Met | Outcome::NotApplicable)
    }
}

/// Which rules were used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PackInfo {
    /// Identifier of the rule pack.
    pub id: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its text, lower-case hex.
    pub sha256: String,
    /// Whether an authority issued it.
    pub official: bool,
}

/// How far a star is from being reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LevelSummary {
    /// Which star, 1..=5.
    pub star: u8,
    /// Checks required at it.
    pub required: u32,
    /// Of those, met.
    pub met: u32,
    /// Not met.
    pub not_met: u32,
    /// Unknown.
    pub unknown: u32,
    /// Not applicable.
    pub not_applicable: u32,
    /// All of this star and of every star below it pass.
    pub reached: bool,
}

/// Share of a group of checks that is achieved at the target star; for information only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GroupSummary {
    /// First letter of the checks' identifiers.
    pub id: String,
    /// Checks of the group that pass at the target star.
    pub achieved: u32,
    /// Checks of the group that the target star requires.
    pub obtainable: u32,
}

/// What a check gave for one star.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LevelResult {
    /// Which star, 1..=5.
    pub star: u8,
    /// What it needs.
    pub needed: Measure,
    /// What was measured by the definition of this star; absent when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measure>,
    /// What became of it.
    pub outcome: Outcome,
}

/// A device that keeps a check from being met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeviceCause {
    /// The device's identifier.
    pub device: String,
    /// What people call it.
    pub name: String,
    /// Whether it can be reached now.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub health: Health,
    /// Why not, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Bilingual>,
    /// For how long it has been in this health, seconds; absent for a device never heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_s: Option<u64>,
    /// Since when, milliseconds since 1970; absent also while the clock is not trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<i64>,
    /// Its online time as a share of the window.
    pub online_rate: f64,
    /// Its own value of the check, a share, where that is not the online time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// What its entry in the asset register lacks (check G1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lacks: Option<Bilingual>,
}

/// What became of one check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckResult {
    /// Identifier in the rule pack.
    pub id: String,
    /// Name.
    pub title: Bilingual,
    /// Clause that it serves.
    pub source: String,
    /// Where the numbers come from.
    pub origin: Origin,
    /// On which ground, when the pack says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
    /// How it is proven.
    pub evidence: Evidence,
    /// Unit of the values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Which way a value must lie from what is needed.
    pub dir: Direction,
    /// The star that the following fields speak of: the next one, or the first above it that
    /// requires this check, or else the highest that does.
    pub star: u8,
    /// What became of the check at that star.
    pub outcome: Outcome,
    /// What was measured; absent when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measure>,
    /// What that star needs.
    pub needed: Measure,
    /// Why the outcome is what it is, when that needs words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Bilingual>,
    /// What would help, when it is not met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Bilingual>,
    /// Since when it does not pass for that star, milliseconds since 1970; absent when it does, and
    /// before that was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<i64>,
    /// The devices that keep it from being met, worst first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<DeviceCause>,
    /// Further such devices that are not listed.
    #[serde(default)]
    pub more_devices: u32,
    /// The outcome for every star that requires it.
    pub levels: Vec<LevelResult>,
}

/// One of the twelve categories in this estate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CategoryResult {
    /// Which.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub category: Category,
    /// Devices configured.
    pub devices: u32,
    /// Mean online time as a share of the window, by the definition of the next star; absent
    /// without devices or before anything was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online_rate: Option<f64>,
    /// Whether it counts as covered for the next star.
    pub covered: bool,
    /// Whether a named person declared that it does not apply here.
    pub not_applicable: bool,
    /// Nothing was expected of it in the whole window: heat meters outside the heating season.
    #[serde(default)]
    pub out_of_season: bool,
    /// Devices by the attested inventory; absent without one that holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inventory: Option<u32>,
    /// Configured devices that brought a valid reading in the window.
    #[serde(default)]
    pub connected: u32,
    /// Devices that a scan found and that are not registered.
    #[serde(default)]
    pub found: u32,
}

/// One item of the advisory list: never part of the star.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdvisoryResult {
    /// Identifier in the rule pack.
    pub id: String,
    /// Name.
    pub title: Bilingual,
    /// Wanted share, 0..=1.
    pub threshold: f64,
    /// The attested share; absent when nobody's word holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Met, not met, or unknown.
    pub outcome: Outcome,
    /// Why it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Bilingual>,
}

/// The result of the star-level check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Assessment {
    /// Version of this document, 1.
    pub v: u8,
    /// The gateway.
    pub gateway: String,
    /// Says that this is no official rating.
    pub banner: Bilingual,
    /// Which rules were used.
    pub pack: PackInfo,
    /// When, milliseconds since 1970; absent while the clock is not trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<i64>,
    /// Length of the history that it stands on, seconds.
    pub window_s: u64,
    /// Less history than the rules want: the result may still change without any change outside.
    pub provisional: bool,
    /// New or retrofitted estate.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub kind: EstateKind,
    /// The star that the standard demands of such an estate.
    pub target: u8,
    /// The highest star all of whose checks, and those of every star below, pass; 0 for none.
    pub star: u8,
    /// The next star; absent at five.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u8>,
    /// Identifiers of the checks that the next star lacks, worst first.
    pub missing: Vec<String>,
    /// One row a star.
    pub levels: Vec<LevelSummary>,
    /// Share per group, for information only.
    pub groups: Vec<GroupSummary>,
    /// The twelve categories.
    pub categories: Vec<CategoryResult>,
    /// All checks, in the order of the rule pack.
    pub checks: Vec<CheckResult>,
    /// Hourly and daily values of the environment, reference values; absent without a station.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentReport>,
    /// The equipment risk; absent before it was graded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<RiskReport>,
    /// The gateway's security self-test, worst first; empty before it ran.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub self_test: Vec<SelfTestItem>,
    /// Reported beside the star, never part of it.
    #[serde(default)]
    pub advisory: Vec<AdvisoryResult>,
    /// What people attested, the one that counts for each subject, with whether it holds.
    #[serde(default)]
    pub attestations: Vec<AttestationResult>,
    /// Devices of unknown category that a scan found and that are not registered.
    #[serde(default)]
    pub found_unknown: u32,
}

impl Assessment {
    /// The document as published.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("text keys and finite numbers make valid JSON")
    }

    /// The result of one check.
    pub fn check(&self, id: &str) -> Option<&CheckResult> {
        self.checks.iter().find(|check| check.id == id)
    }
}
