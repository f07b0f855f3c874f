//! The built-in profiles are complete and prove themselves; an operator's file wins.

use super::*;
use crate::profile::run_examples;

#[test]
fn the_built_in_list_is_the_folder() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config/profiles");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    files.sort();
    let listed: Vec<&str> = BUILT_IN.iter().map(|(id, _)| *id).collect();
    assert_eq!(listed, files);
}

#[test]
fn every_example_of_every_built_in_profile_gives_its_readings() {
    let mut faults = Vec::new();
    for (id, text) in BUILT_IN {
        match parse(&format!("{id}.toml"), text) {
            Ok(loaded) => faults.extend(run_examples(&loaded).iter().map(ToString::to_string)),
            Err(more) => faults.extend(more.iter().map(ToString::to_string)),
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn a_file_of_an_extra_folder_replaces_the_built_in_one() {
    let folder = tempfile::tempdir().unwrap();
    let (id, text) = BUILT_IN[0];
    let text = text.replacen("title = { zh = \"", "title = { zh = \"自有", 1);
    std::fs::write(folder.path().join(format!("{id}.toml")), text).unwrap();
    let library = Library::load(&[folder.path().to_owned()]).unwrap();
    assert!(library.get(id).unwrap().zh.starts_with("自有"));
    assert_eq!(library.ids().count(), BUILT_IN.len());
    assert_eq!(library.nearest("eastron-sdm-630"), Some("eastron-sdm630"));
}

#[test]
fn a_folder_that_does_not_exist_is_named() {
    let faults = Library::load(&["no/such/folder".into()]).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert!(faults[0].to_string().starts_with("no/such/folder: cannot be read"));
}
