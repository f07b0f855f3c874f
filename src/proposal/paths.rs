//! Which files a change of the configuration would bring in. Root's commands read and write what the
//! configuration names (`linli users add`, `linli setup`, this very unit): a person at the page, or
//! whoever took the service over, decides about readings, not about that.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::whole_file::folder_of;

/// Last words of the keys that name files or folders; a test holds them against what the sections ask
/// for as a path.
const NAMES_FILES: [&str; 13] = [
    "attestations",
    "ca_file",
    "cert_file",
    "file",
    "key_file",
    "password_file",
    "path",
    "profiles",
    "rule_pack",
    "rules_file",
    "synchronised",
    "texts",
    "users",
];

/// Keys whose texts may begin with a slash and name no file.
const NO_FILES: [&str; 6] = ["topic", "topics", "prefix", "base", "pattern", "payload"];

/// A line of this machine: the one device that a change may bring in.
const SERIAL: &str = "serial";
/// Where lines are found. Other device files do things when they are merely opened.
const LINES: [&str; 2] = ["/dev/tty", "/dev/serial/"];

/// Whether the texts under this key (`bus.serial`) name files or folders.
pub fn names_files(key: &str) -> bool {
    NAMES_FILES.contains(&last(key))
}

/// Files and folders that a change would bring in or give another meaning, each as `key = "value"`.
pub fn new_paths(before: &[(PathBuf, String)], after: &[(PathBuf, String)]) -> Vec<String> {
    let known = named(before);
    let new = named(after).into_iter().filter(|found| !known.contains(found));
    new.map(|Named { key, value, .. }| format!("{key} = {value:?}")).collect()
}

/// A file that a configuration names. Where a relative one counts from is part of it: the same words
/// in a drop-in name another file.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    key: String,
    value: String,
    full: PathBuf,
}

fn named(texts: &[(PathBuf, String)]) -> BTreeSet<Named> {
    let mut found = BTreeSet::new();
    for (file, text) in texts {
        // What is no TOML the checker refuses.
        if let Ok(table) = text.parse::<toml::Table>() {
            look("", &toml::Value::Table(table), folder_of(file), &mut found);
        }
    }
    found
}

fn look(key: &str, value: &toml::Value, folder: &Path, found: &mut BTreeSet<Named>) {
    match value {
        toml::Value::Table(table) => {
            for (name, inner) in table {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                look(&key, inner, folder, found);
            }
        }
        toml::Value::Array(list) => list.iter().for_each(|inner| look(key, inner, folder, found)),
        toml::Value::String(text) if is_file(key, text) => {
            let (key, value) = (key.to_owned(), text.clone());
            found.insert(Named { key, full: folder.join(text), value });
        }
        _ => {}
    }
}

/// Whether a text names a file: by its key, or by how it looks, should a key be forgotten above.
fn is_file(key: &str, text: &str) -> bool {
    let up = Path::new(text).components().any(|part| part == Component::ParentDir);
    if last(key) == SERIAL {
        return up || !LINES.iter().any(|begin| text.starts_with(begin));
    }
    let looks = up || text.starts_with(['/', '~']) || text.starts_with("credential:");
    names_files(key) || (looks && !NO_FILES.contains(&last(key)))
}

fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}
