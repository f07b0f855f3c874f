//! Files of the history with right check sums, for `tests/fuzz`, which sees the crate from outside.

use std::io;
use std::path::Path;

use super::archive::Archive;
use super::bucket::Day;
use super::chunk::{self, Kind};
use super::names::read_day;
use super::seal::{self, Sealed};
use super::sorted::{Place, put_index};

/// A log of one list of names, and of readings that mean it.
///
/// # Errors
/// They are too large.
pub fn log(names: &[u8], readings: &[u8]) -> io::Result<Vec<u8>> {
    let mut bytes = chunk::seal(Kind::Names, names)?;
    let meant = [&crc32fast::hash(names).to_le_bytes(), readings].concat();
    bytes.extend(chunk::seal(Kind::Readings, &meant)?);
    Ok(bytes)
}

/// A sorted file of the day of one device, whose index names it if these bytes are one.
///
/// # Errors
/// They are too large.
pub fn day(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut bytes = chunk::seal(Kind::Day, plain)?;
    let device = read_day(plain).map(|(device, _)| device.to_string()).unwrap_or_default();
    let at = bytes.len() as u64;
    bytes.extend(put_index(&mut [Place::new(&device, 0, bytes.len())?], at)?);
    Ok(bytes)
}

/// Makes a sorted file of the log of a day; whether there is one now.
///
/// # Errors
/// What the system said.
pub fn sort(folder: &Path, day: Day) -> io::Result<bool> {
    Ok(matches!(seal::seal(&Archive::at(folder), day)?, Sealed::Sorted(_)))
}
