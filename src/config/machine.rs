//! What the machine says about a configuration: files that must be readable, the buffer's folder.
//! Asks for permissions only; opens and creates nothing.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::broker::is_unseen_credential;
use crate::settings::{Fault, Place};

/// Paths of a configuration, each with its place.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Must exist and be readable.
    pub readable: Vec<(PathBuf, Place)>,
    /// Must be a folder that can be written, or one that can be created.
    pub writable: Vec<(PathBuf, Place)>,
    /// Device files; absent ones are worth a remark, since a USB adapter may come later.
    pub devices: Vec<(PathBuf, Place)>,
}

impl Files {
    /// Asks the machine about every path.
    pub fn check(&self, faults: &mut Vec<Fault>, notes: &mut Vec<Fault>) {
        for (path, place) in &self.readable {
            if is_unseen_credential(path) {
                let note = "a credential can be checked only inside the service";
                notes.push(Fault::new(place.clone(), note));
                continue;
            }
            if let Err(error) = access(path, Access::READ_OK) {
                let shown = path.display();
                faults.push(
                    Fault::new(place.clone(), format!("{shown} cannot be read: {error}"))
                        .allowed("a file that this user may read"),
                );
            }
        }
        for (path, place) in &self.writable {
            if let Err(problem) = folder_is_usable(path) {
                faults.push(
                    Fault::new(place.clone(), problem)
                        .allowed("a folder that this user may write, or may create")
                        .hint("create it, or run as the user of the service"),
                );
            }
        }
        for (path, place) in &self.devices {
            if !path.exists() {
                let problem = format!("{} is not there at present", path.display());
                notes.push(Fault::new(place.clone(), problem));
            }
        }
    }
}

/// Whether a folder can be written, or, when it is missing, created.
fn folder_is_usable(path: &Path) -> Result<(), String> {
    if path.exists() && !path.is_dir() {
        return Err(format!("{} is not a folder", path.display()));
    }
    let existing = path.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    if !existing.is_dir() {
        return Err(format!("{} is not a folder", existing.display()));
    }
    access(existing, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|error| format!("{} is not writable: {error}", existing.display()))
}
