//! The rows of the broadcast in the store.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::calendar;
use super::desk::Change;
use crate::store::{Changes, Store, StoreError, Tree};

/// Begin of the keys of the drills; no row of the desk begins so.
const DRILL: u8 = b'd';

type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// What the broadcast keeps; durable with the next commit of the recorder.
pub(super) struct Kept {
    store: Store,
    tree: Tree,
    drills: BTreeMap<String, calendar::Kept>,
    /// The last attempt failed, and the log says so.
    fails: bool,
}

impl Kept {
    pub fn new(store: &Store) -> Self {
        let (store, tree) = (store.clone(), store.tree("broadcast"));
        Self { store, tree, drills: BTreeMap::new(), fails: false }
    }

    /// Makes all of it durable now; says whether it is.
    pub async fn commit(&mut self) -> bool {
        let store = self.store.clone();
        let done = tokio::task::spawn_blocking(move || store.commit()).await;
        let fault = match done {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        tracing::warn!(fault, "a warning is not durable: its sender is not told that it is");
        false
    }

    /// The rows of the desk, and what is kept of the drills.
    pub fn load(&mut self) -> Result<(Rows, BTreeMap<String, calendar::Kept>), StoreError> {
        let mut rows = Vec::new();
        let mut drills = BTreeMap::new();
        self.tree.scan(&[0], &[0xff], |key, value| {
            match key.split_first() {
                Some((&DRILL, name)) => {
                    match (std::str::from_utf8(name), serde_json::from_slice(value)) {
                        (Ok(name), Ok(kept)) => drop(drills.insert(name.to_owned(), kept)),
                        _ => tracing::warn!("what was kept of a drill cannot be read"),
                    }
                }
                _ => rows.push((key.to_vec(), value.to_vec())),
            }
            ControlFlow::Continue(())
        })?;
        self.drills.clone_from(&drills);
        Ok((rows, drills))
    }

    /// Hands rows to the store; says whether it took them.
    pub fn keep(&mut self, rows: &[Change]) -> bool {
        if rows.is_empty() {
            return true;
        }
        let mut changes = Changes::default();
        for (key, value) in rows {
            match value {
                Some(value) => changes.insert(key, value),
                None => changes.remove(key),
            }
        }
        self.apply(changes)
    }

    /// The same for the drills, when something of them changed.
    pub fn drills(&mut self, now: &BTreeMap<String, calendar::Kept>) {
        if *now == self.drills {
            return;
        }
        let mut changes = Changes::default();
        let key = |name: &String| [&[DRILL], name.as_bytes()].concat();
        for name in self.drills.keys().filter(|name| !now.contains_key(*name)) {
            changes.remove(&key(name));
        }
        for (name, kept) in now {
            let row = serde_json::to_vec(kept).expect("numbers are JSON");
            changes.insert(&key(name), &row);
        }
        if self.apply(changes) {
            self.drills.clone_from(now);
        }
    }

    fn apply(&mut self, changes: Changes) -> bool {
        match self.tree.apply(changes) {
            Ok(()) => {
                self.fails = false;
                true
            }
            // While the store is rebuilt; the next time comes soon.
            Err(StoreError::Closed { .. }) => false,
            Err(error) => {
                if !std::mem::replace(&mut self.fails, true) {
                    tracing::warn!(%error, "what happens to warnings cannot be kept");
                }
                false
            }
        }
    }
}
