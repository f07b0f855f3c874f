//! What is kept across restarts: named trees of keys and values in one folder. This is the only
//! file that names sled, and the only one that knows how sled becomes durable.
//!
//! # Invariants
//!
//! - sled's own `flush` ends in `sync_file_range`, which does not survive a power cut: durable is
//!   only what [`Store::commit`] confirmed, which flushes and then fsyncs the `db` file.
//! - One commit covers every tree: who keeps a tree here applies its batches whenever it likes and
//!   relies on the next commit of the buffer's recorder.
//! - A batch is atomic within its tree, also across a crash.
//! - Values are at most [`MAX_VALUE`] bytes. Above a 64th of a segment sled makes blob files,
//!   and those that a kill orphans are never collected.
//! - After a failed commit, [`Store::reopen`] opens the files anew, under the same handles. What
//!   was applied since the last good commit is then gone or not, and must be applied again.
//! - A panic inside sled becomes an error.

mod error;
mod files;
mod formats;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock, RwLockWriteGuard, TryLockError};
use std::time::Duration;

use crate::held::Held;
use error::io_error;
pub use error::{SetAside, StoreError};
pub use files::is_store;
use files::{beside, lock_beside, remove_folder, set_aside, sync_names};
pub use formats::is_readable;

/// Most bytes of one value.
pub const MAX_VALUE: usize = 4096;

/// Fixed for the life of a folder.
const SEGMENT_BYTES: usize = 512 * 1024;

/// Ending of the folder in which the store is rebuilt.
const REBUILD: &str = "rebuild";

/// sled's threads let go of the file a little after the last handle.
const LOCK_PATIENCE: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// What the store may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory for cached pages.
    pub cache: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { cache: 8 << 20 }
    }
}

/// The open store; clones share it. The folder is locked until the last one is gone.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    path: PathBuf,
    limits: Limits,
    open: RwLock<Option<Opened>>,
    /// Held for its lock, which survives that the folder is set aside.
    _lock: Arc<Held>,
}

struct Opened {
    db: sled::Db,
    /// The log file: the only one whose fsync makes a commit durable.
    file: File,
}

/// One named tree of a store; clones share it.
#[derive(Clone)]
pub struct Tree {
    store: Store,
    name: Arc<str>,
}

/// Changes of one tree that happen all or not at all.
#[derive(Default)]
pub struct Changes {
    batch: sled::Batch,
    count: usize,
    too_large: Option<usize>,
}

impl Changes {
    /// Sets a key.
    pub fn insert(&mut self, key: &[u8], value: &[u8]) {
        if value.len() > MAX_VALUE {
            self.too_large = Some(value.len());
        }
        self.batch.insert(key, value);
        self.count += 1;
    }

    /// Deletes a key, present or not.
    pub fn remove(&mut self, key: &[u8]) {
        self.batch.remove(key);
        self.count += 1;
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl Store {
    /// Opens the folder, or makes it. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has it, [`StoreError::Damaged`] when the files
    /// cannot be understood, [`StoreError::Io`] for all else.
    pub fn open(path: &Path, limits: Limits) -> Result<Self, StoreError> {
        let lock = Arc::new(lock_beside(path)?);
        Self::open_locked(path, limits, lock)
    }

    /// As [`open`](Self::open), then `check`s the content. When either finds damage, the folder
    /// is renamed to `<path>.damaged-<n>` and a new one begun. Returns what the check found, and
    /// where the old folder lies and why.
    ///
    /// # Errors
    /// As for `open`, but `Damaged` only when the new one is damaged too.
    pub fn open_or_replace<T>(
        path: &Path,
        limits: Limits,
        check: impl Fn(&Self) -> Result<T, StoreError>,
    ) -> Result<(Self, T, Option<SetAside>), StoreError> {
        let lock = Arc::new(lock_beside(path)?);
        let attempt = || {
            let store = Self::open_locked(path, limits, Arc::clone(&lock))?;
            let found = check(&store)?;
            Ok((store, found))
        };
        match attempt() {
            Ok((store, found)) => Ok((store, found, None)),
            Err(StoreError::Damaged { detail, .. }) => {
                let aside = set_aside(path).map_err(|source| io_error(path, source))?;
                let (store, found) = attempt()?;
                Ok((store, found, Some(SetAside { path: aside, reason: detail })))
            }
            Err(error) => Err(error),
        }
    }

    fn open_locked(path: &Path, limits: Limits, lock: Arc<Held>) -> Result<Self, StoreError> {
        formats::check(path)?;
        // A rebuilding that was cut short; the folder itself is whole, old or new.
        let rest = beside(path, REBUILD);
        remove_folder(&rest).map_err(|source| io_error(&rest, source))?;
        let opened = open_sled(path, limits)?;
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
            limits,
            open: RwLock::new(Some(opened)),
            _lock: lock,
        })))
    }

    /// Folder of the store.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The tree of that name; made when first written.
    pub fn tree(&self, name: &str) -> Tree {
        Tree { store: self.clone(), name: name.into() }
    }

    /// Makes everything durable that was applied before, in all trees. Blocks for as long as the
    /// flash takes.
    ///
    /// # Errors
    /// Nothing is promised about what was applied since the last commit; see
    /// [`reopen`](Self::reopen).
    pub fn commit(&self) -> Result<(), StoreError> {
        self.with(|opened| {
            opened.db.flush()?;
            opened.file.sync_all()?;
            // ext4 answers fsync with success, and writes nothing, once it was made read-only.
            let mount = rustix::fs::fstatvfs(&opened.file).map_err(io::Error::from)?;
            if mount.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY) {
                return Err(io::Error::from(ErrorKind::ReadOnlyFilesystem).into());
            }
            Ok(())
        })
    }

    /// Closes and opens the files again, after a failed commit. Handles stay good. Blocks.
    ///
    /// # Errors
    /// As for [`open`](Self::open); the store then stays closed and this can be tried again.
    pub fn reopen(&self) -> Result<(), StoreError> {
        let mut slot = self.write();
        if let Some(opened) = slot.take() {
            // Dropping flushes, and a poisoned log may panic at that.
            if catch_unwind(AssertUnwindSafe(move || drop(opened))).is_err() {
                tracing::debug!("the poisoned store panicked while it was closed");
            }
        }
        *slot = Some(open_sled(&self.0.path, self.0.limits)?);
        Ok(())
    }

    /// Copies everything into new files, which are smaller, and puts them in place of the old
    /// ones at one stroke. Handles stay good, others wait. Blocks for as long as it takes to write
    /// all that is stored. All that was applied is durable afterwards.
    ///
    /// # Errors
    /// The old files stay in place (a file system that cannot exchange two folders says
    /// `EINVAL`); a store that could not be opened again says `Closed` until
    /// [`reopen`](Self::reopen) succeeds.
    pub fn rebuild(&self) -> Result<(), StoreError> {
        let path = &self.0.path;
        let aside = beside(path, REBUILD);
        let mut slot = self.write();
        let Some(old) = slot.as_ref() else {
            return Err(StoreError::Closed { path: path.clone() });
        };
        remove_folder(&aside).map_err(|source| io_error(&aside, source))?;
        copy_all(&old.db, &aside, self.0.limits)?;
        formats::copy(path, &aside)?;
        // Both must be closed: sled keeps the names of its files.
        drop(slot.take());
        let here = rustix::fs::CWD;
        let swapped =
            rustix::fs::renameat_with(here, &aside, here, path, rustix::fs::RenameFlags::EXCHANGE);
        let synced = sync_names(path);
        // What is not durable under its new name is kept under the other; opening removes it.
        let removed = if synced.is_ok() { remove_folder(&aside) } else { Ok(()) };
        *slot = Some(open_sled(path, self.0.limits)?);
        swapped.map_err(|error| io_error(path, error.into()))?;
        synced.and(removed).map_err(|source| io_error(path, source))
    }

    fn with<R>(
        &self,
        work: impl FnOnce(&Opened) -> Result<R, sled::Error>,
    ) -> Result<R, StoreError> {
        let path = &self.0.path;
        // Callers may be tasks of the runtime: while the files are rebuilt they come again later
        // rather than block it.
        let slot = match self.0.open.try_read() {
            Ok(slot) => Some(slot),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        match slot.as_ref().and_then(|slot| slot.as_ref()) {
            Some(opened) => guarded(path, || work(opened)),
            None => Err(StoreError::Closed { path: path.clone() }),
        }
    }

    fn write(&self) -> RwLockWriteGuard<'_, Option<Opened>> {
        self.0.open.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Tree {
    /// Value of a key.
    ///
    /// # Errors
    /// The store failed.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.with(|opened| {
            let value = opened.db.open_tree(self.name.as_bytes())?.get(key)?;
            Ok(value.map(|value| value.to_vec()))
        })
    }

    /// Shows keys from `from` (inclusive) to `to` (exclusive) in ascending order, until `each`
    /// breaks. Long calls of `each` hold up a reopening.
    ///
    /// # Errors
    /// The store failed.
    pub fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        mut each: impl FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        if from >= to {
            return Ok(());
        }
        self.store.with(|opened| {
            for pair in opened.db.open_tree(self.name.as_bytes())?.range(from..to) {
                let (key, value) = pair?;
                if each(&key, &value).is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    /// Applies all changes at once. They are durable after the next [`Store::commit`].
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] (nothing is applied), or the store failed.
    pub fn apply(&self, changes: Changes) -> Result<(), StoreError> {
        if let Some(bytes) = changes.too_large {
            return Err(StoreError::TooLarge { bytes });
        }
        self.store
            .with(|opened| opened.db.open_tree(self.name.as_bytes())?.apply_batch(changes.batch))
    }
}

/// Makes a folder with the content of every tree, durable.
fn copy_all(from: &sled::Db, to: &Path, limits: Limits) -> Result<(), StoreError> {
    const AT_ONCE: usize = 64;
    let new = open_sled(to, limits)?;
    guarded(to, || {
        for name in from.tree_names() {
            let (source, target) = (from.open_tree(&name)?, new.db.open_tree(&name)?);
            let mut batch = sled::Batch::default();
            for (count, pair) in source.iter().enumerate() {
                let (key, value) = pair?;
                batch.insert(key, value);
                if count % AT_ONCE == AT_ONCE - 1 {
                    target.apply_batch(std::mem::take(&mut batch))?;
                }
            }
            target.apply_batch(batch)?;
        }
        new.db.flush()?;
        new.file.sync_all()?;
        Ok(())
    })
}

fn open_sled(path: &Path, limits: Limits) -> Result<Opened, StoreError> {
    fs::create_dir_all(path).map_err(|source| io_error(path, source))?;
    let config = sled::Config::new()
        .path(path)
        .cache_capacity(limits.cache)
        .segment_size(SEGMENT_BYTES)
        .mode(sled::Mode::LowSpace)
        // We flush; a flush in between only wears the flash.
        .flush_every_ms(None);
    let mut tries = 0;
    let db = loop {
        match guarded(path, || config.open()) {
            Ok(db) => break db,
            Err(StoreError::Io { source, .. })
                if source.to_string().contains("could not acquire lock") =>
            {
                tries += 1;
                if tries > LOCK_PATIENCE {
                    let holder = "another program".to_owned();
                    return Err(StoreError::Locked { path: path.to_owned(), holder });
                }
                #[expect(clippy::disallowed_methods, reason = "opening blocks")]
                std::thread::sleep(LOCK_PAUSE);
            }
            Err(error) => return Err(error),
        }
    };
    let file = File::open(path.join("db")).map_err(|source| io_error(path, source))?;
    // The names of new files must survive a power cut too.
    sync_names(path).map_err(|source| io_error(path, source))?;
    formats::note(path)?;
    Ok(Opened { db, file })
}

/// Runs sled code; a panic in it becomes an error.
fn guarded<R>(path: &Path, work: impl FnOnce() -> Result<R, sled::Error>) -> Result<R, StoreError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(sled::Error::Io(source)))
            if !matches!(source.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) =>
        {
            Err(io_error(path, source))
        }
        Ok(Err(sled::Error::Unsupported(detail))) => {
            Err(StoreError::Foreign { path: path.to_owned(), detail })
        }
        Ok(Err(error)) => {
            Err(StoreError::Damaged { path: path.to_owned(), detail: error.to_string() })
        }
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let detail = text.or_else(|| panic.downcast_ref::<&str>().copied());
            let detail = detail.unwrap_or("unknown panic");
            Err(StoreError::Damaged { path: path.to_owned(), detail: detail.to_owned() })
        }
    }
}
