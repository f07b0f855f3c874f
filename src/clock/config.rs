//! Which source of wall time is trusted.

use std::path::PathBuf;

use crate::settings::Section;

/// When the system's wall clock may be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trust {
    /// Only when a time service says that it is synchronised: one of [`Config::synchronised`]
    /// exists. Until then readings carry their moment since boot. For boxes without a clock
    /// battery.
    #[default]
    Ntp,
    /// Always: the machine has a battery-backed clock that somebody sets.
    System,
}

/// Settings of the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// When the wall clock may be believed.
    pub trust: Trust,
    /// Files that a time service creates once it is synchronised.
    pub synchronised: Vec<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            trust: Trust::Ntp,
            synchronised: vec![PathBuf::from("/run/systemd/timesync/synchronized")],
        }
    }
}

impl Config {
    /// Reads the section `[clock]`; what is wrong is noted there.
    pub fn read(section: &mut Section<'_>) -> Self {
        let default = Self::default();
        let words = [("ntp", Trust::Ntp), ("system", Trust::System)];
        Self {
            trust: section.word_or("trust", &words, default.trust),
            synchronised: section.paths_or("synchronised", &default.synchronised),
        }
    }
}
