//! What a report says: the document that both forms hold.

use serde::{Deserialize, Serialize};

use crate::model::{Category, EstateKind};
use crate::starlevel::{Assessment, Bilingual, ChainFault, PackInfo};

/// Version of the report document.
pub const REPORT_VERSION: u8 = 1;

/// The assessment with everything that it stands on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    /// Version of this document, 1.
    pub v: u8,
    /// Says that this is no official rating.
    pub banner: Bilingual,
    /// What else stands above every page of the gateway, e.g. that the estate is simulated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Bilingual>,
    /// Program and version that made it.
    pub made_by: String,
    /// When, milliseconds since 1970; absent while the clock was not trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at_ms: Option<i64>,
    /// IANA name of the zone whose natural days count.
    pub time_zone: String,
    /// The estate.
    pub estate: ReportEstate,
    /// Which rules were used.
    pub pack: PackInfo,
    /// What the target star needs of the values that the charts show.
    pub thresholds: Thresholds,
    /// The natural days that the report looks at; absent before a day of a trusted clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<ReportPeriod>,
    /// One row a closed day of the period that has evidence, the oldest first. They follow from
    /// the rows of `chain`.
    pub days: Vec<ReportDay>,
    /// The rows of those days and their hashes.
    pub chain: ReportChain,
    /// The key that signs the report: Ed25519, 64 lower-case hex digits.
    pub public_key: String,
    /// The assessment, whole.
    pub assessment: Assessment,
    /// What the words of the report mean.
    pub definitions: Vec<Bilingual>,
    /// Where the result is weak.
    pub weak_points: Vec<Bilingual>,
}

/// The estate that was assessed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportEstate {
    /// The gateway.
    pub gateway: String,
    /// Name of the estate.
    pub name: String,
    /// New or retrofitted.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub kind: EstateKind,
    /// The heating season, `11-15..04-05`; outside it nothing is expected of the seasonal
    /// categories. Absent where none is configured: then something always is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heating_season: Option<String>,
    /// Its categories that count: the twelve without those that do not apply or have no device.
    pub categories: Vec<ReportCategory>,
    /// The devices of these categories.
    pub devices: Vec<ReportDevice>,
}

/// A category that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportCategory {
    /// Which.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub category: Category,
    /// Period in which the target star expects a valid reading, seconds.
    pub reading_s: u64,
    /// Expected only inside the heating season.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub seasonal: bool,
}

/// A device and its category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportDevice {
    /// Its identifier, as in the keys of the rows.
    pub id: String,
    /// Its category.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub category: Category,
}

/// What the target star needs, as shares; absent where it needs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Thresholds {
    /// Online rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online: Option<f64>,
    /// Completeness of the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completeness: Option<f64>,
    /// Availability of the link to the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<f64>,
}

/// Natural days, `2026-01-31`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportPeriod {
    /// The first.
    pub first: String,
    /// The last.
    pub last: String,
    /// How many there are, those without evidence included.
    pub days: u32,
}

/// What a closed day amounts to. Shares are rounded down to four digits; rates are those of the
/// target star.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportDay {
    /// The day, `2026-01-31`.
    pub date: String,
    /// Share of the 24 hours in which the gateway watched with a trusted clock.
    pub observed_share: f64,
    /// Share of the 24 hours with a session at the platform's broker.
    pub link_share: f64,
    /// Readings made durable.
    pub readings_stored: u64,
    /// Blocks created.
    pub blocks_created: u64,
    /// Blocks that the platform acknowledged.
    pub blocks_acknowledged: u64,
    /// Blocks deleted before the platform had them, or found damaged.
    pub blocks_lost: u64,
    /// Mean of the categories' online rates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online_rate: Option<f64>,
    /// Mean of the categories' completeness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completeness: Option<f64>,
    /// Valid readings over all that were obtained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_share: Option<f64>,
    /// The categories with devices on that day.
    pub categories: Vec<DayCategory>,
}

/// One category on one day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DayCategory {
    /// Which.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub category: Category,
    /// Devices that existed.
    pub devices: u32,
    /// Mean of their online time over the time that they existed, announced maintenance left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online_rate: Option<f64>,
    /// Mean of their periods with a valid reading over those that fit into the time that they
    /// existed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completeness: Option<f64>,
}

/// The chain of the period. The hash of a day is SHA-256 over `linli evidence 1`, the hash of the
/// day before (32 bytes), and of every row its key and its value, each led by its length as eight
/// bytes, the highest first. The first bytes of a key are its kind (`g` the gateway, `d` a device) and
/// the day since 1970 as four bytes, the highest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportChain {
    /// Hash of the newest day, lower-case hex; absent without a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// The first day that did not hold when the report was made; absent when all did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Fault>"))]
    pub fault: Option<ChainFault>,
    /// The days, the oldest first.
    pub days: Vec<ChainDay>,
}

#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[expect(dead_code, reason = "it only describes the fault of the chain")]
struct Fault {
    day: String,
    zh: String,
    en: String,
}

/// One closed day of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChainDay {
    /// The day, `2026-01-31`; the rows' keys say it too.
    pub date: String,
    /// Hash of the day before, lower-case hex.
    pub before: String,
    /// Its own hash, lower-case hex.
    pub hash: String,
    /// Key and value of each row, base64, in the order of the hash.
    pub rows: Vec<(String, String)>,
}

impl Report {
    /// The document as text, without the signature.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("text keys and finite numbers make valid JSON")
    }

    /// The day of that date.
    pub fn day(&self, date: &str) -> Option<&ReportDay> {
        self.days.iter().find(|day| day.date == date)
    }
}
