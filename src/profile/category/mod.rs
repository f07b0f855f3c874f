//! What a profile of each category should offer, and what each name of a point means: the data of
//! `config/categories.toml`, whose head documents the format and how names are matched.

mod comply;
mod matching;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::model::{Category, Label, Unit};
use crate::settings::read_text;

pub use comply::{Compliance, Weight, comply};
pub use matching::{NameParts, name_parts};

/// The text that is built into the program.
const TEXT: &str = include_str!("../../../config/categories.toml");

/// What a value is by nature, as files say it; finer than
/// [`Quantity`](crate::model::Quantity), which has one word for states and flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nature {
    /// Measured now.
    #[default]
    Instantaneous,
    /// Only counts upwards.
    Counter,
    /// A code.
    State,
    /// True or false.
    Flag,
    /// A text.
    Text,
}

impl Nature {
    /// The word in files.
    pub fn word(self) -> &'static str {
        match self {
            Nature::Instantaneous => "instantaneous",
            Nature::Counter => "counter",
            Nature::State => "state",
            Nature::Flag => "flag",
            Nature::Text => "text",
        }
    }
}

/// What a name means, in every category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Title for people, Chinese.
    pub zh: String,
    /// Title for people, English.
    pub en: String,
    /// Units that it may have, the preferred first; never empty.
    pub units: Vec<Unit>,
    /// What it is by nature.
    pub nature: Nature,
    /// Set of codes that it has, when they are shared.
    pub labels: Option<String>,
    /// For parts only (`activePower.L1`): what the whole is called.
    pub whole: Option<String>,
}

/// What a profile of one category should offer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryModel {
    /// What is missed when it is not there; one of each list is enough.
    pub should: Vec<AnyOf>,
    /// What is usual besides.
    pub may: Vec<String>,
}

/// Properties of which one is enough.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "OneOrMore")]
pub struct AnyOf(pub Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl From<OneOrMore> for AnyOf {
    fn from(given: OneOrMore) -> Self {
        match given {
            OneOrMore::One(name) => AnyOf(vec![name]),
            OneOrMore::More(names) => AnyOf(names),
        }
    }
}

/// All of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryModels {
    /// Shared codes by name.
    pub labels: BTreeMap<String, Vec<Label>>,
    /// What each name means.
    pub properties: BTreeMap<String, Property>,
    /// What is usual in every category.
    pub common: Vec<String>,
    /// What a profile of each category should offer; all categories are there.
    pub categories: BTreeMap<Category, CategoryModel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    labels: BTreeMap<String, BTreeMap<String, [String; 2]>>,
    properties: BTreeMap<String, PropertyFile>,
    common: CommonFile,
    categories: BTreeMap<Category, CategoryModel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CommonFile {
    may: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PropertyFile {
    zh: String,
    en: String,
    unit: Option<Unit>,
    #[serde(default)]
    units: Vec<Unit>,
    #[serde(default)]
    quantity: Nature,
    labels: Option<String>,
    whole: Option<String>,
}

impl CategoryModels {
    /// The file that is built into the program.
    pub fn built_in() -> &'static Self {
        static MODELS: LazyLock<CategoryModels> = LazyLock::new(|| {
            CategoryModels::read(TEXT)
                .unwrap_or_else(|wrong| unreachable!("config/categories.toml, tested: {wrong}"))
        });
        &MODELS
    }

    /// Reads such a file.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        let file: File =
            read_text(text).map_err(|error| format!("line {}: {error}", error.line(text)))?;
        let mut labels = BTreeMap::new();
        for (set, rows) in file.labels {
            let row = |(code, [zh, en]): (String, [String; 2])| match code.parse() {
                Ok(code) => Ok(Label { code, zh, en }),
                Err(_) => Err(format!("labels.{set}: `{code}` is no code, a whole number is")),
            };
            let mut rows = rows.into_iter().map(row).collect::<Result<Vec<Label>, _>>()?;
            rows.sort_by_key(|label| label.code);
            labels.insert(set, rows);
        }
        let mut properties = BTreeMap::new();
        for (name, given) in file.properties {
            let units = match (given.unit, given.units) {
                (Some(_), more) if !more.is_empty() => {
                    return Err(format!("properties.{name}: `unit` or `units`, not both"));
                }
                (Some(unit), _) => vec![unit],
                (None, more) if more.is_empty() => vec![Unit::ONE],
                (None, more) => more,
            };
            let property = Property {
                zh: given.zh,
                en: given.en,
                units,
                nature: given.quantity,
                labels: given.labels,
                whole: given.whole,
            };
            properties.insert(name, property);
        }
        let models =
            Self { labels, properties, common: file.common.may, categories: file.categories };
        models.holds_together()?;
        Ok(models)
    }

    /// Whether everything that is named exists.
    fn holds_together(&self) -> Result<(), String> {
        for (name, property) in &self.properties {
            if let Some(set) = &property.labels
                && (!self.labels.contains_key(set) || property.nature != Nature::State)
            {
                return Err(format!("properties.{name}: labels `{set}` of a state, and given"));
            }
            if let Some(whole) = &property.whole
                && !self.properties.contains_key(whole)
            {
                return Err(format!("properties.{name}: there is no property `{whole}`"));
            }
        }
        if let Some(missing) = Category::ALL.iter().find(|c| !self.categories.contains_key(*c)) {
            return Err(format!("categories.{missing} is missing"));
        }
        let of_categories = self.categories.values();
        let named = of_categories
            .flat_map(|model| model.should.iter().flat_map(|any| &any.0).chain(&model.may))
            .chain(&self.common);
        for name in named {
            if !self.properties.contains_key(name) {
                return Err(format!("there is no property `{name}`"));
            }
        }
        Ok(())
    }

    /// What a point's name means, when this file knows it.
    pub fn property<'n>(&self, point: &'n str) -> Option<(NameParts<'n>, &Property)> {
        let parts = name_parts(point)?;
        self.properties.get(parts.property).map(|property| (parts, property))
    }

    /// Whether a property is usual in a category.
    pub fn is_usual(&self, property: &str, category: Category) -> bool {
        let of_category = self.categories.get(&category).is_some_and(|model| {
            let should = model.should.iter().flat_map(|any| &any.0);
            should.chain(&model.may).any(|name| name == property)
        });
        of_category || self.common.iter().any(|name| name == property)
    }
}

#[cfg(test)]
mod tests;
