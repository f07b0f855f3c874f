//! Files that appear whole or not at all: written under another name beside their place, then put
//! there at one stroke.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Begins `<path>.new` with exactly this mode, whatever the mask of this process; what a run that was
/// cut short left there goes. Blocks.
///
/// # Errors
/// What the system said.
pub fn begin(path: &Path, mode: u32) -> io::Result<(PathBuf, File)> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let beside = PathBuf::from(name);
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
    // Under a service's UMask=0077 what others must read would be closed to them.
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    Ok((beside, file))
}

/// Puts a file there, in place of another if there is one, durably. Blocks.
///
/// # Errors
/// What the system said.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let (beside, mut file) = begin(path, mode)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    sync_folder(path)
}

/// As [`replace`], with mode and owner of the file that is there, which is kept beside it under the
/// first free name `<path>.1`, `<path>.2`, …; that name. At no moment is there no file. Blocks.
///
/// # Errors
/// What the system said; then the old file is in its place.
pub fn replace_keeping(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let old = fs::metadata(path)?;
    let (beside, mut file) = begin(path, old.mode() & 0o7777)?;
    if (old.uid(), old.gid()) != (file.metadata()?.uid(), file.metadata()?.gid()) {
        std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid()))?;
    }
    file.write_all(bytes)?;
    file.sync_all()?;
    let kept = keep(path)?;
    fs::rename(&beside, path)?;
    sync_folder(path)?;
    Ok(kept)
}

/// Gives a file a second name, the first free one of `<path>.1`, `<path>.2`, …; that name. Blocks.
///
/// # Errors
/// What the system said.
pub fn keep(path: &Path) -> io::Result<PathBuf> {
    let mut number = 1u32;
    loop {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        let name = PathBuf::from(name);
        match fs::hard_link(path, &name) {
            Ok(()) => return Ok(name),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        number = number.checked_add(1).ok_or(io::ErrorKind::AlreadyExists)?;
    }
}

/// The files that [`keep`] left of `path`, the newest first. Blocks.
///
/// # Errors
/// What the system said.
pub fn earlier(path: &Path) -> io::Result<Vec<PathBuf>> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder_of(path))? {
        let entry = entry?;
        let file = entry.file_name();
        let number = file.to_str().and_then(|file| file.strip_prefix(name)?.strip_prefix('.'));
        if number.is_some_and(|number| number.parse::<u32>().is_ok()) {
            let about = entry.metadata()?;
            found.push((about.mtime(), about.mtime_nsec(), entry.path()));
        }
    }
    found.sort_unstable();
    Ok(found.into_iter().rev().map(|(_, _, path)| path).collect())
}

/// Removes all of the [`earlier`] ones but the `most` newest. Blocks.
///
/// # Errors
/// What the system said.
pub fn thin_out(path: &Path, most: usize) -> io::Result<()> {
    earlier(path)?.into_iter().skip(most).try_for_each(fs::remove_file)
}

/// Makes the names in the folder of `path` durable. Blocks.
///
/// # Errors
/// What the system said.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

/// The folder of a file, also of one that is named without its folder.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_replaced_can_stay_under_a_numbered_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("linli.toml");
        assert!(replace_keeping(&path, b"one").is_err(), "there is nothing to keep");
        replace(&path, b"one", 0o640).unwrap();
        let first = replace_keeping(&path, b"two").unwrap();
        let second = replace_keeping(&path, b"three").unwrap();
        assert_eq!(first, folder.path().join("linli.toml.1"));
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        assert_eq!(
            (read(&first), read(&second), read(&path)),
            ("one".into(), "two".into(), "three".into())
        );
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_file_that_is_named_without_its_folder_lies_here() {
        assert_eq!(folder_of(Path::new("linli.toml")), Path::new("."));
        assert_eq!(folder_of(Path::new("/etc/linli/linli.toml")), Path::new("/etc/linli"));
    }

    #[test]
    fn the_rest_of_a_cut_run_goes_and_the_mode_is_the_new_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(folder.path().join("secret.new"), "half").unwrap();
        replace(&path, b"one", 0o600).unwrap();
        replace(&path, b"two", 0o600).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
