//! A folder of profiles with one mistake each: what `linli profiles check` says of it stands beside
//! the file, word for word, and must lead to the mend.
//!
//! Where a text changes on purpose, from the root of the project:
//! `linli profiles check tests/data/wrong-profiles/NAME.toml 2> tests/data/wrong-profiles/NAME.txt`

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::parts::program;

const FOLDER: &str = "tests/data/wrong-profiles";

#[test]
fn each_wrong_profile_is_refused_with_place_value_and_what_is_allowed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<String> = fs::read_dir(root.join(FOLDER))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let (files, texts): (Vec<&str>, Vec<&str>) =
        names.iter().map(String::as_str).partition(|name| name.ends_with(".toml"));
    let mut told_of = Vec::new();
    let mut differ = Vec::new();
    for name in &files {
        let file = format!("{FOLDER}/{name}");
        let output = Command::new(program())
            .args(["profiles", "check", &file])
            .current_dir(root)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{file}");
        let told = String::from_utf8(output.stderr).unwrap();
        let beside = file.replace(".toml", ".txt");
        let wanted = fs::read_to_string(root.join(&beside)).unwrap_or_default();
        if told != wanted {
            differ.push(format!("{beside} says\n{wanted}but the check says\n{told}"));
        }
        // One mistake is one fault: an echo would hide it.
        assert_eq!(told.matches(".toml:").count(), 1, "{told}");
        let line = told.split(".toml:").nth(1).and_then(|rest| rest.split([':', ' ']).next());
        let in_example = told.contains("example in line ");
        assert!(in_example || line.is_some_and(|line| line.parse::<usize>().is_ok()), "{told}");
        told_of.push(beside.rsplit('/').next().unwrap().to_owned());
    }
    assert!(differ.is_empty(), "\n{}", differ.join("\n"));
    assert_eq!(texts, told_of, "each text belongs to a profile");
    assert!(files.len() >= 20, "{}", files.len());
}
