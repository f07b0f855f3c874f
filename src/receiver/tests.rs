//! The verifier on made-up streams.

use std::io::Read as _;

use super::*;
use crate::model::{
    DeviceColumns, Document, EventDocument, EventKind, QualityNote, Seq, TimeBase, Value,
};

mod thinned;

const TOPIC: &str = "linli/v1/estate-1/telemetry";

fn document(seq: u64) -> Document {
    Document {
        v: 1,
        gateway: "estate-1".into(),
        epoch: "00000000000000aa".into(),
        seq,
        time: TimeBase::trusted(1_767_225_600_000),
        thinned: None,
        devices: vec![DeviceColumns {
            id: "meter-1".into(),
            at: vec![0, 1000],
            points: vec!["totalActivePower".into(), "phaseVoltage".into()],
            values: vec![
                vec![Some(Value::Number(1520.5)), Some(Value::Number(1519.0))],
                vec![Some(Value::Number(230.1)), None],
            ],
            quality: vec![QualityNote(1, 1, "bad".into(), "no_answer".into())],
            source_times: Vec::new(),
            thinned: Vec::new(),
        }],
        events: Vec::new(),
    }
}

fn plain(document: &Document) -> Vec<u8> {
    serde_json::to_vec(document).unwrap()
}

fn evicted(seq: u64, from: u64, to: u64, blocks: u64) -> Document {
    let what = EventKind::BlocksEvicted {
        from: Seq(from),
        to: Seq(to),
        blocks,
        readings: blocks * 3,
        reason: "budget".into(),
    };
    Document {
        devices: Vec::new(),
        events: vec![EventDocument { at: 0, device: None, what }],
        ..document(seq)
    }
}

fn verifier() -> Verifier {
    Verifier::new("linli/v1/+", false, Limits::default())
}

fn feed(verifier: &mut Verifier, seqs: impl IntoIterator<Item = u64>) {
    for seq in seqs {
        let received = verifier.take(TOPIC, &plain(&document(seq)));
        assert!(matches!(received, Received::New(_)), "{seq}: {received:?}");
    }
}

#[test]
fn a_missing_block_is_a_silent_gap_and_is_named() {
    let mut verifier = verifier();
    feed(&mut verifier, [1, 2, 5, 6]);
    let summary = verifier.summary();
    assert_eq!(summary.open_gaps, 2);
    assert_eq!(summary.gaps[0].ranges, [Range { from: 3, to: 4 }]);
    assert!(!summary.is_whole());
}

#[test]
fn a_stream_that_does_not_begin_at_one_has_a_gap_unless_joined_late() {
    let mut strict = verifier();
    feed(&mut strict, [3, 4]);
    assert_eq!(strict.summary().open_gaps, 2);
    let mut late = Verifier::new("linli/v1/+", true, Limits::default());
    feed(&mut late, [3, 4]);
    assert!(late.summary().is_whole());
}

#[test]
fn an_announced_gap_is_not_silent() {
    let mut verifier = verifier();
    feed(&mut verifier, [1, 2, 6]);
    verifier.take("linli/v1/estate-1/event", &plain(&evicted(7, 3, 5, 3)));
    let summary = verifier.summary();
    assert!(summary.is_whole(), "{summary}");
    assert_eq!((summary.announced_gaps, summary.announced_readings), (3, 9));
}

#[test]
fn more_missing_than_announced_is_a_silent_gap() {
    let mut verifier = verifier();
    feed(&mut verifier, [1, 2, 6]);
    verifier.take("linli/v1/estate-1/event", &plain(&evicted(7, 3, 5, 2)));
    assert_eq!(verifier.summary().open_gaps, 1);
}

#[test]
fn an_announcement_of_the_future_or_of_an_impossible_range_is_a_fault() {
    for (from, to, blocks) in [(3, 9, 7), (5, 3, 1), (0, 2, 2), (1, 2, 5)] {
        let mut verifier = verifier();
        let received = verifier.take(TOPIC, &plain(&evicted(7, from, to, blocks)));
        assert!(matches!(received, Received::Fault(_)), "{from} {to} {blocks}");
    }
}

#[test]
fn a_duplicate_is_removed_and_counted_once_each() {
    let mut verifier = verifier();
    feed(&mut verifier, [1, 2]);
    let again = verifier.take("linli/v1/estate-1/telemetry/late", &plain(&document(2)));
    assert_eq!(again, Received::Duplicate);
    let summary = verifier.summary();
    assert_eq!((summary.blocks, summary.duplicates, summary.readings), (2, 1, 8));
    assert!(summary.is_whole());
}

#[test]
fn a_duplicate_with_other_content_is_a_fault() {
    let mut verifier = verifier();
    feed(&mut verifier, [1]);
    let mut altered = document(1);
    altered.devices[0].values[0][0] = Some(Value::Number(1.0));
    let Received::Fault(fault) = verifier.take(TOPIC, &plain(&altered)) else { panic!("accepted") };
    assert!(fault.contains("other content"), "{fault}");
    assert!(!verifier.summary().is_whole());
}

#[test]
fn a_block_may_come_again_with_the_time_it_lacked_and_with_a_better_one() {
    let mut verifier = verifier();
    let with = |time| Document { time, ..document(1) };
    let afterwards = |base| TimeBase { afterwards: true, ..TimeBase::trusted(base) };
    let since_boot = TimeBase::since_boot("b-1".into(), 12_000);
    let bounded = TimeBase { not_before: Some(5), not_after: Some(9), ..since_boot.clone() };
    let first = plain(&with(since_boot));
    assert!(matches!(verifier.take(TOPIC, &first), Received::New(_)));
    for time in [bounded, afterwards(1_767_225_600_000), afterwards(1_767_225_600_250)] {
        assert_eq!(verifier.take(TOPIC, &plain(&with(time))), Received::Duplicate);
    }
    let mut altered = with(afterwards(1_767_225_600_000));
    altered.devices.clear();
    assert!(matches!(verifier.take(TOPIC, &plain(&altered)), Received::Fault(_)));
    // A time that was good when the block was cut does not change.
    assert!(matches!(verifier.take(TOPIC, &plain(&document(2))), Received::New(_)));
    let moved = Document { time: TimeBase::trusted(7), ..document(2) };
    assert!(matches!(verifier.take(TOPIC, &plain(&moved)), Received::Fault(_)));
}

#[test]
fn order_does_not_matter() {
    let mut verifier = verifier();
    feed(&mut verifier, [9, 1, 8, 3, 2, 7, 4, 6]);
    assert!(!verifier.is_complete_to(9));
    feed(&mut verifier, [5]);
    assert!(verifier.is_complete_to(9));
    assert!(!verifier.is_complete_to(10));
    assert!(verifier.summary().is_whole());
}

#[test]
fn a_new_epoch_counts_from_one_and_explains_the_old_ones_gaps() {
    let mut verifier = verifier();
    feed(&mut verifier, [1, 4]);
    let what = EventKind::BufferReplaced { set_aside: "old".into(), reason: "damaged".into() };
    let mut fresh = document(1);
    fresh.epoch = "00000000000000bb".into();
    assert!(matches!(verifier.take(TOPIC, &plain(&fresh)), Received::New(_)));
    assert_eq!(verifier.summary().open_gaps, 2, "the old gap is still silent");
    fresh.seq = 2;
    fresh.events = vec![EventDocument { at: 0, device: None, what }];
    assert!(matches!(verifier.take(TOPIC, &plain(&fresh)), Received::New(_)));
    let summary = verifier.summary();
    assert_eq!((summary.epochs, summary.open_gaps, summary.announced_gaps), (2, 0, 2));
}

#[test]
fn garbage_is_refused_by_naming_the_fault() {
    let good = serde_json::to_value(document(1)).unwrap();
    let with = |pointer: &str, value: serde_json::Value| {
        let mut changed = good.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        serde_json::to_vec(&changed).unwrap()
    };
    for (payload, word) in [
        (Vec::new(), "empty"),
        (b"{".to_vec(), "not a document"),
        (vec![0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3], "zstd"),
        (with("/v", 2.into()), "version 2"),
        (with("/seq", 0.into()), "`seq`"),
        (with("/epoch", "xyz".into()), "xyz"),
        (with("/gateway", "A B".into()), "A B"),
        (with("/time/trust", "since_boot".into()), "time.boot"),
        (
            with("/time", serde_json::json!({"trust": "trusted", "base": 1, "not_after": 2})),
            "bounds",
        ),
        (
            with(
                "/time",
                serde_json::json!({"trust": "since_boot", "boot": "b", "base": 1,
                    "not_before": 3, "not_after": 2}),
            ),
            "later than",
        ),
        (with("/devices/0/at", serde_json::json!([5, 1])), "devices[0].at"),
        (with("/devices/0/values/1", serde_json::json!([1])), "devices[0].values[1]"),
        (with("/devices/0/points", serde_json::json!(["a"])), "2 columns for 1 points"),
        (with("/devices/0/quality/0", serde_json::json!([9, 1, "bad", "no_answer"])), "[9, 1]"),
        (with("/devices/0/quality/0", serde_json::json!([1, 1, "good", "no_answer"])), "good"),
        (with("/devices/0/quality/0", serde_json::json!([1, 1, "bad", "tired"])), "tired"),
    ] {
        let mut verifier = verifier();
        let Received::Fault(fault) = verifier.take(TOPIC, &payload) else { panic!("{word}") };
        assert!(fault.contains(word), "{word}: {fault}");
        assert_eq!(verifier.summary().faults, 1);
    }
}

#[test]
fn a_gateway_may_not_speak_under_another_ones_topic() {
    let mut verifier = verifier();
    let received = verifier.take("linli/v1/estate-2/telemetry", &plain(&document(1)));
    assert!(matches!(received, Received::Fault(_)));
}

#[test]
fn a_compressed_block_is_read_and_a_zip_bomb_is_not_inflated() {
    let mut verifier = verifier();
    let packed = zstd::encode_all(plain(&document(1)).as_slice(), 3).unwrap();
    assert!(matches!(verifier.take(TOPIC, &packed), Received::New(_)));
    let bomb = zstd::encode_all(std::io::repeat(b' ').take(64 << 20), 3).unwrap();
    assert!(bomb.len() < 64 << 10);
    let Received::Fault(_) = verifier.take(TOPIC, &bomb) else { panic!("inflated") };
    let Received::Fault(fault) = verifier.take(TOPIC, &vec![b' '; MAX_DOCUMENT + 1]) else {
        panic!("accepted")
    };
    assert!(fault.contains("larger"), "{fault}");
}

#[test]
fn what_is_remembered_is_bounded() {
    let limits = Limits { streams: 2, devices: 1, digests: 4, faults: 3, ranges: 2 };
    let mut verifier = Verifier::new("linli/v1/+", false, limits);
    feed(&mut verifier, (1..100).map(|n| n * 2));
    for _ in 0..50 {
        verifier.take(TOPIC, b"nonsense");
    }
    let summary = verifier.summary();
    assert_eq!(summary.gaps[0].ranges.len(), 2);
    assert_eq!((summary.faults, summary.last_faults.len()), (50, 3));
    assert_eq!(verifier.take(TOPIC, &plain(&document(2))), Received::Duplicate);
    for epoch in ["00000000000000b1", "00000000000000b2"] {
        let mut other = document(1);
        other.epoch = epoch.into();
        let received = verifier.take(TOPIC, &plain(&other));
        assert_eq!(matches!(received, Received::New(_)), epoch.ends_with('1'), "{received:?}");
    }
}

#[test]
fn a_later_run_goes_on_from_the_kept_state() {
    let mut first = verifier();
    feed(&mut first, [1, 2, 4]);
    let kept = serde_json::to_string(&first.state()).unwrap();
    let mut second = verifier();
    second.restore(serde_json::from_str(&kept).unwrap()).unwrap();
    feed(&mut second, [3, 5]);
    assert_eq!(second.take(TOPIC, &plain(&document(2))), Received::Duplicate);
    assert!(second.summary().is_whole());
}

/// One run against a broker that has three blocks; `keep` decides.
async fn run_with(broker: &crate::broker::fake::FakeBroker, keep: Keep) -> bool {
    let config = Config {
        broker: broker.config(),
        prefix: "linli/v1/+".into(),
        persistent: true,
        until_idle: None,
        expect_seq: Some(3),
        answer_time: true,
    };
    let (summary, _) = tokio::sync::watch::channel(verifier().summary());
    let stop = tokio_util::sync::CancellationToken::new();
    let ended = run_keeping(config, verifier(), summary, |_, _| Ok(()), Some(keep), stop).await;
    ended.is_ok()
}

#[tokio::test]
async fn a_block_is_acknowledged_only_after_the_state_with_it_was_kept() {
    let broker = crate::broker::fake::FakeBroker::start().await;
    for seq in 1..=3 {
        let document = document(seq);
        broker.send(&format!("linli/v1/{}/telemetry", document.gateway), plain(&document));
    }
    let refuse = Box::new(|_: &State| Err(std::io::Error::other("no space")));
    assert!(!run_with(&broker, refuse).await);
    assert!(broker.see(|state| state.acks.is_empty()));
    let kept = std::sync::Arc::new(std::sync::Mutex::new(None));
    let slot = kept.clone();
    let keep = Box::new(move |state: &State| {
        *slot.lock().unwrap() = Some(serde_json::to_vec(state)?);
        Ok(())
    });
    assert!(run_with(&broker, keep).await);
    broker.until("acks", |state| state.acks.len() == 3).await;
    let state = kept.lock().unwrap().take().unwrap();
    let mut later = verifier();
    later.restore(serde_json::from_slice(&state).unwrap()).unwrap();
    assert!(later.is_complete_to(3));
}

#[tokio::test]
async fn a_gateway_that_asks_for_the_time_is_answered_beside_the_blocks() {
    let broker = crate::broker::fake::FakeBroker::start().await;
    let ask = br#"{"v":1,"gateway":"g","id":"5f","boot":"b","boot_ms":7}"#;
    let ask = rumqttc::mqttbytes::v4::Publish::new(
        "linli/v1/g/time/request",
        rumqttc::mqttbytes::QoS::AtMostOnce,
        ask.to_vec(),
    );
    broker.set(|state| state.loose.push(ask));
    for seq in 1..=2 {
        let document = document(seq);
        broker.send(&format!("linli/v1/{}/telemetry", document.gateway), plain(&document));
    }
    let answered = async {
        broker.until("an answer", |state| !state.received.is_empty()).await;
        let document = document(3);
        broker.send(&format!("linli/v1/{}/telemetry", document.gateway), plain(&document));
    };
    let (whole, ()) = tokio::join!(run_with(&broker, Box::new(|_| Ok(()))), answered);
    assert!(whole);
    let answer = broker.see(|state| state.received[0].clone());
    assert_eq!((&*answer.topic, answer.retain), ("linli/v1/g/time", false));
    let answer: crate::model::TimeAnswer = serde_json::from_slice(&answer.payload).unwrap();
    assert_eq!(answer.id, "5f");
    assert!(answer.unix_ms > 1_793_491_200_000);
}
