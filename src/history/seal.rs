//! When a day is over its log becomes a file sorted by device, so that thirty days of one device
//! are some sixty small reads and not thirty logs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;

use super::archive::Archive;
use super::bucket::Day;
use super::folder::{Sorting, if_there};
use super::log::{self, Wounds};
use super::names::put_day;
use super::sorted;
use crate::format::Format;
use crate::model::DeviceId;

/// Points whose day is held at a time: about 2.5 MB.
const AT_A_TIME: usize = 256;

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealed {
    /// It is sorted; so many bytes were damaged and are left out.
    Sorted(u64),
    /// A later version wrote in it: it stays as it is.
    Left(Format),
    /// There is no log.
    Nothing,
}

/// Sorts the log of a day, together with what was sorted of that day before. Blocks.
///
/// # Errors
/// What the system said; then everything is as it was.
pub fn seal(archive: &Archive, day: Day) -> io::Result<Sealed> {
    let folder = &archive.0;
    let Some(file) = if_there(File::open(folder.log(day)))? else { return Ok(Sealed::Nothing) };
    let mut points: BTreeMap<DeviceId, BTreeSet<std::sync::Arc<str>>> = BTreeMap::new();
    let mut wounds = log::read(&file, |id, names, _| {
        if !points.contains_key(id) {
            points.insert(id.clone(), names.iter().cloned().collect());
        }
    })?;
    if let Some(file) = if_there(File::open(folder.sorted(day)))? {
        wounds.add(sorted::all(&file, |id, found| {
            points.entry(id).or_default().extend(found.into_iter().map(|(name, _)| name));
        })?);
    }
    if let Some(later) = wounds.later {
        return Ok(Sealed::Left(later));
    }
    let sizes: Vec<(DeviceId, usize)> =
        points.into_iter().map(|(id, names)| (id, names.len())).collect();
    let mut sorting = Sorting::begin(folder, day)?;
    let mut rest = &sizes[..];
    while !rest.is_empty() {
        let mut count = 0;
        let taken = rest.iter().take_while(|(_, points)| {
            let first = count == 0;
            count += points;
            first || count <= AT_A_TIME
        });
        let (these, others) = rest.split_at(taken.count());
        rest = others;
        let wanted = |id: &DeviceId| these.binary_search_by(|(one, _)| one.cmp(id)).is_ok();
        for (id, device) in archive.some(day, wanted, &mut Wounds::default())? {
            let device: Vec<_> = device.into_iter().collect();
            sorting.add(id.as_str(), &put_day(&id, &device))?;
        }
    }
    sorting.end()?;
    fs::remove_file(folder.log(day))?;
    Ok(Sealed::Sorted(wounds.bytes))
}
