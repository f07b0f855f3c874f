//! What messages mean, with time as a parameter.

use super::super::testing::estate;
use super::*;
use crate::model::{Cause, DeviceIndex, Health, HealthChange, WallTime};

struct Rig {
    intake: Intake,
    out: VecDeque<FieldMessage>,
}

fn at(seconds: u64) -> Moment {
    Moment { boot_ms: seconds * 1000 }
}

fn rig(change: impl FnOnce(&mut Config)) -> Rig {
    let (estate, devices) = estate(&["a", "b"]);
    let mut config = Config::default();
    change(&mut config);
    Rig { intake: Intake::new(config, devices, estate, at(0)), out: VecDeque::new() }
}

impl Rig {
    fn message(&mut self, topic: &str, payload: &[u8], retain: bool, now: Moment) -> Verdict {
        self.out.clear();
        self.intake.arrive(Message { topic, payload, retain }, now, &mut self.out)
    }

    fn live(&mut self, topic: &str, payload: &str, seconds: u64) -> Verdict {
        self.message(topic, payload.as_bytes(), false, at(seconds))
    }

    fn tick(&mut self, seconds: u64) -> Vec<(u32, Health, Option<Cause>)> {
        self.out.clear();
        self.intake.tick(at(seconds), &mut self.out);
        self.health()
    }

    fn health(&self) -> Vec<(u32, Health, Option<Cause>)> {
        let changes = self.out.iter().filter_map(|message| match message {
            FieldMessage::Health(HealthChange {
                device: DeviceIndex(slot), health, cause, ..
            }) => Some((*slot, *health, cause.clone())),
            _ => None,
        });
        changes.collect()
    }

    fn batches(&self) -> Vec<&Batch> {
        let batches = self.out.iter().filter_map(|message| match message {
            FieldMessage::Readings(batch) => Some(batch),
            _ => None,
        });
        batches.collect()
    }

    fn faults(&self) -> Vec<(Option<String>, String)> {
        let events = self.out.iter().filter_map(|message| match message {
            FieldMessage::Event(Event {
                device,
                kind: EventKind::PayloadRejected { fault, .. },
                ..
            }) => Some((device.as_ref().map(ToString::to_string), fault.clone())),
            _ => None,
        });
        events.collect()
    }
}

#[test]
fn a_message_brings_readings_and_the_device_online() {
    let mut rig = rig(|_| {});
    rig.live("z/a", r#"{"t":21.5,"time":"2026-01-01T00:00:00Z"}"#, 1);
    assert_eq!(rig.health(), [(0, Health::Online, None)]);
    let batches = rig.batches();
    assert_eq!(batches[0].readings.len(), 1, "what is not in the document is no reading");
    assert_eq!(batches[0].source_time, Some(WallTime { unix_ms: 1_767_225_600_000 }));
    rig.live("z/a", r#"{"h":40}"#, 2);
    assert_eq!(rig.health(), []);
}

#[test]
fn hostile_payloads_are_refused_by_device_and_fault_and_their_points_are_bad() {
    let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    let cases: [(&[u8], &str); 6] = [
        (b"{\"t\":", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (deep.as_bytes(), "nested deeper than 16"),
        (&[b' '; 70_000], "payload of 70000 bytes"),
        (b"", "not JSON"),
        (br#"{"t":{"x":1}}"#, "`t` is not what the profile says"),
    ];
    for (payload, fault) in cases {
        let mut rig = rig(|_| {});
        let verdict = rig.message("z/b", payload, false, at(1));
        assert!(verdict.rejected && !verdict.foreign);
        let (device, told) = rig.faults().remove(0);
        assert_eq!(device.as_deref(), Some("b"));
        assert!(told.contains(fault), "{told}");
        let bad = &rig.batches()[0].readings[0];
        assert_eq!((bad.point.slot(), bad.quality), (0, Quality::Bad(Reason::BadPayload)));
    }
}

#[test]
fn repeated_faults_are_told_once_a_minute() {
    let mut rig = rig(|_| {});
    for second in 0..30 {
        rig.live("z/a", "no", second);
        assert_eq!(rig.faults().len(), usize::from(second == 0));
    }
    rig.tick(59);
    assert!(rig.faults().is_empty());
    rig.tick(60);
    assert!(rig.faults()[0].1.contains("28 more"), "{:?}", rig.faults());
}

#[test]
fn a_chatty_device_is_kept_to_its_rate_and_others_are_not_touched() {
    let mut rig = rig(|config| config.max_rate = 5);
    let refused = (0..100).filter(|_| rig.live("z/a", r#"{"t":1}"#, 1).rejected).count();
    assert_eq!(refused, 50);
    assert!(!rig.live("z/b", r#"{"t":1}"#, 1).rejected);
}

#[test]
fn a_retained_message_is_stale_unless_it_carries_its_time_and_no_sign_of_life() {
    let mut rig = rig(|_| {});
    rig.message("z/a", br#"{"t":1}"#, true, at(1));
    assert_eq!(rig.health(), []);
    assert_eq!(rig.batches()[0].readings[0].quality, Quality::Uncertain(Reason::Stale));
    rig.message("z/b", br#"{"t":1,"time":1767225600}"#, true, at(1));
    assert!(rig.batches()[0].readings[0].quality.is_good());
    rig.live("z/a", r#"{"t":2}"#, 2);
    rig.message("z/a", br#"{"t":2}"#, true, at(3));
    assert!(rig.out.is_empty(), "after a reconnect the broker repeats what we know");
}

#[test]
fn availability_and_wills_decide_over_health() {
    let mut rig = rig(|_| {});
    rig.message("z/a/availability", b"online", true, at(1));
    assert_eq!(rig.health(), [(0, Health::Online, None)]);
    rig.live("z/a/availability", "offline", 2);
    assert_eq!(rig.health(), [(0, Health::Offline, Some(Cause::SaysOffline))]);
    rig.live("z/a", r#"{"t":2}"#, 3);
    assert_eq!(rig.health(), [(0, Health::Online, None)]);
    assert!(rig.live("z/a/availability", "perhaps", 4).rejected);
}

#[test]
fn a_device_that_says_nothing_is_silent_after_its_time() {
    let mut rig = rig(|_| {});
    rig.live("z/a", r#"{"t":2}"#, 30);
    assert_eq!(rig.tick(59), []);
    assert_eq!(rig.tick(60), [(1, Health::Offline, Some(Cause::Silent))]);
    assert_eq!(rig.tick(90), [(0, Health::Offline, Some(Cause::Silent))]);
    assert_eq!(rig.tick(91), []);
}

#[test]
fn a_broker_that_stays_away_takes_its_devices_offline_and_a_short_absence_does_not() {
    let mut rig = rig(|_| {});
    rig.live("z/a", r#"{"t":2}"#, 1);
    rig.live("z/b/availability", "offline", 1);
    rig.intake.broker_lost(at(10), &("gone", "断开").into());
    rig.intake.broker_lost(at(20), &("still gone", "仍未连上").into());
    assert_eq!(rig.tick(24), []);
    let down = Some(Cause::BrokerDown(("gone", "断开").into()));
    assert_eq!(rig.tick(25), [(0, Health::Offline, down.clone()), (1, Health::Offline, down)]);
    assert_eq!(rig.tick(200), []);
    rig.out.clear();
    let mut out = VecDeque::new();
    rig.intake.broker_back(at(300), &mut out);
    rig.out = out;
    let says = Some(Cause::SaysOffline);
    assert_eq!(rig.health(), [(0, Health::Suspect, None), (1, Health::Offline, says)]);
    assert_eq!(rig.tick(359), []);
    assert_eq!(rig.tick(360), [(0, Health::Offline, Some(Cause::Silent))]);
}

#[test]
fn a_topic_of_no_device_is_told_and_given_up() {
    let mut rig = rig(|_| {});
    let verdict = rig.live("z/removed", "{}", 1);
    assert_eq!(verdict, Verdict { rejected: true, foreign: true });
    assert_eq!(rig.faults()[0].0, None);
    assert!(!rig.live("z/removed", "{}", 2).foreign, "once");
}
