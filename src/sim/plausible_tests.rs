//! What the simulated devices of all built-in profiles do over a day.

use super::Device;
use crate::model::{Quantity, Value};
use crate::profile::Library;

/// What is wrong with a value of a point.
fn absurd(device: &Device, slot: usize, before: &Value) -> Option<String> {
    let point = &device.profile().points[slot];
    let now = &device.values()[slot];
    match (point.quantity, now) {
        (_, Value::Number(number)) if !number.is_finite() => Some("no number".to_owned()),
        (_, Value::Number(number))
            if point.range.is_some_and(|(low, high)| *number < low || *number > high) =>
        {
            Some(format!("out of {:?}", point.range))
        }
        (Quantity::Counter, Value::Number(number)) => {
            let fell = before.number().is_some_and(|before| *number < before);
            fell.then(|| format!("a counter that fell from {before}"))
        }
        #[expect(clippy::cast_precision_loss, reason = "codes are small")]
        (Quantity::State, Value::Number(number)) => {
            let known = point.labels.iter().any(|label| label.code as f64 == *number);
            (!known && !point.labels.is_empty()).then(|| "a code without a label".to_owned())
        }
        (Quantity::Text, Value::Text(text)) => {
            let time = point.name.ends_with("Time");
            let right = !time || text.parse::<jiff::Timestamp>().is_ok();
            (!right || text.is_empty()).then(|| "a text of another form".to_owned())
        }
        _ => None,
    }
}

/// Values that contradict each other.
fn torn(device: &Device) -> Vec<String> {
    let points = device.profile().points.iter().zip(device.values());
    let of = |unit: &str, base: &str| -> Vec<f64> {
        let wanted = points.clone().filter(|(point, _)| {
            point.unit.code() == unit
                && point
                    .name
                    .strip_prefix(base)
                    .is_some_and(|rest| matches!(rest, ".L1" | ".L2" | ".L3"))
        });
        wanted.filter_map(|(_, value)| value.number()).collect()
    };
    let spread = |values: &[f64]| {
        let (low, high) = values
            .iter()
            .fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(*value), high.max(*value)));
        if values.len() < 2 { 0.0 } else { (high - low) / high.abs().max(1e-9) }
    };
    let mut wrong = Vec::new();
    if spread(&of("V", "phaseVoltage")) > 0.05 {
        wrong.push(format!("phases far apart: {:?} V", of("V", "phaseVoltage")));
    }
    if spread(&of("A", "current")) > 0.4 {
        wrong.push(format!("phases far apart: {:?} A", of("A", "current")));
    }
    let number = |name: &str| {
        let found = points.clone().find(|(point, _)| &*point.name == name);
        found.and_then(|(point, value)| Some((value.number()?, point.unit.code(), point.decimals)))
    };
    let parts = of("W", "activePower");
    if let Some((total, "W", decimals)) = number("totalActivePower")
        && parts.len() == 3
    {
        let off = (total - parts.iter().sum::<f64>()).abs();
        if off > 2.0 * 10f64.powi(-i32::from(decimals)) {
            wrong.push(format!("{total} W in total of {parts:?}"));
        }
    }
    if let (Some((active, "W", _)), Some((apparent, "V.A", _))) =
        (number("totalActivePower"), number("totalApparentPower"))
        && active > apparent
    {
        wrong.push(format!("{active} W of {apparent} VA"));
    }
    wrong
}

#[test]
fn the_values_of_every_profile_stay_plausible_for_a_day() {
    let library = Library::built_in();
    let mut wrong = Vec::new();
    for profile in library.iter() {
        for seed in [1, 7] {
            let mut device = Device::new(std::sync::Arc::clone(profile), seed);
            for _ in 0..96 {
                let before = device.values().to_vec();
                device.step(900.0);
                for (slot, point) in profile.points.iter().enumerate() {
                    // What follows is calculated by the gateway, a counter may roll over.
                    let derived = profile.derived.iter().any(|d| d.point.slot() == slot);
                    let rolls = point.counter_max.is_some() && point.quantity == Quantity::Counter;
                    if let Some(why) =
                        absurd(&device, slot, &before[slot]).filter(|_| !derived && !rolls)
                    {
                        wrong.push(format!(
                            "{}, {}: {}: {why}",
                            profile.id,
                            point.name,
                            device.values()[slot]
                        ));
                    }
                }
                wrong.extend(torn(&device).iter().map(|why| format!("{}: {why}", profile.id)));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    let count = wrong.len();
    wrong.truncate(40);
    assert!(wrong.is_empty(), "{count} values make no sense:\n{}", wrong.join("\n"));
}
