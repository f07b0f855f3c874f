//! The clock of a simulated meter: set once, going on by itself.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp, tz};
use tokio::time::Instant;

use crate::protocol::MeterTime;

/// A meter's clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct MeterClock {
    set: DateTime,
    at: Option<Instant>,
}

impl MeterClock {
    /// China's time now; it goes on from the first look.
    pub fn now() -> Self {
        let zone = tz::offset(8).to_time_zone();
        Self { set: Timestamp::now().to_zoned(zone).datetime(), at: None }
    }

    /// Sets it; returns whether the calendar has that time.
    pub fn set(&mut self, time: MeterTime, at: Option<Instant>) -> bool {
        let small = |number: u8| i8::try_from(number).unwrap_or(i8::MAX);
        let set = i16::try_from(time.year).ok().and_then(|year| {
            let (month, day) = (small(time.month), small(time.day));
            let (hour, minute, second) = (small(time.hour), small(time.minute), small(time.second));
            DateTime::new(year, month, day, hour, minute, second, 0).ok()
        });
        if let Some(set) = set {
            *self = Self { set, at };
        }
        set.is_some()
    }

    /// What it shows.
    pub fn read(&mut self, at: Instant) -> MeterTime {
        let since = *self.at.get_or_insert(at);
        let passed = at.saturating_duration_since(since);
        let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::ZERO);
        let shown = self.set.checked_add(passed).unwrap_or(self.set);
        let small = |number: i8| number.unsigned_abs();
        MeterTime {
            year: shown.year().unsigned_abs(),
            month: small(shown.month()),
            day: small(shown.day()),
            hour: small(shown.hour()),
            minute: small(shown.minute()),
            second: small(shown.second()),
        }
    }

    /// Day of the week, Sunday is 0.
    pub fn weekday(&mut self, at: Instant) -> u8 {
        let time = self.read(at);
        let small = |number: u8| i8::try_from(number).unwrap_or(1);
        let year = i16::try_from(time.year).unwrap_or(2000);
        jiff::civil::Date::new(year, small(time.month), small(time.day))
            .map_or(0, |date| date.weekday().to_sunday_zero_offset().unsigned_abs())
    }
}
