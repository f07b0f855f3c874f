//! `linli scan` on a simulated line: alone, and beside the running gateway.

use std::fs;

use linli::sim::line::Line;
use serde_json::Value;

use super::daemon::{Place, at, built_in, entry};
use crate::parts::wait_until;

const SCAN: [&str; 6] = ["--baud", "9600", "--frame", "8E1,8N1", "--patience", "40ms"];

/// Addresses that meet on the wild card.
const METERS: [&str; 3] = ["000000000011", "000000000022", "000000000033"];

fn mixed_line() -> Line {
    let mut line = Line::builder();
    for meter in METERS {
        line = line.slave(built_in("dlt645-2007-single-phase", meter));
    }
    line.slave(built_in("cjt188-water", "00000000004711"))
        .slave(built_in("eastron-sdm120", "3"))
        .slave(built_in("xy-md02", "5"))
        .build()
}

#[test]
fn a_scan_of_its_own_finds_every_meter_and_prints_entries_that_the_check_takes() {
    let place = Place::new("");
    let line = mixed_line();
    let _served = place.serve(&line);
    let path = place.line().display().to_string();
    let none = place.folder.join("none.toml").display().to_string();
    let mut arguments = vec!["scan", "--serial", &path, "--units", "1-8", "--config", &none];
    arguments.extend(SCAN);
    let (code, entries) = place.command(&arguments);
    assert_eq!(code, 0, "{}", place.told());
    for meter in METERS.iter().chain(&["00000000004711"]) {
        assert_eq!(entries.matches(&format!("address = \"{meter}\"")).count(), 1, "{entries}");
    }
    for (unit, profile) in [(3, "eastron-sdm120"), (5, "xy-md02")] {
        let wanted = format!("profile = \"{profile}\"\nbus = \"line-1\"\nunit = {unit}\n");
        assert!(entries.contains(&wanted), "{entries}");
    }
    assert_eq!(entries.matches("[[device]]").count(), 6, "{entries}");
    assert!(!entries.contains("# [[device]]"), "a model fits each: {entries}");

    let base = fs::read_to_string(place.config()).unwrap();
    let base = base.split("[[bus]]").next().unwrap();
    let whole = place.folder.join("whole.toml");
    fs::write(&whole, format!("{base}{entries}")).unwrap();
    let (code, said) = place.command(&["check", "--config", whole.to_str().unwrap()]);
    assert_eq!(code, 0, "{said}{}\n{entries}", place.told());
}

#[test]
fn a_scan_beside_the_gateway_goes_through_it_and_costs_no_poll() {
    let known = [("first", METERS[0]), ("second", METERS[1])];
    let mut devices: String =
        known.iter().map(|(id, meter)| entry(id, "dlt645-2007-single-phase", meter)).collect();
    devices += &entry("power", "eastron-sdm120", "3");
    let place = Place::new(&devices);
    let line = mixed_line();
    let _served = place.serve(&line);
    let daemon = place.run();
    for id in ["first", "second", "power"] {
        wait_until(&format!("{id} is online"), || place.online(id));
    }
    // A first sweep reads everything at once: let it pass.
    let asked = line.handle(at("3")).unwrap();
    let before = asked.requests();
    wait_until("the polls are in their stride", || asked.requests() > before + 10);
    let before = place.bus();
    let config = place.config().display().to_string();
    let mut arguments = vec!["scan", "line", "--json", "--units", "1-6", "--config", &config];
    arguments.extend(SCAN);
    let (code, events) = place.command(&arguments);
    assert_eq!(code, 0, "{}", place.told());
    assert!(place.told().contains("between its polls"), "{}", place.told());
    let mut found: Vec<(String, Option<String>)> = Vec::new();
    for event in events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let text = |key: &str| event[key].as_str().map(str::to_owned);
        let place = text("address").or_else(|| event["unit"].as_u64().map(|unit| unit.to_string()));
        if let Some(place) = place {
            found.push((place, text("known")));
        }
    }
    found.sort();
    let wanted = [
        ("00000000004711", None),
        (METERS[0], Some("first")),
        (METERS[1], Some("second")),
        (METERS[2], None),
        ("3", Some("power")),
        ("5", None),
    ];
    let mut wanted: Vec<(String, Option<String>)> =
        wanted.iter().map(|(at, id)| ((*at).to_owned(), id.map(str::to_owned))).collect();
    wanted.sort();
    assert_eq!(found, wanted, "{events}");

    let after = place.bus();
    assert_eq!(after["missed"], before["missed"], "no poll was skipped: {after}");
    for count in ["timeouts", "damaged"] {
        assert_eq!(after[count], before[count], "no poll was lost: {after}");
    }
    for id in ["first", "second", "power"] {
        assert!(place.online(id), "{id} stays online");
    }
    assert_eq!(daemon.terminate(), 0);
}
