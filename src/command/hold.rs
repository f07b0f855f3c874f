//! Orders that hold: what must be repeated, else the device falls back, and what returns to its
//! safe value when the platform falls silent or the order's time is over.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::model::{CommandId, CommandSource, Moment, Value};
use crate::store::{Changes, StoreError, Tree};

const HOLDS: &[u8] = b"hold/";
const BEHIND_HOLDS: &[u8] = b"hold0";

/// Device and command.
pub(super) type HoldKey = (String, String);

/// An order that holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Hold {
    pub device: String,
    pub command: String,
    /// The command that ordered it.
    pub id: CommandId,
    pub value: Option<Value>,
    pub source: CommandSource,
    pub until_ms: Option<i64>,
    /// The device took it. Until then it is not repeated, and it returns nevertheless: a command
    /// whose end nobody knows may have been done.
    pub settled: bool,
    /// When it was last written.
    #[serde(skip)]
    pub written: Option<Moment>,
    /// A repetition is under way.
    #[serde(skip)]
    pub repeating: bool,
    /// It is to return to its safe value; not tried before.
    #[serde(skip)]
    pub returns: Option<Moment>,
}

impl Hold {
    pub fn key(&self) -> HoldKey {
        (self.device.clone(), self.command.clone())
    }
}

fn key((device, command): &HoldKey) -> Vec<u8> {
    [HOLDS, device.as_bytes(), b"/", command.as_bytes()].concat()
}

/// All orders that hold.
#[derive(Debug, Default)]
pub(super) struct Holds(BTreeMap<HoldKey, Hold>);

impl Holds {
    /// What was kept.
    pub fn load(tree: &Tree) -> Result<Self, StoreError> {
        let mut holds = Self::default();
        tree.scan(HOLDS, BEHIND_HOLDS, |_, bytes| {
            match serde_json::from_slice::<Hold>(bytes) {
                Ok(hold) => drop(holds.0.insert(hold.key(), hold)),
                Err(error) => tracing::warn!(%error, "a kept order cannot be read"),
            }
            ControlFlow::Continue(())
        })?;
        Ok(holds)
    }

    pub fn get(&self, key: &HoldKey) -> Option<&Hold> {
        self.0.get(key)
    }

    pub fn get_mut(&mut self, key: &HoldKey) -> Option<&mut Hold> {
        self.0.get_mut(key)
    }

    pub fn keys(&self) -> Vec<HoldKey> {
        self.0.keys().cloned().collect()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an order of the platform holds.
    pub fn of_platform(&self) -> bool {
        self.0.values().any(|hold| hold.source == CommandSource::Platform)
    }

    /// Keeps an order; the one before it.
    pub fn put(&mut self, hold: Hold, changes: &mut Changes) -> Option<Hold> {
        let own = hold.key();
        let row = serde_json::to_vec(&hold).expect("an order has text keys");
        changes.insert(&key(&own), &row);
        self.0.insert(own, hold)
    }

    /// The order is over.
    pub fn remove(&mut self, own: &HoldKey, changes: &mut Changes) {
        if self.0.remove(own).is_some() {
            changes.remove(&key(own));
        }
    }
}
