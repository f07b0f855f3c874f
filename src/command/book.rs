//! What is remembered of commands across restarts, in the tree `commands` of the store.
//!
//! | key | value |
//! | --- | --- |
//! | `id/<id>` | a command and what became of it |
//! | `hold/<device>/<command>` | an order that holds |
//! | `floor` | latest expiry of a forgotten command, milliseconds since 1970 |
//! | `heard` | when the platform was last heard, while orders of it hold |
//!
//! Only commands that expired are forgotten, the oldest first: so none that could still be done is
//! forgotten, and one that expires before the floor is a replay, however the clock stands.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::model::{CommandId, CommandOutcome, CommandReport};
use crate::store::{Changes, StoreError, Tree};

/// Commands that are remembered.
pub(super) const MOST_IDS: usize = 4096;

const IDS: &[u8] = b"id/";
const BEHIND_IDS: &[u8] = b"id0";
const FLOOR: &[u8] = b"floor";

/// A command as it is remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Row {
    /// Its place in the order in which commands came, from 1.
    pub number: u64,
    /// The device that was named.
    pub device: String,
    /// When it came, milliseconds since 1970 by the best knowledge of then.
    pub at_ms: i64,
    /// When it came to its end; absent while it is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<i64>,
    /// SHA-256 of what was ordered, hex digits: the same id with another content is no repetition.
    pub digest: String,
    /// The command, and what became of it.
    #[serde(flatten)]
    pub report: CommandReport,
}

/// What is remembered.
#[derive(Debug, Default)]
pub(super) struct Book {
    rows: BTreeMap<CommandId, Row>,
    order: BTreeMap<u64, CommandId>,
    next: u64,
    floor_ms: Option<i64>,
}

fn key(id: &CommandId) -> Vec<u8> {
    [IDS, id.as_str().as_bytes()].concat()
}

impl Book {
    /// What was kept.
    pub fn load(tree: &Tree) -> Result<Self, StoreError> {
        let mut book = Self { next: 1, ..Self::default() };
        let floor = tree.get(FLOOR)?.and_then(|bytes| bytes.try_into().ok());
        book.floor_ms = floor.map(i64::from_be_bytes);
        tree.scan(IDS, BEHIND_IDS, |_, bytes| {
            match serde_json::from_slice::<Row>(bytes) {
                Ok(row) => book.take(row),
                Err(error) => tracing::warn!(%error, "a kept command cannot be read"),
            }
            ControlFlow::Continue(())
        })?;
        Ok(book)
    }

    fn take(&mut self, row: Row) {
        self.next = self.next.max(row.number + 1);
        self.order.insert(row.number, row.report.id.clone());
        self.rows.insert(row.report.id.clone(), row);
    }

    pub fn get(&self, id: &CommandId) -> Option<&Row> {
        self.rows.get(id)
    }

    /// Commands of an earlier run that had come to no end.
    pub fn open(&self) -> Vec<CommandId> {
        let open = self.rows.values().filter(|row| !row.report.outcome.is_final());
        open.map(|row| row.report.id.clone()).collect()
    }

    /// Whether a command that expires then may have been forgotten.
    pub fn is_below_floor(&self, expires_ms: i64) -> bool {
        self.floor_ms.is_some_and(|floor| expires_ms <= floor)
    }

    /// Makes room for one more, at the time `now_ms`; false when all may still be done.
    pub fn make_room(&mut self, now_ms: i64, changes: &mut Changes) -> bool {
        while self.rows.len() >= MOST_IDS {
            let past = |id: &CommandId| {
                let report = &self.rows[id].report;
                report.outcome.is_final() && report.expires_ms < now_ms
            };
            let Some((&number, id)) = self.order.iter().find(|(_, id)| past(id)) else {
                return false;
            };
            let id = id.clone();
            self.order.remove(&number);
            if let Some(row) = self.rows.remove(&id) {
                let floor = self.floor_ms.unwrap_or(i64::MIN).max(row.report.expires_ms);
                self.floor_ms = Some(floor);
                changes.insert(FLOOR, &floor.to_be_bytes());
            }
            changes.remove(&key(&id));
        }
        true
    }

    /// Remembers a new command.
    pub fn add(
        &mut self,
        (device, digest): (&str, String),
        report: CommandReport,
        now_ms: i64,
        changes: &mut Changes,
    ) {
        let ended_ms = report.outcome.is_final().then_some(now_ms);
        let (number, device) = (self.next, device.to_owned());
        let row = Row { number, device, at_ms: now_ms, ended_ms, digest, report };
        changes.insert(&key(&row.report.id), &encoded(&row));
        self.take(row);
    }

    /// A command came to an end; its report.
    pub fn end(
        &mut self,
        id: &CommandId,
        outcome: CommandOutcome,
        now_ms: i64,
        changes: &mut Changes,
    ) -> Option<Row> {
        let row = self.rows.get_mut(id)?;
        row.report.outcome = outcome;
        row.ended_ms = Some(now_ms);
        changes.insert(&key(id), &encoded(row));
        Some(row.clone())
    }

    /// The newest before a number, newest first.
    pub fn recent(&self, before: Option<u64>, device: Option<&str>, most: usize) -> Vec<Row> {
        let numbers = self.order.range(..before.unwrap_or(u64::MAX)).rev();
        let rows = numbers.map(|(_, id)| &self.rows[id]);
        let rows = rows.filter(|row| device.is_none_or(|device| row.device == device));
        rows.take(most).cloned().collect()
    }
}

fn encoded(row: &Row) -> Vec<u8> {
    serde_json::to_vec(row).expect("a row has text keys")
}
