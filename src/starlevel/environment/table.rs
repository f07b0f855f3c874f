//! The table of air quality and noise as data: `config/air-quality.toml`, built into the program.
//!
//! Concentrations are kept in tenths (of µg/m³, CO mg/m³), so that an index is exact.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use toml::value::Datetime;

use super::judge::faults;
use super::noise::NoiseZone;
use super::parameter::Parameter;
use crate::settings::read_text;

/// The table that is built into the program.
pub(super) const BUILT_IN: &str = include_str!("../../../config/air-quality.toml");

static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::parse(BUILT_IN).expect("the built-in table has no faults: tested"));

/// Which breakpoints count for a concentration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::starlevel) enum Row {
    So2Day,
    So2Hour,
    No2Day,
    No2Hour,
    CoDay,
    CoHour,
    /// Mean over eight hours.
    O3Eight,
    O3Hour,
    /// Mean over 24 hours; one hour uses it too.
    Pm10,
    /// Mean over 24 hours; one hour uses it too.
    Pm25,
}

impl Row {
    pub(super) const ALL: [Row; 10] = [
        Row::So2Day,
        Row::So2Hour,
        Row::No2Day,
        Row::No2Hour,
        Row::CoDay,
        Row::CoHour,
        Row::O3Eight,
        Row::O3Hour,
        Row::Pm10,
        Row::Pm25,
    ];

    /// As it is written in the table.
    pub(super) fn word(self) -> &'static str {
        match self {
            Row::So2Day => "so2_24h",
            Row::So2Hour => "so2_1h",
            Row::No2Day => "no2_24h",
            Row::No2Hour => "no2_1h",
            Row::CoDay => "co_24h",
            Row::CoHour => "co_1h",
            Row::O3Eight => "o3_8h",
            Row::O3Hour => "o3_1h",
            Row::Pm10 => "pm10_24h",
            Row::Pm25 => "pm25_24h",
        }
    }
}

/// What stands above the last breakpoint of a row.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum Above {
    /// This index.
    Index(u16),
    /// Another row speaks then.
    Row(String),
}

/// One edition of HJ 633 as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Edition {
    /// Its name.
    pub(super) id: String,
    pub(super) from: Datetime,
    pub(super) until: Option<Datetime>,
    pub(super) status: String,
    so2_24h: Vec<i64>,
    so2_1h: Vec<i64>,
    pub(super) so2_1h_above: Above,
    no2_24h: Vec<i64>,
    no2_1h: Vec<i64>,
    co_24h: Vec<i64>,
    co_1h: Vec<i64>,
    o3_8h: Vec<i64>,
    pub(super) o3_8h_above: Above,
    o3_1h: Vec<i64>,
    pm10_24h: Vec<i64>,
    pm25_24h: Vec<i64>,
    /// The least AQI.
    pub(super) least: u16,
}

impl Edition {
    /// Breakpoints of a row, whole µg/m³ (CO mg/m³).
    pub(super) fn row(&self, row: Row) -> &[i64] {
        match row {
            Row::So2Day => &self.so2_24h,
            Row::So2Hour => &self.so2_1h,
            Row::No2Day => &self.no2_24h,
            Row::No2Hour => &self.no2_1h,
            Row::CoDay => &self.co_24h,
            Row::CoHour => &self.co_1h,
            Row::O3Eight => &self.o3_8h,
            Row::O3Hour => &self.o3_1h,
            Row::Pm10 => &self.pm10_24h,
            Row::Pm25 => &self.pm25_24h,
        }
    }

    /// First day, days since 1970.
    pub(super) fn first(&self) -> Option<i64> {
        day(&self.from)
    }

    /// Last day; none while it is in force.
    pub(super) fn last(&self) -> Option<i64> {
        self.until.as_ref().and_then(day)
    }
}

/// A range of AQI with its names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::starlevel) struct Class {
    /// Last AQI that belongs to it.
    pub(in crate::starlevel) max: u16,
    /// `一级` … `六级`.
    pub(in crate::starlevel) level: String,
    pub(in crate::starlevel) zh: String,
    pub(in crate::starlevel) en: String,
    pub(in crate::starlevel) colour_zh: String,
    pub(in crate::starlevel) colour_en: String,
    /// `#RRGGBB`.
    pub(in crate::starlevel) rgb: String,
}

/// An index that something must exceed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Threshold {
    pub(super) aqi_above: u16,
    pub(super) status: String,
}

/// How much data a value needs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Validity {
    pub(super) hour_min_minutes: u8,
    pub(super) o3_8h_min_hours: u8,
    pub(super) day_min_hours: u8,
    pub(super) status: String,
}

/// The state to which concentrations of gases refer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReferenceState {
    pub(super) kelvin: f64,
    pub(super) kilopascal: f64,
    /// J/(mol K).
    pub(super) gas_constant: f64,
    /// g/mol by pollutant.
    pub(super) molar_mass: BTreeMap<String, f64>,
    pub(super) status: String,
}

/// Limits of noise by zone.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Noise {
    /// Day and night, dB(A).
    pub(super) limits: BTreeMap<String, [u8; 2]>,
    pub(super) status: String,
    pub(super) day_from_hour: u8,
    pub(super) night_from_hour: u8,
    pub(super) day_min_hours: u8,
    pub(super) night_min_hours: u8,
}

/// The whole table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::starlevel) struct Table {
    /// The index at each breakpoint.
    pub(super) steps: Vec<u16>,
    pub(super) edition: Vec<Edition>,
    pub(super) missing: Threshold,
    pub(super) primary: Threshold,
    pub(super) class: Vec<Class>,
    pub(super) validity: Validity,
    pub(super) reference_state: ReferenceState,
    pub(super) noise: Noise,
}

impl Table {
    /// The table that is built into the program.
    pub(in crate::starlevel) fn built_in() -> &'static Table {
        &TABLE
    }

    /// Reads a table; what is wrong is named, all at once, with place, value and what is allowed.
    pub(super) fn parse(text: &str) -> Result<Self, Vec<String>> {
        let table: Table =
            read_text(text).map_err(|error| vec![format!("line {}: {error}", error.line(text))])?;
        let faults = faults(&table);
        if faults.is_empty() { Ok(table) } else { Err(faults) }
    }

    /// The edition in force on a day, days since 1970; none before the first.
    pub(super) fn edition_on(&self, on: u32) -> Option<&Edition> {
        let on = i64::from(on);
        self.edition.iter().find(|edition| {
            edition.first().is_some_and(|first| first <= on)
                && edition.last().is_none_or(|last| on <= last)
        })
    }

    /// The class of an AQI, or of a single index.
    pub(in crate::starlevel) fn class(&self, index: u16) -> Option<&Class> {
        self.class.iter().find(|class| index <= class.max)
    }

    /// Litres of a mole of gas in the reference state.
    pub(super) fn molar_volume(&self) -> f64 {
        let state = &self.reference_state;
        state.gas_constant * state.kelvin / state.kilopascal
    }

    /// g/mol of a gas that the table names.
    pub(super) fn molar_mass(&self, parameter: Parameter) -> Option<f64> {
        self.reference_state.molar_mass.get(parameter.word()).copied()
    }

    /// Limits of a zone, dB(A): day, night.
    pub(super) fn noise_limits(&self, zone: NoiseZone) -> [u8; 2] {
        self.noise.limits.get(zone.word()).copied().expect("the table names every zone: judged")
    }
}

/// Days since 1970 of a date without time.
pub(super) fn day(date: &Datetime) -> Option<i64> {
    let (Some(date), None, None) = (date.date, date.time, date.offset) else { return None };
    let month = i8::try_from(date.month).ok()?;
    let date =
        jiff::civil::Date::new(i16::try_from(date.year).ok()?, month, i8::try_from(date.day).ok()?);
    let since = date.ok()?.since((jiff::Unit::Day, jiff::civil::date(1970, 1, 1)));
    since.ok().map(|span| i64::from(span.get_days()))
}
