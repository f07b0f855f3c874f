//! What is decided about commands: without I/O, one input at a time.
//!
//! ```text
//!  order ─► checks ─► kept ─► written ─► read back ─► done
//!             │                  │            └──────► unconfirmed, unknown
//!             └► refused,        └► expired, refused, unknown
//!                expired
//! ```

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::book::{Book, Row};
use super::config::Config;
use super::hold::{Hold, HoldKey, Holds};
use super::input::{Effects, Input, Now, Told, Work, Write, WriteFault};
use super::silence::Silence;
use super::target::{Known, Target, What};
use crate::model::{
    CommandId, CommandOutcome, CommandRequest, CommandSource, Moment, Refusal, Snapshot,
};
use crate::store::{StoreError, Tree};

/// How often it is looked whether a point shows what was ordered.
pub(super) const LOOK: Duration = Duration::from_millis(200);
/// How often a device is asked to be read meanwhile.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// How far a command is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stage {
    /// Another is being written to its device.
    Queued,
    /// It is being written.
    Writing,
    /// A point must show it.
    Confirming {
        since: Moment,
        until: Moment,
        asked: Moment,
        /// The answer to the write was lost.
        doubt: bool,
    },
}

/// A command under way.
#[derive(Debug, Clone)]
pub(super) struct Open {
    pub request: CommandRequest,
    pub slot: usize,
    pub what: What,
    pub deadline: Moment,
    pub stage: Stage,
    /// The order that held before it.
    pub before: Option<Hold>,
    /// The order that it takes back.
    pub returns: Option<HoldKey>,
}

/// All that is known about commands.
pub(super) struct Core {
    pub gateway: String,
    pub config: Config,
    pub targets: Vec<Target>,
    pub by_name: BTreeMap<String, usize>,
    pub snapshot: Snapshot,
    pub book: Book,
    pub holds: Holds,
    pub open: BTreeMap<CommandId, Open>,
    pub writing: BTreeSet<usize>,
    pub queue: VecDeque<(usize, Work)>,
    pub silence: Silence,
    /// Numbers the gateway's own commands.
    pub serial: u64,
    begun: bool,
}

impl Core {
    /// Goes on with what the tree keeps.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn load(
        (gateway, config): (String, Config),
        targets: Vec<Target>,
        snapshot: Snapshot,
        tree: &Tree,
        now: Moment,
    ) -> Result<Self, StoreError> {
        let by_name = targets.iter().enumerate();
        let by_name = by_name.map(|(slot, target)| (target.id.to_string(), slot)).collect();
        Ok(Self {
            gateway,
            config,
            targets,
            by_name,
            snapshot,
            book: Book::load(tree)?,
            holds: Holds::load(tree)?,
            open: BTreeMap::new(),
            writing: BTreeSet::new(),
            queue: VecDeque::new(),
            silence: Silence::load(tree, now)?,
            serial: 0,
            begun: false,
        })
    }

    /// Takes one input.
    pub fn apply(&mut self, input: Input, now: Now) -> Effects {
        let mut effects = Effects::default();
        if !std::mem::replace(&mut self.begun, true) {
            self.begin(now, &mut effects);
        }
        match input {
            Input::Order { ticket, request } => self.order(ticket, request, now, &mut effects),
            Input::Message { ticket, id, payload, retained } => {
                self.message((ticket, &id), &payload, retained, now, &mut effects);
            }
            Input::Written { work, result } => self.written(&work, result, now, &mut effects),
            Input::NotKept { accepted } => {
                for id in accepted {
                    let outcome = CommandOutcome::refused(Refusal::NotKept);
                    self.finish(&id, outcome, now, &mut effects);
                }
            }
            Input::Link { up } => self.silence.link(up, now.at),
            Input::Tick => {}
            Input::Stop => {
                self.queue.clear();
                self.look(now, true, &mut effects);
                return effects;
            }
        }
        self.look(now, false, &mut effects);
        self.look_at_holds(now, &mut effects);
        self.start_next(now, &mut effects);
        effects
    }

    /// When to look again without anything happening.
    pub fn wake_at(&self, now: Moment) -> Moment {
        let confirming = |open: &Open| matches!(open.stage, Stage::Confirming { .. });
        let busy = !self.queue.is_empty() || !self.holds.is_empty();
        now.plus(match busy {
            _ if self.open.values().any(confirming) => LOOK,
            true => Duration::from_secs(1),
            false => Duration::from_secs(60),
        })
    }

    /// What an earlier run left: nobody knows whether it was done, and it is not done again.
    fn begin(&mut self, now: Now, effects: &mut Effects) {
        for id in self.book.open() {
            self.end(&id, CommandOutcome::Unknown, now, effects);
        }
        for key in self.holds.keys() {
            let known = self.by_name.get(&key.0).and_then(|slot| self.targets[*slot].find(&key.1));
            if !matches!(known, Some((_, true))) {
                tracing::warn!(
                    device = key.0,
                    command = key.1,
                    "an order holds that the configuration does not allow any more: it is not \
                     repeated and not taken back"
                );
                self.holds.remove(&key, &mut effects.changes);
            }
        }
    }

    /// The known command of something under way.
    pub fn known(&self, open: &Open) -> Option<Known<'_>> {
        self.targets[open.slot].find(&open.request.command).map(|(known, _)| known)
    }

    /// A command came to its end: noted and told.
    fn end(
        &mut self,
        id: &CommandId,
        outcome: CommandOutcome,
        now: Now,
        effects: &mut Effects,
    ) -> Option<Row> {
        let row = self.book.end(id, outcome, now.wall_ms, &mut effects.changes)?;
        let (device, report) = (row.device.clone(), row.report.clone());
        effects.told.push(Told { device, report, late: true, spared: false });
        Some(row)
    }

    /// A command under way came to its end.
    pub fn finish(
        &mut self,
        id: &CommandId,
        outcome: CommandOutcome,
        now: Now,
        effects: &mut Effects,
    ) {
        let Some(open) = self.open.remove(id) else { return };
        if open.stage == Stage::Writing {
            self.writing.remove(&open.slot);
        }
        self.queue.retain(|(_, work)| *work != Work::Order(id.clone()));
        self.settle_hold(&open, &outcome, now, effects);
        self.end(id, outcome, now, effects);
    }

    fn written(
        &mut self,
        work: &Work,
        result: Result<(), WriteFault>,
        now: Now,
        effects: &mut Effects,
    ) {
        let id = match work {
            Work::Order(id) => id,
            Work::Repeat(key) => return self.repeated(key, &result, now),
        };
        let Some(open) = self.open.get(id) else { return };
        self.writing.remove(&open.slot);
        let known = self.known(open);
        let read_back = known.and_then(|known| known.read_back());
        let within = known.map_or(Duration::ZERO, |known| known.within());
        let doubt = result == Err(WriteFault::Unknown);
        let outcome = match result {
            Ok(()) | Err(WriteFault::Unknown) if read_back.is_some() => {
                let (since, until) = (now.at, now.at.plus(within));
                let stage = Stage::Confirming { since, until, asked: now.at, doubt };
                if let Some(open) = self.open.get_mut(id) {
                    open.stage = stage;
                }
                return;
            }
            Ok(()) => CommandOutcome::Done { read_back: None },
            Err(WriteFault::Unknown) => CommandOutcome::Unknown,
            Err(WriteFault::Expired) => CommandOutcome::Expired,
            Err(WriteFault::Offline) => CommandOutcome::refused(Refusal::Offline),
            Err(WriteFault::Refused(said)) => CommandOutcome::refused_for(Refusal::Device, said),
        };
        self.finish(id, outcome, now, effects);
    }

    /// Looks at the points that must show something; `last` is the last look.
    fn look(&mut self, now: Now, last: bool, effects: &mut Effects) {
        let mut ended = Vec::new();
        let ids: Vec<CommandId> = self.open.keys().cloned().collect();
        for id in ids {
            let open = &self.open[&id];
            let Stage::Confirming { since, until, asked, doubt } = open.stage else { continue };
            let target = &self.targets[open.slot];
            let Some((known, _)) = target.find(&open.request.command) else { continue };
            let Some(point) = known.read_back() else { continue };
            let seen = self.snapshot.with(target.index, |state| {
                let state = state.point(point);
                state.value.clone().filter(|_| state.good_at.is_some_and(|at| at >= since))
            });
            let decimals = target.profile.points[point.slot()].decimals;
            let ordered = open.request.value.as_ref();
            match seen {
                Some(seen) if known.shows(ordered, &seen, decimals) => {
                    ended.push((id, CommandOutcome::Done { read_back: Some(seen) }));
                }
                _ if (now.at >= until || last) && doubt => {
                    ended.push((id, CommandOutcome::Unknown));
                }
                seen if now.at >= until || last => {
                    ended.push((id, CommandOutcome::Unconfirmed { read_back: seen }));
                }
                _ if now.at.since(asked) >= ASK_AGAIN => {
                    effects.again.push((target.index, point));
                    if let Some(Open { stage: Stage::Confirming { asked, .. }, .. }) =
                        self.open.get_mut(&id)
                    {
                        *asked = now.at;
                    }
                }
                _ => {}
            }
        }
        for (id, outcome) in ended {
            self.finish(&id, outcome, now, effects);
        }
    }

    /// Begins what waits, one at a time for each device.
    fn start_next(&mut self, now: Now, effects: &mut Effects) {
        let mut rest = VecDeque::new();
        for (slot, work) in std::mem::take(&mut self.queue) {
            if self.writing.contains(&slot) {
                rest.push_back((slot, work));
                continue;
            }
            match self.write(slot, &work, now, effects) {
                Some(write) => {
                    self.writing.insert(slot);
                    effects.writes.push(write);
                }
                None => tracing::debug!(?work, "not begun"),
            }
        }
        self.queue.append(&mut rest);
    }

    fn write(
        &mut self,
        slot: usize,
        work: &Work,
        now: Now,
        effects: &mut Effects,
    ) -> Option<Write> {
        let device = self.targets[slot].index;
        let id = match work {
            Work::Order(id) => id,
            Work::Repeat(key) => return self.repetition(slot, key, now),
        };
        let open = self.open.get(id)?;
        if now.at >= open.deadline {
            self.finish(id, CommandOutcome::Expired, now, effects);
            return None;
        }
        let read_back = self.known(open).and_then(|known| known.read_back());
        let (what, deadline) = (open.what.clone(), open.deadline);
        let (by, command) = (open.request.by.clone(), open.request.command.clone());
        // What was ordered before is not what the point will show from now on.
        let older = self.open.iter().filter(|(_, other)| {
            matches!(other.stage, Stage::Confirming { .. })
                && other.slot == slot
                && other.request.command == command
        });
        let older: Vec<CommandId> = older.map(|(id, _)| id.clone()).collect();
        for id in older {
            self.finish(&id, CommandOutcome::Unconfirmed { read_back: None }, now, effects);
        }
        if let Some(open) = self.open.get_mut(id) {
            open.stage = Stage::Writing;
        }
        Some(Write { work: work.clone(), device, what, deadline, by, read_back })
    }

    /// Whether orders from there end when the platform is silent.
    pub fn is_of_platform(source: CommandSource) -> bool {
        source == CommandSource::Platform
    }
}
