//! Stores of the previous, the next and a far version.

use std::collections::BTreeSet;

use super::super::{Changes, Limits, Store, beside};
use super::*;

fn made(folder: &Path) -> PathBuf {
    let path = folder.join("buffer");
    let store = Store::open(&path, Limits::default()).unwrap();
    let mut changes = Changes::default();
    changes.insert(b"k", b"kept");
    store.tree("queue").apply(changes).unwrap();
    store.commit().unwrap();
    path
}

fn value(path: &Path) -> Option<Vec<u8>> {
    let store = Store::open(path, Limits::default()).unwrap();
    store.tree("queue").get(b"k").unwrap()
}

/// Every file below with its bytes.
fn bytes(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(path).unwrap() {
        let entry = entry.unwrap().path();
        if entry.is_dir() {
            found.extend(bytes(&entry));
        } else {
            found.insert(entry.clone(), fs::read(&entry).unwrap());
        }
    }
    found
}

fn rewrite(path: &Path, change: impl FnOnce(&mut serde_json::Value)) -> String {
    let file = file_of(path);
    let mut note: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    change(&mut note);
    fs::write(&file, note.to_string()).unwrap();
    note.to_string()
}

#[test]
fn a_store_from_before_formats_were_noted_is_of_the_first_format() {
    let folder = tempfile::tempdir().unwrap();
    let path = made(folder.path());
    fs::remove_file(file_of(&path)).unwrap();
    assert_eq!(value(&path).as_deref(), Some(&b"kept"[..]));
    let noted = check(&path).unwrap();
    assert_eq!(noted.parts.len(), PARTS.len());
    assert_eq!(noted.parts["queue"], Format::FIRST);
}

#[test]
fn the_next_version_may_add_fields_and_parts_and_this_one_keeps_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = made(folder.path());
    rewrite(&path, |note| {
        note["parts"]["queue"] = serde_json::json!({ "format": 2, "readable_by": 1 });
        note["parts"]["weather"] = serde_json::json!({ "format": 1, "readable_by": 0 });
        note["written_by"] = "0.2.0".into();
    });
    let before = check(&path).unwrap();
    assert_eq!(value(&path).as_deref(), Some(&b"kept"[..]));
    // The next version finds its own numbers again, also after the files were rebuilt.
    let store = Store::open(&path, Limits::default()).unwrap();
    store.rebuild().unwrap();
    drop(store);
    assert_eq!(check(&path).unwrap(), before);
    assert_eq!(before.parts["queue"].format, 2);
    assert_eq!(before.more["written_by"], "0.2.0");
    assert_eq!(value(&path).as_deref(), Some(&b"kept"[..]));
}

#[test]
fn what_only_a_later_version_reads_is_refused_by_name_and_neither_changed_nor_set_aside() {
    for part in ["queue", "evidence", "weather"] {
        let folder = tempfile::tempdir().unwrap();
        let path = made(folder.path());
        rewrite(&path, |note| {
            note["parts"][part] = serde_json::json!({ "format": 3, "readable_by": 2 });
        });
        // A rebuilding of the later version that was cut short.
        fs::create_dir(beside(&path, "rebuild")).unwrap();
        let before = bytes(&path);
        let opened = Store::open(&path, Limits::default()).err().expect("it was opened");
        let replaced = Store::open_or_replace(&path, Limits::default(), |_| Ok(()));
        let replaced = replaced.err().expect("it was replaced");
        for fault in [opened, replaced] {
            let told = fault.to_string();
            assert!(told.contains(part) && told.contains("format 3"), "{told}");
            assert!(told.contains(&path.display().to_string()), "{told}");
        }
        assert!(matches!(is_readable(&path), Err(StoreError::TooNew(_))));
        assert_eq!(bytes(&path), before, "nothing was changed");
        assert!(beside(&path, "rebuild").exists());
        assert!(!beside(&path, "damaged-1").exists());
    }
}

#[test]
fn a_spoilt_note_costs_no_data() {
    let folder = tempfile::tempdir().unwrap();
    let path = made(folder.path());
    fs::write(file_of(&path), "{\"parts\": {\"que").unwrap();
    assert_eq!(value(&path).as_deref(), Some(&b"kept"[..]));
    assert_eq!(check(&path).unwrap().parts["queue"], Format::FIRST);
}

#[test]
fn files_of_another_version_of_sled_are_refused_and_not_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = made(folder.path());
    let conf = path.join("conf");
    let written = fs::read(&conf).unwrap();
    // The text is followed by its check sum.
    let text = std::str::from_utf8(&written[..written.len() - 4]).unwrap();
    assert!(text.contains("version: 0.34"), "{text}");
    let text = text.replace("version: 0.34", "version: 0.99");
    let sum = crc32fast::hash(text.as_bytes()).to_le_bytes();
    fs::write(&conf, [text.as_bytes(), &sum[..]].concat()).unwrap();
    let fault = Store::open_or_replace(&path, Limits::default(), |_| Ok(())).err().unwrap();
    assert!(matches!(fault, StoreError::Foreign { .. }), "{fault}");
    assert!(!beside(&path, "damaged-1").exists());
}

/// Names of trees, as they stand in the sources.
fn trees() -> BTreeSet<String> {
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut found = BTreeSet::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            if path.extension().is_none_or(|ending| ending != "rs") {
                continue;
            }
            let inside = path.components().any(|part| part.as_os_str() == "tests");
            let code = path.extension().is_some_and(|ending| ending == "rs");
            if !code || inside || name.contains("tests") || name == "fake.rs" {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            for mark in [
                ".tree(\"",
                "const TREE: &str = \"",
                "const TOLD: &str = \"",
                "const QUEUE: &str = \"",
            ] {
                let names = code.split(mark).skip(1).filter_map(|rest| rest.split('"').next());
                found.extend(names.map(str::to_owned));
            }
        }
    }
    found
}

#[test]
fn whatever_is_kept_in_the_store_has_a_format() {
    let known: BTreeSet<String> = PARTS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let kept = trees();
    assert!(kept.len() > 8, "{kept:?}");
    let missing: Vec<&String> = kept.difference(&known).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
