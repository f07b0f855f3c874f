//! The usual figures: means and swings by unit and name, starts and rates of counters, texts.

use crate::model::Point;

/// The share of one phase: never quite equal.
pub(super) fn phase_share(name: &str) -> f64 {
    match name.rsplit_once('.').map(|(_, phase)| phase) {
        Some("L2") => 0.93,
        Some("L3") => 1.06,
        _ => 1.0,
    }
}

/// Whether a flag is usually set: what is powered, in service, ready.
pub(super) fn is_usually_set(name: &str) -> bool {
    let own = name.rsplit('.').next().unwrap_or(name);
    matches!(own, "externalPower" | "inService" | "on" | "enabled" | "cash" | "cashless")
}

/// The codes of a connector of a charger as often as they are met, that of charging first: while
/// the simulated load flows it is neither offline nor free (T/CEC 102).
pub(super) const CONNECTOR: [i64; 10] = [3, 3, 3, 3, 3, 3, 2, 4, 1, 255];

/// Whether a state is seldom anything but right.
pub(super) fn is_alarm(name: &str) -> bool {
    const WORDS: [&str; 18] = [
        "alarm",
        "smoke",
        "leak",
        "fault",
        "gas",
        "tamper",
        "error",
        "low",
        "monoxide",
        "vibration",
        "over",
        "burst",
        "severity",
        "needed",
        "empty",
        "reverse",
        "tilted",
        "muted",
    ];
    let name = name.to_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

/// Whether a state's label says that something is wrong with the device. Its states come and go by
/// chance: who looks at a demonstration should not see a bin burn every few minutes.
pub(super) fn is_harm(label: &str) -> bool {
    const WORDS: [&str; 6] = ["burning", "vandal", "dropped", "moved", "fault", "fire"];
    let label = label.to_lowercase();
    WORDS.iter().any(|word| label.contains(word))
}

/// A text of a form that fits the point, plainly of a simulated device.
pub(super) fn text(name: &str, number: u32) -> String {
    let name = name.to_lowercase();
    let ends = |words: &[&str]| words.iter().any(|word| name.ends_with(word));
    if ends(&["time", "timestamp", "date", "since"]) {
        let (hour, minute) = (number % 24, number % 60);
        format!("2026-01-02T{hour:02}:{minute:02}:05Z")
    } else if ends(&["messageid"]) {
        format!("371002000000000000202601020{number:03}")
    } else if ends(&["status", "state", "error"]) {
        "OK".to_owned()
    } else if ends(&["program", "playlist"]) {
        format!("notice-{number}")
    } else if ends(&["version", "firmware"]) {
        format!("1.{}", number % 10)
    } else {
        // Short enough for the smallest register text.
        format!("S{number:03}")
    }
}

/// Where a counter starts and how fast it climbs, in its unit.
pub(super) fn counter(point: &Point) -> (f64, f64) {
    let heat = ["hermal", "ooling", "eat"].iter().any(|part| point.name.contains(part));
    let (start, rate): (f64, f64) = match point.unit.code() {
        "kW.h" if heat => (40_000.0, 28.0 / 3_600.0),
        "kW.h" => (4_000.0, 2.0 / 3_600.0),
        "kvar.h" | "kV.A.h" => (1_500.0, 0.5 / 3_600.0),
        "W.h" => (4_000_000.0, 2_000.0 / 3_600.0),
        "MJ" => (20_000.0, 0.028),
        "GJ" => (200.0, 0.000_028),
        "m3" => (800.0, 0.000_2),
        "L" => (80_000.0, 0.05),
        "s" => (500_000.0, 1.0),
        "min" => (8_000.0, 1.0 / 60.0),
        "h" => (2_000.0, 1.0 / 3_600.0),
        _ => (100.0, 1.0 / 60.0),
    };
    let low = ["Export", "export", "eactive", "eturn"].iter().any(|part| point.name.contains(part));
    let (start, rate) = if low { (start * 0.1, rate * 0.1) } else { (start, rate) };
    let rate = point.max_rate.map_or(rate, |most| rate.min(most * 0.2));
    let start = point.range.map_or(start, |(low, high)| start.clamp(low, (low + high) / 2.0));
    (point.counter_max.map_or(start, |top| start.min(top / 2.0)), rate)
}

/// Mean and swing of a measured value, in its unit; what is set and not measured has no swing.
pub(super) fn typical(point: &Point) -> (f64, f64) {
    let name = point.name.to_lowercase();
    let figures = by_name(&name, point.unit.code()).or_else(|| by_unit(&name, point.unit.code()));
    let middle = |(low, high): (f64, f64)| ((low + high) / 2.0, (high - low) * 0.1);
    let (mean, swing) = figures.unwrap_or_else(|| point.range.map_or((10.0, 3.0), middle));
    match point.range {
        Some((low, high)) if mean < low || mean > high => middle((low, high)),
        _ => (mean, swing),
    }
}

fn by_name(name: &str, unit: &str) -> Option<(f64, f64)> {
    let has = |word: &str| name.contains(word);
    Some(match unit {
        "A" if has("limit") || has("setpoint") => (16.0, 0.0),
        "A" if has("neutral") => (0.6, 0.2),
        "V" if has("battery") => (3.3, 0.05),
        "V" if has("phasetophase") || has("linetoline") => (392.0, 3.0),
        "mV" if has("battery") => (3_300.0, 40.0),
        "%" if has("battery") => (84.0, 3.0),
        "%" if has("volume") || has("brightness") => (60.0, 0.0),
        "1" if has("factor") => (0.95, 0.02),
        "1" if has("linkquality") => (120.0, 25.0),
        "1" if has("error") || has("version") => (0.0, 0.0),
        "1" if has("phases") => (3.0, 0.0),
        "1" if has("free") => (12.0, 4.0),
        "1" if has("voc") => (100.0, 30.0),
        "kW" if has("thermal") || has("cooling") || has("heat") => (28.0, 6.0),
        "W" if has("thermal") || has("cooling") || has("heat") => (28_000.0, 6_000.0),
        "m3/h" if has("max") => (2.4, 0.0),
        "m3" if has("settlement") => (640.0, 0.0),
        "kW.h" | "MJ" if has("settlement") => (3_200.0, 0.0),
        "GJ" if has("settlement") => (90.0, 0.0),
        "s" if has("remaining") => (120_000_000.0, 0.0),
        "[ppm]" if has("o3") || has("ozone") => (0.04, 0.02),
        "[ppm]" if has("voc") => (0.4, 0.15),
        "[ppm]" if has("gas") => (4.0, 2.0),
        "ug/m3" if has("pm10") => (58.0, 20.0),
        "ug/m3" if has("formaldehyde") => (30.0, 10.0),
        "mg/m3" if has("formaldehyde") => (0.03, 0.01),
        "deg" if has("tilt") => (2.0, 0.0),
        "Cel" if has("supply") || has("forward") || has("inlet") => (62.0, 3.0),
        "Cel" if has("return") || has("outlet") => (41.0, 2.0),
        "m/s" if has("wind") => (2.6, 1.2),
        "cm" | "mm" if has("level") => (120.0, 8.0),
        "dB" if has("max") => (64.0, 5.0),
        "kg" => (60.0, 20.0),
        _ => return None,
    })
}

fn by_unit(name: &str, unit: &str) -> Option<(f64, f64)> {
    Some(match unit {
        "V" => (226.0, 2.5),
        "A" => (8.0, 4.0),
        "mA" => (8_000.0, 4_000.0),
        "W" => (1_720.0, 860.0),
        "kW" => (1.72, 0.86),
        "var" => (500.0, 250.0),
        "kvar" => (0.5, 0.25),
        "V.A" => (2_000.0, 1_000.0),
        "kV.A" => (2.0, 1.0),
        "Hz" => (50.0, 0.03),
        "%" => (55.0, 12.0),
        "Cel" => (22.0, 4.0),
        "m3/h" => (1.2, 0.6),
        "L/h" => (1_200.0, 600.0),
        "m/s" => (1.1, 0.4),
        "ug/m3" => (35.0, 15.0),
        "[ppm]" => (620.0, 150.0),
        "[ppb]" => (180.0, 60.0),
        "dB" => (52.0, 8.0),
        "dB[10.nV]" => (-62.0, 8.0),
        "hPa" => (1_013.0, 6.0),
        "lx" => (400.0, 250.0),
        "1" if !name.is_empty() => (20.0, 6.0),
        _ => return None,
    })
}
