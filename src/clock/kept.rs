//! What is kept about the time across restarts: the last time that was trusted, and for the last
//! boots what their clocks knew.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::model::Moment;
use crate::store::{Changes, StoreError, Tree};

/// Key of the last time that was trusted.
const TRUSTED: &[u8] = b"trusted";
/// Begin of the keys of the boots, one each: a value of the store is short.
const BOOT: &[u8] = b"boot/";
/// Behind the last key of a boot.
const BEHIND: &[u8] = b"boot0";
/// Boots that are remembered. Blocks of older ones keep their time since boot, without bounds.
const MOST_BOOTS: usize = 64;

/// What one boot's clock knew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    /// Wall time less boot time.
    pub offset_ms: i64,
    pub uncertainty_ms: u64,
    /// When the source was last heard, milliseconds since boot.
    pub synced_ms: u64,
    /// As in events.
    pub source: String,
}

/// One boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Boot {
    /// Counts boots; its key.
    #[serde(skip)]
    number: u64,
    id: String,
    /// The last time that was trusted before it.
    after_ms: Option<i64>,
    known: Option<Known>,
}

/// The last boots, the present one last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Boots {
    /// The last time that was trusted, milliseconds since 1970.
    pub trusted_ms: Option<i64>,
    boots: Vec<Boot>,
    /// Numbers of those that were forgotten since they were kept.
    forgotten: Vec<u64>,
}

fn key(number: u64) -> Vec<u8> {
    [BOOT, &number.to_be_bytes()].concat()
}

/// What cannot be read is worth nothing: the rest goes on without it, and says so.
fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes)
        .inspect_err(|error| tracing::warn!(%error, "kept about the time, and not to be read"))
        .ok()
}

/// What is known about the time of another boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Past {
    /// Its clock was trusted.
    Known(Known),
    /// It was not: wall times between which the boot began. Either may be missing.
    Between(Option<i64>, Option<i64>),
}

impl Boots {
    /// What was kept.
    pub fn load(tree: &Tree) -> Result<Self, StoreError> {
        let trusted_ms = tree.get(TRUSTED)?.and_then(|bytes| read(&bytes));
        let mut kept = Self { trusted_ms, ..Self::default() };
        tree.scan(BOOT, BEHIND, |key, bytes| {
            let number = key.strip_prefix(BOOT).and_then(|rest| rest.try_into().ok());
            if let Some(number) = number.map(u64::from_be_bytes) {
                match read(bytes) {
                    Some(boot) => kept.boots.push(Boot { number, ..boot }),
                    None => kept.forgotten.push(number),
                }
            }
            ControlFlow::Continue(())
        })?;
        Ok(kept)
    }

    /// The recorder's next commit makes it durable. Of the boots only the present one learns.
    pub fn save(&mut self, tree: &Tree) -> Result<(), StoreError> {
        let json = "numbers and texts are JSON";
        let mut changes = Changes::default();
        if let Some(trusted_ms) = self.trusted_ms {
            changes.insert(TRUSTED, &serde_json::to_vec(&trusted_ms).expect(json));
        }
        if let Some(boot) = self.boots.last() {
            changes.insert(&key(boot.number), &serde_json::to_vec(boot).expect(json));
        }
        self.forgotten.iter().for_each(|number| changes.remove(&key(*number)));
        tree.apply(changes)?;
        self.forgotten.clear();
        Ok(())
    }

    /// A boot begins, or the daemon starts again in it: returns what its clock knew.
    pub fn begin(&mut self, id: &str) -> Option<Known> {
        if let Some(boot) = self.boots.iter().find(|boot| boot.id == id) {
            return boot.known.clone();
        }
        let heard = |boot: &Boot| boot.known.as_ref().map(|k| add(k.offset_ms, k.synced_ms));
        let after_ms = self.boots.iter().filter_map(heard).chain(self.trusted_ms).max();
        if self.boots.len() == MOST_BOOTS {
            self.forgotten.push(self.boots.remove(0).number);
        }
        let number = self.boots.last().map_or(0, |boot| boot.number + 1);
        self.boots.push(Boot { number, id: id.to_owned(), after_ms, known: None });
        None
    }

    /// What the clock of a boot knows now.
    pub fn learn(&mut self, id: &str, known: Known) {
        if let Some(boot) = self.boots.iter_mut().find(|boot| boot.id == id) {
            boot.known = Some(known);
        }
    }

    /// What is known about a boot; nothing when it is forgotten.
    pub fn past(&self, id: &str) -> Option<Past> {
        let place = self.boots.iter().position(|boot| boot.id == id)?;
        let boot = &self.boots[place];
        if let Some(known) = &boot.known {
            return Some(Past::Known(known.clone()));
        }
        // The next boot whose clock was trusted began after this one had ended.
        let next = self.boots[place + 1..].iter().find_map(|boot| boot.known.as_ref());
        let (after, before) = (boot.after_ms, next.map(|known| known.offset_ms));
        // A clock that was wrong and believed: nothing can be said.
        let sane = after.zip(before).is_none_or(|(after, before)| after <= before);
        Some(if sane { Past::Between(after, before) } else { Past::Between(None, None) })
    }
}

/// A wall time, from an offset and milliseconds since boot.
pub(super) fn add(offset_ms: i64, boot_ms: u64) -> i64 {
    offset_ms.saturating_add(i64::try_from(boot_ms).unwrap_or(i64::MAX))
}

impl Known {
    /// When its source was last heard.
    pub fn synced(&self) -> Moment {
        Moment { boot_ms: self.synced_ms }
    }
}
