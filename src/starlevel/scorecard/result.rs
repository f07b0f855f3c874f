//! The result of a scorecard: what the terminal, the JSON document and the page show.

use serde::Serialize;

use super::card::{GatewayRole, Kind};
use super::conversion::{Conversion, Percent};
use super::points::Points;
use super::stars::RedPropertyStars;
use super::table::{Table, Variant};
use crate::starlevel::{Bilingual, PackInfo};

/// Version of the document.
pub const SCORECARD_VERSION: u8 = 1;

/// Where the points of an item come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A person's answer.
    Answer,
    /// The gateway's assessment.
    Measured,
    /// Nobody answered: 0.
    Unanswered,
    /// The gateway decides, but no assessment was given: 0.
    NoAssessment,
}

/// Points of a part of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Which.
    pub name: Bilingual,
    /// Points reached.
    pub points: Points,
    /// Points that can be reached.
    pub of: Points,
}

/// What a person said about an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// Points that the answer gives.
    pub points: Points,
    /// The rate that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<Percent>,
    /// The rule that made points of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversion: Option<String>,
    /// Who.
    pub by: String,
    /// When.
    pub date: String,
    /// What the person adds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemResult {
    /// Identifier.
    pub id: String,
    /// First-level indicator.
    pub block: Bilingual,
    /// Second-level indicator.
    pub group: Bilingual,
    /// Text.
    pub text: Bilingual,
    /// Who evaluates it.
    pub evaluator: Bilingual,
    /// How it is judged.
    pub kind: Kind,
    /// Points counted.
    pub points: Points,
    /// Most points.
    pub of: Points,
    /// Where the points come from.
    pub source: Source,
    /// The cell of the points is lost in the text that was used.
    pub points_inferred: bool,
    /// The standard leaves open how the answer becomes points.
    pub conversion_missing: bool,
    /// What the person said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Claim>,
    /// What the gateway can do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewayRole>,
    /// What the gateway shows.
    pub evidence: Vec<Bilingual>,
    /// What a reader must know.
    pub notes: Vec<Bilingual>,
}

/// Something of the negative list that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeductionResult {
    /// Points taken off.
    pub points: Points,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub by: String,
    /// When.
    pub date: String,
}

/// One entry of the negative list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NegativeResult {
    /// Identifier of the entry.
    pub id: String,
    /// Its text.
    pub text: Bilingual,
    /// Its range in the table's words.
    pub rule: Bilingual,
    /// Who decides.
    pub evaluator: Bilingual,
    /// What was declared; nothing is no proof that nothing happened.
    pub deductions: Vec<DeductionResult>,
    /// What the gateway shows.
    pub evidence: Vec<Bilingual>,
    /// What a reader must know.
    pub notes: Vec<Bilingual>,
}

/// Points that an item lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shortfall {
    /// Identifier of the item.
    pub id: String,
    /// Its text.
    pub text: Bilingual,
    /// Points lacking.
    pub points: Points,
    /// Why.
    pub why: Bilingual,
}

/// Points whose cell is lost in the text that was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inferred {
    /// The items.
    pub items: Vec<String>,
    /// Points that can be reached with them.
    pub of: Points,
    /// Of the total, from them.
    pub points: Points,
}

/// The assessment that was used. Its star is a smart-area star.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AssessmentInfo {
    /// The gateway.
    pub gateway: String,
    /// When, milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<i64>,
    /// The smart-area star, 0 to 5.
    pub smart_area_star: u8,
    /// The smart-area star that 7.5.1 demands.
    pub smart_area_target: u8,
    /// Too little history.
    pub provisional: bool,
    /// Which rules were used.
    pub pack: PackInfo,
}

/// A scorecard, filled in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scorecard {
    /// Version of this document, 1.
    pub v: u8,
    /// Says that this is no official evaluation.
    pub banner: Bilingual,
    /// Which table.
    pub table: Table,
    /// Its title.
    pub title: Bilingual,
    /// Where it stands.
    pub source: String,
    /// Name of the table in the standard: `A.1`.
    pub table_name: String,
    /// Clause with its rules.
    pub clause: String,
    /// SHA-256 of the table's data, lower-case hex.
    pub table_sha256: String,
    /// Kind of estate; only for table A.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<Variant>,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant_name: Option<Bilingual>,
    /// Who or what is evaluated.
    pub subject: String,
    /// Calendar year.
    pub year: u16,
    /// Who filled in the answers.
    pub by: String,
    /// When.
    pub date: String,
    /// The score: points of the items less deductions, 0 at the least.
    pub total: Points,
    /// The most that can be reached.
    pub of: Points,
    /// Points of the items.
    pub before_deductions: Points,
    /// Points taken off by the negative list.
    pub deducted: Points,
    /// The bare difference when it is below 0; the standard states no floor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below_zero: Option<Points>,
    /// Stars of the red-property scale; absent for tables without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub red_property: Option<RedPropertyStars>,
    /// Per first-level indicator.
    pub blocks: Vec<Part>,
    /// Per evaluator.
    pub evaluators: Vec<Part>,
    /// Points whose cell is lost in the text; absent when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inferred: Option<Inferred>,
    /// What lacks points, most first.
    pub missing: Vec<Shortfall>,
    /// Items that nobody answered.
    pub unanswered: Vec<String>,
    /// The negative list; empty for tables without.
    pub negative: Vec<NegativeResult>,
    /// Rules by which rates became points.
    pub conversions: Vec<Conversion>,
    /// The assessment that was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assessment: Option<AssessmentInfo>,
    /// What a reader must know about the standard's text and this result.
    pub remarks: Vec<Bilingual>,
    /// All items that count, in the order of the table.
    pub items: Vec<ItemResult>,
}

impl Scorecard {
    /// The document as saved.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("text keys and finite numbers make valid JSON")
    }
}
