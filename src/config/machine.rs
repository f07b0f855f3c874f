//! What the machine says about a configuration: files that must be readable, the buffer's folder.
//! Asks for permissions only; opens and creates nothing.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::broker::is_unseen_credential;
use crate::model::Words;
use crate::settings::{Fault, Place};

/// Whether the machine is asked about the paths of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Machine {
    /// Yes: `check` and `run`.
    Ask,
    /// Yes, but not where the gateway writes: another unit, whose sandbox lets nobody write there.
    AskReading,
    /// No: only the text counts.
    Ignore,
}

impl Machine {
    /// Whether files that the configuration names are read.
    pub fn is_asked(self) -> bool {
        self != Machine::Ignore
    }

    /// Leaves out what it is not asked about.
    pub fn leave_out(self, files: &mut Files) {
        if self == Machine::AskReading {
            files.writable.clear();
        }
    }
}

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
                let note = (
                    "a credential can be checked only inside the service",
                    "凭据只能在服务内部检查",
                );
                notes.push(Fault::new(place.clone(), note));
                continue;
            }
            if let Err(error) = access(path, Access::READ_OK) {
                let shown = path.display();
                faults.push(
                    Fault::new(
                        place.clone(),
                        (
                            format!("{shown} cannot be read: {error}"),
                            format!("无法读取 {shown}：{error}"),
                        ),
                    )
                    .allowed("a file that this user may read"),
                );
            }
        }
        for (path, place) in &self.writable {
            if let Err(problem) = folder_is_usable(path) {
                faults.push(
                    Fault::new(place.clone(), problem)
                        .allowed("a folder that this user may write, or may create")
                        .hint((
                            "create it, or run as the user of the service",
                            "请先创建，或以服务的用户身份运行",
                        )),
                );
            }
        }
        for (path, place) in &self.devices {
            if !path.exists() {
                let shown = path.display();
                let problem =
                    (format!("{shown} is not there at present"), format!("{shown} 目前不存在"));
                notes.push(Fault::new(place.clone(), problem));
            }
        }
    }
}

/// Whether a folder can be written, or, when it is missing, created.
fn folder_is_usable(path: &Path) -> Result<(), Words> {
    if path.exists() && !path.is_dir() {
        return Err(no_folder(path));
    }
    let existing = path.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    if !existing.is_dir() {
        return Err(no_folder(existing));
    }
    access(existing, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| {
        let shown = existing.display();
        (format!("{shown} is not writable: {error}"), format!("{shown} 不可写：{error}")).into()
    })
}

fn no_folder(path: &Path) -> Words {
    let shown = path.display();
    (format!("{shown} is not a folder"), format!("{shown} 不是文件夹")).into()
}
