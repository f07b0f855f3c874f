//! The commands as a user meets them.

use std::fs;
use std::process::{Command, Output};

fn linli(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_linli")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn every_command_has_help() {
    let commands =
        ["run", "check", "decode", "demo", "simulate", "profiles", "buffer", "stars"].map(Some);
    for command in commands.into_iter().chain([None]) {
        let arguments: Vec<&str> = command.into_iter().chain(["--help"]).collect();
        let output = linli(&arguments);
        assert!(output.status.success(), "{arguments:?}");
        assert!(text(&output.stdout).contains("Usage:"), "{arguments:?}");
    }
}

#[test]
fn the_example_configuration_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/config/linli.toml");
    let config = fs::read_to_string(example)
        .unwrap()
        .replace("/var/lib/linli", folder.path().to_str().unwrap());
    let file = folder.path().join("linli.toml");
    fs::write(&file, config).unwrap();
    let output = linli(&["check", "--config", file.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn a_bad_configuration_ends_with_64_and_all_faults_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("linli.toml");
    let config = format!(
        r#"
[gateway]
id = "Bad Name"
[buffer]
path = "{0}/buffer"
tick = 5
[[bus]]
id = "line-1"
tpc = "127.0.0.1:502"
[[device]]
id = "m1"
profile = "eastron-sdm12"
bus = "line-2"
unit = 300
"#,
        folder.path().display()
    );
    fs::write(&file, config).unwrap();
    for command in ["check", "run"] {
        let output = linli(&[command, "--config", file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(64), "{command}");
        let faults = text(&output.stderr);
        for part in ["Bad Name", "tick", "tpc", "eastron-sdm120", "line-2", "300"] {
            assert!(faults.contains(part), "`{part}` is missing in:\n{faults}");
        }
    }
    let output = linli(&["check", "--json", "--config", file.to_str().unwrap()]);
    let faults: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(faults.as_array().unwrap().len() >= 6, "{faults}");
    assert!(faults[0]["line"].is_u64(), "{faults}");
}

#[test]
fn a_missing_configuration_is_named() {
    let output = linli(&["check", "--config", "/nowhere/linli.toml"]);
    assert_eq!(output.status.code(), Some(64));
    assert!(text(&output.stderr).contains("/nowhere/linli.toml"));
}

#[test]
fn the_profiles_are_listed_shown_and_checked() {
    let list = linli(&["profiles", "list"]);
    assert!(list.status.success());
    assert!(text(&list.stdout).contains("eastron-sdm630"));
    let show = linli(&["profiles", "show", "eastron-sdm630"]);
    assert!(text(&show.stdout).contains("totalActiveEnergyImport"), "{}", text(&show.stdout));
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config/profiles/eastron-sdm630.toml");
    assert!(linli(&["profiles", "check", file]).status.success());

    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.toml");
    let profile = fs::read_to_string(file).unwrap().replace("\"V\"", "\"Volt\"");
    fs::write(&broken, profile).unwrap();
    let output = linli(&["profiles", "check", broken.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("Volt"), "{}", text(&output.stderr));
}
