//! The book of alarms: what is open, and what follows from what happens. Input in, effects out; no
//! clock, no I/O.
//!
//! # Rules
//!
//! - At most one open alarm for a [`Key`]. A condition that comes back before the alarm is closed
//!   is the same alarm again; who acknowledged it has still acknowledged it.
//! - A condition counts once it held for the rule's `hold`.
//! - Closing acknowledges, and needs a reason. Closed while the condition holds, it is raised anew
//!   only after the condition was gone once.
//! - A clock that runs out escalates: at once, and again after twice the time, at most a day.
//! - What comes and goes is told until it does so too often ([`Flapping`]); then that, once, and
//!   how it stands after it rested.
//! - Many alarms of one rule in a short time are one group alarm with members ([`Grouping`]): the
//!   group has the clocks, and what is done to it is done to all.
//! - Within a maintenance window what begins is silenced; at its end it is raised if it still
//!   holds.

mod acts;
mod clocks;
mod groups;
mod raise;
mod tell;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

pub use acts::{ActFault, Plans};
pub(super) use clocks::worst_first;

use super::config::{Flapping, Grouping};
use super::entry::{Alarm, Entry, Key};
use super::plan::Plan;
use super::timeline::{Anchor, Now, Timeline};
use super::window::Window;
use crate::model::{AlarmId, AlarmLevel, AlarmLife, AlarmSignal, Epoch, Event, Value};

/// Most open alarms, members of groups included; further ones wait for room.
pub const MOST_OPEN: usize = 4096;
/// Most steps of one alarm that stand in the ledger.
const MOST_STEPS: u32 = 500;
/// Most windows that are not over.
const MOST_WINDOWS: usize = 64;
/// Windows that are over and still shown.
const PAST_WINDOWS: usize = 20;

/// The clocks of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    /// To be acknowledged within.
    pub acknowledge: Duration,
    /// To be closed within.
    pub close: Duration,
}

/// How the book judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// The clocks, by level; none for a level that the rule pack does not know.
    pub clocks: [Option<Clocks>; 4],
    /// When single changes are not told.
    pub flapping: Flapping,
    /// When alarms become one.
    pub grouping: Grouping,
}

impl Manner {
    /// The clocks of a level.
    pub fn clocks(&self, level: AlarmLevel) -> Option<Clocks> {
        self.clocks[level as usize]
    }
}

/// A condition that holds, and not yet for long enough.
#[derive(Debug, Clone, PartialEq)]
struct Pending {
    rule: u16,
    since: u64,
    value: Option<Value>,
}

/// What was kept by an earlier run.
#[derive(Debug, Default)]
pub struct Kept {
    /// The next number that was never given.
    pub next: u64,
    /// The open alarms.
    pub open: Vec<Alarm>,
    /// What was closed while its condition held.
    pub muted: BTreeSet<Key>,
    /// The windows.
    pub windows: Vec<Window>,
    /// Where the time stood.
    pub anchor: Option<Anchor>,
}

/// What follows; to be kept first, then told.
#[derive(Debug, Default, PartialEq)]
pub struct Effects {
    /// Open alarms as they are now.
    pub keep: Vec<Arc<Alarm>>,
    /// Alarms that are over.
    pub closed: Vec<Arc<Alarm>>,
    /// Steps for the ledger.
    pub ledger: Vec<(AlarmId, Entry)>,
    /// Keys that are muted from now on, or not any more.
    pub muted: Vec<(Key, bool)>,
    /// Windows as they are now.
    pub windows: Vec<Window>,
    /// Windows that are forgotten.
    pub forgotten: Vec<u32>,
    /// For the platform.
    pub events: Vec<Event>,
    /// For the star level.
    pub lives: Vec<AlarmLife>,
}

impl Effects {
    /// Takes in what follows from something after this.
    pub(super) fn add(&mut self, more: Self) {
        self.keep.extend(more.keep);
        self.closed.extend(more.closed);
        self.ledger.extend(more.ledger);
        self.muted.extend(more.muted);
        self.windows.extend(more.windows);
        self.forgotten.extend(more.forgotten);
        self.events.extend(more.events);
        self.lives.extend(more.lives);
    }

    /// Whether nothing follows.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Counters since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Alarms raised, by level.
    pub raised: [u64; 4],
    /// Escalations, by level.
    pub escalated: [u64; 4],
    /// Conditions that had to wait because too many alarms are open.
    pub waited: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Book {
    plan: Arc<Plan>,
    manner: Manner,
    epoch: Epoch,
    next: u64,
    line: Timeline,
    started: u64,
    open: BTreeMap<u64, Arc<Alarm>>,
    by_key: HashMap<Key, u64>,
    pending: BTreeMap<Key, Pending>,
    muted: BTreeSet<Key>,
    /// Per rule, when alarms were lately raised, and which.
    recent: HashMap<String, VecDeque<(u64, u64)>>,
    /// Per rule, the group alarm that takes further members, and when the last one joined.
    groups: HashMap<String, (u64, u64)>,
    windows: Vec<Window>,
    totals: Totals,
    out: Effects,
}

impl Book {
    /// Goes on with what was kept. `windows` are those of the configuration.
    pub fn new(
        plan: Arc<Plan>,
        manner: Manner,
        (epoch, boot): (Epoch, &str),
        kept: Kept,
        windows: &[Window],
        now: &Now,
    ) -> Self {
        let line = Timeline::resume(kept.anchor.as_ref(), boot, now);
        let started = line.at(now.moment);
        let mut book = Self {
            plan,
            manner,
            epoch,
            next: kept.next.max(1),
            line,
            started,
            open: BTreeMap::new(),
            by_key: HashMap::new(),
            pending: BTreeMap::new(),
            muted: kept.muted,
            recent: HashMap::new(),
            groups: HashMap::new(),
            windows: kept.windows,
            totals: Totals::default(),
            out: Effects::default(),
        };
        for alarm in kept.open {
            book.next = book.next.max(alarm.id.number + 1);
            if alarm.is_group() {
                book.groups.insert(alarm.key.rule.clone(), (alarm.id.number, alarm.raised));
            }
            book.by_key.insert(alarm.key.clone(), alarm.id.number);
            book.open.insert(alarm.id.number, Arc::new(alarm));
        }
        book.configure(windows);
        book.orphans(now);
        book.recount();
        book
    }

    /// Where the time stands.
    pub fn line(&self) -> &Timeline {
        &self.line
    }

    /// The next number that was never given.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// The rules.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// How it judges.
    pub fn manner(&self) -> &Manner {
        &self.manner
    }

    /// Every open alarm, by number; members of groups and silenced ones too.
    pub fn open(&self) -> impl Iterator<Item = &Arc<Alarm>> {
        self.open.values()
    }

    /// The windows, the oldest first.
    pub fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// Counters since the start.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// What holds as far as the book knows: where the detector goes on.
    pub fn active(&self) -> Vec<Key> {
        let open = self.open.values().filter(|alarm| alarm.active && !alarm.is_group());
        open.map(|alarm| alarm.key.clone()).chain(self.muted.iter().cloned()).collect()
    }

    /// The effects of the start: alarms about what is not configured any more are over.
    pub fn opening(&mut self) -> Effects {
        std::mem::take(&mut self.out)
    }

    /// A condition began or ended.
    pub fn signal(&mut self, signal: &AlarmSignal, now: &Now) -> Effects {
        let key = self.plan.key(signal);
        if signal.on {
            self.begins(key, signal, now)
        } else {
            self.ends(&key, signal, now)
        }
        std::mem::take(&mut self.out)
    }

    /// Time went on: to be called every second or so.
    pub fn tick(&mut self, now: &Now) -> Effects {
        self.line.catch_up(now);
        self.turn_windows(now);
        self.held_long_enough(now);
        self.run_clocks(now);
        std::mem::take(&mut self.out)
    }

    /// The time of now.
    fn time(&self, now: &Now) -> u64 {
        self.line.at(now.moment)
    }

    fn get(&self, number: u64) -> Option<Alarm> {
        self.open.get(&number).map(|alarm| Alarm::clone(alarm))
    }

    /// Puts a changed alarm back; one that is closed leaves.
    fn put(&mut self, alarm: Alarm, now: &Now) {
        if alarm.counted {
            self.out.lives.push(tell::life(&alarm, self.time(now)));
        }
        let number = alarm.id.number;
        let alarm = Arc::new(alarm);
        if alarm.closed.is_some() {
            self.open.remove(&number);
            self.by_key.remove(&alarm.key);
            self.groups.retain(|_, (group, _)| *group != number);
            self.out.closed.push(alarm);
            return;
        }
        self.by_key.insert(alarm.key.clone(), number);
        self.open.insert(number, Arc::clone(&alarm));
        self.out.keep.push(alarm);
    }

    /// Tells the star level of every alarm that is open: after a start it may not know.
    fn recount(&mut self) {
        let t = self.started;
        let counted = self.open.values().filter(|alarm| alarm.counted);
        self.out.lives.extend(counted.map(|alarm| tell::life(alarm, t)));
    }
}
