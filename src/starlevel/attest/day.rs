//! A natural day as people write it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::settings::Wrong;
use crate::starlevel::evidence::{date, day_named};

/// What a date looks like, for those who must write one.
pub(super) const DATE: &str = "a date in quotes, e.g. \"2026-05-01\"";

/// A natural day of the rule pack's time zone; `2026-05-01` wherever it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Day(u32);

impl Day {
    /// By its number, days since 1970-01-01.
    pub(in crate::starlevel) fn numbered(number: u32) -> Self {
        Self(number)
    }

    /// Reads `2026-05-01`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        if text.trim().is_empty() {
            return Err(Wrong::empty());
        }
        let day = day_named(text.trim()).map(Self);
        day.ok_or_else(|| Wrong::new(("is no date", "不是日期")))
    }

    /// The day so many days later.
    #[must_use]
    pub fn plus(self, days: u32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Days from here to another day; negative for one that is over.
    pub fn days_to(self, other: Day) -> i64 {
        i64::from(other.0) - i64::from(self.0)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&date(self.0))
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl TryFrom<String> for Day {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).map_err(|wrong| format!("`{text}` {}", wrong.problem.en))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_reads_back_as_it_is_written_and_nothing_else_is_a_day() {
        for text in ["1970-01-01", "2024-02-29", "2026-11-27"] {
            assert_eq!(Day::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Day::parse("2026-11-27").unwrap().0, 20_784);
        for text in ["", " ", "2026-02-29", "27.11.2026", "1969-12-31", "tomorrow"] {
            assert!(Day::parse(text).is_err(), "{text}");
        }
        assert_eq!(Day(10).plus(365).days_to(Day(10)), -365);
    }
}
