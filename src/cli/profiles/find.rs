//! A profile by its identifier, or a file of one: what `try` and `simulate` take.

use std::path::{Path, PathBuf};

use crate::profile::{self, BUILT_IN, Library, Loaded, SITE_FOLDER, profile_folders};

/// A profile and the text it was read from.
#[derive(Debug)]
pub(in crate::cli) struct Found {
    pub loaded: Loaded,
    /// Its file, or its identifier when it is built in.
    pub name: String,
    pub text: String,
    /// What is wrong with its examples, as `profiles check` tells it; it can be used nevertheless.
    pub doubts: Vec<String>,
}

impl Found {
    /// The model with so many members in its groups, those not named with the usual number.
    ///
    /// # Errors
    /// No such group, or more members than a device may have.
    #[cfg(feature = "demo")]
    pub(in crate::cli) fn sized(
        &self,
        groups: &[(String, u16)],
    ) -> Result<profile::Profile, String> {
        let Loaded { profile: usual, full, .. } = &self.loaded;
        let mut sizes = usual.sizes();
        for (name, size) in groups {
            usual.resize(&mut sizes, name, *size).map_err(|error| {
                let known: Vec<&str> = usual.groups.iter().map(|group| &*group.name).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                match error {
                    profile::GroupError::Unknown { profile, .. } => {
                        format!("--group {name}: `{profile}` has {known} / 没有此组")
                    }
                    profile::GroupError::Size { most, .. } => {
                        format!("--group {name}={size}: allowed are 1 to {most} / 应为 1 至 {most}")
                    }
                }
            })?;
        }
        Ok(full.sized(&sizes))
    }
}

/// Reads NAME=COUNT of an option.
pub(in crate::cli) fn member_count(text: &str) -> Result<(String, u16), String> {
    let (name, count) = text.split_once('=').ok_or("write NAME=COUNT, e.g. cells=60")?;
    let count = count.parse().map_err(|_| format!("`{count}` is no number of members"))?;
    Ok((name.trim().to_owned(), count))
}

/// Finds a profile. A text that ends in `.toml` or names a file is a file.
///
/// # Errors
/// Everything that is wrong with it, as `profiles check` tells it, or that there is none.
pub(in crate::cli) fn find(wanted: &str, dirs: &[PathBuf]) -> Result<Found, String> {
    let path = Path::new(wanted);
    if wanted.ends_with(".toml") || path.is_file() {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{wanted}: cannot be read / 无法读取: {error}"))?;
        return read(wanted, text);
    }
    let configured = Some(dirs.to_vec()).filter(|dirs| !dirs.is_empty());
    let folders = profile_folders(configured, Path::new(SITE_FOLDER));
    let library = Library::load(&folders).map_err(|faults| lines(&faults))?;
    // A folder's own file replaces the built-in profile of its name.
    if let Some(file) = library.file(wanted) {
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("{file}: cannot be read / 无法读取: {error}"))?;
        return read(file, text);
    }
    let built_in = BUILT_IN.iter().find(|(id, _)| *id == wanted);
    let (id, text) = built_in.ok_or_else(|| unknown(&library, wanted))?;
    read(id, text.clone())
}

/// That there is no such profile, and which is most like it.
pub(super) fn unknown(library: &Library, wanted: &str) -> String {
    let (en, zh) = library.nearest(wanted).map_or_else(Default::default, |near| {
        (format!("; did you mean `{near}`?"), format!("；是否应为 `{near}`？"))
    });
    format!("no profile is called `{wanted}`{en} / 没有名为 `{wanted}` 的设备模型{zh}")
}

fn read(name: &str, text: String) -> Result<Found, String> {
    let loaded = profile::parse_draft(name, &text).map_err(|faults| lines(&faults))?;
    let wrong = match loaded.examples.is_empty() {
        true => Vec::new(),
        false => profile::run_examples(&loaded),
    };
    let doubts = wrong.iter().map(|fault| format!("{name}: {fault}")).collect();
    Ok(Found { loaded, name: name.to_owned(), text, doubts })
}

fn lines<F: ToString>(faults: &[F]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_from_an_identifier_and_its_faults_as_check_tells_them() {
        let folder = tempfile::tempdir().unwrap();
        let (_, text) = BUILT_IN.iter().find(|(id, _)| *id == "xy-md02").unwrap();
        let path = folder.path().join("my-sensor.toml");
        std::fs::write(&path, text).unwrap();
        let found = find(path.to_str().unwrap(), &[]).unwrap();
        assert_eq!((found.loaded.profile.id.as_str(), found.doubts.len()), ("my-sensor", 0));
        // The same in a folder, by its identifier.
        let found = find("my-sensor", &[folder.path().to_owned()]).unwrap();
        assert!(found.name.ends_with("my-sensor.toml"), "{}", found.name);
        assert_eq!(find("xy-md02", &[]).unwrap().loaded.profile.id, "xy-md02");

        std::fs::write(&path, text.replace("encoding", "encodign")).unwrap();
        let told = find(path.to_str().unwrap(), &[]).unwrap_err();
        assert!(told.contains("my-sensor.toml:") && told.contains("encodign"), "{told}");
        let told = find("no-such-file.toml", &[]).unwrap_err();
        assert!(told.contains("cannot be read") && told.contains("无法读取"), "{told}");
        let told = find("xy-md2", &[]).unwrap_err();
        assert!(told.contains("did you mean `xy-md02`?"), "{told}");
    }

    #[test]
    fn a_file_without_examples_can_be_used_and_wrong_examples_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("draft.toml");
        let (_, text) = BUILT_IN.iter().find(|(id, _)| *id == "xy-md02").unwrap();
        let (head, _) = text.split_once("[[examples]]").unwrap();
        std::fs::write(&path, head).unwrap();
        assert!(find(path.to_str().unwrap(), &[]).unwrap().doubts.is_empty());
        let wrong = format!(
            "{head}[[examples]]\nregisters = [{{ table = \"input\", address = 1, words = [1, 2] }}]\n\
             readings = {{ temperature = 99 }}\n"
        );
        std::fs::write(&path, wrong).unwrap();
        let doubts = find(path.to_str().unwrap(), &[]).unwrap().doubts;
        assert!(doubts.iter().any(|doubt| doubt.contains("expected 99")), "{doubts:?}");
    }
}
