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
use crate::model::{AlarmId, Estate, WarningId, WarningSource};
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
/// `started` are those of this run; `seen` may lag behind them.
fn deeds(board: &Board, seen: &BroadcastView, started: &BTreeSet<AlarmId>, now: &Now) -> Vec<Deed> {
    let fresh = |alarm: &Alarm| u128::from(board.age_ms(alarm, now)) <= FRESH.as_millis();
    let wanted = |alarm: &Alarm| alarm.active && alarm.is_called() && fresh(alarm);
    let plays = |alarm: &Alarm| rule(board, alarm).is_some_and(|rule| rule.broadcast.is_some());
    let new = board.open.iter().filter(|alarm| !started.contains(&alarm.id));
    let new = new.filter(|alarm| wanted(alarm) && plays(alarm)).map(|alarm| Deed::Start(alarm.id));
    let on_air = seen.warnings.iter().filter(|row| row.over_ms.is_none());
    let of_alarms = on_air.filter(|row| row.source == WarningSource::Alarm);
    let before = of_alarms.filter_map(|row| row.id.alarm());
    let over = |id: &AlarmId| board.find(*id).is_none_or(|alarm| !alarm.active);
    let all: BTreeSet<AlarmId> = before.chain(started.iter().copied()).collect();
    let ended = all.into_iter().filter(over).map(|id| Deed::Cancel(id.into()));
    new.chain(ended).collect()
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
        for deed in deeds(board, &self.desk.view(), &self.started, &now) {
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

    async fn start(&self, board: &Board, alarm: &Alarm) -> Result<(), Stopping> {
        let rule = rule(board, alarm);
        let Some((rule, template)) = rule.and_then(|rule| Some((rule, rule.broadcast.as_ref()?)))
        else {
            return Ok(());
        };
        let device = alarm.key.device.as_ref().and_then(|id| self.estate.find(id));
        let device = device.map(|index| self.estate.device(index));
        let zones = device.map_or_else(Vec::new, |d| self.desk.zones_of(&d.id, &d.place));
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
