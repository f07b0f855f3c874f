//! Whose turn it is at each device, and how a share goes from waiting to its end.

use std::cmp::Reverse;
use std::time::Duration;

use super::entry::{Entry, Share};
use super::keep::Row;
use super::{CUT_OFF, Desk, Effect, MOST_RETRIES, Now, ORDER_AGAIN, OrderKind, Said, WORD_WITHIN};
use crate::broadcast::zones::TargetKind;
use crate::model::{BroadcastProof, FactKind, ReceiptState, Severity, Warning, WarningStep};

/// A terminal that plays for so long without a word is believed to be through.
const LONGEST_PLAY: Duration = Duration::from_secs(1800);

/// One share: the number of its warning, and its place there.
type Place = (u64, usize);

/// The more urgent, the greater.
fn urgency(entry: &Entry) -> (bool, u8, Reverse<u64>) {
    let warning = &entry.warning;
    (!warning.is_drill(), warning.severity.rank(), Reverse(entry.number))
}

/// Whether one warning cuts off another that plays.
fn cuts_off(new: &Warning, old: &Warning) -> bool {
    match (new.is_drill(), old.is_drill()) {
        (false, true) => true,
        (true, false) => false,
        _ => new.severity == Severity::Red && old.severity.rank() < Severity::Red.rank(),
    }
}

/// Whether one warning takes a screen from another: a text can be changed at any time, so the more
/// urgent is shown, and of equals the newer.
fn outranks(new: &Entry, old: &Entry) -> bool {
    let urgency =
        |entry: &Entry| (!entry.warning.is_drill(), entry.warning.severity.rank(), entry.number);
    urgency(new) > urgency(old)
}

impl Desk {
    /// Lets time pass everywhere.
    pub(super) fn advance(&mut self, now: Now) {
        let over: Vec<u64> = self
            .open()
            .filter(|entry| now.trusted && entry.end_ms <= now.wall_ms)
            .map(|entry| entry.number)
            .collect();
        for number in over {
            self.release(number, ReceiptState::Missed, now);
        }
        for target in 0..self.posts.len() {
            self.turn(target, now);
        }
        let numbers: Vec<u64> = self.entries.keys().copied().collect();
        for number in numbers {
            self.wrap_up(number, now);
        }
    }

    /// What happens at one device.
    pub(super) fn turn(&mut self, target: usize, now: Now) {
        let holder = self.holder(target);
        match (holder, self.next(target, now)) {
            (None, Some(next)) => self.begin(next, now),
            (Some(holder), Some(next)) if self.cuts_off(next, holder) => {
                self.interrupt(holder, next);
                self.begin(next, now);
            }
            (Some(holder), _) => self.drive(holder, now),
            (None, None) => self.rest(target, now),
        }
    }

    fn holder(&self, target: usize) -> Option<Place> {
        self.at(target, Share::holds).next().map(|(place, _)| place)
    }

    /// The open warnings that address the device and whose share passes.
    fn at(
        &self,
        target: usize,
        test: impl Fn(&Share) -> bool,
    ) -> impl Iterator<Item = (Place, &Entry)> {
        self.open().filter_map(move |entry| {
            let slot = entry.slot_of(target)?;
            test(&entry.shares[slot]).then_some(((entry.number, slot), entry))
        })
    }

    fn next(&self, target: usize, now: Now) -> Option<Place> {
        let waits = |share: &Share| {
            matches!(share.state(), ReceiptState::Waiting | ReceiptState::Interrupted)
                && share.due.is_none_or(|due| due <= now.at)
        };
        let begun = |entry: &Entry| entry.warning.start_ms.is_none_or(|ms| ms <= now.wall_ms);
        let all = self.at(target, waits).filter(|(_, entry)| begun(entry));
        all.max_by_key(|(_, entry)| urgency(entry)).map(|(place, _)| place)
    }

    fn cuts_off(&self, new: Place, old: Place) -> bool {
        let screen = |entry: &Entry| entry.shares.get(old.1).is_some_and(|share| share.screen);
        match (self.entries.get(&new.0), self.entries.get(&old.0)) {
            (Some(new), Some(old)) => match screen(old) {
                true => outranks(new, old),
                false => cuts_off(&new.warning, &old.warning),
            },
            _ => false,
        }
    }

    pub(super) fn share(&mut self, (number, slot): Place) -> Option<&mut Share> {
        self.entries.get_mut(&number)?.shares.get_mut(slot)
    }

    fn interrupt(&mut self, holder: Place, by: Place) {
        let drill = |number| self.entries.get(&number).is_some_and(|e| e.warning.is_drill());
        let proof = Effect::Fact(FactKind::BroadcastProof(BroadcastProof::PreEmption));
        let both = drill(holder.0) && drill(by.0);
        let screen = self.share(holder).is_some_and(|share| share.screen);
        // Once for all terminals.
        if both && !screen && !self.effects.contains(&proof) {
            self.effects.push(proof);
        }
        if let Some(share) = self.share(holder) {
            share.receipt.state = ReceiptState::Interrupted;
            (share.due, share.ticket, share.giving) = (None, None, false);
            self.touched(Row::of_share(holder.0, holder.1));
        }
    }

    /// Orders the device to play or to show.
    fn begin(&mut self, place: Place, now: Now) {
        let Some(entry) = self.entries.get(&place.0) else { return };
        let (warning, share) = (entry.warning.clone(), &entry.shares[place.1]);
        let Some(slot) = share.target else { return };
        let given = share.given;
        let target = &self.setup.zones.targets()[slot];
        let post = &mut self.posts[slot];
        post.doing = None;
        post.last = Some(warning.id.clone());
        let kind = match target.kind {
            TargetKind::Screen => {
                if post.former.is_none() {
                    post.former = Some(post.said.text.clone().unwrap_or_default());
                    self.touched(Row::Former(slot));
                }
                OrderKind::Text(self.text_at(slot, &warning))
            }
            TargetKind::Terminal if !given && target.text_limit > 0 => {
                let head = format!("{} {} ", warning.id, warning.severity.code());
                let room = target.text_limit.saturating_sub(head.len());
                OrderKind::Message(head + &self.setup.texts.speech(&warning, room))
            }
            TargetKind::Terminal => OrderKind::Play(warning.id.clone()),
        };
        let giving = matches!(kind, OrderKind::Message(_));
        let ticket = self.order(slot, kind, &warning.id, now);
        if let Some(share) = self.share(place) {
            share.receipt.state = ReceiptState::Ordered;
            share.receipt.ordered_ms.get_or_insert(now.wall_ms);
            (share.giving, share.ticket) = (giving, Some(ticket));
            (share.since, share.due) = (now.at, Some(now.at.plus(WORD_WITHIN)));
            self.touched(Row::of_share(place.0, place.1));
        }
    }

    fn text_at(&self, slot: usize, warning: &Warning) -> String {
        self.setup.texts.screen(warning, self.setup.zones.targets()[slot].text_limit)
    }

    /// What is due for the share that has the device.
    fn drive(&mut self, place: Place, now: Now) {
        let Some(share) = self.share(place) else { return };
        if share.due.is_none_or(|due| due > now.at) {
            return;
        }
        match share.state() {
            ReceiptState::Ordered => {
                share.receipt.retries += 1;
                if share.receipt.retries > MOST_RETRIES {
                    share.settle(ReceiptState::Failed, now.wall_ms);
                    let row = Row::of_share(place.0, place.1);
                    self.touched(row);
                } else {
                    self.begin(place, now);
                }
            }
            ReceiptState::Playing if !share.unsure => self.played(place, now),
            // After a restart nothing was heard of it: it is told again.
            ReceiptState::Playing | ReceiptState::Pausing => self.begin(place, now),
            _ => {}
        }
    }

    /// What became of an order.
    pub(super) fn outcome(&mut self, target: usize, ticket: u64, done: bool, now: Now) {
        if target >= self.posts.len() {
            return;
        }
        self.chore_outcome(target, ticket, done);
        let Some(place) = self.holder(target) else { return };
        let Some(share) = self.share(place) else { return };
        if share.ticket != Some(ticket) || share.state() != ReceiptState::Ordered {
            return;
        }
        share.ticket = None;
        if share.giving {
            // One that could not take the message may have it from elsewhere.
            (share.giving, share.given) = (false, true);
            return self.begin_play(place, now);
        }
        if !done {
            let wait = ORDER_AGAIN * 2u32.pow(u32::from(share.receipt.retries.min(8)));
            share.due = Some(now.at.plus(wait));
            share.given = false;
        } else if share.screen {
            self.plays(place, now, now.wall_ms);
        }
    }

    fn begin_play(&mut self, place: Place, now: Now) {
        // Time for the word begins anew; what it said since it was first ordered still counts.
        let since = self.share(place).map(|share| share.since);
        self.begin(place, now);
        if let (Some(share), Some(since)) = (self.share(place), since) {
            share.since = since;
        }
    }

    /// A device said something.
    pub(super) fn said(&mut self, target: usize, said: Said, now: Now) {
        let Some(post) = self.posts.get_mut(target) else { return };
        if said.at < post.said.at {
            return;
        }
        post.said = said.clone();
        let Some(place) = self.holder(target) else { return };
        let Some(entry) = self.entries.get(&place.0) else { return };
        let share = &entry.shares[place.1];
        let (state, fresh) = (share.state(), said.at >= share.since);
        let wall_ms = now.wall_of(said.at);
        if share.screen {
            let text = self.text_at(target, &entry.warning);
            let awaited = state == ReceiptState::Ordered || share.unsure;
            if awaited && fresh && said.text.as_ref() == Some(&text) {
                self.plays(place, now, wall_ms);
            }
            return;
        }
        let ours = said.message.as_deref() == Some(entry.warning.id.as_str());
        let confirmed = !share.unsure;
        match (state, said.playing) {
            _ if !fresh => {}
            (ReceiptState::Ordered | ReceiptState::Playing, Some(true)) if ours => {
                if said.fault {
                    return self.settle(place, ReceiptState::Failed, now);
                }
                if state == ReceiptState::Ordered || !confirmed {
                    self.plays(place, now, wall_ms);
                }
            }
            (ReceiptState::Playing, Some(true)) => {
                // Something else has it, as the broadcast platform may order: it goes on later.
                if let Some(share) = self.share(place) {
                    share.receipt.state = ReceiptState::Interrupted;
                    share.due = Some(now.at.plus(CUT_OFF));
                    self.touched(Row::of_share(place.0, place.1));
                }
            }
            (ReceiptState::Playing, Some(false)) => self.played(place, now),
            _ => {}
        }
    }

    fn settle(&mut self, place: Place, state: ReceiptState, now: Now) {
        if let Some(share) = self.share(place) {
            share.settle(state, now.wall_ms);
            self.touched(Row::of_share(place.0, place.1));
        }
    }

    /// The device says that it plays, or shows.
    fn plays(&mut self, place: Place, now: Now, wall_ms: i64) {
        let Some(entry) = self.entries.get_mut(&place.0) else { return };
        let after = entry.after(wall_ms);
        let Some(share) = entry.shares.get_mut(place.1) else { return };
        let (screen, first) = (share.screen, share.receipt.playing_ms.is_none());
        share.receipt.state = ReceiptState::Playing;
        share.receipt.playing_ms.get_or_insert(wall_ms);
        (share.unsure, share.ticket) = (false, None);
        share.since = now.at;
        share.due = (!screen).then(|| now.at.plus(LONGEST_PLAY));
        let number = entry.number;
        if let Some(ms) = after.filter(|_| first) {
            if screen {
                let after = Duration::from_millis(ms);
                self.effects.push(Effect::Fact(FactKind::ScreenShown { after }));
            } else {
                self.latencies.add(ms);
                if !std::mem::replace(&mut entry.told.playing, true) {
                    let news = entry.news(WarningStep::Playing { after_ms: ms });
                    self.effects.push(Effect::Tell(news));
                    self.touched(Row::Head(number));
                }
            }
        }
        self.touched(Row::of_share(place.0, place.1));
    }

    /// The terminal is through with one play.
    fn played(&mut self, place: Place, now: Now) {
        let Some(entry) = self.entries.get_mut(&place.0) else { return };
        let (repeat, pause) = (entry.warning.repeat, entry.warning.pause_s);
        let Some(share) = entry.shares.get_mut(place.1) else { return };
        share.unsure = false;
        share.receipt.plays = share.receipt.plays.saturating_add(1);
        if share.receipt.plays >= repeat {
            share.settle(ReceiptState::Finished, now.wall_ms);
        } else {
            share.receipt.state = ReceiptState::Pausing;
            share.due = Some(now.at.plus(Duration::from_secs(pause.into())));
        }
        self.touched(Row::of_share(place.0, place.1));
    }
}
