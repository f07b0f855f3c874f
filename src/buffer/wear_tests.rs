//! Wear over simulated days.

use super::*;

const TICK: Duration = Duration::from_secs(1);
const BOUND: Duration = Duration::from_secs(10);
/// Bears 1 GB a day for 10 years: 3650 GB in all, four times that on the flash.
const MEDIUM: Medium = Medium { size: Some(4_866_666_667), cycles: 3000, years: 10 };

struct Days {
    wear: Wear,
    written: u64,
    now: Moment,
    changes: Vec<Change>,
}

impl Days {
    fn new(medium: Medium, size: Option<u64>) -> Self {
        let mut wear = Wear::new(TICK, BOUND, medium, size);
        assert_eq!(wear.apply(0, Moment::default()), None);
        Self { wear, written: 0, now: Moment::default(), changes: Vec::new() }
    }

    /// Minutes in which each commit writes so many bytes.
    fn minutes(&mut self, count: u32, each: f64) {
        for _ in 0..count {
            let bytes = each * 60.0 / self.wear.tick().as_secs_f64();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes")]
            let bytes = bytes as u64;
            self.written += bytes;
            self.now = self.now.plus(Duration::from_secs(60));
            self.changes.extend(self.wear.apply(self.written, self.now));
            assert!((TICK..=BOUND).contains(&self.wear.tick()), "{:?}", self.wear.tick());
        }
    }

    fn days(&mut self, count: u32, each: f64) {
        self.minutes(count * 1440, each);
    }
}

#[test]
fn within_the_budget_the_tick_stays_and_the_years_are_told() {
    let mut days = Days::new(MEDIUM, None);
    // 5000 bytes a second are 0.432 GB a day.
    days.days(3, 5000.0);
    assert_eq!((days.wear.tick(), days.changes.len()), (TICK, 0));
    let pace = days.wear.per_day().unwrap();
    assert!((pace - 432e6).abs() < 1e6, "{pace}");
    let years = days.wear.years_left(10).unwrap();
    assert!((years - 10.0 / 0.432).abs() < 0.1, "{years}");
    assert_eq!(days.wear.since_start(), days.written);
}

#[test]
fn above_the_budget_the_tick_widens_until_it_fits_and_does_not_swing() {
    let mut days = Days::new(MEDIUM, None);
    // 2.6 GB a day at a tick of a second: three times the budget.
    days.days(1, 30_000.0);
    let settled = days.wear.tick();
    assert!(settled > Duration::from_secs(2) && settled < BOUND, "{settled:?}");
    let changes = days.changes.len();
    days.days(5, 30_000.0);
    assert_eq!((days.wear.tick(), days.changes.len()), (settled, changes));
    assert!(days.wear.per_day().unwrap() <= days.wear.budget().unwrap());
    assert!(days.changes.iter().all(|c| c.after > c.before && c.pace > c.budget));
}

#[test]
fn never_beyond_the_loss_bound_and_back_when_less_is_written() {
    let mut days = Days::new(MEDIUM, None);
    days.days(2, 1_000_000.0);
    assert_eq!(days.wear.tick(), BOUND);
    assert!(days.wear.per_day().unwrap() > days.wear.budget().unwrap(), "the bound is kept");
    days.days(2, 2000.0);
    assert_eq!(days.wear.tick(), TICK);
    let last = days.changes.last().unwrap();
    assert!(last.after < last.before && last.after == TICK);
}

#[test]
fn a_burst_within_an_hour_changes_nothing() {
    let mut days = Days::new(MEDIUM, None);
    days.minutes(600, 1000.0);
    days.minutes(10, 40_000.0);
    days.minutes(600, 1000.0);
    assert_eq!(days.changes, []);
}

#[test]
fn a_restart_goes_on_with_the_day_and_the_tick_within_the_new_bounds() {
    let mut days = Days::new(MEDIUM, None);
    days.days(2, 1_000_000.0);
    let kept = days.wear.encode();
    let mut again = Wear::new(TICK, BOUND, MEDIUM, None);
    again.resume(&kept);
    assert_eq!(again.per_day(), days.wear.per_day());
    assert_eq!((again.tick(), again.since_start()), (BOUND, 0));
    // The counter of the new process begins anew.
    assert_eq!(again.apply(50, Moment { boot_ms: 5 }), None);
    assert_eq!(again.since_start(), 50);
    let mut narrow = Wear::new(TICK, Duration::from_secs(4), MEDIUM, None);
    narrow.resume(&kept);
    assert_eq!(narrow.tick(), Duration::from_secs(4));
    for rubbish in [&b""[..], b"x", &kept[..kept.len() - 8]] {
        let mut other = Wear::new(TICK, BOUND, MEDIUM, None);
        other.resume(rubbish);
        assert_eq!(other, Wear::new(TICK, BOUND, MEDIUM, None));
    }
}

#[test]
fn the_size_of_the_file_system_stands_in_and_without_any_nothing_is_judged() {
    let medium = Medium { size: None, ..MEDIUM };
    let known = Wear::new(TICK, BOUND, medium, MEDIUM.size);
    assert!((known.budget().unwrap() - 1e9).abs() < 1e3, "{:?}", known.budget());
    let mut days = Days::new(medium, None);
    days.days(1, 1e6);
    assert_eq!((days.wear.tick(), days.wear.budget()), (TICK, None));
    assert!(days.wear.per_day().is_some() && days.wear.years_left(10).is_none());
}

#[test]
fn the_kernel_counts_what_this_process_writes() {
    use std::io::Write as _;
    let Some(before) = written() else {
        println!("skipped: this kernel does not count");
        return;
    };
    // Not in memory: a tmpfs is no disk.
    let mut file = tempfile::NamedTempFile::new_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    file.write_all(&vec![7; 1 << 20]).unwrap();
    file.as_file().sync_all().unwrap();
    let more = written().unwrap() - before;
    assert!(more >= 1 << 20, "{more}");
}
