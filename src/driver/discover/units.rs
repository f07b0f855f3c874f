//! Units as devices write them, as UCUM codes.

/// As devices write it → UCUM code, factor and offset to it.
const WRITTEN: &[(&str, &str, f64, f64)] = &[
    ("°C", "Cel", 1.0, 0.0),
    ("℃", "Cel", 1.0, 0.0),
    ("ºC", "Cel", 1.0, 0.0),
    ("C", "Cel", 1.0, 0.0),
    ("°F", "Cel", 5.0 / 9.0, -160.0 / 9.0),
    ("K", "K", 1.0, 0.0),
    ("%", "%", 1.0, 0.0),
    ("%RH", "%", 1.0, 0.0),
    ("V", "V", 1.0, 0.0),
    ("mV", "mV", 1.0, 0.0),
    ("kV", "V", 1000.0, 0.0),
    ("A", "A", 1.0, 0.0),
    ("mA", "mA", 1.0, 0.0),
    ("W", "W", 1.0, 0.0),
    ("kW", "kW", 1.0, 0.0),
    ("MW", "kW", 1000.0, 0.0),
    ("VA", "V.A", 1.0, 0.0),
    ("kVA", "kV.A", 1.0, 0.0),
    ("var", "var", 1.0, 0.0),
    ("VAr", "var", 1.0, 0.0),
    ("VAR", "var", 1.0, 0.0),
    ("kvar", "kvar", 1.0, 0.0),
    ("Hz", "Hz", 1.0, 0.0),
    ("Wh", "W.h", 1.0, 0.0),
    ("kWh", "kW.h", 1.0, 0.0),
    ("MWh", "kW.h", 1000.0, 0.0),
    ("kVAh", "kV.A.h", 1.0, 0.0),
    ("kvarh", "kvar.h", 1.0, 0.0),
    ("kVArh", "kvar.h", 1.0, 0.0),
    ("MJ", "MJ", 1.0, 0.0),
    ("GJ", "GJ", 1.0, 0.0),
    ("m³", "m3", 1.0, 0.0),
    ("m3", "m3", 1.0, 0.0),
    ("m^3", "m3", 1.0, 0.0),
    ("L", "L", 1.0, 0.0),
    ("l", "L", 1.0, 0.0),
    ("mL", "L", 0.001, 0.0),
    ("gal", "L", 3.785_411_784, 0.0),
    ("ft³", "m3", 0.028_316_846_592, 0.0),
    ("CCF", "m3", 2.831_684_659_2, 0.0),
    ("m³/h", "m3/h", 1.0, 0.0),
    ("m3/h", "m3/h", 1.0, 0.0),
    ("m³/min", "m3/h", 60.0, 0.0),
    ("m3/min", "m3/h", 60.0, 0.0),
    ("L/h", "L/h", 1.0, 0.0),
    ("L/min", "L/min", 1.0, 0.0),
    ("gal/min", "L/min", 3.785_411_784, 0.0),
    ("m/s", "m/s", 1.0, 0.0),
    ("km/h", "m/s", 1.0 / 3.6, 0.0),
    ("mph", "m/s", 0.447_04, 0.0),
    ("µg/m³", "ug/m3", 1.0, 0.0),
    ("μg/m³", "ug/m3", 1.0, 0.0),
    ("ug/m3", "ug/m3", 1.0, 0.0),
    ("µg/m3", "ug/m3", 1.0, 0.0),
    ("mg/m³", "mg/m3", 1.0, 0.0),
    ("mg/m3", "mg/m3", 1.0, 0.0),
    ("ppm", "[ppm]", 1.0, 0.0),
    ("ppb", "[ppb]", 1.0, 0.0),
    ("dB", "dB", 1.0, 0.0),
    ("dBA", "dB", 1.0, 0.0),
    ("dBm", "dB[10.nV]", 1.0, 0.0),
    ("lx", "lx", 1.0, 0.0),
    ("lux", "lx", 1.0, 0.0),
    ("Pa", "Pa", 1.0, 0.0),
    ("hPa", "hPa", 1.0, 0.0),
    ("mbar", "hPa", 1.0, 0.0),
    ("kPa", "kPa", 1.0, 0.0),
    ("bar", "kPa", 100.0, 0.0),
    ("psi", "kPa", 6.894_757, 0.0),
    ("MPa", "MPa", 1.0, 0.0),
    ("°", "deg", 1.0, 0.0),
    ("deg", "deg", 1.0, 0.0),
    ("ms", "ms", 1.0, 0.0),
    ("s", "s", 1.0, 0.0),
    ("sec", "s", 1.0, 0.0),
    ("seconds", "s", 1.0, 0.0),
    ("min", "min", 1.0, 0.0),
    ("minute", "min", 1.0, 0.0),
    ("minutes", "min", 1.0, 0.0),
    ("h", "h", 1.0, 0.0),
    ("Hr", "h", 1.0, 0.0),
    ("hour", "h", 1.0, 0.0),
    ("hours", "h", 1.0, 0.0),
    ("Hours", "h", 1.0, 0.0),
    ("d", "d", 1.0, 0.0),
    ("day", "d", 1.0, 0.0),
    ("days", "d", 1.0, 0.0),
    ("g", "g", 1.0, 0.0),
    ("kg", "kg", 1.0, 0.0),
    ("mm", "mm", 1.0, 0.0),
    ("cm", "cm", 1.0, 0.0),
    ("m", "m", 1.0, 0.0),
    ("meters", "m", 1.0, 0.0),
    ("km", "m", 1000.0, 0.0),
    ("B", "By", 1.0, 0.0),
    ("kB", "By", 1000.0, 0.0),
    ("lqi", "1", 1.0, 0.0),
    ("LQI", "1", 1.0, 0.0),
    ("AQI", "1", 1.0, 0.0),
    ("", "1", 1.0, 0.0),
];

/// UCUM codes of one dimension, each with its factor to the first of them.
const ALIKE: &[&[(&str, f64)]] = &[
    &[("V", 1.0), ("mV", 0.001)],
    &[("A", 1.0), ("mA", 0.001)],
    &[("W", 1.0), ("kW", 1000.0)],
    &[("V.A", 1.0), ("kV.A", 1000.0)],
    &[("var", 1.0), ("kvar", 1000.0)],
    &[("W.h", 1.0), ("kW.h", 1000.0), ("MJ", 1e6 / 3600.0), ("GJ", 1e9 / 3600.0)],
    &[("L", 1.0), ("m3", 1000.0)],
    &[("L/h", 1.0), ("L/min", 60.0), ("m3/h", 1000.0)],
    &[("ug/m3", 1.0), ("mg/m3", 1000.0)],
    &[("[ppb]", 1.0), ("[ppm]", 1000.0)],
    &[("Pa", 1.0), ("hPa", 100.0), ("kPa", 1000.0), ("MPa", 1e6)],
    &[("ms", 0.001), ("s", 1.0), ("min", 60.0), ("h", 3600.0), ("d", 86_400.0)],
    &[("g", 1.0), ("kg", 1000.0)],
    &[("mm", 1.0), ("cm", 10.0), ("m", 1000.0)],
];

/// The UCUM code of a unit, with factor and offset to it; `None` when nobody knows it.
pub(super) fn ucum(written: &str) -> Option<(&'static str, f64, f64)> {
    let written = written.trim();
    WRITTEN.iter().find(|row| row.0 == written).map(|row| (row.1, row.2, row.3))
}

/// The factor from one UCUM code to another; `None` when they measure different things.
pub(super) fn between(from: &str, to: &str) -> Option<f64> {
    if from == to {
        return Some(1.0);
    }
    ALIKE.iter().find_map(|row| {
        let of = |code: &str| row.iter().find(|known| known.0 == code).map(|known| known.1);
        Some(of(from)? / of(to)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Unit;

    #[test]
    fn every_code_is_a_unit_of_ours_and_factors_go_the_right_way() {
        for (written, code, ..) in WRITTEN {
            assert!(Unit::parse(code).is_ok(), "{written} {code}");
        }
        for (code, _) in ALIKE.iter().flat_map(|row| row.iter()) {
            assert!(Unit::parse(code).is_ok(), "{code}");
        }
        assert_eq!(between("W.h", "kW.h"), Some(0.001));
        assert_eq!(between("m3/h", "L/min").map(f64::round), Some(17.0));
        assert_eq!(between("V", "A"), None);
        let (code, factor, offset) = ucum("°F").unwrap();
        assert_eq!((code, (212.0 * factor + offset).round()), ("Cel", 100.0));
        assert_eq!(ucum("furlong"), None);
    }
}
