//! Reads the log of a day: names, and readings that mean them.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::sync::Arc;

use super::chunk::{Found, Kind, Walk};
use super::names::{Names, Readings};
use crate::format::Format;
use crate::model::DeviceId;

/// What could not be read of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wounds {
    /// Damaged bytes.
    pub bytes: u64,
    /// A format of a later version that stands in it.
    pub later: Option<Format>,
}

/// Hands out the columns of every device in every chunk, in the order in which they were written:
/// the device, the names of its points, its columns as bytes.
///
/// # Errors
/// What the system said.
pub fn read(
    file: &File,
    mut each: impl FnMut(&DeviceId, &[Arc<str>], &[u8]),
) -> io::Result<Wounds> {
    let mut wounds = Wounds::default();
    let mut lists: HashMap<u32, Names> = HashMap::new();
    let mut walk = Walk::new(file)?;
    while let Some(found) = walk.next()? {
        match found {
            Found::Chunk(Kind::Names, plain) => match Names::read(plain) {
                Ok(names) => {
                    lists.insert(names.id, names);
                }
                Err(_) => tracing::debug!("a list of names in the history is garbled"),
            },
            Found::Chunk(Kind::Readings, plain) => {
                if !readings(&plain, &lists, &mut each) {
                    wounds.bytes += plain.len() as u64;
                }
            }
            Found::Chunk(..) => {}
            Found::Later(format) => wounds.later = Some(format),
            Found::Damaged(bytes) => wounds.bytes += bytes,
            // It may just be written.
            Found::Torn => {}
        }
    }
    Ok(wounds)
}

/// Whether all of them could be read.
fn readings(
    plain: &[u8],
    lists: &HashMap<u32, Names>,
    each: &mut impl FnMut(&DeviceId, &[Arc<str>], &[u8]),
) -> bool {
    let Ok(mut readings) = Readings::of(plain) else { return false };
    // Whose names are damaged is nobody's.
    let Some(names) = lists.get(&readings.names) else { return false };
    loop {
        match readings.next() {
            Ok(Some((device, block))) => match names.devices.get(device as usize) {
                Some((id, points)) => each(id, points, block),
                None => return false,
            },
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

impl Wounds {
    /// Those of another file too.
    pub fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.later = self.later.or(other.later);
    }
}
