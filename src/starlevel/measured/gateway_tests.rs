//! The checks on the gateway itself: its safety (G2) and its logs (G4).

use std::sync::Arc;

use crate::model::{Category, Estate, EstateKind, GatewayId, Snapshot, Words};
use crate::selftest::logs::{LogLook, Storage};
use crate::selftest::{Item, Outcome as Found, Report};
use crate::starlevel::tests::{after, device, outcome, wall};
use crate::starlevel::*;

const DAY: i64 = 86_400_000;

fn item(id: &'static str, outcome: Found) -> Item {
    let title = Words::from((id, "项"));
    Item { id, title, outcome, seen: Words::default(), todo: None }
}

fn logs(storage: Storage) -> LogLook {
    LogLook { storage, oldest_ms: None, bytes: 0, most_bytes: None, retention_s: None }
}

/// The assessment ten days after the start of the evidence, with this report.
fn assess(report: Option<Report>) -> Assessment {
    let gateway = GatewayId::new("g").unwrap();
    let devices = vec![device("a", Category::EvCharger)];
    let estate = Arc::new(Estate::new(gateway, String::new(), EstateKind::New, devices).unwrap());
    let snapshot = Snapshot::new(Arc::clone(&estate), after(0));
    let mut engine = Engine::new(RulePack::built_in(), estate, after(0));
    if let Some(report) = report {
        engine.set_self_test(report);
    }
    for now in [after(30), after(10 * 86_400)] {
        engine.observe(&snapshot, now, Some(wall(now)), &GatewaySeen::default());
    }
    let now = after(10 * 86_400);
    engine.assess(&snapshot, &LinkEvidence::default(), now, Some(wall(now)))
}

fn security(items: Vec<Item>) -> (Outcome, String) {
    let result = assess(Some(Report { items, logs: logs(Storage::Unknown) }));
    let reason = result.check("G2").unwrap().reason.clone();
    (outcome(&result, "G2", 2), reason.map(|reason| reason.en).unwrap_or_default())
}

#[test]
fn one_failed_item_fails_the_self_test_and_one_unseen_leaves_it_unknown() {
    assert_eq!(outcome(&assess(None), "G2", 2), Outcome::Unknown);
    let (pass, fail, unknown) =
        (item("a", Found::Pass), item("b", Found::Fail), item("c", Found::Unknown));
    let (failed, reason) = security(vec![unknown.clone(), pass.clone(), fail.clone()]);
    assert_eq!((failed, reason.as_str()), (Outcome::NotMet, "failed: b; not testable: c"));
    let (unseen, reason) = security(vec![pass.clone(), unknown]);
    assert_eq!((unseen, reason.as_str()), (Outcome::Unknown, "not testable: c"));
    assert_eq!(security(vec![pass.clone()]), (Outcome::Met, String::new()));
    let items = vec![pass, fail];
    let result = assess(Some(Report { items, logs: logs(Storage::Unknown) }));
    let ids: Vec<&str> = result.self_test.iter().map(|item| item.id.as_str()).collect();
    assert_eq!(ids, ["b", "a"], "worst first");
}

/// The outcome of G4, and what was measured, when the journal begins so many days ago.
fn kept(days: i64, bytes: u64, most: Option<u64>) -> (Outcome, Option<Measure>) {
    let now = wall(after(10 * 86_400)).unix_ms;
    let oldest_ms = Some(now - days * DAY);
    let look = LogLook { oldest_ms, bytes, most_bytes: most, ..logs(Storage::Persistent) };
    judged(look)
}

fn judged(logs: LogLook) -> (Outcome, Option<Measure>) {
    let result = assess(Some(Report { items: Vec::new(), logs }));
    let check = result.check("G4").unwrap();
    assert!(check.reason.is_some(), "it says why");
    (check.outcome, check.measured)
}

#[test]
fn logs_that_are_lost_at_a_restart_are_none_and_unseen_ones_are_unknown() {
    let none = Some(Measure::Number(0.0));
    assert_eq!(judged(logs(Storage::Volatile)), (Outcome::NotMet, none));
    assert_eq!(judged(logs(Storage::Off)), (Outcome::NotMet, none));
    assert_eq!(judged(logs(Storage::Unknown)), (Outcome::Unknown, None));
    assert_eq!(judged(logs(Storage::Hidden)), (Outcome::Unknown, None));
    assert_eq!(judged(logs(Storage::Persistent)), (Outcome::Unknown, None), "no head was readable");
}

#[test]
fn a_young_box_is_judged_by_what_its_limits_allow_and_an_old_one_by_what_is_there() {
    let measured = |days: f64| Some(Measure::Number(days));
    // The gateway is ten days old. 1000 bytes in ten days: 100 a day.
    assert_eq!(kept(10, 1000, Some(18_300)), (Outcome::Met, measured(183.0)));
    assert_eq!(kept(10, 1000, Some(18_200)), (Outcome::NotMet, measured(182.0)));
    assert_eq!(kept(10, 1000, None), (Outcome::Unknown, None), "the space is not known");
    // What is older than four days is gone, whatever the limits say.
    assert_eq!(kept(4, 1000, Some(1 << 30)), (Outcome::NotMet, measured(4.0)));
    // Long enough already.
    assert_eq!(kept(183, 1000, Some(1)), (Outcome::Met, measured(183.0)));
}
