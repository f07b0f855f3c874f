//! Blocks that stand, thinned, in place of others.

use super::*;
use crate::model::{Thinned, ThinnedSpan};

/// Block `seq` says that blocks were thinned into block `seq - 1`.
fn thinned(seq: u64, ranges: &[(u64, u64)]) -> Document {
    let ranges: Vec<_> = ranges.iter().map(|(from, to)| (Seq(*from), Seq(*to))).collect();
    let what = EventKind::ReadingsThinned {
        from: ranges[0].0,
        to: ranges[ranges.len() - 1].1,
        blocks: ranges.iter().map(|(from, to)| (to.0 + 1).saturating_sub(from.0)).sum(),
        ranges,
        readings: 100,
        into_from: Seq(seq - 1),
        into_to: Seq(seq - 1),
        readings_left: 4,
        method: "quarter_hour".into(),
    };
    Document { events: vec![EventDocument { at: 0, device: None, what }], ..evicted(seq, 1, 1, 1) }
}

/// A block that stands for others.
fn stand_in(seq: u64) -> Document {
    let mut document = document(seq);
    document.thinned = Some(Thinned { method: "quarter_hour".into(), from: 2, to: 5 });
    let spans = [ThinnedSpan(0, -300, 900_000, 60, 0), ThinnedSpan(1, -300, 900_000, 40, 1)];
    document.devices[0].thinned = spans.to_vec();
    document
}

#[test]
fn blocks_that_were_thinned_are_no_silent_gap_and_what_replaces_them_must_arrive() {
    let mut verifier = verifier();
    feed(&mut verifier, [1, 4]);
    let announced = verifier.take(TOPIC, &plain(&thinned(7, &[(2, 3), (5, 5)])));
    assert!(matches!(announced, Received::New(_)), "{announced:?}");
    let summary = verifier.summary();
    assert_eq!((summary.announced_gaps, summary.replaced_blocks), (3, 3));
    assert_eq!(summary.gaps[0].ranges, [Range { from: 6, to: 6 }], "the thinned block is missing");
    assert!(matches!(verifier.take(TOPIC, &plain(&stand_in(6))), Received::New(_)));
    let summary = verifier.summary();
    assert!(summary.is_whole(), "{summary}");
    assert_eq!((summary.thinned, summary.stands_for, summary.announced_readings), (1, 100, 96));
}

#[test]
fn thinned_documents_and_announcements_that_contradict_themselves_are_faults() {
    let faulty = |document: &Document| {
        let received = verifier().take(TOPIC, &plain(document));
        matches!(received, Received::Fault(_))
    };
    assert!(!faulty(&stand_in(6)));
    let spans: [&[ThinnedSpan]; 6] = [
        &[ThinnedSpan(2, 0, 900_000, 5, 0)],
        &[ThinnedSpan(0, 0, 0, 5, 0)],
        &[ThinnedSpan(0, 0, 900_000, 1, 0)],
        &[ThinnedSpan(0, 0, 900_000, 5, 6)],
        &[ThinnedSpan(0, 5000, 900_000, 5, 0)],
        &[ThinnedSpan(0, 0, 900_000, 5, 0), ThinnedSpan(0, 500, 900_000, 5, 0)],
    ];
    for spans in spans {
        let mut document = stand_in(6);
        document.devices[0].thinned = spans.to_vec();
        assert!(faulty(&document), "{spans:?}");
    }
    assert!(!faulty(&thinned(7, &[(2, 3)])));
    assert!(faulty(&thinned(7, &[(2, 9)])), "the future");
    assert!(faulty(&thinned(7, &[(3, 2)])), "backwards");
    assert!(faulty(&thinned(7, &[(2, 6)])), "into what was there before");
}
