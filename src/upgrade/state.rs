//! What is written down: the step that is under way, how the last upgrade ended, what was before.

use serde::{Deserialize, Serialize};

use crate::model::Words;

/// Format of these files. A file of a later format is not touched.
pub(super) const FORMAT: u32 = 1;

/// The step that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The new version lies ready; nothing that runs was changed.
    Staged,
    /// The new version runs, until a restart of the machine at the most.
    Trial,
    /// The trial was bad: the old version starts again.
    Withdrawing,
    /// The trial was good: the new version replaces the old one.
    Installing,
    /// The version before replaces the present one.
    Returning,
}

impl Step {
    /// For people.
    pub fn words(self) -> Words {
        match self {
            Step::Staged => ("the new version lies ready", "新版本已就绪"),
            Step::Trial => ("the new version runs on trial", "新版本试运行中"),
            Step::Withdrawing => {
                ("the trial failed; the old version starts again", "试运行未通过，正在恢复旧版本")
            }
            Step::Installing => {
                ("the trial was good; the new version is installed", "试运行通过，正在安装新版本")
            }
            Step::Returning => ("the version before is put back", "正在恢复上一版本"),
        }
        .into()
    }
}

/// An upgrade that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Format of this file.
    pub format: u32,
    /// Which upgrade it is.
    pub id: String,
    /// The step.
    pub step: Step,
    /// Version that runs.
    pub from: String,
    /// Version that is to run.
    pub to: String,
    /// It is a package.
    pub package: bool,
    /// The new version has a configuration of its own: keys got other names.
    pub migrated: bool,
    /// Seconds that the trial may take.
    pub within_s: u64,
    /// A good reading is wanted.
    pub want_reading: bool,
    /// An acknowledgement of the platform is wanted.
    pub want_acknowledged: bool,
    /// Why it goes back.
    pub why: Option<Why>,
}

/// A reason in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl From<Words> for Why {
    fn from(words: Words) -> Self {
        Self { en: words.en, zh: words.zh }
    }
}

impl From<Why> for Words {
    fn from(why: Why) -> Self {
        (why.en, why.zh).into()
    }
}

/// How an upgrade ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The new version is installed.
    Installed,
    /// The old version runs on; nothing was replaced.
    Withdrawn,
    /// The version before is back in its place.
    Returned,
}

impl Outcome {
    /// The word in documents, as in the file.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Installed => "installed",
            Outcome::Withdrawn => "withdrawn",
            Outcome::Returned => "returned",
        }
    }

    /// For people.
    pub fn words(self) -> Words {
        match self {
            Outcome::Installed => ("the new version is installed", "新版本已安装"),
            Outcome::Withdrawn => ("the old version runs on", "继续运行旧版本"),
            Outcome::Returned => ("the version before is back", "已恢复上一版本"),
        }
        .into()
    }
}

/// The end of an upgrade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Format of this file.
    pub format: u32,
    /// Which upgrade it was.
    pub id: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Version before.
    pub from: String,
    /// Version that was wanted.
    pub to: String,
    /// Why it did not end as wanted.
    pub why: Option<Why>,
    /// When, milliseconds since 1970, by the system's clock.
    pub at_ms: i64,
}

/// What `previous/` holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    /// Format of this file.
    pub format: u32,
    /// The upgrade that put it there.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Its package lies there too.
    pub package: bool,
}
