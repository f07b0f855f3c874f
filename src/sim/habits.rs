//! How the values of a model usually begin and move, told from unit, quantity and name.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use super::model::{Behaviour, within};
use super::usual::{
    CONNECTOR, counter, is_alarm, is_harm, is_usually_set, phase_share, text, typical,
};
use crate::model::{Point, Quantity, Value};
use crate::profile::{Binding, Code, Profile};

/// Seconds that a state stays, about; that an alarm keeps away.
const DWELL: (f64, f64) = (90.0, 900.0);

/// What the points of one device have in common.
pub(super) struct Habits<'h> {
    profile: &'h Profile,
    dice: &'h mut fastrand::Rng,
    /// Names of all points with their places.
    names: BTreeMap<&'h str, usize>,
    has_power: bool,
    /// The mains, and the load that it carries: current and power rise and fall together.
    mains: f64,
    load: f64,
    /// Period and phase of the load of each channel, connector or the whole device.
    rhythms: BTreeMap<String, (f64, f64)>,
}

pub(super) fn flag_or_code(code: i64, flag: bool) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "codes are small")]
    if flag { Value::Flag(code != 0) } else { Value::Number(code as f64) }
}

/// What a source says about a point beyond its quantity; nothing for a point without a source.
fn source(profile: &Profile, slot: usize) -> (&[Code], bool) {
    let found = match &profile.binding {
        Binding::Modbus { sources, .. } => sources.get(slot).map(|s| (&s.codes, s.flag)),
        Binding::Mqtt(model) => model.sources.get(slot).map(|s| (&s.codes, s.flag)),
        Binding::Dlt645(model) => model.sources.get(slot).map(|s| (&s.codes, s.flag)),
        Binding::Cjt188(model) => model.sources.get(slot).map(|s| (&s.codes, s.flag)),
    };
    found.map_or((&[], false), |(codes, flag)| (codes.as_slice(), flag))
}

impl<'h> Habits<'h> {
    pub(super) fn of(profile: &'h Profile, dice: &'h mut fastrand::Rng) -> Self {
        let named = profile.points.iter().enumerate();
        let power =
            |point: &Point| matches!(point.unit.code(), "W" | "kW") && measured(point.quantity);
        Self {
            names: named.map(|(slot, point)| (&*point.name, slot)).collect(),
            has_power: profile.points.iter().any(power),
            mains: 0.99 + 0.02 * dice.f64(),
            load: 0.8 + 0.4 * dice.f64(),
            rhythms: BTreeMap::new(),
            profile,
            dice,
        }
    }

    /// How a point moves, and its first value.
    pub(super) fn begin(&mut self, slot: usize) -> (Behaviour, Value) {
        let profile = self.profile;
        let point = &profile.points[slot];
        let (codes, flag) = source(profile, slot);
        match point.quantity {
            Quantity::Text => (Behaviour::Fixed, self.text(point, codes)),
            Quantity::State => state(point, codes, flag),
            Quantity::Counter => self.counter(point),
            Quantity::Instantaneous => self.measured(point),
        }
    }

    fn text(&mut self, point: &Point, codes: &[Code]) -> Value {
        let text = match codes.first() {
            Some(code) => code.raw.clone(),
            None => text(&point.name, self.dice.u32(..1000)),
        };
        Value::Text(text.into())
    }

    fn counter(&mut self, point: &Point) -> (Behaviour, Value) {
        let (start, per_second) = counter(point);
        let start = start * (0.5 + self.dice.f64());
        let value = Value::Number(within(point, start));
        if let Some(parts) = self.parts(&point.name) {
            return (Behaviour::Sum(parts), value);
        }
        let with_power = self.has_power && point.unit.code().ends_with(".h");
        (Behaviour::Climb { per_second, with_power }, value)
    }

    fn measured(&mut self, point: &Point) -> (Behaviour, Value) {
        let name = last(&point.name).1.to_lowercase();
        let ahead = self.dice.f64();
        let session = match point.unit.code() {
            "kW.h" if name.starts_with("session") => Some((7.0 / 3600.0, 42.0)),
            "W.h" if name.starts_with("session") => Some((7000.0 / 3600.0, 42_000.0)),
            "s" if name.starts_with("session") => Some((1.0, 21_600.0)),
            _ => None,
        };
        if let Some((per_second, top)) = session {
            let ahead_s = ahead * top / per_second;
            let value = Value::Number(within(point, ahead_s * per_second));
            return (Behaviour::Session { per_second, top, ahead_s }, value);
        }
        if let Some(parts) = self.parts(&point.name) {
            return (Behaviour::Sum(parts), Value::Number(0.0));
        }
        let (mean, swing) = typical(point);
        let (mean, swing) = self.scaled(point, mean, swing);
        let (period_s, phase) = self.rhythm(point);
        let value = Value::Number(within(point, mean));
        if swing == 0.0 {
            return (Behaviour::Fixed, value);
        }
        (Behaviour::Wave { mean, swing, period_s, phase }, value)
    }

    /// Mean and swing for this device and this phase.
    fn scaled(&mut self, point: &Point, mean: f64, swing: f64) -> (f64, f64) {
        let share = phase_share(&point.name);
        match point.unit.code() {
            "V" => (mean * self.mains * (1.0 + (share - 1.0) / 20.0), swing),
            "A" | "mA" | "W" | "kW" | "var" | "kvar" | "V.A" | "kV.A" if swing > 0.0 => {
                let whole = last(&point.name).1.starts_with("total") && self.has_phases();
                let factor = self.load * share * if whole { 3.0 } else { 1.0 };
                (mean * factor, swing * factor)
            }
            // The mains have one frequency for all; what does not move is a setting.
            "Hz" => (mean, swing),
            _ if swing == 0.0 => (mean, swing),
            _ => (mean * (0.98 + 0.04 * self.dice.f64()), swing),
        }
    }

    fn rhythm(&mut self, point: &Point) -> (f64, f64) {
        let own = (60.0 + 240.0 * self.dice.f64(), TAU * self.dice.f64());
        match point.unit.code() {
            "A" | "mA" | "W" | "kW" | "var" | "kvar" | "V.A" | "kV.A" => {
                let member = last(trunk(&point.name)).0.to_owned();
                *self.rhythms.entry(member).or_insert(own)
            }
            _ => own,
        }
    }

    /// The phases or tariffs of which this point is the total, if all are there.
    fn parts(&self, name: &str) -> Option<Vec<usize>> {
        let (member, own) = last(name);
        let rest = own.strip_prefix("total")?;
        let mut letters = rest.chars();
        let base: String = letters.next()?.to_lowercase().chain(letters).collect::<String>();
        let find = |part: &str| self.names.get(format!("{member}{base}.{part}").as_str()).copied();
        let all = |parts: &[&str]| parts.iter().map(|part| find(part)).collect::<Option<Vec<_>>>();
        all(&["L1", "L2", "L3"])
            .or_else(|| all(&["T1", "T2", "T3", "T4"]))
            .or_else(|| all(&["T1", "T2"]))
    }

    fn has_phases(&self) -> bool {
        self.names.keys().any(|name| name.ends_with(".L3"))
    }
}

fn measured(quantity: Quantity) -> bool {
    quantity == Quantity::Instantaneous
}

/// The name without the phase or tariff at its end.
fn trunk(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((front, "L1" | "L2" | "L3" | "N" | "T1" | "T2" | "T3" | "T4")) => front,
        _ => name,
    }
}

/// What stands before the last part of a name, with its dot, and that part.
fn last(name: &str) -> (&str, &str) {
    match trunk(name).rfind('.').and_then(|dot| name.split_at_checked(dot + 1)) {
        Some(both) => both,
        None => ("", name),
    }
}

fn state(point: &Point, codes: &[Code], flag: bool) -> (Behaviour, Value) {
    let alarm = is_alarm(&point.name);
    let dwell_s = if alarm { DWELL.1 } else { DWELL.0 };
    let mut known: Vec<i64> = codes.iter().map(|code| code.code).collect();
    if known.is_empty() {
        known = point.labels.iter().map(|label| label.code).collect();
    }
    if known.is_empty() && flag {
        known = match (alarm, is_usually_set(&point.name)) {
            (true, _) => [vec![0; 63], vec![1]].concat(),
            (_, true) => vec![1, 1, 1, 1, 1, 1, 1, 0],
            _ => vec![0, 0, 0, 1],
        };
    }
    if point.name.ends_with("connectorStatus") && known.contains(&CONNECTOR[0]) {
        let told = CONNECTOR.into_iter().filter(|code| known.contains(code));
        known = told.collect();
    }
    let harm =
        |code: &i64| point.labels.iter().any(|label| label.code == *code && is_harm(&label.en));
    if !alarm && !known.iter().all(harm) {
        known.retain(|code| !harm(code));
    }
    if known.is_empty() {
        #[expect(clippy::cast_possible_truncation, reason = "ranges of states are small")]
        let (low, high) = point.range.map_or((0, 0), |(low, high)| (low as i64, high as i64));
        known = (low..=high.min(low.saturating_add(9))).collect();
    }
    if alarm {
        // What is wrong has the greater code.
        known.sort_unstable();
    }
    let first = flag_or_code(known.first().copied().unwrap_or(0), flag);
    (Behaviour::Codes { codes: known, dwell_s, flag }, first)
}
