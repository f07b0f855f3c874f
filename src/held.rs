//! A file that one process holds, until it lets go or ends.

use std::fs::File;
use std::io;
use std::ops::{Deref, DerefMut};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// A file with an exclusive lock on it. To be shared by reference only: a second handle on the same
/// file would lose the lock with the first.
#[derive(Debug)]
pub struct Held(File);

impl Held {
    /// Takes hold of the file; nothing when somebody else has it.
    ///
    /// # Errors
    /// The system refused for another reason.
    pub fn take(file: File) -> io::Result<Result<Self, File>> {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Ok(Self(file))),
            Err(Errno::WOULDBLOCK) => Ok(Err(file)),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Said aloud: closing alone lets go only when no child that was just forked has the file
        // open as well, and what cannot be unlocked goes with the last of them.
        if let Err(error) = flock(&self.0, FlockOperation::Unlock) {
            tracing::debug!(%error, "a lock ends with its file");
        }
    }
}

impl Deref for Held {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut File {
        &mut self.0
    }
}
