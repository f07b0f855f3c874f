//! Everything in its place but the configuration itself: checked, and gone again when it is not
//! committed.

use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, fchown, lchown};
use std::path::{Path, PathBuf};

use super::credentials::{Credentials, FOLDER};
use crate::account::Account;
use crate::config::{self, Refused, Settings};
use crate::model::Words;
use crate::whole_file;

/// The user of the service, and its group, which reads the configuration.
const SERVICE: &str = "linli";
/// Mode of the configuration and of what it names.
const MODE: u32 = 0o640;
/// Mode of keys and passwords, which belong to the service.
const SECRET_MODE: u32 = 0o600;
/// Mode of folders that are made.
const FOLDER_MODE: u32 = 0o750;

/// What is to be written.
#[derive(Debug)]
pub struct Plan {
    /// The configuration file.
    pub config: PathBuf,
    /// Its text.
    pub text: String,
    /// What the platform gave.
    pub credentials: Credentials,
    /// Profiles of the site: file name and content.
    pub profiles: Vec<(String, Vec<u8>)>,
}

/// Why it cannot be prepared or committed.
#[derive(Debug, thiserror::Error)]
pub enum PreparedFault {
    /// The checker refuses the configuration.
    #[error("{}", .0.faults)]
    Refused(Refused),
    /// The system refused.
    #[error("{}: {}", path.display(), Words::of_io(source).en)]
    Io {
        /// What was to be written.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

/// How something that was written is taken back.
#[derive(Debug)]
enum Undo {
    Remove(PathBuf),
    RemoveFolder(PathBuf),
    Restore { path: PathBuf, kept: PathBuf },
}

/// All is there but the configuration.
#[derive(Debug)]
pub struct Prepared {
    /// What the configuration says.
    pub settings: Settings,
    config: PathBuf,
    text: String,
    account: Option<Account>,
    undo: Vec<Undo>,
}

impl Plan {
    /// Writes what the configuration names and checks it. What was written goes again when the
    /// result is dropped without [`commit`](Prepared::commit).
    ///
    /// # Errors
    /// The checker refuses it, or the system does.
    pub fn prepare(self) -> Result<Prepared, PreparedFault> {
        let folder = self.config.parent().unwrap_or(Path::new("")).to_owned();
        let account = Account::find(Path::new("/"), SERVICE, &[]);
        let mut written = Written { account, undo: Vec::new() };
        let done = (|| {
            make_folder(&folder, None)?;
            written.folder(&folder.join(FOLDER), !self.credentials.all().is_empty())?;
            written.folder(&folder.join("profiles"), !self.profiles.is_empty())?;
            for one in self.credentials.all() {
                written.put(&one.path(&folder), &one.bytes, one.kind.is_secret())?;
            }
            for (name, bytes) in &self.profiles {
                written.put(&folder.join("profiles").join(name), bytes, false)?;
            }
            config::examine_with(&self.config, self.text.clone()).map_err(PreparedFault::Refused)
        })();
        match done {
            Ok(settings) => Ok(Prepared {
                settings,
                config: self.config,
                text: self.text,
                account: written.account,
                undo: written.undo,
            }),
            Err(fault) => {
                take_back(written.undo);
                Err(fault)
            }
        }
    }
}

impl Prepared {
    /// Puts the configuration in its place, with mode 0640 for root and the service; the name under
    /// which the old one is kept, when there was another.
    ///
    /// # Errors
    /// The system refused; then the old one is in its place.
    pub fn commit(mut self) -> Result<Option<PathBuf>, PreparedFault> {
        let path = self.config.clone();
        let io = |source| PreparedFault::Io { path: path.clone(), source };
        let kept = match fs::read(&path) {
            Ok(old) if old == self.text.as_bytes() => None,
            Ok(_) => Some(whole_file::keep(&path).map_err(io)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(io(error)),
        };
        put(&path, self.text.as_bytes(), self.account.as_ref(), false).map_err(io)?;
        self.undo.clear();
        Ok(kept)
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        take_back(std::mem::take(&mut self.undo));
    }
}

/// What was written so far.
struct Written {
    account: Option<Account>,
    undo: Vec<Undo>,
}

impl Written {
    /// Makes a folder that is wanted and not there.
    fn folder(&mut self, folder: &Path, wanted: bool) -> Result<(), PreparedFault> {
        if wanted && !folder.is_dir() {
            make_folder(folder, self.account.as_ref())?;
            self.undo.push(Undo::RemoveFolder(folder.to_owned()));
        }
        Ok(())
    }

    /// Writes a file; another one of its name is kept beside it.
    fn put(&mut self, path: &Path, bytes: &[u8], secret: bool) -> Result<(), PreparedFault> {
        let io = |source| PreparedFault::Io { path: path.to_owned(), source };
        let undo = match fs::read(path) {
            Ok(old) if old == bytes => return Ok(()),
            Ok(_) => {
                let kept = whole_file::keep(path).map_err(io)?;
                Undo::Restore { path: path.to_owned(), kept }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Undo::Remove(path.to_owned()),
            Err(error) => return Err(io(error)),
        };
        self.undo.push(undo);
        put(path, bytes, self.account.as_ref(), secret).map_err(io)
    }
}

/// Writes a file whole: for root and the group of the service, a secret for the service alone.
fn put(path: &Path, bytes: &[u8], account: Option<&Account>, secret: bool) -> io::Result<()> {
    let mode = if secret { SECRET_MODE } else { MODE };
    let (beside, mut file) = whole_file::begin(path, mode)?;
    if let Some(account) = account.filter(|_| rustix::process::geteuid().is_root()) {
        let user = if secret { account.uid } else { 0 };
        fchown(&file, Some(user), Some(account.gid))?;
    }
    // The mask of the process may have taken the group's right away.
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    whole_file::sync_folder(path)
}

fn make_folder(folder: &Path, account: Option<&Account>) -> Result<(), PreparedFault> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let io = |source| PreparedFault::Io { path: folder.to_owned(), source };
    let mode = if account.is_some() { FOLDER_MODE } else { 0o755 };
    DirBuilder::new().recursive(true).mode(mode).create(folder).map_err(io)?;
    match account.filter(|_| rustix::process::geteuid().is_root()) {
        Some(account) => lchown(folder, None, Some(account.gid)).map_err(io),
        None => Ok(()),
    }
}

fn take_back(undo: Vec<Undo>) {
    for one in undo.into_iter().rev() {
        let (path, done) = match one {
            Undo::Remove(path) => {
                let done = fs::remove_file(&path);
                (path, done)
            }
            Undo::RemoveFolder(path) => {
                let done = fs::remove_dir(&path);
                (path, done)
            }
            Undo::Restore { path, kept } => {
                let done = fs::rename(kept, &path);
                (path, done)
            }
        };
        if let Err(error) = done {
            tracing::warn!(path = %path.display(), %error, "what was prepared stays");
        }
    }
}
