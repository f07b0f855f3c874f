//! How attestations of the page and discovered devices stand in the store.
//!
//! | key | row, JSON |
//! | --- | --- |
//! | `c` subject | the attestation that was given last about it |
//! | `h` number | a deed: who attested or withdrew what; eight bytes, the highest first |
//! | `f` bus address | a device that was found and is not registered |
//!
//! The tree is mirrored in memory. After a write that failed nobody knows what is in the store:
//! the rows are set back at once, and once more with the next write.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::discovered::Discovered;
use super::subject::{Attestation, Subject};
use crate::starlevel::row::{json, named};
use crate::store::{Changes, Store, StoreError, Tree};

/// Most deeds that are kept, the newest.
pub const MOST_DEEDS: usize = 200;

/// The tree in the store.
const TREE: &str = "attestations";
const CURRENT: u8 = b'c';
const DEED: u8 = b'h';
const FOUND: u8 = b'f';

/// What somebody did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case")]
pub enum Deed {
    /// Attested something.
    Attested {
        /// What.
        attestation: Attestation,
        /// When, milliseconds since 1970.
        at_ms: i64,
    },
    /// Withdrew what was attested on the page.
    Withdrawn {
        /// What.
        subject: Subject,
        /// Who withdrew it.
        by: String,
        /// When, milliseconds since 1970; absent when the clock was not trusted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_ms: Option<i64>,
    },
}

/// Rows to set, or to delete where there is no value.
type Edits = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// The tree and its mirror.
pub(super) struct Keep {
    store: Store,
    tree: Tree,
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Keys that a failed write may have left otherwise than the mirror says.
    unsure: BTreeSet<Vec<u8>>,
}

impl Keep {
    pub(super) fn load(store: &Store) -> Result<Self, StoreError> {
        let tree = store.tree(TREE);
        let mut rows = BTreeMap::new();
        tree.scan(&[0], &[0xFF], |key, row| {
            rows.insert(key.to_vec(), row.to_vec());
            ControlFlow::Continue(())
        })?;
        Ok(Self { store: store.clone(), tree, rows, unsure: BTreeSet::new() })
    }

    /// Rows of a kind in the order of their keys; what no version of this program wrote is left
    /// out.
    fn of<T: for<'d> Deserialize<'d>>(&self, kind: u8) -> impl DoubleEndedIterator<Item = T> {
        let rows = self.rows.range(vec![kind]..vec![kind + 1]);
        rows.filter_map(|(_, row)| serde_json::from_slice(row).ok())
    }

    pub(super) fn current(&self) -> Vec<Attestation> {
        self.of(CURRENT).collect()
    }

    /// The newest first.
    pub(super) fn deeds(&self) -> Vec<Deed> {
        self.of(DEED).rev().collect()
    }

    pub(super) fn found(&self) -> Vec<Discovered> {
        self.of(FOUND).collect()
    }

    pub(super) fn has_found(&self, place: &str) -> bool {
        self.rows.contains_key(&named(FOUND, place))
    }

    pub(super) fn given(&self, word: &str) -> Option<Attestation> {
        serde_json::from_slice(self.rows.get(&named(CURRENT, word))?).ok()
    }

    /// Notes deeds, and sets or deletes the attestations that they are about: all or none. Durable
    /// when it returns; blocks as long as that takes.
    pub(super) fn note(&mut self, deeds: &[Deed]) -> Result<(), StoreError> {
        let old: Vec<Vec<u8>> = self.keys(DEED).collect();
        let last =
            old.last().and_then(|key| key[1..].try_into().ok()).map_or(0, u64::from_be_bytes);
        let mut edits = Vec::with_capacity(2 * deeds.len());
        let mut keys = old;
        for (number, deed) in (last.saturating_add(1)..).zip(deeds) {
            let (subject, given) = match deed {
                Deed::Attested { attestation, .. } => (&attestation.subject, Some(attestation)),
                Deed::Withdrawn { subject, .. } => (subject, None),
            };
            edits.push((named(CURRENT, &subject.word()), given.map(json)));
            let key = [&[DEED][..], &number.to_be_bytes()].concat();
            keys.push(key.clone());
            edits.push((key, Some(json(deed))));
        }
        let surplus = keys.len().saturating_sub(MOST_DEEDS);
        edits.extend(keys.into_iter().take(surplus).map(|key| (key, None)));
        self.write(edits, true)
    }

    /// Keeps a found device; durable with the next commit of anybody.
    pub(super) fn add(&mut self, device: &Discovered) -> Result<(), StoreError> {
        self.write(vec![(named(FOUND, &device.place()), Some(json(device)))], false)
    }

    /// Forgets a found device.
    pub(super) fn forget(&mut self, devices: &[Discovered]) -> Result<(), StoreError> {
        let edits = devices.iter().map(|device| (named(FOUND, &device.place()), None)).collect();
        self.write(edits, false)
    }

    fn keys(&self, kind: u8) -> impl Iterator<Item = Vec<u8>> {
        self.rows.range(vec![kind]..vec![kind + 1]).map(|(key, _)| key.clone())
    }

    fn write(&mut self, edits: Edits, durable: bool) -> Result<(), StoreError> {
        let mut changes = Changes::default();
        for key in &self.unsure {
            put(&mut changes, key, self.rows.get(key));
        }
        for (key, value) in &edits {
            put(&mut changes, key, value.as_ref());
        }
        if changes.is_empty() {
            return Ok(());
        }
        let written = self
            .tree
            .apply(changes)
            .and_then(|()| if durable { self.store.commit() } else { Ok(()) });
        if let Err(error) = written {
            self.unsure.extend(edits.into_iter().map(|(key, _)| key));
            self.set_back();
            return Err(error);
        }
        self.unsure.clear();
        for (key, value) in edits {
            match value {
                Some(value) => self.rows.insert(key, value),
                None => self.rows.remove(&key),
            };
        }
        Ok(())
    }

    /// What was said not to be kept must not show up after a restart.
    fn set_back(&self) {
        let mut changes = Changes::default();
        for key in &self.unsure {
            put(&mut changes, key, self.rows.get(key));
        }
        if let Err(error) = self.tree.apply(changes) {
            tracing::debug!(%error, "a failed write is set back with the next one");
        }
    }
}

fn put(changes: &mut Changes, key: &[u8], value: Option<&Vec<u8>>) {
    match value {
        Some(value) => changes.insert(key, value),
        None => changes.remove(key),
    }
}
