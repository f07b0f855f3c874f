//! The next position, noted beside the store.
//!
//! A store whose file lost its end, or was damaged in the middle, opens as if nothing had ever
//! been written after that place: what it lost would be lost without a word, and its positions
//! would be given a second time, so that the platform would take the new blocks for repeats. Two
//! records in one small file prevent it:
//!
//! - The note follows every commit and is not fsynced, so that it costs the flash nothing. It
//!   outlives the process: after a kill it says exactly what was lost.
//! - The reservation runs ahead of the positions and is fsynced, once in [`AHEAD`] / 2 of them,
//!   before the first beyond it is given. After a power cut the note may be old, and nobody knows
//!   whether the store lost its end with it: then positions go on where the reservation ends. Those
//!   that are skipped are announced. An orderly end reserves nothing, so nothing is skipped then.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::model::{Epoch, Seq};

/// Positions that are reserved ahead: at a block a second, an fsync in four minutes beside the
/// two hundred and more of the commits.
pub(super) const AHEAD: u64 = 512;

const NOTE: usize = 20;
const RESERVED: usize = 28;
/// In the same page of the disk, apart from the note.
const RESERVED_AT: u64 = 64;

/// What was noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Noted {
    /// The life of the buffer.
    pub epoch: Epoch,
    /// Every position below it was given and made durable.
    pub next: Seq,
}

/// What was reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reserved {
    /// The life of the buffer.
    pub epoch: Epoch,
    /// No position from here on was ever given.
    pub end: Seq,
    /// Tag of the boot that reserved it.
    pub boot: u64,
}

/// The file with both.
#[derive(Debug)]
pub(super) struct Mark {
    file: File,
    boot: u64,
    /// Where the reservation ends.
    end: AtomicU64,
    failed: AtomicBool,
}

/// What the run before left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    pub noted: Option<Noted>,
    pub reserved: Option<Reserved>,
}

impl Mark {
    /// Opens or makes the file beside the store's folder. Returns what the run before noted.
    pub fn open(store: &Path, boot: u64) -> io::Result<(Self, Left)> {
        let mut path = store.as_os_str().to_owned();
        path.push(".mark");
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let noted = read::<NOTE>(&file, 0)?.and_then(|bytes| decode(&bytes));
        let reserved = read::<RESERVED>(&file, RESERVED_AT)?.and_then(|b| decode_reserved(&b));
        let mark = Self { file, boot, end: AtomicU64::new(0), failed: AtomicBool::new(false) };
        Ok((mark, Left { noted, reserved }))
    }

    /// Notes what a commit reached. A note that cannot be written keeps nothing from being stored.
    pub fn note(&self, noted: Noted) {
        let written = self.file.write_all_at(&encode(noted), 0);
        self.judge(written);
    }

    /// Before a commit with positions below `next`: reserves more when half of it is used. Blocks
    /// for an fsync then.
    pub fn reserve(&self, epoch: Epoch, next: Seq) {
        if next.0 + AHEAD / 2 > self.end.load(Ordering::Acquire) {
            self.set_end(epoch, Seq(next.0 + AHEAD));
        }
    }

    /// The orderly end: nothing is reserved beyond what was given. Blocks for an fsync.
    pub fn settle(&self, epoch: Epoch, next: Seq) {
        self.set_end(epoch, next);
    }

    fn set_end(&self, epoch: Epoch, end: Seq) {
        let bytes = encode_reserved(Reserved { epoch, end, boot: self.boot });
        let written = self.file.write_all_at(&bytes, RESERVED_AT);
        let written = written.and_then(|()| self.file.sync_all());
        if written.is_ok() {
            self.end.store(end.0, Ordering::Release);
        }
        self.judge(written);
    }

    fn judge(&self, written: io::Result<()>) {
        let failed = written.is_err();
        if let Err(error) = written
            && !self.failed.load(Ordering::Relaxed)
        {
            tracing::warn!(%error, "cannot note the position beside the buffer");
        }
        self.failed.store(failed, Ordering::Relaxed);
    }
}

impl Left {
    /// The positions that were durable once and that the store does not know of: those it lost.
    pub fn lost(&self, epoch: Epoch, next: Seq) -> Option<(Seq, Seq)> {
        let noted = self.noted.filter(|noted| noted.epoch == epoch && noted.next > next)?;
        Some((next, noted.next))
    }

    /// Where positions go on after a power cut; `next` is where they would go on without it. In
    /// the same boot the note is exact, and nothing is skipped.
    pub fn resume(&self, epoch: Epoch, next: Seq, boot: u64) -> Seq {
        let reserved = self.reserved.filter(|r| r.epoch == epoch && r.boot != boot);
        reserved.map_or(next, |reserved| reserved.end.max(next))
    }
}

/// `None` when the file is shorter.
fn read<const N: usize>(file: &File, at: u64) -> io::Result<Option<[u8; N]>> {
    let mut bytes = [0; N];
    match file.read_exact_at(&mut bytes, at) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

fn encode(noted: Noted) -> [u8; NOTE] {
    seal([noted.epoch.0, noted.next.0])
}

fn decode(bytes: &[u8; NOTE]) -> Option<Noted> {
    let noted = Noted { epoch: Epoch(word(bytes, 0)?), next: Seq(word(bytes, 8)?) };
    (encode(noted) == *bytes).then_some(noted)
}

fn encode_reserved(reserved: Reserved) -> [u8; RESERVED] {
    seal([reserved.epoch.0, reserved.end.0, reserved.boot])
}

fn decode_reserved(bytes: &[u8; RESERVED]) -> Option<Reserved> {
    let (epoch, end) = (Epoch(word(bytes, 0)?), Seq(word(bytes, 8)?));
    let reserved = Reserved { epoch, end, boot: word(bytes, 16)? };
    (encode_reserved(reserved) == *bytes).then_some(reserved)
}

/// Words and their check sum.
fn seal<const WORDS: usize, const N: usize>(words: [u64; WORDS]) -> [u8; N] {
    let mut bytes = [0; N];
    for (slot, word) in bytes.chunks_exact_mut(8).zip(words) {
        slot.copy_from_slice(&word.to_le_bytes());
    }
    let sum = crc32fast::hash(&bytes[..N - 4]);
    bytes[N - 4..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: Epoch = Epoch(7);

    #[test]
    fn a_note_is_read_back_and_a_torn_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("b");
        let noted = Noted { epoch: EPOCH, next: Seq(42) };
        let (mark, before) = Mark::open(&store, 1).unwrap();
        assert_eq!(before, Left { noted: None, reserved: None });
        mark.note(noted);
        assert_eq!(Mark::open(&store, 1).unwrap().1.noted, Some(noted));
        std::fs::write(folder.path().join("b.mark"), &encode(noted)[..19]).unwrap();
        assert_eq!(Mark::open(&store, 1).unwrap().1.noted, None);
        let mut torn = encode(noted);
        torn[3] ^= 1;
        assert_eq!(decode(&torn), None);
    }

    #[test]
    fn positions_are_reserved_before_they_are_given_and_rarely() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("b");
        let (mark, _) = Mark::open(&store, 1).unwrap();
        let mut times = 0;
        let mut end = 0;
        for next in 1..=10_000 {
            mark.reserve(EPOCH, Seq(next));
            let now = Mark::open(&store, 1).unwrap().1.reserved.unwrap().end.0;
            assert!(now > next, "no position is given that is not reserved");
            times += u64::from(now != end);
            end = now;
        }
        assert!(times <= 10_000 / (AHEAD / 2) + 1, "{times} fsyncs");
    }

    #[test]
    fn after_a_power_cut_positions_go_on_behind_the_reservation_and_after_a_kill_they_do_not() {
        let left = |noted, end| Left {
            noted: Some(Noted { epoch: EPOCH, next: Seq(noted) }),
            reserved: Some(Reserved { epoch: EPOCH, end: Seq(end), boot: 1 }),
        };
        assert_eq!(left(40, 600).resume(EPOCH, Seq(50), 1), Seq(50), "the same boot");
        assert_eq!(left(40, 600).resume(EPOCH, Seq(50), 2), Seq(600), "another one");
        assert_eq!(left(50, 50).resume(EPOCH, Seq(50), 2), Seq(50), "after an orderly end");
        assert_eq!(left(40, 600).resume(Epoch(8), Seq(1), 2), Seq(1), "another buffer");
        assert_eq!(left(50, 600).lost(EPOCH, Seq(44)), Some((Seq(44), Seq(50))));
        assert_eq!(left(40, 600).lost(EPOCH, Seq(44)), None);
        assert_eq!(left(40, 600).lost(Epoch(8), Seq(1)), None);
    }
}
