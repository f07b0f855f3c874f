//! The models hold together, every built-in profile keeps to them, and what differs is told.

use std::collections::BTreeMap;

use super::*;
use crate::profile::{BUILT_IN, Profile, parse};

fn profiles() -> impl Iterator<Item = Profile> {
    BUILT_IN.iter().map(|(id, text)| parse(&format!("{id}.toml"), text).unwrap().profile)
}

fn told(profile: &Profile, weight: Weight) -> Vec<String> {
    let found = comply(profile, CategoryModels::built_in());
    found.iter().filter(|one| one.weight() == weight).map(|one| one.told().en).collect()
}

#[test]
fn no_built_in_profile_means_something_else_by_a_known_name() {
    let mut wrong = Vec::new();
    for profile in profiles() {
        let faults = told(&profile, Weight::Fault);
        wrong.extend(faults.iter().map(|fault| format!("{}: {fault}", profile.id)));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn one_name_has_one_unit_and_one_quantity_in_all_built_in_profiles_known_or_not() {
    let mut seen = BTreeMap::new();
    for profile in profiles() {
        for point in profile.points.iter() {
            let name = name_parts(&point.name).map_or(&*point.name, |parts| parts.property);
            let of = (point.unit, point.quantity, profile.id.clone());
            let first = seen.entry(name.to_owned()).or_insert_with(|| of.clone());
            assert_eq!((first.0, first.1), (of.0, of.1), "{name}: {} and {}", first.2, of.2);
        }
    }
    assert!(seen.len() > 100, "{}", seen.len());
}

#[test]
fn every_built_in_profile_offers_what_its_category_is_there_for() {
    // The first of what a category should offer is what it is there for. A clamp measures current
    // alone, and some chargers tell flags from which no state can be made.
    const WITHOUT: [&str; 4] =
        ["chirpstack-milesight-ct10x", "evcc-loadpoint", "openwb", "vestel-evc04"];
    let mut lacking = Vec::new();
    for profile in profiles() {
        let models = CategoryModels::built_in();
        let Some(first) = models.categories[&profile.category].should.first() else { continue };
        let found = comply(&profile, models);
        if found.iter().any(|one| matches!(one, Compliance::Missing(any, _) if any == first)) {
            lacking.push(profile.id);
        }
    }
    lacking.retain(|id| !WITHOUT.contains(&id.as_str()));
    assert_eq!(lacking, Vec::<String>::new());
}

#[test]
fn a_name_is_taken_apart_into_member_property_and_part() {
    let cases = [
        ("phaseVoltage", None, "phaseVoltage", None),
        ("phaseVoltage.L2", None, "phaseVoltage", Some("L2")),
        ("lineVoltage.L12", None, "lineVoltage", Some("L12")),
        ("current.N", None, "current", Some("N")),
        ("angle.x", None, "angle", Some("x")),
        ("cells.120.door", Some(("cells", "120")), "door", None),
        ("channels.1.activePower.L2", Some(("channels", "1")), "activePower", Some("L2")),
    ];
    for (name, member, property, part) in cases {
        assert_eq!(name_parts(name), Some(NameParts { member, property, part }), "{name}");
    }
    for name in ["supply.temperature", "a.b.c", "cells.1.door.L1.L2", "phaseVoltage.L123"] {
        assert_eq!(name_parts(name), None, "{name}");
    }
    // A number at the end is no member: nothing is said of it.
    assert_eq!(name_parts("cells.3"), None);
}

const CHARGER: &str = r#"
category = "ev_charger"
title = { zh = "充电桩", en = "charger" }
products = [{ brand = "A", model = "B" }]
sources = ["datasheet"]
[labels.own]
0 = ["离网", "offline"]
1 = ["充电", "charging"]
7 = ["休眠", "asleep"]
[modbus]
table = "holding"
encoding = "u16"
[[points]]
name = "connectorStatus"
quantity = "state"
labels = "own"
address = 1
[[points]]
name = "totalActivePower"
unit = "kW"
address = 2
[[points]]
name = "charging"
address = 3
[[points]]
name = "fanSpeed"
address = 4
[[examples]]
registers = [{ table = "holding", address = 1, words = [0] }]
readings = { connectorStatus = 0 }
"#;

fn charger(from: &str, to: &str) -> Profile {
    let text = CHARGER.replacen(from, to, 1);
    parse("charger.toml", &text).unwrap_or_else(|faults| panic!("{faults:?}")).profile
}

#[test]
fn what_a_profile_lacks_is_a_note_and_what_contradicts_is_a_fault() {
    let profile = charger("", "");
    assert_eq!(
        told(&profile, Weight::Note),
        [
            "lacks one of `totalActiveEnergyImport`, `activeEnergyImport`, `sessionEnergy` (total active energy, import; active energy, import; energy of the session)"
        ]
    );
    assert_eq!(
        told(&profile, Weight::Fault),
        [
            "`connectorStatus` calls code 1 `charging`, among the shared codes `connectorStatus` it is `available`: map what the device says by `codes`",
            "`connectorStatus` has code 7 (`asleep`), the shared codes `connectorStatus` are 0 1 2 3 4 255: map what the device says by `codes`",
            "`totalActivePower` is in `kW`, by this name it is in `W` everywhere: convert it by `factor` (1000 times as much), or call it otherwise",
            "`charging` has quantity `instantaneous`, by this name it is `flag` everywhere: set `quantity`, or call it otherwise",
        ]
    );
    assert_eq!(told(&profile, Weight::Detail), ["`fanSpeed` is a name of its own, in no category"]);
}

#[test]
fn a_member_and_a_part_count_as_the_property() {
    let profile = charger("\"totalActivePower\"\nunit = \"kW\"", "\"connectors.1.activePower.L1\"");
    let faults = told(&profile, Weight::Fault);
    assert!(faults[2].starts_with("`connectors.1.activePower.L1` is in `1`"), "{faults:?}");
    let notes = told(&profile, Weight::Note);
    assert!(notes.iter().all(|note| !note.contains("activePower`")), "{notes:?}");
}

#[test]
fn a_name_of_parts_does_not_stand_for_the_whole() {
    let profile = charger("\"totalActivePower\"\nunit = \"kW\"", "\"activePower\"\nunit = \"W\"");
    let faults = told(&profile, Weight::Fault);
    assert!(faults.iter().any(|fault| fault.contains("the whole is called `totalActivePower`")));
}

#[test]
fn shared_codes_need_no_table_in_the_file() {
    let shared = charger("labels = \"own\"", "labels = \"connectorStatus\"");
    assert_eq!(shared.points[0].labels, CategoryModels::built_in().labels["connectorStatus"]);
    assert!(told(&shared, Weight::Fault).iter().all(|fault| !fault.contains("connectorStatus")));
    let bare = charger("labels = \"own\"\n", "");
    assert!(told(&bare, Weight::Fault)[0].contains("write `labels = \"connectorStatus\"`"));
}

#[test]
fn a_file_that_does_not_hold_together_is_refused() {
    for (good, bad, told) in [
        ("quantity = \"state\", labels = \"binStatus\"", "labels = \"binStatus\"", "status"),
        ("labels = \"binStatus\"", "labels = \"binState\"", "binState"),
        ("[categories.other]", "[categories.others]", "others"),
        ("whole = \"totalActivePower\"", "whole = \"power\"", "no property `power`"),
        ("\"pm1\", \"form", "\"pm2\", \"form", "no property `pm2`"),
        ("unit = \"Hz\"", "unit = \"Hertz\"", "Hertz"),
        ("unit = \"Hz\"", "unit = \"Hz\", units = [\"V\"]", "not both"),
        ("255 = [", "x = [", "`x` is no code"),
    ] {
        let text = TEXT.replacen(good, bad, 1);
        assert_ne!(text, TEXT, "{good}");
        let wrong = CategoryModels::read(&text).unwrap_err();
        assert!(wrong.contains(told), "{bad}: {wrong}");
    }
}
