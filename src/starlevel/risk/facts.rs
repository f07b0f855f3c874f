//! Gathers what is known about each device for its grade.

use super::book::RiskBook;
use super::{Code, Inputs};
use crate::model::{
    BusTable, DeviceIndex, DeviceState, Health, Moment, Quality, Quantity, Reason, Snapshot,
};
use crate::starlevel::evidence::Book;
use crate::starlevel::pack::RulePack;

/// Days over which the online rate is looked at.
const LATELY_DAYS: u32 = 7;
/// Fewer readings of a day tell no share.
const LEAST_READINGS: u64 = 20;

/// Alarms of one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeviceAlarms {
    /// Open ones: red, orange, yellow, blue.
    pub open: [u32; 4],
    /// All of the last 30 days.
    pub recent: u32,
}

/// Findings that concern each device: those that name it, those of its whole line.
pub(super) fn findings(buses: Option<&BusTable>, snapshot: &Snapshot) -> Vec<(u32, u32)> {
    let devices = snapshot.estate().devices();
    let mut counts = vec![(0, 0); devices.len()];
    for bus in buses.map(BusTable::all).unwrap_or_default() {
        for finding in &bus.findings {
            for index in &finding.devices {
                if let Some((named, _)) = counts.get_mut(index.slot()) {
                    *named += 1;
                }
            }
            if finding.devices.is_empty() {
                let of_line = devices.iter().zip(&mut counts);
                let of_line = of_line.filter(|(device, _)| device.bus.as_ref() == Some(&bus.id));
                of_line.for_each(|(_, (_, line))| *line += 1);
            }
        }
    }
    counts
}

impl RiskBook {
    /// The facts about one device; `None` while too little is known since the start.
    pub(super) fn facts(
        &self,
        index: DeviceIndex,
        snapshot: &Snapshot,
        evidence: &Book,
        pack: &RulePack,
        (named, line): (u32, u32),
        now: Moment,
    ) -> Option<Inputs> {
        let device = self.estate.device(index);
        let mut inputs = Inputs::default();
        let every = pack.reading_every(device.category, self.star).unwrap_or_default();
        let every = device.expected_every.max(every).as_secs_f64();
        let known = snapshot.with(index, |state| {
            let known = self.reach(state, now, &mut inputs);
            let last = state.heard_at.unwrap_or(self.started);
            if state.health != Health::Unknown && every > 0.0 {
                inputs.put(Code::Stale, now.since(last).as_secs_f64() / every);
            }
            let suspects = device.points.iter().zip(&state.points);
            let suspects = suspects.filter(|(point, last)| {
                point.quantity == Quantity::Counter && last.quality.is_some_and(is_suspect)
            });
            inputs.put(Code::CounterSuspect, count(suspects.count()));
            known
        });
        if !known {
            return None;
        }
        let (all, valid) = evidence.readings_today(index);
        if all >= LEAST_READINGS {
            #[expect(clippy::cast_precision_loss, reason = "counts of a day fit 53 bits")]
            inputs.put(Code::NotGood, (all - valid) as f64 / all as f64);
        }
        if let Some(rate) = evidence.rate_lately(index, self.star, LATELY_DAYS) {
            inputs.put(Code::OfflineShare, 1.0 - rate);
        }
        inputs.put(Code::Wiring, f64::from(named));
        inputs.put(Code::Line, f64::from(line));
        let alarms = self.alarms.get(index.slot()).copied().unwrap_or_default();
        let levels = [Code::AlarmRed, Code::AlarmOrange, Code::AlarmYellow, Code::AlarmBlue];
        for (code, open) in levels.into_iter().zip(alarms.open) {
            inputs.put(code, f64::from(open));
        }
        inputs.put(Code::AlarmsRecent, f64::from(alarms.recent));
        Some(inputs)
    }

    /// Whether it can be reached; `false` while that is not known yet.
    fn reach(&self, state: &DeviceState, now: Moment, inputs: &mut Inputs) -> bool {
        let seconds = now.since(state.since).as_secs_f64();
        match state.health {
            Health::Online => {}
            Health::Suspect => inputs.put(Code::Degraded, seconds),
            Health::Offline => inputs.put(Code::Offline, seconds),
            Health::Unknown => {
                inputs.put(Code::NeverHeard, now.since(self.started).as_secs_f64());
                return self.settled(now);
            }
        }
        true
    }
}

fn is_suspect(quality: Quality) -> bool {
    matches!(quality.reason(), Some(Reason::CounterBackwards | Reason::CounterJump))
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
