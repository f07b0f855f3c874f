//! The profiles that are at hand, by identifier.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::Profile;

/// The profiles that are at hand.
#[derive(Debug, Clone, Default)]
pub struct Library(BTreeMap<String, Arc<Profile>>);

impl Library {
    /// Those built into the program.
    pub fn builtin() -> Self {
        Self::default()
    }

    /// Those built in and those of the folders.
    ///
    /// # Errors
    /// What is wrong with the files.
    pub fn load(_dirs: &[PathBuf]) -> Result<Self, Vec<String>> {
        Ok(Self::builtin())
    }

    /// Finds a profile.
    pub fn get(&self, id: &str) -> Option<Arc<Profile>> {
        self.0.get(id).cloned()
    }

    /// All identifiers, in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
