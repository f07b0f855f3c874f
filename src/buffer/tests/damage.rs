//! Flipped bits, torn files, garbage.

use std::collections::BTreeSet;

use super::support::*;
use crate::buffer::block::{Lane, key};
use crate::buffer::{Buffer, inspect};
use crate::model::{EventKind, Record, Seq};
use crate::store::Changes;

fn spoil(buffer: &Buffer, seq: Seq) {
    let key = key(Lane::Telemetry, seq);
    let queue = &buffer.0.queue;
    let mut value = queue.get(&key).unwrap().unwrap();
    let last = value.len() - 1;
    value[last] ^= 4;
    let mut changes = Changes::default();
    changes.insert(&key, &value);
    queue.apply(changes).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_damaged_block_is_set_aside_and_announced_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, clock) = (estate(1, 1), clock());
    let config = config(&folder.path().join("b"));
    let (recorder, buffer) = reopen(&config, &estate, &clock);
    beside(recorder, async |records| {
        for n in 1..=3u32 {
            records.send(Record::Readings(batch(&clock, 0, &[f64::from(n)]))).await.unwrap();
            commit_after(&buffer, Seq(u64::from(n))).await;
        }
        spoil(&buffer, Seq(2));
        let left: Vec<u64> = all(&buffer, Lane::Telemetry).iter().map(|b| b.seq.0).collect();
        assert_eq!(left, [1, 3]);
        commit_after(&buffer, Seq(4)).await;
        assert_eq!(gaps(documents(&buffer).values()), [(2, 2, "damaged".to_owned())]);
        let status = buffer.status().borrow().clone();
        assert_eq!((status.damaged_blocks, status.blocks), (1, 3));
    })
    .await;
    drop(buffer);
    let found = inspect(&config.path).unwrap();
    assert_eq!((found.damaged.len(), found.damaged[0].seq), (1, Seq(2)));
    assert!(found.damaged[0].set_aside);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_read_is_set_aside_and_a_new_epoch_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, clock) = (estate(1, 1), clock());
    let config = config(&folder.path().join("b"));
    let (recorder, buffer) = reopen(&config, &estate, &clock);
    let before = buffer.epoch();
    ends(recorder, vec![Record::Readings(batch(&clock, 0, &[1.0]))]).await.unwrap();
    drop(buffer);
    std::fs::write(config.path.join("conf"), "this is no configuration of a store").unwrap();
    let (_recorder, buffer) = reopen(&config, &estate, &clock);
    assert_ne!(buffer.epoch(), before);
    let documents = documents(&buffer);
    let told = documents.values().flat_map(|d| &d.events).any(|event| {
        matches!(&event.what, EventKind::BufferReplaced { set_aside, .. }
            if set_aside.ends_with("b.damaged-1"))
    });
    assert!(told);
    assert!(folder.path().join("b.damaged-1").join("db").exists());
}

/// Whatever is done to the file: the buffer opens, hands out only sound blocks, and goes on.
#[tokio::test(start_paused = true)]
async fn a_torn_or_flipped_file_never_keeps_the_buffer_from_going_on() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, clock) = (estate(4, 10), clock());
    let original = config(&folder.path().join("b"));
    let mut random = fastrand::Rng::with_seed(5);
    let (recorder, buffer) = reopen(&original, &estate, &clock);
    let records =
        (0..400).map(|n| Record::Readings(batch(&clock, n % 4, &noise(&mut random, 10)))).collect();
    ends(recorder, records).await.unwrap();
    let sent: BTreeSet<Seq> = documents(&buffer).into_keys().collect();
    let epoch = buffer.epoch();
    drop(buffer);
    for round in 0..24 {
        let path = folder.path().join(format!("image-{round}"));
        copy(&original.path, &path);
        let db = path.join("db");
        let mut bytes = std::fs::read(&db).unwrap();
        let used = bytes.iter().rposition(|b| *b != 0).unwrap();
        if round % 2 == 0 {
            bytes.truncate(random.usize(0..used));
        } else {
            bytes[random.usize(0..used)] ^= 1 << random.u8(0..8);
        }
        std::fs::write(&db, bytes).unwrap();
        let (recorder, buffer) = reopen(&config(&path), &estate, &clock);
        if buffer.epoch() == epoch {
            assert!(documents(&buffer).keys().all(|seq| sent.contains(seq)), "round {round}");
        }
        ends(recorder, vec![Record::Readings(batch(&clock, 0, &[1.0]))]).await.unwrap();
        assert!(buffer.status().borrow().committed_readings == 1, "round {round}");
    }
}

/// A log that lost its end opens as if nothing was ever written after it. That must not go
/// unnoticed: what is missing is announced, and no position is given twice.
#[tokio::test(start_paused = true)]
async fn blocks_lost_with_a_part_of_the_file_are_announced_and_no_position_is_given_again() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, clock) = (estate(4, 10), clock());
    let original = config(&folder.path().join("b"));
    let mut random = fastrand::Rng::with_seed(11);
    let (recorder, buffer) = reopen(&original, &estate, &clock);
    beside(recorder, async |records| {
        for n in 0..60u32 {
            let record = Record::Readings(batch(&clock, n % 4, &noise(&mut random, 10)));
            records.send(record).await.unwrap();
            commit_after(&buffer, Seq(u64::from(n) + 1)).await;
        }
    })
    .await;
    let sent: BTreeSet<Seq> = documents(&buffer).into_keys().collect();
    let epoch = buffer.epoch();
    drop(buffer);
    for round in 0..30 {
        let path = folder.path().join(format!("image-{round}"));
        copy(&original.path, &path);
        std::fs::copy(folder.path().join("b.mark"), path.with_extension("mark")).unwrap();
        let db = path.join("db");
        let mut bytes = std::fs::read(&db).unwrap();
        let used = bytes.iter().rposition(|b| *b != 0).unwrap();
        if round % 2 == 0 {
            // The first round loses everything.
            bytes.truncate(if round == 0 { 0 } else { random.usize(0..used) });
        } else {
            bytes[random.usize(0..used)] ^= 1 << random.u8(0..8);
        }
        std::fs::write(&db, bytes).unwrap();
        let (recorder, buffer) = reopen(&config(&path), &estate, &clock);
        ends(recorder, vec![Record::Readings(batch(&clock, 0, &[1.0]))]).await.unwrap();
        let documents = documents(&buffer);
        let kinds: Vec<_> =
            documents.values().flat_map(|d| &d.events).map(|event| &event.what).collect();
        if buffer.epoch() != epoch {
            let replaced = |kind: &&EventKind| matches!(kind, EventKind::BufferReplaced { .. });
            assert!(kinds.iter().any(replaced), "round {round}");
            continue;
        }
        let left: BTreeSet<Seq> = documents.keys().copied().collect();
        let told = |seq: Seq| {
            kinds.iter().any(|kind| match kind {
                EventKind::BlocksEvicted { from, to, .. } => (*from..=*to).contains(&seq),
                _ => false,
            })
        };
        assert!(sent.iter().all(|seq| left.contains(seq) || told(*seq)), "round {round}");
        let fresh = documents.values().filter(|d| !sent.contains(&Seq(d.seq)));
        assert!(fresh.flat_map(|d| &d.devices).count() > 0, "round {round}: a position twice");
    }
}
