//! The next version of the program, with a way back.
//!
//! ```text
//!            verified, unpacked, its own check of the configuration
//!  FILE ───────────────────────────────► staged ─► trial ─┬─ good ─► installing ─► installed
//!                                                         │               │ fails
//!                                                         └─ bad ─► withdrawing    ▼
//!                                              `--back` ─────────────────────► returning
//! ```
//! # Why a power cut at any moment ends in the old or the new version, never in neither
//!
//! - The trial is a drop-in of the unit in `/run`: after a power cut it is gone, and the old program
//!   starts with the old configuration, which nobody touched.
//! - Which step is under way stands in one small file, written whole, before the step begins. Every
//!   step can be done again. What was cut short goes on, or back, at the next start of the machine
//!   (`linli upgrade --recover`, before the service starts).
//! - Before anything is replaced, program, package and configuration are kept beside
//!   (`previous/`), and the folder appears whole.
//! - A program is replaced by `dpkg`, which does that by renaming, or by renaming.
//!
//! What the system does stands behind [`System`], so that a test can cut every step.

mod desk;
mod file;
mod install;
mod stage;
mod state;
mod system;
mod trial;

use std::path::PathBuf;

pub use desk::{Desk, Under};
pub use stage::Order;
pub use state::{Ended, Outcome, Previous, State, Step};
pub use system::{Package, Seen, Service, System};
pub use trial::{Judge, Look, STEADY};

use crate::model::Words;

/// First word of the trusted comment of a signature of a next version.
pub const PURPOSE: &str = "linli-upgrade";

/// Why an upgrade does not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.both())]
pub struct Fault(pub Words);

impl Fault {
    /// In both languages.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self((en, zh).into())
    }

    /// What the system said about a file.
    pub fn of_io(path: &std::path::Path, error: &std::io::Error) -> Self {
        let (at, why) = (path.display(), Words::of_io(error));
        Self::new(format!("{at}: {}", why.en), format!("{at}：{}", why.zh))
    }
}

/// Where everything lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// What is kept: the state, the version on trial, the one before. Root's alone to write.
    pub folder: PathBuf,
    /// Drop-ins of the service that a power cut removes.
    pub drop_ins: PathBuf,
    /// The program.
    pub program: PathBuf,
    /// The configuration.
    pub config: PathBuf,
}

impl Places {
    /// Those of a box.
    pub fn of_the_box(config: PathBuf) -> Self {
        Self {
            folder: "/var/lib/linli-upgrade".into(),
            drop_ins: "/run/systemd/system/linli.service.d".into(),
            program: "/usr/bin/linli".into(),
            config,
        }
    }

    fn state(&self) -> PathBuf {
        self.folder.join("state.json")
    }

    /// How the last upgrade ended.
    pub fn ended(&self) -> PathBuf {
        self.folder.join("result.json")
    }

    fn trial(&self) -> PathBuf {
        self.folder.join("trial")
    }

    /// The program on trial.
    pub fn new_program(&self) -> PathBuf {
        self.trial().join("linli")
    }

    /// The same, as the kernel names it when it runs: without links on the way.
    fn running_program(&self) -> PathBuf {
        let program = self.new_program();
        std::fs::canonicalize(&program).unwrap_or(program)
    }

    fn new_package(&self) -> PathBuf {
        self.trial().join("linli.deb")
    }

    fn new_etc(&self) -> PathBuf {
        self.trial().join("etc")
    }

    fn previous(&self) -> PathBuf {
        self.folder.join("previous")
    }

    /// The package of the version that is installed, when an upgrade brought it.
    fn package(&self) -> PathBuf {
        self.folder.join("installed.deb")
    }

    fn drop_in(&self) -> PathBuf {
        self.drop_ins.join("trial.conf")
    }

    /// The configuration's name in its folder.
    fn config_name(&self) -> &std::ffi::OsStr {
        self.config.file_name().unwrap_or_else(|| "linli.toml".as_ref())
    }
}

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
