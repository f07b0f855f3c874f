//! Evidence across days, restarts and clocks that are set.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::model::{
    Category, EstateKind, GatewayId, Health, PointIndex, Quality, Reading, Reason, Value,
};
use crate::starlevel::tests::device;
use crate::store::{Changes, Limits, Store, StoreError};

/// 2026-01-01T00:00 in Shanghai.
const MIDNIGHT: i64 = 1_767_196_800_000;
const HOUR: i64 = 3_600_000;

/// A gateway with a store on a folder, whose clocks the test sets.
struct Rig {
    store: Store,
    book: Book,
    snapshot: Snapshot,
    /// Wall milliseconds at boot.
    offset: i64,
    now: Moment,
}

impl Rig {
    fn start(folder: &Path, devices: &[(&str, Category)], wall: i64) -> Self {
        let devices = devices.iter().map(|(id, category)| device(id, *category)).collect();
        let gateway = GatewayId::new("g").unwrap();
        let kind = EstateKind::OldRetrofit;
        let estate = Arc::new(Estate::new(gateway, String::new(), kind, devices).unwrap());
        let now = Moment { boot_ms: 60_000 };
        let store = Store::open(&folder.join("store"), Limits::default()).unwrap();
        let mut book = Book::new(&RulePack::built_in(), &estate, now);
        book.attach(EvidenceChain::new(&store)).unwrap();
        let snapshot = Snapshot::new(estate, now);
        Self { store, book, snapshot, offset: wall - 60_000, now }
    }

    fn wall(&self) -> i64 {
        self.offset + i64::try_from(self.now.boot_ms).unwrap()
    }

    fn look(&mut self, ms: i64, trusted: bool) {
        self.now = self.now.plus(Duration::from_millis(u64::try_from(ms).unwrap()));
        let wall = trusted.then_some(WallTime { unix_ms: self.wall() });
        self.book.observe(&self.snapshot, self.now, wall, &GatewaySeen::default());
        self.book.save(self.now, false).unwrap();
    }

    /// Looks every half minute for so long; `heard` devices bring a reading each minute.
    fn run(&mut self, ms: i64, heard: &[u32]) {
        let end = self.wall() + ms;
        while self.wall() < end {
            if self.now.boot_ms.is_multiple_of(60_000) {
                for &index in heard {
                    self.hear(index);
                }
            }
            self.look((end - self.wall()).min(30_000), true);
        }
    }

    fn hear(&self, index: u32) {
        self.snapshot.with(DeviceIndex(index), |state| {
            state.apply(self.now, &Reading::good(PointIndex(0), Value::Number(1.0)));
            state.health = Health::Online;
        });
    }

    fn stop(mut self) -> i64 {
        self.book.save(self.now, true).unwrap();
        self.store.commit().unwrap();
        self.wall()
    }

    fn observed(&self, day: i64) -> u64 {
        let day = self.book.zone.day(MIDNIGHT + day * 24 * HOUR);
        self.book.days.get(&day).map_or(0, |row| row.gateway.observed_ms)
    }

    fn online(&self, index: usize, day: i64) -> u64 {
        let day = self.book.zone.day(MIDNIGHT + day * 24 * HOUR);
        self.book.days.get(&day).map_or(0, |row| row.devices[index].online_ms[4])
    }
}

const CHARGER: &[(&str, Category)] = &[("c", Category::EvCharger)];

fn ms(hours: i64) -> u64 {
    u64::try_from(hours * HOUR).unwrap()
}

#[test]
fn a_day_ends_at_midnight_in_china_and_nothing_is_booked_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(folder.path(), CHARGER, MIDNIGHT - HOUR);
    rig.run(3 * HOUR, &[0]);
    assert_eq!((rig.observed(-1), rig.observed(0)), (ms(1), ms(2)));
    assert_eq!((rig.online(0, -1), rig.online(0, 0)), (ms(1), ms(2)));
    assert_eq!(rig.book.window(), Duration::from_millis(ms(3)));
}

#[test]
fn a_restart_continues_the_day_and_the_time_between_is_missing_but_not_observed() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(folder.path(), CHARGER, MIDNIGHT);
    rig.run(2 * HOUR, &[0]);
    let stopped = rig.stop();
    let mut rig = Rig::start(folder.path(), CHARGER, stopped + HOUR);
    rig.run(HOUR, &[0]);
    assert_eq!(rig.observed(0), ms(3));
    // Heard last half a minute or less before the end, online three minutes after it.
    let online = rig.online(0, 0);
    assert!(online > ms(3) + 60_000 && online <= ms(3) + 180_000, "{online}");
    assert_eq!(rig.book.window(), Duration::from_millis(ms(4)));
    let complete = rig.book.completeness(DeviceIndex(0), 5).unwrap();
    assert!((complete - 0.75).abs() < 0.01, "{complete}");
}

#[test]
fn a_meter_that_is_read_daily_stays_online_while_the_gateway_is_down() {
    let folder = tempfile::tempdir().unwrap();
    let meter = &[("w", Category::WaterMeter)];
    let mut rig = Rig::start(folder.path(), meter, MIDNIGHT);
    rig.run(HOUR, &[0]);
    let stopped = rig.stop();
    let mut rig = Rig::start(folder.path(), meter, stopped + 40 * HOUR);
    rig.run(60_000, &[]);
    // 1.5 days after the last reading, two days are more than that.
    let online = rig.online(0, 0) + rig.online(0, 1);
    assert!(online > ms(36) && online <= ms(37), "{online}");
    assert_eq!(rig.online(0, 0), ms(24));
    assert_eq!(rig.book.daily_reads(&[DeviceIndex(0)]), Some(1.0));
}

#[test]
fn a_clock_set_back_books_no_second_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(folder.path(), CHARGER, MIDNIGHT);
    rig.run(4 * HOUR, &[0]);
    rig.offset -= 2 * HOUR;
    rig.run(HOUR, &[0]);
    assert_eq!((rig.observed(0), rig.online(0, 0)), (ms(4), ms(4)), "that hour was booked before");
    rig.run(2 * HOUR, &[0]);
    assert_eq!((rig.observed(0), rig.online(0, 0)), (ms(5), ms(5)));
    assert!(rig.book.completeness(DeviceIndex(0), 5).unwrap() <= 1.0);
}

#[test]
fn a_clock_set_forward_leaves_a_gap_that_nobody_observed() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(folder.path(), CHARGER, MIDNIGHT);
    rig.run(HOUR, &[0]);
    rig.offset += 3 * HOUR;
    rig.run(HOUR, &[0]);
    assert_eq!(rig.observed(0), ms(2));
    assert_eq!(rig.book.window(), Duration::from_millis(ms(5)));
    assert!(rig.book.rate(DeviceIndex(0), 5).unwrap() < 0.42);
}

#[test]
fn a_clock_that_was_years_ahead_for_an_hour_removes_no_day_and_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(folder.path(), CHARGER, MIDNIGHT - 24 * HOUR);
    rig.run(26 * HOUR, &[0]);
    let far = 10 * 365 * 24 * HOUR;
    rig.offset += far;
    rig.run(HOUR, &[0]);
    rig.offset -= far;
    rig.run(HOUR, &[0]);
    assert!(rig.wall() < MIDNIGHT + 24 * HOUR);
    assert_eq!(rig.observed(-1), ms(24));
    rig.run(24 * HOUR, &[0]);
    assert_eq!(rig.observed(1), ms(4), "booking goes on with the next day");
    let report = EvidenceChain::new(&rig.store).verify().unwrap();
    assert_eq!((report.days, report.fault), (2, None));
    assert_eq!(report.last.as_deref(), Some("2026-01-01"));
}

#[test]
fn what_was_heard_before_the_clock_was_trusted_is_booked_to_its_day() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(folder.path(), CHARGER, MIDNIGHT - HOUR);
    for _ in 0..120 {
        rig.hear(0);
        rig.look(60_000, false);
    }
    assert!(rig.book.kept.frontier.is_none());
    rig.hear(0);
    rig.look(60_000, true);
    assert_eq!((rig.observed(-1), rig.observed(0)), (ms(1), ms(1) + 60_000));
    assert_eq!((rig.online(0, -1), rig.online(0, 0)), (ms(1), ms(1) + 60_000));
    assert_eq!(rig.book.completeness(DeviceIndex(0), 5), Some(1.0));
}

#[test]
fn readings_and_those_that_are_not_good_are_counted_by_day() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(folder.path(), CHARGER, MIDNIGHT - HOUR);
    rig.run(2 * HOUR, &[0]);
    for _ in 0..30 {
        rig.snapshot.with(DeviceIndex(0), |state| {
            let mut reading = Reading::good(PointIndex(0), Value::Number(1.0));
            reading.quality = Quality::Bad(Reason::NoAnswer);
            state.apply(rig.now, &reading);
        });
    }
    rig.run(60_000, &[]);
    assert_eq!(rig.book.readings(DeviceIndex(0)), (150, 120));
}

#[test]
fn one_changed_byte_is_found_and_its_day_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(folder.path(), CHARGER, MIDNIGHT);
    rig.run(5 * 24 * HOUR, &[0]);
    let chain = EvidenceChain::new(&rig.store);
    let whole = chain.verify().unwrap();
    assert_eq!((whole.days, whole.fault), (5, None));
    assert_eq!(whole.first.as_deref(), Some("2026-01-01"));
    let third = rig.book.zone.day(MIDNIGHT + 2 * 24 * HOUR);
    let tree = rig.store.tree("evidence");
    let keys = [
        chain::key(chain::DEVICE, third, "c"),
        chain::key(chain::GATEWAY, third, ""),
        chain::key(chain::LINK, third, ""),
    ];
    for key in keys {
        let row = tree.get(&key).unwrap().unwrap();
        for at in [0, row.len() / 2, row.len() - 1] {
            let mut changed = row.clone();
            changed[at] ^= 1;
            put(&rig.store, &key, &changed);
            let fault = chain.verify().unwrap().fault.expect("the change is found");
            assert_eq!(fault.day, "2026-01-03");
        }
        put(&rig.store, &key, &row);
    }
    put(&rig.store, &chain::key(chain::DEVICE, third, "ghost"), &[1]);
    assert_eq!(chain.verify().unwrap().fault.unwrap().day, "2026-01-03");
}

fn put(store: &Store, key: &[u8], value: &[u8]) {
    let mut changes = Changes::default();
    changes.insert(key, value);
    store.tree("evidence").apply(changes).unwrap();
}

#[test]
fn a_day_taken_out_of_the_chain_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(folder.path(), CHARGER, MIDNIGHT);
    rig.run(4 * 24 * HOUR, &[0]);
    let second = rig.book.zone.day(MIDNIGHT + 24 * HOUR);
    let mut changes = Changes::default();
    changes.remove(&chain::key(chain::DEVICE, second, "c"));
    changes.remove(&chain::key(chain::GATEWAY, second, ""));
    changes.remove(&chain::key(chain::LINK, second, ""));
    rig.store.tree("evidence").apply(changes).unwrap();
    let fault = EvidenceChain::new(&rig.store).verify().unwrap().fault.unwrap();
    assert_eq!(fault.day, "2026-01-03");
    let rig = {
        rig.stop();
        Rig::start(folder.path(), CHARGER, MIDNIGHT + 5 * 24 * HOUR)
    };
    assert_eq!(rig.book.chain_holds(), Some(false));
}

#[test]
fn evidence_is_kept_for_400_days_and_the_chain_still_holds() {
    let folder = tempfile::tempdir().unwrap();
    let mut wall = MIDNIGHT;
    let mut rig = Rig::start(folder.path(), CHARGER, wall);
    for _ in 0..410 {
        rig.hear(0);
        rig.look(13 * HOUR, true);
        rig.hear(0);
        rig.look(11 * HOUR, true);
        wall = rig.wall();
    }
    let report = EvidenceChain::new(&rig.store).verify().unwrap();
    assert_eq!((report.days, report.fault), (400, None));
    assert!(rig.book.days.len() <= 32, "{}", rig.book.days.len());
    rig.stop();
    let rig = Rig::start(folder.path(), CHARGER, wall);
    assert_eq!(rig.book.chain_holds(), Some(true));
    assert!(rig.book.days.len() <= 32);
}

#[test]
fn a_device_that_is_gone_does_not_count_and_one_that_is_new_counts_from_its_first_day() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(folder.path(), &[("a", Category::EvCharger)], MIDNIGHT);
    rig.run(30 * HOUR, &[]);
    let stopped = rig.stop();
    let mut rig = Rig::start(folder.path(), &[("b", Category::EvCharger)], stopped);
    rig.run(2 * HOUR, &[0]);
    assert_eq!(rig.book.rate(DeviceIndex(0), 5), Some(1.0));
    rig.run(24 * HOUR, &[0]);
    let report = EvidenceChain::new(&rig.store).verify().unwrap();
    assert_eq!((report.days, report.fault), (2, None), "the rows of the other day stay whole");
}

#[test]
fn a_heat_meter_is_missed_in_its_season_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(folder.path(), &[("h", Category::HeatMeter)], MIDNIGHT);
    rig.book.season = Some(crate::starlevel::Season::parse("11-15..01-10").unwrap());
    let heat = DeviceIndex(0);
    rig.run(5 * 24 * HOUR, &[0]);
    for _ in 5..20 {
        rig.look(24 * HOUR, true);
    }
    // Of the season's ten days five less their last minute, and the day and a half that a daily
    // meter may be silent.
    assert_eq!(rig.book.rate(heat, 1), Some(9359.0 / 14_400.0));
    assert_eq!(rig.book.completeness(heat, 1), Some(0.5));
    assert_eq!(rig.book.daily_reads(&[heat]), Some(0.5));
    assert!(!rig.book.dormant(heat));
    for _ in 20..45 {
        rig.look(24 * HOUR, true);
    }
    assert_eq!((rig.book.rate(heat, 1), rig.book.daily_reads(&[heat])), (None, None));
    assert!(rig.book.dormant(heat), "it was there in its season");
    for _ in 45..420 {
        rig.look(24 * HOUR, true);
    }
    assert!(!rig.book.dormant(heat), "a whole season without a word");
}

#[test]
fn a_folder_without_a_store_is_refused_and_stays_empty() {
    let folder = tempfile::tempdir().unwrap();
    let error = EvidenceChain::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(EvidenceChain::open(&folder.path().join("nowhere")).is_err());
}

#[test]
fn a_crash_right_after_a_charging_session_leaves_the_incomplete_one_in_the_count() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(folder.path(), CHARGER, MIDNIGHT);
    // Not at a time at which everything is saved anyway.
    rig.run(HOUR - 120_000, &[0]);
    rig.book.book_charge(rig.wall(), false);
    rig.look(30_000, true);
    rig.store.commit().unwrap();
    let wall = rig.wall();
    drop(rig);
    let rig = Rig::start(folder.path(), CHARGER, wall + 60_000);
    let sums = rig.book.charges();
    assert_eq!((sums.finished, sums.complete), (1, 0));
}
