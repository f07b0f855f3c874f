//! Sessions: faults first, then what a whole one looks like; restarts; connectors; the check.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::session::{Ended, Seen, Session, longest_gap};
use crate::model::*;
use crate::starlevel::tests::device;
use crate::starlevel::{Engine, EvidenceChain, GatewaySeen, LinkEvidence, Outcome, RulePack};
use crate::store::{Limits, Store};

const MIDNIGHT: i64 = 1_767_196_800_000;
const HOUR: i64 = 3_600_000;

/// Steps a session through `(seconds, state, session energy, register)`.
fn walk(looks: &[(i64, i64, Option<f64>, Option<f64>)]) -> Vec<Ended> {
    let mut session = Session::default();
    let gap = longest_gap(Duration::from_secs(30));
    let steps = looks.iter().filter_map(|(at, status, energy, register)| {
        let at_ms = at * 1000;
        let seen = Seen {
            at_ms,
            status: *status,
            session_kwh: energy.map(|kwh| (at_ms, kwh)),
            register_kwh: *register,
            stop: None,
        };
        session.step(seen, gap)
    });
    steps.collect()
}

fn ended(start: Option<i64>, end: Option<i64>, kwh: Option<f64>) -> Ended {
    let ms = |seconds: Option<i64>| seconds.map(|s| s * 1000);
    Ended { start_ms: ms(start), end_ms: ms(end), energy_kwh: kwh, ..Ended::default() }
}

fn inferred(mut ended: Ended, what: &str) -> Ended {
    ended.stop_inferred = Some(what.into());
    ended
}

#[test]
fn a_session_that_ran_already_at_the_start_has_no_begin_and_its_register_no_energy() {
    let seen =
        walk(&[(0, 3, None, Some(10.0)), (30, 3, None, Some(10.5)), (60, 1, None, Some(11.0))]);
    assert_eq!(seen, [inferred(ended(None, Some(60), None), "unplugged")]);
}

#[test]
fn a_session_whose_end_nobody_saw_has_no_end() {
    // Offline, then free: when it ended in between is not known. The register still tells how much.
    let looks = [
        (0, 1, None, Some(5.0)),
        (30, 3, None, Some(5.0)),
        (60, 0, None, None),
        (4000, 0, None, None),
        (4030, 1, None, Some(9.5)),
    ];
    assert_eq!(walk(&looks), [inferred(ended(Some(30), None, Some(4.5)), "unplugged")]);
}

#[test]
fn a_short_break_of_the_line_ends_no_session() {
    let looks = [
        (0, 1, Some(0.0), None),
        (30, 3, Some(0.1), None),
        (60, 0, None, None),
        (90, 3, Some(0.4), None),
        (120, 2, Some(0.5), None),
    ];
    assert_eq!(walk(&looks), [inferred(ended(Some(30), Some(120), Some(0.5)), "finished")]);
}

#[test]
fn energy_of_the_session_before_is_not_taken_for_this_one() {
    let looks = [
        (0, 2, Some(22.0), None),
        (30, 3, Some(22.0), None),
        (60, 3, Some(0.2), None),
        (90, 3, Some(0.4), None),
        // Cleared at once when it ends.
        (120, 1, Some(0.0), None),
    ];
    assert_eq!(walk(&looks), [inferred(ended(Some(30), Some(120), Some(0.4)), "unplugged")]);
}

#[test]
fn one_that_began_anew_while_nobody_looked_is_told_as_two() {
    let looks = [
        (0, 1, Some(0.0), None),
        (30, 3, Some(0.1), None),
        (60, 3, Some(7.0), None),
        (9000, 3, Some(1.0), None),
        (9030, 2, Some(1.1), None),
    ];
    let second = inferred(ended(None, Some(9030), Some(1.1)), "finished");
    assert_eq!(walk(&looks), [ended(Some(30), None, None), second]);
}

#[test]
fn a_register_that_ran_backwards_gives_no_energy() {
    let looks = [(0, 1, None, Some(9.0)), (30, 3, None, Some(9.0)), (60, 1, None, Some(2.0))];
    assert_eq!(walk(&looks)[0].energy_kwh, None);
}

#[test]
fn a_fault_is_a_stop_reason_and_free_or_occupied_are_not() {
    for (status, reason, inferred) in [
        (255, Some("fault"), None),
        (1, None, Some("unplugged")),
        (2, None, Some("finished")),
        (4, None, None),
    ] {
        let seen = walk(&[(0, 1, None, None), (30, 3, None, None), (60, status, None, None)]);
        assert_eq!(seen[0].stop_reason.as_deref(), reason);
        assert_eq!(seen[0].stop_inferred.as_deref(), inferred);
    }
}

#[test]
fn what_the_charger_says_counts_only_when_it_said_it_in_this_session() {
    let look = |session: &mut Session, at_ms, status, stop| {
        let seen = Seen { at_ms, status, stop, ..Seen::default() };
        session.step(seen, longest_gap(Duration::from_secs(30)))
    };
    for (said_at, wanted) in [(10_000, None), (60_000, Some("remote"))] {
        let mut session = Session::default();
        look(&mut session, 0, 1, None);
        look(&mut session, 30_000, 3, None);
        let ended = look(&mut session, 60_000, 1, Some((said_at, "remote"))).unwrap();
        assert_eq!(ended.stop_reason.as_deref(), wanted);
        assert_eq!(ended.stop_inferred.is_some(), wanted.is_none());
    }
}

const POINTS: [&str; 4] =
    ["connectorStatus", "totalActiveEnergyImport", "sessionEnergy", "stopReason"];

/// A charger with two connectors, each with all points, and the worst of their states beside.
fn charger() -> Device {
    let mut charger = device("c", Category::EvCharger);
    let model = charger.points[0].clone();
    let mut points = Vec::new();
    for number in 1..=2 {
        for name in POINTS {
            let name = format!("connectors.{number}.{name}").into();
            points.push(Point { name, ..model.clone() });
        }
    }
    points.push(Point { name: "connectorStatus".into(), ..model });
    charger.points = points.into();
    charger.groups = Arc::new([Group {
        name: "connectors".into(),
        zh: "{n} 号枪".into(),
        en: "connector {n}".into(),
        from: 1,
        count: 2,
        max: 16,
    }]);
    charger.expected_every = Duration::from_secs(30);
    charger
}

struct Rig {
    store: Store,
    engine: Engine,
    snapshot: Snapshot,
    offset: i64,
    now: Moment,
}

impl Rig {
    /// The platform acknowledged an order.
    fn deliver(&mut self, complete: bool) {
        let what = Delivered::ChargeOrder { complete };
        let age = Duration::from_secs(1);
        let kind = FactKind::Delivered { what, age, count: 1, after_outage: None };
        let wall = Some(WallTime { unix_ms: self.wall() });
        self.engine.take(Fact { at: self.now, kind }, self.now, wall);
    }

    fn start(folder: &Path, wall: i64) -> Self {
        let gateway = GatewayId::new("g").unwrap();
        let kind = EstateKind::New;
        let estate = Arc::new(Estate::new(gateway, String::new(), kind, vec![charger()]).unwrap());
        let now = Moment { boot_ms: 60_000 };
        let store = Store::open(&folder.join("store"), Limits::default()).unwrap();
        let mut engine = Engine::new(RulePack::built_in(), Arc::clone(&estate), now);
        engine.keep(EvidenceChain::new(&store)).unwrap();
        engine.keep_effects(&store).unwrap();
        let snapshot = Snapshot::new(estate, now);
        Self { store, engine, snapshot, offset: wall - 60_000, now }
    }

    fn wall(&self) -> i64 {
        self.offset + i64::try_from(self.now.boot_ms).unwrap()
    }

    /// The charger says this of a connector, half a minute later the gateway looks.
    fn says(&mut self, connector: u16, status: f64, register: f64, stop: &str) -> Vec<EventKind> {
        self.now = self.now.plus(Duration::from_secs(30));
        let values = [
            Value::Number(status),
            Value::Number(register),
            Value::Number(0.0),
            Value::Text(stop.into()),
        ];
        self.snapshot.with(DeviceIndex(0), |state| {
            state.health = Health::Online;
            for (place, value) in (0u16..).zip(values) {
                let point = PointIndex((connector - 1) * 4 + place);
                state.apply(self.now, &Reading::good(point, value));
            }
            state.apply(self.now, &Reading::good(PointIndex(8), Value::Number(255.0)));
        });
        let wall = Some(WallTime { unix_ms: self.wall() });
        self.engine.observe(&self.snapshot, self.now, wall, &GatewaySeen::default());
        self.engine.save(self.now, false).unwrap();
        let events = self.engine.take_events().into_iter().map(|event| event.kind);
        events.filter(|kind| matches!(kind, EventKind::ChargeOrder { .. })).collect()
    }

    fn stop(mut self) -> i64 {
        self.engine.save(self.now, true).unwrap();
        self.store.commit().unwrap();
        self.wall()
    }

    fn check(&self) -> (Outcome, String) {
        let wall = Some(WallTime { unix_ms: self.wall() });
        let link = LinkEvidence::default();
        let result = self.engine.assess(&self.snapshot, &link, self.now, wall);
        let check = result.check("V2").unwrap();
        (check.outcome, check.reason.clone().map(|reason| reason.en).unwrap_or_default())
    }
}

#[test]
fn a_session_over_a_restart_is_one_order_of_its_connector() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(folder.path(), MIDNIGHT + 8 * HOUR);
    assert_eq!(rig.says(2, 1.0, 100.0, ""), []);
    assert_eq!(rig.says(2, 3.0, 100.0, ""), []);
    let begin = rig.wall();
    assert_eq!(rig.says(1, 1.0, 7.0, ""), [], "the other connector is another matter");
    let stopped = rig.stop();
    let mut rig = Rig::start(folder.path(), stopped + 2 * HOUR);
    assert_eq!(rig.says(2, 3.0, 109.0, ""), []);
    let orders = rig.says(2, 1.0, 110.25, "user");
    let order = EventKind::ChargeOrder {
        connector: Some(2),
        start_ms: Some(begin),
        end_ms: Some(rig.wall()),
        energy_kwh: Some(10.25),
        stop_reason: Some("user".into()),
        stop_inferred: None,
        complete: true,
    };
    assert_eq!(orders, [order]);
    let stopped = rig.stop();
    let mut rig = Rig::start(folder.path(), stopped + 60_000);
    assert_eq!(rig.says(2, 1.0, 110.25, "user"), [], "told once");
}

#[test]
fn nothing_finished_is_unknown_and_an_order_counts_when_it_is_complete_and_at_the_platform() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(folder.path(), MIDNIGHT + 8 * HOUR);
    rig.says(1, 1.0, 0.0, "");
    let (outcome, reason) = rig.check();
    assert!(
        outcome == Outcome::Unknown && reason.contains("no charging session ended"),
        "{reason}"
    );
    rig.says(1, 3.0, 0.0, "");
    assert_eq!(rig.says(1, 2.0, 1.0, "full").len(), 1);
    let (outcome, reason) = rig.check();
    assert!(outcome == Outcome::NotMet && reason.contains("within 24 h: 0"), "{reason}");
    rig.deliver(true);
    assert_eq!(rig.check().0, Outcome::Met);
    // One without a reason of two: a half.
    rig.says(1, 3.0, 1.0, "");
    assert_eq!(rig.says(1, 1.0, 2.0, "").len(), 1);
    rig.deliver(false);
    let (outcome, reason) = rig.check();
    assert!(outcome == Outcome::NotMet && reason.contains("ended: 2; with"), "{reason}");
    let wall = rig.stop();
    let mut rig = Rig::start(folder.path(), wall + 60_000);
    rig.says(1, 1.0, 2.0, "");
    assert_eq!(rig.check().0, Outcome::NotMet, "the counts are in the evidence");
}

#[test]
fn an_estate_without_a_connector_that_shows_its_state_is_unknown() {
    let gateway = GatewayId::new("g").unwrap();
    let devices = vec![device("c", Category::EvCharger)];
    let estate = Arc::new(Estate::new(gateway, String::new(), EstateKind::New, devices).unwrap());
    let now = Moment { boot_ms: 60_000 };
    let snapshot = Snapshot::new(Arc::clone(&estate), now);
    let mut engine = Engine::new(RulePack::built_in(), estate, now);
    let later = now.plus(Duration::from_secs(60));
    let wall = Some(WallTime { unix_ms: MIDNIGHT });
    engine.observe(&snapshot, later, wall, &GatewaySeen::default());
    let result = engine.assess(&snapshot, &LinkEvidence::default(), later, wall);
    let check = result.check("V2").unwrap();
    assert_eq!(check.outcome, Outcome::Unknown);
    assert!(check.reason.as_ref().unwrap().en.contains("no charger shows"));
}
