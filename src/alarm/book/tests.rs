//! The life of alarms in simulated time: over days, across restarts.

mod life;
mod storms;
mod windows;

use super::*;
use crate::alarm::config::Config;
use crate::alarm::testing::{at, book, config, signal};
use crate::alarm::timeline::Now;
use crate::model::{AlarmChange, AlarmState, AlarmStep, EventKind};

const HOT: u16 = 0;
const FULL: u16 = 1;
const OFFLINE: u16 = 2;
const CLOCK: u16 = 3;
const MINUTE: u64 = 60;
const HOUR: u64 = 3600;
const DAY: u64 = 86_400;

/// A book whose steps are gathered.
struct Desk {
    book: Book,
    config: Config,
    told: Vec<AlarmChange>,
    closed: Vec<Arc<Alarm>>,
    lives: BTreeMap<String, AlarmLife>,
    ledger: Vec<(AlarmId, Entry)>,
}

impl Desk {
    fn new() -> Self {
        Self::with(config(), 20, &[])
    }

    fn with(config: Config, bins: usize, windows: &[Window]) -> Self {
        let book = book(&config, bins, Kept::default(), windows, &at(0));
        let (told, closed, ledger) = (Vec::new(), Vec::new(), Vec::new());
        Self { book, config, told, closed, lives: BTreeMap::new(), ledger }
    }

    /// Ends the program and starts it again, on another machine clock.
    fn restart(&mut self, last: &Now, bins: usize, boot: &str, now: &Now) {
        let kept = self.book.kept(last);
        let plan = crate::alarm::testing::plan(&self.config, bins, &[]);
        let manner = *self.book.manner();
        self.book = Book::new(plan, manner, (Epoch(7), boot), kept, &[], now);
        let opening = self.book.opening();
        self.take(opening);
    }

    fn take(&mut self, effects: Effects) {
        for event in effects.events {
            let EventKind::Alarm(change) = event.kind else { panic!("{event:?}") };
            self.told.push(*change);
        }
        self.closed.extend(effects.closed);
        self.ledger.extend(effects.ledger);
        self.lives.extend(effects.lives.into_iter().map(|life| (life.id.clone(), life)));
    }

    fn on(&mut self, rule: u16, device: u32, seconds: u64) {
        self.signal(rule, Some(device), true, seconds);
    }

    fn off(&mut self, rule: u16, device: u32, seconds: u64) {
        self.signal(rule, Some(device), false, seconds);
    }

    fn signal(&mut self, rule: u16, device: Option<u32>, on: bool, seconds: u64) {
        let now = at(seconds);
        let effects = self.book.signal(&signal(rule, device, on, &now), &now);
        self.take(effects);
    }

    fn tick(&mut self, seconds: u64) {
        let effects = self.book.tick(&at(seconds));
        self.take(effects);
    }

    /// Ticks every minute.
    fn run(&mut self, from: u64, to: u64) {
        (from..=to).step_by(60).for_each(|second| self.tick(second));
    }

    fn acknowledge(&mut self, number: u64, seconds: u64) -> Result<(), ActFault> {
        let effects = self.book.acknowledge(id(number), "李工", &at(seconds))?;
        self.take(effects);
        Ok(())
    }

    fn close(&mut self, number: u64, reason: &str, seconds: u64) -> Result<(), ActFault> {
        let effects = self.book.close(id(number), "李工", reason, &at(seconds))?;
        self.take(effects);
        Ok(())
    }

    /// The steps that were told since the last call: alarm, step, state.
    fn steps(&mut self) -> Vec<(u64, AlarmStep, AlarmState)> {
        let told = std::mem::take(&mut self.told);
        told.into_iter().map(|change| (change.id.number, change.step, change.state)).collect()
    }

    fn alarm(&self, number: u64) -> &Alarm {
        &self.book.open[&number]
    }
}

fn id(number: u64) -> AlarmId {
    AlarmId { epoch: Epoch(7), number }
}
