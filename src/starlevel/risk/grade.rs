//! From facts to a grade: a pure function.

use serde::Deserialize;

use super::rules::RiskRules;
use super::words;
use crate::model::{Category, RiskCause, RiskGrade};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident => $word:literal;)*) => {
        /// What may raise a device's risk.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
        pub(in crate::starlevel) enum Code {
            $($(#[$doc])* #[serde(rename = $word)] $name,)*
        }

        impl Code {
            pub(super) const ALL: [Code; [$(Code::$name),*].len()] = [$(Code::$name),*];

            /// The word in the rules and in the stream.
            pub(super) fn word(self) -> &'static str {
                match self { $(Code::$name => $word,)* }
            }
        }
    };
}

codes! {
    /// Seconds since it does not answer.
    Offline => "offline";
    /// Seconds since the start without any answer.
    NeverHeard => "never_heard";
    /// Seconds since some answers are missing.
    Degraded => "degraded";
    /// Age of the last good value, in expected periods.
    Stale => "stale";
    /// Share of today's readings that are not good.
    NotGood => "not_good";
    /// Counters that are held back.
    CounterSuspect => "counter_suspect";
    /// Findings of the wiring doctor that name it.
    Wiring => "wiring";
    /// Findings of its whole line.
    Line => "line";
    /// Share of the last seven days in which it was not online.
    OfflineShare => "offline_share";
    /// Open red alarms.
    AlarmRed => "alarm_red";
    /// Open orange alarms.
    AlarmOrange => "alarm_orange";
    /// Open yellow alarms.
    AlarmYellow => "alarm_yellow";
    /// Open blue alarms.
    AlarmBlue => "alarm_blue";
    /// Alarms of the last 30 days.
    AlarmsRecent => "alarms_recent";
}

/// What is known about one device: per fact its value, in the unit of its [`Code`]. A fact that is
/// absent is not there; what nobody measured raises nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::starlevel) struct Inputs {
    facts: Vec<(Code, f64)>,
}

impl Inputs {
    /// Adds a fact; zero and less is none.
    pub(in crate::starlevel) fn put(&mut self, code: Code, value: f64) {
        if value.is_finite() && (value > 0.0 || code == Code::Offline) {
            self.facts.push((code, value));
        }
    }

    pub(super) fn value(&self, code: Code) -> Option<f64> {
        self.facts.iter().find(|(known, _)| *known == code).map(|(_, value)| *value)
    }
}

/// A grade and what gave it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Graded {
    pub(super) grade: RiskGrade,
    pub(super) points: f64,
    /// What counted, the weightiest first.
    pub(super) causes: Vec<Code>,
}

impl Graded {
    /// The causes in words, with their figures.
    pub(super) fn explain(&self, inputs: &Inputs) -> Vec<RiskCause> {
        let told = self.causes.iter().map(|&code| {
            let (zh, en) = words::cause(code, inputs.value(code).unwrap_or(0.0));
            RiskCause { code: code.word().to_owned(), zh, en }
        });
        told.collect()
    }
}

/// The grade of a device of this category with these facts.
pub(super) fn grade(rules: &RiskRules, category: Category, inputs: &Inputs) -> Graded {
    let weigh = rules.rules().iter().filter_map(|rule| {
        let points = rule.points(inputs.value(rule.cause)?);
        (points > 0.0).then_some((points, rule))
    });
    let mut counted: Vec<_> = weigh.collect();
    // Stable: of equal points the rule that stands first leads.
    counted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut families: Vec<&str> = Vec::new();
    counted.retain(|(_, rule)| match rule.family.as_deref() {
        Some(family) if families.contains(&family) => false,
        Some(family) => {
            families.push(family);
            true
        }
        None => true,
    });
    let sum: f64 = counted.iter().map(|(points, _)| points).sum();
    let points = sum * rules.weight(category);
    let causes = counted.iter().map(|(_, rule)| rule.cause).collect();
    Graded { grade: rules.grade_of(points), points, causes }
}
