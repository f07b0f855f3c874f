//! What can go wrong with a store.

use std::io;
use std::path::{Path, PathBuf};

use super::MAX_VALUE;
use crate::format::TooNew;

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it.
    #[error("the store `{path}` is in use by {holder}; only one daemon may use a folder", path = path.display())]
    Locked {
        /// Folder of the store.
        path: PathBuf,
        /// Who has it, as far as known: `process 4711`.
        holder: String,
    },
    /// The system refused to read or write.
    #[error("cannot use the store `{path}`: {source}", path = path.display())]
    Io {
        /// Folder of the store.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The files cannot be understood.
    #[error("the store `{path}` is damaged: {detail}", path = path.display())]
    Damaged {
        /// Folder of the store.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// A later version wrote it.
    #[error(transparent)]
    TooNew(#[from] TooNew),
    /// Another version of the storage engine wrote it, or with other settings.
    #[error(
        "the store `{path}` is of another engine: {detail}. Nothing was changed: install the \
         version that wrote it, or move the folder away / 该存储由其他版本的存储引擎写入，未作任何改动",
        path = path.display()
    )]
    Foreign {
        /// Folder of the store.
        path: PathBuf,
        /// What the engine said.
        detail: String,
    },
    /// A value above [`MAX_VALUE`].
    #[error("a value of {bytes} bytes is too large for the store; at most {MAX_VALUE} are allowed")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The files are being rebuilt or repaired, or could not be opened again after a fault; try
    /// again later.
    #[error("the store `{path}` is not open at the moment", path = path.display())]
    Closed {
        /// Folder of the store.
        path: PathBuf,
    },
}

impl StoreError {
    /// Whether it is for another version of the program to open: no later try helps this one.
    pub fn is_of_another_version(&self) -> bool {
        matches!(self, Self::TooNew(_) | Self::Foreign { .. })
    }
}

/// A damaged store that made room for a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Where it lies now.
    pub path: PathBuf,
    /// What was found in it.
    pub reason: String,
}

pub(super) fn io_error(path: &Path, source: io::Error) -> StoreError {
    StoreError::Io { path: path.to_owned(), source }
}
