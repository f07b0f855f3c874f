//! What becomes of a command: each refusal, each end, the same id twice, restarts.

use std::time::Duration;

use super::book::MOST_IDS;
use super::config::Config;
use super::input::{Input, Work, WriteFault};
use super::rig::{Rig, TODAY, key, outcomes, refusal, sign, words};
use super::signature::PublicKey;
use crate::model::{
    CommandId, CommandOutcome, CommandRequest, CommandSource, DeviceIndex, Health, PointIndex,
    Refusal, Value,
};

/// How it is refused when this is changed of a good command; the device is not written to.
fn refused(change: impl FnOnce(&mut Rig, &mut CommandRequest)) -> Refusal {
    let mut rig = Rig::new();
    let mut request = rig.limit("x", 16.0);
    change(&mut rig, &mut request);
    let (report, effects) = rig.order(request);
    assert!(effects.writes.is_empty() && effects.accepted.is_empty());
    refusal(&report)
}

#[test]
fn each_thing_that_is_wrong_is_refused_by_its_name() {
    assert_eq!(refused(|_, r| r.device = "c9".into()), Refusal::UnknownDevice);
    assert_eq!(refused(|_, r| r.command = "curentLimit".into()), Refusal::UnknownCommand);
    assert_eq!(refused(|_, r| r.command = "relay_trip".into()), Refusal::UnknownCommand);
    let factory = |_: &mut Rig, r: &mut CommandRequest| {
        (r.command, r.value) = ("factory".into(), None);
    };
    assert_eq!(refused(factory), Refusal::NotAllowed);
    for value in [5.9, 32.1, -16.0, f64::MAX] {
        assert_eq!(refused(|_, r| r.value = Some(Value::Number(value))), Refusal::Value);
    }
    assert_eq!(refused(|_, r| r.value = Some(Value::Text("16".into()))), Refusal::Value);
    assert_eq!(refused(|_, r| r.value = None), Refusal::Value);
    for health in [Health::Offline, Health::Suspect, Health::Unknown] {
        assert_eq!(refused(|rig, _| rig.health(0, health)), Refusal::Offline);
    }
    assert_eq!(refused(|rig, _| rig.now.trusted = false), Refusal::Clock);
    assert_eq!(refused(|_, r| r.expires_ms += 86_400_000), Refusal::Lifetime);
    assert_eq!(refused(|_, r| r.by = "a\nb".into()), Refusal::Malformed);
}

#[test]
fn an_expired_command_is_not_done() {
    let mut rig = Rig::new();
    let mut request = rig.limit("x", 16.0);
    request.issued_ms -= 60_000;
    request.expires_ms = rig.now.wall_ms;
    let (report, effects) = rig.order(request);
    assert_eq!(report.outcome, CommandOutcome::Expired);
    assert!(effects.writes.is_empty());
}

#[test]
fn a_person_at_the_page_needs_no_trusted_clock() {
    let mut rig = Rig::new();
    rig.now.trusted = false;
    let request = CommandRequest { source: CommandSource::Page, ..rig.limit("x", 16.0) };
    assert_eq!(rig.order(request).0.outcome, CommandOutcome::Accepted);
}

#[test]
fn a_command_is_kept_before_it_is_written_and_done_when_the_point_shows_it() {
    let mut rig = Rig::new();
    rig.show(0, 16.0);
    rig.pass(Duration::from_secs(1));
    let request = rig.limit("a", 16.0);
    let (report, effects) = rig.order(request);
    assert_eq!(report.outcome, CommandOutcome::Accepted);
    assert!(effects.commit && effects.accepted.len() == 1);
    assert_eq!(words(&effects.writes[0]), [160]);
    assert_eq!(effects.writes[0].read_back, Some(PointIndex(0)));

    assert!(rig.written(&effects.writes[0].work, Ok(())).told.is_empty());
    rig.pass(Duration::from_secs(1));
    let effects = rig.apply(Input::Tick);
    assert!(effects.told.is_empty(), "what was read before the write shows nothing");
    assert_eq!(effects.again, [(DeviceIndex(0), PointIndex(0))], "it is read again");
    rig.show(0, 10.0);
    assert!(rig.apply(Input::Tick).told.is_empty(), "the device needs its time");
    rig.show(0, 16.04);
    let told = rig.apply(Input::Tick).told;
    let read_back = Some(Value::Number(16.04));
    assert_eq!(told[0].report.outcome, CommandOutcome::Done { read_back });
    assert!(told[0].late && told[0].device == "c1");
}

#[test]
fn what_the_point_does_not_show_in_time_is_unconfirmed_with_what_it_shows() {
    let mut rig = Rig::new();
    let request = rig.limit("a", 16.0);
    let (_, effects) = rig.order(request);
    rig.written(&effects.writes[0].work, Ok(()));
    rig.show(0, 10.0);
    let told = rig.run(Duration::from_secs(5)).told;
    let read_back = Some(Value::Number(10.0));
    assert_eq!(told[0].report.outcome, CommandOutcome::Unconfirmed { read_back });
}

#[test]
fn a_lost_answer_is_unknown_unless_the_point_shows_what_was_ordered() {
    let mut rig = Rig::new();
    for (id, shown, outcome) in [("a", 10.0, "unknown"), ("b", 16.0, "done")] {
        let request = rig.limit(id, 16.0);
        let (_, effects) = rig.order(request);
        rig.written(&effects.writes[0].work, Err(WriteFault::Unknown));
        rig.show(0, shown);
        let told = rig.run(Duration::from_secs(5)).told;
        assert_eq!(outcomes(&told), [(id.to_owned(), outcome)]);
    }
    // Nothing shows a reset.
    let reset = CommandRequest { command: "reset".into(), value: None, ..rig.limit("c", 0.0) };
    let (_, effects) = rig.order(reset);
    let told = rig.written(&effects.writes[0].work, Err(WriteFault::Unknown)).told;
    assert_eq!(outcomes(&told), [("c".to_owned(), "unknown")]);
}

#[test]
fn a_write_that_fails_says_how() {
    let said = crate::model::Words::from(("exception 3", "异常 3"));
    let cases = [
        (WriteFault::Expired, "expired"),
        (WriteFault::Offline, "refused"),
        (WriteFault::Refused(said), "refused"),
    ];
    let mut rig = Rig::new();
    for (number, (fault, outcome)) in cases.into_iter().enumerate() {
        let id = format!("x{number}");
        let request = rig.limit(&id, 16.0);
        let (_, effects) = rig.order(request);
        let told = rig.written(&effects.writes[0].work, Err(fault)).told;
        assert_eq!(outcomes(&told), [(id, outcome)]);
        assert!(rig.core.holds.is_empty(), "nothing was ordered of the device");
    }
}

#[test]
fn one_id_twice_is_answered_alike_and_done_once_also_after_a_restart() {
    let mut rig = Rig::new();
    let request = rig.limit("a", 16.0);
    let (_, effects) = rig.order(request.clone());
    let (again, none) = rig.order(request.clone());
    assert_eq!(again.outcome, CommandOutcome::Accepted, "it is under way");
    assert!(none.writes.is_empty() && none.told.is_empty() && none.accepted.is_empty());
    rig.written(&effects.writes[0].work, Ok(()));
    rig.show(0, 16.0);
    rig.apply(Input::Tick);
    for _ in 0..2 {
        let (again, none) = rig.order(request.clone());
        let read_back = Some(Value::Number(16.0));
        assert_eq!(again.outcome, CommandOutcome::Done { read_back });
        // After a restart the limit that holds is repeated; the command is not done again.
        assert!(none.writes.iter().all(|write| matches!(write.work, Work::Repeat(_))));
        assert!(none.told.is_empty() && none.accepted.is_empty());
        rig.restart();
    }
    // The same id for something else.
    let other = CommandRequest { value: Some(Value::Number(20.0)), ..request };
    let (report, effects) = rig.order(other);
    assert_eq!(refusal(&report), Refusal::IdReused);
    assert!(effects.accepted.is_empty());
}

#[test]
fn a_refused_command_stays_refused_when_its_reason_is_gone() {
    let mut rig = Rig::new();
    rig.health(0, Health::Offline);
    let request = rig.limit("a", 16.0);
    assert_eq!(refusal(&rig.order(request.clone()).0), Refusal::Offline);
    rig.health(0, Health::Online);
    let (report, effects) = rig.order(request);
    assert_eq!(refusal(&report), Refusal::Offline);
    assert!(effects.writes.is_empty());
}

#[test]
fn a_crash_between_accepted_and_written_leaves_unknown_and_never_does_it_again() {
    let mut rig = Rig::new();
    let request = rig.limit("a", 16.0);
    let (_, effects) = rig.order(request.clone());
    assert_eq!(effects.writes.len(), 1);
    rig.restart();
    let effects = rig.apply(Input::Tick);
    assert_eq!(outcomes(&effects.told), [("a".to_owned(), "unknown")]);
    let (report, later) = rig.order(request);
    assert_eq!(report.outcome, CommandOutcome::Unknown);
    let repeats = rig.run(Duration::from_secs(300)).writes;
    assert!(effects.writes.is_empty() && later.writes.is_empty() && repeats.is_empty());
    rig.restart();
    assert!(rig.apply(Input::Tick).told.is_empty(), "told once");
}

#[test]
fn what_cannot_be_kept_is_not_done() {
    let mut rig = Rig::new();
    let request = rig.limit("a", 16.0);
    let (_, effects) = rig.order(request);
    let told = rig.apply(Input::NotKept { accepted: effects.accepted }).told;
    assert_eq!(refusal(&told[0].report), Refusal::NotKept);
    assert!(rig.core.open.is_empty() && rig.core.writing.is_empty() && rig.core.holds.is_empty());
}

#[test]
fn a_signature_is_asked_for_and_checked() {
    let ((pair, public), (stranger, _)) = (key(1), key(2));
    let keys = vec![PublicKey::of_hex(&public).unwrap()];
    let config = Config { public_keys: keys.clone(), require_signature: true, ..Config::default() };
    let mut rig = Rig::with(config);
    let unsigned = rig.limit("a", 16.0);
    let (report, effects) = rig.order(unsigned.clone());
    assert_eq!(refusal(&report), Refusal::Signature);
    assert!(effects.told[0].spared, "anybody can cause it");
    let mut foreign = unsigned.clone();
    sign(&mut foreign, &stranger);
    assert_eq!(refusal(&rig.order(foreign).0), Refusal::Signature);
    let mut changed = unsigned.clone();
    sign(&mut changed, &pair);
    changed.value = Some(Value::Number(32.0));
    assert_eq!(refusal(&rig.order(changed).0), Refusal::Signature);
    let mut good = unsigned.clone();
    sign(&mut good, &pair);
    let (report, _) = rig.order(good);
    assert_eq!(report.outcome, CommandOutcome::Accepted, "forgeries do not use up its id");
    let page = CommandRequest { source: CommandSource::Page, ..rig.limit("p", 16.0) };
    assert_eq!(rig.order(page).0.outcome, CommandOutcome::Accepted);

    // A wrong signature is wrong also where none is asked for.
    let mut rig = Rig::with(Config { public_keys: keys, ..Config::default() });
    let mut wrong = rig.limit("a", 16.0);
    sign(&mut wrong, &stranger);
    assert_eq!(refusal(&rig.order(wrong).0), Refusal::Signature);
    let request = rig.limit("a", 16.0);
    assert_eq!(rig.order(request).0.outcome, CommandOutcome::Accepted);
}

#[test]
fn a_forgotten_id_is_refused_as_a_replay_even_when_the_clock_is_set_back() {
    let mut rig = Rig::new();
    let first = CommandRequest { command: "reset".into(), value: None, ..rig.limit("a", 0.0) };
    let (_, effects) = rig.order(first.clone());
    rig.written(&effects.writes[0].work, Ok(()));
    for number in 0..MOST_IDS {
        let mut request = rig.limit(&format!("r{number}"), 99.0);
        request.expires_ms += 3_600_000;
        rig.order(request);
        rig.pass(Duration::from_millis(100));
    }
    assert!(rig.core.book.get(&first.id).is_none(), "it was the oldest that had expired");
    assert_eq!(rig.order(first.clone()).0.outcome.word(), "refused");
    rig.now.wall_ms = TODAY;
    let (report, effects) =
        rig.order(CommandRequest { id: CommandId::new("b").unwrap(), ..first.clone() });
    assert_eq!(refusal(&report), Refusal::Replayed);
    assert!(effects.writes.is_empty());
    rig.restart();
    let (report, _) = rig.order(CommandRequest { id: CommandId::new("c").unwrap(), ..first });
    assert_eq!(refusal(&report), Refusal::Replayed);
}

#[test]
fn commands_to_one_device_are_written_one_after_the_other_and_devices_do_not_wait_for_each_other() {
    let mut rig = Rig::new();
    let (first, second) = (rig.limit("a", 16.0), rig.limit("b", 20.0));
    let third = CommandRequest { device: "c2".into(), ..rig.limit("c", 10.0) };
    let one = rig.order(first).1;
    assert!(rig.order(second).1.writes.is_empty(), "the first is being written");
    assert_eq!(rig.order(third).1.writes.len(), 1);
    let effects = rig.written(&one.writes[0].work, Ok(()));
    assert_eq!(words(&effects.writes[0]), [200]);
    assert_eq!(
        outcomes(&effects.told),
        [("a".to_owned(), "unconfirmed")],
        "the point will not show it any more"
    );
}

#[test]
fn a_command_whose_turn_comes_too_late_expires() {
    let mut rig = Rig::new();
    let (first, second) = (rig.limit("a", 16.0), rig.limit("b", 20.0));
    let one = rig.order(first).1;
    rig.order(second);
    rig.pass(Duration::from_secs(61));
    let effects = rig.written(&one.writes[0].work, Ok(()));
    assert!(effects.writes.is_empty());
    assert_eq!(outcomes(&effects.told), [("b".to_owned(), "expired")]);
}

#[test]
fn a_device_is_not_flooded() {
    let mut rig = Rig::new();
    for number in 0..16 {
        let request = rig.limit(&format!("a{number}"), 16.0);
        assert_eq!(rig.order(request).0.outcome, CommandOutcome::Accepted);
    }
    let request = rig.limit("one-more", 16.0);
    assert_eq!(refusal(&rig.order(request).0), Refusal::Busy);
}

#[test]
fn a_message_must_be_what_its_topic_says_and_not_retained() {
    let mut rig = Rig::new();
    let request = rig.limit("a", 16.0);
    let good = serde_json::to_vec(&request.document("estate-1")).unwrap();
    let other = serde_json::to_vec(&request.document("estate-2")).unwrap();
    assert_eq!(refusal(&rig.message("a", &good, true).0), Refusal::Retained);
    assert_eq!(refusal(&rig.message("a", &other, false).0), Refusal::Gateway);
    assert_eq!(refusal(&rig.message("b", &good, false).0), Refusal::Malformed);
    assert_eq!(refusal(&rig.message("a", b"{}", false).0), Refusal::Malformed);
    assert_eq!(refusal(&rig.message("a", &[b' '; 20_000], false).0), Refusal::Malformed);
    let (report, effects) = rig.message("a", &good, false);
    assert_eq!(report.outcome, CommandOutcome::Accepted, "what was refused used up nothing");
    assert_eq!(effects.writes.len(), 1);
    // A topic that cannot be answered.
    let payload = b"{}".to_vec();
    let input = Input::Message { ticket: 99, id: "a b".into(), payload, retained: false };
    assert_eq!(rig.apply(input).answers, [(99, None)]);
}

#[test]
fn a_stop_ends_what_only_waits_for_a_point() {
    let mut rig = Rig::new();
    let request = rig.limit("a", 16.0);
    let (_, effects) = rig.order(request);
    rig.written(&effects.writes[0].work, Ok(()));
    let told = rig.apply(Input::Stop).told;
    assert_eq!(outcomes(&told), [("a".to_owned(), "unconfirmed")]);
    rig.restart();
    assert!(rig.apply(Input::Tick).told.is_empty());
}
