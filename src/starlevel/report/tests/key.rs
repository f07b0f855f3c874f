//! The key's file: made once, never replaced.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use super::*;

#[test]
fn the_key_is_made_once_for_its_owner_alone_and_is_the_same_ever_after() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("buffer");
    let first = SigningKey::beside(&store).unwrap();
    let path = folder.path().join(KEY_FILE);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    let bytes = fs::read(&path).unwrap();
    let second = SigningKey::beside(&store).unwrap();
    assert_eq!((first.public(), fs::read(&path).unwrap()), (second.public(), bytes));
    let names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, [KEY_FILE], "nothing else is left");
    let other = tempfile::tempdir().unwrap();
    let third = SigningKey::beside(&other.path().join("buffer")).unwrap();
    assert_ne!(first.public(), third.public());
}

#[test]
fn a_start_that_was_cut_short_leaves_no_half_key() {
    let folder = tempfile::tempdir().unwrap();
    let rest = folder.path().join(format!("{KEY_FILE}.new"));
    fs::write(&rest, b"half").unwrap();
    SigningKey::beside(&folder.path().join("buffer")).unwrap();
    assert!(!rest.exists());
}

#[test]
fn a_damaged_key_is_named_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("k.pk8");
    SigningKey::open_or_make(&path).unwrap();
    let good = fs::read(&path).unwrap();
    let mut flipped = good.clone();
    flipped[40] ^= 1;
    let cut = good[..good.len() - 1].to_vec();
    for bad in [Vec::new(), b"no key".to_vec(), vec![0x30; 4096], cut, flipped] {
        fs::write(&path, &bad).unwrap();
        let fault = SigningKey::open_or_make(&path).unwrap_err();
        let words = fault.words();
        assert!(matches!(fault, KeyFault::Damaged { .. }), "{words:?}");
        assert!(words.en.contains("k.pk8") && words.zh.contains("k.pk8"), "{words:?}");
        assert_eq!(fs::read(&path).unwrap(), bad, "it is not replaced");
    }
    fs::write(&path, &good).unwrap();
    assert!(SigningKey::open_or_make(&path).is_ok());
}

#[test]
fn a_key_that_others_may_read_is_refused_with_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("k.pk8");
    SigningKey::open_or_make(&path).unwrap();
    for mode in [0o640, 0o604, 0o660, 0o602] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let words = SigningKey::open_or_make(&path).unwrap_err().words();
        assert!(
            words.en.contains(&format!("{mode:04o}")) && words.en.contains("0600"),
            "{words:?}"
        );
        assert!(words.zh.contains("chmod 600"), "{words:?}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(SigningKey::open_or_make(&path).is_ok());
}

#[test]
fn what_is_no_file_or_cannot_be_made_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("directory");
    fs::create_dir(&directory).unwrap();
    let nowhere = folder.path().join("nowhere");
    symlink(folder.path().join("not-there"), &nowhere).unwrap();
    let no_folder = folder.path().join("no-folder").join(KEY_FILE);
    for path in [&directory, &nowhere, &no_folder] {
        let words = SigningKey::open_or_make(path).unwrap_err().words();
        assert!(words.en.contains(&path.display().to_string()), "{words:?}");
    }
    assert!(fs::symlink_metadata(&nowhere).unwrap().is_symlink(), "a link is not made over");
}

#[test]
fn without_a_key_no_report_is_made_and_the_file_is_named() {
    let play = three_days();
    let path = play.folder.path().join(KEY_FILE);
    fs::write(&path, b"damaged").unwrap();
    let fault = play.reporter().make(&play.assessment(), Form::Json, &[], None).unwrap_err();
    assert!(fault.words().en.contains(KEY_FILE), "{fault}");
    assert_eq!(fs::read(&path).unwrap(), b"damaged");
}
