//! One evaluation table as data: `config/scorecards/*.toml`, built into the program.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::judge;
use super::table::{Table, Variant};
use crate::model::Category;
use crate::settings::read_text;
use crate::starlevel::Bilingual;

/// What the table calls itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// `a1` … `a4`.
    pub id: String,
    /// Name of the table in the standard: `A.1`.
    pub table: String,
    /// Title, quoted.
    pub title_zh: String,
    /// Title, English.
    pub title_en: String,
    /// Where the table stands.
    pub source: String,
    /// Clause with its rules.
    pub clause: String,
    /// The total that the standard declares.
    pub declared_total: u32,
    /// Whether a clause makes stars of the red-property scale of it.
    pub red_property_stars: bool,
}

/// One variant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantRule {
    /// Name, Chinese.
    pub zh: String,
    /// Name, English.
    pub en: String,
    /// The smart-area star that 7.5.1 demands of such an estate.
    pub smart_area_target: u8,
}

/// The variants of table A.1.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variants {
    /// New estates.
    pub new: VariantRule,
    /// Retrofitted old estates.
    pub old: VariantRule,
}

impl Variants {
    /// The rule of one variant.
    pub fn of(&self, variant: Variant) -> &VariantRule {
        match variant {
            Variant::New => &self.new,
            Variant::Old => &self.old,
        }
    }
}

/// The share of the total that a clause gives to some evaluators.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Who.
    pub evaluators: Vec<String>,
    /// How many points.
    pub points: u32,
    /// Clause that says so.
    pub clause: String,
    /// Its words.
    pub quote: String,
}

/// A first-level indicator.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Name, quoted.
    pub zh: String,
    /// Name, English.
    pub en: String,
    /// Points of its items, in each variant.
    pub points: u32,
}

/// What a reader must know about the text of the standard.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remark {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// How an item is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It holds or not.
    YesNo,
    /// A share.
    Rate,
    /// A number of something.
    Count,
    /// Somebody's judgement.
    Judgement,
    /// A survey of satisfaction.
    Survey,
}

impl Kind {
    /// For people.
    pub fn words(self) -> Bilingual {
        match self {
            Kind::YesNo => Bilingual::new("是否", "yes or no"),
            Kind::Rate => Bilingual::new("比率", "rate"),
            Kind::Count => Bilingual::new("数量", "count"),
            Kind::Judgement => Bilingual::new("评判", "judgement"),
            Kind::Survey => Bilingual::new("满意度调查", "survey"),
        }
    }
}

/// What the gateway can do about an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GatewayRole {
    /// Its assessment decides the points.
    Measured,
    /// Its assessment is shown beside the person's answer.
    Evidence,
}

/// What the gateway's assessment says about an item.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// What it may do with it.
    pub gateway: GatewayRole,
    /// Checks of the star-level rule pack.
    #[serde(default)]
    pub checks: Vec<String>,
    /// Categories of devices.
    #[serde(default)]
    pub categories: Vec<Category>,
    /// Whether the estate's own smart-area star matters.
    #[serde(default)]
    pub own_star: bool,
    /// How far it reaches, Chinese.
    pub zh: String,
    /// The same, English.
    pub en: String,
}

/// A third-level indicator.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Ours: `a1.01`.
    pub id: String,
    /// First-level indicator.
    pub block: String,
    /// Second-level indicator, quoted.
    pub group: String,
    /// Text, quoted.
    pub zh: String,
    /// Text, English.
    pub en: String,
    /// Most points.
    pub points: u32,
    /// Who evaluates it, quoted.
    pub evaluator: String,
    /// How it is judged.
    pub kind: Kind,
    /// Only in this variant.
    pub variant: Option<Variant>,
    /// The cell of the points is lost in the text that was used.
    #[serde(default)]
    pub points_inferred: bool,
    /// A share that the text names.
    pub threshold_percent: Option<u32>,
    /// A number without a threshold.
    #[serde(default)]
    pub open_count: bool,
    /// What the gateway can do about it.
    pub proof: Option<Proof>,
    /// What a reader must know about its text, Chinese.
    pub remark_zh: Option<String>,
    /// The same, English.
    pub remark_en: Option<String>,
}

impl Item {
    /// Most points.
    pub fn most(&self) -> super::Points {
        super::Points::whole(self.points)
    }

    /// Whether its answer is a share that must become points.
    pub fn takes_percent(&self) -> bool {
        matches!(self.kind, Kind::Rate | Kind::Survey)
    }

    /// Whether the standard leaves open how its answer becomes points.
    pub fn conversion_missing(&self) -> bool {
        self.takes_percent() || self.open_count
    }
}

/// An entry of the negative list (A.3.3).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Negative {
    /// Ours: `a2.n1`.
    pub id: String,
    /// Text, quoted.
    pub zh: String,
    /// Text, English.
    pub en: String,
    /// Range in the words of the table.
    pub rule_zh: String,
    /// The same, English.
    pub rule_en: String,
    /// Fewest points taken off.
    pub least: u32,
    /// Most points taken off.
    pub most: u32,
    /// Who decides.
    pub evaluator: String,
    /// What the gateway can do about it.
    pub proof: Option<Proof>,
}

/// A band of A.2.4 as it is printed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Stars of the red-property scale.
    pub stars: u8,
    /// Fewest points.
    pub from: u32,
    /// Most points as printed.
    pub to: u32,
}

/// What is wrong with a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("scorecard {name}, {place}: {fault}")]
pub struct CardFault {
    /// The file.
    pub name: String,
    /// Where in it: a line, `item a1.01`, `block 党建引领`.
    pub place: String,
    /// The value and what is allowed.
    pub fault: String,
}

/// One evaluation table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// What it calls itself.
    pub card: Head,
    /// Its variants.
    pub variants: Option<Variants>,
    /// Declared shares of evaluators.
    pub share: Vec<Share>,
    /// First-level indicators.
    pub block: Vec<Block>,
    /// English of second-level indicators and evaluators.
    pub english: BTreeMap<String, String>,
    /// What a reader must know.
    pub remark: Vec<Remark>,
    /// Third-level indicators.
    pub item: Vec<Item>,
    /// Negative list.
    #[serde(default)]
    pub negative: Vec<Negative>,
    /// Bands of the red-property stars.
    #[serde(default)]
    pub band: Vec<Band>,
    /// SHA-256 of the text, lower-case hex.
    #[serde(skip)]
    pub sha256: String,
}

impl Card {
    /// The table that is built into the program.
    pub fn built_in(table: Table) -> Self {
        Self::parse(&format!("{}.toml", table.word()), table.built_in())
            .expect("the tables built into the program are read by a test")
    }

    /// Reads a table and checks its sums; `name` stands in the faults.
    ///
    /// # Errors
    /// All faults of the table.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<CardFault>> {
        let mut card: Card = read_text(text).map_err(|error| {
            let line = error.line(text);
            vec![CardFault {
                name: name.to_owned(),
                place: format!("line {line}"),
                fault: error.message().to_owned(),
            }]
        })?;
        let faults = judge::faults(name, &card);
        if !faults.is_empty() {
            return Err(faults);
        }
        let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        card.sha256 = digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("writing to a String does not fail");
            hex
        });
        Ok(card)
    }

    /// The items that count for a variant, in the order of the table.
    pub fn items(&self, variant: Option<Variant>) -> impl Iterator<Item = &Item> {
        self.item.iter().filter(move |item| item.variant.is_none() || item.variant == variant)
    }

    /// One item.
    pub fn find(&self, id: &str) -> Option<&Item> {
        self.item.iter().find(|item| item.id == id)
    }

    /// A first-level or second-level indicator or an evaluator in both languages.
    pub fn named(&self, zh: &str) -> Bilingual {
        let block = self.block.iter().find(|block| block.zh == zh).map(|block| &block.en);
        let en = block.or_else(|| self.english.get(zh));
        Bilingual::new(zh, en.map_or(zh, String::as_str))
    }
}
