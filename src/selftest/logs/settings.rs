//! The settings of journald: which files count, and how their values are written.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Folders of settings, the one that wins first (journald.conf(5)).
const FOLDERS: [&str; 4] =
    ["etc/systemd", "run/systemd", "usr/local/lib/systemd", "usr/lib/systemd"];

/// What is set.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settings {
    /// Some file of settings is there: the system has journald.
    pub(super) found: bool,
    /// `auto` unless set.
    pub(super) storage: String,
    /// Bytes.
    pub(super) max_use: Option<u64>,
    /// Seconds; `None` without a limit.
    pub(super) retention_s: Option<f64>,
}

impl Settings {
    /// Reads the main file, the first that is there, and after it the drop-ins in the order of
    /// their names; the last word on a key counts, an empty one takes it back.
    ///
    /// # Errors
    /// A file is there and cannot be read: journald may obey a limit in it that nobody else sees.
    pub(super) fn read(root: &Path) -> io::Result<Self> {
        let main = FOLDERS.iter().map(|folder| root.join(folder).join("journald.conf"));
        let main = main.into_iter().find(|path| path.exists());
        let mut keys: BTreeMap<String, String> = BTreeMap::new();
        let files: Vec<PathBuf> = main.into_iter().chain(drop_ins(root)?).collect();
        for path in &files {
            match fs::read(path) {
                Ok(text) => take(&String::from_utf8_lossy(&text), &mut keys),
                // Removed since it was listed.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        let value = |key: &str| keys.get(key).map(String::as_str).filter(|text| !text.is_empty());
        let retention = value("MaxRetentionSec").and_then(span);
        Ok(Self {
            found: !files.is_empty(),
            storage: value("Storage").unwrap_or("auto").to_lowercase(),
            max_use: value("SystemMaxUse").and_then(size),
            // Zero switches the limit off.
            retention_s: retention.filter(|seconds| *seconds > 0.0 && seconds.is_finite()),
        })
    }
}

/// The drop-ins; of equal names the first folder wins, and an empty file or a link to /dev/null
/// hides the others.
fn drop_ins(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found: BTreeMap<String, PathBuf> = BTreeMap::new();
    for folder in FOLDERS {
        let entries = match fs::read_dir(root.join(folder).join("journald.conf.d")) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
            if let Some(name) = name.filter(|name| name.ends_with(".conf")) {
                found.entry(name).or_insert(path);
            }
        }
    }
    Ok(found.into_values().collect())
}

/// Takes the keys of the section `[Journal]` over.
fn take(text: &str, keys: &mut BTreeMap<String, String>) {
    let mut ours = false;
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with('[') {
            ours = line == "[Journal]";
        } else if let Some((key, value)) = line.split_once('=').filter(|_| ours) {
            keys.insert(key.trim().to_owned(), value.trim().to_owned());
        }
    }
}

/// Bytes: a number with a suffix of the 1024s, `500M`, `1.5G`.
pub(super) fn size(text: &str) -> Option<u64> {
    let mut sum = 0.0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (number, tail) = leading_number(rest)?;
        let tail = tail.trim_start();
        let unit = tail.chars().next().unwrap_or('B');
        let power = match unit {
            'B' => 0,
            'K' => 1,
            'M' => 2,
            'G' => 3,
            'T' => 4,
            'P' => 5,
            'E' => 6,
            _ => return None,
        };
        sum += number * 1024f64.powi(power);
        rest = tail.get(1..).unwrap_or_default().trim_start();
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked before")]
    (sum > 0.0 && sum < 1e19).then_some(sum as u64)
}

/// Seconds: systemd.time(7), e.g. `6month`, `1week 2d`, `90`; infinite for `infinity`.
pub(super) fn span(text: &str) -> Option<f64> {
    let text = text.trim();
    if text == "infinity" {
        return Some(f64::INFINITY);
    }
    let mut sum = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, tail) = leading_number(rest)?;
        let tail = tail.trim_start();
        let end = tail.find(|c: char| !c.is_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        sum += number * unit_seconds(unit)?;
        rest = tail.trim_start();
    }
    (!text.is_empty()).then_some(sum)
}

fn unit_seconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "us" | "usec" | "µs" | "μs" => 1e-6,
        "ms" | "msec" => 1e-3,
        "" | "s" | "sec" | "second" | "seconds" => 1.0,
        "m" | "min" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        "w" | "week" | "weeks" => 604_800.0,
        // 30.44 days and 365.25 days.
        "M" | "month" | "months" => 2_629_800.0,
        "y" | "year" | "years" => 31_557_600.0,
        _ => return None,
    })
}

fn leading_number(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    Some((number.parse().ok()?, rest))
}
