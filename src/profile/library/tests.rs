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
    assert!(built_in::ids().eq(listed.iter().copied()));
}

#[test]
fn a_packed_profile_is_the_file_that_was_packed() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config/profiles");
    for (id, text) in BUILT_IN.iter() {
        let file = std::fs::read_to_string(folder.join(format!("{id}.toml"))).unwrap();
        assert!(*text == file && built_in::text(id).as_deref() == Some(&*file), "{id}");
    }
    assert_eq!(built_in::text("no-such-profile"), None);
}

#[test]
fn every_example_of_every_built_in_profile_gives_its_readings() {
    let mut faults = Vec::new();
    for (id, text) in BUILT_IN.iter() {
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
    let (id, text) = &BUILT_IN[0];
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

fn folder_with(id: &str, title: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (_, text) = &BUILT_IN[0];
    let text = text.replacen("title = { zh = \"", &format!("title = {{ zh = \"{title}"), 1);
    std::fs::write(folder.path().join(format!("{id}.toml")), text).unwrap();
    folder
}

#[test]
fn which_file_won_and_what_it_replaced_is_remembered() {
    let id = BUILT_IN[0].0;
    let (first, second) = (folder_with(id, "甲"), folder_with(id, "乙"));
    let own = folder_with("own-meter", "丙");
    let file =
        |folder: &tempfile::TempDir| folder.path().join(format!("{id}.toml")).display().to_string();
    let library = Library::load(&[first.path().to_owned()]).unwrap();
    let replaced = Override { id: id.to_owned(), file: file(&first), replaced: None };
    assert_eq!(library.overrides(), [replaced]);
    let folders = [&first, &own, &second].map(|folder| folder.path().to_owned());
    let library = Library::load(&folders).unwrap();
    let replaced =
        Override { id: id.to_owned(), file: file(&second), replaced: Some(file(&first)) };
    assert_eq!(library.overrides(), std::slice::from_ref(&replaced));
    assert_eq!(library.file(id), Some(file(&second).as_str()));
    assert!(library.file("own-meter").is_some());
    assert_eq!(library.file(BUILT_IN[1].0), None);
    assert!(library.get(id).unwrap().zh.starts_with('乙'));
    let told = replaced.told();
    assert!(told.en.contains(&file(&first)) && told.zh.contains("替换"), "{told:?}");
}

#[test]
fn the_folder_of_the_estate_counts_only_when_it_is_there_and_none_is_configured() {
    let folder = tempfile::tempdir().unwrap();
    let default = folder.path().join("profiles");
    assert_eq!(profile_folders(None, &default), Vec::<PathBuf>::new());
    std::fs::create_dir(&default).unwrap();
    assert_eq!(profile_folders(None, &default), std::slice::from_ref(&default));
    assert_eq!(profile_folders(Some(Vec::new()), &default), Vec::<PathBuf>::new());
    let other = vec![PathBuf::from("other")];
    assert_eq!(profile_folders(Some(other.clone()), &default), other);
}
