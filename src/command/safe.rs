//! Orders that hold, as time goes on: repeated, and returned to their safe value.

use std::time::Duration;

use super::check::digest_of;
use super::core::{Core, Open, Stage};
use super::hold::HoldKey;
use super::input::{Effects, Now, Told, Work, Write, WriteFault};
use crate::model::{
    CommandId, CommandOutcome, CommandReport, CommandRequest, CommandSource, Health, Moment,
};

/// So long a return to the safe value may take to begin.
const PATIENCE: Duration = Duration::from_secs(60);
/// A return that did not succeed is tried again after so long.
const TRY_AGAIN: Duration = Duration::from_secs(30);
/// So much of the identifier stands in that of the return.
const OF_ID: usize = 40;

impl Core {
    /// What the end of a command means for the order that holds.
    pub(super) fn settle_hold(
        &mut self,
        open: &Open,
        outcome: &CommandOutcome,
        now: Now,
        effects: &mut Effects,
    ) {
        let key = (open.request.device.clone(), open.request.command.clone());
        let taken =
            matches!(outcome, CommandOutcome::Done { .. } | CommandOutcome::Unconfirmed { .. });
        let untouched = matches!(outcome, CommandOutcome::Refused { .. } | CommandOutcome::Expired);
        if let Some(returns) = &open.returns {
            match self.holds.get_mut(returns) {
                // Ordered anew meanwhile: that one holds now.
                Some(hold) if hold.returns.is_none() => {}
                Some(_) if taken => self.holds.remove(returns, &mut effects.changes),
                Some(hold) => hold.returns = Some(now.at.plus(TRY_AGAIN)),
                None => {}
            }
            return;
        }
        let own = self.holds.get(&key).filter(|hold| hold.id == open.request.id).cloned();
        let Some(mut hold) = own else {
            // Ordered anew meanwhile: should that one not be done, this one holds.
            let id = &open.request.id;
            let is_next = |next: &&mut Open| next.before.as_ref().is_some_and(|b| b.id == *id);
            if let Some(next) = self.open.values_mut().find(is_next) {
                if untouched {
                    next.before.clone_from(&open.before);
                } else if let Some(before) = &mut next.before {
                    (before.settled, before.written) = (taken, Some(now.at));
                }
            }
            return;
        };
        if untouched {
            match open.before.clone() {
                Some(before) => drop(self.holds.put(before, &mut effects.changes)),
                None => self.holds.remove(&key, &mut effects.changes),
            }
            return;
        }
        let safe =
            self.targets[open.slot].find(&key.1).and_then(|(known, _)| known.safe().cloned());
        if taken && safe.is_some() && hold.value == safe {
            self.holds.remove(&key, &mut effects.changes);
            return;
        }
        hold.settled = taken;
        hold.written = Some(now.at);
        self.holds.put(hold, &mut effects.changes);
    }

    /// Looks at all orders that hold.
    pub(super) fn look_at_holds(&mut self, now: Now, effects: &mut Effects) {
        if self.holds.of_platform() {
            self.silence.note(now, &mut effects.changes);
        }
        let silent = self.silence.span(now);
        for key in self.holds.keys() {
            let Some(&slot) = self.by_name.get(&key.0) else { continue };
            let Some(hold) = self.holds.get(&key) else { continue };
            // Its own command is still under way.
            if self.open.contains_key(&hold.id) {
                continue;
            }
            let target = &self.targets[slot];
            let online = self.snapshot.with(target.index, |state| state.health) == Health::Online;
            let known = target.find(&key.1).map(|(known, _)| known);
            let limit = target.safe_after.unwrap_or(self.config.safe_after);
            let over = hold.until_ms.is_some_and(|until| now.wall_ms >= until)
                || Self::is_of_platform(hold.source) && silent >= limit;
            let has_safe = known.is_some_and(|known| known.safe().is_some());
            let repeat = known.and_then(|known| known.keep_alive()).filter(|_| hold.settled);
            match hold.returns {
                Some(due) if online && due <= now.at => self.take_back(&key, slot, now, effects),
                Some(_) => {}
                None if over && has_safe => {
                    let (device, command) = (&key.0, &key.1);
                    tracing::warn!(device, command, ?silent, "an order ends: to its safe value");
                    if let Some(hold) = self.holds.get_mut(&key) {
                        hold.returns = Some(now.at);
                    }
                    if online {
                        self.take_back(&key, slot, now, effects);
                    }
                }
                // The device falls back by itself when it is not told again.
                None if over => self.holds.remove(&key, &mut effects.changes),
                None => {
                    let every = repeat.map(|every| every / 2);
                    let due = |written: Moment, every| now.at.since(written) >= every;
                    let due = every.is_some_and(|e| hold.written.is_none_or(|w| due(w, e)));
                    if due && online && !hold.repeating {
                        if let Some(hold) = self.holds.get_mut(&key) {
                            hold.repeating = true;
                        }
                        self.queue.push_back((slot, Work::Repeat(key)));
                    }
                }
            }
        }
    }

    /// Orders the safe value.
    fn take_back(&mut self, key: &HoldKey, slot: usize, now: Now, effects: &mut Effects) {
        let under_way = |open: &Open| open.returns.as_ref() == Some(key);
        if self.open.values().any(under_way) {
            return;
        }
        let Some(hold) = self.holds.get(key).cloned() else { return };
        let target = &self.targets[slot];
        let Some((known, _)) = target.find(&key.1) else { return };
        let Some(value) = known.safe().cloned() else { return };
        let what = match target.encode(known, Some(&value)) {
            Ok(what) => what,
            Err((_, said)) => {
                // The profile's check refuses such a value with the usual parameters.
                tracing::error!(device = key.0, command = key.1, why = said.en, "no safe value");
                self.holds.remove(key, &mut effects.changes);
                return;
            }
        };
        if !self.book.make_room(now.wall_ms, &mut effects.changes) {
            return;
        }
        self.serial += 1;
        let of: String = hold.id.as_str().chars().take(OF_ID).collect();
        let stamp = u64::try_from(now.wall_ms).unwrap_or(0) % 10_000_000_000;
        let id = CommandId::new(&format!("safe-{of}-{stamp}-{}", self.serial % 1000))
            .expect("at most 60 characters that may stand in an id");
        let life = i64::try_from(PATIENCE.as_millis()).unwrap_or(i64::MAX);
        let request = CommandRequest {
            id: id.clone(),
            device: key.0.clone(),
            command: key.1.clone(),
            value: Some(value),
            issued_ms: now.wall_ms,
            expires_ms: now.wall_ms + life,
            until_ms: None,
            by: "linli".into(),
            source: CommandSource::Gateway,
            signature: None,
        };
        let outcome = CommandOutcome::Accepted;
        let report = CommandReport::new(&request, outcome);
        let report = CommandReport { takes_back: Some(hold.id), ..report };
        let digest = digest_of(&request.signed_bytes(&self.gateway));
        self.book.add((&key.0, digest), report.clone(), now.wall_ms, &mut effects.changes);
        effects.told.push(Told { device: key.0.clone(), report, late: false, spared: false });
        effects.commit = true;
        effects.accepted.push(id.clone());
        let (deadline, stage) = (now.at.plus(PATIENCE), Stage::Queued);
        let returns = Some(key.clone());
        let open = Open { request, slot, what, deadline, stage, before: None, returns };
        self.open.insert(id.clone(), open);
        self.queue.push_back((slot, Work::Order(id)));
    }

    /// The write that repeats an order, if it still holds.
    pub(super) fn repetition(&mut self, slot: usize, key: &HoldKey, now: Now) -> Option<Write> {
        let target = &self.targets[slot];
        let hold = self.holds.get(key).filter(|hold| hold.settled && hold.returns.is_none());
        let what = hold.and_then(|hold| {
            let (known, _) = target.find(&key.1)?;
            target.encode(known, hold.value.as_ref()).ok()
        });
        let device = target.index;
        let Some(what) = what else {
            if let Some(hold) = self.holds.get_mut(key) {
                hold.repeating = false;
            }
            return None;
        };
        let deadline = now.at.plus(PATIENCE);
        let (work, by) = (Work::Repeat(key.clone()), "linli".to_owned());
        Some(Write { work, device, what, deadline, by, read_back: None })
    }

    /// A repetition ended, well or not: the next one comes in its time.
    pub(super) fn repeated(&mut self, key: &HoldKey, result: &Result<(), WriteFault>, now: Now) {
        if let Some(slot) = self.by_name.get(&key.0) {
            self.writing.remove(slot);
        }
        if let Err(fault) = result {
            tracing::info!(device = key.0, command = key.1, ?fault, "an order was not repeated");
        }
        if let Some(hold) = self.holds.get_mut(key) {
            hold.repeating = false;
            hold.written = Some(now.at);
        }
    }
}
