//! Facts by day: what waits for a clock, what is counted, how large a row gets.

use std::sync::Arc;
use std::time::Duration;

use super::day::GatewayDay;
use super::{Backfill, Book, EvidenceChain, GatewaySeen, Percentile, Tally};
use crate::model::{
    AlarmLife, BroadcastLife, BroadcastProof, Category, Delivered, DeviceId, DeviceIndex, Estate,
    EstateKind, Fact, FactKind, GatewayId, Moment, Snapshot, WallTime,
};
use crate::starlevel::RulePack;
use crate::starlevel::tests::device;
use crate::store::{Limits, Store};

/// 2026-01-01T00:00 in Shanghai.
const MIDNIGHT: i64 = 1_767_196_800_000;
const DAY: Duration = Duration::from_secs(86_400);
const NEVER: Duration = Duration::MAX;

struct Rig {
    book: Book,
    snapshot: Snapshot,
    now: Moment,
}

impl Rig {
    /// Midnight is a minute after boot.
    fn new() -> Self {
        let devices = vec![device("e", Category::ElectricityMeter)];
        let gateway = GatewayId::new("g").unwrap();
        let estate = Estate::new(gateway, String::new(), EstateKind::New, devices).unwrap();
        let now = Moment { boot_ms: 60_000 };
        let estate = Arc::new(estate);
        let book = Book::new(&RulePack::built_in(), &estate, now);
        Self { book, snapshot: Snapshot::new(estate, now), now }
    }

    fn wall(&self) -> WallTime {
        WallTime { unix_ms: MIDNIGHT + i64::try_from(self.now.boot_ms).unwrap() - 60_000 }
    }

    fn look(&mut self, after: Duration, trusted: bool, link_up: bool) {
        self.now = self.now.plus(after);
        let seen = GatewaySeen { link_up, ..GatewaySeen::default() };
        self.book.observe(&self.snapshot, self.now, trusted.then(|| self.wall()), &seen);
    }

    fn tell(&mut self, trusted: bool, kind: FactKind) {
        let fact = Fact { at: self.now, kind };
        self.book.take(fact, self.now, trusted.then(|| self.wall()));
    }

    fn row(&self, day: u32) -> Option<&GatewayDay> {
        let first = self.book.zone.day(MIDNIGHT);
        self.book.days.get(&(first + day)).map(|row| &row.gateway)
    }
}

fn delivered(what: Delivered, seconds: u64, count: u32, up: Option<Duration>) -> FactKind {
    let age = if seconds == u64::MAX { NEVER } else { Duration::from_secs(seconds) };
    FactKind::Delivered { what, age, count, after_outage: up }
}

#[test]
fn facts_that_come_before_a_clock_is_trusted_are_booked_to_their_own_day_when_it_is() {
    let mut rig = Rig::new();
    rig.tell(false, delivered(Delivered::Event, 1, 1, None));
    rig.look(2 * DAY, false, true);
    rig.tell(false, delivered(Delivered::Event, 1, 2, None));
    rig.look(Duration::from_secs(30), true, true);
    // Everything before the first trusted look belongs to the day on which the history begins.
    let count = |rig: &Rig, day| rig.row(day).and_then(|row| row.facts.events.percentile(95));
    assert_eq!(count(&rig, 2).map(|p| p.count), Some(3));
    rig.look(DAY, false, true);
    rig.tell(false, delivered(Delivered::Event, 1, 4, None));
    rig.look(DAY, true, true);
    assert_eq!(count(&rig, 4).map(|p| p.count), Some(4), "the day that is still open");
}

#[test]
fn while_the_clock_is_not_trusted_facts_are_bounded_and_no_bad_one_gets_lost() {
    let mut rig = Rig::new();
    rig.tell(false, delivered(Delivered::Telemetry, u64::MAX, 7, None));
    for _ in 0..40_000 {
        rig.tell(false, delivered(Delivered::Telemetry, 1, 1, None));
    }
    rig.tell(false, delivered(Delivered::Telemetry, u64::MAX, 3000, None));
    rig.look(Duration::from_secs(30), true, true);
    let found = rig.book.telemetry_latency().unwrap();
    assert_eq!(found, Percentile { at_most_s: None, count: 43_007 });
}

#[test]
fn readings_of_an_outage_count_for_the_backfill_alone_and_its_day_ends_to_the_millisecond() {
    let mut rig = Rig::new();
    rig.look(Duration::from_secs(30), true, true);
    assert_eq!(rig.book.backfill(), Backfill::NoOutage);
    rig.tell(true, delivered(Delivered::Telemetry, 900, 10, Some(DAY)));
    rig.tell(true, delivered(Delivered::Telemetry, 900, 5, Some(DAY + Duration::from_millis(1))));
    rig.tell(true, delivered(Delivered::Event, 900, 1, Some(NEVER)));
    rig.tell(true, delivered(Delivered::ChargeOrder { complete: true }, 900, 9, Some(NEVER)));
    assert_eq!(rig.book.backfill(), Backfill::Records(Tally { all: 16, good: 10 }));
    assert_eq!(rig.book.telemetry_latency(), None);
    assert_eq!(rig.book.alarm_latency().map(|p| p.count), Some(1), "an event is late in an outage");
}

#[test]
fn without_records_of_an_outage_the_backfill_is_believed_only_when_the_link_was_seen_up() {
    let mut rig = Rig::new();
    rig.look(Duration::from_secs(999), true, true);
    rig.look(Duration::from_secs(1), true, false);
    assert_eq!(rig.book.backfill(), Backfill::NoOutage, "99.9 %");
    rig.look(Duration::from_secs(1), true, false);
    assert_eq!(rig.book.backfill(), Backfill::Unknown);
}

#[test]
fn orders_are_good_when_complete_within_a_day_and_a_risk_grade_counts_for_the_day_it_was_made() {
    let mut rig = Rig::new();
    rig.look(Duration::from_secs(30), true, true);
    let order = |complete| Delivered::ChargeOrder { complete };
    rig.tell(true, delivered(order(true), 86_400, 3, None));
    rig.tell(true, delivered(order(true), 86_401, 1, None));
    rig.tell(true, delivered(order(false), 1, 1, None));
    rig.tell(true, delivered(order(true), u64::MAX, 1, Some(NEVER)));
    assert_eq!(rig.book.charge_orders(), Tally { all: 6, good: 3 });
    rig.tell(true, delivered(Delivered::EnvironmentHour, 1801, 1, None));
    let lag = rig.book.environment_lag();
    assert_eq!(lag, Some(Percentile { at_most_s: Some(3600.0), count: 1 }));
    assert_eq!(rig.book.risk_grade_days(), Tally::default(), "no whole day has ended");
    for _ in 0..4 {
        rig.look(DAY, true, true);
    }
    // Four whole days have ended; an outage brought two grades at once, one of them twice.
    for days_ago in [1u64, 2, 2] {
        rig.tell(true, delivered(Delivered::RiskGrade, days_ago * 86_400, 1, Some(DAY)));
    }
    rig.tell(true, delivered(Delivered::RiskGrade, u64::MAX, 1, Some(NEVER)));
    rig.tell(true, delivered(Delivered::RiskGrade, 5, 1, None));
    assert_eq!(rig.book.risk_grade_days(), Tally { all: 4, good: 2 });
}

#[test]
fn a_meter_s_clock_counts_as_it_was_last_read_and_a_meter_of_no_estate_not_at_all() {
    let mut rig = Rig::new();
    rig.look(Duration::from_secs(30), true, true);
    let clocks = |rig: &Rig| rig.book.meter_clocks([DeviceIndex(0)].into_iter());
    assert_eq!(clocks(&rig), Tally::default());
    for (id, offset_s, good) in [("e", -300, 1), ("e", 301, 0), ("nobody", 0, 0), ("e", 300, 1)] {
        let device = DeviceId::new(id).unwrap();
        rig.tell(true, FactKind::MeterClock { device, offset_s });
        assert_eq!(clocks(&rig), Tally { all: 1, good });
    }
    for _ in 0..31 {
        rig.look(DAY, true, true);
    }
    assert_eq!(clocks(&rig), Tally::default(), "read before the window");
}

#[test]
fn the_row_of_a_busy_day_stays_below_two_kibibytes_and_reads_back() {
    let mut rig = Rig::new();
    rig.look(Duration::from_secs(30), true, true);
    // 20 000 readings a second; a bad line spreads them over many buckets.
    for seconds in [1u64, 2, 5, 10, 15, 20, 30, 45, 60, 90, 300, 900, u64::MAX] {
        rig.tell(true, delivered(Delivered::Telemetry, seconds, 132_923_076, None));
        rig.tell(true, delivered(Delivered::Event, seconds, 9_999, None));
        rig.tell(true, delivered(Delivered::ConnectorStatus, seconds, 99_999, None));
        rig.tell(true, delivered(Delivered::EnvironmentHour, seconds % 90_000, 48, None));
        rig.tell(true, FactKind::ScreenShown { after: Duration::from_secs(seconds.min(9000)) });
        rig.tell(true, delivered(Delivered::Telemetry, seconds, 99_999_999, Some(NEVER)));
        let broadcast = BroadcastLife {
            drill: true,
            started_after: Duration::from_secs(seconds.min(9000)),
            addressed: 400,
            acknowledged: 399,
            returned: true,
        };
        rig.tell(true, FactKind::Broadcast(broadcast));
        let life = AlarmLife {
            id: format!("alarm-{seconds}"),
            level: 1,
            age: Duration::from_secs(seconds.min(9000)),
            acknowledged_after: Some(Duration::from_secs(1)),
            closed_after: Some(Duration::from_secs(seconds.min(9000))),
            escalated_after: None,
        };
        rig.tell(true, FactKind::Alarm(life));
    }
    for offset_ms in [1, -300, 700, 1500, 4999, -9000] {
        rig.tell(true, FactKind::GatewayClock { offset_ms, source: "ntp".into() });
    }
    rig.tell(true, FactKind::BroadcastProof(BroadcastProof::PreEmption));
    rig.tell(true, delivered(Delivered::ChargeOrder { complete: true }, 1, 9_999, None));
    rig.tell(true, delivered(Delivered::RiskGrade, 1, 1, None));
    let row = rig.row(0).unwrap();
    let json = serde_json::to_vec(row).unwrap();
    println!("the gateway's row of a busy day: {} bytes", json.len());
    assert!(json.len() < 2048, "{}", String::from_utf8_lossy(&json));
    assert_eq!(serde_json::from_slice::<GatewayDay>(&json).unwrap(), *row);
}

#[test]
fn a_restart_keeps_open_alarms_clocks_and_the_broadcasts_of_a_year() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store"), Limits::default()).unwrap();
    let mut rig = Rig::new();
    rig.book.attach(EvidenceChain::new(&store)).unwrap();
    rig.look(Duration::from_secs(30), true, true);
    let life = AlarmLife {
        id: "a".into(),
        level: 1,
        age: Duration::ZERO,
        acknowledged_after: Some(Duration::ZERO),
        closed_after: None,
        escalated_after: None,
    };
    rig.tell(true, FactKind::Alarm(life.clone()));
    let device = DeviceId::new("e").unwrap();
    rig.tell(true, FactKind::MeterClock { device, offset_s: 3 });
    rig.tell(true, FactKind::BroadcastProof(BroadcastProof::RefusedArea));
    // What nobody tells again is saved with the next look.
    rig.book.save(rig.now, false).unwrap();
    let mut again = Rig::new();
    again.now = rig.now;
    again.book.attach(EvidenceChain::new(&store)).unwrap();
    assert_eq!(again.book.meter_clocks([DeviceIndex(0)].into_iter()), Tally { all: 1, good: 1 });
    again.tell(true, FactKind::Alarm(AlarmLife { age: Duration::from_secs(30), ..life }));
    assert_eq!(again.book.alarms().acknowledged, Tally { all: 1, good: 1 }, "not once more");
    for _ in 0..366 {
        again.look(DAY, true, true);
        again.book.save(again.now, false).unwrap();
    }
    assert_eq!(again.book.broadcasts(365).lacking().len(), 4, "more than a year ago");
    assert_eq!(again.book.broadcasts(366).lacking().len(), 3);
}
