//! The users file as it is written, and as others spoil it.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use super::*;

const HASH: &str =
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

fn add(path: &Path, name: &str) -> Result<(), UsersFault> {
    let user = User { name: name.into(), role: Role::Viewer, hash: HASH.into(), more: More::new() };
    Users::edit(path, |users| {
        users.users.push(user);
        Ok(())
    })
}

#[test]
fn what_was_added_is_read_and_the_file_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(USERS_FILE);
    assert_eq!(Users::state(&path).unwrap(), None);
    assert_eq!(Users::load(&path).unwrap(), Users::default());
    add(&path, "wang").unwrap();
    let before = Users::state(&path).unwrap();
    add(&path, "王伟").unwrap();
    assert_ne!(Users::state(&path).unwrap(), before);
    let users = Users::load(&path).unwrap();
    assert_eq!(users.user("王伟").unwrap().role, Role::Viewer);
    assert!(users.user("wang").is_some() && users.user("WANG").is_none());
    let meta = fs::metadata(&path).unwrap();
    assert_eq!(meta.mode() & 0o777, 0o600);
    assert_eq!(meta.uid(), fs::metadata(folder.path()).unwrap().uid());
    assert!(!folder.path().join("users.json.new").exists());
}

#[test]
fn a_file_that_is_open_to_others_or_not_ours_is_refused_and_nothing_of_it_is_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(USERS_FILE);
    add(&path, "wang").unwrap();
    let good = fs::read_to_string(&path).unwrap();
    for (wrong, part) in [
        (String::new(), "line 1"),
        (good.replace('}', ""), "line"),
        (good.replace("viewer", "root-hunter2"), "line"),
        (good.replace("\"name\"", "\"nickname-hunter2\""), "line"),
        (good.replace("$argon2id", "hunter2"), "hash"),
        (good.replace("\"wang\"", "\"console\""), "name"),
        (format!("{}{good}", " ".repeat(70_000)), "64 KiB"),
    ] {
        fs::write(&path, &wrong).unwrap();
        let fault = Users::load(&path).unwrap_err();
        let words = fault.words();
        assert!(words.en.contains(part) && !words.en.contains("hunter2"), "{}", words.en);
        assert!(words.zh.contains("users.json") && !words.zh.contains("hunter2"));
        // What cannot be read is never written over.
        assert!(add(&path, "li").is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), wrong);
    }
    fs::write(&path, &good).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(Users::load(&path), Err(UsersFault::TooOpen { mode: 0o640, .. })));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(Users::load(&path).is_err());
}

#[test]
fn a_name_stands_once_and_reads_as_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(USERS_FILE);
    add(&path, "wang").unwrap();
    for name in ["wang", "", "a b", "-x", "console", "a/b", "<b>", "a\n", &"x".repeat(33)] {
        assert!(add(&path, name).is_err(), "{name}");
    }
    for name in ["王伟", "li.na", "x_1"] {
        add(&path, name).unwrap();
    }
    assert_eq!(Users::load(&path).unwrap().users.len(), 4);
}

#[test]
fn two_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(USERS_FILE);
    std::thread::scope(|scope| {
        for n in 0..20 {
            let path = &path;
            scope.spawn(move || add(path, &format!("user-{n}")).unwrap());
        }
    });
    assert_eq!(Users::load(&path).unwrap().users.len(), 20);
}

#[test]
fn the_stamp_of_a_user_follows_password_and_role_and_shows_neither() {
    let user =
        User { name: "wang".into(), role: Role::Viewer, hash: HASH.into(), more: More::new() };
    let other = User { role: Role::Maintainer, ..user.clone() };
    let another = User { hash: HASH.replace("CTFh", "CTFi"), ..user.clone() };
    assert_ne!(user.stamp(), other.stamp());
    assert_ne!(user.stamp(), another.stamp());
    assert!(!format!("{user:?} {}", user.stamp()).contains("argon2"));
}

#[test]
fn what_the_next_version_adds_is_kept_when_this_one_changes_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(USERS_FILE);
    add(&path, "wang").unwrap();
    let mut file: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!((&file["format"], &file["readable_by"]), (&1.into(), &1.into()));
    file["format"] = 2.into();
    file["groups"] = serde_json::json!(["night"]);
    file["users"][0]["phone"] = "110".into();
    fs::write(&path, file.to_string()).unwrap();
    add(&path, "li").unwrap();
    let kept: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(kept["format"], 2);
    assert_eq!(kept["groups"], file["groups"]);
    assert_eq!(kept["users"][0], file["users"][0]);
    assert_eq!(kept["users"][1]["name"], "li");
}

#[test]
fn a_file_from_before_formats_were_noted_is_read_and_one_of_a_far_version_is_refused_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(USERS_FILE);
    add(&path, "wang").unwrap();
    let good = fs::read_to_string(&path).unwrap();
    let mut file: serde_json::Value = serde_json::from_str(&good).unwrap();
    file.as_object_mut().unwrap().retain(|key, _| !["format", "readable_by"].contains(&&**key));
    fs::write(&path, file.to_string()).unwrap();
    assert!(Users::load(&path).unwrap().user("wang").is_some());
    let far = "{\"format\": 7, \"readable_by\": 6, \"people\": {}}";
    fs::write(&path, far).unwrap();
    let words = Users::load(&path).unwrap_err().words();
    for part in ["users.json", "format 7", "up to 1"] {
        assert!(words.en.contains(part), "{}", words.en);
    }
    assert!(words.zh.contains("更高版本"));
    assert!(add(&path, "li").is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), far);
}
