//! Settings of the buffer.

use std::path::PathBuf;
use std::time::Duration;

use crate::settings::Section;

use super::MIN_BUDGET;

/// Settings of the buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Folder of the store.
    pub path: PathBuf,
    /// Most bytes that the store's files may take on the disk, at least 16 MiB. A fifth of it holds
    /// blocks; the rest is what the store needs to reuse and rebuild its files.
    pub budget: u64,
    /// Least free space left to others on the file system; below it nothing is stored.
    pub keep_free: u64,
    /// Time between two group commits: the loss bound of a power cut for readings.
    pub tick: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            path: PathBuf::from("/var/lib/linli/buffer"),
            budget: 256 << 20,
            keep_free: 32 << 20,
            tick: Duration::from_secs(1),
        }
    }
}

impl Config {
    /// Reads the section `[buffer]`; what is wrong is noted there.
    pub fn read(section: &mut Section<'_>) -> Self {
        section.other_names(&[
            ("size", "budget"),
            ("max_size", "budget"),
            ("limit", "budget"),
            ("folder", "path"),
            ("flush_every", "tick"),
        ]);
        let default = Self::default();
        let budget = MIN_BUDGET..=1 << 40;
        let tick = Duration::from_millis(100)..=Duration::from_secs(60);
        Self {
            path: section.path_or("path", &default.path),
            budget: section.size_or("budget", budget, default.budget),
            keep_free: section.size_or("keep_free", 0..=1 << 40, default.keep_free),
            tick: section.duration_or("tick", tick, default.tick),
        }
    }
}
