//! The attestations file.

use super::*;
use crate::starlevel::{RulePack, read_attestations};

const EXAMPLE: &str = include_str!("../../../../config/attestations.toml");

fn faults(text: &str) -> Vec<String> {
    let faults = read_attestations("a.toml", text, &RulePack::built_in()).unwrap_err();
    faults
        .all()
        .iter()
        .map(|fault| {
            let hint = fault.hint.as_deref().map(|hint| format!(" / {hint}")).unwrap_or_default();
            format!("{} {}: {}{hint}", fault.place.line, fault.place.path, fault.problem)
        })
        .collect()
}

#[test]
fn every_fault_of_the_file_is_told_at_once_with_line_key_and_way_out() {
    let text = r#"[[inventory]]
by = " "
on = "2026-13-01"
[inventory.devices]
electricty_meter = 3
water_meter = 2.5
other = 1
[[not_applicable]]
category = "gas_metre"
by = "王"
on = "2026-01-01"
until = "2027-01-02"
[[security_grading]]
issuer = "公安"
date = "2026-01-01"
by = "王"
on = "2026-01-01"
until = "2025-12-31"
[[privacy]]
document = ""
by = "王"
on = 2026-01-01
[[advisory]]
item = "SD9"
share = 85
origin = "x"
by = "王"
on = "2026-01-01"
[[inventories]]
"#;
    let wanted = [
        "2 inventory[0].by: is empty",
        "3 inventory[0].on: is no date",
        "5 inventory[0].devices.electricty_meter: `electricty_meter` is none of the twelve \
         categories / did you mean \"electricity_meter\"?",
        "6 inventory[0].devices.water_meter: is not a whole number of devices in range",
        "7 inventory[0].devices.other: `other` is none of the twelve categories",
        "12 not_applicable[0].until: is more than 365 days after 2026-01-01 / write \"2027-01-01\"",
        "8 not_applicable[0].reason: is missing",
        "9 not_applicable[0].category: is not one of the words allowed / did you mean \"gas_meter\"?",
        "18 security_grading[0].until: is before the day it was said, 2026-01-01",
        "13 security_grading[0].document: is missing",
        "15 security_grading[0].date: there is no key `date` here / did you mean `on`?",
        "22 privacy[0].on: is a date",
        "20 privacy[0].document: is empty",
        "24 advisory[0].item: is not one of the words allowed / did you mean \"SD5\"?",
        "25 advisory[0].share: is out of range",
        "29 inventories: there is no key `inventories` here / did you mean `inventory`?",
    ];
    let found = faults(text);
    for fault in wanted {
        assert!(found.iter().any(|f| f == fault), "{fault}\nis not among\n{}", found.join("\n"));
    }
    assert_eq!(found.len(), wanted.len(), "{}", found.join("\n"));
}

#[test]
fn the_same_subject_twice_on_one_day_is_a_fault_and_a_renewal_is_none() {
    let one = "[[privacy]]\ndocument = \"a\"\nby = \"王\"\non = \"2026-01-01\"\n";
    let found = faults(&one.repeat(2));
    assert_eq!(found, ["5 privacy[1]: `privacy` of 2026-01-01 stands in line 1 already"]);
    let renewed = format!("{one}{}", one.replace("2026-01-01", "2026-12-01"));
    assert_eq!(read_attestations("a", &renewed, &RulePack::built_in()).unwrap().len(), 2);
}

#[test]
fn an_inventory_without_a_count_and_a_text_of_two_lines_are_faults() {
    let text = "[[inventory]]\nby = \"王\\n工\"\non = \"2026-01-01\"\ndevices = {}\n";
    let found = faults(text);
    assert_eq!(
        found,
        ["2 inventory[0].by: is not one line of text", "4 inventory[0].devices: is empty"]
    );
    let long = "长".repeat(65);
    let text = format!("[[inventory]]\nby = \"{long}\"\non = \"2026-01-01\"\n");
    let found = faults(&text);
    assert_eq!(
        found,
        [
            "1 inventory[0].devices: is missing",
            "2 inventory[0].by: has 65 characters, allowed are 64"
        ]
    );
}

#[test]
fn the_example_is_read_and_without_until_an_attestation_holds_as_long_as_the_pack_allows() {
    let pack = RulePack::built_in();
    let read =
        read_attestations("attestations.toml", EXAMPLE, &pack).unwrap_or_else(|f| panic!("{f}"));
    let words: Vec<String> = read.iter().map(|one| one.subject.word()).collect();
    for what in ["inventory/water_meter", "not_applicable/book_machine", "advisory/SD1", "privacy"]
    {
        assert!(words.iter().any(|word| word == what), "{what}");
    }
    let privacy = read.iter().find(|one| one.subject.word() == "privacy").unwrap();
    assert_eq!((privacy.on, privacy.until), (day("2026-11-01"), day("2027-11-01")));
}
