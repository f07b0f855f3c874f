//! A rebuilding that is cut short, at each of its steps and at any moment.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::*;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A child of the other test holds our lock until it has become another program.
fn open(path: &Path) -> Store {
    loop {
        match Store::open(path, Limits::default()) {
            Err(StoreError::Locked { .. }) => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

fn put(tree: &Tree, number: u64) {
    let mut changes = Changes::default();
    let value: Vec<u8> = number.to_le_bytes().iter().copied().cycle().take(900).collect();
    changes.insert(&number.to_be_bytes(), &value);
    tree.apply(changes).unwrap();
}

/// The numbers stored, each with its value whole.
fn numbers(store: &Store, tree: &str) -> Vec<u64> {
    let mut found = Vec::new();
    store
        .tree(tree)
        .scan(&[0], &[255; 9], |key, value| {
            let number = u64::from_be_bytes(key.try_into().unwrap());
            let whole: Vec<u8> = number.to_le_bytes().iter().copied().cycle().take(900).collect();
            assert!(value == whole, "the value of {number} is damaged");
            found.push(number);
            ControlFlow::Continue(())
        })
        .unwrap();
    found
}

/// A folder before and after it was rebuilt.
fn before_and_after(folder: &Path) -> (PathBuf, PathBuf) {
    let (old, new) = (folder.join("old"), folder.join("new"));
    let store = open(&folder.join("s"));
    for number in 0..400 {
        put(&store.tree("a"), number);
        put(&store.tree("b"), number + 1000);
        if number % 20 == 0 {
            store.commit().unwrap();
        }
    }
    store.commit().unwrap();
    copy(store.path(), &old);
    store.rebuild().unwrap();
    copy(store.path(), &new);
    assert!(folder_bytes(&new) < folder_bytes(&old));
    (old, new)
}

fn folder_bytes(path: &Path) -> u64 {
    fs::read_dir(path).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

#[test]
fn a_rebuilding_that_was_cut_short_at_any_step_leaves_everything_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = before_and_after(folder.path());
    let half = |from: &Path, to: &Path, keep_db: bool| {
        copy(from, to);
        if keep_db {
            fs::remove_file(to.join("conf")).unwrap();
            let db = fs::read(to.join("db")).unwrap();
            fs::write(to.join("db"), &db[..db.len() / 3]).unwrap();
        } else {
            fs::remove_file(to.join("db")).unwrap();
        }
    };
    // What lies at the path, what beside it.
    let empty = |to: &Path| fs::create_dir_all(to).unwrap();
    type Beside<'a> = &'a dyn Fn(&Path);
    let steps: [(&str, &Path, Beside<'_>); 7] = [
        ("the folder was made", &old, &empty),
        ("half was copied", &old, &|to| half(&new, to, true)),
        ("all was copied", &old, &|to| copy(&new, to)),
        ("they were exchanged", &new, &|to| copy(&old, to)),
        ("the old one was removed in part", &new, &|to| half(&old, to, false)),
        ("only its folder was left", &new, &empty),
        ("done", &new, &|_| {}),
    ];
    for (n, (step, at, beside)) in steps.into_iter().enumerate() {
        let path = folder.path().join(format!("step-{n}"));
        let rest = files::beside(&path, REBUILD);
        copy(at, &path);
        beside(&rest);
        for again in 0..2 {
            let store = open(&path);
            assert_eq!(numbers(&store, "a"), (0..400).collect::<Vec<_>>(), "{step}, {again}");
            assert_eq!(numbers(&store, "b"), (1000..1400).collect::<Vec<_>>(), "{step}, {again}");
            assert!(!rest.exists(), "{step}");
            store.rebuild().unwrap();
            assert!(!rest.exists(), "{step}");
        }
    }
}

const CHILD: &str = "LINLI_TEST_STORE";

/// Run by the test below in a process of its own, until it is killed.
#[test]
#[ignore = "a part of another test"]
fn child_that_writes_and_rebuilds() {
    let path = std::env::var_os(CHILD).expect("the other test says where");
    let store = open(Path::new(&path));
    let tree = store.tree("a");
    for number in numbers(&store, "a").len() as u64.. {
        put(&tree, number);
        store.commit().unwrap();
        println!("\nconfirmed {number}");
        if number % 4 == 3 {
            store.rebuild().unwrap();
        }
    }
}

#[test]
fn a_kill_in_the_middle_of_rebuilding_loses_nothing_that_was_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let mut random = fastrand::Rng::with_seed(6);
    let mut left_beside = 0;
    for round in 0..20 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::tests::child_that_writes_and_rebuilds", "--ignored"])
            .arg("--nocapture")
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut confirmed = 0;
        // Open to the end: a child that cannot print ends by itself.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut until = random.u32(4..12);
        for line in lines.by_ref().map_while(Result::ok) {
            if let Some(number) = line.strip_prefix("confirmed ") {
                confirmed = number.parse().unwrap();
                until -= 1;
            }
            if until == 0 {
                break;
            }
        }
        assert_eq!(until, 0, "the child ended by itself");
        // Anywhere in what follows.
        #[expect(clippy::disallowed_methods, reason = "the child runs in real time")]
        std::thread::sleep(Duration::from_micros(random.u64(0..20_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        left_beside += u32::from(files::beside(&path, REBUILD).exists());
        let store = open(&path);
        let found = numbers(&store, "a");
        assert_eq!(found, (0..found.len() as u64).collect::<Vec<_>>(), "round {round}");
        assert!(found.len() as u64 > confirmed, "round {round}: {confirmed} was confirmed");
    }
    println!("{left_beside} of 20 kills hit a rebuilding");
    assert!(left_beside > 0, "no kill hit a rebuilding");
}
