//! What can be attested, and an attestation of it.

use serde::{Deserialize, Serialize};

use super::day::Day;
use crate::model::Category;
use crate::starlevel::assessment::Bilingual;

/// What a person vouches for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Subject {
    /// How many devices of a category there are within the pack's scope, connected or not
    /// (check C3).
    Inventory {
        /// Which category.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        category: Category,
        /// How many.
        devices: u32,
    },
    /// A category does not exist in this estate.
    NotApplicable {
        /// Which category.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        category: Category,
        /// Why, e.g. no central heating.
        reason: String,
    },
    /// The estate system has a security grading or a third-party test (check G3).
    SecurityGrading {
        /// Reference of the document.
        document: String,
        /// Who issued it.
        issuer: String,
    },
    /// Personal data are kept to the least; purpose and access list are on file (check G6).
    Privacy {
        /// Reference of the statement.
        document: String,
    },
    /// A share of the advisory list, which is never part of the star.
    Advisory {
        /// Identifier in the rule pack, e.g. `SD1`.
        item: String,
        /// The share, 0..=1.
        share: f64,
        /// Where the share comes from.
        origin: String,
    },
}

/// A person's word, with its dates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Attestation {
    /// What is vouched for.
    #[serde(flatten)]
    pub subject: Subject,
    /// The person's name.
    pub by: String,
    /// The day it was said, and the first on which it holds: `2026-05-01`.
    pub on: Day,
    /// The last day on which it holds.
    pub until: Day,
    /// What the person adds; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl Subject {
    /// Two attestations with the same word speak about the same thing: `inventory/water_meter`,
    /// `security_grading`, `advisory/SD1`.
    pub fn word(&self) -> String {
        match self {
            Subject::Inventory { category, .. } => format!("inventory/{category}"),
            Subject::NotApplicable { category, .. } => format!("not_applicable/{category}"),
            Subject::SecurityGrading { .. } => "security_grading".to_owned(),
            Subject::Privacy { .. } => "privacy".to_owned(),
            Subject::Advisory { item, .. } => format!("advisory/{item}"),
        }
    }

    /// Its place in a list: by kind, then by category or item.
    pub(super) fn order(&self) -> (u8, usize, &str) {
        match self {
            Subject::Inventory { category, .. } => (0, *category as usize, ""),
            Subject::NotApplicable { category, .. } => (1, *category as usize, ""),
            Subject::SecurityGrading { .. } => (2, 0, ""),
            Subject::Privacy { .. } => (3, 0, ""),
            Subject::Advisory { item, .. } => (4, 0, item),
        }
    }

    /// What is vouched for, with its figures.
    pub fn told(&self) -> Bilingual {
        match self {
            Subject::Inventory { category, devices } => Bilingual::new(
                format!("设备清单：{} {devices} 台", category.zh()),
                format!("Inventory: {} × {devices}", category.en()),
            ),
            Subject::NotApplicable { category, reason } => Bilingual::new(
                format!("类别不适用：{}（{reason}）", category.zh()),
                format!("Not applicable: {} ({reason})", category.en()),
            ),
            Subject::SecurityGrading { document, issuer } => Bilingual::new(
                format!("等级保护/安全评估：{document}，出具单位 {issuer}"),
                format!("Security grading: {document}, issued by {issuer}"),
            ),
            Subject::Privacy { document } => Bilingual::new(
                format!("个人信息最小化说明：{document}"),
                format!("Statement on personal data: {document}"),
            ),
            Subject::Advisory { item, share, origin } => {
                let percent = share * 100.0;
                Bilingual::new(
                    format!("参考指标 {item}：{percent:.1} %（{origin}）"),
                    format!("Advisory {item}: {percent:.1} % ({origin})"),
                )
            }
        }
    }

    /// The category that it is about, if it is about one.
    pub fn category(&self) -> Option<Category> {
        match self {
            Subject::Inventory { category, .. } | Subject::NotApplicable { category, .. } => {
                Some(*category)
            }
            _ => None,
        }
    }
}
