//! What the program stands on: every direct dependency has its reason, every exception too.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

fn table(name: &str) -> toml::Table {
    read(name).parse().unwrap()
}

#[test]
fn every_direct_dependency_has_a_line_that_says_why() {
    let manifest = table("Cargo.toml");
    let wanted: BTreeSet<String> =
        manifest["dependencies"].as_table().unwrap().keys().cloned().collect();
    let page = read(".doc/dependencies.md");
    let mut named = Vec::new();
    for row in page.lines().filter(|line| line.starts_with("| ")).skip(2) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 4, "{row}");
        assert!(cells.iter().all(|cell| cell.len() >= 3), "an empty cell: {row}");
        named.push(cells[0].to_owned());
    }
    assert!(named.is_sorted(), "in the order of the alphabet: {named:?}");
    let found: BTreeSet<String> = named.iter().cloned().collect();
    assert_eq!(found.len(), named.len(), "a crate has two lines");
    assert_eq!(found, wanted, ".doc/dependencies.md against Cargo.toml");
}

#[test]
fn every_exception_of_cargo_deny_says_why() {
    let deny = table(".deny.toml");
    let lists = [("bans", "skip"), ("bans", "skip-tree"), ("advisories", "ignore")];
    for (section, list) in lists {
        let entries = deny[section][list].as_array().unwrap();
        assert!(!entries.is_empty(), "{section}.{list}");
        for entry in entries {
            let why = entry.get("reason").and_then(toml::Value::as_str).unwrap_or_default();
            assert!(why.len() >= 20, "{section}.{list}: {entry} has no reason");
        }
    }
    assert_eq!(deny["bans"]["multiple-versions"].as_str(), Some("deny"));
    assert_eq!(deny["sources"]["unknown-registry"].as_str(), Some("deny"));
    assert_eq!(deny["sources"]["unknown-git"].as_str(), Some("deny"));
}
