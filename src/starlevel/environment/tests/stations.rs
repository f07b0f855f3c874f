//! Hours and days of stations at their limits, without a store.

use std::sync::Arc;
use std::time::Duration;

use super::index::SWITCH;
use crate::model::{
    Category, DeviceIndex, EnvironmentDay, EnvironmentHour, EnvironmentValue, Estate, EstateKind,
    Event, EventKind, GatewayId, Moment, Point, PointIndex, Quality, Reading, Reason, Snapshot,
    Unit, Value,
};
use crate::starlevel::environment::noise::NoiseZone;
use crate::starlevel::environment::recorder::Recorder;
use crate::starlevel::evidence::Zone;
use crate::starlevel::tests::device;

const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;

/// Midnight in Shanghai of a day since 1970.
fn midnight(day: u32) -> i64 {
    i64::from(day) * 24 * HOUR - 8 * HOUR
}

/// A recorder whose clocks the test sets.
struct Rig {
    recorder: Recorder,
    snapshot: Snapshot,
    now: Moment,
    wall: i64,
    trusted: bool,
    events: Vec<Event>,
}

impl Rig {
    fn new(points: &[(&str, &str)], every: u64, wall: i64) -> Self {
        let mut station = device("s", Category::EnvironmentSensor);
        let template = station.points[0].clone();
        let point = |(name, unit): &(&str, &str)| Point {
            name: (*name).into(),
            unit: Unit::parse(unit).unwrap(),
            ..template.clone()
        };
        station.points = points.iter().map(point).collect();
        station.expected_every = Duration::from_secs(every);
        let gateway = GatewayId::new("g").unwrap();
        let kind = EstateKind::OldRetrofit;
        let estate = Arc::new(Estate::new(gateway, String::new(), kind, vec![station]).unwrap());
        let now = Moment { boot_ms: 1000 * 24 * 3_600_000 };
        let snapshot = Snapshot::new(Arc::clone(&estate), now);
        let recorder = Recorder::new(&estate, Zone::named("Asia/Shanghai").unwrap());
        Self { recorder, snapshot, now, wall, trusted: true, events: Vec::new() }
    }

    fn pass(&mut self, ms: i64) {
        self.now = self.now.plus(Duration::from_millis(u64::try_from(ms).unwrap()));
        self.wall += ms;
    }

    fn read(&self, point: u16, value: f64) {
        self.snapshot.with(DeviceIndex(0), |state| {
            state.apply(self.now, &Reading::good(PointIndex(point), Value::Number(value)));
        });
    }

    fn look(&mut self) {
        let wall = self.trusted.then_some(self.wall);
        self.recorder.look(&self.snapshot, self.now, wall);
        self.events.extend(self.recorder.take_events());
    }

    /// So many minutes with a reading and a look in the middle of each.
    fn minutes(&mut self, count: i64, point: u16, value: f64) {
        for _ in 0..count {
            self.pass(MINUTE / 2);
            self.read(point, value);
            self.look();
            self.pass(MINUTE / 2);
        }
        self.look();
    }

    /// So many minutes of silence.
    fn silence(&mut self, count: i64) {
        for _ in 0..count {
            self.pass(MINUTE);
            self.look();
        }
    }

    /// An hour with `minutes` of data.
    fn hour(&mut self, minutes: i64, value: f64) {
        self.minutes(minutes, 0, value);
        self.silence(60 - minutes);
    }

    fn hours(&self) -> Vec<&EnvironmentHour> {
        let hours = self.events.iter().filter_map(|event| match &event.kind {
            EventKind::EnvironmentHour(hour) => Some(hour),
            _ => None,
        });
        hours.collect()
    }

    fn days(&self) -> Vec<&EnvironmentDay> {
        let days = self.events.iter().filter_map(|event| match &event.kind {
            EventKind::EnvironmentDay(day) => Some(day),
            _ => None,
        });
        days.collect()
    }

    /// Value and minutes of the first parameter of the last published hour.
    fn last(&self) -> (Option<f64>, u8) {
        let EnvironmentValue { value, sampled, .. } = self.hours().last().unwrap().air.values[0];
        (value, sampled)
    }
}

const PM25: &[(&str, &str)] = &[("PM25", "ug/m3")];

#[test]
fn an_hour_needs_45_minutes() {
    let mut rig = Rig::new(PM25, 60, midnight(SWITCH));
    rig.hour(44, 35.0);
    assert_eq!(rig.last(), (None, 44));
    rig.hour(45, 35.0);
    assert_eq!(rig.last(), (Some(35.0), 45));
}

#[test]
fn a_minute_with_many_readings_weighs_as_much_as_one_with_one() {
    let mut rig = Rig::new(PM25, 60, midnight(SWITCH));
    for _ in 0..10 {
        rig.pass(MINUTE / 20);
        rig.read(0, 600.0);
        rig.look();
    }
    rig.pass(MINUTE / 2);
    rig.minutes(59, 0, 0.0);
    assert_eq!(rig.last(), (Some(10.0), 60));
}

#[test]
fn a_reading_stands_for_its_period_but_for_five_minutes_at_most() {
    for (every, minutes) in [(60, 12), (120, 24), (300, 60), (600, 60)] {
        let mut rig = Rig::new(PM25, every, midnight(SWITCH));
        for _ in 0..12 {
            rig.read(0, 20.0);
            rig.silence(5);
        }
        assert_eq!(rig.last().1, minutes, "{every} s");
    }
    let mut rig = Rig::new(PM25, 600, midnight(SWITCH));
    for _ in 0..6 {
        rig.read(0, 20.0);
        rig.silence(10);
    }
    assert_eq!(rig.last(), (None, 30));
}

#[test]
fn readings_that_are_not_good_count_for_nothing() {
    let mut rig = Rig::new(PM25, 60, midnight(SWITCH));
    rig.minutes(1, 0, 35.0);
    for minute in 0..59 {
        rig.pass(MINUTE / 2);
        let mut reading = Reading::good(PointIndex(0), Value::Number(999.0));
        reading.quality = match minute % 2 {
            0 => Quality::Bad(Reason::NoAnswer),
            _ => Quality::Uncertain(Reason::RateOfChange),
        };
        let now = rig.now;
        rig.snapshot.with(DeviceIndex(0), |state| state.apply(now, &reading));
        rig.look();
        rig.pass(MINUTE / 2);
        rig.look();
    }
    assert_eq!(rig.last(), (None, 1));
}

#[test]
fn an_hour_is_published_once_at_the_moment_of_its_end_and_says_that_it_is_a_reference() {
    let mut rig = Rig::new(PM25, 60, midnight(SWITCH));
    rig.minutes(59, 0, 61.0);
    rig.pass(MINUTE + 17_000);
    rig.look();
    assert_eq!(rig.events.len(), 1);
    let ended = Moment { boot_ms: rig.now.boot_ms - 17_000 };
    assert_eq!(rig.events[0].at, ended);
    assert_eq!(rig.events[0].device.as_ref().unwrap().as_str(), "s");
    let hour = rig.hours()[0].clone();
    assert_eq!(hour.hour_ms, midnight(SWITCH));
    assert!(hour.air.reference);
    assert_eq!(hour.air.values[0].iaqi, Some(101));
    assert_eq!((hour.air.aqi, hour.air.edition.as_deref()), (Some(101), Some("HJ 633-2026")));
    rig.silence(30);
    assert_eq!(rig.events.len(), 1);
}

#[test]
fn noise_is_averaged_as_energy() {
    let mut rig = Rig::new(&[("LAeq", "dB")], 60, midnight(SWITCH));
    rig.minutes(30, 0, 40.0);
    rig.minutes(30, 0, 60.0);
    // 10 lg((10^4 + 10^6) / 2) = 57.03
    assert_eq!(rig.last(), (Some(57.0), 60));
    assert_eq!(rig.hours()[0].air.edition, None);
}

#[test]
fn a_day_needs_20_hours() {
    for (hours, value) in [(19, None), (20, Some(50.0))] {
        let mut rig = Rig::new(PM25, 60, midnight(SWITCH));
        (0..hours).for_each(|_| rig.hour(60, 50.0));
        (hours..24).for_each(|_| rig.hour(44, 50.0));
        let day = rig.days()[0];
        assert_eq!(day.day, "2026-03-01");
        assert_eq!((day.air.values[0].value, day.air.values[0].sampled), (value, hours as u8));
        // 50 + 50 * 15/25: another row of the same name would give less.
        assert_eq!(day.air.values[0].iaqi, value.map(|_| 80));
    }
}

#[test]
fn ozone_of_a_day_is_the_greatest_mean_of_eight_hours_of_which_six_are_valid() {
    for (valid, value) in [(5, None), (6, Some(120.0))] {
        let mut rig = Rig::new(&[("o3", "ug/m3")], 60, midnight(SWITCH));
        (0..10).for_each(|_| rig.hour(1, 0.0));
        (0..valid).for_each(|_| rig.hour(60, 120.0));
        (10 + valid..24).for_each(|_| rig.hour(1, 0.0));
        assert_eq!(rig.days()[0].air.values[0].value, value);
    }
    // Two lower hours that fall into every window of the six high ones are in the mean.
    let mut rig = Rig::new(&[("o3", "ug/m3")], 60, midnight(SWITCH));
    (0..3).for_each(|_| rig.hour(60, 200.0));
    (0..2).for_each(|_| rig.hour(60, 100.0));
    (0..3).for_each(|_| rig.hour(60, 200.0));
    (8..24).for_each(|_| rig.hour(60, 0.0));
    assert_eq!(rig.days()[0].air.values[0].value, Some(175.0));
}

#[test]
fn the_night_belongs_to_the_day_on_which_it_begins_and_is_held_against_the_zone() {
    let mut rig = Rig::new(&[("laeq", "dB")], 60, midnight(SWITCH));
    rig.recorder.set_noise_zone(Some(NoiseZone::One));
    (0..22).for_each(|_| rig.hour(60, 50.0));
    // The night of the first of March.
    (0..8).for_each(|_| rig.hour(60, 48.5));
    (0..18).for_each(|_| rig.hour(60, 57.0));
    let days = rig.days();
    let first = days[0].noise.as_ref().unwrap();
    assert_eq!(
        (first.day_db, first.day_over_db, first.day_limit_db),
        (Some(50.0), Some(0.0), Some(55))
    );
    // Six hours of the night before are known: too few.
    assert_eq!((first.night.as_str(), first.night_db, first.night_hours), ("2026-02-28", None, 6));
    let second = days[1].noise.as_ref().unwrap();
    assert_eq!((second.night.as_str(), second.night_db), ("2026-03-01", Some(48.5)));
    assert_eq!((second.night_over_db, second.night_limit_db), (Some(3.5), Some(45)));
    assert_eq!(second.day_over_db, Some(2.0));
}

#[test]
fn without_a_zone_noise_is_shown_and_not_judged() {
    let mut rig = Rig::new(&[("laeq", "dB")], 60, midnight(SWITCH));
    (0..24).for_each(|_| rig.hour(60, 70.0));
    let noise = rig.days()[0].noise.clone().unwrap();
    assert_eq!((noise.day_db, noise.day_over_db, noise.zone), (Some(70.0), None, None));
    let report = rig.recorder.report(rig.snapshot.estate()).unwrap();
    assert!(report.noise_note.unwrap().en.contains("noise_zone"));
}

#[test]
fn units_become_those_of_the_standard_and_one_that_cannot_is_named() {
    // 100 ppb at 25 °C and 101.325 kPa: M * 100 / 24.4654.
    for (name, unit, value, expected) in [
        ("so2", "[ppb]", 100.0, 262.0),
        ("no2", "[ppb]", 100.0, 188.0),
        ("o3", "[ppb]", 100.0, 196.0),
        ("o3", "[ppm]", 0.1, 196.0),
        ("co", "[ppm]", 10.0, 11.4),
        ("co", "[ppb]", 10_000.0, 11.4),
        ("co", "ug/m3", 2500.0, 2.5),
        ("pm10", "mg/m3", 0.12, 120.0),
        ("temperature", "K", 300.15, 27.0),
        ("relativeHumidity", "1", 0.5, 50.0),
        ("windSpeed", "m/s", 3.0, 3.0),
    ] {
        let mut rig = Rig::new(&[(name, unit)], 60, midnight(SWITCH));
        rig.hour(60, value);
        assert_eq!(rig.last().0, Some(expected), "{name} {unit}");
    }
    let mut rig = Rig::new(&[("pm25", "[ppb]"), ("temperature", "Cel")], 60, midnight(SWITCH));
    rig.hour(60, 5.0);
    let report = rig.recorder.report(rig.snapshot.estate()).unwrap();
    assert_eq!(report.stations[0].unusable[0].en, "point pm25 in `[ppb]` cannot become `ug/m3`");
}

#[test]
fn what_came_before_the_clock_was_trusted_goes_to_its_hours_afterwards() {
    let mut rig = Rig::new(PM25, 60, midnight(SWITCH));
    rig.trusted = false;
    rig.hour(60, 20.0);
    rig.hour(60, 40.0);
    rig.minutes(10, 0, 60.0);
    assert!(rig.events.is_empty());
    rig.trusted = true;
    rig.look();
    let found: Vec<_> = rig.hours().iter().map(|h| (h.hour_ms, h.air.values[0].value)).collect();
    let begin = midnight(SWITCH);
    assert_eq!(found, [(begin, Some(20.0)), (begin + HOUR, Some(40.0))]);
}

#[test]
fn a_clock_that_is_set_back_corrects_the_day_and_never_a_published_hour() {
    let mut rig = Rig::new(PM25, 60, midnight(SWITCH));
    rig.hour(30, 20.0);
    assert_eq!(rig.last(), (None, 30));
    // Half an hour is lived again: the minutes that had no value get one.
    rig.wall -= 30 * MINUTE;
    rig.minutes(30, 0, 20.0);
    assert_eq!(rig.hours().len(), 1);
    (1..20).for_each(|_| rig.hour(60, 20.0));
    (20..24).for_each(|_| rig.hour(0, 20.0));
    let day = rig.days()[0];
    assert_eq!((day.air.values[0].value, day.air.values[0].sampled), (Some(20.0), 20));
}

#[test]
fn a_clock_that_was_days_ahead_is_taken_back_and_hours_are_published_again() {
    let mut rig = Rig::new(PM25, 60, midnight(SWITCH));
    rig.hour(60, 20.0);
    rig.wall += 40 * 24 * HOUR;
    rig.hour(60, 20.0);
    rig.wall -= 40 * 24 * HOUR;
    let before = rig.hours().len();
    rig.hour(60, 20.0);
    rig.hour(60, 20.0);
    // The hour in which the clock was corrected counts as published.
    assert_eq!(rig.hours().len(), before + 1);
    assert_eq!(rig.hours().last().unwrap().hour_ms, midnight(SWITCH) + 3 * HOUR);
}

#[test]
fn a_silent_station_publishes_nothing() {
    let mut rig = Rig::new(PM25, 60, midnight(SWITCH));
    rig.hour(60, 20.0);
    (0..30).for_each(|_| rig.silence(60));
    assert_eq!((rig.hours().len(), rig.days().len()), (1, 1));
}
