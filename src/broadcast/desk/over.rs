//! How a warning ends: taken from its devices, its receipts told, counted by the star level.

use std::time::Duration;

use super::entry::{Life, Share};
use super::keep::Row;
use super::post::Chore;
use super::{Desk, Effect, Now, RETURNED_WITHIN, SHOWN_AT_LEAST};
use crate::model::{BroadcastLife, FactKind, ReceiptState, WarningStep};

impl Desk {
    /// Takes a warning from all its devices: those that were not through are as `state` says.
    pub(super) fn release(&mut self, number: u64, state: ReceiptState, now: Now) {
        let Some(entry) = self.entries.get_mut(&number) else { return };
        let id = entry.warning.id.clone();
        let mut changed = Vec::new();
        for (slot, share) in entry.shares.iter_mut().enumerate() {
            if share.state().is_settled() {
                continue;
            }
            let heard = share.receipt.playing_ms.is_some() && state == ReceiptState::Missed;
            let held = share.holds();
            share.settle(if heard { ReceiptState::Finished } else { state }, now.wall_ms);
            changed.push((slot, held && !share.screen, share.target));
        }
        for (slot, silence, target) in changed {
            if let Some(target) = target.filter(|_| silence) {
                self.posts[target].give(Chore::Silence(id.clone()), id.clone(), now);
            }
            self.touched(Row::of_share(number, slot));
        }
    }

    /// What is to be told of a warning, and whether it is over.
    pub(super) fn wrap_up(&mut self, number: u64, now: Now) {
        let Some(entry) = self.entries.get_mut(&number) else { return };
        let through = entry.terminals().all(|share| share.state().is_settled());
        let answered = |share: &Share| {
            share.state().is_settled() || (share.screen && share.state() == ReceiptState::Playing)
        };
        let answered = entry.shares.iter().all(answered);
        let mut head = false;
        if through && answered && !entry.told.receipts {
            entry.told.receipts = true;
            entry.give_up = Some(now.at.plus(RETURNED_WITHIN));
            let receipts = entry.receipts().into_iter().map(Box::new);
            self.effects.extend(receipts.map(Effect::Tell));
            self.effects.push(Effect::Receipts(number));
            head = true;
        }
        if through && entry.life == Life::Open {
            let since = *entry.through.get_or_insert(now.at);
            let leaves = entry.warning.end_ms.is_none() && entry.terminals().next().is_some();
            let shown = |share: &Share| {
                now.at.since(since.max(share.since)) >= SHOWN_AT_LEAST
                    && share.state() == ReceiptState::Playing
            };
            if leaves && entry.shares.iter().all(|share| share.state().is_settled() || shown(share))
            {
                self.release(number, ReceiptState::Missed, now);
            }
        }
        self.end(number, head, now);
    }

    fn end(&mut self, number: u64, mut head: bool, now: Now) {
        let Some(entry) = self.entries.get_mut(&number) else { return };
        let settled = entry.shares.iter().all(|share| share.state().is_settled());
        if settled && entry.life == Life::Open {
            entry.life = Life::Finished;
            entry.over_ms = Some(now.wall_ms);
            let news = entry.news(WarningStep::Finished { counts: entry.counts() });
            self.effects.push(Effect::Tell(news));
            head = true;
        }
        let given_up = entry.give_up.is_some_and(|at| at <= now.at);
        if head {
            self.touched(Row::Head(number));
        }
        if given_up {
            self.returned(number, false);
        }
    }

    /// The star level is told of a broadcast once: when its record is with the platform.
    pub(super) fn returned(&mut self, number: u64, returned: bool) {
        let Some(entry) = self.entries.get_mut(&number) else { return };
        entry.give_up = None;
        if std::mem::replace(&mut entry.told.counted, true) {
            return;
        }
        let counts = |test: fn(&Share) -> bool| {
            u32::try_from(entry.terminals().filter(|s| test(s)).count()).unwrap_or(u32::MAX)
        };
        let life = BroadcastLife {
            drill: entry.warning.is_drill(),
            started_after: entry
                .counts()
                .first_after_ms
                .map_or(Duration::MAX, Duration::from_millis),
            addressed: counts(|_| true),
            acknowledged: counts(|share| share.receipt.playing_ms.is_some()),
            returned,
        };
        if life.addressed > 0 {
            self.effects.push(Effect::Fact(FactKind::Broadcast(life)));
        }
        self.touched(Row::Head(number));
    }
}
