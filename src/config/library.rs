//! Which profiles a configuration may name, and what is said about those of the estate.

use std::path::PathBuf;
use std::slice;
use std::sync::Arc;

use super::machine::Machine;
use super::read::Context;
use crate::profile::{Library, Override, Profile, ProfileFault, SITE_FOLDER, profile_folders};
use crate::settings::{Fault, Place, Section};

/// Where profiles are found; [`Library`], or a handful of profiles in tests.
pub(super) trait Profiles {
    fn find(&self, id: &str) -> Option<Arc<Profile>>;
    /// With as many members in its groups as it may have.
    fn full(&self, id: &str) -> Option<Arc<Profile>> {
        self.find(id)
    }
    fn names(&self) -> Vec<&str>;
    /// Those that replace others.
    fn overrides(&self) -> &[Override] {
        &[]
    }
}

impl Profiles for Library {
    fn find(&self, id: &str) -> Option<Arc<Profile>> {
        self.get(id)
    }

    fn full(&self, id: &str) -> Option<Arc<Profile>> {
        Library::full(self, id)
    }

    fn names(&self) -> Vec<&str> {
        self.ids().collect()
    }

    fn overrides(&self) -> &[Override] {
        Library::overrides(self)
    }
}

/// The folders of `profiles` in `[gateway]`; without the key the usual one of the machine.
pub(super) fn folders(section: &mut Section<'_>, machine: Machine) -> Vec<PathBuf> {
    let site = PathBuf::from(SITE_FOLDER);
    let given = section.has("profiles");
    let configured = section.paths_or("profiles", slice::from_ref(&site));
    match (given, machine) {
        (true, _) => configured,
        (false, Machine::Ask | Machine::AskReading) => profile_folders(None, &site),
        (false, Machine::Ignore) => Vec::new(),
    }
}

/// Takes the profiles, and says which of them replace others; or says what is wrong with them.
pub(super) fn take_library<'s>(
    library: Result<&'s dyn Profiles, Vec<ProfileFault>>,
    context: &mut Context<'s>,
) {
    match library {
        Ok(profiles) => {
            let note = |one: &Override| Fault::new(Place::of_file(&one.file), one.told());
            context.notes.extend(profiles.overrides().iter().map(note));
            context.profiles = Some(profiles);
        }
        Err(wrong) => {
            context.faults.extend(wrong.iter().map(|fault| {
                let (line, column) = fault.place.unwrap_or((1, 1));
                let place = Place { line, column, ..Place::of_file(&fault.file) };
                let problem = fault.problem();
                Fault::new(
                    place,
                    (format!("a profile is wrong: {problem}"), format!("设备型号有误：{problem}")),
                )
            }));
        }
    }
}
