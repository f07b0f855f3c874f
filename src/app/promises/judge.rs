//! Decides which changes of the promises the platform is told. No I/O but its tree.
//!
//! A change counts once it has lasted: what flaps is not told each time. Events travel through the
//! buffer, so nothing is told while nothing can be stored; what broke meanwhile is owed, one per
//! promise, and told when storing works again.

use std::time::Duration;

use crate::model::{Event, EventKind, Moment, Promise, Words};
use crate::status::promises::{Memory, Standing};
use crate::store::{Changes, StoreError, Tree};

/// A change that lasts this long is told.
pub(super) const HOLD: Duration = Duration::from_secs(10);
/// Lost blocks speak against the delivery for this long.
const LOSS: Duration = Duration::from_secs(3600);

const PROMISES: usize = Promise::ALL.len();

/// One promise.
#[derive(Debug, Clone, Default, PartialEq)]
struct Row {
    /// Broken now, since when.
    since: Option<Moment>,
    /// Kept now, since when; `None` while broken, and before the first look.
    kept_since: Option<Moment>,
    /// It broke, and nobody was told yet.
    owed: Option<(Moment, Words)>,
    /// The platform was told that it is broken, in this run since then, or in an earlier one.
    told: Option<Option<Moment>>,
}

/// Judges all promises.
#[derive(Debug, Default)]
pub(super) struct Judge {
    rows: [Row; PROMISES],
    /// Blocks lost, as last counted.
    losses: Option<u64>,
    lost_at: Option<Moment>,
}

impl Judge {
    /// Takes up what an earlier run told.
    pub fn load(tree: &Tree) -> Result<Self, StoreError> {
        let mut judge = Self::default();
        for (row, promise) in judge.rows.iter_mut().zip(Promise::ALL) {
            if tree.get(promise.word().as_bytes())?.is_some() {
                row.told = Some(None);
            }
        }
        Ok(judge)
    }

    /// Notes what was told.
    pub fn changes(&self) -> Changes {
        let mut changes = Changes::default();
        for (row, promise) in self.rows.iter().zip(Promise::ALL) {
            match row.told {
                Some(_) => changes.insert(promise.word().as_bytes(), b"broken"),
                None => changes.remove(promise.word().as_bytes()),
            }
        }
        changes
    }

    /// How many blocks were lost in the life of the buffer.
    pub fn count_losses(&mut self, losses: u64, now: Moment) {
        if self.losses.replace(losses).is_some_and(|before| losses > before) {
            self.lost_at = Some(now);
        }
    }

    /// What the page is told.
    pub fn memory(&self, now: Moment) -> Memory {
        Memory {
            since: std::array::from_fn(|place| self.rows[place].since),
            lost: self.lost_at.is_some_and(|at| now.since(at) < LOSS),
        }
    }

    /// Looks at how the promises stand; returns what is to be told, in order.
    pub fn look(&mut self, standing: &[Standing; PROMISES], now: Moment) -> Vec<Event> {
        let storing = standing.iter().all(|s| s.promise != Promise::Durable || s.why.is_none());
        let mut events = Vec::new();
        for (row, standing) in self.rows.iter_mut().zip(standing) {
            row.look(standing, now);
            if storing {
                row.tell(standing.promise, now, &mut events);
            }
        }
        events
    }
}

impl Row {
    fn look(&mut self, standing: &Standing, now: Moment) {
        match &standing.why {
            Some(why) => {
                self.kept_since = None;
                let since = *self.since.get_or_insert(now);
                if now.since(since) >= HOLD && self.told.is_none() && self.owed.is_none() {
                    self.owed = Some((since, why.clone()));
                }
            }
            None => {
                self.since = None;
                self.kept_since.get_or_insert(now);
            }
        }
    }

    fn tell(&mut self, promise: Promise, now: Moment, events: &mut Vec<Event>) {
        if let Some((at, why)) = self.owed.take() {
            self.told = Some(Some(at));
            let kind = EventKind::PromiseBroken { promise, why: why.en, why_zh: why.zh };
            events.push(Event { at, device: None, kind });
        }
        let Some(kept) = self.kept_since.filter(|kept| now.since(*kept) >= HOLD) else { return };
        if let Some(broken) = self.told.take() {
            let broken_ms =
                broken.map(|at| u64::try_from(kept.since(at).as_millis()).unwrap_or(u64::MAX));
            let kind = EventKind::PromiseKept { promise, broken_ms };
            events.push(Event { at: now, device: None, kind });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Limits, Store};

    fn at(seconds: u64) -> Moment {
        Moment { boot_ms: 1_000_000 + seconds * 1000 }
    }

    fn standing(broken: &[Promise]) -> [Standing; PROMISES] {
        Promise::ALL.map(|promise| Standing {
            promise,
            why: broken.contains(&promise).then(|| ("why", "为何").into()),
            since: None,
        })
    }

    /// The words of the events, with the second of their moment.
    fn words(events: &[Event]) -> Vec<String> {
        let word = |event: &Event| {
            let second = (event.at.boot_ms - 1_000_000) / 1000;
            match &event.kind {
                EventKind::PromiseBroken { promise, .. } => {
                    format!("{} broken at {second}", promise.word())
                }
                EventKind::PromiseKept { promise, broken_ms } => {
                    let span = broken_ms.map_or("?".into(), |ms| (ms / 1000).to_string());
                    format!("{} kept at {second} after {span}", promise.word())
                }
                other => panic!("{other:?}"),
            }
        };
        events.iter().map(word).collect()
    }

    /// Looks every second; `broken` says what is broken at a second.
    fn run(
        judge: &mut Judge,
        seconds: std::ops::Range<u64>,
        broken: impl Fn(u64) -> Vec<Promise>,
    ) -> Vec<String> {
        seconds.flat_map(|s| words(&judge.look(&standing(&broken(s)), at(s)))).collect()
    }

    #[test]
    fn a_promise_that_stays_broken_is_told_with_its_begin_and_its_end_once() {
        let mut judge = Judge::default();
        let told = run(&mut judge, 0..100, |s| {
            if (20..50).contains(&s) { vec![Promise::Delivered] } else { vec![] }
        });
        assert_eq!(told, ["delivered broken at 20", "delivered kept at 60 after 30"]);
    }

    #[test]
    fn what_flaps_is_not_told_each_time() {
        let mut judge = Judge::default();
        let told =
            run(&mut judge, 0..600, |s| if s % 10 < 5 { vec![Promise::Collected] } else { vec![] });
        assert!(told.is_empty(), "{told:?}");
        // Broken for good, then coming and going: told once.
        let told = run(&mut judge, 600..1200, |s| {
            if s < 650 || s % 10 < 5 { vec![Promise::Collected] } else { vec![] }
        });
        assert_eq!(told, ["collected broken at 600"]);
    }

    #[test]
    fn while_nothing_can_be_stored_nothing_is_told_and_nothing_forgotten() {
        let mut judge = Judge::default();
        let told = run(&mut judge, 0..100, |s| {
            let mut broken = Vec::new();
            if (10..60).contains(&s) {
                broken.push(Promise::Durable);
            }
            // Begins and ends inside.
            if (20..45).contains(&s) {
                broken.push(Promise::Delivered);
            }
            broken
        });
        let want = [
            "durable broken at 10",
            "delivered broken at 20",
            "delivered kept at 60 after 25",
            "durable kept at 70 after 50",
        ];
        assert_eq!(told, want);
    }

    #[test]
    fn what_was_told_is_remembered_across_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store"), Limits::default()).unwrap();
        let tree = store.tree("promises");
        let mut judge = Judge::load(&tree).unwrap();
        assert_eq!(run(&mut judge, 0..15, |_| vec![Promise::Clock]), ["clock broken at 0"]);
        tree.apply(judge.changes()).unwrap();
        // Still broken: not told again.
        let mut judge = Judge::load(&tree).unwrap();
        assert!(run(&mut judge, 20..60, |_| vec![Promise::Clock]).is_empty());
        let mut judge = Judge::load(&tree).unwrap();
        assert_eq!(run(&mut judge, 60..80, |_| vec![]), ["clock kept at 70 after ?"]);
        tree.apply(judge.changes()).unwrap();
        assert_eq!(Judge::load(&tree).unwrap().rows[2].told, None);
    }

    #[test]
    fn lost_blocks_speak_against_the_delivery_for_an_hour() {
        let mut judge = Judge::default();
        judge.count_losses(7, at(0));
        assert!(!judge.memory(at(0)).lost, "lost in an earlier run");
        judge.count_losses(8, at(10));
        assert!(judge.memory(at(3609)).lost && !judge.memory(at(3610)).lost);
    }
}
