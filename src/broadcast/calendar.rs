//! Drills on a calendar: announced in advance, begun on time by the clock of China, told when they
//! did not take place.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time, Weekday};
use jiff::{ToSpan as _, Zoned};
use serde::{Deserialize, Serialize};

use super::message::time;

/// A drill that begins later than this after its time does not begin.
const LATE_MS: i64 = 10 * 60 * 1000;
/// Days that are looked ahead for the next one: a leap day comes within eight years.
const HORIZON_DAYS: i64 = 8 * 366 + 2;

/// On which days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Days {
    /// One day of the year.
    Yearly {
        /// From 1.
        month: i8,
        /// From 1.
        day: i8,
    },
    /// A weekday of the month.
    Monthly {
        /// Which of them, from 1; -1 for the last.
        nth: i8,
        /// Which day.
        weekday: Weekday,
    },
}

impl Days {
    /// Reads `05-12`, or `first saturday`, `last friday`.
    pub fn parse(text: &str) -> Option<Self> {
        let both = |a: &str, b: &str| Some((a.parse().ok()?, b.parse().ok()?));
        if let Some((month, day)) = text.split_once('-').and_then(|(a, b)| both(a, b)) {
            // 2024 has every day that a year can have.
            Date::new(2024, month, day).ok()?;
            return Some(Self::Yearly { month, day });
        }
        let (nth, weekday) = text.split_once(' ')?;
        let nth = match nth {
            "first" => 1,
            "second" => 2,
            "third" => 3,
            "fourth" => 4,
            "last" => -1,
            _ => return None,
        };
        let weekday = match weekday.trim() {
            "monday" => Weekday::Monday,
            "tuesday" => Weekday::Tuesday,
            "wednesday" => Weekday::Wednesday,
            "thursday" => Weekday::Thursday,
            "friday" => Weekday::Friday,
            "saturday" => Weekday::Saturday,
            "sunday" => Weekday::Sunday,
            _ => return None,
        };
        Some(Self::Monthly { nth, weekday })
    }

    fn is(&self, date: Date) -> bool {
        match self {
            Self::Yearly { month, day } => (date.month(), date.day()) == (*month, *day),
            Self::Monthly { nth, weekday } => {
                date.nth_weekday_of_month(*nth, *weekday).is_ok_and(|found| found == date)
            }
        }
    }
}

/// A drill of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drill {
    /// What people call it.
    pub name: String,
    /// On which days.
    pub days: Days,
    /// At which time, by the clock of China.
    pub at: Time,
    /// The template that is played.
    pub template: String,
    /// Where; everywhere when empty.
    pub zones: Vec<String>,
    /// How long before it is announced, milliseconds.
    pub notice_ms: i64,
}

impl Drill {
    /// The first time after a moment, milliseconds since 1970.
    pub fn after(&self, unix_ms: i64) -> Option<i64> {
        let begin: Zoned = time::at(unix_ms)?;
        let mut date = begin.date();
        for _ in 0..HORIZON_DAYS {
            if self.days.is(date) {
                let planned = date.to_datetime(self.at).to_zoned(time::china()).ok()?;
                let ms = planned.timestamp().as_millisecond();
                if ms > unix_ms {
                    return Some(ms);
                }
            }
            date = date.checked_add(1.day()).ok()?;
        }
        None
    }
}

/// What is kept about one drill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// Everything up to this time was dealt with.
    pub done_ms: i64,
    /// The time that was announced last.
    pub announced_ms: i64,
}

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// It is ahead.
    Announce {
        /// Which drill.
        drill: usize,
        /// When it begins.
        at_ms: i64,
    },
    /// It begins.
    Begin {
        /// Which drill.
        drill: usize,
        /// When it should.
        at_ms: i64,
    },
    /// The gateway was not there.
    Missed {
        /// Which drill.
        drill: usize,
        /// When it should have been.
        at_ms: i64,
    },
}

/// The drills, and what was dealt with.
#[derive(Debug, Clone, Default)]
pub struct Calendar {
    drills: Vec<Drill>,
    kept: BTreeMap<String, Kept>,
    /// The next time of each, as far as it is worked out.
    next: Vec<Option<i64>>,
}

impl Calendar {
    /// Goes on with what is kept, by the drills' names.
    pub fn new(drills: Vec<Drill>, mut kept: BTreeMap<String, Kept>) -> Self {
        kept.retain(|name, _| drills.iter().any(|drill| drill.name == *name));
        let next = vec![None; drills.len()];
        Self { drills, kept, next }
    }

    /// The drills, each with its next time.
    pub fn drills(&self) -> impl Iterator<Item = (&Drill, Option<i64>)> {
        self.drills.iter().zip(self.next.iter().copied())
    }

    /// One of them.
    pub fn drill(&self, place: usize) -> Option<&Drill> {
        self.drills.get(place)
    }

    /// What is to be kept.
    pub fn kept(&self) -> &BTreeMap<String, Kept> {
        &self.kept
    }

    /// What is due by a trusted clock; what is returned is dealt with.
    pub fn due(&mut self, now_ms: i64) -> Vec<Due> {
        let mut all = Vec::new();
        for (slot, drill) in self.drills.iter().enumerate() {
            // A drill that is new has nothing to make up for.
            let kept = self
                .kept
                .entry(drill.name.clone())
                .or_insert(Kept { done_ms: now_ms, announced_ms: 0 });
            let mut planned = self.next[slot].or_else(|| drill.after(kept.done_ms));
            while let Some(at_ms) = planned.filter(|at| *at <= now_ms) {
                kept.done_ms = at_ms;
                planned = drill.after(at_ms);
                let newest = planned.is_none_or(|next| next > now_ms);
                match now_ms - at_ms {
                    late if late <= LATE_MS => all.push(Due::Begin { drill: slot, at_ms }),
                    // Of a long absence only the newest is told.
                    _ if newest => all.push(Due::Missed { drill: slot, at_ms }),
                    _ => {}
                }
            }
            self.next[slot] = planned;
            if let Some(at_ms) = planned
                && at_ms - now_ms <= drill.notice_ms
                && kept.announced_ms != at_ms
            {
                kept.announced_ms = at_ms;
                all.push(Due::Announce { drill: slot, at_ms });
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn drill(days: &str) -> Drill {
        Drill {
            name: "yearly".into(),
            days: Days::parse(days).unwrap(),
            at: jiff::civil::time(10, 0, 0, 0),
            template: "drill".into(),
            zones: Vec::new(),
            notice_ms: 24 * HOUR,
        }
    }

    fn ms(text: &str) -> i64 {
        time::civil(text).unwrap()
    }

    #[test]
    fn days_of_the_year_and_of_the_month_are_found() {
        for (days, from, next) in [
            ("05-12", "2026-01-02 00:00:00", "2026-05-12 10:00:00"),
            ("05-12", "2026-05-12 10:00:00", "2027-05-12 10:00:00"),
            ("02-29", "2026-01-02 00:00:00", "2028-02-29 10:00:00"),
            ("first saturday", "2026-01-02 00:00:00", "2026-01-03 10:00:00"),
            ("last friday", "2026-01-31 00:00:00", "2026-02-27 10:00:00"),
        ] {
            assert_eq!(drill(days).after(ms(from)), Some(ms(next)), "{days}");
        }
        for wrong in ["13-01", "02-30", "fifth monday", "first", "5", ""] {
            assert_eq!(Days::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_drill_is_announced_once_and_begins_once_also_across_a_restart() {
        let begin = ms("2026-05-12 10:00:00");
        let mut calendar = Calendar::new(vec![drill("05-12")], BTreeMap::new());
        assert_eq!(calendar.due(begin - 30 * HOUR), []);
        assert_eq!(calendar.due(begin - 23 * HOUR), [Due::Announce { drill: 0, at_ms: begin }]);
        assert_eq!(calendar.due(begin - 22 * HOUR), []);
        let mut calendar = Calendar::new(vec![drill("05-12")], calendar.kept().clone());
        assert_eq!(calendar.due(begin - 21 * HOUR), []);
        assert_eq!(calendar.due(begin + 1000), [Due::Begin { drill: 0, at_ms: begin }]);
        let mut calendar = Calendar::new(vec![drill("05-12")], calendar.kept().clone());
        assert_eq!(calendar.due(begin + 2000), []);
    }

    #[test]
    fn what_was_missed_is_told_once_and_not_made_up_for() {
        let begin = ms("2026-05-12 10:00:00");
        let mut calendar = Calendar::new(vec![drill("first monday")], BTreeMap::new());
        assert_eq!(calendar.due(begin), []);
        let due = calendar.due(begin + 100 * 24 * HOUR);
        assert_eq!(due.len(), 1, "{due:?}");
        assert!(matches!(due[0], Due::Missed { .. }));
    }
}
