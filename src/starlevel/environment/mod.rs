//! What the environment sensors measured by the hour and by the day: means with their validity,
//! the air quality index of both editions of HJ 633, noise by day and night.
//!
//! All of it is a reference value (参考值): only ecology authorities publish an AQI. The numbers
//! stand in `config/air-quality.toml`.

mod aqi;
mod day;
mod hour;
mod judge;
mod noise;
mod parameter;
mod recorder;
mod report;
mod round;
mod rows;
mod station;
mod table;
#[cfg(test)]
mod tests;

pub use noise::NoiseZone;
pub(in crate::starlevel) use parameter::PARAMETERS;
pub use parameter::Parameter;
pub(in crate::starlevel) use recorder::{Recorder, rank};
pub use report::{AirClass, EnvironmentReport, StationReport};
