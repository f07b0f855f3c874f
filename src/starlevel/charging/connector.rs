//! The connectors of the chargers: which points tell about each, and what they say now.

use super::session::{Ended, Seen, Session, longest_gap};
use crate::model::{
    Category, Device, DeviceIndex, DeviceState, Estate, Health, Moment, Point, PointState,
    Snapshot, Value,
};

/// Names of points by `config/categories.toml`.
const STATUS: &str = "connectorStatus";
const SESSION: &str = "sessionEnergy";
const REGISTERS: [&str; 2] = ["totalActiveEnergyImport", "activeEnergyImport"];
const STOP: &str = "stopReason";

/// A point and what its values are multiplied by.
#[derive(Debug, Clone, Copy)]
struct Energy {
    slot: usize,
    factor: f64,
}

/// One connector and the session at it.
#[derive(Debug)]
pub(super) struct Connector {
    pub(super) device: DeviceIndex,
    /// Its number; `None` where the charger has one without a number.
    pub(super) number: Option<u32>,
    pub(super) session: Session,
    /// The session as it stands in the store.
    pub(super) stored: Session,
    status: usize,
    energy: Option<Energy>,
    register: Option<Energy>,
    stop: Option<usize>,
    gap: std::time::Duration,
}

/// All connectors of the estate's chargers.
pub(super) fn all(estate: &Estate) -> Vec<Connector> {
    let chargers = estate.indexed().filter(|(_, d)| d.category == Category::EvCharger);
    chargers.flat_map(|(index, device)| of(index, device)).collect()
}

fn of(index: DeviceIndex, device: &Device) -> Vec<Connector> {
    let gap = longest_gap(device.expected_every);
    let make = |number: Option<u32>, prefix: &str| {
        let find = |name: &str| {
            let name = format!("{prefix}{name}");
            device.points.iter().position(|point| *point.name == *name)
        };
        let energy = |slot: usize| Energy { slot, factor: to_kwh(&device.points[slot]) };
        Some(Connector {
            device: index,
            number,
            session: Session::default(),
            stored: Session::default(),
            status: find(STATUS)?,
            energy: find(SESSION).map(energy),
            register: REGISTERS.iter().find_map(|name| find(name)).map(energy),
            stop: find(STOP),
            gap,
        })
    };
    let members = device.groups.iter().flat_map(|group| {
        (0..group.count).map(|place| {
            let number = group.number(place);
            (number, format!("{}.{number}.", group.name))
        })
    });
    let members: Vec<Connector> =
        members.filter_map(|(number, prefix)| make(Some(number), &prefix)).collect();
    // Beside its connectors a charger may show the worst of their states: no connector itself.
    if members.is_empty() { make(None, "").into_iter().collect() } else { members }
}

fn to_kwh(point: &Point) -> f64 {
    if point.unit.code() == "W.h" { 0.001 } else { 1.0 }
}

impl Connector {
    /// Takes what the snapshot shows; returns the session that ended.
    pub(super) fn look(&mut self, snapshot: &Snapshot, now: Moment, wall_ms: i64) -> Option<Ended> {
        let gap = self.gap;
        snapshot.with(self.device, |state| {
            if matches!(state.health, Health::Offline | Health::Unknown) {
                return None;
            }
            let wall = |at: Moment| {
                let age = i64::try_from(now.since(at).as_millis()).unwrap_or(i64::MAX);
                wall_ms.saturating_sub(age)
            };
            let (at, status) = number(&state.points[self.status])?;
            let energy = |energy: Option<Energy>| {
                let Energy { slot, factor } = energy?;
                number(&state.points[slot]).map(|(at, value)| (wall(at), value * factor))
            };
            let seen = Seen {
                at_ms: wall(at),
                #[expect(clippy::cast_possible_truncation, reason = "codes are small")]
                status: status as i64,
                session_kwh: energy(self.energy),
                register_kwh: energy(self.register).map(|(_, kwh)| kwh),
                stop: self.stop.and_then(|slot| text(state, slot)).map(|(at, t)| (wall(at), t)),
            };
            self.session.step(seen, gap)
        })
    }
}

/// A good number and when it was read.
fn number(point: &PointState) -> Option<(Moment, f64)> {
    let good = point.quality.is_some_and(|quality| quality.is_good());
    let value = point.value.as_ref().filter(|_| good)?.number()?;
    Some((point.good_at?, value))
}

fn text(state: &DeviceState, slot: usize) -> Option<(Moment, &str)> {
    let point = &state.points[slot];
    let good = point.quality.is_some_and(|quality| quality.is_good());
    match (&point.value, point.good_at.filter(|_| good)) {
        (Some(Value::Text(text)), Some(at)) => Some((at, text)),
        _ => None,
    }
}
