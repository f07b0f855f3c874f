//! The rules of the risk grade, read from data. What is wrong with them is told as for a rule pack,
//! all of it at once.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::Code;
use crate::model::{Category, RiskGrade};
use crate::settings::read_text;
use crate::starlevel::fault::PackFault;

/// The rules built into the program: `config/risk.toml`.
pub const BUILT_IN: &str = include_str!("../../../config/risk.toml");

/// Most steps of one rule.
const MOST_STEPS: usize = 8;

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    version: String,
    grade: Limits,
    hold: Hold,
    events: Events,
    estate: EstateRule,
    weight: BTreeMap<Category, f64>,
    rule: Vec<Rule>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    medium: f64,
    high: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hold {
    down_after_s: u64,
    settle_s: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Events {
    single_per_hour: u32,
    list: usize,
}

/// When the estate as a whole has which grade.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EstateRule {
    pub(super) high_share: f64,
    pub(super) medium_share: f64,
    pub(super) safety: Vec<Category>,
}

/// What one fact weighs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) cause: Code,
    #[serde(default)]
    pub(super) family: Option<String>,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    from: f64,
    points: f64,
}

impl Rule {
    /// Points of a value: those of the last step that it reaches.
    pub(super) fn points(&self, value: f64) -> f64 {
        self.steps.iter().rev().find(|step| value >= step.from).map_or(0.0, |step| step.points)
    }
}

/// Rules without faults.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskRules(File);

impl RiskRules {
    /// The rules built into the program.
    pub fn built_in() -> Self {
        Self::parse("risk.toml", BUILT_IN).expect("the rules built in are read by a test")
    }

    /// Reads rules; `name` stands in the faults.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<PackFault>> {
        let file: File = read_text(text).map_err(|error| {
            let line = error.line(text);
            let fault = error.message().to_owned();
            vec![PackFault::Syntax { name: name.to_owned(), line, fault }]
        })?;
        let mut judge = Judge { name, faults: Vec::new() };
        judge.file(&file);
        judge.rules(&file.rule);
        if judge.faults.is_empty() { Ok(Self(file)) } else { Err(judge.faults) }
    }

    /// Identifier and version, for reports.
    pub fn title(&self) -> String {
        format!("{} {}", self.0.id, self.0.version)
    }

    pub(super) fn grade_of(&self, points: f64) -> RiskGrade {
        match points {
            points if points >= self.0.grade.high => RiskGrade::High,
            points if points >= self.0.grade.medium => RiskGrade::Medium,
            _ => RiskGrade::Low,
        }
    }

    pub(super) fn weight(&self, category: Category) -> f64 {
        self.0.weight.get(&category).copied().unwrap_or(1.0)
    }

    pub(super) fn rules(&self) -> &[Rule] {
        &self.0.rule
    }

    pub(super) fn estate(&self) -> &EstateRule {
        &self.0.estate
    }

    pub(super) fn down_after(&self) -> Duration {
        Duration::from_secs(self.0.hold.down_after_s)
    }

    pub(super) fn settle(&self) -> Duration {
        Duration::from_secs(self.0.hold.settle_s)
    }

    pub(super) fn single_per_hour(&self) -> u32 {
        self.0.events.single_per_hour
    }

    /// Most devices that a list names.
    pub fn most_listed(&self) -> usize {
        self.0.events.list
    }
}

/// Collects what well-formed rules mean wrongly.
struct Judge<'a> {
    name: &'a str,
    faults: Vec<PackFault>,
}

impl Judge<'_> {
    fn say(&mut self, place: impl Into<String>, fault: impl Into<String>) {
        self.faults.push(PackFault::Meaning {
            name: self.name.to_owned(),
            place: place.into(),
            fault: fault.into(),
        });
    }

    fn file(&mut self, file: &File) {
        let Limits { medium, high } = file.grade;
        if !(medium > 0.0 && high > medium && high <= 1000.0) {
            let fault = format!(
                "`medium` is {medium}, `high` is {high}; needed is 0 < medium < high, at most 1000"
            );
            self.say("[grade]", fault);
        }
        for (key, value, most) in [
            ("down_after_s", file.hold.down_after_s, 7 * 86_400),
            ("settle_s", file.hold.settle_s, 86_400),
        ] {
            if value > most {
                self.say("[hold]", format!("`{key}` is {value}, allowed is 0 to {most}"));
            }
        }
        if !(1..=1000).contains(&file.events.single_per_hour) {
            let value = file.events.single_per_hour;
            self.say("[events]", format!("`single_per_hour` is {value}, allowed is 1 to 1000"));
        }
        if !(1..=50).contains(&file.events.list) {
            let value = file.events.list;
            self.say("[events]", format!("`list` is {value}, allowed is 1 to 50"));
        }
        for (key, share) in
            [("high_share", file.estate.high_share), ("medium_share", file.estate.medium_share)]
        {
            if !(share > 0.0 && share <= 1.0) {
                self.say("[estate]", format!("`{key}` is {share}, allowed is above 0, at most 1"));
            }
        }
        for (category, weight) in &file.weight {
            if !(0.1..=10.0).contains(weight) {
                let fault = format!("`{category}` is {weight}, allowed is 0.1 to 10");
                self.say("[weight]", fault);
            }
        }
    }

    fn rules(&mut self, rules: &[Rule]) {
        for code in Code::ALL {
            let count = rules.iter().filter(|rule| rule.cause == code).count();
            if count != 1 {
                let place = format!("rule {}", code.word());
                self.say(place, format!("stands {count} times, must stand once"));
            }
        }
        for rule in rules {
            let place = format!("rule {}", rule.cause.word());
            if rule.steps.is_empty() || rule.steps.len() > MOST_STEPS {
                let count = rule.steps.len();
                self.say(&place, format!("has {count} steps, allowed are 1 to {MOST_STEPS}"));
            }
            for step in &rule.steps {
                if !(step.from.is_finite() && step.from >= 0.0) {
                    self.say(&place, format!("`from` is {}, allowed is 0 and more", step.from));
                }
                if !(0.0..=1000.0).contains(&step.points) {
                    self.say(&place, format!("`points` is {}, allowed is 0 to 1000", step.points));
                }
            }
            for pair in rule.steps.windows(2) {
                if pair[1].from <= pair[0].from || pair[1].points <= pair[0].points {
                    self.say(&place, "each step must begin later and weigh more than the last");
                }
            }
        }
    }
}
