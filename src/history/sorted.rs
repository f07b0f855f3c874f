//! The sorted file of a day that is over: chunks of devices, then where each is.
//!
//! ```text
//!  file  = day chunk*  index chunk  "LNHE"  place of the index u32  crc32 of that u32
//!  index = (hash of the device u64, place u32, length u32)*  sorted
//! ```
//! So the day of a device is two small reads.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use super::chunk::{self, Found, Kind, Walk};
use super::names::{Points, read_day};
use crate::model::DeviceId;

const END: &[u8; 4] = b"LNHE";
const TRAILER: usize = 12;
const ENTRY: usize = 16;
/// Read at once from the end: the index of some hundred devices lies in it.
const TAIL: u64 = 8 << 10;

/// Where a chunk of a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    hash: u64,
    at: u32,
    length: u32,
}

impl Place {
    /// A device's chunk there.
    ///
    /// # Errors
    /// The file is larger than 4 GiB.
    pub fn new(device: &str, at: u64, length: usize) -> io::Result<Self> {
        Ok(Self { hash: hash(device), at: small(at)?, length: small(length as u64)? })
    }
}

fn small(number: u64) -> io::Result<u32> {
    u32::try_from(number).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

/// FNV-1a, 64 bits: two devices of one hash only cost a second look.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The end of the file, when the index begins at `at`.
///
/// # Errors
/// It is too large.
pub fn put_index(places: &mut [Place], at: u64) -> io::Result<Vec<u8>> {
    places.sort_unstable();
    let mut plain = Vec::with_capacity(places.len() * ENTRY);
    for place in places.iter() {
        plain.extend_from_slice(&place.hash.to_le_bytes());
        plain.extend_from_slice(&place.at.to_le_bytes());
        plain.extend_from_slice(&place.length.to_le_bytes());
    }
    let mut bytes = chunk::seal(Kind::Index, &plain)?;
    let at = small(at)?.to_le_bytes();
    bytes.extend_from_slice(END);
    bytes.extend_from_slice(&at);
    bytes.extend_from_slice(&crc32fast::hash(&at).to_le_bytes());
    Ok(bytes)
}

/// The day of a device. A file whose index is damaged is read from the front.
///
/// # Errors
/// What the system said.
pub fn read(file: &File, device: &DeviceId) -> io::Result<Points> {
    let Some(index) = index(file)? else {
        tracing::debug!("a day of the history has no index any more: it is read as a whole");
        let mut found = Points::new();
        all(file, |id, points| {
            if id == *device {
                found.extend(points);
            }
        })?;
        return Ok(found);
    };
    let wanted = hash(device.as_str());
    let mut found = Points::new();
    let (entries, _) = index.as_chunks::<ENTRY>();
    let first = entries.partition_point(|entry| part(entry, 0) < wanted);
    for entry in entries.iter().skip(first).take_while(|entry| part(entry, 0) == wanted) {
        let (at, length) = (part(entry, 8) & 0xffff_ffff, part(entry, 8) >> 32);
        let mut bytes = vec![0; (length as usize).min(chunk::HEAD + chunk::MOST)];
        // A place behind the end is damage too.
        if let Err(error) = file.read_exact_at(&mut bytes, at) {
            if error.kind() == io::ErrorKind::UnexpectedEof {
                continue;
            }
            return Err(error);
        }
        if let Some(Found::Chunk(Kind::Day, plain)) = chunk::open(&bytes)
            && let Ok((id, points)) = read_day(&plain)
            && id == *device
        {
            found.extend(points);
        }
    }
    Ok(found)
}

fn part(entry: &[u8; ENTRY], at: usize) -> u64 {
    let eight = entry.get(at..at + 8).and_then(|eight| eight.try_into().ok());
    u64::from_le_bytes(eight.unwrap_or_default())
}

/// The plain bytes of the index; `None` when it is damaged.
fn index(file: &File) -> io::Result<Option<Vec<u8>>> {
    let size = file.metadata()?.len();
    let begin = size.saturating_sub(TAIL);
    let mut tail = vec![0; (size - begin) as usize];
    file.read_exact_at(&mut tail, begin)?;
    let Some((rest, trailer)) = tail.split_last_chunk::<TRAILER>() else { return Ok(None) };
    let four = |at: usize| [trailer[at], trailer[at + 1], trailer[at + 2], trailer[at + 3]];
    if trailer.get(..4) != Some(END) || crc32fast::hash(&four(4)) != u32::from_le_bytes(four(8)) {
        return Ok(None);
    }
    let at = u64::from(u32::from_le_bytes(four(4)));
    let end = size - TRAILER as u64;
    if at >= end || end - at > (chunk::HEAD + chunk::MOST) as u64 {
        return Ok(None);
    }
    let far;
    let bytes = if at >= begin {
        rest.get((at - begin) as usize..).unwrap_or_default()
    } else {
        let mut bytes = vec![0; (end - at) as usize];
        file.read_exact_at(&mut bytes, at)?;
        far = bytes;
        &far
    };
    match chunk::open(bytes) {
        Some(Found::Chunk(Kind::Index, plain)) => Ok(Some(plain)),
        _ => Ok(None),
    }
}

/// Every device of the file, from the front; damage and what is of a later format is reported.
///
/// # Errors
/// What the system said.
pub fn all(file: &File, mut each: impl FnMut(DeviceId, Points)) -> io::Result<super::log::Wounds> {
    let mut wounds = super::log::Wounds::default();
    let mut walk = Walk::new(file)?;
    while let Some(found) = walk.next()? {
        match found {
            Found::Chunk(Kind::Day, plain) => match read_day(&plain) {
                Ok((device, points)) => each(device, points),
                Err(_) => wounds.bytes += plain.len() as u64,
            },
            Found::Chunk(..) => {}
            Found::Later(format) => wounds.later = Some(format),
            Found::Damaged(bytes) => wounds.bytes += bytes,
            // The trailer is no chunk.
            Found::Torn => {}
        }
    }
    Ok(wounds)
}
