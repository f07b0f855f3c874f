//! All profiles: those built in, and those of the operator's own folders.

mod built_in;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::binding::{Binding, Profile};
use super::fault::{ProfileFault, nearest};
use super::load::{Loaded, parse};
use crate::model::Words;

pub use built_in::BUILT_IN;

impl Profile {
    /// The word of the section that says how it is reached.
    pub fn protocol(&self) -> &'static str {
        match self.binding {
            Binding::Modbus { .. } => "modbus",
            Binding::Mqtt(_) => "mqtt",
            Binding::Dlt645(_) => "dlt645",
            Binding::Cjt188(_) => "cjt188",
        }
    }
}

/// A profile of a folder that stands in for another of its identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The identifier.
    pub id: String,
    /// The file that counts.
    pub file: String,
    /// The file that it replaces; none for the profile that is built in.
    pub replaced: Option<String>,
}

impl Override {
    /// For people.
    pub fn told(&self) -> Words {
        let Self { id, file, replaced } = self;
        match replaced {
            None => (
                format!("profile `{id}`: {file} replaces the one that is built in"),
                format!("设备型号 `{id}`：{file} 替换内置型号"),
            ),
            Some(other) => (
                format!("profile `{id}`: {file} replaces {other}"),
                format!("设备型号 `{id}`：{file} 替换 {other}"),
            ),
        }
        .into()
    }
}

/// The profiles by identifier. A built-in one is read when it is asked for: an estate has a dozen
/// models of them, and a box little memory.
#[derive(Debug, Clone, Default)]
pub struct Library {
    shelves: BTreeMap<String, Shelf>,
    /// The files of those that are not built in.
    files: BTreeMap<String, String>,
    overrides: Vec<Override>,
}

/// One profile, read or still packed.
#[derive(Debug, Clone, Default)]
struct Shelf {
    read: OnceLock<Sizes>,
}

/// A profile with its groups as large as usual and as large as they may be.
#[derive(Debug, Clone)]
struct Sizes {
    usual: Arc<Profile>,
    full: Arc<Profile>,
}

impl Shelf {
    fn of(loaded: Loaded) -> Self {
        Self { read: OnceLock::from(Sizes::of(loaded)) }
    }

    fn sizes(&self, id: &str) -> &Sizes {
        self.read.get_or_init(|| {
            let text = built_in::text(id).expect("only built-in ones are not read yet");
            let loaded = parse(&format!("{id}.toml"), &text);
            Sizes::of(loaded.expect("the built-in profiles are tested"))
        })
    }
}

impl Sizes {
    fn of(Loaded { profile, full, .. }: Loaded) -> Self {
        let usual = Arc::new(profile);
        let full = if full.groups.is_empty() { Arc::clone(&usual) } else { Arc::new(full) };
        Self { usual, full }
    }
}

/// The folder of an estate's own profiles when none is configured.
pub const SITE_FOLDER: &str = "/etc/linli/profiles";

/// The folders of profiles: those that are configured, else `default` when it is there.
pub fn profile_folders(configured: Option<Vec<PathBuf>>, default: &Path) -> Vec<PathBuf> {
    match configured {
        Some(folders) => folders,
        None if default.is_dir() => vec![default.to_owned()],
        None => Vec::new(),
    }
}

impl Library {
    /// The built-in profiles only.
    ///
    /// # Panics
    /// Never: a test reads them all.
    pub fn built_in() -> Self {
        Self::load(&[]).expect("the built-in profiles are tested")
    }

    /// The built-in profiles and every `*.toml` of these folders, in their order; a later file
    /// replaces an earlier one of the same identifier.
    ///
    /// # Errors
    /// The faults of all files, and folders that cannot be read.
    pub fn load(extra_dirs: &[PathBuf]) -> Result<Self, Vec<ProfileFault>> {
        let mut library = Self::default();
        let mut faults = Vec::new();
        for id in built_in::ids() {
            library.shelves.insert(id.to_owned(), Shelf::default());
        }
        for dir in extra_dirs {
            let unreadable = |what: &Path, error: std::io::Error| ProfileFault {
                file: what.display().to_string(),
                place: None,
                message: format!("cannot be read: {error}"),
                nearest: None,
            };
            let entries = match std::fs::read_dir(dir) {
                Ok(entries) => entries,
                Err(error) => {
                    faults.push(unreadable(dir, error));
                    continue;
                }
            };
            let mut files: Vec<PathBuf> = entries
                .filter_map(|entry| entry.ok().map(|entry| entry.path()))
                .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
                .collect();
            files.sort();
            for file in files {
                match std::fs::read_to_string(&file) {
                    Ok(text) => {
                        let name = file.display().to_string();
                        library.add(&name, &text, &mut faults);
                    }
                    Err(error) => faults.push(unreadable(&file, error)),
                }
            }
        }
        if faults.is_empty() { Ok(library) } else { Err(faults) }
    }

    /// This profile and no other.
    pub fn of(loaded: Loaded) -> Self {
        let mut library = Self::default();
        library.shelves.insert(loaded.profile.id.clone(), Shelf::of(loaded));
        library
    }

    fn add(&mut self, file: &str, text: &str, faults: &mut Vec<ProfileFault>) {
        let loaded = match parse(file, text) {
            Ok(loaded) => loaded,
            Err(more) => return faults.extend(more),
        };
        let id = loaded.profile.id.clone();
        let before = self.shelves.insert(id.clone(), Shelf::of(loaded));
        let replaced = self.files.insert(id.clone(), file.to_owned());
        if before.is_some() {
            self.overrides.retain(|told| told.id != id);
            self.overrides.push(Override { id, file: file.to_owned(), replaced });
        }
    }

    /// The profiles of folders that replaced others, by identifier; of several the one that counts.
    pub fn overrides(&self) -> &[Override] {
        &self.overrides
    }

    /// The file of a profile; none when it is built in.
    pub fn file(&self, id: &str) -> Option<&str> {
        self.files.get(id).map(String::as_str)
    }

    /// All profiles, by identifier.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Profile>> {
        self.shelves.iter().map(|(id, shelf)| &shelf.sizes(id).usual)
    }

    /// The profile of this identifier, its groups as large as they may be; the same as
    /// [`Library::get`] when it has none.
    pub fn full(&self, id: &str) -> Option<Arc<Profile>> {
        self.shelves.get(id).map(|shelf| Arc::clone(&shelf.sizes(id).full))
    }

    /// The profile of this identifier, its groups as large as they usually are.
    pub fn get(&self, id: &str) -> Option<Arc<Profile>> {
        self.shelves.get(id).map(|shelf| Arc::clone(&shelf.sizes(id).usual))
    }

    /// All identifiers, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.shelves.keys().map(String::as_str)
    }

    /// The identifier most like a wrong one.
    pub fn nearest(&self, id: &str) -> Option<&str> {
        nearest(id, self.ids())
    }
}

#[cfg(test)]
mod guide_tests;
#[cfg(test)]
mod meter_tests;
#[cfg(test)]
mod tests;
