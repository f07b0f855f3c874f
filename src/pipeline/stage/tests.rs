//! What the pipeline lets through, holds, marks and announces.

mod watched;

use std::time::Duration;

use super::*;
use crate::clock::{Config, Trust};
use crate::model::{
    Category, Device, EstateKind, GatewayId, Health, Point, Quality, Reading, Reason, ReportRule,
    Rule, Test, Unit, Value,
};
use crate::store::{Limits, Store};

fn point(name: &str, quantity: Quantity) -> Point {
    Point { decimals: 1, ..Point::new(name, Unit::ONE, quantity) }
}

/// What is stored, what is announced, whether the point is read again.
type Seen = (Vec<(Option<Value>, Quality)>, Vec<EventKind>, bool);

struct Bench {
    stage: Pipeline,
    snapshot: Snapshot,
    requests: mpsc::Receiver<FieldRequest>,
    now: Moment,
}

impl Bench {
    fn new(points: Vec<Point>) -> Self {
        Self::with(points, Vec::new())
    }

    fn with(points: Vec<Point>, derived: Vec<Derived>) -> Self {
        let device = Device {
            derived: derived.into(),
            ..Device::new(
                DeviceId::new("meter").unwrap(),
                Category::ElectricityMeter,
                Duration::from_secs(10),
                points,
            )
        };
        let estate = Estate::new(
            GatewayId::new("gw").unwrap(),
            String::new(),
            EstateKind::New,
            vec![device],
        );
        let snapshot = Snapshot::new(Arc::new(estate.unwrap()), Moment::default());
        let clock = Clock::new(Config { trust: Trust::System, ..Config::default() });
        let (asks, requests) = mpsc::channel(4);
        let (stage, _) = Pipeline::new(snapshot.clone(), clock, vec![Some(asks)], None);
        Self { stage, snapshot, requests, now: Moment::default() }
    }

    /// Ten seconds later the point reads `value`; returns what is stored of it.
    fn read(&mut self, value: f64) -> Seen {
        self.now = self.now.plus(Duration::from_secs(10));
        self.offer(Reading::good(PointIndex(0), Value::Number(value)))
    }

    fn offer(&mut self, reading: Reading) -> Seen {
        let batch = Batch {
            device: DeviceIndex(0),
            at: self.now,
            source_time: None,
            readings: vec![reading],
            receipt: None,
        };
        let effects = self.stage.apply(FieldMessage::Readings(batch));
        let mut stored = Vec::new();
        let mut events = Vec::new();
        for record in effects.records {
            match record {
                Record::Readings(batch) => {
                    stored.extend(batch.readings.into_iter().map(|r| (r.value, r.quality)));
                }
                Record::Event(event) => events.push(event.kind),
            }
        }
        (stored, events, effects.read_again.is_some())
    }
}

fn good(value: f64) -> (Option<Value>, Quality) {
    (Some(Value::Number(value)), Quality::Good)
}

#[tokio::test]
async fn a_value_out_of_range_is_stored_as_bad_with_its_value() {
    let mut bench = Bench::new(vec![Point {
        range: Some((0.0, 300.0)),
        ..point("u", Quantity::Instantaneous)
    }]);
    assert_eq!(bench.read(230.0).0, [good(230.0)]);
    let stored = bench.read(6553.5).0;
    assert_eq!(stored, [(Some(Value::Number(6553.5)), Quality::Bad(Reason::OutOfRange))]);
}

#[tokio::test]
async fn an_instantaneous_value_that_jumps_is_uncertain() {
    let mut bench =
        Bench::new(vec![Point { max_rate: Some(1.0), ..point("t", Quantity::Instantaneous) }]);
    bench.read(20.0);
    assert_eq!(bench.read(29.0).0, [good(29.0)]);
    assert_eq!(bench.read(60.0).0[0].1, Quality::Uncertain(Reason::RateOfChange));
    assert_eq!(bench.read(61.0).0, [good(61.0)]);
}

#[tokio::test]
async fn a_counter_that_glitches_once_is_held_and_read_again_and_nothing_is_said() {
    let mut bench = Bench::new(vec![point("e", Quantity::Counter)]);
    bench.read(100.0);
    let (stored, events, again) = bench.read(3.0);
    assert!(stored.is_empty() && events.is_empty() && again);
    assert_eq!(
        bench.snapshot.device(DeviceIndex(0)).points[0].quality,
        Some(Quality::Uncertain(Reason::CounterBackwards))
    );
    assert_eq!(bench.read(100.5), (vec![good(100.5)], vec![], false));
}

#[tokio::test]
async fn a_counter_that_stays_behind_is_announced_once_and_marked_until_it_goes_on() {
    let mut bench = Bench::new(vec![point("e", Quantity::Counter)]);
    bench.read(100.0);
    bench.read(3.0);
    let (stored, events, _) = bench.read(3.0);
    assert_eq!(stored[0].1, Quality::Uncertain(Reason::CounterBackwards));
    assert!(matches!(events[..], [EventKind::CounterSuspect { previous: 100.0, value: 3.0, .. }]));
    let (stored, events, again) = bench.read(4.0);
    assert_eq!(stored[0].1, Quality::Uncertain(Reason::CounterBackwards));
    assert!(events.is_empty() && !again);
    let (stored, events, _) = bench.read(101.0);
    assert_eq!(stored, [good(101.0)]);
    assert!(matches!(events[..], [EventKind::CounterRecovered { .. }]));
}

#[tokio::test]
async fn a_counter_that_cannot_be_read_again_is_announced_at_once_and_never_held() {
    let mut bench = Bench::new(vec![point("e", Quantity::Counter)]);
    bench.stage.drivers[0] = None;
    bench.read(100.0);
    let (stored, events, again) = bench.read(3.0);
    assert_eq!(stored[0].1, Quality::Uncertain(Reason::CounterBackwards));
    assert_eq!((events.len(), again), (1, false));
}

#[tokio::test]
async fn a_counter_may_roll_over_at_its_maximum_but_not_elsewhere() {
    let counter = Point { counter_max: Some(1000.0), ..point("e", Quantity::Counter) };
    let mut bench = Bench::new(vec![counter]);
    bench.read(999.5);
    assert_eq!(bench.read(0.5).0, [good(0.5)]);
    bench.read(700.0);
    assert!(bench.read(0.5).2, "700 to 0.5 is no roll-over");
}

#[tokio::test]
async fn a_counter_that_outruns_its_meter_is_suspect() {
    let counter = Point { max_rate: Some(0.1), ..point("e", Quantity::Counter) };
    let mut bench = Bench::new(vec![counter]);
    bench.read(100.0);
    assert_eq!(bench.read(101.0).0, [good(101.0)]);
    assert!(bench.read(53_700.0).2);
    let (_, events, _) = bench.read(53_700.0);
    assert!(matches!(events[..], [EventKind::CounterSuspect { reason: Reason::CounterJump, .. }]));
}

#[tokio::test]
async fn a_recorded_exchange_makes_the_lower_count_believed() {
    let mut bench = Bench::new(vec![point("e", Quantity::Counter)]);
    bench.read(100.0);
    bench.read(0.0);
    bench.read(0.0);
    let (reply, answer) = oneshot::channel();
    let device = DeviceId::new("meter").unwrap();
    let act = Act::MeterExchanged { device, by: "张三".into(), reply };
    let effects = bench.stage.act(act, bench.now);
    assert_eq!(answer.await.unwrap(), Ok(()));
    assert!(matches!(
        &effects.records[..],
        [Record::Event(Event { kind: EventKind::MeterExchanged { previous: 100.0, by, .. }, .. })] if by == "张三"
    ));
    assert_eq!(bench.read(0.5).0, [good(0.5)]);
}

#[tokio::test]
async fn an_unchanged_value_is_stored_only_when_at_least_every_is_over() {
    let rule = ReportRule { dead_band: 0.5, at_least_every: Duration::from_secs(30) };
    let mut bench = Bench::new(vec![Point { report: rule, ..point("u", Quantity::Instantaneous) }]);
    assert_eq!(bench.read(230.0).0.len(), 1);
    assert!(bench.read(230.4).0.is_empty());
    assert_eq!(bench.read(230.5).0.len(), 1);
    assert!(bench.read(230.5).0.is_empty());
    assert!(bench.read(230.5).0.is_empty());
    assert_eq!(bench.read(230.5).0.len(), 1);
}

#[tokio::test]
async fn a_change_of_quality_is_stored_although_the_value_did_not_move() {
    let mut bench = Bench::new(vec![point("u", Quantity::Instantaneous)]);
    bench.read(230.0);
    let bad = Reading::bad(PointIndex(0), Reason::NoAnswer);
    assert_eq!(bench.offer(bad.clone()).0.len(), 1);
    assert!(bench.offer(bad).0.is_empty());
    assert_eq!(bench.read(230.0).0.len(), 1);
}

#[tokio::test]
async fn a_batch_with_a_receipt_goes_on_even_when_nothing_in_it_is_stored() {
    let mut bench = Bench::new(vec![point("u", Quantity::Instantaneous)]);
    bench.read(1.0);
    let batch = Batch {
        device: DeviceIndex(0),
        at: bench.now,
        source_time: None,
        readings: vec![Reading::good(PointIndex(0), Value::Number(1.0))],
        receipt: Some(crate::model::Receipt::new(|| {})),
    };
    let effects = bench.stage.apply(FieldMessage::Readings(batch));
    assert!(matches!(&effects.records[..], [Record::Readings(batch)] if batch.readings.is_empty()));
}

#[tokio::test]
async fn a_counter_that_stood_higher_before_the_restart_is_suspect_however_long_that_took() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store"), Limits::default()).unwrap();
    let counter = Point { max_rate: Some(0.1), ..point("e", Quantity::Counter) };
    let mut bench = Bench::new(vec![counter.clone()]);
    let baselines = |bench: &Bench| {
        Some(Baselines::load(store.tree("counters"), bench.snapshot.estate()).unwrap())
    };
    bench.stage.baselines = baselines(&bench);
    bench.read(100.0);
    bench.stage.save_baselines();

    let mut later = Bench::new(vec![counter.clone()]);
    let restored = baselines(&later);
    let (snapshot, clock) = (later.snapshot.clone(), later.stage.clock.clone());
    later.stage = Pipeline::new(snapshot, clock, vec![None], restored).0;
    let (stored, events, _) = later.read(99.0);
    assert_eq!(stored[0].1, Quality::Uncertain(Reason::CounterBackwards));
    assert!(matches!(events[..], [EventKind::CounterSuspect { previous: 100.0, .. }]));

    let mut later = Bench::new(vec![counter]);
    let restored = baselines(&later);
    let (snapshot, clock) = (later.snapshot.clone(), later.stage.clock.clone());
    later.stage = Pipeline::new(snapshot, clock, vec![None], restored).0;
    assert_eq!(later.read(9000.0).0, [good(9000.0)], "the daemon may have been off for years");
}

#[tokio::test]
async fn only_a_change_of_health_is_announced() {
    let mut bench = Bench::new(vec![point("u", Quantity::Instantaneous)]);
    let change = |health| {
        FieldMessage::Health(HealthChange {
            device: DeviceIndex(0),
            at: Moment::default(),
            health,
            cause: None,
        })
    };
    assert_eq!(bench.stage.apply(change(Health::Online)).records.len(), 1);
    assert!(bench.stage.apply(change(Health::Online)).records.is_empty());
    assert_eq!(bench.stage.apply(change(Health::Offline)).records.len(), 1);
    assert!(bench.requests.try_recv().is_err());
}

/// Two points that are read, and how many of them are above 5.
fn counted() -> Bench {
    let points = vec![
        point("a", Quantity::Instantaneous),
        point("b", Quantity::Instantaneous),
        point("high", Quantity::Instantaneous),
    ];
    let high = Derived {
        point: PointIndex(2),
        rule: Rule::CountWhere(Test::Above(5.0)),
        of: vec![PointIndex(0), PointIndex(1)],
        flag: false,
    };
    Bench::with(points, vec![high])
}

#[tokio::test]
async fn a_derived_point_follows_the_batch_that_changes_its_inputs() {
    let mut bench = counted();
    let reading = |point, value| Reading::good(PointIndex(point), Value::Number(value));
    // Of `b` nothing is known yet.
    let first = bench.offer(reading(0, 7.0)).0;
    let unsure = (Some(Value::Number(1.0)), Quality::Uncertain(Reason::NotAvailable));
    assert_eq!(first, [good(7.0), unsure]);
    assert_eq!(bench.offer(reading(1, 9.0)).0, [good(9.0), good(2.0)]);
    // The count stays: it is not stored again, the reading that came is.
    assert_eq!(bench.offer(reading(1, 8.0)).0, [good(8.0)]);
    let state = bench.snapshot.device(DeviceIndex(0));
    assert_eq!(state.points[2].value, Some(Value::Number(2.0)));
}

#[tokio::test]
async fn a_derived_point_is_bad_when_its_inputs_are() {
    let mut bench = counted();
    bench.offer(Reading::good(PointIndex(0), Value::Number(7.0)));
    let stored = bench.offer(Reading::bad(PointIndex(0), Reason::NoAnswer)).0;
    let bad = (None, Quality::Bad(Reason::NoAnswer));
    assert_eq!(stored, [bad.clone(), bad]);
}

#[test]
fn an_act_that_is_kept_elsewhere_becomes_an_event_of_the_gateway() {
    let mut rig = Bench::new(vec![]);
    let kind = EventKind::AttestationWithdrawn { what: "privacy".into(), by: "王".into() };
    let effects = rig.stage.act(Act::Kept(kind.clone()), rig.now);
    assert!(effects.read_again.is_none());
    let [Record::Event(event)] = &effects.records[..] else { panic!("{:?}", effects.records) };
    assert_eq!((&event.kind, &event.device), (&kind, &None));
}
