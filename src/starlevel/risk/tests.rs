//! The grade as a table, over time, in a storm, across days and restarts.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::grade::grade;
use super::*;
use crate::model::*;
use crate::starlevel::tests::device;
use crate::starlevel::{Engine, EvidenceChain, GatewaySeen, LinkEvidence, Outcome, RulePack};
use crate::store::{Limits, Store};

const LOW: RiskGrade = RiskGrade::Low;
const MEDIUM: RiskGrade = RiskGrade::Medium;
const HIGH: RiskGrade = RiskGrade::High;
/// 2026-01-01T00:00 in Shanghai.
const MIDNIGHT: i64 = 1_767_196_800_000;
const HOUR: i64 = 3_600_000;

fn graded(category: Category, facts: &[(Code, f64)]) -> (RiskGrade, Vec<&'static str>, f64) {
    let mut inputs = Inputs::default();
    facts.iter().for_each(|(code, value)| inputs.put(*code, *value));
    let graded = grade(&RiskRules::built_in(), category, &inputs);
    (graded.grade, graded.causes.iter().map(|code| code.word()).collect(), graded.points)
}

#[test]
fn every_fault_of_the_rules_is_named_at_once() {
    let text = RISK_RULES
        .replacen("high = 80", "high = 30", 1)
        .replacen("vending_machine = 0.6", "vending_machine = 0.0", 1)
        .replacen("cause = \"degraded\"", "cause = \"offline\"", 1)
        .replacen("single_per_hour = 20", "single_per_hour = 0", 1)
        .replacen("{ from = 10, points = 50 }", "{ from = 2, points = 50 }", 1);
    let faults = RiskRules::parse("mine.toml", &text).unwrap_err();
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let told = told.join("\n");
    for part in [
        "[grade]: `medium` is 40, `high` is 30",
        "`vending_machine` is 0, allowed is 0.1 to 10",
        "rule offline: stands 2 times",
        "rule degraded: stands 0 times",
        "`single_per_hour` is 0",
        "rule stale: each step must begin later",
    ] {
        assert!(told.contains(part), "{part} missing in:\n{told}");
    }
    let unknown = RISK_RULES.replacen("settle_s", "settle_x", 1);
    let fault = RiskRules::parse("mine.toml", &unknown).unwrap_err()[0].to_string();
    assert!(fault.contains("mine.toml, line") && fault.contains("settle_x"), "{fault}");
}

#[test]
fn facts_give_the_grades_of_the_table() {
    use Category::{ElectricityMeter as Meter, EmergencyBroadcast as Broadcast, VendingMachine};
    // Points by hand from config/risk.toml.
    type Row<'a> = (Category, &'a [(Code, f64)], RiskGrade, f64);
    let table: [Row<'_>; 14] = [
        (Meter, &[], LOW, 0.0),
        (Meter, &[(Code::Offline, 0.0)], MEDIUM, 60.0),
        (Meter, &[(Code::Offline, 86_400.0)], HIGH, 90.0),
        (Broadcast, &[(Code::Offline, 5.0)], HIGH, 90.0),
        (VendingMachine, &[(Code::Offline, 5.0)], LOW, 36.0),
        (VendingMachine, &[(Code::Offline, 90_000.0)], MEDIUM, 54.0),
        // Of one family only the greatest counts: 60, not 60 + 50.
        (Meter, &[(Code::Offline, 60.0), (Code::Stale, 12.0)], MEDIUM, 60.0),
        (Meter, &[(Code::Stale, 2.9)], LOW, 0.0),
        (Meter, &[(Code::Stale, 3.0), (Code::OfflineShare, 0.2)], MEDIUM, 50.0),
        (Meter, &[(Code::NotGood, 0.05), (Code::OfflineShare, 0.06)], LOW, 35.0),
        (Meter, &[(Code::CounterSuspect, 1.0)], MEDIUM, 40.0),
        (Meter, &[(Code::AlarmRed, 1.0)], HIGH, 90.0),
        (Meter, &[(Code::AlarmBlue, 2.0), (Code::AlarmsRecent, 10.0)], MEDIUM, 50.0),
        (Meter, &[(Code::Offline, 9.0), (Code::OfflineShare, 0.3)], HIGH, 90.0),
    ];
    for (category, facts, wanted, points) in table {
        let (grade, causes, sum) = graded(category, facts);
        assert_eq!((grade, sum), (wanted, points), "{category} {facts:?} {causes:?}");
    }
}

#[test]
fn causes_stand_by_weight_and_say_what_was_seen_in_both_languages() {
    let facts = [(Code::Wiring, 2.0), (Code::Offline, 7200.0), (Code::OfflineShare, 0.25)];
    let (_, causes, _) = graded(Category::WaterMeter, &facts);
    assert_eq!(causes, ["offline", "offline_share"], "a finding tells the same fault once more");
    for code in Code::ALL {
        let (zh, en) = words::cause(code, 3.0);
        assert!(zh.contains(|c: char| !c.is_ascii()) && en.is_ascii(), "{zh} {en}");
        assert!(!words::advice(code.word()).en.is_empty());
    }
    assert_eq!(words::cause(Code::Offline, 7200.0).1, "offline for 2 h");
}

/// An estate with a store, whose clocks the test sets.
struct Rig {
    store: Store,
    engine: Engine,
    snapshot: Snapshot,
    offset: i64,
    now: Moment,
    /// Heard at every look unless offline.
    offline: Vec<bool>,
    trusted: bool,
}

impl Rig {
    fn start(folder: &Path, devices: Vec<Device>, wall: i64) -> Self {
        let gateway = GatewayId::new("g").unwrap();
        let kind = EstateKind::OldRetrofit;
        let offline = vec![false; devices.len()];
        let estate = Arc::new(Estate::new(gateway, String::new(), kind, devices).unwrap());
        let now = Moment { boot_ms: 60_000 };
        let store = Store::open(&folder.join("store"), Limits::default()).unwrap();
        let mut engine = Engine::new(RulePack::built_in(), Arc::clone(&estate), now);
        engine.keep(EvidenceChain::new(&store)).unwrap();
        engine.keep_effects(&store).unwrap();
        let snapshot = Snapshot::new(estate, now);
        let offset = wall - 60_000;
        Self { store, engine, snapshot, offset, now, offline, trusted: true }
    }

    fn wall(&self) -> i64 {
        self.offset + i64::try_from(self.now.boot_ms).unwrap()
    }

    fn set(&mut self, slot: usize, offline: bool) {
        self.offline[slot] = offline;
        let now = self.now;
        self.snapshot.with(DeviceIndex(u32::try_from(slot).unwrap()), |state| {
            state.health = if offline { Health::Offline } else { Health::Online };
            state.since = now;
        });
    }

    /// Looks every half minute for so long and takes what happened.
    fn run(&mut self, seconds: i64) -> Vec<Event> {
        let mut events = Vec::new();
        for _ in 0..seconds / 30 {
            self.now = self.now.plus(Duration::from_secs(30));
            for (slot, offline) in (0u32..).zip(&self.offline) {
                if !offline {
                    self.snapshot.with(DeviceIndex(slot), |state| {
                        state.apply(self.now, &Reading::good(PointIndex(0), Value::Number(1.0)));
                        state.health = Health::Online;
                    });
                }
            }
            let wall = self.trusted.then_some(WallTime { unix_ms: self.wall() });
            self.engine.observe(&self.snapshot, self.now, wall, &GatewaySeen::default());
            self.engine.save(self.now, false).unwrap();
            events.extend(self.engine.take_events());
        }
        events
    }

    fn stop(mut self) -> i64 {
        self.engine.save(self.now, true).unwrap();
        self.store.commit().unwrap();
        self.wall()
    }

    fn outcome(&self, id: &str) -> (Outcome, String) {
        let wall = Some(WallTime { unix_ms: self.wall() });
        let link = LinkEvidence::default();
        let result = self.engine.assess(&self.snapshot, &link, self.now, wall);
        let check = result.check(id).unwrap();
        (check.outcome, check.reason.clone().map(|reason| reason.en).unwrap_or_default())
    }
}

fn meters(count: usize) -> Vec<Device> {
    (0..count).map(|n| device(&format!("m{n}"), Category::ElectricityMeter)).collect()
}

/// What an event says: whose, from which grade, to which; the days of the estate's apart.
fn told(events: &[Event]) -> Vec<(String, Option<RiskGrade>, RiskGrade)> {
    let grades = events.iter().filter_map(|event| match &event.kind {
        EventKind::RiskGrade { grade, before, .. } => {
            let whose = event.device.as_ref().map_or("estate", |id| id.as_str());
            Some((whose.to_owned(), *before, *grade))
        }
        _ => None,
    });
    grades.collect()
}

fn days(events: &[Event]) -> Vec<String> {
    let days = events.iter().filter_map(|event| match &event.kind {
        EventKind::RiskGrade { estate: Some(estate), .. } => estate.day.clone(),
        _ => None,
    });
    days.collect()
}

#[test]
fn a_grade_rises_at_once_and_falls_only_after_it_held() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(folder.path(), meters(1), MIDNIGHT + 12 * HOUR);
    rig.run(1200);
    rig.set(0, true);
    assert_eq!(told(&rig.run(30)), [("m0".into(), Some(LOW), MEDIUM)]);
    rig.set(0, false);
    assert_eq!(told(&rig.run(1770)), [], "held");
    rig.set(0, true);
    assert_eq!(told(&rig.run(60)), [], "no flapping: it never left its grade");
    rig.set(0, false);
    assert_eq!(told(&rig.run(1800)), []);
    assert_eq!(told(&rig.run(60)), [("m0".into(), Some(MEDIUM), LOW)]);
}

#[test]
fn a_fall_that_was_interrupted_by_a_middle_grade_ends_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(folder.path(), meters(1), MIDNIGHT + 12 * HOUR);
    rig.run(1200);
    let alarms = |rig: &mut Rig, open| {
        rig.engine.set_alarms(vec![DeviceAlarms { open, recent: 0 }]);
    };
    alarms(&mut rig, [1, 0, 0, 0]);
    assert_eq!(told(&rig.run(60)), [("m0".into(), Some(LOW), HIGH)]);
    alarms(&mut rig, [0; 4]);
    rig.run(600);
    alarms(&mut rig, [0, 1, 0, 0]);
    rig.run(600);
    alarms(&mut rig, [0; 4]);
    assert_eq!(told(&rig.run(660)), [], "from high to medium is not told");
    assert_eq!(rig.engine.risk_table().device(DeviceIndex(0)).unwrap().grade, Some(MEDIUM));
    assert_eq!(told(&rig.run(1860)), [("m0".into(), Some(MEDIUM), LOW)]);
}

#[test]
fn a_power_failure_of_the_whole_estate_makes_few_events() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(folder.path(), meters(300), MIDNIGHT + 12 * HOUR);
    rig.run(1200);
    (0..300).for_each(|slot| rig.set(slot, true));
    let events = rig.run(30);
    let (singles, estate): (Vec<_>, Vec<_>) =
        told(&events).into_iter().partition(|(whose, ..)| whose != "estate");
    assert_eq!((singles.len(), estate.len()), (20, 1));
    let Some(EventKind::RiskGrade { estate: Some(all), causes, .. }) =
        events.last().map(|event| &event.kind)
    else {
        panic!("the estate is told last")
    };
    assert_eq!((all.counts.medium, all.devices.len(), all.more), (300, 50, 250));
    assert_eq!((all.day.as_ref(), causes.len()), (None, 1));
    // It comes back within the hour, which began with the first look: told once when it is over.
    (0..300).for_each(|slot| rig.set(slot, false));
    assert_eq!(told(&rig.run(3600 - 1230)), []);
    let after = rig.run(60);
    assert_eq!(told(&after), [("estate".into(), Some(MEDIUM), LOW)]);
}

#[test]
fn the_day_is_graded_once_at_its_hour_and_right_after_the_box_was_down_then() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(folder.path(), meters(2), MIDNIGHT + 2 * HOUR);
    assert_eq!(days(&rig.run(70 * 60 - 60)), Vec::<String>::new(), "before 03:10");
    assert_eq!(days(&rig.run(24 * 3600 + 120)), ["2026-01-01", "2026-01-02"]);
    let stopped = rig.stop();
    // Down over the hour of the third day, up at noon: after it settled, once.
    let mut rig = Rig::start(folder.path(), meters(2), stopped + 33 * HOUR);
    assert_eq!(days(&rig.run(870)), Vec::<String>::new());
    assert_eq!(days(&rig.run(3600)), ["2026-01-03"]);
    let stopped = rig.stop();
    let mut rig = Rig::start(folder.path(), meters(2), stopped + HOUR);
    assert_eq!(days(&rig.run(3600)), Vec::<String>::new(), "known from the store");
    // Without a trusted clock there is no day.
    rig.trusted = false;
    assert_eq!(days(&rig.run(48 * 3600)), Vec::<String>::new());
}

#[test]
fn grades_survive_a_restart_and_are_not_told_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(folder.path(), meters(2), MIDNIGHT + 12 * HOUR);
    rig.run(1200);
    rig.set(1, true);
    rig.run(60);
    let stopped = rig.stop();
    let mut rig = Rig::start(folder.path(), meters(2), stopped + 60_000);
    rig.offline[1] = true;
    rig.run(60);
    let row = rig.engine.risk_table().device(DeviceIndex(1)).unwrap();
    assert_eq!(row.grade, Some(MEDIUM), "not heard yet: what was known holds");
    rig.set(1, true);
    assert!(told(&rig.run(60)).is_empty());
    rig.set(1, false);
    assert!(told(&rig.run(2000)).contains(&("m1".into(), Some(MEDIUM), LOW)));
}

#[test]
fn a_device_never_heard_is_not_graded_before_the_start_has_settled() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(folder.path(), meters(1), MIDNIGHT + 12 * HOUR);
    rig.offline[0] = true;
    assert!(told(&rig.run(870)).is_empty());
    assert_eq!(rig.engine.risk_table().estate().counts.unknown, 1);
    assert!(told(&rig.run(60)).contains(&("m0".into(), None, MEDIUM)));
}

#[test]
fn the_estate_is_as_its_safety_devices_and_shares_say() {
    let folder = tempfile::tempdir().unwrap();
    let mut devices = meters(19);
    devices.push(device("b", Category::EmergencyBroadcast));
    let mut rig = Rig::start(folder.path(), devices, MIDNIGHT + 12 * HOUR);
    rig.run(1200);
    let estate = |rig: &Rig| rig.engine.risk_table().estate().grade;
    assert_eq!(estate(&rig), Some(LOW));
    rig.set(0, true);
    rig.run(30);
    assert_eq!(estate(&rig), Some(LOW), "1 of 20 is medium");
    rig.set(1, true);
    rig.run(30);
    assert_eq!(estate(&rig), Some(MEDIUM), "a tenth is medium");
    rig.set(19, true);
    rig.run(30);
    assert_eq!(estate(&rig), Some(HIGH), "one broadcast terminal is enough");
    let visits = rig.engine.risk_table().visits();
    assert_eq!(visits, [DeviceIndex(19), DeviceIndex(0), DeviceIndex(1)], "worst first");
}

#[test]
fn findings_of_a_bus_and_alarms_count_for_their_devices() {
    let folder = tempfile::tempdir().unwrap();
    let line = BusId::new("line-1").unwrap();
    let mut devices = meters(3);
    devices[0].bus = Some(line.clone());
    devices[1].bus = Some(line.clone());
    let mut rig = Rig::start(folder.path(), devices, MIDNIGHT + 12 * HOUR);
    let finding = |devices: Vec<DeviceIndex>| Finding {
        diagnosis: Diagnosis::NoisyLine,
        devices,
        since: Moment::default(),
        seen: Words::default(),
        check: Words::default(),
    };
    let row = BusState {
        id: line,
        line: String::new(),
        devices: 2,
        open: true,
        fault: None,
        since: Moment::default(),
        load: 0.0,
        counters: BusCounters::default(),
        planned: BusBudget::default(),
        measured: None,
        units: Vec::new(),
        findings: vec![finding(vec![]), finding(vec![DeviceIndex(1)])],
    };
    rig.engine.watch_buses(BusTable::new(vec![row]));
    let alarm = DeviceAlarms { open: [0, 1, 0, 0], recent: 1 };
    rig.engine.set_alarms(vec![DeviceAlarms::default(), DeviceAlarms::default(), alarm]);
    rig.run(60);
    let points = |slot| rig.engine.risk_table().device(DeviceIndex(slot)).unwrap().points;
    assert_eq!([points(0), points(1), points(2)], [20.0, 40.0, 60.0]);
}

#[test]
fn a_day_counts_when_it_was_graded_and_the_platform_has_its_grade() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(folder.path(), meters(1), MIDNIGHT);
    rig.run(3600);
    assert_eq!(rig.outcome("R1").1, "no whole day has ended yet");
    rig.run(48 * 3600);
    let (outcome, reason) = rig.outcome("R1");
    assert_eq!(outcome, Outcome::NotMet);
    assert_eq!(reason, "of 2 natural days 2 were graded, the platform has 0");
    for hours in [24, 45] {
        let kind = FactKind::Delivered {
            what: Delivered::RiskGrade,
            age: Duration::from_secs(hours * 3600),
            count: 1,
            after_outage: None,
        };
        let wall = Some(WallTime { unix_ms: rig.wall() });
        rig.engine.take(Fact { at: rig.now, kind }, rig.now, wall);
    }
    assert_eq!(rig.outcome("R1").0, Outcome::Met);
    let stopped = rig.stop();
    // Two days on which the box was not up at the hour or later.
    let mut rig = Rig::start(folder.path(), meters(1), stopped + 48 * HOUR);
    rig.run(3600);
    let (outcome, reason) = rig.outcome("R1");
    assert_eq!(outcome, Outcome::NotMet);
    assert_eq!(reason, "of 4 natural days 2 were graded, the platform has 2");
}
