//! In which format everything in the store is kept: a small file in its folder, read before
//! anything is opened, so that what a later version wrote is never taken for damage.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{StoreError, io_error};
use crate::format::{Format, TooNew};
use crate::whole_file;

/// Name of the file.
pub(super) const FILE: &str = "formats.json";

/// What is kept in the store, or beside it, and in which format this version writes it. A reader
/// of format 1 must learn a change before anybody writes it: see [`crate::format`].
///
/// | part | what | where it is written |
/// | --- | --- | --- |
/// | `queue`, `mark` | blocks and counters of the buffer; the note beside it | `buffer` |
/// | `broadcast` | warnings and their receipts, what was refused, drills | `broadcast` |
/// | `wear` | bytes written | `buffer` |
/// | `evidence`, `attestations`, `charging`, `risk` | what the star level needs | `starlevel` |
/// | `audit`, `access` | who did what; how far the trail is | `audit` |
/// | `alarms` | open and closed alarms, their steps, maintenance windows | `alarm` |
/// | `clock`, `promises`, `upgrade`, `handover` | what was known of the time; what was told | `clock`, `app` |
/// | `commands` | commands that came, orders that hold | `command` |
/// | `lessons`, `counters` | what was learned about models; counters of meters | `driver`, `pipeline` |
const PARTS: [(&str, Format); 18] = [
    ("access", Format::FIRST),
    ("alarms", Format::FIRST),
    ("attestations", Format::FIRST),
    ("audit", Format::FIRST),
    ("broadcast", Format::FIRST),
    ("charging", Format::FIRST),
    ("clock", Format::FIRST),
    ("commands", Format::FIRST),
    ("counters", Format::FIRST),
    ("evidence", Format::FIRST),
    ("handover", Format::FIRST),
    ("lessons", Format::FIRST),
    ("mark", Format::FIRST),
    ("promises", Format::FIRST),
    ("queue", Format::FIRST),
    ("risk", Format::FIRST),
    ("upgrade", Format::FIRST),
    ("wear", Format::FIRST),
];

/// What the file says. Parts that this version does not know, and fields of a later one, stay.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Noted {
    #[serde(default)]
    parts: BTreeMap<String, Format>,
    #[serde(flatten)]
    more: serde_json::Map<String, serde_json::Value>,
}

fn file_of(store: &Path) -> PathBuf {
    store.join(FILE)
}

/// Reads what the store says of itself, and whether this version can read all of it. Changes
/// nothing. A store without the file is one of the first format.
pub(super) fn check(store: &Path) -> Result<Noted, StoreError> {
    let file = file_of(store);
    let text = match fs::read(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Noted::default()),
        Err(error) => return Err(io_error(&file, error)),
    };
    let noted: Noted = match serde_json::from_slice(&text) {
        Ok(noted) => noted,
        Err(error) => {
            // Blocks and rows have check sums of their own; a spoilt note must not cost them.
            tracing::error!(file = %file.display(), %error, "the note of the formats is damaged");
            return Ok(Noted::default());
        }
    };
    for (part, found) in &noted.parts {
        let ours = PARTS.iter().find(|(name, _)| name == part).map(|(_, ours)| *ours);
        // Of a part that it does not know a version knows no format; 0 says that it need not.
        let known = ours.map_or(0, |ours| ours.format);
        if found.readable_by > known {
            let (file, part, found) = (store.display().to_string(), part.clone(), *found);
            return Err(StoreError::TooNew(TooNew { file, part, found, known }));
        }
    }
    Ok(noted)
}

/// Notes the formats in which this version writes, where they are not noted yet. What a later
/// version wrote is still there, so its numbers stay.
pub(super) fn note(store: &Path) -> Result<(), StoreError> {
    let mut noted = check(store)?;
    let before = noted.clone();
    for (part, ours) in PARTS {
        let found = noted.parts.entry(part.to_owned()).or_insert(ours);
        if found.format < ours.format {
            *found = ours;
        }
    }
    if noted == before { Ok(()) } else { write(store, &noted) }
}

fn write(store: &Path, noted: &Noted) -> Result<(), StoreError> {
    let file = file_of(store);
    let text = serde_json::to_vec_pretty(noted).expect("names and numbers are JSON");
    match whole_file::replace(&file, &text, 0o644) {
        // Without the file everything is of the first format, as it is: a full disk must not keep
        // the daemon from starting.
        Err(error) if noted.parts.values().all(|format| *format == Format::FIRST) => {
            tracing::warn!(file = %file.display(), %error, "the formats are not noted");
            Ok(())
        }
        written => written.map_err(|error| io_error(&file, error)),
    }
}

/// Takes the note over into a copy of the store, which has one of its own since it was made.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let noted = check(from)?;
    if noted == check(to)? { Ok(()) } else { write(to, &noted) }
}

/// Whether this version can read the store. Opens and changes nothing.
///
/// # Errors
/// Which part it cannot read.
pub fn is_readable(store: &Path) -> Result<(), StoreError> {
    check(store).map(drop)
}

#[cfg(test)]
#[path = "formats_tests.rs"]
mod tests;
