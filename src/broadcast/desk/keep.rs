//! What the desk keeps across restarts, in rows of the store: the warnings with their receipts, the
//! refused messages, what screens showed before.
//!
//! | key | value |
//! | --- | --- |
//! | `m` | counters |
//! | `h` number piece | a warning, cut into pieces |
//! | `s` number part | twelve receipts |
//! | `r` number | a refused message |
//! | `f` device | what a screen showed before |

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::entry::{Entry, Life, Share, Told};
use super::refused::Evidence;
use super::{Desk, Now, RETURNED_WITHIN, Setup, WORD_WITHIN};
use crate::model::{ReceiptState, Warning};

/// Receipts in one row: with the longest names still below what a value may have.
const SHARES_IN_A_ROW: usize = 12;
/// Bytes of a piece of a warning.
const PIECE: usize = 4000;
/// Most pieces: what a warning may have, with every sign escaped.
const MOST_PIECES: u8 = 16;

/// One row that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    /// The counters.
    Meta,
    /// A warning.
    Head(u64),
    /// A part of its receipts.
    Shares(u64, u32),
    /// A refused message.
    Refused(u64),
    /// What a screen showed before.
    Former(usize),
}

impl Row {
    pub(super) fn of_share(number: u64, slot: usize) -> Self {
        Self::Shares(number, u32::try_from(slot / SHARES_IN_A_ROW).unwrap_or(u32::MAX))
    }
}

/// A key, and its value; without one it is removed.
pub type Change = (Vec<u8>, Option<Vec<u8>>);

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Meta {
    sequence: u64,
    own_day: String,
    own_count: u32,
}

#[derive(Serialize, Deserialize)]
struct Head {
    warning: Warning,
    sha256: String,
    #[serde(default)]
    signed_by: Option<String>,
    accepted_ms: i64,
    end_ms: i64,
    life: Life,
    #[serde(default)]
    over_ms: Option<i64>,
    #[serde(default)]
    cancelled_by: String,
    #[serde(default)]
    told: Told,
}

const JSON: &str = "texts and numbers are JSON";

fn numbered(letter: u8, number: u64) -> Vec<u8> {
    [&[letter][..], &number.to_be_bytes()].concat()
}

impl Desk {
    /// The rows that changed since [`kept`](Self::kept).
    pub fn changes(&self) -> Vec<Change> {
        let mut changes = Vec::new();
        for row in &self.dirty {
            match *row {
                Row::Meta => {
                    let (own_day, own_count) = self.own_day.clone();
                    let meta = Meta { sequence: self.sequence, own_day, own_count };
                    changes.push((b"m".to_vec(), Some(serde_json::to_vec(&meta).expect(JSON))));
                }
                Row::Head(number) => self.head_changes(number, &mut changes),
                Row::Shares(number, part) => {
                    let key = [&numbered(b's', number)[..], &part.to_be_bytes()].concat();
                    let shares = self
                        .entries
                        .get(&number)
                        .and_then(|entry| entry.shares.chunks(SHARES_IN_A_ROW).nth(part as usize));
                    changes.push((key, shares.map(|s| serde_json::to_vec(s).expect(JSON))));
                }
                Row::Refused(number) => {
                    let evidence = self.refused.iter().find(|one| one.number == number);
                    let value = evidence.map(|one| serde_json::to_vec(one).expect(JSON));
                    changes.push((numbered(b'r', number), value));
                }
                Row::Former(target) => {
                    let device = self.setup.zones.targets()[target].device.as_str();
                    let value = self.posts[target].former.as_ref();
                    let value = value.map(|text| text.clone().into_bytes());
                    changes.push(([b"f", device.as_bytes()].concat(), value));
                }
            }
        }
        changes
    }

    fn head_changes(&self, number: u64, changes: &mut Vec<Change>) {
        let text = self.entries.get(&number).map(|entry| {
            let head = Head {
                warning: Warning::clone(&entry.warning),
                sha256: entry.sha256.clone(),
                signed_by: entry.signed_by.clone(),
                accepted_ms: entry.accepted_ms,
                end_ms: entry.end_ms,
                life: entry.life,
                over_ms: entry.over_ms,
                cancelled_by: entry.cancelled_by.clone(),
                told: entry.told,
            };
            serde_json::to_vec(&head).expect(JSON)
        });
        let text = text.unwrap_or_default();
        let mut pieces = text.chunks(PIECE);
        for piece in 0..MOST_PIECES {
            let key = [&numbered(b'h', number)[..], &[piece]].concat();
            changes.push((key, pieces.next().map(<[u8]>::to_vec)));
        }
    }

    /// The changes are in the store.
    pub fn kept(&mut self) {
        self.dirty.clear();
    }

    /// Goes on with what is kept. Rows that cannot be read are left out and named.
    pub fn restore(
        setup: Setup,
        rows: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>,
        now: Now,
    ) -> (Self, Vec<String>) {
        let mut desk = Self::new(setup);
        let mut faults = Vec::new();
        let mut heads: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        let mut shares: BTreeMap<u64, Vec<Share>> = BTreeMap::new();
        for (key, value) in rows {
            let number = || key.get(1..9).and_then(|n| n.try_into().ok()).map(u64::from_be_bytes);
            let fault = match (key.first(), number()) {
                (Some(b'm'), _) => match serde_json::from_slice::<Meta>(&value) {
                    Ok(meta) => {
                        desk.sequence = meta.sequence;
                        desk.own_day = (meta.own_day, meta.own_count);
                        None
                    }
                    Err(error) => Some(error.to_string()),
                },
                (Some(b'h'), Some(number)) => {
                    heads.entry(number).or_default().extend(value);
                    None
                }
                (Some(b's'), Some(number)) => match serde_json::from_slice::<Vec<Share>>(&value) {
                    Ok(part) => {
                        shares.entry(number).or_default().extend(part);
                        None
                    }
                    Err(error) => Some(error.to_string()),
                },
                (Some(b'r'), Some(_)) => match serde_json::from_slice::<Evidence>(&value) {
                    Ok(evidence) => {
                        desk.next_refused = desk.next_refused.max(evidence.number + 1);
                        desk.refused.push_back(evidence);
                        None
                    }
                    Err(error) => Some(error.to_string()),
                },
                (Some(b'f'), _) => {
                    desk.restore_former(&key, value);
                    None
                }
                _ => Some("an unknown key".to_owned()),
            };
            faults.extend(fault);
        }
        for (number, text) in heads {
            match serde_json::from_slice::<Head>(&text) {
                Ok(head) => {
                    let shares = shares.remove(&number).unwrap_or_default();
                    desk.restore_entry(number, head, shares, now);
                }
                Err(error) => faults.push(format!("warning {number}: {error}")),
            }
        }
        (desk, faults)
    }

    fn restore_former(&mut self, key: &[u8], value: Vec<u8>) {
        let device = key.get(1..).unwrap_or_default();
        let targets = self.setup.zones.targets();
        let slot = targets.iter().position(|target| target.device.as_str().as_bytes() == device);
        if let (Some(slot), Ok(text)) = (slot, String::from_utf8(value)) {
            self.posts[slot].former = Some(text);
        }
    }

    fn restore_entry(&mut self, number: u64, head: Head, mut shares: Vec<Share>, now: Now) {
        self.next_number = self.next_number.max(number + 1);
        let targets = self.setup.zones.targets();
        let slots: BTreeMap<&str, usize> =
            targets.iter().enumerate().map(|(slot, t)| (t.device.as_str(), slot)).collect();
        let mut gone = Vec::new();
        for (slot, share) in shares.iter_mut().enumerate() {
            share.target = slots.get(share.receipt.device.as_str()).copied();
            share.since = now.at;
            match share.state() {
                state if state.is_settled() => {}
                _ if share.target.is_none() => {
                    share.settle(ReceiptState::Failed, now.wall_ms);
                    gone.push(slot);
                }
                // What it says now decides: it may have played on, or be through.
                ReceiptState::Playing | ReceiptState::Ordered => {
                    (share.unsure, share.due) = (true, Some(now.at.plus(WORD_WITHIN)));
                }
                ReceiptState::Pausing => {
                    let pause = std::time::Duration::from_secs(head.warning.pause_s.into());
                    share.due = Some(now.at.plus(pause));
                }
                _ => {}
            }
            if let (true, Some(target)) = (share.holds(), share.target) {
                self.posts[target].last = Some(head.warning.id.clone());
            }
        }
        for post in self.posts.iter_mut().filter(|post| post.former.is_some()) {
            post.last.get_or_insert_with(|| head.warning.id.clone());
        }
        let waits = head.told.receipts && !head.told.counted;
        let mut entry = Entry {
            number,
            warning: Arc::new(head.warning),
            sha256: head.sha256,
            signed_by: head.signed_by,
            accepted_ms: head.accepted_ms,
            end_ms: head.end_ms,
            life: head.life,
            over_ms: head.over_ms,
            cancelled_by: head.cancelled_by,
            shares,
            told: head.told,
            index: BTreeMap::new(),
            give_up: waits.then(|| now.at.plus(RETURNED_WITHIN)),
            through: None,
        };
        entry.reindex();
        self.entries.insert(number, entry);
        gone.into_iter().for_each(|slot| self.touched(Row::of_share(number, slot)));
        if waits {
            self.effects.push(super::Effect::Receipts(number));
        }
    }
}
