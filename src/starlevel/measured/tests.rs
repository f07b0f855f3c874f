//! The checks that days and the register answer.

use crate::model::{
    Category, DeviceIndex, Epoch, Estate, EstateKind, GatewayId, Point, Seq, Snapshot,
};
use crate::starlevel::tests::{after, device, hear, outcome, wall};
use crate::starlevel::*;
use crate::store::{Limits, Store};
use std::sync::Arc;

fn rig(devices: Vec<crate::model::Device>) -> (Engine, Snapshot) {
    let gateway = GatewayId::new("g").unwrap();
    let kind = EstateKind::OldRetrofit;
    let estate = Arc::new(Estate::new(gateway, String::new(), kind, devices).unwrap());
    let snapshot = Snapshot::new(Arc::clone(&estate), after(0));
    (Engine::new(RulePack::built_in(), estate, after(0)), snapshot)
}

fn assess_at(
    engine: &mut Engine,
    snapshot: &Snapshot,
    seconds: u64,
    seen: &GatewaySeen,
) -> Assessment {
    let now = after(seconds);
    engine.observe(snapshot, now, Some(wall(now)), seen);
    engine.assess(snapshot, &LinkEvidence::default(), now, Some(wall(now)))
}

fn reason(result: &Assessment, id: &str) -> String {
    result.check(id).unwrap().reason.as_ref().map(|r| r.en.clone()).unwrap_or_default()
}

fn buffer(next: u64, capacity_hours: Option<f64>) -> GatewaySeen {
    let buffer = BufferSeen {
        epoch: Epoch(1),
        next: Seq(next),
        oldest: None,
        blocks: 0,
        lost: 0,
        readings: 0,
        capacity_hours,
    };
    GatewaySeen { link_up: true, acknowledged: next - 1, buffer: Some(buffer) }
}

#[test]
fn the_worst_category_is_the_worst_that_is_required_and_one_without_a_device_is_unknown() {
    let (mut engine, snapshot) = rig(vec![
        device("e", Category::ElectricityMeter),
        device("w", Category::WaterMeter),
        device("b", Category::EmergencyBroadcast),
        device("s", Category::InfoScreen),
        device("v", Category::EnvironmentSensor),
        device("c", Category::EvCharger),
        // Not required at star 3.
        device("m", Category::VendingMachine),
    ]);
    (0..6).for_each(|slot| hear(&snapshot, slot, after(0)));
    let result = assess_at(&mut engine, &snapshot, 100, &GatewaySeen::default());
    assert_eq!(outcome(&result, "Q2", 3), Outcome::Met);
    assert_eq!(outcome(&result, "Q2", 4), Outcome::Unknown, "no locker, no bin");
    assert_eq!(outcome(&result, "Q2", 5), Outcome::NotMet, "there it is, and says nothing");
    let result = assess_at(&mut engine, &snapshot, 20_000, &GatewaySeen::default());
    assert_eq!(outcome(&result, "Q2", 3), Outcome::NotMet);
    assert_eq!(outcome(&result, "Q2", 4), Outcome::NotMet, "too little is so without them too");
}

#[test]
fn the_register_wants_place_owner_and_maintainer_and_says_which_device_lacks_which() {
    let mut whole = device("whole", Category::EvCharger);
    whole.place = "3号楼".into();
    whole.owner = "业委会".into();
    whole.maintainer = "物业".into();
    let mut half = device("half", Category::WaterMeter);
    half.owner = "业委会".into();
    half.maintainer = "  ".into();
    let empty = device("empty", Category::Other);
    let (mut engine, snapshot) = rig(vec![whole.clone(), half, empty]);
    let result = assess_at(&mut engine, &snapshot, 100, &GatewaySeen::default());
    let check = result.check("G1").unwrap();
    assert_eq!((check.outcome, check.measured), (Outcome::NotMet, Some(Measure::Number(0.3333))));
    let lacking: Vec<_> = check
        .devices
        .iter()
        .map(|cause| (cause.device.as_str(), cause.lacks.as_ref().unwrap().zh.as_str()))
        .collect();
    assert_eq!(lacking, [("half", "缺位置、维护单位"), ("empty", "缺位置、责任人、维护单位")]);
    assert_eq!(check.devices[0].lacks.as_ref().unwrap().en, "lacks place, maintainer");
    let (mut engine, snapshot) = rig(vec![whole]);
    let result = assess_at(&mut engine, &snapshot, 100, &GatewaySeen::default());
    assert_eq!(outcome(&result, "G1", 5), Outcome::Met);
}

#[test]
fn evidence_is_retained_only_where_it_is_stored() {
    let (mut engine, snapshot) = rig(vec![device("a", Category::EvCharger)]);
    let result = assess_at(&mut engine, &snapshot, 100, &GatewaySeen::default());
    assert_eq!(outcome(&result, "G5", 1), Outcome::Unknown);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store"), Limits::default()).unwrap();
    let (mut engine, snapshot) = rig(vec![device("a", Category::EvCharger)]);
    engine.keep(EvidenceChain::new(&store)).unwrap();
    let result = assess_at(&mut engine, &snapshot, 100, &GatewaySeen::default());
    assert_eq!(outcome(&result, "G5", 1), Outcome::Met);
    assert!(reason(&result, "G5").contains("1 days so far"));
}

#[test]
fn the_buffer_is_judged_by_what_its_whole_budget_holds_and_not_before_its_rate_is_known() {
    let (mut engine, snapshot) = rig(vec![device("a", Category::EvCharger)]);
    let result = assess_at(&mut engine, &snapshot, 100, &buffer(1, None));
    assert_eq!(outcome(&result, "Q7", 3), Outcome::Unknown);
    let result = assess_at(&mut engine, &snapshot, 130, &buffer(1, Some(100.5)));
    assert_eq!(outcome(&result, "Q7", 3), Outcome::Met);
    assert_eq!(outcome(&result, "Q7", 4), Outcome::NotMet);
    let measured = result.check("Q7").unwrap().levels[0].measured;
    assert_eq!(measured, Some(Measure::Number(100.0)));
}

#[test]
fn delivery_is_unknown_until_a_whole_day_of_records_is_72_hours_old() {
    let (mut engine, snapshot) = rig(vec![device("a", Category::EvCharger)]);
    let day = 86_400;
    for n in 1..=3 {
        let result = assess_at(&mut engine, &snapshot, n * day, &buffer(100 * n, Some(1.0)));
        assert_eq!(outcome(&result, "P3", 2), Outcome::Unknown);
        assert_eq!(outcome(&result, "P2", 2), Outcome::Met);
    }
    let mut seen = buffer(600, Some(1.0));
    let result = assess_at(&mut engine, &snapshot, 6 * day, &seen);
    assert_eq!(outcome(&result, "P3", 5), Outcome::Met);
    // Blocks that are older than that and still wait, and some that were evicted.
    if let Some(buffer) = &mut seen.buffer {
        buffer.oldest = Some(Seq(90));
        buffer.blocks = 500;
        buffer.lost = 3;
    }
    let result = assess_at(&mut engine, &snapshot, 6 * day + 30, &seen);
    assert_eq!(outcome(&result, "P3", 2), Outcome::NotMet);
    assert!(reason(&result, "P3").contains("lacks at most"));
}

#[test]
fn the_environment_needs_its_parameters_by_star_and_says_which_are_missing() {
    let mut sensor = device("v", Category::EnvironmentSensor);
    let names = ["pm25", "laeq", "temperature", "relativeHumidity", "pm10", "o3", "co"];
    let point = sensor.points[0].clone();
    sensor.points = names.map(|name| Point { name: name.into(), ..point.clone() }).into();
    let (mut engine, snapshot) = rig(vec![sensor]);
    let bring = |count: usize, at| {
        snapshot.with(DeviceIndex(0), |state| {
            state.points.iter_mut().take(count).for_each(|point| point.good_at = Some(at));
        });
    };
    bring(3, after(50));
    let result = assess_at(&mut engine, &snapshot, 100, &GatewaySeen::default());
    assert_eq!(outcome(&result, "E1", 3), Outcome::Unknown, "just started: it may still come");
    let result = assess_at(&mut engine, &snapshot, 4000, &GatewaySeen::default());
    assert_eq!(outcome(&result, "E1", 3), Outcome::NotMet);
    assert!(reason(&result, "E1").contains("relative humidity"));
    for (count, star) in [(4, 3), (6, 4), (7, 5)] {
        bring(count, after(4000));
        let result =
            assess_at(&mut engine, &snapshot, 4000 + count as u64, &GatewaySeen::default());
        assert_eq!(outcome(&result, "E1", star), Outcome::Met, "{count}");
        if star < 5 {
            assert_eq!(outcome(&result, "E1", star + 1), Outcome::NotMet, "{count}");
        }
    }
    let result = assess_at(&mut engine, &snapshot, 4000 + 86_401, &GatewaySeen::default());
    assert_eq!(outcome(&result, "E1", 3), Outcome::NotMet, "a day without a value");
}

#[test]
fn a_device_that_reads_too_little_is_named_with_its_own_share_worst_first() {
    let (mut engine, snapshot) =
        rig(vec![device("a", Category::EvCharger), device("b", Category::EvCharger)]);
    // One is heard each minute, the other only in the first forty minutes.
    for minute in 0..240 {
        hear(&snapshot, 0, after(minute * 60));
        if minute < 40 {
            hear(&snapshot, 1, after(minute * 60));
        }
        assess_at(&mut engine, &snapshot, minute * 60 + 30, &GatewaySeen::default());
    }
    let result = assess_at(&mut engine, &snapshot, 4 * 3600, &GatewaySeen::default());
    let check = result.check("Q3").unwrap();
    assert_eq!((check.star, check.outcome), (1, Outcome::NotMet));
    // Whole hours of the day since the start: three, of which the other has one.
    assert_eq!(check.measured, Some(Measure::Number(0.6666)));
    let named: Vec<_> = check.devices.iter().map(|d| (d.device.as_str(), d.share)).collect();
    assert_eq!(named, [("b", Some(0.3333))]);
}

#[test]
fn a_month_of_500_devices_is_assessed_quickly_and_its_rows_stay_small() {
    let devices = (0..500).map(|n| {
        let category = Category::ALL[n % 12];
        device(&format!("{}-{n}", category.word()), category)
    });
    let (mut engine, snapshot) = rig(devices.collect());
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store"), Limits::default()).unwrap();
    engine.keep(EvidenceChain::new(&store)).unwrap();
    for hour in 1..=31 * 24 {
        for slot in (0..500).filter(|slot| (u64::from(*slot) + hour) % 7 != 0) {
            hear(&snapshot, slot, after(hour * 3600 - 1));
        }
        let now = after(hour * 3600);
        engine.observe(&snapshot, now, Some(wall(now)), &buffer(hour, Some(100.0)));
        if hour % 24 == 12 {
            let result = engine.assess(&snapshot, &LinkEvidence::default(), now, Some(wall(now)));
            engine.note(&result, Some(wall(now)));
        }
        engine.save(now, false).unwrap();
    }
    let began = tokio::time::Instant::now();
    let now = after(31 * 24 * 3600);
    let result = engine.assess(&snapshot, &LinkEvidence::default(), now, Some(wall(now)));
    let took = began.elapsed();
    let next = after(31 * 24 * 3600 + 30);
    let began = tokio::time::Instant::now();
    engine.observe(&snapshot, next, Some(wall(next)), &buffer(31 * 24, Some(100.0)));
    println!("500 devices: one look took {:?}", began.elapsed());
    let report = EvidenceChain::new(&store).verify().unwrap();
    let row = report.bytes * 30 / u64::from(report.days) / 500;
    println!("500 devices: assessed in {took:?}, document {} bytes", result.to_json().len());
    println!("evidence: {row} bytes a device and month; files {} bytes", store.file_bytes());
    assert!(took.as_millis() < 2000, "{took:?}: far above what a build without optimisation needs");
    assert!(row <= 2048 && !result.provisional);
}

#[test]
fn since_when_a_check_does_not_pass_survives_a_restart_and_ends_when_it_passes() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store"), Limits::default()).unwrap();
    let chargers = || vec![device("c", Category::EvCharger)];
    let since = |engine: &mut Engine, snapshot: &Snapshot, seconds: u64| {
        let result = assess_at(engine, snapshot, seconds, &GatewaySeen::default());
        engine.note(&result, Some(wall(after(seconds))));
        engine.save(after(seconds), true).unwrap();
        let result = assess_at(engine, snapshot, seconds, &GatewaySeen::default());
        result.check("Q1").unwrap().since_ms
    };
    let (mut engine, snapshot) = rig(chargers());
    engine.keep(EvidenceChain::new(&store)).unwrap();
    let first = since(&mut engine, &snapshot, 60);
    assert_eq!(first, Some(wall(after(60)).unix_ms), "never heard");
    let (mut engine, snapshot) = rig(chargers());
    engine.keep(EvidenceChain::new(&store)).unwrap();
    assert_eq!(since(&mut engine, &snapshot, 3600), first);
    // Heard for so long that the window's mean is high enough.
    for minute in 61..3600 {
        hear(&snapshot, 0, after(minute * 60));
        engine.observe(
            &snapshot,
            after(minute * 60),
            Some(wall(after(minute * 60))),
            &GatewaySeen::default(),
        );
    }
    assert_eq!(since(&mut engine, &snapshot, 3600 * 60), None);
}
