//! Alarm rules that warn people: what a rule says is to be played is started at the emergency
//! broadcast where the alarm is, once for each alarm, and ends with it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Joints;
use crate::alarm::{Alarm, Board, Now, Rule};
use crate::broadcast::{BroadcastDesk, BroadcastView, Stopping};
use crate::clock::Clock;
use crate::model::{AlarmId, AlarmState, Device, Estate, WarningId, WarningSource};
use crate::supervise::Part;

/// An older alarm is not played any more: after a restart, or at the end of a maintenance window,
/// nobody should be frightened by what is hours old.
const FRESH: Duration = Duration::from_secs(600);

/// What is to be done at the broadcast.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Deed {
    Start(AlarmId),
    Cancel(WarningId),
}

/// What has to be done so that exactly the alarms are played that hold and whose rule wants it.
/// `started` are those of this run; `seen` may lag behind them. `zones` are where an alarm is played.
///
/// A member of a group is played too, unless another one was where it is: a fire that sets off many
/// detectors is a group, and people of the last house must hear of it like those of the first.
fn deeds(
    board: &Board,
    seen: &BroadcastView,
    started: &BTreeSet<AlarmId>,
    now: &Now,
    zones: impl Fn(&Alarm) -> Vec<String>,
) -> Vec<Deed> {
    let of_alarms = || seen.warnings.iter().filter(|row| row.source == WarningSource::Alarm);
    let mut heard: BTreeSet<AlarmId> = of_alarms().filter_map(|row| row.id.alarm()).collect();
    heard.extend(started);
    let fresh = |alarm: &Alarm| u128::from(board.age_ms(alarm, now)) <= FRESH.as_millis();
    let mut deeds = Vec::new();
    for alarm in board.open.iter().filter(|alarm| holds(alarm) && fresh(alarm)) {
        let there =
            |other: &Alarm| heard.contains(&other.id) && speaks_for(board, other, alarm, &zones);
        let spoken_for = siblings(board, alarm).any(there);
        if template(board, alarm).is_some() && !heard.contains(&alarm.id) && !spoken_for {
            heard.insert(alarm.id);
            deeds.push(Deed::Start(alarm.id));
        }
    }
    let on_air = of_alarms().filter(|row| row.over_ms.is_none());
    let on_air = on_air.filter_map(|row| row.id.alarm());
    let all: BTreeSet<AlarmId> = on_air.chain(started.iter().copied()).collect();
    let over = |id: &AlarmId| match board.find(*id) {
        None => true,
        Some(alarm) if alarm.active => false,
        Some(alarm) => !siblings(board, alarm)
            .any(|other| holds(other) && speaks_for(board, alarm, other, &zones)),
    };
    deeds.extend(all.into_iter().filter(over).map(|id| Deed::Cancel(id.into())));
    deeds
}

/// Whether people may be told of it: a group is told by its members.
fn holds(alarm: &Alarm) -> bool {
    let open = alarm.active && alarm.state != AlarmState::Closed;
    open && alarm.silenced.is_none() && !alarm.is_group()
}

/// The other members of its group.
fn siblings<'b>(board: &'b Board, alarm: &Alarm) -> impl Iterator<Item = &'b Alarm> {
    let (group, own) = (alarm.group, alarm.id);
    let members = board.open.iter().map(|alarm| &**alarm);
    members.filter(move |other| group.is_some() && other.group == group && other.id != own)
}

/// Whether whoever should hear of `other` hears of `alarm`.
fn speaks_for(
    board: &Board,
    alarm: &Alarm,
    other: &Alarm,
    zones: impl Fn(&Alarm) -> Vec<String>,
) -> bool {
    let (here, there) = (zones(alarm), zones(other));
    // None is everywhere.
    let covers =
        here.is_empty() || (!there.is_empty() && there.iter().all(|zone| here.contains(zone)));
    covers && template(board, alarm) == template(board, other)
}

fn template<'b>(board: &'b Board, alarm: &Alarm) -> Option<&'b str> {
    rule(board, alarm)?.broadcast.as_deref()
}

fn rule<'b>(board: &'b Board, alarm: &Alarm) -> Option<&'b Rule> {
    board.plan.rule_of(&alarm.key)
}

/// Watches the board, and warns.
struct Warner {
    desk: BroadcastDesk,
    board: watch::Receiver<Arc<Board>>,
    estate: Arc<Estate>,
    clock: Clock,
    started: BTreeSet<AlarmId>,
}

impl Warner {
    async fn run(mut self, stop: CancellationToken) {
        loop {
            let board = Arc::clone(&self.board.borrow_and_update());
            tokio::select! {
                () = stop.cancelled() => return,
                done = self.look(&board) => if done.is_err() { return },
            }
            tokio::select! {
                () = stop.cancelled() => return,
                changed = self.board.changed() => if changed.is_err() { return },
            }
        }
    }

    async fn look(&mut self, board: &Board) -> Result<(), Stopping> {
        let moment = self.clock.now();
        let wall_ms = self.clock.best_wall(moment).unix_ms;
        let now = Now { moment, wall_ms, trusted: self.clock.trusted() };
        let zones = |alarm: &Alarm| self.zones(alarm);
        for deed in deeds(board, &self.desk.view(), &self.started, &now, zones) {
            match deed {
                Deed::Start(id) => {
                    self.started.insert(id);
                    if let Some(alarm) = board.find(id) {
                        self.start(board, alarm).await?;
                    }
                }
                Deed::Cancel(id) => {
                    let by = "linli";
                    if let Some(alarm) = id.alarm() {
                        self.started.remove(&alarm);
                    }
                    match self.desk.cancel(id.clone(), by).await? {
                        Ok(()) => tracing::info!(%id, "the alarm is over, and its warning"),
                        Err(why) => tracing::debug!(%id, ?why, "nothing to cancel"),
                    }
                }
            }
        }
        Ok(())
    }

    fn device(&self, alarm: &Alarm) -> Option<&Device> {
        let index = self.estate.find(alarm.key.device.as_ref()?)?;
        Some(self.estate.device(index))
    }

    /// Where it is played; empty for everywhere.
    fn zones(&self, alarm: &Alarm) -> Vec<String> {
        self.device(alarm).map_or_else(Vec::new, |d| self.desk.zones_of(&d.id, &d.place))
    }

    async fn start(&self, board: &Board, alarm: &Alarm) -> Result<(), Stopping> {
        let rule = rule(board, alarm);
        let Some((rule, template)) = rule.and_then(|rule| Some((rule, rule.broadcast.as_ref()?)))
        else {
            return Ok(());
        };
        let (device, zones) = (self.device(alarm), self.zones(alarm));
        let (en, zh) = device.map_or_else(Default::default, |device| {
            let place = if device.place.is_empty() { device.title() } else { &device.place };
            (format!("Where: {place}."), format!("位置：{place}。"))
        });
        let by = format!("{} ({})", rule.title.zh, rule.id);
        let id = WarningId::from(alarm.id);
        match self.desk.start(id.clone(), template, zones, &by, (&en, &zh)).await? {
            Some(Ok(_)) => tracing::info!(%id, rule = %rule.id, %template, "an alarm warns people"),
            Some(Err(why)) => {
                let why = why.words().en;
                tracing::warn!(%id, rule = %rule.id, why, "an alarm should warn people and cannot");
            }
            // The configuration's check refuses unknown templates.
            None => tracing::error!(%id, %template, "there is no such template"),
        }
        Ok(())
    }
}

impl Joints {
    /// Lets alarm rules warn people.
    pub(super) fn warner(&mut self, desk: BroadcastDesk, board: watch::Receiver<Arc<Board>>) {
        let (estate, clock) = (Arc::clone(&self.estate), self.clock.clone());
        let warner = Warner { desk, board, estate, clock, started: BTreeSet::new() };
        let stop = self.supervisor.token(Part::Source);
        self.supervisor.spawn(Part::Source, "alarms that warn", warner.run(stop));
    }
}

#[cfg(test)]
#[path = "warned_tests.rs"]
mod tests;
