//! An example that is wrong says which point, what was expected and what came.

use super::*;
use crate::profile::describe;
use crate::profile::{BUILT_IN, parse};

#[test]
fn a_wrong_reading_names_the_point_the_expected_and_the_obtained() {
    let (id, text) = BUILT_IN.iter().find(|(id, _)| *id == "xy-md02").unwrap();
    let loaded = parse(id, &text.replace("temperature = -5.0", "temperature = 5.0")).unwrap();
    let faults = run_examples(&loaded);
    assert_eq!(faults.len(), 1);
    let said = faults[0].to_string();
    assert!(said.contains("`temperature`: expected 5, got -5"), "{said}");
}

#[test]
fn an_encoding_that_no_example_shows_is_a_fault() {
    let (id, text) = BUILT_IN.iter().find(|(id, _)| *id == "xy-md02").unwrap();
    let loaded = parse(id, &text.replace("temperature = -5.0", "")).unwrap();
    let faults = run_examples(&loaded);
    assert!(faults.iter().any(|fault| fault.point.contains("Signed(1)")), "{faults:?}");
}

#[test]
fn a_description_shows_every_point() {
    for (id, text) in BUILT_IN.iter() {
        let profile = parse(id, text).unwrap().profile;
        let text = describe(&profile);
        for (slot, point) in profile.points.iter().enumerate() {
            // Of like things one stands for all.
            let shown = match profile.member(slot) {
                None => text.contains(&*point.name),
                Some(member) => {
                    let group = &profile.groups[member.group];
                    let (_, rest) = group.place_of(&point.name).unwrap();
                    text.contains(&format!("{}.{{n}}.{rest}", group.name))
                }
            };
            assert!(shown, "{id}: {}", point.name);
        }
    }
}
