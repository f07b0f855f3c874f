//! What changes is named; what only moved in the file is not.

use super::*;
use crate::config::parse;
use crate::profile::Library;

const HEAD: &str = "[gateway]\nid = \"g\"\n[clock]\ntrust = \"system\"\n";
const ROW: &str = "[[bus]]\nid = \"row\"\ntcp = \"127.0.0.1:502\"\n";
const LINE: &str = "[[bus]]\nid = \"line\"\ntcp = \"127.0.0.1:503\"\n";

fn meter(id: &str, unit: u8) -> String {
    format!(
        "[[device]]\nid = \"{id}\"\nprofile = \"eastron-sdm120\"\nbus = \"row\"\nunit = {unit}\n"
    )
}

fn told(old: &str, new: &str) -> Vec<String> {
    let library = Library::load(&[]).unwrap();
    let settings = |text: &str| parse("linli.toml", text, &library).unwrap();
    between(&settings(old), &settings(new)).into_iter().map(|words| words.en).collect()
}

#[test]
fn added_removed_and_changed_devices_are_named() {
    let old = format!("{HEAD}{ROW}{}{}{}", meter("a", 1), meter("b", 2), meter("c", 3));
    let new = format!("{HEAD}{ROW}{}{}{}", meter("a", 1), meter("b", 9), meter("d", 4));
    let want = ["devices added: d", "devices removed: c", "devices changed: b"];
    assert_eq!(told(&old, &new), want);
}

#[test]
fn what_only_moved_in_the_file_did_not_change() {
    let old = format!("{HEAD}{ROW}{LINE}{}{}", meter("a", 1), meter("b", 2));
    let new = format!("{HEAD}\n\n{LINE}{ROW}{}{}", meter("b", 2), meter("a", 1));
    assert_eq!(told(&old, &new), ["nothing in it; the files that it names were read again"]);
}

#[test]
fn changed_sections_are_named_and_many_names_are_cut() {
    let old = format!("{HEAD}{ROW}{}", meter("a", 1));
    let many: String = (2..=9).map(|unit| meter(&format!("m{unit}"), unit)).collect();
    let new = format!("{HEAD}[log]\nlevel = \"debug\"\n{ROW}{}{many}", meter("a", 1));
    assert_eq!(told(&old, &new), ["devices added: m2, m3, m4, m5, m6 and 3 more", "[log]"]);
}
