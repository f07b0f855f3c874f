//! The star-level engine on made-up estates.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::model::{
    Category, Cause, Device, DeviceId, DeviceIndex, Estate, EstateKind, GatewayId, Health, Moment,
    Point, PointIndex, Quantity, Reading, Snapshot, Unit, Value, WallTime,
};

const START: Moment = Moment { boot_ms: 1_000_000 };
const WALL: WallTime = WallTime { unix_ms: 1_767_225_600_000 };

pub(super) fn device(id: &str, category: Category) -> Device {
    let point = Point::new("x", Unit::ONE, Quantity::Instantaneous);
    Device::new(DeviceId::new(id).unwrap(), category, Duration::from_secs(60), [point])
}

fn estate(categories: &[Category]) -> (Engine, Snapshot) {
    let devices = categories.iter().enumerate().map(|(n, c)| device(&format!("d{n}"), *c));
    let gateway = GatewayId::new("g").unwrap();
    let kind = EstateKind::OldRetrofit;
    let estate = Arc::new(Estate::new(gateway, String::new(), kind, devices.collect()).unwrap());
    let snapshot = Snapshot::new(Arc::clone(&estate), START);
    (Engine::new(RulePack::built_in(), estate, START), snapshot)
}

pub(super) fn after(seconds: u64) -> Moment {
    START.plus(Duration::from_secs(seconds))
}

pub(super) fn hear(snapshot: &Snapshot, slot: u32, at: Moment) {
    snapshot.with(DeviceIndex(slot), |state| {
        state.apply(at, &Reading::good(PointIndex(0), Value::Number(1.0)));
        state.health = Health::Online;
    });
}

fn good_link(now: Moment) -> LinkEvidence {
    LinkEvidence { connected: true, authenticated: true, acknowledged_at: Some(now) }
}

/// The wall time that belongs to a moment: `WALL` is 100 s after `START`.
pub(super) fn wall(at: Moment) -> WallTime {
    let ms = i64::try_from(at.boot_ms).unwrap() - i64::try_from(after(100).boot_ms).unwrap();
    WallTime { unix_ms: WALL.unix_ms + ms }
}

fn look(engine: &mut Engine, snapshot: &Snapshot, at: Moment) {
    engine.observe(snapshot, at, Some(wall(at)), &GatewaySeen::default());
}

pub(super) fn outcome(assessment: &Assessment, id: &str, star: u8) -> Outcome {
    let check = assessment.check(id).expect(id);
    check.levels.iter().find(|level| level.star == star).expect(id).outcome
}

#[test]
fn the_built_in_pack_is_without_faults_and_has_the_checks_per_star_that_the_model_says() {
    let pack = RulePack::built_in();
    let required: Vec<usize> = (1..=STARS)
        .map(|star| pack.checks().iter().filter(|check| check.needed(star).is_some()).count())
        .collect();
    assert_eq!(required, [11, 18, 34, 38, 38]);
    assert_eq!(pack.target(EstateKind::OldRetrofit), 3);
    assert_eq!(pack.target(EstateKind::New), 4);
    assert_eq!(pack.sha256().len(), 64);
}

#[test]
fn every_fault_of_a_pack_is_named_at_once() {
    let text = BUILT_IN
        .replacen("old_retrofit = 3 ", "old_retrofit = 9 ", 1)
        .replacen("na_needs_attestation = true", "na_needs_attestation = false", 1)
        .replacen("attestation_valid_days = 365", "attestation_valid_days = 0", 1)
        .replacen("unknown_counts_as = \"not_met\"", "unknown_counts_as = \"met\"", 1)
        .replacen("levels = { 1 = 0.80, 2 = 0.85", "levels = { 1 = 0.95, 2 = 0.85", 1)
        .replacen("1 = 2, 2 = 4", "7 = 2, 2 = 4", 1);
    let faults = RulePack::parse("mine.toml", &text).unwrap_err();
    let text: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let text = text.join("\n");
    for part in [
        "mine.toml, [targets]",
        "is 9",
        "`met`",
        "check Q1",
        "check C1",
        "star `7`",
        "`na_needs_attestation` is false",
        "`attestation_valid_days` is 0, allowed is 1 to 3660",
    ] {
        assert!(text.contains(part), "{part} missing in:\n{text}");
    }
}

#[test]
fn a_key_or_metric_that_nobody_knows_is_refused_with_its_line() {
    let odd = BUILT_IN.replacen("metric = \"online_rate\"", "metric = \"onlin_rate\"", 1);
    let fault = RulePack::parse("p", &odd).unwrap_err()[0].to_string();
    assert!(fault.contains("onlin_rate") && fault.contains("line"), "{fault}");
    let odd = BUILT_IN.replacen("official = false", "official = false\noficial = true", 1);
    assert!(RulePack::parse("p", &odd).unwrap_err()[0].to_string().contains("oficial"));
}

#[test]
fn before_anything_is_measured_every_check_but_the_link_is_unknown_and_no_star_is_shown() {
    let (engine, snapshot) = estate(&[Category::ElectricityMeter]);
    let result = engine.assess(&snapshot, &LinkEvidence::default(), START, None);
    assert_eq!(result.star, 0);
    assert!(result.provisional);
    assert!(result.banner.zh.contains("自评结果") && result.banner.zh.contains("非官方星级评定"));
    for check in &result.checks {
        let wanted = if check.id == "P1" { Outcome::NotMet } else { Outcome::Unknown };
        assert_eq!(check.outcome, wanted, "{}", check.id);
    }
}

#[test]
fn a_perfect_estate_still_has_no_star_while_other_checks_lack_evidence() {
    let twelve: Vec<Category> = Category::ALL[..12].to_vec();
    let (mut engine, snapshot) = estate(&twelve);
    for slot in 0..12 {
        hear(&snapshot, slot, START);
    }
    let now = after(100);
    look(&mut engine, &snapshot, now);
    let result = engine.assess(&snapshot, &good_link(now), now, Some(WALL));
    for (id, star) in [("P1", 5), ("C1", 5), ("C2", 5), ("Q1", 5)] {
        assert_eq!(outcome(&result, id, star), Outcome::Met, "{id}");
    }
    assert_eq!(result.star, 0);
    assert_eq!(result.next, Some(1));
    assert!(!result.missing.contains(&"P1".to_owned()));
    assert!(result.missing.contains(&"C3".to_owned()), "unknown never passes");
    let reason = result.check("C3").unwrap().reason.as_ref().unwrap();
    assert!(reason.en.contains("needs an inventory"));
}

#[test]
fn a_device_never_heard_is_not_online_and_is_named_first() {
    let (mut engine, snapshot) = estate(&[Category::EvCharger, Category::EvCharger]);
    hear(&snapshot, 1, START);
    snapshot.with(DeviceIndex(0), |state| {
        state.health = Health::Offline;
        state.cause = Some(Cause::NoAnswer);
        state.since = after(10);
    });
    look(&mut engine, &snapshot, after(100));
    let result = engine.assess(&snapshot, &LinkEvidence::default(), after(100), Some(WALL));
    let check = result.check("Q1").unwrap();
    assert_eq!(check.outcome, Outcome::NotMet);
    assert_eq!(check.measured, Some(Measure::Number(0.5)));
    assert_eq!(check.devices.len(), 1);
    let cause = &check.devices[0];
    assert_eq!((cause.device.as_str(), cause.online_rate), ("d0", 0.0));
    assert_eq!(cause.for_s, Some(90));
    assert_eq!(cause.since_ms, Some(WALL.unix_ms - 90_000));
    assert!(cause.cause.as_ref().unwrap().zh.contains("无应答"));
}

#[test]
fn a_device_goes_offline_after_three_periods_of_the_star_under_test() {
    // Chargers: 60 s at star 5, so offline after 180 s; 3600 s at star 1, so after 5400 s.
    let (mut engine, snapshot) = estate(&[Category::EvCharger]);
    hear(&snapshot, 0, START);
    look(&mut engine, &snapshot, after(100));
    look(&mut engine, &snapshot, after(400));
    let result = engine.assess(&snapshot, &LinkEvidence::default(), after(400), None);
    let levels = &result.check("Q1").unwrap().levels;
    assert_eq!(levels[0].measured, Some(Measure::Number(1.0)));
    assert_eq!(levels[4].measured, Some(Measure::Number(0.45)));
}

#[test]
fn how_often_one_looks_does_not_change_the_online_rate() {
    let rate = |looks: &[u64]| {
        let (mut engine, snapshot) = estate(&[Category::EvCharger]);
        for &at in looks {
            if at >= 200 {
                hear(&snapshot, 0, after(200));
            } else {
                hear(&snapshot, 0, START);
            }
            look(&mut engine, &snapshot, after(at));
        }
        let result = engine.assess(&snapshot, &LinkEvidence::default(), after(1000), None);
        result.check("Q1").unwrap().levels[4].measured
    };
    let often: Vec<u64> = (1..=100).map(|n| n * 10).collect();
    assert_eq!(rate(&often), Some(Measure::Number(0.36)));
    assert_eq!(rate(&[100, 250, 1000]), rate(&often));
}

#[test]
fn the_window_slides_and_old_days_leave_it() {
    let (mut engine, snapshot) = estate(&[Category::EvCharger]);
    let day = 86_400;
    look(&mut engine, &snapshot, after(day)); // a day of silence
    for n in 1..=40 {
        let mut at = n * day;
        while at < (n + 1) * day {
            hear(&snapshot, 0, after(at));
            at += 170;
            look(&mut engine, &snapshot, after(at));
        }
    }
    let result = engine.assess(&snapshot, &LinkEvidence::default(), after(41 * day), Some(WALL));
    assert!(!result.provisional && result.window_s >= 30 * day);
    assert!(result.window_s <= 31 * day, "{}", result.window_s);
    assert_eq!(outcome(&result, "Q1", 5), Outcome::Met, "the silent day is long gone");
}

#[test]
fn the_platform_link_needs_an_authenticated_session_and_an_acknowledgement_within_24_hours() {
    let (engine, snapshot) = estate(&[Category::WaterMeter]);
    let day = 86_400;
    let judge = |link: LinkEvidence, now: Moment| {
        outcome(&engine.assess(&snapshot, &link, now, None), "P1", 1)
    };
    let link = good_link(START);
    assert_eq!(judge(link, after(day)), Outcome::Met);
    assert_eq!(judge(link, after(day + 1)), Outcome::NotMet);
    assert_eq!(judge(LinkEvidence { authenticated: false, ..link }, after(1)), Outcome::NotMet);
    assert_eq!(judge(LinkEvidence { acknowledged_at: None, ..link }, after(1)), Outcome::NotMet);
    assert_eq!(judge(LinkEvidence { connected: false, ..link }, after(1)), Outcome::Met);
}

#[test]
fn the_number_of_categories_scales_with_what_applies_and_an_expired_word_does_not_count() {
    let (mut engine, snapshot) = estate(&[Category::ElectricityMeter]);
    hear(&snapshot, 0, START);
    look(&mut engine, &snapshot, after(100));
    // `WALL` is 2026-01-01 08:00 in Shanghai.
    let day = Day::parse("2026-01-01").unwrap();
    let page = Category::ALL[6..12].iter().map(|&category| Attestation {
        subject: Subject::NotApplicable { category, reason: "本小区没有".into() },
        by: "王工".into(),
        on: day,
        until: day,
        note: String::new(),
    });
    engine.set_attested(Arc::new(Attested { page: page.collect(), ..Attested::default() }));
    let assess = |wall| {
        let result = engine.assess(&snapshot, &LinkEvidence::default(), after(100), wall);
        let check = result.check("C1").unwrap();
        (check.needed, check.outcome)
    };
    let last = WallTime { unix_ms: WALL.unix_ms + 16 * 3_600_000 - 1 };
    let expired = WallTime { unix_ms: last.unix_ms + 1 };
    assert_eq!(assess(Some(WALL)), (Measure::Number(1.0), Outcome::Met));
    assert_eq!(assess(Some(last)), (Measure::Number(1.0), Outcome::Met));
    assert_eq!(assess(Some(expired)), (Measure::Number(2.0), Outcome::NotMet));
    assert_eq!(assess(None), (Measure::Number(2.0), Outcome::NotMet));
}

#[test]
fn the_required_set_names_what_is_missing() {
    let (mut engine, snapshot) = estate(&[Category::WaterMeter, Category::InfoScreen]);
    hear(&snapshot, 0, START);
    hear(&snapshot, 1, START);
    look(&mut engine, &snapshot, after(100));
    let result = engine.assess(&snapshot, &LinkEvidence::default(), after(100), None);
    assert_eq!(outcome(&result, "C2", 1), Outcome::Met);
    assert_eq!(outcome(&result, "C2", 2), Outcome::NotMet, "electricity is missing");
    assert_eq!(outcome(&result, "C2", 3), Outcome::NotMet);
}

#[test]
fn a_pack_of_measured_checks_alone_gives_the_star_that_is_proven_and_says_what_the_next_lacks() {
    let mut text = BUILT_IN.split("[[check]]").next().unwrap().to_owned();
    for block in BUILT_IN.split("[[check]]").skip(1) {
        if ["\"P1\"", "\"C1\"", "\"C2\"", "\"Q1\""]
            .iter()
            .any(|id| block.contains(&format!("\nid = {id}")))
        {
            text.push_str("[[check]]");
            text.push_str(block.split("[[advisory]]").next().unwrap());
        }
    }
    let pack = RulePack::parse("four", &text).unwrap();
    let (_, snapshot) = estate(&[
        Category::ElectricityMeter,
        Category::WaterMeter,
        Category::InfoScreen,
        Category::ParcelLocker,
    ]);
    let mut engine = Engine::new(pack, Arc::clone(snapshot.estate()), START);
    for slot in 0..4 {
        hear(&snapshot, slot, START);
    }
    look(&mut engine, &snapshot, after(100));
    let result = engine.assess(&snapshot, &good_link(after(100)), after(100), None);
    assert_eq!((result.star, result.next), (2, Some(3)));
    assert_eq!(result.missing, ["C2", "C1"]);
    let reason = result.check("C2").unwrap().reason.clone().unwrap();
    assert!(
        reason.zh.contains("应急广播") && reason.en.contains("environment sensor"),
        "{reason:?}"
    );
}

#[test]
fn the_document_reads_back_as_it_was_written() {
    let (mut engine, snapshot) = estate(&[Category::WaterMeter]);
    look(&mut engine, &snapshot, after(100));
    let result = engine.assess(&snapshot, &LinkEvidence::default(), after(100), Some(WALL));
    let json = result.to_json();
    assert!(json.len() < 40_000, "{}", json.len());
    assert_eq!(serde_json::from_str::<Assessment>(&json).unwrap(), result);
}

#[test]
fn what_no_part_feeds_yet_stays_unknown_and_names_who_would_feed_it() {
    let (mut engine, snapshot) = estate(&[Category::WaterMeter]);
    look(&mut engine, &snapshot, after(100));
    let result = engine.assess(&snapshot, &LinkEvidence::default(), after(100), None);
    for id in ["Q5", "A1", "A2", "A3", "A4", "B1", "B2", "B3", "B4", "B5", "S1", "T1", "T2", "V1"] {
        let check = result.check(id).unwrap();
        assert!(check.levels.iter().all(|level| level.outcome == Outcome::Unknown), "{id}");
        let reason = check.reason.as_ref().unwrap();
        assert!(reason.en.starts_with("no evidence yet: needs the "), "{id}: {reason:?}");
    }
}

#[test]
fn a_threshold_that_no_histogram_decides_is_refused_with_those_that_are_allowed() {
    let text = BUILT_IN
        .replace("levels = { 3 = 900, 4 = 300, 5 = 60 }", "levels = { 3 = 900, 4 = 300, 5 = 59 }");
    let faults = RulePack::parse("p.toml", &text).unwrap_err();
    let said = faults[0].to_string();
    assert!(said.contains("check Q5: star 5 is 59 s, allowed is 0.1, 0.2, 0.5, 1, 2, 5"), "{said}");
    let text = BUILT_IN.replace("window_days = 365", "window_days = 401");
    assert_eq!(RulePack::parse("p.toml", &text).unwrap_err().len(), 5);
    let text =
        BUILT_IN.replace("metric = \"online_rate\"", "window_days = 9\nmetric = \"online_rate\"");
    let said = RulePack::parse("p.toml", &text).unwrap_err()[0].to_string();
    assert!(
        said.contains("check Q1: `window_days` is allowed for checks of broadcasts only"),
        "{said}"
    );
}
