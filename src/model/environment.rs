//! Hourly and daily values of a station that measures the environment, as they are published.

use serde::{Deserialize, Serialize};

/// One averaged value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EnvironmentValue {
    /// What was measured, by the name that its points have: `pm25`, `laeq`.
    pub point: String,
    /// The mean (of noise, the energy mean; of ozone by day, the greatest mean of eight hours),
    /// rounded; absent when there are too few data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// UCUM code of its unit.
    pub unit: String,
    /// Of an hour, the minutes with data; of a day, the hours with a valid value.
    pub sampled: u8,
    /// Its individual air quality index, a reference value; absent for what has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iaqi: Option<u16>,
}

/// The values of an hour or a day with the air quality index that follows from them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EnvironmentValues {
    /// Each parameter that the station measures.
    pub values: Vec<EnvironmentValue>,
    /// Air quality index, a reference value; absent when a pollutant is missing and the greatest
    /// index of the others is not above 100 (HJ 633-2026, 5.3.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aqi: Option<u16>,
    /// Primary pollutants: those whose index is the AQI, when it is above 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub primary: Vec<String>,
    /// Pollutants of the AQI without an index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// The edition of HJ 633 in force on that day; absent for a station without a pollutant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<String>,
    /// Always true: reference values (参考值); only ecology authorities publish an AQI.
    pub reference: bool,
}

/// Noise of a day and of the night before it, energy means of hourly values.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NoiseLevels {
    /// Level of the day, 06:00 to 22:00, dB(A); absent with too few hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_db: Option<f64>,
    /// Hours of the day with a valid value.
    pub day_hours: u8,
    /// How far the day is above its limit, dB; 0 within it; absent when it is not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_over_db: Option<f64>,
    /// The limit of the day, dB(A).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_limit_db: Option<u8>,
    /// The date on which the night began that ended in the morning of this day.
    pub night: String,
    /// Level of that night, 22:00 to 06:00, dB(A); absent with too few hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub night_db: Option<f64>,
    /// Hours of the night with a valid value.
    pub night_hours: u8,
    /// How far the night is above its limit, dB; 0 within it; absent when it is not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub night_over_db: Option<f64>,
    /// The limit of the night, dB(A).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub night_limit_db: Option<u8>,
    /// The zone of GB 3096 that is configured; absent when none is: then nothing is judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// The values of a whole hour.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EnvironmentHour {
    /// When the hour began, milliseconds since 1970.
    pub hour_ms: i64,
    /// The values.
    #[serde(flatten)]
    pub air: EnvironmentValues,
}

/// The values of a whole day.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EnvironmentDay {
    /// The day, `2026-01-31`.
    pub day: String,
    /// The values.
    #[serde(flatten)]
    pub air: EnvironmentValues,
    /// Noise, where it is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<NoiseLevels>,
}
