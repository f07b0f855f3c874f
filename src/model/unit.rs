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

    /// How many of `other` one of this unit is, when both measure the same: a `kW` is 1000 `W`.
    pub fn ratio(self, other: Unit) -> Option<f64> {
        let ((kind, size), (other_kind, other_size)) = (self.size()?, other.size()?);
        (kind == other_kind).then(|| {
            let ratio = size / other_size;
            // The nearest number of twelve figures: 1e-3 / 1e-6 is not quite 1000.
            format!("{ratio:.11e}").parse().unwrap_or(ratio)
        })
    }

    /// What it measures, and how large it is among its kind; none for units of their own.
    fn size(self) -> Option<(&'static str, f64)> {
        Some(match self.code() {
            "mV" => ("voltage", 0.001),
            "V" => ("voltage", 1.0),
            "mA" => ("current", 0.001),
            "A" => ("current", 1.0),
            "W" => ("power", 1.0),
            "kW" => ("power", 1000.0),
            "V.A" => ("apparent power", 1.0),
            "kV.A" => ("apparent power", 1000.0),
            "var" => ("reactive power", 1.0),
            "kvar" => ("reactive power", 1000.0),
            "W.h" => ("energy", 0.0036),
            "kW.h" => ("energy", 3.6),
            "MJ" => ("energy", 1.0),
            "GJ" => ("energy", 1000.0),
            "L" => ("volume", 0.001),
            "m3" => ("volume", 1.0),
            "L/h" => ("flow", 0.001),
            "L/min" => ("flow", 0.06),
            "m3/h" => ("flow", 1.0),
            "ug/m3" => ("mass in air", 0.001),
            "mg/m3" => ("mass in air", 1.0),
            "[ppb]" => ("share of air", 0.001),
            "[ppm]" => ("share of air", 1.0),
            "Pa" => ("pressure", 1.0),
            "hPa" => ("pressure", 100.0),
            "kPa" => ("pressure", 1000.0),
            "MPa" => ("pressure", 1e6),
            "ms" => ("time", 0.001),
            "s" => ("time", 1.0),
            "min" => ("time", 60.0),
            "h" => ("time", 3600.0),
            "d" => ("time", 86_400.0),
            "g" => ("mass", 0.001),
            "kg" => ("mass", 1.0),
            "mm" => ("length", 0.001),
            "cm" => ("length", 0.01),
            "m" => ("length", 1.0),
            _ => return None,
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_one_kind_have_a_ratio_and_others_have_none() {
        let unit = |code| Unit::parse(code).unwrap();
        for (from, to, ratio) in [
            ("kW", "W", Some(1000.0)),
            ("W", "kW", Some(0.001)),
            ("kW.h", "GJ", Some(0.0036)),
            ("kW.h", "MJ", Some(3.6)),
            ("mg/m3", "ug/m3", Some(1000.0)),
            ("L/min", "m3/h", Some(0.06)),
            ("d", "min", Some(1440.0)),
            ("V.A", "V.A", Some(1.0)),
            ("kW", "kvar", None),
            ("Cel", "K", None),
            ("1", "%", None),
        ] {
            assert_eq!(unit(from).ratio(unit(to)), ratio, "{from} {to}");
        }
    }
}
