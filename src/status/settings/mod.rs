//! The settings: the configuration that runs, to be looked at, changed, checked and applied; who
//! may do what; certificates, time, version.

mod api;
mod edit;
mod overview;
#[cfg(test)]
mod tests;
mod words;

use std::io;
use std::path::{Path, PathBuf};

pub(super) use api::{CONFIGURATION, change as api_change, read as api_read};
#[cfg(feature = "schema")]
pub(super) use api::{Change, ChangeDone, ConfigurationFile};
pub(super) use edit::{change, editor};
pub(super) use overview::settings;

use serde::Serialize;

use crate::model::Words;
use crate::proposal::Waiting;
use crate::settings::Fault;

/// Longest form that changes a file of the configuration, bytes; percent-encoded, a Chinese
/// character takes nine of them.
pub(super) const LONGEST_FORM: usize = 1 << 20;
/// Where it is sent.
pub(super) const EDITOR: &str = "/settings/configuration";

/// How a changed file of the configuration comes to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Writing {
    /// This process writes it.
    Own,
    /// It is handed over to a unit that may.
    HandedOver,
    /// By nobody here.
    No,
}

/// What became of the last change that was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedOver {
    /// Which file; empty when not even that could be read.
    pub file: String,
    /// Who wanted it.
    pub who: String,
    /// Why it was refused; nothing when it was installed.
    pub refused: Option<Words>,
    /// Milliseconds since 1970, by the system's clock.
    pub at_ms: i64,
}

/// The files of the configuration. All of it blocks.
pub trait Files: std::fmt::Debug + Send + Sync {
    /// The files with their content: the main file, then its drop-ins by name.
    ///
    /// # Errors
    /// Which cannot be read.
    fn texts(&self) -> Result<Vec<(PathBuf, String)>, Vec<Fault>>;

    /// Everything that is wrong with such files.
    fn examine(&self, texts: &[(PathBuf, String)]) -> Vec<Fault>;

    /// How another file comes in the place of this one.
    fn writing(&self, path: &Path) -> Writing;

    /// Puts a text in the place of a file, durably; the name under which the old one is kept.
    ///
    /// # Errors
    /// What the system said; then the old file is in its place.
    fn write(&self, path: &Path, text: &str) -> io::Result<PathBuf>;

    /// Hands over a text that was made from another one with this SHA-256, hex digits.
    ///
    /// # Errors
    /// What the system said, or what would be refused.
    fn hand_over(&self, path: &Path, base: &str, text: &str, who: &str) -> io::Result<()>;

    /// What became of the last one.
    fn handed_over(&self) -> Option<HandedOver>;

    /// One that was handed over and not taken yet.
    fn waiting(&self) -> Option<Waiting>;

    /// The earlier versions of a file, the newest first.
    ///
    /// # Errors
    /// What the system said.
    fn earlier(&self, path: &Path) -> io::Result<Vec<PathBuf>>;

    /// Asks the daemon to apply what is in the files now; whether it still can.
    fn reload(&self) -> bool;
}
