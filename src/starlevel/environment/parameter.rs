//! What environment sensors measure, by the names that profiles give it, and how a point's unit
//! becomes the one in which the value is judged.

use serde::{Deserialize, Serialize};

use super::table::{Row, Table};
use crate::model::{Point, Unit};
use crate::starlevel::Bilingual;

/// Something that is averaged by the hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Parameter {
    /// Fine particles, µg/m³.
    Pm25,
    /// Particles up to 10 µm, µg/m³.
    Pm10,
    /// Sulphur dioxide, µg/m³.
    So2,
    /// Nitrogen dioxide, µg/m³.
    No2,
    /// Carbon monoxide, mg/m³.
    Co,
    /// Ozone, µg/m³.
    O3,
    /// Equivalent continuous sound level, A-weighted, dB.
    Laeq,
    /// Air temperature, °C.
    Temperature,
    /// Relative humidity, %.
    RelativeHumidity,
    /// Wind speed, m/s.
    WindSpeed,
}

/// Number of parameters.
pub(in crate::starlevel) const PARAMETERS: usize = Parameter::ALL.len();

impl Parameter {
    /// All, in the order in which they are shown.
    pub const ALL: [Parameter; 10] = [
        Parameter::Pm25,
        Parameter::Pm10,
        Parameter::So2,
        Parameter::No2,
        Parameter::Co,
        Parameter::O3,
        Parameter::Laeq,
        Parameter::Temperature,
        Parameter::RelativeHumidity,
        Parameter::WindSpeed,
    ];

    /// The pollutants of which an AQI is made.
    pub(super) const POLLUTANTS: [Parameter; 6] = [
        Parameter::Pm25,
        Parameter::Pm10,
        Parameter::So2,
        Parameter::No2,
        Parameter::Co,
        Parameter::O3,
    ];

    /// The name of the point, as profiles write it.
    pub fn word(self) -> &'static str {
        match self {
            Parameter::Pm25 => "pm25",
            Parameter::Pm10 => "pm10",
            Parameter::So2 => "so2",
            Parameter::No2 => "no2",
            Parameter::Co => "co",
            Parameter::O3 => "o3",
            Parameter::Laeq => "laeq",
            Parameter::Temperature => "temperature",
            Parameter::RelativeHumidity => "relativeHumidity",
            Parameter::WindSpeed => "windSpeed",
        }
    }

    /// For people.
    pub fn names(self) -> Bilingual {
        let (zh, en) = match self {
            Parameter::Pm25 => ("PM2.5", "PM2.5"),
            Parameter::Pm10 => ("PM10", "PM10"),
            Parameter::So2 => ("二氧化硫", "SO₂"),
            Parameter::No2 => ("二氧化氮", "NO₂"),
            Parameter::Co => ("一氧化碳", "CO"),
            Parameter::O3 => ("臭氧", "O₃"),
            Parameter::Laeq => ("等效声级 LAeq", "noise LAeq"),
            Parameter::Temperature => ("温度", "temperature"),
            Parameter::RelativeHumidity => ("相对湿度", "relative humidity"),
            Parameter::WindSpeed => ("风速", "wind speed"),
        };
        Bilingual::new(zh, en)
    }

    /// UCUM code of the unit in which it is averaged.
    pub fn unit(self) -> &'static str {
        match self {
            Parameter::Co => "mg/m3",
            Parameter::Laeq => "dB",
            Parameter::Temperature => "Cel",
            Parameter::RelativeHumidity => "%",
            Parameter::WindSpeed => "m/s",
            _ => "ug/m3",
        }
    }

    /// The sign of its unit that people read.
    pub fn sign(self) -> &'static str {
        Unit::parse(self.unit()).map_or("", Unit::sign)
    }

    /// Digits after the point of its hourly and daily values: pollutants as HJ 633 rounds them,
    /// the others to one.
    pub fn decimals(self) -> u8 {
        match self {
            Parameter::Co => 1,
            _ if self.is_pollutant() => 0,
            _ => 1,
        }
    }

    pub(super) fn is_pollutant(self) -> bool {
        Self::POLLUTANTS.contains(&self)
    }

    /// The parameter that a point measures; upper and lower case are the same.
    pub(in crate::starlevel) fn of_point(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|parameter| parameter.word().eq_ignore_ascii_case(name))
    }

    /// The breakpoints of an hourly value.
    pub(super) fn hour_row(self) -> Option<Row> {
        Some(match self {
            Parameter::Pm25 => Row::Pm25,
            Parameter::Pm10 => Row::Pm10,
            Parameter::So2 => Row::So2Hour,
            Parameter::No2 => Row::No2Hour,
            Parameter::Co => Row::CoHour,
            Parameter::O3 => Row::O3Hour,
            _ => return None,
        })
    }

    /// The breakpoints of a daily value: of ozone, of the greatest mean over eight hours.
    pub(super) fn day_row(self) -> Option<Row> {
        Some(match self {
            Parameter::Pm25 => Row::Pm25,
            Parameter::Pm10 => Row::Pm10,
            Parameter::So2 => Row::So2Day,
            Parameter::No2 => Row::No2Day,
            Parameter::Co => Row::CoDay,
            Parameter::O3 => Row::O3Eight,
            _ => return None,
        })
    }
}

/// From a point's unit to the parameter's: `value * factor + offset`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Conversion {
    factor: f64,
    offset: f64,
}

impl Conversion {
    /// How the point's values become the parameter's, or why they cannot.
    ///
    /// A share of the air (ppb, ppm) becomes a mass in the reference state of the table,
    /// `M / (R*T/p)`; that holds for gases only.
    pub(super) fn of(
        point: &Point,
        parameter: Parameter,
        table: &Table,
    ) -> Result<Self, Bilingual> {
        let wanted = Unit::parse(parameter.unit()).map_err(|error| {
            let text = error.to_string();
            Bilingual::new(text.clone(), text)
        })?;
        let plain = |factor| Ok(Self { factor, offset: 0.0 });
        if point.unit == wanted {
            return plain(1.0);
        }
        if let Some(ratio) = point.unit.ratio(wanted) {
            return plain(ratio);
        }
        match (parameter, point.unit.code()) {
            (Parameter::Temperature, "K") => Ok(Self { factor: 1.0, offset: -273.15 }),
            (Parameter::RelativeHumidity, "1") => plain(100.0),
            (gas, "[ppb]" | "[ppm]") if table.molar_mass(gas).is_some() => {
                let mass = table.molar_mass(gas).unwrap_or_default();
                let of_ppb = mass / table.molar_volume();
                let in_ppb = if point.unit.code() == "[ppm]" { 1000.0 } else { 1.0 };
                let in_wanted = if wanted.code() == "mg/m3" { 1000.0 } else { 1.0 };
                plain(of_ppb * in_ppb / in_wanted)
            }
            (_, has) => Err(Bilingual::new(
                format!("测点 {} 的单位 {has} 不能换算为 {}", point.name, wanted.code()),
                format!("point {} in `{has}` cannot become `{}`", point.name, wanted.code()),
            )),
        }
    }

    pub(super) fn apply(self, value: f64) -> f64 {
        value * self.factor + self.offset
    }
}
