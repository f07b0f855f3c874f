//! Receipts, positions, stamps, locks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::support::*;
use crate::buffer::{Lane, OpenError, export, inspect, open};
use crate::clock::{self, Clock, Trust};
use crate::model::{Event, EventKind, Receipt, Record, Seq, TimeTrust};
use crate::store::StoreError;

#[tokio::test(start_paused = true)]
async fn a_receipt_is_confirmed_only_when_a_kill_would_not_lose_the_batch() {
    let folder = tempfile::tempdir().unwrap();
    let (path, image) = (folder.path().join("buffer"), folder.path().join("image"));
    let (estate, clock) = (estate(1, 1), clock());
    let (recorder, buffer) = reopen(&config(&path), &estate, &clock);
    let confirmed = Arc::new(AtomicUsize::new(0));
    beside(recorder, async |records| {
        let mut with_receipt = batch(&clock, 0, &[77.0]);
        let (seen, from, to) = (confirmed.clone(), path.clone(), image.clone());
        with_receipt.receipt = Some(Receipt::new(move || {
            copy(&from, &to);
            seen.fetch_add(1, Ordering::SeqCst);
        }));
        let mut empty = batch(&clock, 0, &[]);
        let seen = confirmed.clone();
        empty.receipt = Some(Receipt::new(move || {
            seen.fetch_add(1, Ordering::SeqCst);
        }));
        records.send(Record::Readings(with_receipt)).await.unwrap();
        records.send(Record::Readings(empty)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(900)).await;
        assert_eq!(confirmed.load(Ordering::SeqCst), 0, "the tick is not over");
        commit_after(&buffer, Seq(1)).await;
        assert_eq!(confirmed.load(Ordering::SeqCst), 2);
    })
    .await;
    let mut lines = Vec::new();
    assert_eq!(export(&image, &mut lines).unwrap(), 1);
    assert!(String::from_utf8(lines).unwrap().contains("[[77]]"));
}

#[tokio::test(start_paused = true)]
async fn an_event_is_durable_at_once_and_a_hurry_within_a_tenth_of_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, clock) = (estate(1, 1), clock());
    let (recorder, buffer) = reopen(&config(folder.path()), &estate, &clock);
    beside(recorder, async |records| {
        let start = clock.now();
        records.send(Record::Readings(batch(&clock, 0, &[1.0]))).await.unwrap();
        let kind = EventKind::GatewayStarted { version: "1".into() };
        let event = Event { at: clock.now(), device: None, kind };
        records.send(Record::Event(event)).await.unwrap();
        commit_after(&buffer, Seq(1)).await;
        assert!(clock.now().since(start) < Duration::from_millis(50));
        assert_eq!(all(&buffer, Lane::Urgent).len(), 1);
        assert_eq!(all(&buffer, Lane::Telemetry).len(), 0, "readings wait for their tick");
        buffer.hurry();
        buffer.hurry();
        commit_after(&buffer, Seq(2)).await;
        assert!(clock.now().since(start) < Duration::from_millis(300));
        assert_eq!(buffer.status().borrow().readings, 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_position_never_repeats_also_when_every_block_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, clock) = (estate(1, 1), clock());
    let mut last = Seq(0);
    let mut epoch = None;
    for _ in 0..4 {
        let (recorder, buffer) = reopen(&config(folder.path()), &estate, &clock);
        assert_eq!(*epoch.get_or_insert(buffer.epoch()), buffer.epoch());
        assert!(all(&buffer, Lane::Telemetry).is_empty());
        beside(recorder, async |records| {
            records.send(Record::Readings(batch(&clock, 0, &[1.0]))).await.unwrap();
            commit_after(&buffer, last.next()).await;
            let blocks = all(&buffer, Lane::Telemetry);
            assert!(blocks[0].seq > last);
            last = blocks[0].seq;
            buffer.acknowledge(vec![(Lane::Telemetry, last)]).await;
            assert!(all(&buffer, Lane::Telemetry).is_empty(), "not handed out again");
        })
        .await;
        assert_eq!(buffer.status().borrow().blocks, 0);
    }
}

#[tokio::test]
async fn a_second_daemon_on_the_same_folder_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder.path().join("buffer"));
    let (_recorder, _buffer) = open(&config, estate(1, 1), clock()).unwrap();
    let Err(error) = open(&config, estate(1, 1), clock()) else { panic!("opened twice") };
    assert!(matches!(error, OpenError::Store(StoreError::Locked { .. })));
    let text = error.to_string();
    assert!(text.contains(&std::process::id().to_string()) && text.contains("buffer"), "{text}");
    assert!(inspect(&config.path).unwrap_err().to_string().contains("in use"));
}

#[tokio::test(start_paused = true)]
async fn what_was_read_before_the_clock_was_trusted_is_stamped_later_at_the_same_position() {
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("synchronized");
    let untrusted = clock::Config {
        trust: Trust::Ntp,
        synchronised: vec![marker.clone()],
        ..Default::default()
    };
    let (estate, clock) = (estate(1, 1), Clock::new(untrusted));
    let (recorder, buffer) = reopen(&config(&folder.path().join("b")), &estate, &clock);
    beside(recorder, async |records| {
        let at = clock.now();
        records.send(Record::Readings(batch(&clock, 0, &[5.0]))).await.unwrap();
        commit_after(&buffer, Seq(1)).await;
        let block = all(&buffer, Lane::Telemetry).remove(0);
        let before = decode(&block.payload);
        assert!(!block.stamped);
        assert_eq!(before.time.trust, TimeTrust::SinceBoot);
        assert_eq!(before.time.base, i64::try_from(at.boot_ms).unwrap());
        assert_eq!(before.time.boot.as_deref(), Some(&*clock.boot().0));
        assert_eq!(buffer.stamp(&block), None);
        std::fs::write(&marker, "").unwrap();
        clock.judge();
        let after = decode(&buffer.stamp(&block).unwrap());
        assert_eq!(after.time.trust, TimeTrust::Trusted);
        assert_eq!(after.time.base, clock.wall(at).unwrap().unix_ms);
        assert_eq!((after.seq, after.devices), (before.seq, before.devices));
    })
    .await;
}
