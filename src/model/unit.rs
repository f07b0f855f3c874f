//! Units as UCUM codes, with the sign that people read.

use std::fmt;

use serde::{Deserialize, Serialize};

/// UCUM code and the sign shown to people. <https://ucum.org/ucum>
const UNITS: &[(&str, &str)] = &[
    ("1", ""),
    ("%", "%"),
    ("V", "V"),
    ("mV", "mV"),
    ("A", "A"),
    ("mA", "mA"),
    ("W", "W"),
    ("kW", "kW"),
    ("V.A", "VA"),
    ("kV.A", "kVA"),
    ("var", "var"),
    ("kvar", "kvar"),
    ("Hz", "Hz"),
    ("W.h", "Wh"),
    ("kW.h", "kWh"),
    ("kV.A.h", "kVAh"),
    ("kvar.h", "kvarh"),
    ("MJ", "MJ"),
    ("GJ", "GJ"),
    ("Cel", "°C"),
    ("K", "K"),
    ("m3", "m³"),
    ("L", "L"),
    ("m3/h", "m³/h"),
    ("L/h", "L/h"),
    ("L/min", "L/min"),
    ("m/s", "m/s"),
    ("ug/m3", "µg/m³"),
    ("mg/m3", "mg/m³"),
    ("[ppm]", "ppm"),
    ("[ppb]", "ppb"),
    ("dB", "dB"),
    ("dB[10.nV]", "dBm"),
    ("lx", "lx"),
    ("Pa", "Pa"),
    ("hPa", "hPa"),
    ("kPa", "kPa"),
    ("MPa", "MPa"),
    ("deg", "°"),
    ("ms", "ms"),
    ("s", "s"),
    ("min", "min"),
    ("h", "h"),
    ("d", "d"),
    ("g", "g"),
    ("kg", "kg"),
    ("mm", "mm"),
    ("cm", "cm"),
    ("m", "m"),
    ("By", "B"),
];

/// Why a text is not a unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a known UCUM unit{meant}; known are {list}",
    meant = Unit::meant(.0), list = Unit::list()
)]
pub struct UnitError(pub String);

/// A unit of measure by its UCUM code, for instance `kW.h`; `1` for counts, codes and texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Unit(u8);

impl Unit {
    /// Dimensionless.
    pub const ONE: Unit = Unit(0);

    /// Finds the unit.
    ///
    /// # Errors
    /// [`UnitError`] names the text and the known codes.
    pub fn parse(code: &str) -> Result<Self, UnitError> {
        UNITS
            .iter()
            .position(|(c, _)| *c == code)
            .and_then(|slot| u8::try_from(slot).ok())
            .map(Unit)
            .ok_or_else(|| UnitError(code.to_owned()))
    }

    /// The UCUM code.
    pub fn code(self) -> &'static str {
        UNITS[usize::from(self.0)].0
    }

    /// What people read on the page; empty for dimensionless.
    pub fn sign(self) -> &'static str {
        UNITS[usize::from(self.0)].1
    }

    /// For those who write the sign instead of the code.
    fn meant(text: &str) -> String {
        let plain = |sign: &str| sign.to_lowercase().replace('µ', "u").replace('³', "3");
        let named = UNITS.iter().find(|(_, sign)| plain(sign) == plain(text));
        let named = named.or_else(|| match plain(text).as_str() {
            "c" | "degc" | "℃" => UNITS.iter().find(|(code, _)| *code == "Cel"),
            "volt" | "volts" => UNITS.iter().find(|(code, _)| *code == "V"),
            "amp" | "amps" | "ampere" => UNITS.iter().find(|(code, _)| *code == "A"),
            "watt" | "watts" => UNITS.iter().find(|(code, _)| *code == "W"),
            "m^3" => UNITS.iter().find(|(code, _)| *code == "m3"),
            _ => None,
        });
        named.map_or_else(String::new, |(code, _)| format!(", it is written `{code}`"))
    }

    fn list() -> String {
        let codes: Vec<&str> = UNITS.iter().map(|(code, _)| *code).collect();
        codes.join(" ")
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl TryFrom<String> for Unit {
    type Error = UnitError;
    fn try_from(code: String) -> Result<Self, UnitError> {
        Self::parse(&code)
    }
}

impl From<Unit> for String {
    fn from(unit: Unit) -> String {
        unit.code().to_owned()
    }
}
