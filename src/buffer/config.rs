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
    /// The longest that time may become to spare the medium.
    pub loss_bound: Duration,
    /// The medium, and how long it is to last.
    pub medium: Medium,
}

/// The medium that the buffer lies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Medium {
    /// Its size in bytes; `None` takes that of the file system, which is not more.
    pub size: Option<u64>,
    /// How often each cell may be written.
    pub cycles: u32,
    /// Years that it is to last.
    pub years: u32,
}

impl Default for Medium {
    fn default() -> Self {
        // MLC flash, as in most eMMC of industrial boxes, is specified for 3000 program/erase
        // cycles; TLC for about 1000, pseudo-SLC for 20 000 and more. The data sheet says it.
        Self { size: None, cycles: 3000, years: 10 }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            path: PathBuf::from("/var/lib/linli/buffer"),
            budget: 256 << 20,
            keep_free: 32 << 20,
            tick: Duration::from_secs(1),
            loss_bound: Duration::from_secs(10),
            medium: Medium::default(),
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
            ("max_tick", "loss_bound"),
            ("lifetime", "wear_years"),
        ]);
        let default = Self::default();
        let budget = MIN_BUDGET..=1 << 40;
        let ticks = Duration::from_millis(100)..=Duration::from_secs(60);
        let tick = section.duration_or("tick", ticks, default.tick);
        let bounds = tick..=Duration::from_secs(600);
        let medium = default.medium;
        Self {
            path: section.path_or("path", &default.path),
            budget: section.size_or("budget", budget, default.budget),
            keep_free: section.size_or("keep_free", 0..=1 << 40, default.keep_free),
            tick,
            loss_bound: section.duration_or("loss_bound", bounds, default.loss_bound.max(tick)),
            medium: Medium {
                size: section.size("medium_size", 64 << 20..=1 << 44),
                cycles: section.integer_or("medium_cycles", 10..=1_000_000, medium.cycles),
                years: section.integer_or("wear_years", 1..=50, medium.years),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::{Document, Faults};

    fn read(text: &str) -> (Config, Vec<String>) {
        let document = Document::parse("t.toml", text, Path::new("")).unwrap();
        let config = Config::read(&mut document.root());
        let faults = Faults::new(document.into_faults());
        (config, faults.all().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_loss_bound_below_the_tick_is_refused_with_what_is_allowed() {
        let (_, faults) = read("tick = \"5s\"\nloss_bound = \"2s\"");
        assert_eq!(faults.len(), 1);
        assert!(faults[0].contains("loss_bound") && faults[0].contains("5s to"), "{faults:?}");
        let (config, faults) = read("tick = \"30s\"");
        assert_eq!(faults, [""; 0]);
        assert_eq!(config.loss_bound, config.tick, "it follows a tick above the usual bound");
    }

    #[test]
    fn the_medium_is_read_with_units_and_within_reason() {
        let (config, faults) = read("medium_size = \"8GiB\"\nmedium_cycles = 1000\nwear_years = 5");
        assert_eq!(faults, [""; 0]);
        assert_eq!(config.medium, Medium { size: Some(8 << 30), cycles: 1000, years: 5 });
        let (_, faults) = read("medium_size = \"1KiB\"\nmedium_cycles = 0\nwear_years = 100");
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert_eq!(read("").0, Config::default());
    }
}
