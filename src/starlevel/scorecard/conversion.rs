//! From a rate to points. The standard does not say how; a rule in the answers file may, and names
//! who set it. Rounded down to a hundredth.

use std::fmt;

use serde::{Serialize, Serializer};

use super::points::Points;
use crate::settings::{Fault, Section, Wrong};

/// A rate in hundredths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(Points);

impl Percent {
    /// A whole number of percent.
    pub const fn whole(percent: u32) -> Self {
        Self(Points::whole(percent))
    }

    /// Reads a number with at most two decimals.
    pub fn from_number(number: f64) -> Option<Self> {
        Points::from_number(number).map(Self)
    }

    /// The share of some points, rounded down to a hundredth.
    fn of(self, most: Points) -> Points {
        Points::hundredths(self.0.in_hundredths() * most.in_hundredths() / 10_000)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.0)
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// From this rate on, this share of the points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Rate from which on it holds.
    pub from_percent: Percent,
    /// Share of the item's points.
    pub share_percent: Percent,
}

impl Step {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        section.require("from_percent", "the rate from which on the step holds, 0 to 100");
        section.require("share_percent", "the share of the item's points, 0 to 100");
        let from = percent(section, "from_percent");
        let share = percent(section, "share_percent");
        Some(Self { from_percent: from?, share_percent: share? })
    }
}

/// A rule of the answers file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conversion {
    /// What the answers call it.
    pub name: String,
    /// Who set it.
    pub by: String,
    /// On which ground.
    pub basis: String,
    /// The steps, highest first; empty for a share of the points that equals the rate.
    pub steps: Vec<Step>,
}

impl Conversion {
    /// Reads one; `known` are those before it.
    pub(super) fn read(section: &mut Section<'_>, known: &[Conversion]) -> Option<Self> {
        section.require("name", "a name that the answers use");
        section.require("by", "who set the rule");
        section.require("basis", "the document or decision that sets it");
        let name = section.parsed("name", "a name that no other [[conversion]] has", |name| {
            let taken = known.iter().any(|conversion| conversion.name == name);
            match name.trim() {
                "" => Err(Wrong::empty()),
                _ if taken => Err(Wrong::new(("is there already", "已有同名的换算规则"))),
                _ => Ok(name.to_owned()),
            }
        });
        let (by, basis) = (section.text("by"), section.text("basis"));
        let proportional = section.flag_or("proportional", false);
        let mut listed = section.sections("steps");
        if proportional != listed.is_empty() {
            let problem = (
                "needs either `proportional = true` or `steps`",
                "须写明 `proportional = true` 或 `steps`，二者取一",
            );
            let allowed =
                "proportional = true, or steps = [{ from_percent = 90, share_percent = 100 }, …]";
            section.note(Fault::new(section.head(), problem).allowed(allowed));
        }
        let mut steps: Vec<Step> = listed.iter_mut().filter_map(Step::read).collect();
        steps.sort_by_key(|step| std::cmp::Reverse(step.from_percent));
        Some(Conversion { name: name?, by: by?, basis: basis?, steps })
    }

    /// The points for a rate.
    pub fn apply(&self, rate: Percent, most: Points) -> Points {
        if self.steps.is_empty() {
            return rate.of(most);
        }
        let step = self.steps.iter().find(|step| rate >= step.from_percent);
        step.map_or(Points::ZERO, |step| step.share_percent.of(most))
    }
}

/// A rate under a key, 0 to 100 with at most two decimals.
pub(super) fn percent(section: &mut Section<'_>, key: &'static str) -> Option<Percent> {
    let number = section.float(key, 0.0..=100.0)?;
    let percent = Percent::from_number(number);
    if percent.is_none() {
        too_fine(section, key);
    }
    percent
}

/// Notes that a number has too many decimals.
pub(super) fn too_fine(section: &Section<'_>, key: &str) {
    let problem = ("has more than two decimals", "小数超过两位");
    section.note(Fault::new(section.place(key), problem).allowed("at most two decimals"));
}
