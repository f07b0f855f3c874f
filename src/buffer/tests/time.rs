//! Time: steps, boots that never knew it, ages that no wall clock changes.

use std::time::Duration;

use tokio::sync::mpsc;

use super::support::*;
use crate::buffer::{Buffer, Lane};
use crate::clock::Clock;
use crate::clock::{Config, Sample, Source};
use crate::model::{Delivered, Document, Event, EventKind, Fact, FactKind, Record, Seq, TimeTrust};

/// 2026-12-01T00:00:00Z.
const RIGHT: i64 = 1_796_083_200_000;
const HOUR_MS: i64 = 3_600_000;

fn boot(id: &str) -> Clock {
    Clock::of_boot(Config { synchronised: Vec::new(), ..Config::default() }, id, 60_000)
}

fn platform(offset_ms: i64) -> Sample {
    Sample { source: Source::Platform, offset_ms, uncertainty_ms: 50 }
}

async fn store(buffer: &Buffer, records: &mpsc::Sender<Record>, record: Record) {
    let before = *buffer.committed().borrow();
    records.send(record).await.unwrap();
    commit_after(buffer, before).await;
}

/// What the platform would get now.
fn sent(buffer: &Buffer) -> Vec<Document> {
    let blocks = Lane::ALL.iter().flat_map(|lane| all(buffer, *lane));
    let payload = |block: crate::buffer::Block| {
        buffer.stamp(&block).unwrap_or_else(|| block.payload.to_vec())
    };
    blocks.map(|block| decode(&payload(block))).collect()
}

#[tokio::test(start_paused = true)]
async fn a_boot_that_never_knew_the_time_is_bounded_by_its_neighbours_and_nothing_is_invented() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, config) = (estate(1, 1), config(&folder.path().join("b")));
    for (id, offset) in [("first", Some(RIGHT)), ("dark", None)] {
        let clock = boot(id);
        let (recorder, buffer) = reopen(&config, &estate, &clock);
        clock.remember(&buffer.store().tree("clock")).unwrap();
        beside(recorder, async |records| {
            offset.iter().for_each(|offset| clock.hear(&platform(*offset)));
            clock.keep(&buffer.store().tree("clock")).unwrap();
            tokio::time::sleep(Duration::from_secs(5)).await;
            store(&buffer, &records, Record::Readings(batch(&clock, 0, &[1.0]))).await;
        })
        .await;
    }
    let clock = boot("last");
    let (recorder, buffer) = reopen(&config, &estate, &clock);
    clock.remember(&buffer.store().tree("clock")).unwrap();
    let [first, dark] = &sent(&buffer)[..] else { panic!() };
    assert_eq!((first.time.trust, first.time.afterwards), (TimeTrust::Trusted, false));
    let open = &dark.time;
    assert_eq!((open.trust, open.boot.as_deref()), (TimeTrust::SinceBoot, Some("dark")));
    assert_eq!((open.not_before, open.not_after), (Some(RIGHT + 60_000 + open.base), None));
    clock.hear(&platform(RIGHT + HOUR_MS));
    let bounded = sent(&buffer).remove(1);
    assert_eq!(bounded.time.base, open.base);
    assert_eq!(bounded.time.not_after, Some(RIGHT + HOUR_MS), "before the present boot began");
    assert_eq!((bounded.seq, &bounded.devices), (dark.seq, &dark.devices));
    drop(recorder);
}

#[tokio::test(start_paused = true)]
async fn a_cut_between_the_sync_and_the_delivery_still_stamps_what_was_read_before_both() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, config) = (estate(1, 1), config(&folder.path().join("b")));
    let clock = boot("one");
    let (recorder, buffer) = reopen(&config, &estate, &clock);
    clock.remember(&buffer.store().tree("clock")).unwrap();
    let at = beside(recorder, async |records| {
        let at = clock.now();
        store(&buffer, &records, Record::Readings(batch(&clock, 0, &[1.0]))).await;
        // The time comes, is kept, and the power goes before anything is sent.
        clock.hear(&platform(RIGHT));
        clock.keep(&buffer.store().tree("clock")).unwrap();
        at
    })
    .await;
    drop(buffer);
    // The same boot first, as after a crash of the daemon; then another one.
    for id in ["one", "two"] {
        let clock = boot(id);
        let (recorder, buffer) = reopen(&config, &estate, &clock);
        clock.remember(&buffer.store().tree("clock")).unwrap();
        let [document] = &sent(&buffer)[..] else { panic!() };
        assert_eq!(document.time.base, RIGHT + i64::try_from(at.boot_ms).unwrap(), "{id}");
        assert!(document.time.afterwards && document.time.trust == TimeTrust::Trusted);
        drop((recorder, buffer));
    }
}

#[tokio::test(start_paused = true)]
async fn steps_forward_and_back_and_a_leap_reorder_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, clock) = (estate(1, 1), boot("one"));
    let (recorder, buffer) = reopen(&config(&folder.path().join("b")), &estate, &clock);
    beside(recorder, async |records| {
        let mut number = 0.0;
        for offset in [RIGHT, RIGHT + HOUR_MS, RIGHT, RIGHT - 1000, RIGHT - 8 * HOUR_MS, RIGHT] {
            clock.hear(&platform(offset));
            for _ in 0..3 {
                number += 1.0;
                tokio::time::sleep(Duration::from_secs(1)).await;
                store(&buffer, &records, Record::Readings(batch(&clock, 0, &[number]))).await;
            }
        }
    })
    .await;
    let documents: Vec<Document> = sent(&buffer);
    let seqs: Vec<u64> = documents.iter().map(|document| document.seq).collect();
    assert!(seqs.windows(2).all(|pair| pair[0] < pair[1]), "{seqs:?}");
    let values: Vec<f64> = documents.iter().flat_map(numbers).collect();
    assert_eq!(values, (1..=18).map(f64::from).collect::<Vec<_>>(), "in the order of reading");
    assert!(documents.iter().all(|document| document.time.trust == TimeTrust::Trusted));
}

#[tokio::test(start_paused = true)]
async fn holdover_is_said_in_each_document_with_what_it_is_worth() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, clock) = (estate(1, 1), boot("one"));
    let (recorder, buffer) = reopen(&config(&folder.path().join("b")), &estate, &clock);
    beside(recorder, async |records| {
        clock.hear(&platform(RIGHT));
        store(&buffer, &records, Record::Readings(batch(&clock, 0, &[1.0]))).await;
        tokio::time::sleep(Duration::from_secs(86_400)).await;
        clock.judge();
        store(&buffer, &records, Record::Readings(batch(&clock, 0, &[2.0]))).await;
    })
    .await;
    let [fresh, held] = &sent(&buffer)[..] else { panic!() };
    assert_eq!((fresh.time.trust, fresh.time.uncertainty_ms), (TimeTrust::Trusted, Some(50)));
    assert_eq!(held.time.trust, TimeTrust::Holdover);
    let worth = held.time.uncertainty_ms.unwrap();
    assert!((4_370..4_380).contains(&worth), "50 ppm of a day: {worth}");
    let apart = held.time.base - fresh.time.base;
    assert!((86_400_000..86_402_000).contains(&apart), "{apart}");
}

/// Ages of what was delivered, whole seconds.
fn ages(told: &mut mpsc::Receiver<Fact>) -> Vec<(Delivered, u64)> {
    let mut ages = Vec::new();
    while let Ok(Fact { kind: FactKind::Delivered { what, age, .. }, .. }) = told.try_recv() {
        ages.push((what, age.as_secs()));
    }
    ages
}

async fn acknowledge_all(buffer: &Buffer) {
    for lane in Lane::ALL {
        let blocks = all(buffer, lane).iter().map(|block| (lane, block.seq)).collect();
        buffer.acknowledge(blocks).await;
    }
}

#[tokio::test(start_paused = true)]
async fn no_wall_clock_that_jumps_makes_a_delivery_late_or_early() {
    for jump in [-8 * HOUR_MS, -1000, HOUR_MS, 365 * 24 * HOUR_MS] {
        let folder = tempfile::tempdir().unwrap();
        let (estate, config) = (estate(1, 1), config(&folder.path().join("b")));
        let clock = boot("one");
        clock.hear(&platform(RIGHT));
        let event = || {
            let kind = EventKind::GatewayStarted { version: String::new() };
            Record::Event(Event { at: clock.now(), device: None, kind })
        };
        let (recorder, buffer) = reopen(&config, &estate, &clock);
        let (facts, mut told) = mpsc::channel(64);
        buffer.tell(facts);
        buffer.link(true);
        beside(recorder, async |records| {
            store(&buffer, &records, Record::Readings(batch(&clock, 0, &[1.0]))).await;
            store(&buffer, &records, event()).await;
            tokio::time::sleep(Duration::from_secs(10)).await;
            clock.hear(&platform(RIGHT + jump));
            tokio::time::sleep(Duration::from_secs(10)).await;
            acknowledge_all(&buffer).await;
            for (what, age) in ages(&mut told) {
                assert!((19..=22).contains(&age), "{what:?} {age} s after a jump of {jump} ms");
            }
            // And what the next run of the daemon finds, in the same boot.
            store(&buffer, &records, Record::Readings(batch(&clock, 0, &[2.0]))).await;
            store(&buffer, &records, event()).await;
        })
        .await;
        drop(buffer);
        tokio::time::sleep(Duration::from_secs(30)).await;
        clock.hear(&platform(RIGHT - 2 * jump));
        let (recorder, buffer) = reopen(&config, &estate, &clock);
        let (facts, mut told) = mpsc::channel(64);
        buffer.tell(facts);
        buffer.link(true);
        acknowledge_all(&buffer).await;
        let rows = ages(&mut told);
        assert_eq!(rows.len(), 2, "{rows:?}");
        for (what, age) in rows {
            // One of less than a minute cannot be told from the time that a block was filled.
            let most = if jump == -1000 { 36 } else { 33 };
            assert!((29..=most).contains(&age), "{what:?} {age} s after a jump of {jump} ms");
        }
        drop(recorder);
    }
}

#[tokio::test(start_paused = true)]
async fn the_position_of_a_block_stays_when_it_gets_its_time_from_a_meter_and_then_from_better() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, clock) = (estate(1, 1), boot("one"));
    let (recorder, buffer) = reopen(&config(&folder.path().join("b")), &estate, &clock);
    beside(recorder, async |records| {
        store(&buffer, &records, Record::Readings(batch(&clock, 0, &[1.0]))).await;
        let device = crate::model::DeviceId::new("m").unwrap();
        let source = Source::Meter(device);
        clock.hear(&Sample { source, offset_ms: RIGHT + 3_000, uncertainty_ms: 2_000 });
        let by_meter = sent(&buffer).remove(0);
        clock.hear(&platform(RIGHT));
        let by_platform = sent(&buffer).remove(0);
        assert_eq!(by_meter.time.base - by_platform.time.base, 3_000);
        assert!(by_meter.time.uncertainty_ms > by_platform.time.uncertainty_ms);
        assert!(by_meter.time.may_change() && by_platform.time.may_change());
        assert_eq!((by_meter.seq, by_platform.seq), (1, Seq(1).0));
    })
    .await;
}
