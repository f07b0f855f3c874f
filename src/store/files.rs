//! The files around the store: lock, folders beside it, sizes. Nothing here knows sled.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::Store;
use super::error::{StoreError, io_error};
use crate::held::Held;
use crate::whole_file;

/// `<path>.lock` lies beside the folder, so that the lock holds while the folder is set aside.
pub(super) fn lock_beside(path: &Path) -> Result<Held, StoreError> {
    let name = beside(path, "lock");
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|source| io_error(path, source))?;
    }
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&name)
        .map_err(|source| io_error(&name, source))?;
    let mut file = match Held::take(file).map_err(|error| io_error(&name, error))? {
        Ok(held) => held,
        Err(mut file) => {
            let mut pid = String::new();
            // Only for the message.
            let known = file.read_to_string(&mut pid).is_ok() && !pid.trim().is_empty();
            let holder =
                if known { format!("process {}", pid.trim()) } else { "another process".into() };
            return Err(StoreError::Locked { path: path.to_owned(), holder });
        }
    };
    let written = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(*file, "{}", std::process::id()));
    if let Err(error) = written {
        // The lock itself holds, and a full disk must not keep the daemon from starting.
        tracing::debug!(%error, file = %name.display(), "cannot note the process in the lock file");
    }
    Ok(file)
}

pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

/// At most three damaged folders are kept; the oldest makes room.
pub(super) fn set_aside(path: &Path) -> io::Result<PathBuf> {
    const KEPT: u32 = 3;
    let taken: Vec<u32> =
        (1..10_000).filter(|n| beside(path, &format!("damaged-{n}")).exists()).collect();
    let next = taken.last().map_or(1, |last| last + 1);
    if taken.len() >= KEPT as usize {
        fs::remove_dir_all(beside(path, &format!("damaged-{}", taken[0])))?;
    }
    let aside = beside(path, &format!("damaged-{next}"));
    fs::rename(path, &aside)?;
    Ok(aside)
}

fn folder_bytes(path: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(path) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => folder_bytes(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}

pub(super) fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

pub(super) fn sync_names(path: &Path) -> io::Result<()> {
    File::open(path.join("conf"))?.sync_all()?;
    File::open(path)?.sync_all()?;
    whole_file::sync_folder(path)
}

/// Whether there is a store in the folder: opening makes one where there is none.
pub fn is_store(folder: &Path) -> bool {
    folder.join("db").exists()
}

impl Store {
    /// Bytes of all files in the folder.
    pub fn file_bytes(&self) -> u64 {
        folder_bytes(self.path())
    }

    /// Bytes that the file system still has for us.
    ///
    /// # Errors
    /// What the system said.
    pub fn free_bytes(&self) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(self.path())?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Bytes of the whole file system.
    ///
    /// # Errors
    /// What the system said.
    pub fn total_bytes(&self) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(self.path())?;
        Ok(stat.f_blocks.saturating_mul(stat.f_frsize))
    }
}
