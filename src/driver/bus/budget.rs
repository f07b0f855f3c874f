//! Whether a bus can carry what is asked of it: an estimate of the time that its polls take, from
//! the very plan that will be read.
//!
//! A request costs the characters on the line (`characters × bits / baud`), the time the model
//! takes to answer, and the silences around frames. The answer times are typical, not worst; the
//! estimate is a bound from below, so a bus that it calls full is full.

use std::time::Duration;

use super::lessons::Lessons;
use super::plan::{Block, Read, plan};
use super::unit::ask_for;
use crate::driver::{BusAddress, BusConfig, LineSettings, Transport};
use crate::model::BusBudget;
use crate::profile::{Binding, Limits, Profile};
use crate::protocol::cjt188::{DiOrder, Kind};

/// Typical time from the last character of a request to the first of the answer: Modbus; DL/T 645
/// (20 to 500 ms by the standard); CJ/T 188.
const ANSWER: (Duration, Duration, Duration) =
    (Duration::from_millis(20), Duration::from_millis(50), Duration::from_millis(80));
/// Frames of CJ/T 188 around the data of 901F, with four preamble bytes: volume, heat.
const CJT188_VOLUME: usize = 39;
const CJT188_HEAT: usize = 63;
/// Characters around the data of a DL/T 645 answer, with preamble and identifier.
const DLT645_AROUND: usize = 20;
/// How many dead devices the estimate assumes.
pub(super) const DEAD: usize = 3;

/// One device on a bus.
#[derive(Debug, Clone, Copy)]
pub struct Polled<'a> {
    /// Its profile.
    pub profile: &'a Profile,
    /// Where it answers.
    pub address: BusAddress,
    /// How its line is set.
    pub line: LineSettings,
    /// How often it is read, where a point has no period of its own.
    pub period: Duration,
}

/// What reading one device costs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// Time of all its blocks.
    pub(super) round: Duration,
    /// Time of one request that is not answered.
    dead: Duration,
    /// Share of the bus's time.
    pub(super) load: f64,
    /// Its blocks.
    pub(super) requests: usize,
    /// The shortest period of a block; `None` when nothing is read.
    wanted: Option<Duration>,
}

/// Estimates what the polls of a bus cost.
pub fn budget(bus: &BusConfig, devices: &[Polled<'_>]) -> BusBudget {
    total(bus, devices, &costs(bus, devices))
}

/// What each device costs, in their order.
pub(super) fn costs(bus: &BusConfig, devices: &[Polled<'_>]) -> Vec<Cost> {
    devices.iter().map(|device| cost(bus, device, devices.len() > 1)).collect()
}

fn cost(bus: &BusConfig, device: &Polled<'_>, shared: bool) -> Cost {
    let blocks = plan(device.profile, device.period, &Lessons::default());
    let (timeout, pause, switch) = patience(bus, device.profile);
    let mut cost = Cost {
        round: Duration::ZERO,
        dead: timeout,
        load: 0.0,
        requests: blocks.len(),
        wanted: blocks.iter().map(|block| block.period).min(),
    };
    for block in &blocks {
        let time = exchange_time(bus, device, block) + pause;
        cost.round += time;
        cost.load += time.as_secs_f64() / block.period.as_secs_f64().max(0.001);
    }
    if shared && !blocks.is_empty() {
        cost.round += switch;
        cost.load += switch.as_secs_f64() / device.period.as_secs_f64().max(0.001);
    }
    cost
}

/// The sum of these costs of these devices.
pub(super) fn total(bus: &BusConfig, devices: &[Polled<'_>], costs: &[Cost]) -> BusBudget {
    let mut total = BusBudget {
        sweep: costs.iter().map(|cost| cost.round).sum(),
        sweep_with_dead: Duration::ZERO,
        wanted: costs.iter().filter_map(|cost| cost.wanted).min().unwrap_or_default(),
        load: costs.iter().map(|cost| cost.load).sum(),
        requests: costs.iter().map(|cost| cost.requests).sum(),
    };
    let mut lines: Vec<LineSettings> = Vec::new();
    for device in devices {
        if !lines.contains(&device.line) {
            lines.push(device.line);
        }
    }
    // Once a sweep for each: the line is retuned between groups of devices.
    if bus.transport.is_local() && lines.len() > 1 {
        total.sweep += lines.iter().map(|line| line.frame_gap()).sum::<Duration>();
    }
    let mut more: Vec<Duration> =
        costs.iter().map(|cost| cost.dead.saturating_sub(cost.round)).collect();
    more.sort_unstable_by(|a, b| b.cmp(a));
    total.sweep_with_dead = total.sweep + more.iter().take(DEAD).sum::<Duration>();
    total
}

/// Timeout, pause after a reply, pause before another device.
fn patience(bus: &BusConfig, profile: &Profile) -> (Duration, Duration, Duration) {
    let usual = Limits::default();
    let (timeout, pause, switch) = match &profile.binding {
        Binding::Modbus { limits, .. } => (limits.timeout, limits.pause, limits.pause_on_switch),
        Binding::Dlt645(model) => {
            (model.manners.timeout, model.manners.pause, model.manners.pause_on_switch)
        }
        Binding::Cjt188(model) => {
            (model.manners.timeout, model.manners.pause, model.manners.pause_on_switch)
        }
        Binding::Mqtt(_) => (usual.timeout, usual.pause, usual.pause_on_switch),
    };
    (bus.timeout.unwrap_or(timeout), pause.max(bus.gap), switch)
}

/// Time of the request for a block and its answer.
fn exchange_time(bus: &BusConfig, device: &Polled<'_>, block: &Block) -> Duration {
    let answer_time = match &device.profile.binding {
        Binding::Modbus { .. } | Binding::Mqtt(_) => ANSWER.0,
        Binding::Dlt645(_) => ANSWER.1,
        Binding::Cjt188(_) => ANSWER.2,
    };
    if matches!(bus.transport, Transport::Tcp { .. }) {
        return answer_time;
    }
    let ask = ask_for(block.read, device.address, device.profile, DiOrder::HighFirst, 0);
    let answer = match (block.read, &device.profile.binding) {
        (Read::Item { .. }, _) => {
            let data = block.points.iter().map(|slice| slice.range().end).max().unwrap_or(0);
            DLT645_AROUND + data
        }
        (Read::Meter { .. }, Binding::Cjt188(model)) => match model.meter_type.kind() {
            Kind::Heat => CJT188_HEAT,
            _ => CJT188_VOLUME,
        },
        _ => ask.answer_chars(),
    };
    let chars = ask.request_chars() + answer;
    device.line.time_of(chars) + answer_time + device.line.silence_before(device.address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::bus::rig::{device, holding};
    use crate::driver::{BusAddress, Parity};
    use crate::model::BusId;

    fn bus(transport: Transport) -> BusConfig {
        BusConfig::new(BusId::new("a").unwrap(), transport)
    }

    fn serial() -> BusConfig {
        bus(Transport::Serial { path: "/dev/ttyS1".into() })
    }

    fn line(baud: u32, parity: Parity) -> LineSettings {
        LineSettings { baud, parity, stop_bits: 1 }
    }

    fn one(bus: &BusConfig, line: LineSettings, addresses: &[u16]) -> BusBudget {
        let profile = holding(addresses);
        let period = Duration::from_secs(10);
        let address = BusAddress::Unit(1);
        budget(bus, &[Polled { profile: &profile, address, line, period }])
    }

    #[test]
    fn a_request_costs_its_characters_the_answer_time_and_a_silence() {
        // 8 characters asked, 5 + 4 answered, of 10 bits at 1000 bit/s each 10 ms; 20 ms; and
        // 3.5 characters of 11 bits.
        let cost = one(&serial(), line(1000, Parity::None), &[0, 1]);
        assert_eq!(cost.sweep.as_millis(), 170 + 20 + 38);
        assert_eq!((cost.requests, cost.wanted.as_secs()), (1, 10));
        assert!((cost.load - 0.0229).abs() < 0.0001, "{}", cost.load);
        // The parity bit makes each character a tenth longer.
        let cost = one(&serial(), line(1000, Parity::Even), &[0, 1]);
        assert_eq!(cost.sweep.as_millis(), 187 + 20 + 38);
    }

    #[test]
    fn modbus_tcp_costs_the_answer_time_alone() {
        let tcp = bus(Transport::Tcp { address: "x:502".into() });
        assert_eq!(one(&tcp, line(9600, Parity::None), &[0]).sweep, ANSWER.0);
    }

    #[test]
    fn dead_devices_cost_their_time_out_instead_of_their_round() {
        let profile = holding(&[0]);
        let devices: Vec<_> =
            (0..5).map(|n| device(n, u8::try_from(n).unwrap() + 1, &profile)).collect();
        let polled: Vec<_> = devices
            .iter()
            .map(|d| Polled {
                profile: &d.profile,
                address: d.address,
                line: line(9600, Parity::None),
                period: d.period,
            })
            .collect();
        let cost = budget(&serial(), &polled);
        let round = cost.sweep / 5;
        let expected = cost.sweep + 3 * (Duration::from_secs(1) - round);
        assert!(cost.sweep_with_dead.abs_diff(expected) < Duration::from_micros(10));
    }
}
