//! The order of departure, without network or disk.

use super::*;
use crate::uplink::testing::{MemoryStore, block};

fn now(ms: u64) -> Now {
    Now { at: Moment { boot_ms: ms }, trusted: true }
}

fn flow(next: u64) -> Flow {
    Flow::new(Seq(next), 1 << 20, Duration::from_secs(10), Moment::default())
}

fn drain(flow: &mut Flow, store: &MemoryStore, now: Now) -> Vec<(Kind, u64)> {
    let mut out = Vec::new();
    while let Some(departure) = flow.next(store, now, true).unwrap() {
        out.push((departure.kind, departure.block.seq.0));
    }
    out
}

#[test]
fn events_go_first_then_live_readings_then_the_backlog() {
    let store = MemoryStore::default();
    for seq in 1..=3 {
        store.put(block(seq, Lane::Telemetry));
    }
    store.put(block(4, Lane::Urgent));
    store.put(block(5, Lane::Telemetry));
    let mut flow = flow(5);
    let order = drain(&mut flow, &store, now(0));
    let late = |seq| (Kind::Late, seq);
    assert_eq!(order, [(Kind::Event, 4), (Kind::Live, 5), late(1), late(2), late(3)]);
}

#[test]
fn the_backlog_keeps_to_its_rate_and_live_readings_do_not_wait_for_it() {
    let store = MemoryStore::default();
    for seq in 1..=8 {
        store.put(Block { payload: vec![0; 1000].into(), ..block(seq, Lane::Telemetry) });
    }
    let mut flow = Flow::new(Seq(9), 2000, Duration::from_secs(10), Moment::default());
    assert_eq!(drain(&mut flow, &store, now(0)), [(Kind::Late, 1)], "the burst is a quarter");
    let wake = flow.wake_at(Moment::default()).unwrap();
    assert!((200..300).contains(&wake.boot_ms), "{wake:?}");
    store.put(block(9, Lane::Telemetry));
    flow.poke();
    assert_eq!(drain(&mut flow, &store, now(0)), [(Kind::Live, 9)]);
    let mut sent = 1;
    for ms in (50..=2000).step_by(50) {
        sent += drain(&mut flow, &store, now(ms)).len();
    }
    assert!((4..=5).contains(&sent), "{sent} blocks of 1000 bytes in 2 s at 2000 bytes a second");
}

#[test]
fn blocks_without_wall_time_wait_aside_and_go_out_stamped_once_the_clock_is_trusted() {
    let store = MemoryStore::default();
    store.put(Block { stamped: false, ..block(1, Lane::Telemetry) });
    store.put(block(2, Lane::Telemetry));
    let mut flow = flow(1);
    let untrusted = Now { trusted: false, ..now(0) };
    assert_eq!(drain(&mut flow, &store, untrusted), [(Kind::Live, 2)]);
    assert!(flow.wake_at(Moment::default()).is_some());
    let departure = flow.next(&store, now(1000), true).unwrap().unwrap();
    assert_eq!(departure.block.seq, Seq(1));
    assert_eq!(departure.payload.as_ref(), b"stamped 1");
}

#[test]
fn blocks_without_wall_time_go_as_they_are_when_no_clock_comes() {
    let store = MemoryStore::default();
    store.put(Block { stamped: false, ..block(1, Lane::Urgent) });
    let mut flow = flow(1);
    let untrusted = |ms| Now { trusted: false, ..now(ms) };
    assert_eq!(drain(&mut flow, &store, untrusted(9_999)), []);
    let departure = flow.next(&store, untrusted(10_000), true).unwrap().unwrap();
    assert_eq!(departure.payload.as_ref(), b"block 1");
}

#[test]
fn a_block_of_an_earlier_boot_waits_from_the_begin_of_this_one_and_gets_what_is_known() {
    let store = MemoryStore::default();
    let created = Moment { boot_ms: 1_000_000 };
    let old =
        |seq| Block { stamped: false, this_boot: false, created, ..block(seq, Lane::Telemetry) };
    store.put(old(1));
    let mut flow = flow(2);
    let untrusted = |ms| Now { trusted: false, ..now(ms) };
    assert_eq!(drain(&mut flow, &store, untrusted(9_999)), []);
    let departure = flow.next(&store, untrusted(10_000), true).unwrap().unwrap();
    assert_eq!(departure.payload.as_ref(), b"stamped 1", "the bounds that are known by then");
    // In a later session the wait is over.
    store.put(old(2));
    let mut flow = Flow::new(Seq(3), 1 << 20, Duration::from_secs(10), Moment::default());
    assert_eq!(drain(&mut flow, &store, untrusted(20_000)), [(Kind::Late, 1), (Kind::Late, 2)]);
}

#[test]
fn a_held_block_that_was_evicted_is_skipped() {
    let store = MemoryStore::default();
    store.put(Block { stamped: false, ..block(1, Lane::Telemetry) });
    let mut flow = flow(1);
    assert_eq!(drain(&mut flow, &store, Now { trusted: false, ..now(0) }), []);
    store.evict(Lane::Telemetry, Seq(1));
    store.put(block(2, Lane::Telemetry));
    flow.poke();
    assert_eq!(drain(&mut flow, &store, now(0)), [(Kind::Live, 2)]);
}
