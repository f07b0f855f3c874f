//! From readings to the mean of an hour.
//!
//! - The readings of a minute give its mean, so that irregular sampling weighs nothing.
//! - A minute counts as sampled when a good reading was taken in it, or when the period in which
//!   the sensor is expected to give a value still covers it since the last good reading, for
//!   [`MOST_HOLD`] minutes at most. The standards speak of minutes of sampling, not of messages:
//!   a sensor that gives a value every five minutes samples all of them; one that gives a value
//!   every ten minutes cannot make an hour valid.
//! - Sound levels are averaged as energy, minutes as hours.

use std::collections::BTreeMap;

use super::noise::{energy, level};
use super::parameter::{PARAMETERS, Parameter};
use super::table::Table;

/// Longest time that one reading stands for, minutes.
const MOST_HOLD: u64 = 5;

/// Minutes of one hour with a value, and the sum of their means.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Tally {
    /// One bit a minute.
    pub(super) taken: u64,
    pub(super) sum: f64,
}

impl Tally {
    pub(super) fn minutes(&self) -> u8 {
        u8::try_from(self.taken.count_ones()).unwrap_or(u8::MAX)
    }

    fn has(&self, minute: u32) -> bool {
        self.taken & (1 << minute) != 0
    }

    /// A minute that has a value already keeps it.
    fn take(&mut self, minute: u32, value: f64) {
        if !self.has(minute) {
            self.taken |= 1 << minute;
            self.sum += value;
        }
    }
}

/// What one hour brought.
pub(super) type Hour = [Tally; PARAMETERS];

/// Hours since 1970 in the zone of the rule pack, and what they brought.
pub(super) type Hours = BTreeMap<u32, Hour>;

/// The present minute of one parameter.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Track {
    /// Minutes that a reading stands for.
    hold: i64,
    /// The last reading: its minute since 1970, its value.
    pub(super) last: Option<(i64, f64)>,
    open: Option<(i64, f64, u32)>,
}

impl Track {
    /// Of a sensor from which a value is expected so often.
    pub(super) fn of(every: std::time::Duration) -> Self {
        let hold = every.as_secs().div_ceil(60).clamp(1, MOST_HOLD);
        Self { hold: i64::try_from(hold).unwrap_or(1), ..Self::default() }
    }

    /// A good reading in a minute since 1970.
    pub(super) fn read(
        &mut self,
        hours: &mut Hours,
        parameter: Parameter,
        minute: i64,
        value: f64,
    ) {
        let value = if parameter == Parameter::Laeq { energy(value) } else { value };
        if !value.is_finite() {
            return;
        }
        if let Some((open, sum, count)) = &mut self.open {
            if *open == minute {
                *sum += value;
                *count += 1;
                self.last = Some((minute, value));
                return;
            }
            if *open > minute {
                // The clock was set back, or the reading comes late.
                put(hours, parameter, minute, value);
                return;
            }
        }
        self.settle(hours, parameter, minute);
        self.last = Some((minute, value));
        if !has(hours, parameter, minute) {
            self.open = Some((minute, value, 1));
        }
    }

    /// Books every minute before `until`: the open one, and those that the last reading stands for.
    pub(super) fn settle(&mut self, hours: &mut Hours, parameter: Parameter, until: i64) {
        if let Some((minute, sum, count)) = self.open
            && minute < until
        {
            put(hours, parameter, minute, sum / f64::from(count));
            self.open = None;
        }
        let Some((last, value)) = self.last else { return };
        for minute in last + 1..(last + self.hold).min(until) {
            put(hours, parameter, minute, value);
        }
    }

    /// The hours as they would be if the gateway stopped now.
    pub(super) fn noted(&self, hour: u32, tally: &Tally) -> Tally {
        let mut tally = *tally;
        if let Some((minute, sum, count)) = self.open
            && hour_of(minute) == Some(hour)
        {
            tally.take(within(minute), sum / f64::from(count));
        }
        tally
    }

    /// Forgets what lies after a minute: the clock was far ahead.
    pub(super) fn take_back(&mut self, to: i64) {
        self.last = self.last.filter(|(minute, _)| *minute <= to);
        self.open = self.open.filter(|(minute, ..)| *minute <= to);
    }
}

/// The hour of a minute.
pub(super) fn hour_of(minute: i64) -> Option<u32> {
    u32::try_from(minute.div_euclid(60)).ok()
}

fn within(minute: i64) -> u32 {
    u32::try_from(minute.rem_euclid(60)).unwrap_or(0)
}

fn put(hours: &mut Hours, parameter: Parameter, minute: i64, value: f64) {
    if let Some(hour) = hour_of(minute) {
        let row = hours.entry(hour).or_default();
        row[parameter as usize].take(within(minute), value);
    }
}

fn has(hours: &Hours, parameter: Parameter, minute: i64) -> bool {
    let row = hour_of(minute).and_then(|hour| hours.get(&hour));
    row.is_some_and(|row| row[parameter as usize].has(within(minute)))
}

/// The hourly means of one station.
pub(super) struct HourMeans<'a> {
    pub(super) hours: &'a Hours,
    pub(super) table: &'a Table,
}

impl HourMeans<'_> {
    /// Minutes with a value.
    pub(super) fn minutes(&self, hour: u32, parameter: Parameter) -> u8 {
        self.hours.get(&hour).map_or(0, |row| row[parameter as usize].minutes())
    }

    /// The mean of an hour, not rounded; none with too few minutes.
    pub(super) fn value(&self, hour: u32, parameter: Parameter) -> Option<f64> {
        let tally = self.hours.get(&hour)?.get(parameter as usize)?;
        let minutes = tally.minutes();
        if minutes < self.table.validity.hour_min_minutes {
            return None;
        }
        let mean = tally.sum / f64::from(minutes);
        if parameter == Parameter::Laeq { level(mean) } else { Some(mean) }
    }
}
