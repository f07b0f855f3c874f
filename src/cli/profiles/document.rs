//! `linli profiles document`: what is written about the library and generated from it.
//!
//! The table in `profiles/README.md`, and for each convention of ours a JSON Schema and a section of
//! `conventions/README.md`. `--check` holds the files against the profiles, for continuous integration.

mod conventions;
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::super::say;
use crate::profile::{BUILT_IN, Binding, Evidence, Loaded, parse, payload_schema};

/// Where the table of the library stands.
const BEGIN: &str = "<!-- linli profiles document: begin -->";
const END: &str = "<!-- linli profiles document: end -->";

/// What to do with the documents.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Folder of `profiles/` and `conventions/`; without an option they are written there.
    #[arg(value_name = "FOLDER", default_value = "config")]
    folder: PathBuf,
    /// Change nothing; fail when a file is not what the profiles say.
    #[arg(long)]
    check: bool,
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let documents = documents(&arguments.folder)?;
    let stale = stale(&arguments.folder, &documents)?;
    if arguments.check {
        if let Some(path) = stale.first() {
            bail!("{} belongs to no convention; run `linli profiles document`", path.display());
        }
        for (path, text) in &documents {
            let present = fs::read_to_string(path).unwrap_or_default();
            if present != *text {
                bail!(
                    "{} is not what the profiles say; run `linli profiles document` and commit it",
                    path.display()
                );
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    for path in stale {
        fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        say(&format!("removed {}", path.display()));
    }
    for (path, text) in documents {
        if fs::read_to_string(&path).is_ok_and(|present| present == text) {
            continue;
        }
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        say(&format!("wrote {}", path.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// The built-in profiles with their examples.
fn built_in() -> anyhow::Result<Vec<Loaded>> {
    let read = |(id, text): &(&str, String)| {
        parse(&format!("{id}.toml"), text).map_err(|faults| {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("{}", faults.join("\n"))
        })
    };
    BUILT_IN.iter().map(read).collect()
}

/// A convention of our own for devices that have no public protocol.
fn is_convention(loaded: &Loaded) -> bool {
    let profile = &loaded.profile;
    matches!(profile.binding, Binding::Mqtt(_)) && profile.verified.level == Evidence::Convention
}

/// Each file with its text.
fn documents(folder: &Path) -> anyhow::Result<BTreeMap<PathBuf, String>> {
    let library = built_in()?;
    let mut documents = BTreeMap::new();
    let guide = folder.join("profiles/README.md");
    let text =
        fs::read_to_string(&guide).with_context(|| format!("reading {}", guide.display()))?;
    let text = between(&text, &table::table(&library))
        .with_context(|| format!("{} has no `{BEGIN}` and `{END}`", guide.display()))?;
    documents.insert(guide, text);
    let place = folder.join("conventions");
    let ours: Vec<&Loaded> = library.iter().filter(|loaded| is_convention(loaded)).collect();
    for loaded in &ours {
        let Binding::Mqtt(model) = &loaded.full.binding else { continue };
        let schema = payload_schema(&loaded.full, model, &loaded.examples, true);
        let text = serde_json::to_string_pretty(&schema)? + "\n";
        documents.insert(place.join(format!("{}.schema.json", loaded.profile.id)), text);
    }
    documents.insert(place.join("README.md"), conventions::readme(&ours));
    Ok(documents)
}

/// Schemas of conventions that are no more.
fn stale(folder: &Path, documents: &BTreeMap<PathBuf, String>) -> anyhow::Result<Vec<PathBuf>> {
    let place = folder.join("conventions");
    let entries = fs::read_dir(&place).with_context(|| format!("reading {}", place.display()))?;
    let mut stale = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("reading {}", place.display()))?.path();
        let schema = path.to_string_lossy().ends_with(".schema.json");
        if schema && !documents.contains_key(&path) {
            stale.push(path);
        }
    }
    stale.sort();
    Ok(stale)
}

/// The text with what stands between the two marks replaced.
fn between(text: &str, new: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{new}\n{END}{after}"))
}

/// A cell of a table: on one line, without its border.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("config")
    }

    #[test]
    fn the_committed_documents_are_what_the_profiles_say() {
        execute(&Arguments { folder: config(), check: true }).unwrap();
    }

    #[test]
    fn a_changed_or_left_over_file_is_found_and_mended() {
        let folder = tempfile::tempdir().unwrap();
        for part in ["profiles", "conventions"] {
            fs::create_dir(folder.path().join(part)).unwrap();
        }
        let guide = "profiles/README.md";
        fs::copy(config().join(guide), folder.path().join(guide)).unwrap();
        let run = |check| execute(&Arguments { folder: folder.path().to_owned(), check });
        assert!(run(true).unwrap_err().to_string().contains("README.md"));
        run(false).unwrap();
        run(true).unwrap();
        let left = folder.path().join("conventions/no-more.schema.json");
        fs::write(&left, "{}").unwrap();
        assert!(run(true).unwrap_err().to_string().contains("no-more"));
        run(false).unwrap();
        assert!(!left.exists());
        run(true).unwrap();
    }

    #[test]
    fn a_guide_without_marks_is_named() {
        assert_eq!(between("no marks", "x"), None);
        let text = format!("a {BEGIN} old {END} b");
        assert_eq!(between(&text, "new").unwrap(), format!("a {BEGIN}\n\nnew\n{END} b"));
    }
}
