//! What the daemon saw of the users file last, so that a change shows also after a restart; and
//! when each token was used.
//!
//! Tree `access`: `u` name → role and stamp of a user, `t` digest → name, role and last use of a
//! token. Nothing in it opens anything.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::access::Users;
use crate::audit::{Action, Deed};
use crate::model::WallTime;
use crate::store::{Changes, Tree};

const USER: u8 = b'u';
const TOKEN: u8 = b't';
/// A use is written when the one that is kept is older than this: nobody needs the second, and
/// each write wears the flash.
const USE_EVERY_MS: i64 = 600_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Row {
    name: String,
    role: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    stamp: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    used_ms: Option<i64>,
}

/// The rows, mirrored in memory.
pub(super) struct Seen {
    tree: Option<Tree>,
    rows: BTreeMap<Vec<u8>, Row>,
}

impl Seen {
    /// What the tree holds; without one, or when it cannot be read, everything is new.
    pub(super) fn load(tree: Option<Tree>) -> Self {
        let mut rows = BTreeMap::new();
        if let Some(tree) = &tree {
            let read = tree.scan(&[0], &[0xFF], |key, row| {
                if let Ok(row) = serde_json::from_slice(row) {
                    rows.insert(key.to_vec(), row);
                }
                ControlFlow::Continue(())
            });
            if let Err(error) = read {
                tracing::warn!(%error, "it is not known which users changed since the last run");
            }
        }
        Self { tree, rows }
    }

    /// What changed since, as entries of the trail; then this is what was seen.
    pub(super) fn differences(&mut self, users: &Users) -> Vec<Deed> {
        let by = if users.changed_by.is_empty() { "console" } else { &users.changed_by };
        let deed = |action, about: &str| Deed::done(by, "console", action, about);
        let mut now = BTreeMap::new();
        let mut deeds = Vec::new();
        for user in &users.users {
            let (name, role) = (user.name.clone(), user.role.word().to_owned());
            let row = Row { name, role, stamp: user.stamp(), used_ms: None };
            let key = named(USER, &user.name);
            match self.rows.get(&key) {
                None => deeds.push(deed(Action::UserAdded, &user.name).more(&row.role)),
                Some(old) if old.role != row.role => {
                    let change = format!("{} → {}", old.role, row.role);
                    deeds.push(deed(Action::RoleChanged, &user.name).more(&change));
                }
                Some(old) if old.stamp != row.stamp => {
                    deeds.push(deed(Action::PasswordChanged, &user.name));
                }
                Some(_) => {}
            }
            now.insert(key, row);
        }
        for token in &users.tokens {
            let key = named(TOKEN, &token.sha256);
            let used_ms = self.rows.get(&key).and_then(|old| old.used_ms);
            let (name, role) = (token.name.clone(), token.role.word().to_owned());
            let row = Row { name, role, stamp: String::new(), used_ms };
            match self.rows.get(&key) {
                None => deeds.push(deed(Action::TokenAdded, &token.name).more(&row.role)),
                Some(old) if old.role != row.role => {
                    let change = format!("{} → {}", old.role, row.role);
                    deeds.push(deed(Action::RoleChanged, &token.name).more(&change));
                }
                Some(_) => {}
            }
            now.insert(key, row);
        }
        for (key, old) in &self.rows {
            if !now.contains_key(key) {
                let is_user = key.first() == Some(&USER);
                let action = if is_user { Action::UserRemoved } else { Action::TokenRemoved };
                deeds.push(deed(action, &old.name));
            }
        }
        self.write(&now);
        self.rows = now;
        deeds
    }

    /// A token was used.
    pub(super) fn used(&mut self, digest: &str, now: Option<WallTime>) {
        let key = named(TOKEN, digest);
        let (Some(now), Some(row)) = (now, self.rows.get(&key)) else { return };
        if row.used_ms.is_some_and(|used| (now.unix_ms - used).abs() < USE_EVERY_MS) {
            return;
        }
        let row = Row { used_ms: Some(now.unix_ms), ..row.clone() };
        let mut rows = self.rows.clone();
        rows.insert(key, row);
        self.write(&rows);
        self.rows = rows;
    }

    /// When a token was used last, to within ten minutes.
    pub(super) fn last_use(&self, digest: &str) -> Option<i64> {
        self.rows.get(&named(TOKEN, digest))?.used_ms
    }

    /// Writes what differs; durable with the next commit of anybody.
    fn write(&self, now: &BTreeMap<Vec<u8>, Row>) {
        let Some(tree) = &self.tree else { return };
        let mut changes = Changes::default();
        for key in self.rows.keys().filter(|key| !now.contains_key(*key)) {
            changes.remove(key);
        }
        for (key, row) in now.iter().filter(|(key, row)| self.rows.get(*key) != Some(row)) {
            changes.insert(key, &serde_json::to_vec(row).expect("a row has text keys"));
        }
        if !changes.is_empty()
            && let Err(error) = tree.apply(changes)
        {
            tracing::info!(%error, "what the users are now is not kept; the next start tells again");
        }
    }
}

fn named(kind: u8, name: &str) -> Vec<u8> {
    [&[kind], name.as_bytes()].concat()
}
