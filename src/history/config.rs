//! Settings of the history.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::settings::Section;

const DAY: Duration = Duration::from_secs(86_400);

/// Settings of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Whether there is one.
    pub enabled: bool,
    /// Folder of its files; `history` beside the buffer when it is left out.
    pub path: Option<PathBuf>,
    /// Most bytes that its files may take, at least 8 MiB; the oldest day goes first.
    pub budget: u64,
    /// So many days are kept.
    pub keep: Duration,
    /// Least free space left to others on the file system, the buffer above all; below it nothing
    /// is written.
    pub keep_free: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { enabled: true, path: None, budget: 64 << 20, keep: 35 * DAY, keep_free: 64 << 20 }
    }
}

impl Config {
    /// Reads the section `[history]`; what is wrong is noted there.
    pub fn read(section: &mut Section<'_>) -> Self {
        section.other_names(&[
            ("folder", "path"),
            ("size", "budget"),
            ("max_size", "budget"),
            ("limit", "budget"),
            ("days", "keep"),
            ("retention", "keep"),
            ("enable", "enabled"),
        ]);
        let default = Self::default();
        Self {
            enabled: section.flag_or("enabled", default.enabled),
            path: section.path("path"),
            budget: section.size_or("budget", 8 << 20..=1 << 36, default.budget),
            keep: section.duration_or("keep", DAY..=400 * DAY, default.keep),
            keep_free: section.size_or("keep_free", 0..=1 << 40, default.keep_free),
        }
    }

    /// The folder, when the buffer is there.
    pub fn folder(&self, buffer: &Path) -> PathBuf {
        self.path.clone().unwrap_or_else(|| buffer.with_file_name("history"))
    }

    /// Days that are kept, those that are begun too.
    pub fn days(&self) -> usize {
        usize::try_from(self.keep.as_secs().div_ceil(86_400)).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Document, Faults};

    fn read(text: &str) -> (Config, Vec<String>) {
        let document = Document::parse("t.toml", text, Path::new("")).unwrap();
        let config = Config::read(&mut document.root());
        let faults = Faults::new(document.into_faults());
        (config, faults.all().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn it_lies_beside_the_buffer_unless_the_configuration_names_a_place() {
        let (config, faults) = read("");
        assert_eq!((&config, faults.len()), (&Config::default(), 0));
        assert_eq!(
            config.folder(Path::new("/var/lib/linli/buffer")),
            Path::new("/var/lib/linli/history")
        );
        let (config, _) = read("path = \"/data/h\"\nkeep = \"36h\"\nbudget = \"8MiB\"");
        assert_eq!(config.folder(Path::new("/x/buffer")), Path::new("/data/h"));
        assert_eq!((config.days(), config.budget), (2, 8 << 20));
    }

    #[test]
    fn bare_numbers_and_too_little_room_are_refused() {
        let (_, faults) = read("keep = 35\nbudget = \"1MiB\"\nkeep_days = 3");
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert!(faults.iter().any(|fault| fault.contains("8MiB")), "{faults:?}");
    }
}
