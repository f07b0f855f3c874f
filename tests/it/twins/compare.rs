//! What a twin holds against what arrived.

use linli::model::{
    Derived, DeviceState, PointIndex, PointState, Quality, Reason, Rule, Test, Value, Worst,
};
use linli::profile::{Binding, Encoding, MeterPlace, PayloadFormat, RegisterSource};
use linli::sim::Device;

/// Whether a point is still to come.
pub fn awaited(held: &Device, slot: usize, state: &DeviceState) -> bool {
    // A text of a topic of its own that is kept back is not sent at all.
    let silent = match &held.profile().binding {
        Binding::Mqtt(model) => model
            .sources
            .get(slot)
            .is_some_and(|source| model.topics[source.topic].format == PayloadFormat::Text),
        _ => false,
    };
    state.points[slot].quality.is_none() && !(silent && held.withholds(slot))
}

/// The smallest step between two values that the model's encoding can hold near this one.
fn step(held: &Device, slot: usize, value: f64) -> f64 {
    let profile = held.profile();
    match &profile.binding {
        Binding::Modbus { sources, .. } => match sources.get(slot) {
            Some(source) => {
                let factor = source.scale.resolve(held.params()).abs();
                let raw = (value - source.scale.offset) / factor;
                match source.encoding {
                    Encoding::Float(2) => factor * raw.abs() * 2f64.powi(-23),
                    Encoding::Float(_) => factor * raw.abs() * 2f64.powi(-52),
                    _ => factor,
                }
            }
            None => 0.0,
        },
        // Messages have six digits behind the point.
        Binding::Mqtt(model) => model
            .sources
            .get(slot)
            .map_or(0.0, |source| source.scale.resolve(held.params()).abs() * 1e-6),
        Binding::Dlt645(model) => {
            model.sources.get(slot).map_or(0.0, |source| source.scale.resolve(held.params()).abs())
        }
        Binding::Cjt188(model) => model.sources.get(slot).map_or(0.0, |source| {
            let digit = match source.place {
                MeterPlace::Raw { .. } | MeterPlace::Hours => 1.0,
                MeterPlace::Flow => 1e-4,
                _ => 1e-2,
            };
            digit * source.scale.resolve(held.params()).abs()
        }),
    }
}

/// What a derived point must be, worked out from what the twin holds, and how far the inputs may
/// differ from it. Not by the code that the pipeline uses.
fn follows(held: &Device, derived: &Derived) -> (f64, f64) {
    let number = |input: &PointIndex| held.values()[input.slot()].number().unwrap();
    let digit = |input: &PointIndex| {
        let point = &held.profile().points[input.slot()];
        step(held, input.slot(), number(input)) + 10f64.powi(-i32::from(point.decimals))
    };
    let inputs: Vec<f64> = derived.of.iter().map(number).collect();
    let slack: f64 = derived.of.iter().map(digit).sum::<f64>() / 2.0;
    match &derived.rule {
        Rule::Sum => (inputs.iter().sum(), slack),
        Rule::Difference => (inputs[0] - inputs[1], slack),
        Rule::Ratio { factor } => {
            let value = inputs[0] / inputs[1] * factor;
            let near = digit(&derived.of[0]) / inputs[0].abs() + digit(&derived.of[1]) / inputs[1];
            (value, value.abs() * near.abs())
        }
        Rule::CountWhere(test) => {
            let passes = |value: &&f64| match test {
                Test::Equals(wanted) => **value == *wanted,
                Test::Above(limit) => **value > *limit,
                Test::Below(limit) => **value < *limit,
            };
            (inputs.iter().filter(passes).count() as f64, 0.0)
        }
        Rule::WorstOf(Worst::Highest) => (inputs.iter().copied().fold(f64::MIN, f64::max), slack),
        Rule::WorstOf(Worst::Lowest) => (inputs.iter().copied().fold(f64::MAX, f64::min), slack),
        Rule::WorstOf(Worst::Order(order)) => {
            (*order.iter().find(|code| inputs.contains(code)).unwrap(), 0.0)
        }
    }
}

/// What is wrong with what arrived of a point; nothing when it is what the twin holds.
pub fn differs(held: &Device, slot: usize, got: &PointState) -> Option<String> {
    let profile = held.profile();
    let derived = profile.derived.iter().find(|derived| derived.point.slot() == slot);
    let derived = derived.map(|derived| (follows(held, derived), derived.flag));
    let want = &match derived {
        None => held.values()[slot].clone(),
        Some(((number, _), true)) => Value::Flag(number != 0.0),
        Some(((number, _), false)) => Value::Number(number),
    };
    let told = || format!("expected {want} good, got {:?} {:?}", got.value, got.quality);
    if got.quality != Some(Quality::Good) {
        return Some(told());
    }
    let same = match (want, &got.value) {
        (Value::Number(want), Some(Value::Number(got))) => {
            let point = &profile.points[slot];
            let digits = 10f64.powi(-i32::from(point.decimals));
            let own = derived.map_or_else(|| step(held, slot, *want) / 2.0, |((_, most), _)| most);
            let most = own + digits / 2.0 + want.abs() * 1e-12;
            (want - got).abs() <= most
        }
        (want, got) => Some(want) == got.as_ref(),
    };
    (!same).then(told)
}

/// Whether a point cannot be had while `kept_back` is kept back: both stand in the same place.
pub fn shares(held: &Device, kept_back: usize, slot: usize) -> bool {
    let derived = held.profile().derived.iter().find(|derived| derived.point.slot() == slot);
    let lacks = |derived: &Derived| derived.of.iter().any(|input| held.withholds(input.slot()));
    if held.withholds(slot) || derived.is_some_and(lacks) {
        return true;
    }
    match &held.profile().binding {
        Binding::Modbus { sources, .. } => match (sources.get(kept_back), sources.get(slot)) {
            (Some(gone), Some(own)) => {
                let end = |source: &RegisterSource| {
                    u32::from(source.address) + u32::from(source.encoding.width())
                };
                own.table == gone.table
                    && u32::from(own.address) < end(gone)
                    && u32::from(gone.address) < end(own)
            }
            _ => false,
        },
        _ => false,
    }
}

/// What is wrong with what arrived of a point that is kept back.
pub fn unlike(held: &Device, slot: usize, got: &PointState) -> Option<String> {
    if held.profile().derived.iter().any(|derived| derived.point.slot() == slot) {
        let good = got.quality == Some(Quality::Good);
        return good.then(|| format!("follows from one that is kept back, got {got:?}"));
    }
    let text = match &held.profile().binding {
        Binding::Mqtt(model) => {
            let source = model.sources.get(slot)?;
            model.topics[source.topic].format == PayloadFormat::Text
        }
        _ => false,
    };
    let want = match &held.profile().binding {
        Binding::Modbus { .. } => Some(Quality::Bad(Reason::Refused)),
        Binding::Mqtt(_) if text => None,
        _ => Some(Quality::Bad(Reason::NotAvailable)),
    };
    (got.quality != want).then(|| format!("kept back: expected {want:?}, got {got:?}"))
}
