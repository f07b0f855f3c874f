//! The broadcasts of a day. They are looked at over a year, so they are kept apart from the days
//! of the window as well.

use serde::{Deserialize, Serialize};

use super::Book;
use super::facts::Tally;
use super::histogram::Histogram;
use crate::model::{BroadcastLife, BroadcastProof};

/// What a test of the broadcast must have shown, in the order of the bits of
/// [`BroadcastsDay::shown`].
pub(in crate::starlevel) const PROOFS: [BroadcastProof; 4] = [
    BroadcastProof::PreEmption,
    BroadcastProof::RefusedUnsigned,
    BroadcastProof::RefusedExpired,
    BroadcastProof::RefusedArea,
];

/// The broadcasts of one day, or of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::starlevel) struct BroadcastsDay {
    /// Broadcasts, and those with a receipt of at least one terminal.
    #[serde(skip_serializing_if = "Tally::is_empty")]
    pub(in crate::starlevel) held: Tally,
    /// From accepting a message to the first terminal that plays.
    #[serde(skip_serializing_if = "Histogram::is_empty")]
    pub(super) start: Histogram,
    /// Terminals addressed, and those that acknowledged.
    #[serde(skip_serializing_if = "Tally::is_empty")]
    pub(in crate::starlevel) terminals: Tally,
    /// Broadcasts, and those whose record reached the platform above.
    #[serde(skip_serializing_if = "Tally::is_empty")]
    pub(in crate::starlevel) returned: Tally,
    /// Drills among the broadcasts.
    #[serde(skip_serializing_if = "is_zero")]
    pub(in crate::starlevel) drills: u64,
    /// What tests showed: one bit for each of [`PROOFS`].
    #[serde(skip_serializing_if = "is_zero")]
    shown: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl BroadcastsDay {
    pub(in crate::starlevel) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn add(&mut self, life: &BroadcastLife) {
        self.held.add(1, life.acknowledged > 0);
        self.start.add(life.started_after, 1);
        let addressed = u64::from(life.addressed);
        let acknowledged = u64::from(life.acknowledged).min(addressed);
        self.terminals.merge(Tally { all: addressed, good: acknowledged });
        self.returned.add(1, life.returned);
        self.drills += u64::from(life.drill);
    }

    pub(super) fn show(&mut self, proof: BroadcastProof) {
        self.shown |= bit(proof);
    }

    /// What no test showed.
    pub(in crate::starlevel) fn lacking(&self) -> Vec<BroadcastProof> {
        PROOFS.into_iter().filter(|proof| self.shown & bit(*proof) == 0).collect()
    }

    /// The 95th percentile of the start.
    pub(in crate::starlevel) fn start(&self) -> Option<super::Percentile> {
        self.start.percentile(95)
    }

    fn merge(&mut self, other: &Self) {
        self.held.merge(other.held);
        self.start.merge(&other.start);
        self.terminals.merge(other.terminals);
        self.returned.merge(other.returned);
        self.drills += other.drills;
        self.shown |= other.shown;
    }
}

fn bit(proof: BroadcastProof) -> u64 {
    PROOFS.iter().position(|other| *other == proof).map_or(0, |place| 1 << place)
}

impl Book {
    /// The broadcasts of so many days and of the day that fills.
    pub(in crate::starlevel) fn broadcasts(&self, days: u32) -> BroadcastsDay {
        let mut sum = BroadcastsDay::default();
        let first = self.zone.day(self.kept.frontier.unwrap_or(0)).saturating_sub(days);
        for row in self.days.range(first..).map(|(_, row)| &row.gateway.facts.broadcasts) {
            sum.merge(row);
        }
        let beyond = |day: &u32| !self.days.contains_key(day);
        for (_, row) in self.facts.broadcasts.range(first..).filter(|(day, _)| beyond(day)) {
            sum.merge(row);
        }
        sum
    }

    /// Remembers the broadcasts of the days in memory, before days leave it.
    pub(super) fn keep_broadcasts(&mut self, oldest: u32) {
        for (day, row) in &self.days {
            if !row.gateway.facts.broadcasts.is_empty() {
                self.facts.broadcasts.insert(*day, row.gateway.facts.broadcasts);
            }
        }
        self.facts.broadcasts.retain(|day, _| *day >= oldest);
    }
}
