//! Open sessions in the store: one row a connector, JSON, under the device's name and the number.

use super::ChargeBook;
use super::session::Session;
use crate::model::Estate;
use crate::starlevel::row::json;
use crate::store::{Changes, Store, StoreError, Tree};

const TREE: &str = "charging";
const ROW: u8 = 1;

/// Where the sessions are kept.
pub(in crate::starlevel) struct Keeper {
    tree: Tree,
    keys: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").field("connectors", &self.keys.len()).finish_non_exhaustive()
    }
}

impl ChargeBook {
    /// Goes on with the stored sessions.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(in crate::starlevel) fn attach(
        &mut self,
        store: &Store,
        estate: &Estate,
    ) -> Result<(), StoreError> {
        let tree = store.tree(TREE);
        let mut keys = Vec::with_capacity(self.connectors.len());
        for connector in &mut self.connectors {
            let id = &estate.device(connector.device).id;
            let number = connector.number.map_or_else(String::new, |number| number.to_string());
            // No identifier holds a slash.
            let key = format!("{id}/{number}").into_bytes();
            let row = tree.get(&key)?;
            let row = row.and_then(|row| serde_json::from_slice::<(u8, Session)>(&row).ok());
            if let Some((ROW, session)) = row {
                (connector.session, connector.stored) = (session, session);
            }
            keys.push(key);
        }
        self.keeper = Some(Keeper { tree, keys });
        Ok(())
    }

    /// Hands to the store what began and ended; when `due` also what goes on, and where each
    /// connector stood last.
    ///
    /// # Errors
    /// The store refused; the next call tries again.
    pub(in crate::starlevel) fn save(&mut self, due: bool) -> Result<(), StoreError> {
        let Some(keeper) = &self.keeper else { return Ok(()) };
        let mut changes = Changes::default();
        let mut written = Vec::new();
        for (slot, (connector, key)) in self.connectors.iter().zip(&keeper.keys).enumerate() {
            // At once, so that a crash neither loses the begin of a session nor tells its end twice.
            let turned = connector.session.is_open() != connector.stored.is_open();
            if turned || (due && connector.session != connector.stored) {
                changes.insert(key, &json(&(ROW, connector.session)));
                written.push(slot);
            }
        }
        if changes.is_empty() {
            return Ok(());
        }
        keeper.tree.apply(changes)?;
        for slot in written {
            self.connectors[slot].stored = self.connectors[slot].session;
        }
        Ok(())
    }
}
