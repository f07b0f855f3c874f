//! What a simulated device does: counters climb with power, measured values swing around a mean,
//! states change now and then. Seeded, so that a run can be repeated.

use std::collections::BTreeSet;
use std::f64::consts::TAU;
use std::sync::Arc;

use crate::model::{Point, Quantity, Value};
use crate::profile::{Binding, Code, Profile};

/// How one value moves.
#[derive(Debug, Clone)]
enum Behaviour {
    /// Climbs by `per_second`, times the present power over its mean if the device has a power.
    Climb { per_second: f64, with_power: bool },
    /// `mean + swing * sin(…) + noise`.
    Wave { mean: f64, swing: f64, period_s: f64, phase: f64 },
    /// Stays at the first most of the time and changes about every `dwell_s`.
    Codes { codes: Vec<i64>, dwell_s: f64, flag: bool },
    /// Stays.
    Fixed,
}

/// A simulated device.
#[derive(Debug, Clone)]
pub struct Device {
    profile: Arc<Profile>,
    params: Vec<f64>,
    behaviours: Vec<Behaviour>,
    values: Vec<Value>,
    withheld: BTreeSet<usize>,
    power: Option<usize>,
    elapsed_s: f64,
    dice: fastrand::Rng,
}

impl Device {
    /// A device of the model with the model's default parameters.
    pub fn new(profile: Arc<Profile>, seed: u64) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed);
        let params = profile.params.iter().map(|param| param.default).collect();
        let points = &profile.points;
        let power = points.iter().position(is_power);
        let mut behaviours = Vec::with_capacity(points.len());
        let mut values = Vec::with_capacity(points.len());
        for (slot, point) in points.iter().enumerate() {
            let (behaviour, value) = begin(&profile, slot, point, power.is_some(), &mut dice);
            behaviours.push(behaviour);
            values.push(value);
        }
        let withheld = BTreeSet::new();
        Self { profile, params, behaviours, values, withheld, power, elapsed_s: 0.0, dice }
    }

    /// Its model.
    pub fn profile(&self) -> &Arc<Profile> {
        &self.profile
    }

    /// The values of the model's parameters, in their order.
    pub fn params(&self) -> &[f64] {
        &self.params
    }

    /// The present values, in the order of the profile's points.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// Sets a value by the point's place; it goes on from there.
    pub fn set(&mut self, point: usize, value: Value) {
        self.values[point] = value;
    }

    /// Keeps a point back from now on, as a device that does not have it: a register is refused, a
    /// field of a meter or message says that there is nothing.
    pub fn withhold(&mut self, point: usize) {
        self.withheld.insert(point);
    }

    /// Whether a point is kept back.
    pub fn withholds(&self, point: usize) -> bool {
        self.withheld.contains(&point)
    }

    /// The first counter, if it has one.
    pub fn counter(&self) -> Option<usize> {
        self.profile.points.iter().position(|point| point.quantity == Quantity::Counter)
    }

    /// Lets `seconds` pass.
    pub fn step(&mut self, seconds: f64) {
        self.elapsed_s += seconds;
        for slot in 0..self.values.len() {
            if !matches!(self.behaviours[slot], Behaviour::Climb { .. }) {
                self.move_one(slot, seconds, 1.0);
            }
        }
        let load = self.power_over_mean();
        for slot in 0..self.values.len() {
            if matches!(self.behaviours[slot], Behaviour::Climb { .. }) {
                self.move_one(slot, seconds, load);
            }
        }
    }

    fn power_over_mean(&self) -> f64 {
        let Some(slot) = self.power else { return 1.0 };
        match (&self.behaviours[slot], self.values[slot].number()) {
            (Behaviour::Wave { mean, .. }, Some(now)) if *mean > 0.0 => (now / mean).max(0.0),
            _ => 1.0,
        }
    }

    fn move_one(&mut self, slot: usize, seconds: f64, load: f64) {
        let point = &self.profile.points[slot];
        match &self.behaviours[slot] {
            Behaviour::Climb { per_second, with_power } => {
                let Some(now) = self.values[slot].number() else { return };
                let load = if *with_power { load } else { 1.0 };
                let mut next = now + per_second * load * seconds;
                if let Some(top) = point.counter_max
                    && next > top
                {
                    next -= top;
                }
                self.values[slot] = Value::Number(next);
            }
            Behaviour::Wave { mean, swing, period_s, phase } => {
                let angle = TAU * self.elapsed_s / period_s + phase;
                let noise = (self.dice.f64() - 0.5) * swing * 0.1;
                let mut next = mean + swing * angle.sin() + noise;
                if let (Some(now), Some(most)) = (self.values[slot].number(), point.max_rate) {
                    let most = most * seconds * 0.5;
                    next = next.clamp(now - most, now + most);
                }
                self.values[slot] = Value::Number(within(point, next));
            }
            Behaviour::Codes { codes, dwell_s, flag } => {
                if self.dice.f64() < seconds / dwell_s {
                    let code = codes[self.dice.usize(..codes.len())];
                    self.values[slot] = state(code, *flag);
                }
            }
            Behaviour::Fixed => {}
        }
    }
}

fn is_power(point: &Point) -> bool {
    point.quantity == Quantity::Instantaneous && matches!(point.unit.code(), "W" | "kW")
}

fn state(code: i64, flag: bool) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "codes are small")]
    if flag { Value::Flag(code != 0) } else { Value::Number(code as f64) }
}

fn within(point: &Point, value: f64) -> f64 {
    let value = point.range.map_or(value, |(low, high)| value.clamp(low, high));
    let scale = 10f64.powi(i32::from(point.decimals));
    (value * scale).round() / scale
}

/// What a source says about a point beyond its quantity.
fn source(profile: &Profile, slot: usize) -> (&[Code], bool) {
    match &profile.binding {
        Binding::Modbus { sources, .. } => (&sources[slot].codes, sources[slot].flag),
        Binding::Mqtt(model) => (&model.sources[slot].codes, model.sources[slot].flag),
        Binding::Dlt645(model) => (&model.sources[slot].codes, model.sources[slot].flag),
        Binding::Cjt188(model) => (&model.sources[slot].codes, model.sources[slot].flag),
    }
}

fn begin(
    profile: &Profile,
    slot: usize,
    point: &Point,
    has_power: bool,
    dice: &mut fastrand::Rng,
) -> (Behaviour, Value) {
    let (codes, flag) = source(profile, slot);
    match point.quantity {
        Quantity::Text => (Behaviour::Fixed, text(profile, codes, dice)),
        Quantity::State => {
            let mut known: Vec<i64> = codes.iter().map(|code| code.code).collect();
            if known.is_empty() {
                known = point.labels.iter().map(|label| label.code).collect();
            }
            if known.is_empty() {
                known = if flag { vec![0, 0, 0, 1] } else { vec![0] };
            }
            let first = state(known[0], flag);
            (Behaviour::Codes { codes: known, dwell_s: 90.0, flag }, first)
        }
        Quantity::Counter => {
            let (start, per_second) = counter(point);
            let with_power = has_power && point.unit.code().ends_with(".h");
            let start = start * (0.5 + dice.f64());
            (Behaviour::Climb { per_second, with_power }, Value::Number(within(point, start)))
        }
        Quantity::Instantaneous => {
            let (mean, swing) = typical(point);
            let spread = 0.95 + 0.1 * dice.f64();
            // The mains have one frequency for all.
            let mean = if point.unit.code() == "Hz" { mean } else { mean * spread };
            let wave = Behaviour::Wave {
                mean,
                swing,
                period_s: 60.0 + 240.0 * dice.f64(),
                phase: TAU * dice.f64(),
            };
            (wave, Value::Number(within(point, mean)))
        }
    }
}

fn text(profile: &Profile, codes: &[Code], dice: &mut fastrand::Rng) -> Value {
    match codes.first() {
        Some(code) => Value::Text(code.raw.as_str().into()),
        // Short enough for the smallest register text, and plainly of a simulated device.
        None => Value::Text(format!("S{:03}", dice.u32(..1000) ^ (profile.id.len() as u32)).into()),
    }
}

/// Where a counter starts and how fast it climbs, in its unit.
fn counter(point: &Point) -> (f64, f64) {
    let (start, rate): (f64, f64) = match point.unit.code() {
        "kW.h" | "kvar.h" | "kV.A.h" => (4_000.0, 2.0 / 3_600.0),
        "W.h" => (4_000_000.0, 2_000.0 / 3_600.0),
        "MJ" => (20_000.0, 0.01),
        "GJ" => (200.0, 0.000_05),
        "m3" => (800.0, 0.000_2),
        "L" => (80_000.0, 0.05),
        "s" => (500_000.0, 1.0),
        "min" => (8_000.0, 1.0 / 60.0),
        "h" => (2_000.0, 1.0 / 3_600.0),
        _ => (100.0, 1.0 / 60.0),
    };
    let low_rate = ["Export", "export", "eactive"].iter().any(|part| point.name.contains(part));
    let rate = if low_rate { rate * 0.1 } else { rate };
    let rate = point.max_rate.map_or(rate, |most| rate.min(most * 0.2));
    let start = point.range.map_or(start, |(low, high)| start.clamp(low, (low + high) / 2.0));
    (point.counter_max.map_or(start, |top| start.min(top / 2.0)), rate)
}

/// Mean and swing of a measured value, in its unit.
fn typical(point: &Point) -> (f64, f64) {
    let name = point.name.to_lowercase();
    let between = name.contains("phasetophase") || name.contains("linetoline");
    let (mean, swing) = match point.unit.code() {
        "V" if between => (398.0, 3.0),
        "V" => (230.0, 2.5),
        "A" => (8.0, 4.0),
        "mA" => (8_000.0, 4_000.0),
        "W" => (1_800.0, 900.0),
        "kW" => (1.8, 0.9),
        "var" | "V.A" => (300.0, 120.0),
        "kvar" | "kV.A" => (0.3, 0.12),
        "Hz" => (50.0, 0.03),
        "%" => (55.0, 12.0),
        "Cel" if name.contains("supply") || name.contains("forward") || name.contains("inlet") => {
            (62.0, 3.0)
        }
        "Cel" if name.contains("return") || name.contains("outlet") => (41.0, 2.0),
        "Cel" => (22.0, 4.0),
        "m3/h" => (1.2, 0.6),
        "L/h" => (1_200.0, 600.0),
        "m/s" => (1.1, 0.4),
        "ug/m3" => (35.0, 20.0),
        "[ppm]" => (620.0, 150.0),
        "dB" => (52.0, 8.0),
        "dB[10.nV]" => (-62.0, 8.0),
        "hPa" => (1_013.0, 6.0),
        "lx" => (400.0, 250.0),
        "1" if name.contains("factor") => (0.94, 0.04),
        "1" => (20.0, 6.0),
        _ => {
            point.range.map_or((10.0, 3.0), |(low, high)| ((low + high) / 2.0, (high - low) * 0.1))
        }
    };
    match point.range {
        Some((low, high)) if mean < low || mean > high => ((low + high) / 2.0, (high - low) * 0.1),
        _ => (mean, swing),
    }
}
