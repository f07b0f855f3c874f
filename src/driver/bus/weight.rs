//! Who costs most on a bus, and what would lighten it: every remedy is computed with the plan that
//! would then be read, and says what it brings.

use std::borrow::Cow;
use std::time::Duration;

use super::budget::{Cost, DEAD, Polled, costs, total};
use crate::driver::{BusAddress, BusConfig, LineSettings};
use crate::model::{BusBudget, Quantity, Words};
use crate::profile::Profile;

/// Above this share of its time a bus deserves a remark.
const BUSY: f64 = 0.7;
/// A bus that is relieved is brought below this: dead meters, commands and repeats need time too.
const ROOM: f64 = 0.9;
/// What changes slowly (energies, volumes) may be read this many times more rarely.
const SLOWER: u32 = 10;
/// A remedy below this relief is none.
const WORTH: f64 = 0.1;
/// More lines than this are no advice.
const LINES_MAX: usize = 8;
/// Modbus devices commonly go so far; meters of DL/T 645 and CJ/T 188 by their standards.
const BAUD_MAX: (u32, u32, u32) = (115_200, 19_200, 9_600);
/// The rates that devices can be set to as a rule.
const RATES: [u32; 7] = [2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200];

/// What one device costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Consumer {
    /// Its place among the devices that were weighed.
    pub device: usize,
    /// Time to read it once.
    pub round: Duration,
    /// Requests for that.
    pub requests: usize,
    /// Share of the bus's time.
    pub load: f64,
}

/// Something that lightens a bus, with what it brings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Remedy {
    /// Read all devices more rarely.
    Lengthen {
        /// The shortest `period` of a device, as configured.
        from: Duration,
        /// What it should be at least.
        to: Duration,
        /// The devices have several periods; the others in proportion.
        uneven: bool,
        /// The load after that.
        load: f64,
    },
    /// Raise the baud rate of all devices that are slower.
    Faster {
        /// To this.
        baud: u32,
        /// Time to read every device once after that.
        sweep: Duration,
        /// The load after that.
        load: f64,
    },
    /// Spread the devices over several lines.
    Split {
        /// So many in all.
        lines: usize,
        /// Time to read every device of the fullest of them once.
        sweep: Duration,
        /// The load of the fullest.
        load: f64,
    },
    /// Read counters, which change slowly, more rarely than the rest.
    SlowPoints {
        /// So many times.
        times: u32,
        /// The load after that.
        load: f64,
    },
}

/// A bus on the scales.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weight {
    /// What its polls cost.
    pub budget: BusBudget,
    /// Number of devices.
    pub devices: usize,
    /// Devices that `sweep_with_dead` takes for dead.
    pub dead: usize,
    /// The line settings of its devices, those of most devices first; none for Modbus TCP.
    pub settings: Vec<LineSettings>,
    /// Its devices, the costliest first.
    pub consumers: Vec<Consumer>,
    /// What would lighten it; empty when that is not needed.
    pub remedies: Vec<Remedy>,
}

impl Weight {
    /// The polls need more time than there is.
    pub fn too_much(&self) -> bool {
        self.budget.load > 1.0
    }

    /// Little time is left.
    pub fn tight(&self) -> bool {
        self.budget.load > BUSY
    }

    /// The figures in one sentence, without the name of the bus.
    pub fn told(&self) -> Words {
        let budget = &self.budget;
        let [sweep, wanted, dead] =
            [budget.sweep, budget.wanted, budget.sweep_with_dead].map(Words::of_span);
        let load = budget.load * 100.0;
        let requests = budget.requests;
        let at: Vec<String> = self.settings.iter().map(ToString::to_string).collect();
        let (at_en, at_zh) = match at.join(", ") {
            none if none.is_empty() => (String::new(), String::new()),
            at => (format!(" at {at}"), format!("，{at}")),
        };
        let en = format!(
            "one sweep takes {} ({requests} {}{at_en}), you asked for {}; \
             with {} dead {} {}; {load:.0} % of the bus",
            sweep.en,
            if requests == 1 { "request" } else { "requests" },
            wanted.en,
            number(self.dead),
            if self.dead == 1 { "device" } else { "devices" },
            dead.en,
        );
        let zh = format!(
            "轮询一遍需 {}（{requests} 次请求{at_zh}），要求周期 {}；{} 台设备不应答时 {}；占线路时间 {load:.0} %",
            sweep.zh, wanted.zh, self.dead, dead.zh,
        );
        (en, zh).into()
    }
}

fn number(count: usize) -> String {
    match count {
        1 => "one".to_owned(),
        2 => "two".to_owned(),
        3 => "three".to_owned(),
        more => more.to_string(),
    }
}

impl Remedy {
    /// For people.
    pub fn told(&self) -> Words {
        match *self {
            Remedy::Lengthen { from, to, uneven, load } => {
                let (from, to) = (Words::of_span(from), Words::of_span(to));
                let (en, zh) = if uneven {
                    (", the others in proportion", "，其余按比例")
                } else {
                    ("", "")
                };
                let load = load * 100.0;
                (
                    format!(
                        "lengthen `period` from {} to at least {}{en}: {load:.0} %",
                        from.en, to.en
                    ),
                    format!("将 `period` 由 {} 加长到至少 {}{zh}：占 {load:.0} %", from.zh, to.zh),
                )
                    .into()
            }
            Remedy::Faster { baud, sweep, load } => {
                let (sweep, load) = (Words::of_span(sweep), load * 100.0);
                (
                    format!("raise the baud rate to {baud}, where the models allow it: one sweep {}, {load:.0} %", sweep.en),
                    format!("型号允许时将波特率提高到 {baud}：轮询一遍 {}，占 {load:.0} %", sweep.zh),
                )
                    .into()
            }
            Remedy::Split { lines, sweep, load } => {
                let (sweep, load) = (Words::of_span(sweep), load * 100.0);
                (
                    format!(
                        "split it over {} lines: one sweep {}, {load:.0} % of the fuller",
                        number(lines),
                        sweep.en
                    ),
                    format!(
                        "分到 {lines} 条线路上：较重的一条轮询一遍 {}，占 {load:.0} %",
                        sweep.zh
                    ),
                )
                    .into()
            }
            Remedy::SlowPoints { times, load } => {
                let load = load * 100.0;
                (
                    format!("read energies and volumes {times} times more rarely (`period` of these points in the profile): {load:.0} %"),
                    format!("电量、用量等慢变点的读取周期放宽到 {times} 倍（在设备模型中为其单设 `period`）：占 {load:.0} %"),
                )
                    .into()
            }
        }
    }
}

/// Weighs a bus: the estimate, the costliest devices, and, when it is tight, what to change.
pub fn weigh(bus: &BusConfig, devices: &[Polled<'_>]) -> Weight {
    let each = costs(bus, devices);
    let budget = total(bus, devices, &each);
    let mut consumers: Vec<Consumer> = each
        .iter()
        .enumerate()
        .map(|(device, cost)| Consumer {
            device,
            round: cost.round,
            requests: cost.requests,
            load: cost.load,
        })
        .collect();
    consumers.sort_by(|a, b| b.load.total_cmp(&a.load));
    let settings = if bus.transport.is_serial() { settings(devices) } else { Vec::new() };
    let mut weight = Weight {
        budget,
        devices: devices.len(),
        dead: devices.len().min(DEAD),
        settings,
        consumers,
        remedies: Vec::new(),
    };
    if weight.tight() {
        let goal = if budget.load <= ROOM { BUSY } else { ROOM };
        let found = [
            lengthen(bus, devices, budget.load, goal),
            faster(bus, devices, goal),
            split(bus, devices, &each, goal),
            slow_points(bus, devices, budget.load),
        ];
        weight.remedies = found.into_iter().flatten().collect();
    }
    weight
}

fn settings(devices: &[Polled<'_>]) -> Vec<LineSettings> {
    let mut counted: Vec<(LineSettings, usize)> = Vec::new();
    for device in devices {
        match counted.iter_mut().find(|(line, _)| *line == device.line) {
            Some((_, count)) => *count += 1,
            None => counted.push((device.line, 1)),
        }
    }
    counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counted.into_iter().map(|(line, _)| line).collect()
}

fn load(bus: &BusConfig, devices: &[Polled<'_>]) -> BusBudget {
    total(bus, devices, &costs(bus, devices))
}

/// The least stretch of all periods that gives the bus room.
fn lengthen(bus: &BusConfig, devices: &[Polled<'_>], before: f64, goal: f64) -> Option<Remedy> {
    let from = devices.iter().map(|device| device.period).min()?;
    let uneven = devices.iter().any(|device| device.period != from);
    let stretched = |to: Duration| -> f64 {
        let factor = to.as_secs_f64() / from.as_secs_f64();
        let longer: Vec<Polled<'_>> = devices
            .iter()
            .map(|device| Polled { period: device.period.mul_f64(factor), ..*device })
            .collect();
        load(bus, &longer).load
    };
    // Points with a period of their own do not follow; so it is tried, not divided.
    let mut factor = (before / goal).max(1.0);
    for _ in 0..8 {
        let to = round_up(from.mul_f64(factor));
        let load = stretched(to);
        if load <= goal {
            return (to > from).then_some(Remedy::Lengthen { from, to, uneven, load });
        }
        factor *= (load / goal).max(1.05);
    }
    None
}

/// To a figure that somebody would write: whole seconds, above a minute whole fives.
fn round_up(span: Duration) -> Duration {
    let step = if span > Duration::from_secs(60) { 5.0 } else { 1.0 };
    Duration::from_secs_f64((span.as_secs_f64() / step - 1e-6).ceil() * step)
}

/// The lowest baud rate that gives the bus room; else the lowest with which it can keep up.
fn faster(bus: &BusConfig, devices: &[Polled<'_>], goal: f64) -> Option<Remedy> {
    if !bus.transport.is_serial() {
        return None;
    }
    let slowest = devices.iter().map(|device| device.line.baud).min()?;
    let mut possible = None;
    for baud in RATES.into_iter().filter(|baud| *baud > slowest) {
        let mut changed = false;
        let raised: Vec<Polled<'_>> = devices
            .iter()
            .map(|device| {
                let most = match device.address {
                    BusAddress::Unit(_) => BAUD_MAX.0,
                    BusAddress::Dlt645(_) => BAUD_MAX.1,
                    BusAddress::Cjt188(_) => BAUD_MAX.2,
                };
                let to = device.line.baud.max(baud.min(most));
                changed |= to == baud && to > device.line.baud;
                Polled { line: LineSettings { baud: to, ..device.line }, ..*device }
            })
            .collect();
        if !changed {
            break;
        }
        let after = load(bus, &raised);
        let remedy = Remedy::Faster { baud, sweep: after.sweep, load: after.load };
        if after.load <= goal {
            return Some(remedy);
        }
        possible = possible.or_else(|| (goal > BUSY && after.load <= 1.0).then_some(remedy));
    }
    possible
}

/// The least number of lines of which each has room, filled evenly.
fn split(bus: &BusConfig, devices: &[Polled<'_>], costs: &[Cost], goal: f64) -> Option<Remedy> {
    if !bus.transport.is_serial() {
        return None;
    }
    let mut order: Vec<usize> = (0..devices.len()).collect();
    order.sort_by(|a, b| costs[*b].load.total_cmp(&costs[*a].load));
    for lines in 2..=LINES_MAX.min(devices.len()) {
        let mut parts: Vec<(f64, Vec<usize>)> = vec![(0.0, Vec::new()); lines];
        for &device in &order {
            let lightest = parts.iter_mut().min_by(|a, b| a.0.total_cmp(&b.0))?;
            lightest.0 += costs[device].load;
            lightest.1.push(device);
        }
        let fullest = parts.iter().max_by(|a, b| a.0.total_cmp(&b.0))?;
        let on_it: Vec<Polled<'_>> = fullest.1.iter().map(|&device| devices[device]).collect();
        let after = load(bus, &on_it);
        if after.load <= goal {
            return Some(Remedy::Split { lines, sweep: after.sweep, load: after.load });
        }
    }
    None
}

/// Counters at a longer period than the rest; planned anew, because that cuts blocks.
fn slow_points(bus: &BusConfig, devices: &[Polled<'_>], before: f64) -> Option<Remedy> {
    let slower: Vec<Cow<'_, Profile>> = devices.iter().map(slower).collect();
    if slower.iter().all(|profile| matches!(profile, Cow::Borrowed(_))) {
        return None;
    }
    let polled: Vec<Polled<'_>> = devices
        .iter()
        .zip(&slower)
        .map(|(device, profile)| Polled { profile, ..*device })
        .collect();
    let load = load(bus, &polled).load;
    worth(before, load).then_some(Remedy::SlowPoints { times: SLOWER, load })
}

fn slower<'a>(device: &Polled<'a>) -> Cow<'a, Profile> {
    let profile = device.profile;
    let slow = |slot: usize| {
        let own = profile.periods.get(slot).copied().flatten();
        own.is_none() && profile.points[slot].quantity == Quantity::Counter
    };
    let some = (0..profile.points.len()).any(slow);
    // When all of them are counters, the longer period is that of the device.
    if !some || (0..profile.points.len()).all(slow) {
        return Cow::Borrowed(profile);
    }
    let mut changed = profile.clone();
    changed.periods.resize(profile.points.len(), None);
    for slot in (0..profile.points.len()).filter(|&slot| slow(slot)) {
        changed.periods[slot] = Some(device.period * SLOWER);
    }
    Cow::Owned(changed)
}

fn worth(before: f64, after: f64) -> bool {
    after <= before * (1.0 - WORTH)
}

#[cfg(test)]
#[path = "weight_tests.rs"]
mod tests;
