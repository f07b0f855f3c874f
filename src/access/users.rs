//! The users file: JSON, mode 0600, written whole by `linli users` and read by the daemon whenever
//! it changed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::password::Password;
use crate::format::{Format, TooNew};
use crate::model::Words;
use crate::whole_file;

/// Usual name of the file, beside the store.
pub const USERS_FILE: &str = "users.json";

/// Most users and tokens.
const MOST_USERS: usize = 64;
const MOST_TOKENS: usize = 64;
/// Longest file that is read, bytes.
const MOST_BYTES: u64 = 64 << 10;
const LONGEST_NAME: usize = 32;
/// Names that the audit trail uses for others than users.
const TAKEN: [&str; 3] = ["console", "local", "signal"];

/// What a user may do; a later one may do all that an earlier one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Also acts: records, attests, scans, reads the audit trail.
    Maintainer,
}

impl Role {
    /// Both.
    pub const ALL: [Role; 2] = [Role::Viewer, Role::Maintainer];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Maintainer => "maintainer",
        }
    }

    /// For people.
    pub fn words(self) -> Words {
        match self {
            Role::Viewer => ("viewer", "只读"),
            Role::Maintainer => ("maintainer", "维护"),
        }
        .into()
    }
}

/// What a later version wrote beside the fields that this one knows.
pub type More = serde_json::Map<String, serde_json::Value>;

/// The format of a users file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    format: u16,
    readable_by: u16,
}

/// In which format this version writes.
const FORMAT: Format = Format::FIRST;

impl Default for Kept {
    fn default() -> Self {
        let Format { format, readable_by } = FORMAT;
        Self { format, readable_by }
    }
}

/// A person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The name to log in with.
    pub name: String,
    /// What he may do.
    pub role: Role,
    /// argon2id, in the PHC text form.
    pub hash: String,
    /// Fields of a later version.
    #[serde(flatten)]
    pub more: More,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "User({} {})", self.name, self.role.word())
    }
}

impl User {
    /// Changes whenever the user's password or role does; tells nothing of the password.
    pub fn stamp(&self) -> String {
        let text = format!("{} {}", self.role.word(), self.hash);
        let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The key of a script.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// SHA-256 of the token, in hex.
    pub sha256: String,
    /// When it was made, milliseconds since 1970 by the clock of then.
    pub made_ms: i64,
    /// When it ends, milliseconds since 1970; absent for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_ms: Option<i64>,
    /// Fields of a later version.
    #[serde(flatten)]
    pub more: More,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Token({} {})", self.name, self.role.word())
    }
}

/// All users and tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Users {
    /// The format of the file; the first one where it does not say so.
    #[serde(flatten, default)]
    pub format: Kept,
    /// Who wrote the file last, for the audit trail.
    #[serde(default)]
    pub changed_by: String,
    /// The people.
    #[serde(default)]
    pub users: Vec<User>,
    /// The scripts.
    #[serde(default)]
    pub tokens: Vec<Token>,
    /// Fields of a later version. They are kept when this version changes the file.
    #[serde(flatten)]
    pub more: More,
}

/// Tells one state of the file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    inode: (u64, u64),
    changed: (i64, i64),
    length: u64,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UsersFault {
    /// The system refused.
    #[error("{}: {}", path.display(), Words::of_io(source).en)]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Others than its owner may read or write it.
    #[error("{}: its mode is {mode:04o}, allowed is 0600; chmod 600", path.display())]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// A later version wrote it.
    #[error(transparent)]
    TooNew(#[from] TooNew),
    /// It is not as `linli users` writes it.
    #[error("{}: {detail}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong; never a part of the content.
        detail: String,
    },
}

impl UsersFault {
    /// In both languages.
    pub fn words(&self) -> Words {
        let zh = match self {
            Self::Io { path, source } => format!("{}：{}", path.display(), Words::of_io(source).zh),
            Self::TooOpen { path, mode } => {
                format!("{}：权限为 {mode:04o}，只允许 0600；请执行 chmod 600", path.display())
            }
            // Both languages stand in it.
            Self::TooNew(fault) => fault.to_string(),
            Self::Damaged { path, .. } => {
                format!("{}：内容不是 `linli users` 写出的格式", path.display())
            }
        };
        (self.to_string(), zh).into()
    }
}

/// Whether this can be the name of a user or token: up to 32 letters of any script, digits, `.`,
/// `_`, `-`.
pub fn check_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.chars().count())
        && name.chars().all(|c| c.is_alphanumeric() || "._-".contains(c))
        && !name.starts_with('-')
        && !TAKEN.contains(&name)
}

impl Users {
    /// Which state the file is in; `None` when there is none. Blocks shortly.
    ///
    /// # Errors
    /// The system refused.
    pub fn state(path: &Path) -> Result<Option<Change>, UsersFault> {
        match fs::metadata(path) {
            Ok(meta) => Ok(Some(Change {
                inode: (meta.dev(), meta.ino()),
                changed: (meta.ctime(), meta.ctime_nsec()),
                length: meta.len(),
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(UsersFault::Io { path: path.to_owned(), source }),
        }
    }

    /// Reads the file; nobody when there is none. Blocks.
    ///
    /// # Errors
    /// It cannot be read, is open to others, or is not as it must be.
    pub fn load(path: &Path) -> Result<Self, UsersFault> {
        let io = |source| UsersFault::Io { path: path.to_owned(), source };
        let damaged = |detail: String| UsersFault::Damaged { path: path.to_owned(), detail };
        // A FIFO put there must not hold up the daemon.
        let nonblock = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
        let file = match OpenOptions::new().read(true).custom_flags(nonblock).open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            opened => opened.map_err(io)?,
        };
        let meta = file.metadata().map_err(io)?;
        if !meta.is_file() || meta.len() > MOST_BYTES {
            return Err(damaged("is no file of at most 64 KiB".into()));
        }
        let mode = meta.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(UsersFault::TooOpen { path: path.to_owned(), mode });
        }
        let mut text = Vec::new();
        file.take(MOST_BYTES).read_to_end(&mut text).map_err(io)?;
        // Of a later format nothing else may be looked at.
        let kept: Kept = serde_json::from_slice(&text).unwrap_or_default();
        let found = Format { format: kept.format, readable_by: kept.readable_by };
        if !FORMAT.reads(found) {
            let (file, part) = (path.display().to_string(), "users".to_owned());
            return Err(TooNew { file, part, found, known: FORMAT.format }.into());
        }
        let users: Self = serde_json::from_slice(&text).map_err(|error| {
            // Its own words repeat what it read.
            damaged(format!(
                "line {}, column {}: is not as it must be",
                error.line(),
                error.column()
            ))
        })?;
        users.check().map_err(|detail| damaged(detail.to_owned()))?;
        Ok(users)
    }

    fn check(&self) -> Result<(), &'static str> {
        if self.users.len() > MOST_USERS || self.tokens.len() > MOST_TOKENS {
            return Err("has more than 64 users or tokens");
        }
        let twice = |names: Vec<&str>| {
            let set: std::collections::BTreeSet<&str> = names.iter().copied().collect();
            set.len() < names.len() || names.iter().any(|name| !check_name(name))
        };
        if twice(self.users.iter().map(|user| &*user.name).collect())
            || twice(self.tokens.iter().map(|token| &*token.name).collect())
        {
            return Err("has a name twice, or one that is none");
        }
        let is_digest =
            |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if self.users.iter().any(|user| Password::parse(&user.hash).is_err())
            || !self.tokens.iter().all(|token| is_digest(&token.sha256))
        {
            return Err("has a hash that is none");
        }
        Ok(())
    }

    /// Changes the file: reads it, lets `change` work on it, writes it whole, durably and at one
    /// stroke. Two such calls wait for each other. Blocks.
    ///
    /// # Errors
    /// As [`load`](Self::load), what `change` says, or the system refused.
    pub fn edit<E: From<UsersFault>>(
        path: &Path,
        change: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        let io = |source| UsersFault::Io { path: path.to_owned(), source };
        let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let lock = File::open(folder).map_err(io)?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive)
            .map_err(|error| io(error.into()))?;
        let mut users = Self::load(path)?;
        change(&mut users)?;
        let damaged =
            |detail: &str| UsersFault::Damaged { path: path.to_owned(), detail: detail.to_owned() };
        users.check().map_err(damaged)?;
        let text = serde_json::to_vec_pretty(&users).expect("users have text keys");
        write(path, &lock, &text).map_err(io)?;
        Ok(())
    }

    /// The user of that name.
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.name == name)
    }

    /// The token with that digest.
    pub fn token(&self, digest: &str) -> Option<&Token> {
        self.tokens.iter().find(|token| token.sha256 == digest)
    }
}

/// Writes beside and renames. The file belongs to whom the folder belongs: the daemon's user must
/// read what root wrote.
fn write(path: &Path, folder: &File, text: &[u8]) -> io::Result<()> {
    let (new, mut file) = whole_file::begin(path, 0o600)?;
    let (owner, own) = (folder.metadata()?, file.metadata()?);
    if (owner.uid(), owner.gid()) != (own.uid(), own.gid()) && own.uid() == 0 {
        std::os::unix::fs::fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
    }
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    folder.sync_all()
}

#[cfg(test)]
#[path = "users_tests.rs"]
mod tests;
