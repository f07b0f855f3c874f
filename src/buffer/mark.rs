//! The next position, noted beside the store after each commit.
//!
//! A store whose file lost its end, or was damaged in the middle, opens as if nothing had ever
//! been written after that place: what it lost would be lost without a word, and its positions
//! would be given a second time, so that the platform would take the new blocks for repeats. The
//! note shows it. It is not fsynced, so that it costs the flash nothing: it outlives the process,
//! and a power cut may set it back by some seconds, never forward, because it follows the commit.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::model::{Epoch, Seq};

const SIZE: usize = 20;

/// What was noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Noted {
    /// The life of the buffer.
    pub epoch: Epoch,
    /// Every position below it was given and made durable.
    pub next: Seq,
}

/// The file with the note.
#[derive(Debug)]
pub(super) struct Mark {
    file: File,
    failed: AtomicBool,
}

impl Mark {
    /// Opens or makes the file beside the store's folder. Returns what the run before noted.
    pub fn open(store: &Path) -> io::Result<(Self, Option<Noted>)> {
        let mut path = store.as_os_str().to_owned();
        path.push(".mark");
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = [0; SIZE];
        let noted = match file.read_exact_at(&mut bytes, 0) {
            Ok(()) => decode(&bytes),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => None,
            Err(error) => return Err(error),
        };
        Ok((Self { file, failed: AtomicBool::new(false) }, noted))
    }

    /// Notes what a commit reached. A note that cannot be written keeps nothing from being stored.
    pub fn note(&self, noted: Noted) {
        let written = self.file.write_all_at(&encode(noted), 0);
        let failed = written.is_err();
        if let Err(error) = written
            && !self.failed.load(Ordering::Relaxed)
        {
            tracing::warn!(%error, "cannot note the position beside the buffer");
        }
        self.failed.store(failed, Ordering::Relaxed);
    }
}

fn encode(noted: Noted) -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    bytes[..8].copy_from_slice(&noted.epoch.0.to_le_bytes());
    bytes[8..16].copy_from_slice(&noted.next.0.to_le_bytes());
    let sum = crc32fast::hash(&bytes[..16]);
    bytes[16..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8; SIZE]) -> Option<Noted> {
    let word = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    let noted = Noted { epoch: Epoch(word(0)?), next: Seq(word(8)?) };
    (encode(noted) == *bytes).then_some(noted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_back_and_a_torn_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("b");
        let noted = Noted { epoch: Epoch(7), next: Seq(42) };
        let (mark, before) = Mark::open(&store).unwrap();
        assert_eq!(before, None);
        mark.note(noted);
        assert_eq!(Mark::open(&store).unwrap().1, Some(noted));
        std::fs::write(folder.path().join("b.mark"), &encode(noted)[..19]).unwrap();
        assert_eq!(Mark::open(&store).unwrap().1, None);
        let mut torn = encode(noted);
        torn[3] ^= 1;
        assert_eq!(decode(&torn), None);
    }
}
