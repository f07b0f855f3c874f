//! The folder of the history: per day a log that is appended to, and when the day is over a file
//! sorted by device.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::bucket::Day;
use super::chunk::{self, Found, Kind, Walk};
use super::names::Names;
use crate::whole_file;

/// The owner writes, his group reads.
const MODE: u32 = 0o640;

/// What is there of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Files {
    /// Bytes of the log.
    pub log: Option<u64>,
    /// Bytes of the sorted file.
    pub sorted: Option<u64>,
}

impl Files {
    /// Bytes together.
    pub fn bytes(self) -> u64 {
        self.log.unwrap_or(0) + self.sorted.unwrap_or(0)
    }
}

/// The folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder(PathBuf);

/// The name of a day: `2026-11-28`.
pub fn name_of(day: Day) -> String {
    let days = jiff::Span::new().try_days(i64::from(day.0));
    let date = days.and_then(|days| Date::constant(1970, 1, 1).checked_add(days));
    date.map_or_else(|_| day.0.to_string(), |date| date.to_string())
}

fn day_of(stem: &str) -> Option<Day> {
    let date: Date = stem.parse().ok()?;
    let days = date.since(Date::constant(1970, 1, 1)).ok()?.get_days();
    let day = Day(u32::try_from(days).ok()?);
    (name_of(day) == stem).then_some(day)
}

/// A file if it is there.
///
/// # Errors
/// What the system said, but for that it is not there.
pub fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Folder {
    /// There; it need not be there yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The log of a day.
    pub fn log(&self, day: Day) -> PathBuf {
        self.0.join(format!("{}.log", name_of(day)))
    }

    /// The sorted file of a day.
    pub fn sorted(&self, day: Day) -> PathBuf {
        self.0.join(format!("{}.day", name_of(day)))
    }

    /// The days that there are. What has another name is none of ours.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn days(&self) -> io::Result<BTreeMap<Day, Files>> {
        let mut days: BTreeMap<Day, Files> = BTreeMap::new();
        let Some(entries) = if_there(fs::read_dir(&self.0))? else { return Ok(days) };
        for entry in entries {
            let path = entry?.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let Some(day) = stem.and_then(day_of) else { continue };
            // One that went in between took no room any more.
            let Some(size) = if_there(fs::metadata(&path))?.map(|data| data.len()) else {
                continue;
            };
            match path.extension().and_then(|ending| ending.to_str()) {
                Some("log") => days.entry(day).or_default().log = Some(size),
                Some("day") => days.entry(day).or_default().sorted = Some(size),
                _ => {}
            }
        }
        Ok(days)
    }

    /// Takes a day away.
    ///
    /// # Errors
    /// What the system said.
    pub fn remove(&self, day: Day) -> io::Result<()> {
        for path in [self.log(day), self.sorted(day)] {
            if_there(fs::remove_file(path))?;
        }
        Ok(())
    }

    /// Opens the log of a day to go on with it: makes it if need be, cuts a torn tail. Says how
    /// many bytes were cut, and whether these names stand in it already.
    ///
    /// # Errors
    /// What the system said.
    pub fn go_on(&self, day: Day, names: &Names) -> io::Result<(File, u64, bool)> {
        fs::create_dir_all(&self.0)?;
        let path = self.log(day);
        let new = !path.exists();
        let file =
            OpenOptions::new().read(true).append(true).create(true).mode(MODE).open(&path)?;
        if new {
            whole_file::sync_folder(&path)?;
        }
        let size = file.metadata()?.len();
        let (mut named, mut cut) = (false, 0);
        let mut walk = Walk::new(&file)?;
        while let Some(found) = walk.next()? {
            match found {
                Found::Chunk(Kind::Names, plain) => named |= plain == names.plain,
                Found::Torn => cut = size - walk.at,
                _ => {}
            }
        }
        if cut > 0 {
            file.set_len(size - cut)?;
        }
        Ok((file, cut, named))
    }
}

/// Appends chunks to an open log, all or nothing.
///
/// # Errors
/// What the system said; then the log is as it was, as far as that could be done.
pub fn append(file: &mut File, chunks: &[Vec<u8>]) -> io::Result<()> {
    let before = file.metadata()?.len();
    let written = chunks.iter().try_for_each(|chunk| file.write_all(chunk));
    if let Err(error) = written.and_then(|()| file.sync_data()) {
        // What stays of it is a torn tail: the next start cuts it.
        if let Err(also) = file.set_len(before) {
            tracing::debug!(%also, "a half-written chunk of the history stays for now");
        }
        return Err(error);
    }
    Ok(())
}

/// A sorted file in the making.
pub struct Sorting {
    path: PathBuf,
    beside: PathBuf,
    file: io::BufWriter<File>,
    at: u64,
    index: Vec<super::sorted::Place>,
}

impl Sorting {
    /// Begins that of a day beside its place.
    ///
    /// # Errors
    /// What the system said.
    pub fn begin(folder: &Folder, day: Day) -> io::Result<Self> {
        let path = folder.sorted(day);
        let (beside, file) = whole_file::begin(&path, MODE)?;
        Ok(Self { path, beside, file: io::BufWriter::new(file), at: 0, index: Vec::new() })
    }

    /// Adds chunks of a device.
    ///
    /// # Errors
    /// What the system said.
    pub fn add(&mut self, device: &str, pieces: &[Vec<u8>]) -> io::Result<()> {
        for plain in pieces {
            let chunk = chunk::seal(Kind::Day, plain)?;
            self.index.push(super::sorted::Place::new(device, self.at, chunk.len())?);
            self.file.write_all(&chunk)?;
            self.at += chunk.len() as u64;
        }
        Ok(())
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// What the system said.
    pub fn end(mut self) -> io::Result<()> {
        let index = super::sorted::put_index(&mut self.index, self.at)?;
        self.file.write_all(&index)?;
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        fs::rename(&self.beside, &self.path)?;
        whole_file::sync_folder(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_known_by_its_date_and_other_files_are_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::at(place.path());
        assert_eq!(folder.days().unwrap().len(), 0);
        let day = day_of("2026-11-28").unwrap();
        assert_eq!(name_of(day), "2026-11-28");
        for name in
            ["2026-11-28.log", "2026-11-28.day", "2026-11-27.day.new", "2026-13-01.log", "x.log"]
        {
            fs::write(place.path().join(name), "1234").unwrap();
        }
        let days = folder.days().unwrap();
        assert_eq!(days.len(), 1);
        assert_eq!(days[&day], Files { log: Some(4), sorted: Some(4) });
        folder.remove(day).unwrap();
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 3);
        assert_eq!(Folder::at("/nonexistent/history").days().unwrap().len(), 0);
    }
}
