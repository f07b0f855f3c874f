//! How shares, values and bounds of checks are written for people, on every page.

use super::assessment::{Bilingual, CheckResult, Outcome};
use super::pack::{Direction, Measure};

/// `98.7 %`, rounded down: what is shown never claims more than was measured.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", (share * 1000.0 + 1e-9).floor() / 10.0)
}

impl Outcome {
    /// The word for people.
    pub fn words(self) -> Bilingual {
        let (zh, en) = match self {
            Outcome::Met => ("达标", "Met"),
            Outcome::NotMet => ("未达标", "Not met"),
            Outcome::Unknown => ("证据不足", "Unknown"),
            Outcome::NotApplicable => ("不适用", "Not applicable"),
        };
        Bilingual::new(zh, en)
    }
}

impl CheckResult {
    /// A value in the check's unit: `98.7 %`, `30 秒`.
    pub fn value_words(&self, value: Measure) -> Bilingual {
        let same = |text: String| Bilingual::new(text.clone(), text);
        match (value, self.unit.as_deref()) {
            (Measure::Flag(true), _) => Bilingual::new("是", "yes"),
            (Measure::Flag(false), _) => Bilingual::new("否", "no"),
            (Measure::Number(share), Some("share")) => same(percent(share)),
            (Measure::Number(n), Some("s")) => Bilingual::new(format!("{n} 秒"), format!("{n} s")),
            (Measure::Number(n), Some("h")) => {
                Bilingual::new(format!("{n} 小时"), format!("{n} h"))
            }
            (Measure::Number(n), Some("d")) => {
                Bilingual::new(format!("{n} 天"), format!("{n} days"))
            }
            (Measure::Number(number), _) => same(number.to_string()),
        }
    }

    /// A value that is needed: `≥ 95.0 %`.
    pub fn bound_words(&self, needed: Measure) -> Bilingual {
        let sign = match self.dir {
            Direction::Ge => "≥ ",
            Direction::Le => "≤ ",
            Direction::True => "",
        };
        let value = self.value_words(needed);
        Bilingual::new(format!("{sign}{}", value.zh), format!("{sign}{}", value.en))
    }

    /// The English title may be a whole definition; its first clause names the check.
    pub fn short_en(&self) -> &str {
        self.title.en.split([':', '(', ';']).next().unwrap_or_default().trim()
    }
}
