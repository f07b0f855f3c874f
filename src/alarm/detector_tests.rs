//! What the detector sees in readings and events.

use std::sync::Arc;

use super::*;
use crate::alarm::config::Changed;
use crate::alarm::rule::Change;
use crate::alarm::testing::{config, plan};
use crate::model::{DeviceId, Reason};
use crate::settings::Place;

fn detector(own: &[&[Changed]]) -> Detector {
    Detector::new(plan(&config(), 3, own), [])
}

fn at(seconds: u64) -> Moment {
    Moment { boot_ms: seconds * 1000 }
}

/// Shows a number of a bin's point; what changed: rule, on.
fn show(detector: &mut Detector, point: u16, value: f64) -> Vec<(u16, bool)> {
    let reading = Reading::good(PointIndex(point), Value::Number(value));
    detector.reading(DeviceIndex(0), at(1), &reading);
    detector.take().into_iter().map(|signal| (signal.rule, signal.on)).collect()
}

fn changed(rule: &str, change: Change) -> Changed {
    Changed { rule: rule.to_owned(), change, at: Place::of_file("test") }
}

#[test]
fn between_the_limit_and_its_end_a_condition_stays_as_it_was() {
    let mut detector = detector(&[]);
    assert_eq!(show(&mut detector, 0, 60.0), [], "the limit itself is allowed");
    assert_eq!(show(&mut detector, 0, 60.1), [(0, true)]);
    assert_eq!(show(&mut detector, 0, 55.0), []);
    assert_eq!(show(&mut detector, 0, 50.0), [(0, false)]);
    assert_eq!(show(&mut detector, 0, 55.0), []);
}

#[test]
fn bad_readings_say_nothing_and_uncertain_ones_count() {
    let mut detector = detector(&[]);
    let mut reading = Reading::good(PointIndex(0), Value::Number(99.0));
    reading.quality = Quality::Bad(Reason::OutOfRange);
    detector.reading(DeviceIndex(0), at(1), &reading);
    assert_eq!(detector.take(), []);
    reading.quality = Quality::Uncertain(Reason::OutOfRange);
    detector.reading(DeviceIndex(0), at(1), &reading);
    assert_eq!(detector.take().len(), 1);
}

#[test]
fn the_points_of_groups_are_watched_each_for_itself() {
    let mut detector = detector(&[]);
    assert_eq!(show(&mut detector, 1, 90.0), [(1, true)]);
    assert_eq!(show(&mut detector, 2, 90.0), [(1, true)], "parts.2.fillingLevel");
    assert_eq!(show(&mut detector, 1, 10.0), [(1, false)]);
}

#[test]
fn a_device_may_change_a_rule_or_switch_it_off_for_itself_alone() {
    let own = [
        changed("hot", Change { limit: Some(80.0), ..Change::default() }),
        changed("full", Change { on: Some(false), ..Change::default() }),
    ];
    let mut detector = detector(&[&own]);
    assert_eq!(show(&mut detector, 0, 70.0), []);
    assert_eq!(show(&mut detector, 0, 81.0).len(), 1);
    assert_eq!(show(&mut detector, 0, 79.0).len(), 1, "the end of the old limit is gone with it");
    assert_eq!(show(&mut detector, 1, 99.0), []);
    let other = Reading::good(PointIndex(0), Value::Number(70.0));
    detector.reading(DeviceIndex(1), at(1), &other);
    assert_eq!(detector.take().len(), 1);
}

#[test]
fn health_and_promises_begin_and_end_conditions_once() {
    let mut detector = detector(&[]);
    let health = |to| Event {
        at: at(5),
        device: Some(DeviceId::new("bin-2").unwrap()),
        kind: EventKind::DeviceHealth { from: Health::Online, to, cause: None },
    };
    for (to, told) in [
        (Health::Suspect, 0),
        (Health::Offline, 1),
        (Health::Offline, 0),
        (Health::Suspect, 0),
        (Health::Online, 1),
        (Health::Online, 0),
    ] {
        detector.event(&health(to));
        assert_eq!(detector.take().len(), told, "{to:?}");
    }
    let promise = Promise::Clock;
    let kind = EventKind::PromiseBroken { promise, why: String::new(), why_zh: String::new() };
    detector.event(&Event { at: at(6), device: None, kind });
    let kind = EventKind::PromiseKept { promise: Promise::Durable, broken_ms: None };
    detector.event(&Event { at: at(7), device: None, kind });
    let signals = detector.take();
    assert_eq!(signals.len(), 1, "another promise is another matter: {signals:?}");
    assert_eq!((signals[0].rule, signals[0].device, signals[0].on), (3, None, true));
}

#[test]
fn it_goes_on_with_what_an_earlier_run_left_so_that_the_end_is_told() {
    let plan = plan(&config(), 3, &[]);
    let key = |rule: &str, point: Option<&str>| Key {
        rule: rule.into(),
        device: Some(DeviceId::new("bin-0").unwrap()),
        point: point.map(str::to_owned),
        about: String::new(),
    };
    let active = [key("hot", Some("temperature")), key("offline", None), key("gone", None)];
    let mut detector = Detector::new(Arc::clone(&plan), &active);
    assert_eq!(show(&mut detector, 0, 70.0), [], "it held before");
    assert_eq!(show(&mut detector, 0, 20.0), [(0, false)]);
    let kind = EventKind::DeviceHealth { from: Health::Unknown, to: Health::Online, cause: None };
    detector.event(&Event { at: at(5), device: active[0].device.clone(), kind });
    assert_eq!(detector.take().len(), 1);
}

#[test]
fn a_rate_is_taken_over_a_minute_at_least_and_ends_at_half_of_its_limit() {
    let mut rule = config().rules.all()[0].clone();
    (rule.kind, rule.limit, rule.clear) = (Kind::Rises, Some(60.0), None);
    let mut state = State::default();
    let mut see = |seconds, value| {
        let on = holds(&rule, &mut state, &Value::Number(value), at(seconds));
        state.on = on.unwrap_or(state.on);
        on
    };
    assert_eq!(see(0, 20.0), None);
    assert_eq!(see(10, 40.0), None, "too soon to say");
    assert_eq!(see(60, 22.0), Some(true), "120 an hour");
    assert_eq!(see(120, 22.7), Some(true), "42 an hour is above half");
    assert_eq!(see(180, 22.9), Some(false));
}

#[test]
fn a_promise_about_certificates_that_is_kept_ends_every_alarm_about_one() {
    let text = "id = \"x\"\nversion = \"1\"\n[[rule]]\nid = \"cert\"\nlevel = \"red\"\n\
        kind = \"certificate\"\nof = [\"gateway\"]\nlimit = 7\nzh = \"证\"\nen = \"c\"\n\
        todo_zh = \"换\"\ntodo_en = \"renew\"\n";
    let mut config = config();
    config.rules = crate::alarm::Rules::parse("x", text).unwrap();
    let mut detector = Detector::new(plan(&config, 1, &[]), []);
    for (what, days) in [("a", 30), ("b", 7), ("c", -1), ("c", -2)] {
        let (what, source) = (what.to_owned(), String::new());
        let kind = EventKind::CertificateExpires { what, source, expires_ms: 0, days };
        detector.event(&Event { at: at(1), device: None, kind });
    }
    let about: Vec<String> = detector.take().into_iter().map(|signal| signal.about).collect();
    assert_eq!(about, ["b", "c"]);
    let kind = EventKind::PromiseKept { promise: Promise::Certificate, broken_ms: None };
    detector.event(&Event { at: at(2), device: None, kind });
    assert!(detector.take().iter().filter(|signal| !signal.on).count() == 2);
}
