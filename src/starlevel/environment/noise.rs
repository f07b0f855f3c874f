//! Noise: levels are averaged as energy, by day and by night, and held against the limits of the
//! zone in which the city's zoning puts the estate (GB 3096-2008).

use std::fmt;

use super::hour::HourMeans;
use super::parameter::Parameter;
use super::round::half_even;
use super::table::Table;
use crate::model::NoiseLevels;

/// A zone of the acoustic environment by GB 3096.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoiseZone {
    /// Convalescent areas that need special quiet.
    Zero,
    /// Mainly housing, schools, hospitals.
    One,
    /// Housing mixed with trade and markets.
    Two,
    /// Industry and storage.
    Three,
    /// Beside main roads.
    FourA,
    /// Beside railways.
    FourB,
}

impl NoiseZone {
    /// All of them.
    pub const ALL: [NoiseZone; 6] = [
        NoiseZone::Zero,
        NoiseZone::One,
        NoiseZone::Two,
        NoiseZone::Three,
        NoiseZone::FourA,
        NoiseZone::FourB,
    ];

    /// As it is written in the settings: `0` `1` `2` `3` `4a` `4b`.
    pub fn word(self) -> &'static str {
        match self {
            NoiseZone::Zero => "0",
            NoiseZone::One => "1",
            NoiseZone::Two => "2",
            NoiseZone::Three => "3",
            NoiseZone::FourA => "4a",
            NoiseZone::FourB => "4b",
        }
    }

    /// The zone of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|zone| zone.word() == word)
    }
}

impl fmt::Display for NoiseZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The energy of a level: `10^(L/10)`.
pub(super) fn energy(level: f64) -> f64 {
    10f64.powf(level / 10.0)
}

/// The level of an energy, dB; `None` when there is none.
pub(super) fn level(energy: f64) -> Option<f64> {
    (energy > 0.0).then(|| 10.0 * energy.log10()).filter(|level| level.is_finite())
}

/// The energy mean of hourly levels, dB to one digit, and of how many hours; no level with fewer
/// hours than `least`.
fn mean(levels: impl Iterator<Item = Option<f64>>, least: u8) -> (Option<f64>, u8) {
    let (sum, count) = levels
        .flatten()
        .fold((0.0, 0u8), |(sum, count), level| (sum + energy(level), count.saturating_add(1)));
    let enough = count > 0 && count >= least;
    let mean = enough.then(|| level(sum / f64::from(count))).flatten();
    (mean.and_then(|level| half_even(level, 1)), count)
}

/// Day and night levels as they stand at the end of a day: of the day itself, and of the night
/// that began on the day before and ended in the morning (a night belongs to the day on which it
/// begins). `first` is the first hour of the day, `night` the date on which the night began.
pub(super) fn levels(
    means: &HourMeans<'_>,
    first: u32,
    night: String,
    zone: Option<NoiseZone>,
    table: &Table,
) -> NoiseLevels {
    let rules = &table.noise;
    let (from, until) = (u32::from(rules.day_from_hour), u32::from(rules.night_from_hour));
    let of = |hour: u32| means.value(hour, Parameter::Laeq);
    let (day_db, day_hours) = mean((first + from..first + until).map(of), rules.day_min_hours);
    let dark = (first + until).saturating_sub(24)..first + from;
    let (night_db, night_hours) = mean(dark.map(of), rules.night_min_hours);
    let limits = zone.map(|zone| table.noise_limits(zone));
    let over = |level: Option<f64>, limit: Option<u8>| {
        let over = level? - f64::from(limit?);
        half_even(over.max(0.0), 1)
    };
    let (day_limit, night_limit) = (limits.map(|[day, _]| day), limits.map(|[_, night]| night));
    NoiseLevels {
        day_db,
        day_hours,
        day_over_db: over(day_db, day_limit),
        day_limit_db: day_limit,
        night,
        night_db,
        night_hours,
        night_over_db: over(night_db, night_limit),
        night_limit_db: night_limit,
        zone: zone.map(|zone| zone.word().to_owned()),
    }
}
