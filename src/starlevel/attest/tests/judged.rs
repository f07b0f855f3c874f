//! What the engine makes of attestations and of found devices: C3, G3, G6, what does not apply,
//! the advisory list.

use std::sync::Arc;

use super::*;
use crate::model::{Device, Estate, EstateKind, GatewayId, Moment, Snapshot};
use crate::starlevel::tests::{after, device, hear, outcome, wall};
use crate::starlevel::{
    Assessment, Attested, Discovered, Engine, GatewaySeen, LinkEvidence, Measure, Outcome,
    RulePack, Standing,
};

/// The made-up wall clock of the engine's tests begins at 2026-01-01 07:58 in Shanghai.
const ON: &str = "2026-01-01";
const UNTIL: &str = "2026-12-31";

/// Devices of which those in `heard` bring a reading.
fn engine(devices: Vec<Device>, heard: &[u32]) -> (Engine, Snapshot) {
    let gateway = GatewayId::new("g").unwrap();
    let estate = Estate::new(gateway, String::new(), EstateKind::OldRetrofit, devices).unwrap();
    let estate = Arc::new(estate);
    let snapshot = Snapshot::new(Arc::clone(&estate), after(0));
    let mut engine = Engine::new(RulePack::built_in(), estate, after(0));
    heard.iter().for_each(|slot| hear(&snapshot, *slot, after(0)));
    engine.observe(&snapshot, after(100), Some(wall(after(100))), &GatewaySeen::default());
    (engine, snapshot)
}

fn assess(engine: &mut Engine, snapshot: &Snapshot, attested: Attested) -> Assessment {
    engine.set_attested(Arc::new(attested));
    look(engine, snapshot, after(100), true)
}

fn look(engine: &Engine, snapshot: &Snapshot, now: Moment, trusted: bool) -> Assessment {
    engine.assess(snapshot, &LinkEvidence::default(), now, trusted.then(|| wall(now)))
}

fn page(subjects: Vec<Subject>) -> Attested {
    let page = subjects.into_iter().map(|subject| word(subject, "王", ON, UNTIL)).collect();
    Attested { page, ..Attested::default() }
}

fn stranger(n: u32, category: Option<Category>) -> Discovered {
    Discovered {
        bus: "line-1".into(),
        address: format!("{n:012}"),
        protocol: "modbus".into(),
        category,
        first_seen_ms: None,
    }
}

/// Twenty meters of electricity of which nineteen speak, five of water that all do.
fn meters() -> (Engine, Snapshot) {
    let electricity = (0..20).map(|n| device(&format!("e{n}"), Category::ElectricityMeter));
    let water = (0..5).map(|n| device(&format!("w{n}"), Category::WaterMeter));
    let heard: Vec<u32> = (0..25).filter(|slot| *slot != 7).collect();
    engine(electricity.chain(water).collect(), &heard)
}

fn c3(result: &Assessment) -> (Outcome, Option<Measure>, String) {
    let check = result.check("C3").unwrap();
    let reason = check.reason.as_ref().map(|reason| reason.en.clone()).unwrap_or_default();
    (check.outcome, check.measured, reason)
}

#[test]
fn without_a_valid_inventory_of_each_covered_category_c3_is_unknown_and_says_which_lacks() {
    let (mut engine, snapshot) = meters();
    let (found, measured, reason) = c3(&assess(&mut engine, &snapshot, Attested::default()));
    assert_eq!((found, measured), (Outcome::Unknown, None));
    assert!(reason.ends_with("electricity meter, water meter"), "{reason}");
    let half = page(vec![inventory(Category::ElectricityMeter, 20)]);
    let (found, _, reason) = c3(&assess(&mut engine, &snapshot, half));
    assert_eq!(found, Outcome::Unknown);
    assert!(reason.ends_with("attests: water meter"), "{reason}");
    let mut old = page(vec![inventory(Category::ElectricityMeter, 20)]);
    old.page.push(word(inventory(Category::WaterMeter, 5), "李", "2025-01-01", "2025-12-31"));
    let (found, _, reason) = c3(&assess(&mut engine, &snapshot, old));
    assert_eq!(found, Outcome::Unknown);
    assert!(
        reason.ends_with(
            "water meter (what 李 attested on 2025-01-01 expired at the end of 2025-12-31)"
        ),
        "{reason}"
    );
    let both =
        page(vec![inventory(Category::ElectricityMeter, 20), inventory(Category::WaterMeter, 5)]);
    engine.set_attested(Arc::new(both));
    let blind = look(&engine, &snapshot, after(100), false);
    assert_eq!(c3(&blind).0, Outcome::Unknown, "the clock is not trusted");
    assert!(c3(&blind).2.contains("clock is not trusted"));
}

#[test]
fn c3_is_connected_over_attested_and_never_more_than_the_devices_here_allow() {
    let counts = |electricity, water| {
        page(vec![
            inventory(Category::ElectricityMeter, electricity),
            inventory(Category::WaterMeter, water),
        ])
    };
    let (mut engine, snapshot) = meters();
    // Electricity, water attested; connected of all (an own calculation).
    for (electricity, water, share) in [
        (20, 5, 24.0 / 25.0),
        (30, 10, 24.0 / 40.0),
        // A short inventory: the devices here count all the same.
        (1, 0, 24.0 / 25.0),
    ] {
        let (_, measured, _) = c3(&assess(&mut engine, &snapshot, counts(electricity, water)));
        let Some(Measure::Number(measured)) = measured else { panic!("measured") };
        assert!((measured - share).abs() < 1e-4, "{electricity} {water}: {measured}");
    }
    let mut found = counts(20, 5);
    // Two of water that nobody registered: 24 of 27. Three of unknown kind: 24 of 30.
    found.found = (0..2).map(|n| stranger(n, Some(Category::WaterMeter))).collect();
    let result = assess(&mut engine, &snapshot, found.clone());
    assert_eq!(c3(&result).1, Some(Measure::Number(0.8888)));
    assert!(c3(&result).2.contains("24 connected of 27"), "{}", c3(&result).2);
    let water = result.categories.iter().find(|row| row.category == Category::WaterMeter).unwrap();
    assert_eq!((water.found, water.connected, water.inventory), (2, 5, Some(5)));
    found.found.extend((2..5).map(|n| stranger(n, None)));
    let result = assess(&mut engine, &snapshot, found);
    assert_eq!(c3(&result).1, Some(Measure::Number(0.8)));
    assert_eq!(result.found_unknown, 3);
    // Unknown ones within what is attested change nothing: they may be devices of the inventory.
    let mut roomy = counts(40, 5);
    roomy.found = (0..3).map(|n| stranger(n, None)).collect();
    assert_eq!(c3(&assess(&mut engine, &snapshot, roomy)).1, Some(Measure::Number(0.5333)));
}

#[test]
fn a_category_that_does_not_apply_leaves_c3_unless_a_device_of_it_is_here() {
    let none = |category| Subject::NotApplicable { category, reason: "没有".into() };
    let (mut engine, snapshot) = meters();
    let mut said = page(vec![none(Category::GasMeter), none(Category::WaterMeter)]);
    let result = assess(&mut engine, &snapshot, said.clone());
    let state = |result: &Assessment, what: &str| {
        let mut all = result.attestations.iter();
        all.find(|said| said.attestation.subject.word() == what).unwrap().state
    };
    assert_eq!(state(&result, "not_applicable/gas_meter"), Standing::Valid);
    assert_eq!(state(&result, "not_applicable/water_meter"), Standing::Contradicted);
    let row = |category| result.categories.iter().find(|row| row.category == category).unwrap();
    assert!(row(Category::GasMeter).not_applicable && !row(Category::WaterMeter).not_applicable);
    said.found = vec![stranger(1, Some(Category::GasMeter))];
    let result = assess(&mut engine, &snapshot, said);
    assert_eq!(state(&result, "not_applicable/gas_meter"), Standing::Contradicted);
}

#[test]
fn grading_and_privacy_are_met_by_a_word_that_holds_and_unknown_with_the_reason_otherwise() {
    let (mut engine, snapshot) = meters();
    let grading =
        Subject::SecurityGrading { document: "备案 37".into(), issuer: "网安".into() };
    let result = assess(&mut engine, &snapshot, page(vec![grading.clone()]));
    assert_eq!(outcome(&result, "G3", 4), Outcome::Met);
    assert_eq!(outcome(&result, "G6", 1), Outcome::Unknown);
    let reason = result.check("G3").unwrap().reason.clone().unwrap();
    for part in ["备案 37", "网安", "王", ON, UNTIL] {
        assert!(reason.zh.contains(part), "{part} is not in {reason:?}");
    }
    let result = assess(&mut engine, &snapshot, page(vec![privacy("说明")]));
    assert_eq!(outcome(&result, "G3", 4), Outcome::Unknown);
    assert_eq!(outcome(&result, "G6", 5), Outcome::Met);
    // The last day of the year is over.
    let later = look(&engine, &snapshot, after(365 * 86_400), true);
    assert_eq!(outcome(&later, "G6", 1), Outcome::Unknown);
    let reason = later.check("G6").unwrap().reason.clone().unwrap();
    assert!(reason.en.contains("王") && reason.en.contains("2026-12-31"), "{reason:?}");
    let blind = look(&engine, &snapshot, after(100), false);
    assert_eq!(outcome(&blind, "G6", 1), Outcome::Unknown);
}

#[test]
fn advisory_shares_stand_apart_and_move_no_star() {
    let (mut engine, snapshot) = meters();
    let before = assess(&mut engine, &snapshot, Attested::default());
    let share =
        |item: &str, share| Subject::Advisory { item: item.into(), share, origin: "联通".into() };
    let said = page(vec![share("SD1", 0.7), share("SD2", 0.7999)]);
    let after = assess(&mut engine, &snapshot, said);
    let outcomes: Vec<_> = after.advisory.iter().map(|a| (a.id.as_str(), a.outcome)).collect();
    assert_eq!(
        outcomes,
        [
            ("SD1", Outcome::Met),
            ("SD2", Outcome::NotMet),
            ("SD3", Outcome::Unknown),
            ("SD4", Outcome::Unknown),
            ("SD5", Outcome::Unknown),
        ]
    );
    assert_eq!(after.advisory[1].value, Some(0.7999));
    assert_eq!(
        (after.star, &after.missing, &after.levels),
        (before.star, &before.missing, &before.levels)
    );
    let json = after.to_json();
    assert_eq!(serde_json::from_str::<Assessment>(&json).unwrap(), after);
    assert!(json.contains(r#""kind":"advisory","item":"SD1","share":0.7"#), "{json}");
}
