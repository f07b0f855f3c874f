//! Sees that values stay away: nobody tells of what does not come, so the time is looked at.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::entry::Key;
use super::plan::Plan;
use super::rule::Kind;
use crate::model::{AlarmSignal, DeviceIndex, Health, Moment, Snapshot};

/// Looks at how old the last good values are.
#[derive(Debug)]
pub struct Lapse {
    plan: Arc<Plan>,
    started: Moment,
    /// Those that hold: rule and device.
    on: HashSet<(u16, DeviceIndex)>,
}

impl Lapse {
    /// Nothing holds yet but `active`.
    pub fn new<'k>(
        plan: Arc<Plan>,
        started: Moment,
        active: impl IntoIterator<Item = &'k Key>,
    ) -> Self {
        let place = |key: &Key| {
            let (rule, device, _) = plan.place(key)?;
            (plan.rule(rule).kind == Kind::NoData).then_some((rule, device?))
        };
        let on = active.into_iter().filter_map(place).collect();
        Self { plan, started, on }
    }

    /// What changed since the last look. A device that is offline has a rule of its own for that.
    pub fn look(&mut self, snapshot: &Snapshot, now: Moment) -> Vec<AlarmSignal> {
        let plan = Arc::clone(&self.plan);
        let mut changed = Vec::new();
        for (index, device) in plan.estate().indexed() {
            for (rule, of) in plan.of_device(index, Kind::NoData) {
                let (health, heard) = snapshot.with(index, |state| (state.health, state.heard_at));
                let periods = of.limit.unwrap_or(f64::INFINITY);
                let most =
                    Duration::try_from_secs_f64(device.expected_every.as_secs_f64() * periods)
                        .unwrap_or(Duration::MAX);
                let age = now.since(heard.unwrap_or(self.started));
                let on = health != Health::Offline && age > most;
                let told = (rule, index);
                let news = if on { self.on.insert(told) } else { self.on.remove(&told) };
                if news {
                    changed.push(AlarmSignal {
                        rule,
                        device: Some(index),
                        point: None,
                        about: String::new(),
                        on,
                        value: None,
                        at: now,
                    });
                }
            }
        }
        changed
    }
}
