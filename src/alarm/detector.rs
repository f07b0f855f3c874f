//! Sees in readings and events whether the condition of a rule holds. It runs on every reading, so
//! it only compares and remembers; what follows is the [`Book`](super::Book)'s.
//!
//! Rules:
//! - a bad reading says nothing; an uncertain one counts, since a fire looks implausible too;
//! - beyond the limit a condition begins, at `clear` it ends; between them it stays as it was;
//! - a rate is taken over at least [`RATE_OVER`], and ends at half of its limit;
//! - only changes are told.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::entry::Key;
use super::plan::Plan;
use super::rule::{Kind, Rule};
use crate::model::{
    AlarmEyes, AlarmSignal, DeviceIndex, EnvironmentDay, Event, EventKind, Health, Moment,
    PointIndex, Promise, Quality, Reading, Value,
};

/// A rate over less time is noise.
const RATE_OVER: Duration = Duration::from_secs(60);

/// What is remembered of a watch.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    on: bool,
    /// From where a rate is taken.
    from: Option<(Moment, f64)>,
}

/// A condition that is not about a single reading: rule, device, point, what else.
pub(super) type Told = (u16, Option<DeviceIndex>, Option<PointIndex>, String);

/// See the module.
#[derive(Debug)]
pub struct Detector {
    plan: Arc<Plan>,
    states: Vec<State>,
    /// Those that hold, of rules that look at events.
    on: HashSet<Told>,
    out: Vec<AlarmSignal>,
}

impl Detector {
    /// Nothing holds yet but `active`: what an earlier run left open.
    pub fn new<'k>(plan: Arc<Plan>, active: impl IntoIterator<Item = &'k Key>) -> Self {
        let states = vec![State::default(); plan.watches().len()];
        let mut detector = Self { plan, states, on: HashSet::new(), out: Vec::new() };
        for key in active {
            let Some((rule, device, point)) = detector.plan.place(key) else { continue };
            let watched = device.zip(point).and_then(|(device, point)| {
                let mut range = detector.plan.range(device, point);
                range.find(|at| detector.plan.watches()[*at].rule == rule)
            });
            match watched {
                Some(at) => detector.states[at].on = true,
                None => drop(detector.on.insert((rule, device, point, key.about.clone()))),
            }
        }
        detector
    }

    /// Takes what a rule about events says; tells it when it is news.
    fn told(&mut self, told: Told, on: bool, value: Option<Value>, at: Moment) {
        let news = if on { self.on.insert(told.clone()) } else { self.on.remove(&told) };
        if news {
            let (rule, device, point, about) = told;
            self.out.push(AlarmSignal { rule, device, point, about, on, value, at });
        }
    }

    /// The same for every rule of a kind that a device has.
    fn device(
        &mut self,
        device: DeviceIndex,
        kind: Kind,
        at: Moment,
        say: impl Fn(&Rule) -> Option<(bool, Option<Value>)>,
    ) {
        let plan = Arc::clone(&self.plan);
        for (rule, of) in plan.of_device(device, kind) {
            if let Some((on, value)) = say(of) {
                self.told((rule, Some(device), None, String::new()), on, value, at);
            }
        }
    }

    fn counter(&mut self, device: DeviceIndex, name: &str, on: bool, value: f64, at: Moment) {
        let plan = Arc::clone(&self.plan);
        let points = &plan.estate().device(device).points;
        let slot = points.iter().position(|point| *point.name == *name);
        let point = slot.and_then(|slot| u16::try_from(slot).ok()).map(PointIndex);
        for (rule, _) in plan.of_device(device, Kind::Counter) {
            let value = Some(Value::Number(value));
            self.told((rule, Some(device), point, String::new()), on, value, at);
        }
    }

    fn noise(&mut self, device: DeviceIndex, day: &EnvironmentDay, at: Moment) {
        let Some(noise) = &day.noise else { return };
        self.device(device, Kind::Noise, at, |rule| {
            let over = [("day", noise.day_over_db), ("night", noise.night_over_db)];
            let over = over.into_iter().filter(|(what, _)| rule.means(what));
            let worst = over.filter_map(|(_, over)| over).reduce(f64::max)?;
            Some((worst > rule.limit?, Some(Value::Number(worst))))
        });
    }

    /// What concerns the gateway itself.
    fn gateway(&mut self, event: &Event) {
        let (plan, at) = (Arc::clone(&self.plan), event.at);
        match &event.kind {
            EventKind::PromiseBroken { promise, .. } => self.promise(*promise, true, at),
            EventKind::PromiseKept { promise, .. } => {
                self.promise(*promise, false, at);
                if *promise == Promise::Certificate {
                    self.all_renewed(at);
                }
            }
            EventKind::CertificateExpires { what, days, .. } => {
                #[expect(clippy::cast_precision_loss, reason = "days of a certificate are few")]
                let days = *days as f64;
                for (rule, of) in plan.of_gateway(Kind::Certificate) {
                    let on = of.limit.is_some_and(|limit| days <= limit);
                    let told = (rule, None, None, what.clone());
                    self.told(told, on, Some(Value::Number(days)), at);
                }
            }
            EventKind::WiringFinding { bus, diagnosis, devices, over, .. } => {
                let word = diagnosis_word(*diagnosis);
                let names: Vec<&str> = devices.iter().map(|device| device.as_str()).collect();
                let about = format!("{bus} {word} {}", names.join(" "));
                let about: String = about.trim_end().chars().take(200).collect();
                for (rule, of) in plan.of_gateway(Kind::Wiring) {
                    if of.means(&word) {
                        self.told((rule, None, None, about.clone()), !over, None, at);
                    }
                }
            }
            _ => {}
        }
    }

    fn promise(&mut self, promise: Promise, on: bool, at: Moment) {
        let plan = Arc::clone(&self.plan);
        for (rule, of) in plan.of_gateway(Kind::Promise) {
            if of.means(promise.word()) {
                self.told((rule, None, None, String::new()), on, None, at);
            }
        }
    }

    /// No certificate is told of when it was renewed: the promise about all of them is.
    fn all_renewed(&mut self, at: Moment) {
        let plan = Arc::clone(&self.plan);
        let is_one = |told: &&Told| plan.rule(told.0).kind == Kind::Certificate;
        let ended: Vec<Told> = self.on.iter().filter(is_one).cloned().collect();
        for told in ended {
            self.told(told, false, None, at);
        }
    }
}

impl AlarmEyes for Detector {
    fn reading(&mut self, device: DeviceIndex, at: Moment, reading: &Reading) {
        let range = self.plan.range(device, reading.point);
        if range.is_empty() || matches!(reading.quality, Quality::Bad(_)) {
            return;
        }
        let Some(value) = &reading.value else { return };
        for place in range {
            let watch = self.plan.watches()[place];
            let state = &mut self.states[place];
            let Some(on) = holds(self.plan.rule(watch.rule), state, value, at) else { continue };
            if on != state.on {
                state.on = on;
                self.out.push(AlarmSignal {
                    rule: watch.rule,
                    device: Some(device),
                    point: Some(reading.point),
                    about: String::new(),
                    on,
                    value: Some(value.clone()),
                    at,
                });
            }
        }
    }

    fn event(&mut self, event: &Event) {
        let Some(id) = &event.device else { return self.gateway(event) };
        let Some(device) = self.plan.estate().find(id) else { return };
        let at = event.at;
        match &event.kind {
            EventKind::DeviceHealth { to, .. } => {
                let on = match to {
                    Health::Offline => true,
                    Health::Online => false,
                    Health::Suspect | Health::Unknown => return,
                };
                self.device(device, Kind::Offline, at, |_| Some((on, None)));
            }
            EventKind::CounterSuspect { point, value, .. } => {
                self.counter(device, point, true, *value, at);
            }
            EventKind::CounterRecovered { point, value }
            | EventKind::MeterExchanged { point, value, .. } => {
                self.counter(device, point, false, *value, at);
            }
            EventKind::EnvironmentHour(hour) => {
                let Some(aqi) = hour.air.aqi.map(f64::from) else { return };
                self.device(device, Kind::Aqi, at, |rule| {
                    let on = aqi >= rule.limit? && rule.to.is_none_or(|to| aqi < to);
                    Some((on, Some(Value::Number(aqi))))
                });
            }
            EventKind::EnvironmentDay(day) => self.noise(device, day, at),
            EventKind::RiskGrade { grade, estate: None, .. } => {
                let word = Value::Text(grade.word().into());
                self.device(device, Kind::Risk, at, |rule| {
                    Some((rule.means(grade.word()), Some(word.clone())))
                });
            }
            _ => {}
        }
    }

    fn take(&mut self) -> Vec<AlarmSignal> {
        std::mem::take(&mut self.out)
    }
}

/// Whether the condition holds with this value; `None` when the value says nothing.
fn holds(rule: &Rule, state: &mut State, value: &Value, at: Moment) -> Option<bool> {
    let limit = || rule.limit;
    match rule.kind {
        Kind::Above => {
            let (number, limit) = (value.number()?, limit()?);
            let clear = rule.clear.unwrap_or(limit);
            Some(number > limit || (state.on && number > clear))
        }
        Kind::Below => {
            let (number, limit) = (value.number()?, limit()?);
            let clear = rule.clear.unwrap_or(limit);
            Some(number < limit || (state.on && number < clear))
        }
        Kind::Rises | Kind::Falls => {
            let (number, limit) = (value.number()?, limit()?);
            let Some((from, before)) = state.from else {
                state.from = Some((at, number));
                return None;
            };
            let over = at.since(from);
            if over < RATE_OVER {
                return None;
            }
            state.from = Some((at, number));
            let per_hour = (number - before) * 3600.0 / over.as_secs_f64();
            let rate = if rule.kind == Kind::Falls { -per_hour } else { per_hour };
            Some(rate > limit || (state.on && rate > limit / 2.0))
        }
        Kind::Flag => Some((value.number()? != 0.0) == rule.flag),
        Kind::State => Some(match value {
            Value::Text(text) => rule.texts.iter().any(|bad| **bad == **text),
            other => {
                #[expect(clippy::cast_precision_loss, reason = "codes are small")]
                let is =
                    |code: &i64| other.number().is_some_and(|n| (n - *code as f64).abs() < 0.5);
                rule.codes.iter().any(is)
            }
        }),
        _ => None,
    }
}

/// The word of a diagnosis, as in documents.
fn diagnosis_word(diagnosis: crate::model::Diagnosis) -> String {
    match serde_json::to_value(diagnosis) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

#[cfg(test)]
#[path = "detector_tests.rs"]
mod tests;
