//! Thinning in the running buffer: what stands in the stream, what is left alone, what a kill does.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::support::*;
use crate::buffer::{Buffer, Config, Lane, MIN_BUDGET};
use crate::clock::Clock;
use crate::model::{Delivered, Estate, Event, EventKind, FactKind, Reading, Record, Seq, Value};

/// One poll of every point of a device: about 2 KiB of values that hardly compress.
fn poll(clock: &Clock, random: &mut fastrand::Rng, device: u32) -> Record {
    Record::Readings(batch(clock, device, &noise(random, 400)))
}

fn small(folder: &std::path::Path) -> Config {
    Config { budget: MIN_BUDGET, ..config(&folder.join("b")) }
}

fn setting() -> (Arc<Estate>, Clock) {
    (estate(2, 400), clock())
}

/// Polls during an outage, three a minute.
async fn polls(
    count: u32,
    clock: &Clock,
    random: &mut fastrand::Rng,
    records: &mpsc::Sender<Record>,
) {
    for n in 0..count {
        records.send(poll(clock, random, n % 2)).await.unwrap();
        tokio::time::sleep(Duration::from_secs(20)).await;
    }
}

/// Everything stored is handed to the platform's side.
#[cfg(feature = "receiver")]
fn verify(buffer: &Buffer) -> crate::receiver::Summary {
    use crate::receiver::{Limits, Verifier};
    let mut verifier = Verifier::new("linli/v1/+", false, Limits::default());
    for lane in Lane::ALL {
        for block in all(buffer, lane) {
            verifier.take("linli/v1/estate-1/telemetry/late", &block.payload);
        }
    }
    verifier.summary()
}

#[tokio::test(start_paused = true)]
async fn a_full_buffer_thins_the_oldest_readings_before_it_drops_any_and_says_which() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, clock) = setting();
    let (recorder, buffer) = reopen(&small(folder.path()), &estate, &clock);
    let mut random = fastrand::Rng::with_seed(1);
    let (facts, mut told) = mpsc::channel(4);
    buffer.tell(facts);
    let sent = beside(recorder, async |records| {
        let mut rounds = 0;
        while buffer.status().borrow().thinned_blocks < 300 {
            let kind = EventKind::GatewayStarted { version: String::new() };
            let event = Event { at: clock.now(), device: None, kind };
            records.send(Record::Event(event)).await.unwrap();
            polls(100, &clock, &mut random, &records).await;
            buffer.link(false);
            rounds += 1;
            assert!(rounds < 60, "never thinned");
        }
        rounds
    })
    .await;
    let status = buffer.status().borrow().clone();
    assert_eq!(status.evicted_blocks, 0, "nothing is dropped yet");
    assert!(status.thinned_blocks > 100 && status.left_out_readings > 0, "{status:?}");
    let documents = documents(&buffer);
    let gone = thinned(documents.values()).0;
    for seq in 1..status.next_seq.0 {
        let stored = documents.contains_key(&Seq(seq));
        assert!(stored != gone.contains(&seq), "block {seq} is neither here nor announced");
    }
    let starts = documents.values().flat_map(|d| &d.events);
    let starts = starts.filter(|e| matches!(e.what, EventKind::GatewayStarted { .. })).count();
    assert_eq!(starts, sent, "events are left alone");
    let total: u64 = documents.values().map(|d| numbers(d).count() as u64).sum();
    assert_eq!(total, status.readings);
    assert_eq!(total + status.left_out_readings, sent as u64 * 100 * 400);
    let youngest = documents.values().filter(|d| d.thinned.is_none()).map(|d| d.seq).max();
    assert_eq!(youngest, Some(status.next_seq.0 - 1), "the youngest stay as they are");
    #[cfg(feature = "receiver")]
    {
        let summary = verify(&buffer);
        assert!(summary.is_whole() && summary.thinned > 0, "{summary}");
        assert_eq!(summary.announced_readings, status.left_out_readings);
        assert_eq!(summary.replaced_blocks, status.thinned_blocks);
    }
    let mut lost = 0;
    while let Ok(fact) = told.try_recv() {
        let FactKind::Delivered { what, count, age, .. } = fact.kind else { panic!() };
        assert_eq!((what, age), (Delivered::Telemetry, Duration::MAX));
        lost += u64::from(count);
    }
    assert!(lost > 0 && lost <= status.left_out_readings);
}

#[tokio::test(start_paused = true)]
async fn when_only_thinned_readings_are_old_enough_the_oldest_of_them_are_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, clock) = setting();
    let (recorder, buffer) = reopen(&small(folder.path()), &estate, &clock);
    let mut random = fastrand::Rng::with_seed(2);
    beside(recorder, async |records| {
        let mut rounds = 0;
        while buffer.status().borrow().evicted_blocks == 0 {
            polls(500, &clock, &mut random, &records).await;
            rounds += 1;
            assert!(rounds < 200, "{:?}", buffer.status().borrow());
        }
        polls(1000, &clock, &mut random, &records).await;
    })
    .await;
    let status = buffer.status().borrow().clone();
    let documents = documents(&buffer);
    let fine: Vec<u64> = documents
        .values()
        .filter(|d| d.thinned.is_none() && d.events.is_empty())
        .map(|d| d.seq)
        .collect();
    let coarse = documents.values().filter(|d| d.thinned.is_some()).count();
    println!("{} blocks as they were, {coarse} thinned", fine.len());
    assert!(coarse > 100, "most of the budget holds what is thinned");
    let gaps = gaps(documents.values());
    let gone = thinned(documents.values()).0;
    for seq in 1..status.next_seq.0 {
        let told =
            gone.contains(&seq) || gaps.iter().any(|(from, to, _)| (*from..=*to).contains(&seq));
        assert!(documents.contains_key(&Seq(seq)) || told, "block {seq} went silently");
    }
    let bytes = status.live_bytes - status.thinned_bytes;
    assert!(bytes > status.budget / 100 * 20 / 5, "the youngest stay: {bytes}");
    #[cfg(feature = "receiver")]
    assert!(verify(&buffer).is_whole(), "{}", verify(&buffer));
}

#[tokio::test(start_paused = true)]
async fn blocks_that_the_uplink_holds_are_not_thinned_until_its_session_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, clock) = setting();
    let (recorder, buffer) = reopen(&small(folder.path()), &estate, &clock);
    let mut random = fastrand::Rng::with_seed(3);
    beside(recorder, async |records| {
        polls(100, &clock, &mut random, &records).await;
        buffer.link(true);
        let held: Vec<Seq> =
            buffer.read(Lane::Telemetry, None, 40).unwrap().iter().map(|b| b.seq).collect();
        assert_eq!(held.len(), 40);
        while buffer.status().borrow().thinned_blocks == 0 {
            polls(100, &clock, &mut random, &records).await;
        }
        for seq in &held {
            let before = Some(Seq(seq.0 - 1));
            let found = buffer.read(Lane::Telemetry, before, 1).unwrap();
            assert_eq!(found[0].seq, *seq, "a block in flight stays what it is");
        }
        let thinned = buffer.status().borrow().thinned_blocks;
        buffer.link(false);
        while buffer.status().borrow().thinned_blocks == thinned {
            polls(100, &clock, &mut random, &records).await;
        }
        buffer.link(true);
        let found = buffer.read(Lane::Telemetry, None, 1).unwrap();
        assert!(found[0].seq > held[39], "they are the oldest, and thinned next");
    })
    .await;
}

/// Blocks are folded long before they are replaced; a kill at any time leaves either the old ones
/// or the new ones, with their announcement.
#[tokio::test(start_paused = true)]
async fn a_kill_in_the_middle_of_thinning_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, clock) = setting();
    let config = small(folder.path());
    let mut random = fastrand::Rng::with_seed(4);
    let mut images = 0;
    let mut hit = 0;
    let (recorder, buffer) = reopen(&config, &estate, &clock);
    beside(recorder, async |records| {
        while buffer.status().borrow().thinned_blocks == 0 || images < 12 {
            polls(37, &clock, &mut random, &records).await;
            let status = buffer.status().borrow().clone();
            // A fifth of the budget is for blocks; folding begins at 90 % of that.
            if status.live_bytes < status.budget / 5 * 88 / 100 {
                continue;
            }
            images += 1;
            let path = folder.path().join(format!("image-{images}"));
            copy(&config.path, &path);
            let image = Config { path, ..config.clone() };
            let (recorder, other) = reopen(&image, &estate, &clock);
            drop(recorder);
            let documents = documents(&other);
            let gone = thinned(documents.values()).0;
            hit += usize::from(!gone.is_empty());
            for seq in 1..other.status().borrow().next_seq.0 {
                let stored = documents.contains_key(&Seq(seq));
                assert!(stored != gone.contains(&seq), "image {images}, block {seq}");
            }
            drop(other);
            std::fs::remove_dir_all(&image.path).unwrap();
        }
    })
    .await;
    assert!(hit > 0 && hit < images, "{hit} of {images}: before and after");
}

/// Prints how much longer an outage fits, and the longest commit while the budget is full.
#[tokio::test(start_paused = true)]
#[ignore = "measures: cargo test --lib how_long_an_outage_fits -- --ignored --nocapture"]
#[expect(clippy::disallowed_types, reason = "how long the flash takes in real time")]
async fn how_long_an_outage_fits() {
    for (every, devices, points) in [(10, 20, 10), (60, 50, 20)] {
        let folder = tempfile::tempdir().unwrap();
        let (estate, clock) = (estate(devices, points), clock());
        let config = Config { keep_free: 0, ..small(folder.path()) };
        let (recorder, buffer) = reopen(&config, &estate, &clock);
        let mut random = fastrand::Rng::with_seed(5);
        let mut values = vec![0.0; devices * points];
        let start = clock.now();
        let hours = |now: crate::model::Moment| now.since(start).as_secs_f64() / 3600.0;
        let (mut first_thinned, mut longest) = (None, Duration::ZERO);
        beside(recorder, async |records| {
            while buffer.status().borrow().evicted_blocks == 0 && hours(clock.now()) < 20_000.0 {
                let began = std::time::Instant::now();
                for device in 0..devices {
                    let mut batch = batch(&clock, u32::try_from(device).unwrap(), &[]);
                    for point in 0..points {
                        let value = &mut values[device * points + point];
                        // Wanders by steps of a tenth.
                        *value += f64::from(random.i32(-9..=9)) / 10.0;
                        let number = Value::Number((*value * 10.0).round() / 10.0);
                        let point = crate::model::PointIndex(u16::try_from(point).unwrap());
                        batch.readings.push(Reading::good(point, number));
                    }
                    records.send(Record::Readings(batch)).await.unwrap();
                }
                tokio::time::sleep(Duration::from_secs(every)).await;
                let status = buffer.status().borrow().clone();
                longest = longest.max(began.elapsed());
                if status.thinned_blocks > 0 {
                    first_thinned.get_or_insert(hours(clock.now()));
                }
            }
        })
        .await;
        let status = buffer.status().borrow().clone();
        println!(
            "{devices} devices of {points} points every {every} s, 16 MiB: full after {:.1} h, \
             first block dropped after {:.1} h, with {} readings in {} blocks stored and {} left \
             out; longest round with its commit {longest:?}",
            first_thinned.unwrap_or_default(),
            hours(clock.now()),
            status.readings,
            status.blocks,
            status.left_out_readings,
        );
    }
}
