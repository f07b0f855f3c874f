//! The heating season: heat meters are expected to bring readings only inside it.

use crate::settings::{Wrong, write_it};

/// What a season may look like.
const ALLOWED: (&str, &str) = ("is no season", "不是供暖季");
const EXAMPLE: &str = "\"11-15..04-05\"";
/// Days of the months; 29 February belongs to a season that ends on it or spans it.
const DAYS: [u8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// A span of the year, first and last day included, through the new year when it ends earlier in
/// the year than it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Season {
    from: (u8, u8),
    to: (u8, u8),
}

impl Season {
    /// Reads `11-15..04-05`: month and day of the first and of the last day.
    ///
    /// # Errors
    /// It is no such text, or a date that no year has.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let wrong = || Wrong::hinted(ALLOWED, write_it(EXAMPLE));
        let (from, to) = text.split_once("..").ok_or_else(wrong)?;
        let date = |text: &str| {
            let (month, day) = text.trim().split_once('-')?;
            let (month, day) = (month.parse::<u8>().ok()?, day.parse::<u8>().ok()?);
            let days = *DAYS.get(usize::from(month).checked_sub(1)?)?;
            (1..=days).contains(&day).then_some((month, day))
        };
        match (date(from), date(to)) {
            (Some(from), Some(to)) => Ok(Self { from, to }),
            _ => Err(wrong()),
        }
    }

    /// As [`parse`](Self::parse) reads it.
    pub(super) fn text(self) -> String {
        let Self { from, to } = self;
        format!("{:02}-{:02}..{:02}-{:02}", from.0, from.1, to.0, to.1)
    }

    /// Whether the day of the year lies in it.
    pub(super) fn holds(self, month: u8, day: u8) -> bool {
        let date = (month, day);
        if self.from <= self.to {
            self.from <= date && date <= self.to
        } else {
            self.from <= date || date <= self.to
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_season_spans_the_new_year_and_holds_its_first_and_last_day() {
        let season = Season::parse("11-15..04-05").unwrap();
        for (month, day, inside) in
            [(11, 14, false), (11, 15, true), (12, 31, true), (2, 29, true), (4, 5, true)]
        {
            assert_eq!(season.holds(month, day), inside, "{month}-{day}");
        }
        assert_eq!(season.text(), "11-15..04-05");
        assert!(!season.holds(4, 6) && !season.holds(7, 1));
        assert!(Season::parse("06-01..08-31").unwrap().holds(7, 1));
    }

    #[test]
    fn a_text_that_is_no_season_is_refused() {
        for text in ["", "11-15", "11-15..", "13-01..04-05", "02-30..04-05", "11-00..04-05", "a..b"]
        {
            assert!(Season::parse(text).is_err(), "{text}");
        }
    }
}
