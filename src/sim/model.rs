//! What a simulated device does: counters climb with power, measured values swing around a mean,
//! states change now and then. Seeded, so that a run can be repeated.

use std::collections::BTreeSet;
use std::f64::consts::TAU;
use std::sync::Arc;

use super::habits::{Habits, flag_or_code};
use super::orders::Order;
use super::player::Player;
use super::shared::{Follower, followers};
use crate::model::{Point, Quantity, Value};
use crate::profile::{Binding, Profile};

/// How one value moves.
#[derive(Debug, Clone)]
pub(super) enum Behaviour {
    /// Climbs by `per_second`, times the present power over its mean if the device has a power.
    Climb { per_second: f64, with_power: bool },
    /// `mean + swing * sin(…) + noise`.
    Wave { mean: f64, swing: f64, period_s: f64, phase: f64 },
    /// Stays at the first most of the time and changes about every `dwell_s`.
    Codes { codes: Vec<i64>, dwell_s: f64, flag: bool },
    /// Climbs from zero by `per_second`, again and again: of a session.
    Session { per_second: f64, top: f64, ahead_s: f64 },
    /// What these points are together: a total of phases or tariffs.
    Sum(Vec<usize>),
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
    /// Points that stand in the place of another.
    followers: Vec<Follower>,
    withheld: BTreeSet<usize>,
    still: bool,
    power: Option<usize>,
    /// What a terminal of the broadcast plays.
    player: Option<Player>,
    elapsed_s: f64,
    dice: fastrand::Rng,
}

impl Device {
    /// A device of the model with the model's default parameters.
    pub fn new(profile: Arc<Profile>, seed: u64) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed);
        let params: Vec<f64> = profile.params.iter().map(|param| param.default).collect();
        let points = &profile.points;
        let mut habits = Habits::of(&profile, &mut dice);
        let (behaviours, values): (Vec<Behaviour>, Vec<Value>) =
            (0..points.len()).map(|slot| habits.begin(slot)).unzip();
        let followers = followers(&profile, &params);
        let is_wave = |slot: &usize| matches!(behaviours[*slot], Behaviour::Wave { .. });
        let power = (0..points.len()).filter(is_wave).find(|slot| is_power(&points[*slot]));
        let mut device = Self {
            profile,
            params,
            behaviours,
            values,
            followers,
            withheld: BTreeSet::new(),
            still: false,
            power,
            player: None,
            elapsed_s: 0.0,
            dice,
        };
        for slot in 0..device.values.len() {
            if let Behaviour::Sum(parts) = &device.behaviours[slot] {
                device.values[slot] = device.total(slot, parts);
            }
        }
        // What can be told stays as it was told.
        for told in device.profile.commands.iter().filter_map(|command| command.read_back) {
            if let Some(behaviour) = device.behaviours.get_mut(told.slot()) {
                *behaviour = Behaviour::Fixed;
            }
        }
        device.player = Player::of(&device.profile);
        if let Some(player) = &device.player {
            // It plays what it is told, and nothing else.
            device.behaviours[player.playing] = Behaviour::Fixed;
            device.values[player.playing] = Value::Flag(false);
        }
        device.agree();
        device.follow();
        device
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
    /// field of a meter or message says that there is nothing, a message of its own is not sent.
    /// What stands in the same place goes with it.
    pub fn withhold(&mut self, point: usize) {
        let leads = |follower: &&Follower| follower.point == point;
        let leader = self.followers.iter().find(leads).map_or(point, |follower| follower.leader);
        let all = self.followers.iter().filter(|follower| follower.leader == leader);
        self.withheld.extend(all.map(|follower| follower.point));
        self.withheld.insert(leader);
    }

    /// Whether a point is kept back.
    pub fn withholds(&self, point: usize) -> bool {
        self.withheld.contains(&point)
    }

    /// Stays as it is from now on, but for what it is told: for comparing.
    pub fn keep_still(&mut self) {
        self.still = true;
    }

    /// A time that it sends of itself is the present one.
    pub(in crate::sim) fn stamp(&mut self, now: jiff::Timestamp) {
        let Binding::Mqtt(model) = &self.profile.binding else { return };
        if self.still {
            return;
        }
        for (slot, source) in model.sources.iter().enumerate() {
            if source.text && model.topics[source.topic].time.as_ref() == Some(&source.path) {
                self.values[slot] = Value::Text(now.to_string().into());
            }
        }
    }

    /// Whether another point stands in the same place and says what stands there.
    pub(in crate::sim) fn follows(&self, point: usize) -> bool {
        self.followers.iter().any(|follower| follower.point == point)
    }

    /// The first counter, if it has one.
    pub fn counter(&self) -> Option<usize> {
        self.profile.points.iter().position(|point| point.quantity == Quantity::Counter)
    }

    /// Lets `seconds` pass.
    pub fn step(&mut self, seconds: f64) {
        self.elapsed_s += seconds;
        if let Some(player) = &mut self.player
            && player.is_through(seconds)
        {
            self.values[player.playing] = Value::Flag(false);
        }
        let before = self.values.clone();
        for slot in 0..self.values.len() {
            if !matches!(self.behaviours[slot], Behaviour::Climb { .. } | Behaviour::Sum(_)) {
                self.move_one(slot, seconds, 1.0);
            }
        }
        let load = self.power_over_mean();
        for slot in 0..self.values.len() {
            if matches!(self.behaviours[slot], Behaviour::Climb { .. }) {
                self.move_one(slot, seconds, load);
            }
        }
        for slot in 0..self.values.len() {
            if let Behaviour::Sum(parts) = &self.behaviours[slot] {
                self.values[slot] = match self.profile.points[slot].quantity {
                    Quantity::Counter => self.climbed(slot, parts, &before),
                    _ => self.total(slot, parts),
                };
            }
        }
        self.follow();
    }

    fn total(&self, slot: usize, parts: &[usize]) -> Value {
        let sum = parts.iter().filter_map(|&part| self.values[part].number()).sum();
        Value::Number(within(&self.profile.points[slot], sum))
    }

    /// A total counter climbs as its parts do, from wherever it was set to.
    fn climbed(&self, slot: usize, parts: &[usize], before: &[Value]) -> Value {
        let step = |part: &usize| {
            let (now, then) = (self.values[*part].number()?, before[*part].number()?);
            Some((now - then).max(0.0))
        };
        let step: f64 = parts.iter().filter_map(step).sum();
        let next = before[slot].number().unwrap_or(0.0) + step;
        Value::Number(rolled(&self.profile.points[slot], next))
    }

    /// Leaves out what a point in the same place has no word for.
    fn agree(&mut self) {
        for follower in &self.followers {
            let Behaviour::Codes { codes, flag, .. } = &mut self.behaviours[follower.leader] else {
                continue;
            };
            let said = |code: &i64| {
                let value = flag_or_code(*code, *flag);
                follower.value(&self.profile, &self.params, &value).is_some()
            };
            if codes.iter().any(said) {
                codes.retain(said);
                self.values[follower.leader] = flag_or_code(codes[0], *flag);
            }
        }
    }

    /// Follows an order.
    pub fn obey(&mut self, order: &Order) {
        let command = self.profile.commands.get(order.command);
        if let (Some(player), Some(command)) = (&mut self.player, command)
            && let Some(playing) = player.obey(&command.name)
        {
            self.values[player.playing] = Value::Flag(playing);
        }
        let Some(point) = command.and_then(|command| command.read_back) else { return };
        if let Some(value) = self.values.get_mut(point.slot()) {
            *value = order.shown(value);
            self.follow();
        }
    }

    /// Points in the place of another say the same as that.
    fn follow(&mut self) {
        for follower in &self.followers {
            let leader = &self.values[follower.leader];
            if let Some(value) = follower.value(&self.profile, &self.params, leader) {
                self.values[follower.point] = value;
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
                let next = now + per_second * load * seconds;
                self.values[slot] = Value::Number(rolled(point, next));
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
                    self.values[slot] = flag_or_code(code, *flag);
                }
            }
            Behaviour::Session { per_second, top, ahead_s } => {
                let value = (self.elapsed_s + ahead_s) * per_second % top;
                self.values[slot] = Value::Number(within(point, value));
            }
            Behaviour::Sum(_) | Behaviour::Fixed => {}
        }
    }
}

fn is_power(point: &Point) -> bool {
    point.quantity == Quantity::Instantaneous && matches!(point.unit.code(), "W" | "kW")
}

/// A counter begins anew behind its top.
fn rolled(point: &Point, next: f64) -> f64 {
    match point.counter_max {
        Some(top) if next > top => next - top,
        _ => next,
    }
}

pub(super) fn within(point: &Point, value: f64) -> f64 {
    let value = point.range.map_or(value, |(low, high)| value.clamp(low, high));
    let scale = 10f64.powi(i32::from(point.decimals));
    (value * scale).round() / scale
}
