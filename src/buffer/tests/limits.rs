//! The budget, the full disk.

use std::process::Command;
use std::time::Duration;

use tokio::sync::mpsc;

use super::support::*;
use crate::buffer::ledger::Job;
use crate::buffer::{Config, Lane, MIN_BUDGET, OpenError, open};
use crate::model::{Delivered, Event, EventKind, FactKind, Record};

#[tokio::test(start_paused = true)]
async fn a_full_buffer_drops_the_oldest_telemetry_keeps_events_and_announces_every_gap() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, clock) = (estate(10, 40), clock());
    let config = Config { budget: MIN_BUDGET, ..config(&folder.path().join("b")) };
    let (recorder, buffer) = reopen(&config, &estate, &clock);
    let mut random = fastrand::Rng::with_seed(4);
    // Nobody takes facts meanwhile: they are added up.
    let (facts, mut told) = mpsc::channel(4);
    buffer.tell(facts);
    let mut highest = 0;
    beside(recorder, async |records| {
        for round in 0..3000u32 {
            if round % 100 == 0 {
                let kind = EventKind::GatewayStarted { version: round.to_string() };
                let event = Event { at: clock.now(), device: None, kind };
                records.send(Record::Event(event)).await.unwrap();
            }
            records.send(bulky(&clock, &mut random, round % 10, 30)).await.unwrap();
            if round % 50 == 0 {
                tokio::time::sleep(Duration::from_millis(1100)).await;
                let file = buffer.status().borrow().file_bytes;
                assert!(file <= config.budget, "{file} bytes in round {round}");
                highest = highest.max(file);
            }
        }
    })
    .await;
    println!("files at most {highest} bytes of {}", config.budget);
    let status = buffer.status().borrow().clone();
    assert!(status.evicted_blocks + status.thinned_blocks > 100, "{status:?}");
    let documents = documents(&buffer);
    let started = documents
        .values()
        .flat_map(|d| &d.events)
        .filter(|event| matches!(event.what, EventKind::GatewayStarted { .. }))
        .count();
    assert_eq!(started, 30, "no event is lost while telemetry is left");
    let gaps = gaps(documents.values());
    let (thinned, left_out) = thinned(documents.values());
    for seq in 1..status.next_seq.0 {
        let stored = documents.contains_key(&crate::model::Seq(seq));
        let announced = gaps.iter().any(|(from, to, _)| (*from..=*to).contains(&seq));
        let announced = announced || thinned.contains(&seq);
        assert!(stored || announced, "block {seq} is missing and nobody says so");
    }
    assert!(gaps.iter().all(|gap| gap.2 == "budget"));
    let evicted =
        documents.values().flat_map(|d| &d.events).filter_map(|event| match &event.what {
            EventKind::BlocksEvicted { readings, .. } => Some(*readings),
            _ => None,
        });
    let mut lost = 0;
    while !told.is_empty() {
        while let Ok(fact) = told.try_recv() {
            let FactKind::Delivered { what, age, count, after_outage } = fact.kind else {
                panic!()
            };
            let never = Duration::MAX;
            assert_eq!((what, age, after_outage), (Delivered::Telemetry, never, Some(never)));
            lost += u64::from(count);
        }
        buffer.link(false);
        buffer.0.note(&Job::default());
    }
    let evicted = evicted.sum::<u64>();
    assert_eq!(lost, evicted + left_out, "what was evicted or left out never arrived");
}

#[tokio::test]
async fn a_budget_that_cannot_work_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { budget: 1 << 20, ..config(folder.path()) };
    let Err(error) = open(&config, estate(1, 1), clock()) else { panic!("accepted") };
    assert!(matches!(error, OpenError::Budget(_)));
}

#[tokio::test(start_paused = true)]
async fn below_the_free_space_that_is_left_to_others_nothing_is_stored_and_the_field_waits() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, clock) = (estate(1, 30), clock());
    let config = Config { keep_free: u64::MAX, ..config(&folder.path().join("b")) };
    let (recorder, buffer) = reopen(&config, &estate, &clock);
    killed(recorder, async |records| {
        // What fits into the files as they are is still stored.
        let mut random = fastrand::Rng::with_seed(1);
        let mut waited = false;
        for _ in 0..3000 {
            let sending = records.send(bulky(&clock, &mut random, 0, 30));
            waited |= tokio::time::timeout(Duration::from_secs(30), sending).await.is_err();
            if waited {
                break;
            }
        }
        assert!(waited, "the channel stays full");
        assert!(buffer.status().borrow().fault.as_ref().unwrap().contains("bytes free"));
    })
    .await;
}

/// A file system in memory of 24 MiB; unmounted at the end.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"])
            .arg(folder.path())
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(folder))
    }
}

impl SmallDisk {
    /// Says whether the system did it: it refuses while a file is open for writing.
    fn remount(&self, how: &str) -> bool {
        let how = format!("remount,{how}");
        let mounted = Command::new("mount").args(["-o", &how]).arg(self.0.path()).status();
        mounted.is_ok_and(|status| status.success())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(self.0.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "the small disk stays mounted");
    }
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_fills_up_under_the_buffer_loses_nothing_that_was_acknowledged() {
    let Some(disk) = SmallDisk::mount() else {
        println!("skipped: a small file system can be mounted by root only");
        return;
    };
    let (estate, clock) = (estate(10, 40), clock());
    let config = config(&disk.0.path().join("b"));
    let (recorder, buffer) = reopen(&config, &estate, &clock);
    let ballast = disk.0.path().join("ballast");
    let mut random = fastrand::Rng::with_seed(8);
    let sent = beside(recorder, async |records| {
        let mut sent = Vec::new();
        for round in 0..200u32 {
            if round == 50 {
                // Somebody else fills the disk, to the last byte.
                let free = buffer.store().free_bytes().unwrap();
                std::fs::write(&ballast, vec![1; usize::try_from(free).unwrap()]).unwrap();
            }
            if round == 150 {
                std::fs::remove_file(&ballast).unwrap();
            }
            for _ in 0..10 {
                let values = noise(&mut random, 40);
                sent.extend(values.iter().copied());
                let record = Record::Readings(batch(&clock, round % 10, &values));
                records.send(record).await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(1100)).await;
            if round == 149 {
                println!("fault while the disk is full: {:?}", buffer.status().borrow().fault);
            }
        }
        sent
    })
    .await;
    let mut stored: Vec<f64> = documents(&buffer).values().flat_map(numbers).collect();
    let mut sent = sent;
    stored.sort_by(f64::total_cmp);
    sent.sort_by(f64::total_cmp);
    assert_eq!(stored.len(), sent.len());
    assert!(stored == sent);
    assert_eq!(buffer.status().borrow().fault, None);
    assert!(!all(&buffer, Lane::Telemetry).is_empty());
    drop(buffer);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_became_read_only_is_named_and_the_buffer_goes_on_when_it_is_writable_again() {
    let Some(disk) = SmallDisk::mount() else {
        println!("skipped: a small file system can be mounted by root only");
        return;
    };
    let (estate, clock) = (estate(1, 1), clock());
    let config = config(&disk.0.path().join("b"));
    let (recorder, buffer) = reopen(&config, &estate, &clock);
    ends(recorder, vec![Record::Readings(batch(&clock, 0, &[1.0]))]).await.unwrap();
    let epoch = buffer.epoch();
    drop(buffer);
    // The store's threads let go of its file a little later.
    while !disk.remount("ro") {
        std::thread::yield_now();
    }
    let Err(error) = open(&config, estate.clone(), clock.clone()) else { panic!("opened") };
    let told = error.to_string();
    assert!(told.contains("Read-only file system") && told.contains("/b"), "{told}");
    assert!(!disk.0.path().join("b.damaged-1").exists(), "it is not taken for damage");
    assert!(disk.remount("rw"));
    let (recorder, buffer) = reopen(&config, &estate, &clock);
    assert_eq!(buffer.epoch(), epoch);
    ends(recorder, vec![Record::Readings(batch(&clock, 0, &[2.0]))]).await.unwrap();
    let stored: Vec<f64> = documents(&buffer).values().flat_map(numbers).collect();
    assert_eq!(stored, [1.0, 2.0]);
    drop(buffer);
}
