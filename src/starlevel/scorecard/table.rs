//! Which table, and which variant of it.

use serde::{Deserialize, Serialize};

use crate::model::EstateKind;

/// Which table of annex A.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Table {
    /// Table A.1: an estate (project).
    A1,
    /// Table A.2: a property company.
    A2,
    /// Table A.3: a town (sub-district) and its communities.
    A3,
    /// Table A.4: a district (development zone).
    A4,
}

impl Table {
    /// All four.
    pub const ALL: [Table; 4] = [Table::A1, Table::A2, Table::A3, Table::A4];

    /// The word used on the command line and in files.
    pub fn word(self) -> &'static str {
        match self {
            Table::A1 => "a1",
            Table::A2 => "a2",
            Table::A3 => "a3",
            Table::A4 => "a4",
        }
    }

    /// The text that is built into the program.
    pub fn built_in(self) -> &'static str {
        match self {
            Table::A1 => include_str!("../../../config/scorecards/a1.toml"),
            Table::A2 => include_str!("../../../config/scorecards/a2.toml"),
            Table::A3 => include_str!("../../../config/scorecards/a3.toml"),
            Table::A4 => include_str!("../../../config/scorecards/a4.toml"),
        }
    }
}

/// Kind of estate in table A.1: the block 环境美好 has one set of items for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// 新建小区
    New,
    /// 老旧小区（改造）
    Old,
}

impl Variant {
    /// Both, by their words.
    pub const WORDS: [(&'static str, Variant); 2] = [("new", Variant::New), ("old", Variant::Old)];

    /// The word used on the command line and in files.
    pub fn word(self) -> &'static str {
        match self {
            Variant::New => "new",
            Variant::Old => "old",
        }
    }

    /// The same in the words of the gateway's configuration.
    pub fn estate(self) -> EstateKind {
        match self {
            Variant::New => EstateKind::New,
            Variant::Old => EstateKind::OldRetrofit,
        }
    }
}
