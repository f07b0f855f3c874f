//! Reads the trail: page by page from its end, and as a chain.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::MOST;
use super::entry::{Entry, digest_of};
use crate::store::{Changes, Store, StoreError, Tree};

/// The tree in the store.
const TREE: &str = "audit";
/// Behind every key.
const BEYOND: [u8; 9] = [0xFF; 9];
/// Entries read at once.
const CHUNK: u64 = 256;

/// What joins a row to the others; the same in every version.
#[derive(Deserialize)]
struct Link {
    number: u64,
    chain: String,
}

/// The stored trail.
#[derive(Clone)]
pub struct Trail(Tree);

/// Which entries are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only entries from this time on, milliseconds since 1970.
    pub from_ms: Option<i64>,
    /// Only entries before this time.
    pub to_ms: Option<i64>,
    /// Only of this user.
    pub who: Option<String>,
    /// Only entries with a lower number: the next page.
    pub before: Option<u64>,
}

/// Some entries, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "AuditPage"))]
pub struct Page {
    /// The entries.
    pub entries: Vec<Entry>,
    /// The `before` that shows the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
    /// Entries that were dropped so far: all with a lower number than the oldest that is kept.
    pub dropped: u64,
}

/// What a look at the whole chain found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "AuditVerified"))]
pub struct Verified {
    /// Entries that were looked at.
    pub entries: u64,
    /// The oldest that is kept; its link to the one before cannot be checked.
    pub oldest: Option<u64>,
    /// The first entry that is not as it was written, or that follows a gap, and what is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

impl Filter {
    fn wants(&self, entry: &Entry) -> bool {
        self.from_ms.is_none_or(|from| entry.at_ms >= from)
            && self.to_ms.is_none_or(|to| entry.at_ms < to)
            && self.who.as_ref().is_none_or(|who| entry.who == *who)
    }
}

impl Trail {
    /// The trail in a store.
    pub fn of(store: &Store) -> Self {
        Self(store.tree(TREE))
    }

    pub(super) fn apply(&self, changes: Changes) -> Result<(), StoreError> {
        self.0.apply(changes)
    }

    /// The number and the digest with which it goes on.
    pub(super) fn end(&self) -> Result<(u64, String), StoreError> {
        let (mut next, mut chain) = (1, String::new());
        self.scan(0, |number, row| {
            next = number.saturating_add(1);
            if let Ok(link) = serde_json::from_slice::<Link>(row) {
                chain = link.chain;
            }
            ControlFlow::Continue(())
        })?;
        Ok((next, chain))
    }

    /// Numbers that are kept too long by now, at most so many.
    pub(super) fn surplus(
        &self,
        next: u64,
        oldest_ms: Option<i64>,
        at_once: usize,
    ) -> Result<Vec<u64>, StoreError> {
        let mut found = Vec::new();
        self.scan(0, |number, row| {
            let entry: Option<Entry> = serde_json::from_slice(row).ok();
            let expired = entry
                .is_some_and(|e| e.trusted && oldest_ms.is_some_and(|oldest| e.at_ms < oldest));
            if found.len() < at_once && (expired || number.saturating_add(MOST) < next) {
                found.push(number);
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        Ok(found)
    }

    /// The newest entries that the filter wants, at most `most`.
    ///
    /// # Errors
    /// The store failed.
    pub fn page(&self, filter: &Filter, most: usize) -> Result<Page, StoreError> {
        let Some((oldest, next)) = self.bounds()? else { return Ok(Page::default()) };
        let mut page = Page { dropped: oldest.saturating_sub(1), ..Page::default() };
        let mut end = filter.before.map_or(next, |before| before.min(next));
        while end > oldest {
            let begin = end.saturating_sub(CHUNK).max(oldest);
            let mut chunk = Vec::new();
            self.0.scan(&begin.to_be_bytes(), &end.to_be_bytes(), |_, row| {
                chunk.extend(serde_json::from_slice::<Entry>(row).ok());
                ControlFlow::Continue(())
            })?;
            for entry in chunk.into_iter().rev().filter(|entry| filter.wants(entry)) {
                if page.entries.len() == most {
                    page.next = page.entries.last().map(|last| last.number);
                    return Ok(page);
                }
                page.entries.push(entry);
            }
            end = begin;
        }
        Ok(page)
    }

    /// Looks at every link of the chain.
    ///
    /// # Errors
    /// The store failed.
    pub fn verify(&self) -> Result<Verified, StoreError> {
        let mut seen = Verified { entries: 0, oldest: None, fault: None };
        let mut before: Option<(u64, String)> = None;
        self.scan(0, |number, row| {
            seen.entries += 1;
            let first = *seen.oldest.get_or_insert(number);
            let entry: Link = match serde_json::from_slice(row) {
                Ok(entry) => entry,
                Err(error) => {
                    seen.fault = Some(format!("entry {number} cannot be read: {error}"));
                    return ControlFlow::Break(());
                }
            };
            let last = before.replace((number, entry.chain.clone()));
            let wrong = match last {
                _ if entry.number != number => Some("is not the one that was written"),
                Some((last, _)) if last + 1 != number => Some("follows a gap"),
                Some((_, chain)) if digest_of(row, &chain) != entry.chain => {
                    Some("is not as it was written, or the one before is not")
                }
                None if first == 1 && digest_of(row, "") != entry.chain => {
                    Some("is not as it was written")
                }
                _ => None,
            };
            seen.fault = wrong.map(|wrong| format!("entry {number} {wrong}"));
            if wrong.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(seen)
    }

    /// The oldest number, and the one after the newest.
    fn bounds(&self) -> Result<Option<(u64, u64)>, StoreError> {
        let mut bounds: Option<(u64, u64)> = None;
        self.scan(0, |number, _| {
            let oldest = bounds.map_or(number, |(oldest, _)| oldest);
            bounds = Some((oldest, number.saturating_add(1)));
            ControlFlow::Continue(())
        })?;
        Ok(bounds)
    }

    fn scan(
        &self,
        from: u64,
        mut each: impl FnMut(u64, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.0.scan(&from.to_be_bytes(), &BEYOND, |key, row| match key.try_into() {
            Ok(key) => each(u64::from_be_bytes(key), row),
            Err(_) => ControlFlow::Continue(()),
        })
    }
}
