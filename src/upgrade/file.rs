//! Copies that are durable, with mode and owner.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;

use super::{Fault, System};
use crate::whole_file;

/// Most files and folders of a configuration that are copied.
const MOST: usize = 2000;

/// Puts a copy there, whole, with the mode.
pub(super) fn copy(from: &Path, to: &Path, mode: u32) -> Result<(), Fault> {
    let work = || {
        let (beside, mut file) = whole_file::begin(to, mode)?;
        io::copy(&mut File::open(from)?, &mut file)?;
        // The umask may have taken bits.
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.sync_all()?;
        fs::rename(&beside, to)?;
        whole_file::sync_folder(to)
    };
    work().map_err(|error| Fault::of_io(to, &error))
}

/// Copies a folder with everything below it, links as links, owners where the system allows.
pub(super) fn copy_folder(system: &mut impl System, from: &Path, to: &Path) -> Result<(), Fault> {
    let mut left = MOST;
    copy_below(system, from, to, &mut left)
}

fn copy_below(
    system: &mut impl System,
    from: &Path,
    to: &Path,
    left: &mut usize,
) -> Result<(), Fault> {
    let cannot = |path: &Path| {
        let path = path.to_owned();
        move |error: io::Error| Fault::of_io(&path, &error)
    };
    system.about_to("copy a folder")?;
    fs::create_dir(to).map_err(cannot(to))?;
    let about = fs::metadata(from).map_err(cannot(from))?;
    for entry in fs::read_dir(from).map_err(cannot(from))? {
        let entry = entry.map_err(cannot(from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        *left = left.checked_sub(1).ok_or_else(|| {
            Fault::new(
                format!("{}: more than {MOST} files", from.display()),
                format!("{}：超过 {MOST} 个文件", from.display()),
            )
        })?;
        let kind = entry.file_type().map_err(cannot(&source))?;
        if kind.is_dir() {
            copy_below(system, &source, &target, left)?;
        } else if kind.is_symlink() {
            system.about_to("copy a link")?;
            let points = fs::read_link(&source).map_err(cannot(&source))?;
            std::os::unix::fs::symlink(points, &target).map_err(cannot(&target))?;
        } else if kind.is_file() {
            system.about_to("copy a file")?;
            let about = entry.metadata().map_err(cannot(&source))?;
            copy(&source, &target, about.mode() & 0o7777)?;
            own(&target, &about)?;
        }
    }
    fs::set_permissions(to, about.permissions()).map_err(cannot(to))?;
    own(to, &about)?;
    File::open(to).and_then(|folder| folder.sync_all()).map_err(cannot(to))
}

fn own(path: &Path, about: &Metadata) -> Result<(), Fault> {
    let now = fs::metadata(path).map_err(|error| Fault::of_io(path, &error))?;
    if (now.uid(), now.gid()) == (about.uid(), about.gid()) {
        return Ok(());
    }
    chown(path, Some(about.uid()), Some(about.gid())).map_err(|error| Fault::of_io(path, &error))
}

/// Removes a folder, present or not.
pub(super) fn remove_folder(path: &Path) -> Result<(), Fault> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Fault::of_io(path, &error)),
        _ => Ok(()),
    }
}

/// Renames durably.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), Fault> {
    fs::rename(from, to)
        .and_then(|()| whole_file::sync_folder(to))
        .map_err(|error| Fault::of_io(to, &error))
}
