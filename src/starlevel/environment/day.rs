//! The values of an hour and of a day as they are published and kept.
//!
//! Daily values are means of hourly means that are not rounded before. Ozone is the greatest mean
//! of eight hours in a row that lie within the day. HJ 663 is said to ask for a least number of
//! such windows a day; that was not read, and is not asked here.

use super::hour::HourMeans;
use super::noise::{self, NoiseZone};
use super::parameter::Parameter;
use super::round::half_even;
use crate::model::{EnvironmentDay, EnvironmentValue, EnvironmentValues};

/// Hours of the sliding mean of ozone.
const WINDOW: u32 = 8;

/// The values of one hour; `on` is its day.
pub(super) fn of_hour(
    means: &HourMeans<'_>,
    measured: &[Parameter],
    hour: u32,
    on: u32,
) -> EnvironmentValues {
    let values = measured.iter().map(|&parameter| {
        let value = means.value(hour, parameter);
        let iaqi = parameter
            .hour_row()
            .zip(value)
            .and_then(|(row, value)| means.table.iaqi(row, value, on));
        shown(parameter, value, means.minutes(hour, parameter), iaqi)
    });
    indexed(means, values.collect(), on)
}

/// The values of one day; `first` is its first hour, `dates` are the day and the day before.
pub(super) fn of_day(
    means: &HourMeans<'_>,
    measured: &[Parameter],
    on: u32,
    first: u32,
    dates: (String, String),
    zone: Option<NoiseZone>,
) -> EnvironmentDay {
    let averaged = measured.iter().filter(|parameter| **parameter != Parameter::Laeq);
    let values = averaged.map(|&parameter| {
        let hours = valid_hours(means, parameter, first);
        let value = if parameter == Parameter::O3 {
            ozone(means, first)
        } else {
            mean(means, parameter, first)
        };
        let iaqi = parameter.day_row().zip(value).and_then(|(row, value)| {
            if parameter == Parameter::O3 {
                let of_hour = |hour| means.value(hour, Parameter::O3);
                let most = (first..first + 24).filter_map(of_hour).reduce(f64::max);
                means.table.iaqi_ozone_day(value, most, on)
            } else {
                means.table.iaqi(row, value, on)
            }
        });
        shown(parameter, value, hours, iaqi)
    });
    let air = indexed(means, values.collect(), on);
    let (day, night) = dates;
    let noise = measured
        .contains(&Parameter::Laeq)
        .then(|| noise::levels(means, first, night, zone, means.table));
    EnvironmentDay { day, air, noise }
}

fn shown(
    parameter: Parameter,
    value: Option<f64>,
    sampled: u8,
    iaqi: Option<u16>,
) -> EnvironmentValue {
    EnvironmentValue {
        point: parameter.word().to_owned(),
        value: value.and_then(|value| half_even(value, parameter.decimals())),
        unit: parameter.unit().to_owned(),
        sampled,
        iaqi,
    }
}

fn indexed(means: &HourMeans<'_>, values: Vec<EnvironmentValue>, on: u32) -> EnvironmentValues {
    let any = Parameter::POLLUTANTS.iter().any(|p| values.iter().any(|v| v.point == p.word()));
    let single =
        |parameter: Parameter| values.iter().find(|value| value.point == parameter.word())?.iaqi;
    let index = if any { means.table.index(single, on) } else { Default::default() };
    let words = |list: Vec<Parameter>| list.into_iter().map(|p| p.word().to_owned()).collect();
    EnvironmentValues {
        aqi: index.aqi,
        primary: words(index.primary),
        missing: words(index.missing),
        edition: index.edition,
        reference: true,
        values,
    }
}

/// Hours of a day with a value.
pub(super) fn valid_hours(means: &HourMeans<'_>, parameter: Parameter, first: u32) -> u8 {
    let valid = (first..first + 24).filter(|hour| means.value(*hour, parameter).is_some());
    u8::try_from(valid.count()).unwrap_or(u8::MAX)
}

/// The mean of the valid hours of a day, when they are enough.
fn mean(means: &HourMeans<'_>, parameter: Parameter, first: u32) -> Option<f64> {
    over(means, parameter, first, 24, means.table.validity.day_min_hours)
}

/// The greatest mean of eight hours that lie within the day.
fn ozone(means: &HourMeans<'_>, first: u32) -> Option<f64> {
    let least = means.table.validity.o3_8h_min_hours;
    (first..=first + 24 - WINDOW)
        .filter_map(|begin| over(means, Parameter::O3, begin, WINDOW, least))
        .reduce(f64::max)
}

fn over(
    means: &HourMeans<'_>,
    parameter: Parameter,
    first: u32,
    hours: u32,
    least: u8,
) -> Option<f64> {
    let valid = (first..first + hours).filter_map(|hour| means.value(hour, parameter));
    let (sum, count) = valid.fold((0.0, 0u8), |(sum, count), value| (sum + value, count + 1));
    (count > 0 && count >= least).then(|| sum / f64::from(count))
}
