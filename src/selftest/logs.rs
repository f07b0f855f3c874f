//! How far the system's journal reaches back, and how far its limits let it.
//!
//! Formats: the head of a journal file by systemd.io/JOURNAL_FILE_FORMAT (signature at 0, time of
//! the oldest entry at 184); archived files carry that time in their name too, which needs no right
//! to read them. Settings by journald.conf(5) and systemd.time(7).

mod settings;

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::UNIX_EPOCH;

use settings::Settings;

const SIGNATURE: &[u8; 8] = b"LPKSHHRH";
/// Where the time of the oldest entry stands: microseconds since 1970, the lowest byte first.
const HEAD_TIME: usize = 184;
const HEAD: usize = HEAD_TIME + 8;
/// Files of which the head is read at most; the rest counts by name.
const MOST_FILES: usize = 1000;
const DAY_MS: f64 = 86_400_000.0;
/// journald.conf(5): without a setting a tenth of the file system, but at most this.
const DEFAULT_MOST: u64 = 4 << 30;

/// Where the journal goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// On disk.
    Persistent,
    /// In memory; gone after a restart.
    Volatile,
    /// Nowhere.
    Off,
    /// No journal can be seen.
    Unknown,
    /// The settings of journald are there and cannot be read.
    Hidden,
}

/// What is known about the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLook {
    /// Where it goes.
    pub storage: Storage,
    /// The oldest entry, milliseconds since 1970; later ones count where only they can be told.
    pub oldest_ms: Option<i64>,
    /// Bytes on disk.
    pub bytes: u64,
    /// Most bytes that it may take; `None` when that cannot be told.
    pub most_bytes: Option<u64>,
    /// Entries older than this are deleted, seconds; `None` for no such limit.
    pub retention_s: Option<f64>,
}

impl LogLook {
    fn of(storage: Storage) -> Self {
        Self { storage, oldest_ms: None, bytes: 0, most_bytes: None, retention_s: None }
    }

    /// For how many days the limits keep entries, at the rate so far; infinite without a limit,
    /// `None` with less than a day of entries or when the space cannot be told.
    pub fn days_allowed(&self, now_ms: i64) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "bytes of a disk and years fit 53 bits")]
        let (days, bytes, most) = (
            (now_ms - self.oldest_ms?) as f64 / DAY_MS,
            self.bytes as f64,
            self.most_bytes? as f64,
        );
        if days < 1.0 || bytes <= 0.0 {
            return None;
        }
        let by_space = most / (bytes / days);
        Some(self.retention_s.map_or(by_space, |span| by_space.min(span / 86_400.0)))
    }
}

/// Looks at the journal of the system whose files begin at `root`.
pub fn look(root: &Path) -> LogLook {
    let Ok(settings) = Settings::read(root) else { return LogLook::of(Storage::Hidden) };
    match settings.storage.as_str() {
        "none" => return LogLook::of(Storage::Off),
        "volatile" => return LogLook::of(Storage::Volatile),
        _ => {}
    }
    let Ok(machine) = fs::read_to_string(root.join("etc/machine-id")) else {
        return LogLook::of(Storage::Unknown);
    };
    let folder = root.join("var/log/journal").join(machine.trim());
    let files = match fs::read_dir(&folder) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect::<Vec<_>>(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let here = root.join("run/log/journal").is_dir() || settings.found;
            return LogLook::of(if here { Storage::Volatile } else { Storage::Unknown });
        }
        Err(_) => return LogLook::of(Storage::Unknown),
    };
    let mut found = LogLook::of(Storage::Persistent);
    for path in files.iter().filter(|path| is_journal(path)).take(MOST_FILES) {
        // What was removed meanwhile does not count.
        let Ok(about) = fs::metadata(path) else { continue };
        found.bytes += about.blocks() * 512;
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // Those of users hold none of the system's and of this program's entries.
        if name.starts_with("system")
            && let Some(oldest) = head(path).or_else(|| in_name(name)).or_else(|| written(&about))
        {
            found.oldest_ms = Some(found.oldest_ms.map_or(oldest, |known| known.min(oldest)));
        }
    }
    found.most_bytes = settings.max_use.or_else(|| disk_bytes(&folder).map(default_most));
    found.retention_s = settings.retention_s;
    found
}

fn is_journal(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.ends_with(".journal") || name.ends_with(".journal~")
}

/// The time in the head of a journal file; `None` when it cannot be read, is no such file or is
/// still empty.
fn head(path: &Path) -> Option<i64> {
    let mut head = [0u8; HEAD];
    fs::File::open(path).ok()?.read_exact(&mut head).ok()?;
    let time = head[HEAD_TIME..].try_into().ok().map(u64::from_le_bytes)?;
    (&head[..8] == SIGNATURE).then_some(time).and_then(to_ms)
}

/// The time in the name of an archived file: `system@<id>-<number>-<time>.journal`; of one that
/// was not closed properly: `system@<time>-<random>.journal~`, the time at which that was found.
fn in_name(name: &str) -> Option<i64> {
    let rest = name.split_once('@')?.1;
    let time = match rest.strip_suffix(".journal~") {
        Some(rest) => rest.split('-').next()?,
        None => rest.strip_suffix(".journal")?.split('-').nth(2)?,
    };
    to_ms(u64::from_str_radix(time, 16).ok()?)
}

/// When a file was last written: its entries are not younger.
fn written(about: &fs::Metadata) -> Option<i64> {
    let since = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

fn to_ms(us: u64) -> Option<i64> {
    i64::try_from(us / 1000).ok().filter(|ms| *ms > 0)
}

fn default_most(disk: u64) -> u64 {
    (disk / 10).min(DEFAULT_MOST)
}

fn disk_bytes(folder: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(stat.f_blocks.saturating_mul(stat.f_frsize))
}
