//! Recordings set aside when a fault started.

use std::collections::VecDeque;
use std::time::Duration;

use super::ring::Ring;
use super::{Kept, Way};
use crate::driver::LineSettings;
use crate::model::{Moment, Words};

/// Most recordings of one bus.
const KEPT_MAX: usize = 4;
/// How long a recording goes on after its fault.
const AFTER: Duration = Duration::from_secs(10);
/// Memory for that, bytes: ten seconds of a full line at 9600 baud.
const AFTER_BYTES: usize = 16 * 1024;
/// The same reason is not kept again, and a recording not thrown away, for this long.
const HOLD: Duration = Duration::from_secs(5 * 60);
/// Most reasons that one recording names.
const REASONS_MAX: usize = 8;

/// The kept recordings, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    items: VecDeque<Item>,
}

#[derive(Debug)]
struct Item {
    at: Moment,
    /// Which faults began while it ran.
    reasons: Vec<Words>,
    before: Ring,
    after: Ring,
}

impl Shelf {
    /// A frame, after it went into the ring.
    pub(super) fn push(&mut self, at: Moment, way: Way, line: Option<LineSettings>, bytes: &[u8]) {
        if let Some(item) = self.items.back_mut()
            && at.since(item.at) <= AFTER
            && item.after.has_room(bytes.len())
        {
            item.after.push(at, way, line, bytes);
        }
    }

    /// A fault started.
    pub(super) fn keep(&mut self, at: Moment, why: &Words, ring: &Ring) {
        let young = |item: &Item| at.since(item.at) < HOLD;
        if self.items.iter().any(|item| young(item) && item.reasons.contains(why)) {
            return;
        }
        if let Some(item) = self.items.back_mut()
            && at.since(item.at) <= AFTER
        {
            if item.reasons.len() < REASONS_MAX {
                item.reasons.push(why.clone());
            }
            return;
        }
        if self.items.len() == KEPT_MAX {
            if self.items.front().is_some_and(young) {
                return;
            }
            self.items.pop_front();
        }
        let (before, after) = (ring.clone(), Ring::new(AFTER_BYTES));
        self.items.push_back(Item { at, reasons: vec![why.clone()], before, after });
    }

    /// Copies of all recordings.
    pub(super) fn kept(&self) -> Vec<Kept> {
        self.items.iter().map(Item::kept).collect()
    }
}

impl Item {
    fn kept(&self) -> Kept {
        let en: Vec<_> = self.reasons.iter().map(|why| why.en.as_str()).collect();
        let zh: Vec<_> = self.reasons.iter().map(|why| why.zh.as_str()).collect();
        Kept {
            at: self.at,
            why: (en.join("; "), zh.join(";")).into(),
            frames: self.before.frames().chain(self.after.frames()).collect(),
        }
    }
}
