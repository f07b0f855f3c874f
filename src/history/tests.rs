//! The history as a whole: what was heard is shown, whatever happens to its files.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use super::chunk::seal_as;
use super::testing::estate;
use super::*;
use crate::format::Format;
use crate::model::{
    DeviceId, DeviceIndex, Moment, PointIndex, Quality, Reading, ReadingSink as _, Reason, Value,
    WallTime,
};

const HOUR: u32 = 12;

fn slot(text: &str) -> Slot {
    let stamp: jiff::Timestamp = text.parse().unwrap();
    Slot::of(WallTime { unix_ms: stamp.as_millisecond() })
}

fn noon() -> Slot {
    slot("2026-06-01T12:00:00+08:00")
}

fn config() -> Config {
    Config { keep_free: 0, ..Config::default() }
}

struct Box {
    history: History,
    writer: Writer,
}

impl Box {
    fn start(folder: &Path, config: &Config) -> Self {
        Self::of(folder, config, estate(3, 2))
    }

    fn of(folder: &Path, config: &Config, estate: crate::model::Estate) -> Self {
        let clock = crate::clock::Clock::of_boot(Default::default(), "b", 0);
        let (history, writer) = History::new(config, folder, Arc::new(estate), clock);
        Self { history, writer }
    }

    /// A value in the middle of a bucket, of device 1, point 0.
    fn hear(&self, slot: Slot, value: f64) {
        let wall = WallTime { unix_ms: slot.begin().unix_ms + 60_000 };
        self.history.tell(DeviceIndex(1), PointIndex(0), wall, value);
    }

    fn turn(&mut self, slot: Slot) {
        self.writer.turn(Some(slot.begin()), Turn::Regular);
    }

    fn stop(mut self) {
        self.writer.turn(None, Turn::Last);
    }

    fn lasts(&self, slots: std::ops::Range<Slot>) -> Vec<(u32, f64)> {
        let series = self.history.series(DeviceIndex(1), &[PointIndex(0)], slots, 1).unwrap();
        series[0].buckets.iter().map(|b| (b.slot.0, b.last)).collect()
    }
}

fn day_around(slot: Slot) -> std::ops::Range<Slot> {
    Day::of(slot).slots()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_restart_in_the_middle_of_a_bucket_joins_both_halves() {
    let place = tempfile::tempdir().unwrap();
    let one = Box::start(place.path(), &config());
    one.hear(noon(), 5.0);
    one.hear(noon(), 9.0);
    one.stop();
    let mut two = Box::start(place.path(), &config());
    two.hear(noon(), 2.5);
    let both = Bucket { slot: noon(), min: 2.5, max: 9.0, last: 2.5 };
    let read = |one: &Box| {
        one.history.series(DeviceIndex(1), &[PointIndex(0)], day_around(noon()), 1).unwrap()[0]
            .buckets
            .clone()
    };
    assert_eq!(read(&two), [both], "the half in memory beside the one in the file");
    two.turn(Slot(noon().0 + 3));
    assert_eq!(read(&two), [both], "both in the file");
}

#[tokio::test]
async fn full_buckets_are_written_every_quarter_of_an_hour_and_open_ones_at_the_end() {
    let place = tempfile::tempdir().unwrap();
    let mut one = Box::start(place.path(), &config());
    one.turn(noon());
    let size = || fs::metadata(place.path().join("2026-06-01.log")).map_or(0, |data| data.len());
    for n in 0..6 {
        one.hear(Slot(noon().0 + n), f64::from(n));
        one.turn(Slot(noon().0 + n));
        assert_eq!(size() > 0, n >= 3, "{n}");
    }
    // As a power cut leaves it: what was written is there, the rest is lost.
    let cut = Box::start(place.path(), &config());
    let kept: Vec<f64> = cut.lasts(day_around(noon())).into_iter().map(|(_, last)| last).collect();
    assert_eq!(kept, [0.0, 1.0, 2.0]);
    one.stop();
    assert_eq!(cut.lasts(day_around(noon())).len(), 6);
}

#[tokio::test]
async fn a_day_that_is_over_is_sorted_and_says_the_same() {
    let place = tempfile::tempdir().unwrap();
    let mut one = Box::start(place.path(), &config());
    let begin = day_around(noon()).start;
    for n in 0..300 {
        one.hear(Slot(begin.0 + n), f64::from(n) / 2.0);
        one.turn(Slot(begin.0 + n));
    }
    assert_eq!(names(place.path()), ["2026-06-01.day", "2026-06-02.log"]);
    let want: Vec<_> = (0..300).map(|n| (begin.0 + n, f64::from(n) / 2.0)).collect();
    assert_eq!(one.lasts(begin..Slot(begin.0 + 600)), want);
    // A clock that is set back writes to the day before once more: nothing of it is lost.
    one.hear(Slot(begin.0 + 7), 70.0);
    one.turn(Slot(begin.0 + 8));
    one.turn(Slot(begin.0 + 300));
    assert_eq!(names(place.path()), ["2026-06-01.day", "2026-06-02.log"]);
    let series = one.history.series(DeviceIndex(1), &[PointIndex(0)], begin..Slot(begin.0 + 8), 1);
    let last = *series.unwrap()[0].buckets.last().unwrap();
    assert_eq!((last.min, last.max, last.last), (3.5, 70.0, 70.0));
}

#[tokio::test]
async fn a_torn_tail_is_cut_and_what_follows_is_readable() {
    let place = tempfile::tempdir().unwrap();
    let one = Box::start(place.path(), &config());
    one.hear(noon(), 1.0);
    one.stop();
    let path = place.path().join("2026-06-01.log");
    let whole = fs::metadata(&path).unwrap().len();
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(&super::chunk::seal(super::chunk::Kind::Readings, &[7; 900]).unwrap()[..25])
        .unwrap();
    let two = Box::start(place.path(), &config());
    assert_eq!(two.lasts(day_around(noon())), [(noon().0, 1.0)]);
    two.hear(Slot(noon().0 + 1), 2.0);
    two.stop();
    let three = Box::start(place.path(), &config());
    assert_eq!(three.lasts(day_around(noon())).len(), 2);
    assert!(fs::metadata(&path).unwrap().len() > whole);
}

#[tokio::test]
async fn a_damaged_chunk_costs_its_own_quarter_of_an_hour() {
    let place = tempfile::tempdir().unwrap();
    let mut one = Box::start(place.path(), &config());
    let path = place.path().join("2026-06-01.log");
    let mut ends = Vec::new();
    for quarter in 0..3 {
        one.hear(Slot(noon().0 + quarter * 3), f64::from(quarter));
        one.turn(Slot(noon().0 + quarter * 3 + 3));
        ends.push(fs::metadata(&path).unwrap().len() as usize);
    }
    let mut bytes = fs::read(&path).unwrap();
    bytes[ends[1] - 3] ^= 1;
    fs::write(&path, bytes).unwrap();
    let want = [(noon().0, 0.0), (noon().0 + 6, 2.0)];
    let mut two = Box::start(place.path(), &config());
    assert_eq!(two.lasts(day_around(noon())), want);
    // Also when the day is sorted.
    two.turn(Slot(noon().0 + 24 * HOUR));
    assert_eq!(names(place.path()), ["2026-06-01.day"]);
    assert_eq!(two.lasts(day_around(noon())), want);
}

#[tokio::test]
async fn a_sorted_file_without_its_index_is_read_from_the_front() {
    let place = tempfile::tempdir().unwrap();
    let mut one = Box::start(place.path(), &config());
    one.hear(noon(), 1.5);
    one.turn(Slot(noon().0 + 24 * HOUR));
    let path = place.path().join("2026-06-01.day");
    let bytes = fs::read(&path).unwrap();
    for cut in [1, 12, 13, 30] {
        fs::write(&path, &bytes[..bytes.len() - cut]).unwrap();
        assert_eq!(one.lasts(day_around(noon())), [(noon().0, 1.5)], "{cut} bytes less");
    }
    for at in 0..bytes.len() {
        let mut wrong = bytes.clone();
        wrong[at] ^= 0xff;
        fs::write(&path, wrong).unwrap();
        let read = one.lasts(day_around(noon()));
        assert!(read.is_empty() || read == [(noon().0, 1.5)], "byte {at}: {read:?}");
    }
}

#[tokio::test]
async fn what_a_later_version_wrote_stays_and_the_rest_is_read() {
    let place = tempfile::tempdir().unwrap();
    let one = Box::start(place.path(), &config());
    one.hear(noon(), 1.0);
    one.stop();
    let path = place.path().join("2026-06-01.log");
    let later = seal_as(Format { format: 7, readable_by: 7 }, 2, b"unknown").unwrap();
    OpenOptions::new().append(true).open(&path).unwrap().write_all(&later).unwrap();
    let mut two = Box::start(place.path(), &config());
    two.hear(Slot(noon().0 + 1), 2.0);
    two.turn(Slot(noon().0 + 24 * HOUR));
    assert_eq!(names(place.path()), ["2026-06-01.log"], "it is not sorted: that would lose it");
    assert_eq!(two.lasts(day_around(noon())).len(), 2);
    let bytes = fs::read(&path).unwrap();
    assert!(bytes.windows(later.len()).any(|part| part == later));
}

#[tokio::test]
async fn the_oldest_days_go_by_their_number_and_by_the_budget_and_never_by_a_wrong_clock() {
    let place = tempfile::tempdir().unwrap();
    let config = Config { keep: std::time::Duration::from_secs(3 * 86_400), ..config() };
    let mut one = Box::start(place.path(), &config);
    for day in 0..5 {
        let at = Slot(noon().0 + day * OF_A_DAY);
        one.hear(at, 1.0);
        one.turn(Slot(at.0 + 4));
    }
    assert_eq!(names(place.path()), ["2026-06-03.day", "2026-06-04.day", "2026-06-05.log"]);
    // A year ahead: nothing is kept of it, nothing goes for it.
    one.turn(Slot(noon().0 + 400 * OF_A_DAY));
    assert_eq!(names(place.path()).len(), 3);
    let bytes = fs::metadata(place.path().join("2026-06-05.day")).unwrap().len();
    let small = Config { budget: 2 * bytes + 10, ..config };
    let mut two = Box::start(place.path(), &small);
    two.turn(Slot(noon().0 + 5 * OF_A_DAY));
    assert_eq!(names(place.path()), ["2026-06-04.day", "2026-06-05.day"]);
    assert_eq!(two.history.status().days, 2);
}

#[tokio::test]
async fn while_nothing_can_be_written_it_is_held_in_memory_and_written_later() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("history");
    fs::write(&folder, "a file where the folder should be").unwrap();
    let mut one = Box::start(&folder, &config());
    one.hear(noon(), 1.0);
    one.turn(Slot(noon().0 + 1));
    assert!(one.history.status().fault.is_some());
    fs::remove_file(&folder).unwrap();
    one.hear(Slot(noon().0 + 1), 2.0);
    one.turn(Slot(noon().0 + 2));
    assert_eq!(one.history.status().fault, None);
    let two = Box::start(&folder, &config());
    assert_eq!(two.lasts(day_around(noon())), [(noon().0, 1.0), (noon().0 + 1, 2.0)]);
}

#[tokio::test]
async fn a_nearly_full_disk_is_left_to_others() {
    let place = tempfile::tempdir().unwrap();
    let config = Config { keep_free: u64::MAX, ..config() };
    let mut one = Box::start(place.path(), &config);
    one.hear(noon(), 1.0);
    one.turn(Slot(noon().0 + 1));
    let fault = one.history.status().fault.unwrap();
    assert!(fault.contains("MiB are free"), "{fault}");
    assert_eq!(names(place.path()), [""; 0]);
}

#[tokio::test]
async fn readings_that_are_bad_or_of_an_untrusted_time_are_left_out() {
    let place = tempfile::tempdir().unwrap();
    let one = Box::start(place.path(), &config());
    let good = Reading::good(PointIndex(0), Value::Number(1.0));
    let at = Moment { boot_ms: 5000 };
    one.history.reading(DeviceIndex(1), at, &good);
    assert_eq!(one.history.status().untimed, 1, "this clock heard nobody yet");
    let bad = Reading { quality: Quality::Bad(Reason::OutOfRange), ..good };
    one.history.reading(DeviceIndex(1), at, &bad);
    let text = Reading::good(PointIndex(0), Value::Text("open".into()));
    one.history.reading(DeviceIndex(1), at, &text);
    let none = Reading::good(PointIndex(0), Value::Number(f64::NAN));
    one.history.reading(DeviceIndex(1), at, &none);
    assert_eq!(one.history.status().untimed, 1);
}

#[tokio::test]
async fn a_changed_estate_finds_its_points_by_their_names() {
    let place = tempfile::tempdir().unwrap();
    let one = Box::start(place.path(), &config());
    one.hear(noon(), 1.0);
    one.stop();
    // Another estate the same day: more devices, more points, other places.
    let two = Box::of(place.path(), &config(), estate(9, 5));
    two.hear(Slot(noon().0 + 1), 2.0);
    two.history.tell(DeviceIndex(8), PointIndex(4), noon().begin(), 8.0);
    two.stop();
    let three = Box::start(place.path(), &config());
    assert_eq!(three.lasts(day_around(noon())), [(noon().0, 1.0), (noon().0 + 1, 2.0)]);
    let archive = Archive::at(place.path());
    let d8 = archive.device(&DeviceId::new("d8").unwrap(), Day::of(noon())).unwrap();
    assert_eq!(d8.keys().map(|name| &**name).collect::<Vec<_>>(), ["p4"]);
}

#[tokio::test]
async fn everything_is_walked_through_in_order_of_time_over_sorted_days_and_the_log() {
    let place = tempfile::tempdir().unwrap();
    let mut one = Box::start(place.path(), &config());
    for n in 0..40u32 {
        let wall = Slot(noon().0 + n * HOUR).begin();
        for device in 0..3 {
            one.history.tell(DeviceIndex(device), PointIndex(1), wall, f64::from(n));
        }
        one.turn(Slot(noon().0 + n * HOUR + 3));
    }
    let mut rows = Vec::new();
    let span = Slot(noon().0 + HOUR)..Slot(noon().0 + 30 * HOUR);
    Archive::at(place.path())
        .walk(span, |device, point, bucket| {
            rows.push((bucket.slot.0, device.to_string(), point.to_string()));
        })
        .unwrap();
    assert_eq!(rows.len(), 29 * 3);
    assert!(rows.is_sorted(), "{rows:?}");
}

/// What an estate costs: printed, and held against the figures of the documentation.
#[tokio::test]
async fn three_hundred_devices_cost_little_flash_and_little_memory() {
    let place = tempfile::tempdir().unwrap();
    let mut one = Box::of(place.path(), &config(), estate(300, 5));
    let begin = day_around(noon()).start;
    let (mut noise, mut most) = (1u64, 0);
    let mut walk = vec![0f64; 1500];
    for n in 0..OF_A_DAY {
        for (number, level) in (0u32..).zip(&mut walk) {
            let (device, point) = (DeviceIndex(number / 5), PointIndex((number % 5) as u16));
            for reading in 0..3i64 {
                noise ^= noise << 13;
                noise ^= noise >> 7;
                noise ^= noise << 17;
                // A counter, a state, a voltage, a power, a temperature.
                let random = (noise % 1000) as f64 / 1000.0;
                match number % 5 {
                    0 => *level += random,
                    1 => *level = f64::from(u8::from(noise % 3000 == 0)),
                    2 => *level = 230.0 + 4.0 * random,
                    3 => *level = 1500.0 + 900.0 * random,
                    _ => *level = 20.0 + (f64::from(n) / 40.0).sin() * 8.0 + 0.2 * random,
                }
                let wall =
                    WallTime { unix_ms: Slot(begin.0 + n).begin().unix_ms + 60_000 * reading };
                one.history.tell(device, point, wall, *level);
            }
        }
        most = most.max(one.writer.waiting() * 40 + 1500 * 32);
        one.turn(Slot(begin.0 + n + 1));
    }
    let files = Archive::at(place.path()).0.days().unwrap();
    let sorted = files.values().filter_map(|files| files.sorted).sum::<u64>();
    let log = one.writer.appended();
    println!(
        "300 devices, 1500 points, a day: {log} bytes appended, {sorted} bytes sorted, {} bytes in memory",
        most
    );
    assert!(log < 3 << 20 && sorted < 2 << 20 && most < 1 << 20, "{log} {sorted} {most}");
    // 35 days of such an estate fit the usual budget.
    assert!(sorted * 35 + log < Config::default().budget);
}
