//! A change of the configuration on its way from the page to where only root writes.
//!
//! The daemon cannot write `/etc/linli`: the keys of those whose upgrades are taken lie there. It puts
//! what a person changed into its own folder; a unit of root's takes it from there, trusts nothing of
//! it, checks it, and installs it. What became of it stands where only root writes.
//!
//! | file | written by | holds |
//! | --- | --- | --- |
//! | `<state>/proposal/change.json` | the daemon | [`Proposal`]: one file of the configuration |
//! | `/run/linli-apply/outcome.json` | root | [`Outcome`] |

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags};
use serde::{Deserialize, Serialize};

use crate::model::Words;
use crate::whole_file;

/// The folder of the daemon's that the unit watches, within its state folder.
pub const FOLDER: &str = "proposal";
/// Where root tells what became of a change; there only where the unit is installed.
pub const OUTCOMES: &str = "/run/linli-apply";
/// The configuration that the unit installs into.
pub const CONFIGURATION: &str = "/etc/linli/linli.toml";

const CHANGE: &str = "change.json";
const OUTCOME: &str = "outcome.json";
/// Longest file that is read.
const MOST_BYTES: u64 = 4 << 20;
/// Drop-ins lie in it, beside the main file.
const DROP_INS: &str = "conf.d";
/// Version of both files.
const VERSION: u8 = 1;

/// One file of the configuration, as somebody wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    v: u8,
    /// The main file's name, or `conf.d/<name>`.
    file: String,
    /// SHA-256 of the text that it was made from, hex digits.
    base: String,
    /// The whole new text.
    text: String,
    /// Who wants it.
    who: String,
}

/// What became of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    v: u8,
    /// Whether it was installed.
    pub ok: bool,
    /// Which file.
    pub file: String,
    /// Why not, English.
    pub why: String,
    /// The same, Chinese.
    pub why_zh: String,
    /// Milliseconds since 1970 by the system's clock.
    pub at_ms: i64,
}

impl Proposal {
    /// Of a file of the configuration whose main file is `main`; `None` for another file.
    pub fn new(main: &Path, file: &Path, base: String, text: String, who: &str) -> Option<Self> {
        let file = name_in(main, file)?;
        Some(Self { v: VERSION, file, base, text, who: who.to_owned() })
    }

    /// Puts it into the folder of the daemon, in place of one that nobody took. Blocks.
    ///
    /// # Errors
    /// What the system said.
    pub fn put(&self, state: &Path) -> io::Result<()> {
        let folder = state.join(FOLDER);
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let bytes = serde_json::to_vec(self)?;
        whole_file::replace(&folder.join(CHANGE), &bytes, 0o600)
    }

    /// Takes one out of its folder, as root: it is gone then, whatever is in it. Follows no link, and
    /// reads plain files only. Blocks.
    ///
    /// # Errors
    /// What is wrong with it, in both languages.
    pub fn take(folder: &Path) -> Result<Option<Self>, Words> {
        let cannot = |error: io::Error| {
            let (en, zh) = (Words::of_io(&error).en, Words::of_io(&error).zh);
            Words::from((format!("it cannot be read: {en}"), format!("无法读取：{zh}")))
        };
        let plain = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = match rustix::fs::open(folder, plain | OFlags::DIRECTORY, Mode::empty()) {
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            opened => opened.map_err(|error| cannot(error.into()))?,
        };
        let opened = rustix::fs::openat(&folder, CHANGE, plain | OFlags::NONBLOCK, Mode::empty());
        let file = match opened {
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            opened => opened.map(File::from),
        };
        // It goes first: what cannot be read must not be tried for ever.
        let gone = rustix::fs::unlinkat(&folder, CHANGE, AtFlags::empty());
        gone.map_err(|error| cannot(error.into()))?;
        let file = file.map_err(|error| cannot(error.into()))?;
        let about = file.metadata().map_err(cannot)?;
        if !about.is_file() || about.nlink() > 1 || about.len() > MOST_BYTES {
            return Err(
                ("it is no plain file of at most 4 MiB", "不是 4 MiB 以内的普通文件").into()
            );
        }
        let mut bytes = Vec::new();
        file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(cannot)?;
        let proposal: Self = serde_json::from_slice(&bytes).map_err(|error| {
            let at = format!("line {}, column {}", error.line(), error.column());
            Words::from((format!("it is not as it must be: {at}"), format!("格式有误：{at}")))
        })?;
        if proposal.v != VERSION {
            let problem = ("it is of another version", "版本不同");
            return Err(problem.into());
        }
        Ok(Some(proposal))
    }

    /// Which file.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Who wants it.
    pub fn who(&self) -> &str {
        &self.who
    }

    /// The files of the configuration with the change in its place, and which of them it is.
    ///
    /// # Errors
    /// It names none of them, or was made from another text.
    pub fn applied(
        &self,
        main: &Path,
        texts: &[(PathBuf, String)],
    ) -> Result<(Vec<(PathBuf, String)>, usize), Words> {
        let place = texts.iter().position(|(path, _)| {
            name_in(main, path).as_deref() == Some(self.file.as_str()) && is_plain(path)
        });
        let place = place.ok_or_else(|| {
            Words::from(("there is no such file of the configuration", "配置中没有这个文件"))
        })?;
        if digest_of(&texts[place].1) != self.base {
            return Err(
                ("somebody else changed the file meanwhile", "文件在此期间已被他人修改").into()
            );
        }
        let mut after = texts.to_vec();
        self.text.clone_into(&mut after[place].1);
        Ok((after, place))
    }
}

impl Outcome {
    /// It was installed, or why not.
    pub fn new(file: &str, refused: Option<&Words>, at_ms: i64) -> Self {
        let (why, why_zh) =
            refused.map_or_else(Default::default, |why| (why.en.clone(), why.zh.clone()));
        Self { v: VERSION, ok: refused.is_none(), file: file.to_owned(), why, why_zh, at_ms }
    }

    /// Leaves it for the daemon. Blocks.
    ///
    /// # Errors
    /// What the system said.
    pub fn put(&self, folder: &Path) -> io::Result<()> {
        whole_file::replace(&folder.join(OUTCOME), &serde_json::to_vec(self)?, 0o644)
    }

    /// The last one, if there is one that this version can read. Blocks shortly.
    pub fn last(folder: &Path) -> Option<Self> {
        let mut bytes = Vec::new();
        let file = File::open(folder.join(OUTCOME)).ok()?;
        file.take(64 << 10).read_to_end(&mut bytes).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|outcome: &Self| outcome.v == VERSION)
    }
}

/// SHA-256 of a text, hex digits.
pub fn digest_of(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a file of the configuration is called beside its main file.
fn name_in(main: &Path, file: &Path) -> Option<String> {
    let name = file.file_name()?.to_str()?;
    let folder = whole_file::folder_of(main);
    if file == main {
        return Some(name.to_owned());
    }
    (file.parent()? == folder.join(DROP_INS)).then(|| format!("{DROP_INS}/{name}"))
}

/// A link could lead anywhere.
fn is_plain(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|about| about.is_file())
}

/// Keys whose strings may begin with a slash and name no file.
const NO_FILES: [&str; 6] = ["topic", "topics", "prefix", "base", "pattern", "payload"];

/// Files and folders that a change of the configuration would bring in or change. Root's commands read
/// and write what the configuration names: a person at the page decides about readings, not about that.
pub fn new_paths(before: &[(PathBuf, String)], after: &[(PathBuf, String)]) -> Vec<String> {
    let known = all_paths(before);
    let new = all_paths(after).into_iter().filter(|path| !known.contains(path));
    new.map(|(key, value)| format!("{key} = {value:?}")).collect()
}

fn all_paths(texts: &[(PathBuf, String)]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (_, text) in texts {
        // What is no TOML the checker refuses.
        if let Ok(table) = text.parse::<toml::Table>() {
            paths_of("", &toml::Value::Table(table), &mut found);
        }
    }
    found
}

fn paths_of(key: &str, value: &toml::Value, found: &mut Vec<(String, String)>) {
    match value {
        toml::Value::Table(table) => {
            for (name, inner) in table {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                paths_of(&key, inner, found);
            }
        }
        toml::Value::Array(list) => list.iter().for_each(|inner| paths_of(key, inner, found)),
        toml::Value::String(text) => {
            let name = key.rsplit('.').next().unwrap_or(key);
            let device = name == "serial" && text.starts_with("/dev/") && !text.contains("..");
            let named = name.ends_with("path") || name.ends_with("file");
            let looks = text.starts_with(['/', '~']) || text.split('/').any(|part| part == "..");
            if named || (looks && !device && !NO_FILES.contains(&name)) {
                found.push((key.to_owned(), text.clone()));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
#[path = "proposal_tests.rs"]
mod tests;
