//! What is taken as a warning, and what takes one away.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::answer::Reply;
use super::entry::{Entry, Life, Share, Told};
use super::keep::Row;
use super::refused::sha256;
use super::{Desk, Effect, LONGEST, MOST_FORESEEN, MOST_KEPT, MOST_OPEN, Now, TOO_OLD};
use crate::broadcast::message::envelope::{open, signer};
use crate::broadcast::message::{self, Message, Parsed, Unread};
use crate::broadcast::zones::TargetKind;
use crate::model::{ReceiptState, Warning, WarningId, WarningRefusal, WarningSource, WarningStep};

impl Desk {
    /// A message of the platform.
    pub(super) fn message(&mut self, name: &str, payload: &[u8], now: Now) {
        let opened = match open(payload) {
            Ok(opened) => opened,
            Err(unread) => return self.refuse_and_answer(name, payload, unread, None, now),
        };
        let Parsed { message, ebd } = match message::read(&opened.message) {
            Ok(parsed) => parsed,
            Err(unread) => return self.refuse_and_answer(name, payload, unread, None, now),
        };
        let sha256 = sha256(&opened.message);
        if let Message::Warn { warning, .. } = &message
            && let Some(number) = self.find(&warning.id)
        {
            // What is known is answered as it was, and changes nothing: messages come twice.
            if self.entries.get(&number).is_some_and(|entry| entry.sha256 == sha256) {
                return self.answer(name, ebd.as_ref(), Reply::Taken(Some(&warning.id)), now);
            }
            let unread = Unread::new(WarningRefusal::Changed, "its identifier is known");
            let unread = unread.of(&warning.id);
            return self.refuse_and_answer(name, payload, unread, ebd.as_ref(), now);
        }
        let signed_by = match signer(&self.setup.keys, &opened) {
            Ok(key) => Some(key.name.clone()),
            // A wrong signature is worse than none: somebody wants to be taken for somebody else.
            Err(unread)
                if self.setup.require_signature
                    || (!self.setup.keys.is_empty() && opened.signature.is_some()) =>
            {
                let unread = Unread { id: id_of(&message).cloned(), ..unread };
                return self.refuse_and_answer(name, payload, unread, ebd.as_ref(), now);
            }
            Err(_) => None,
        };
        let id = id_of(&message).cloned();
        let done = match message {
            Message::Warn { warning, replaces } => {
                self.warn(*warning, &replaces, sha256, signed_by, now).map(Some)
            }
            Message::Cancel { refers, by } => self.cancel(&refers, &by, now).map(|()| None),
            Message::State(id) => {
                return self.answer(name, ebd.as_ref(), Reply::State(&id), now);
            }
            Message::Here => Ok(None),
        };
        match done {
            Ok(id) => self.answer(name, ebd.as_ref(), Reply::Taken(id.as_ref()), now),
            Err(reason) => {
                let unread = Unread { reason, detail: reason.words().en, id };
                self.refuse_and_answer(name, payload, unread, ebd.as_ref(), now);
            }
        }
    }

    fn refuse_and_answer(
        &mut self,
        name: &str,
        payload: &[u8],
        unread: Unread,
        ebd: Option<&message::Ebd>,
        now: Now,
    ) {
        let (reason, id) = (unread.reason, unread.id.clone());
        self.refuse(name, payload, unread, now);
        self.answer(name, ebd, Reply::Refused(reason, id.as_ref()), now);
    }

    /// A warning of this gateway's own.
    pub(super) fn compose(&mut self, warning: Warning, now: Now) -> super::Taken {
        let id = match warning.source {
            // An alarm warns once.
            WarningSource::Alarm if self.find(&warning.id).is_some() => return Ok(warning.id),
            WarningSource::Alarm => warning.id.clone(),
            _ => self.own_id(now),
        };
        let warning = Warning { id, sent_ms: Some(now.wall_ms), ..warning };
        let text = serde_json::to_vec(&warning).expect("texts and numbers are JSON");
        self.warn(warning, &[], sha256(&text), None, now)
    }

    fn warn(
        &mut self,
        warning: Warning,
        replaces: &[WarningId],
        sha256: String,
        signed_by: Option<String>,
        now: Now,
    ) -> super::Taken {
        if now.trusted && is_late(&warning, now) {
            return Err(WarningRefusal::Expired);
        }
        let addressed = self.setup.zones.addressed(&warning.zones)?;
        if self.foreseen.contains(&warning.id) {
            return Err(WarningRefusal::Expired);
        }
        if self.open().count() >= MOST_OPEN {
            return Err(WarningRefusal::TooMany);
        }
        let by = format!("update {}", warning.id);
        for id in replaces {
            // What is not known here any more need not be taken away.
            if let Some(number) = self.find(id) {
                self.take_away(number, &by, now);
            }
        }
        let targets = self.setup.zones.targets();
        let shares: Vec<Share> = addressed
            .into_iter()
            .map(|slot| {
                let target = &targets[slot];
                Share::new(&target.device, slot, target.kind == TargetKind::Screen)
            })
            .collect();
        let number = self.next_number;
        self.next_number += 1;
        let (id, source) = (warning.id.clone(), warning.source);
        let latest = now.wall_plus(LONGEST).max(warning.start_ms.unwrap_or(0));
        let mut entry = Entry {
            number,
            end_ms: warning.end_ms.unwrap_or(latest),
            warning: Arc::new(warning),
            sha256,
            signed_by,
            accepted_ms: now.wall_ms,
            life: Life::Open,
            over_ms: None,
            cancelled_by: String::new(),
            shares,
            told: Told::default(),
            index: BTreeMap::new(),
            give_up: None,
            through: None,
        };
        entry.reindex();
        let addressed = entry.counts().addressed;
        self.effects.push(Effect::Tell(entry.news(WarningStep::Accepted { source, addressed })));
        self.touched(Row::Head(number));
        (0..entry.shares.len()).for_each(|slot| self.touched(Row::of_share(number, slot)));
        self.entries.insert(number, entry);
        self.forget();
        Ok(id)
    }

    /// Forgets the oldest that are over.
    fn forget(&mut self) {
        while self.entries.len() > MOST_KEPT {
            let over = self.entries.values().find(|entry| entry.life != Life::Open);
            let Some(number) = over.map(|entry| entry.number) else { return };
            if let Some(entry) = self.entries.remove(&number) {
                self.touched(Row::Head(number));
                (0..entry.shares.len()).for_each(|slot| self.touched(Row::of_share(number, slot)));
            }
        }
    }

    /// An identifier of our own: as EBM's when we have a source, else `local-<day>-<number>`.
    fn own_id(&mut self, now: Now) -> WarningId {
        let day = message::time::at(now.wall_ms)
            .map_or_else(|| "00000000".to_owned(), |time| time.strftime("%Y%m%d").to_string());
        if self.own_day.0 != day {
            self.own_day = (day.clone(), 0);
        }
        loop {
            self.own_day.1 += 1;
            self.touched(Row::Meta);
            let number = self.own_day.1;
            let ebm = self.setup.source.as_ref().filter(|_| number < 10_000);
            let text = match ebm {
                Some(source) => format!("{source}{day}{number:04}"),
                None => format!("local-{day}-{number}"),
            };
            let id = WarningId::new(&text).expect("18 + 8 + 4 digits, or a short name");
            if self.find(&id).is_none() {
                return id;
            }
        }
    }

    /// Somebody at this gateway cancels one.
    pub(super) fn cancel_one(
        &mut self,
        id: &WarningId,
        by: &str,
        now: Now,
    ) -> Result<(), WarningRefusal> {
        let number = self.find(id).ok_or(WarningRefusal::UnknownReference)?;
        self.take_away(number, by, now);
        Ok(())
    }

    /// The platform cancels. What has not come yet is not played when it comes.
    fn cancel(&mut self, refers: &[WarningId], by: &str, now: Now) -> Result<(), WarningRefusal> {
        let mut known = false;
        for id in refers {
            match self.find(id) {
                Some(number) => {
                    known = true;
                    self.take_away(number, by, now);
                }
                None => {
                    if self.foreseen.len() == MOST_FORESEEN {
                        self.foreseen.pop_front();
                    }
                    self.foreseen.push_back(id.clone());
                }
            }
        }
        if known { Ok(()) } else { Err(WarningRefusal::UnknownReference) }
    }

    /// Ends a warning everywhere; one that is over stays as it is.
    fn take_away(&mut self, number: u64, by: &str, now: Now) {
        let Some(entry) = self.entries.get_mut(&number) else { return };
        if entry.life != Life::Open {
            return;
        }
        entry.life = Life::Cancelled;
        entry.over_ms = Some(now.wall_ms);
        by.clone_into(&mut entry.cancelled_by);
        let counts = entry.counts();
        let news = entry.news(WarningStep::Cancelled { by: by.to_owned(), counts });
        self.effects.push(Effect::Tell(news));
        self.release(number, ReceiptState::Cancelled, now);
        self.touched(Row::Head(number));
    }
}

fn id_of(message: &Message) -> Option<&WarningId> {
    match message {
        Message::Warn { warning, .. } => Some(&warning.id),
        Message::Cancel { refers, .. } => refers.first(),
        Message::State(id) => Some(id),
        Message::Here => None,
    }
}

/// Whether nobody needs it any more.
fn is_late(warning: &Warning, now: Now) -> bool {
    let over = warning.end_ms.is_some_and(|end| end <= now.wall_ms);
    let oldest = now.wall_ms - i64::try_from(TOO_OLD.as_millis()).unwrap_or(i64::MAX);
    // A start ahead counts like a message of that time: it may be announced days before.
    let newest = warning.sent_ms.into_iter().chain(warning.start_ms).max();
    over || newest.is_some_and(|sent| sent < oldest)
}
