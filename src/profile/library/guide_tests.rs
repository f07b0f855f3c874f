//! The guide beside the profiles: what it shows can be copied and works.

use super::*;
use crate::model::Unit;
use crate::profile::run_examples;

const GUIDE: &str = include_str!("../../../config/profiles/README.md");

/// The fenced blocks of a language, indents taken off.
fn blocks(language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in GUIDE.lines().map(str::trim_start) {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(word)) if word == language => open = Some(String::new()),
            (Some(_), Some("")) => blocks.extend(open.take()),
            (Some(block), _) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, _) => {}
        }
    }
    blocks
}

#[test]
fn every_whole_profile_of_the_guide_is_good() {
    let mut whole = 0;
    for block in blocks("toml") {
        let name = block.lines().next().unwrap_or_default().trim_start_matches("# ");
        if !name.ends_with(".toml") {
            continue;
        }
        let loaded = parse(name, &block).unwrap_or_else(|faults| panic!("{faults:?}\n{block}"));
        assert_eq!(run_examples(&loaded), [], "{block}");
        whole += 1;
    }
    assert!(whole >= 6, "{whole} whole profiles are shown");
}

#[test]
fn every_other_snippet_of_the_guide_is_at_least_toml() {
    for block in blocks("toml") {
        toml::from_str::<toml::Table>(&block).unwrap_or_else(|error| panic!("{error}\n{block}"));
    }
}

#[test]
fn the_guide_names_every_unit_that_there_is() {
    let Err(error) = Unit::parse("?") else { panic!("`?` is no unit") };
    let known = error.to_string();
    let known = known.rsplit("known are ").next().unwrap_or_default();
    assert!(known.split(' ').count() > 40, "{known}");
    for unit in known.split(' ') {
        assert!(GUIDE.contains(&format!("`{unit}`")), "{unit} is not in the guide");
    }
}
