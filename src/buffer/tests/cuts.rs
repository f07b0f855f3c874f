//! After a power cut: no position is given twice, and what is not known is said.

use std::collections::BTreeSet;
use std::path::Path;

use super::support::*;
use crate::buffer::Lane;
use crate::buffer::block::boot_tag;
use crate::buffer::mark::{AHEAD, Mark, Noted};
use crate::model::{Document, Epoch, EventKind, Record, Seq};

const OTHER_BOOT: u64 = 0xb007;

fn skipped<'a>(documents: impl IntoIterator<Item = &'a Document>) -> Vec<(u64, u64)> {
    let events = documents.into_iter().flat_map(|document| &document.events);
    let ranges = events.filter_map(|event| match event.what {
        EventKind::PositionsSkipped { from, to } => Some((from.0, to.0)),
        _ => None,
    });
    ranges.collect()
}

/// The mark as a boot before the cut left it: noted some time ago, reserved ahead.
fn cut_mark(store: &Path, epoch: Epoch, noted: u64, next: u64) {
    let (mark, _) = Mark::open(store, OTHER_BOOT).unwrap();
    mark.note(Noted { epoch, next: Seq(noted) });
    mark.reserve(epoch, Seq(next));
}

#[tokio::test(start_paused = true)]
async fn after_a_cut_that_took_the_store_s_end_positions_go_on_behind_all_that_were_given() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, clock) = (estate(1, 1), clock());
    let original = config(&folder.path().join("b"));
    let cut = config(&folder.path().join("cut"));
    let (recorder, buffer) = reopen(&original, &estate, &clock);
    let epoch = buffer.epoch();
    killed(recorder, async |records| {
        for n in 1..=6u32 {
            if n == 4 {
                // What the platter has after the cut: three blocks, although six were durable.
                copy(&original.path, &cut.path);
            }
            records.send(Record::Readings(batch(&clock, 0, &[f64::from(n)]))).await.unwrap();
            commit_after(&buffer, Seq(u64::from(n))).await;
        }
    })
    .await;
    let sent: BTreeSet<Seq> = documents(&buffer).into_keys().collect();
    drop(buffer);
    cut_mark(&cut.path, epoch, 2, 7);
    // A cut before the first commit changes nothing about it.
    drop(reopen(&cut, &estate, &clock));
    let (recorder, buffer) = reopen(&cut, &estate, &clock);
    ends(recorder, vec![Record::Readings(batch(&clock, 0, &[9.0]))]).await.unwrap();
    assert_eq!(buffer.epoch(), epoch);
    let documents = documents(&buffer);
    assert_eq!(skipped(documents.values()), [(4, 7 + AHEAD - 1)]);
    assert_eq!(gaps(documents.values()), [], "nobody knows of a loss");
    let fresh = all(&buffer, Lane::Telemetry).pop().unwrap();
    assert!(!sent.contains(&fresh.seq) && fresh.seq.0 >= 7 + AHEAD, "{}", fresh.seq);
    let status = buffer.status().borrow().clone();
    assert_eq!((status.damaged_blocks, status.evicted_blocks), (0, 0), "not counted as lost");
    assert_eq!(status.skipped_positions, 7 + AHEAD - 4);
    #[cfg(feature = "receiver")]
    {
        use crate::receiver::{Limits, Verifier};
        let mut verifier = Verifier::new("linli/v1/+", false, Limits::default());
        for lane in Lane::ALL {
            for block in all(&buffer, lane) {
                verifier.take("linli/v1/estate-1/event", &block.payload);
            }
        }
        assert!(verifier.summary().is_whole(), "{}", verifier.summary());
    }
}

#[tokio::test(start_paused = true)]
async fn after_an_orderly_end_and_after_a_kill_no_position_is_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, clock) = (estate(1, 1), clock());
    let config = config(&folder.path().join("b"));
    for life in 0..4u32 {
        let (recorder, buffer) = reopen(&config, &estate, &clock);
        let next = *buffer.committed().borrow();
        assert_eq!(next, Seq(u64::from(life) + 1));
        let run = async |records: tokio::sync::mpsc::Sender<Record>| {
            records.send(Record::Readings(batch(&clock, 0, &[1.0]))).await.unwrap();
            commit_after(&buffer, next).await;
        };
        let orderly = life % 2 == 0;
        if orderly {
            beside(recorder, run).await;
        } else {
            killed(recorder, run).await;
        }
        assert_eq!(skipped(documents(&buffer).values()), []);
        drop(buffer);
        let boot = boot_tag(clock.boot());
        let reserved = Mark::open(&config.path, boot).unwrap().1.reserved.unwrap();
        assert_eq!(reserved.end == next.next(), orderly, "{reserved:?}");
    }
}
