//! A change of the configuration on its way from the page to where only root writes.
//!
//! The daemon cannot write `/etc/linli`: the keys of those whose upgrades are taken lie there. It puts
//! what a person changed into its own folder; a unit of root's takes it from there, trusts nothing of
//! it, checks it, and installs it. What became of it stands where only root writes.
//!
//! | file | written by | holds |
//! | --- | --- | --- |
//! | `/var/lib/linli/proposal/change.json` | the daemon | [`Proposal`]: one file of the configuration |
//! | `/run/linli-apply/outcome.json` | root | [`Outcome`] |

mod paths;

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags};
use serde::{Deserialize, Serialize};

use crate::model::Words;
use crate::whole_file;

pub use paths::{names_files, new_paths};

/// The daemon's own folder on a box: where the unit watches, wherever the buffer lies.
pub const STATE: &str = "/var/lib/linli";
/// The folder of the daemon's that the unit watches, within its state folder.
pub const FOLDER: &str = "proposal";
/// Where root tells what became of a change; there only where the unit is installed.
pub const OUTCOMES: &str = "/run/linli-apply";
/// The configuration that the unit installs into.
pub const CONFIGURATION: &str = "/etc/linli/linli.toml";

/// Earlier versions of a file that are kept beside it.
pub const MOST_KEPT: usize = 20;

const CHANGE: &str = "change.json";
const OUTCOME: &str = "outcome.json";
/// Longest file that is read.
const MOST_BYTES: u64 = 4 << 20;
/// Drop-ins lie in it, beside the main file.
const DROP_INS: &str = "conf.d";
/// Longest reason that is told, characters, in each language.
const MOST_TOLD: usize = 2000;
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

/// A proposal out of its folder.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken {
    /// What it says.
    pub proposal: Proposal,
    /// Whose folder it lay in: user and group. What it says is looked at with his rights.
    pub owner: (u32, u32),
}

/// One that nobody took yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Which file.
    pub file: String,
    /// Who wants it.
    pub who: String,
    /// Since when, milliseconds since 1970 by the system's clock.
    pub since_ms: i64,
}

/// What became of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    v: u8,
    /// Whether it was installed.
    pub ok: bool,
    /// Which file; empty when not even that could be read.
    pub file: String,
    /// Who wanted it, as the proposal said.
    #[serde(default)]
    pub who: String,
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
    pub fn take(folder: &Path) -> Result<Option<Taken>, Words> {
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
        let whose = rustix::fs::fstat(&folder).map_err(|error| cannot(error.into()))?;
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
        Ok(Some(Taken { proposal, owner: (whose.st_uid, whose.st_gid) }))
    }

    /// The one that lies in the folder of the daemon, for the daemon itself. Blocks shortly.
    pub fn waiting(state: &Path) -> Option<Waiting> {
        let path = state.join(FOLDER).join(CHANGE);
        let since = fs::metadata(&path).ok()?;
        let since_ms = since.mtime().saturating_mul(1000);
        let Self { file, who, .. } = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        Some(Waiting { file, who, since_ms })
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
    pub fn new((file, who): (&str, &str), refused: Option<&Words>, at_ms: i64) -> Self {
        let told = |text: &str| text.chars().take(MOST_TOLD).collect();
        let why = refused.map_or_else(String::new, |why| told(&why.en));
        let why_zh = refused.map_or_else(String::new, |why| told(&why.zh));
        let (file, who, ok) = (told(file), told(who), refused.is_none());
        Self { v: VERSION, ok, file, who, why, why_zh, at_ms }
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

#[cfg(test)]
mod tests;
