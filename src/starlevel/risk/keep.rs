//! The grades in the store, in a tree of their own.
//!
//! | key | row, JSON |
//! | --- | --- |
//! | `d` device | version, grade, since when |
//! | `e` | version, the grade of the estate that was told last |

use std::ops::ControlFlow;

use super::book::RiskBook;
use crate::model::{DeviceId, RiskGrade};
use crate::starlevel::row::{json, named};
use crate::store::{Changes, Store, StoreError, Tree};

const TREE: &str = "risk";
const ROW: u8 = 1;
const DEVICE: u8 = b'd';
const ESTATE: &[u8] = b"e";

/// Where the grades are kept.
pub(super) struct Keeper {
    tree: Tree,
    told: Option<RiskGrade>,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").field("told", &self.told).finish_non_exhaustive()
    }
}

impl RiskBook {
    /// Goes on with the stored grades. Rows of devices that are gone are removed.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(in crate::starlevel) fn attach(&mut self, store: &Store) -> Result<(), StoreError> {
        let tree = store.tree(TREE);
        let mut gone = Changes::default();
        tree.scan(&[DEVICE], &[DEVICE + 1], |key, row| {
            let id = key.get(1..).and_then(|id| std::str::from_utf8(id).ok());
            let index = id.and_then(|id| self.estate.find(&DeviceId::new(id).ok()?));
            match (index, serde_json::from_slice(row)) {
                (Some(index), Ok((ROW, grade, since_ms))) => {
                    let state = &mut self.states[index.slot()];
                    (state.grade, state.since_ms) = (grade, since_ms);
                }
                _ => gone.remove(key),
            }
            ControlFlow::Continue(())
        })?;
        let told = tree.get(ESTATE)?;
        let told =
            told.and_then(|row| serde_json::from_slice::<(u8, Option<RiskGrade>)>(&row).ok());
        self.told = told.filter(|(version, _)| *version == ROW).and_then(|(_, told)| told);
        tree.apply(gone)?;
        self.keeper = Some(Keeper { tree, told: self.told });
        Ok(())
    }

    /// Hands changed grades to the store.
    ///
    /// # Errors
    /// The store refused; the next call tries again.
    pub(in crate::starlevel) fn save(&mut self) -> Result<(), StoreError> {
        let Some(keeper) = &mut self.keeper else { return Ok(()) };
        let mut changes = Changes::default();
        for (state, device) in self.states.iter().zip(self.estate.devices()) {
            if state.unsaved {
                let row = json(&(ROW, state.grade, state.since_ms));
                changes.insert(&named(DEVICE, device.id.as_str()), &row);
            }
        }
        if keeper.told != self.told {
            changes.insert(ESTATE, &json(&(ROW, self.told)));
        }
        if changes.is_empty() {
            return Ok(());
        }
        keeper.tree.apply(changes)?;
        keeper.told = self.told;
        self.states.iter_mut().for_each(|state| state.unsaved = false);
        Ok(())
    }
}
