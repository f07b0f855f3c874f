//! Behaviour of a bus whose devices do not bear the reads that were planned.

use super::super::super::rig::{with_bus_in, with_bus_of};
use super::*;
use crate::store::{Limits, Store};

/// The last readings of each point that `batches` speak of, `None` for one without a value.
fn last(batches: &[Batch]) -> Vec<(u16, Option<f64>)> {
    let mut last = std::collections::BTreeMap::new();
    for reading in batches.iter().flat_map(|batch| &batch.readings) {
        last.insert(reading.point.0, reading.value.as_ref().and_then(Value::number));
    }
    last.into_iter().collect()
}

fn quantities(bench: &super::rig::Bench, skip: usize) -> Vec<(u16, u16)> {
    bench.state.lock().unwrap().seen[skip..].iter().map(|seen| (seen.2, seen.3)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_hole_that_the_device_refuses_costs_no_point_its_value() {
    for transport in [tcp(), rtu()] {
        let devices = vec![device(0, 1, &holding(&[0, 1, 4, 5]))];
        with_bus_in(Mode::Lacks(3), transport, devices, async |bench| {
            let (batches, changes) = bench.during(SECOND * 10).await;
            let bad = batches.iter().filter(|b| !all_good(b)).count();
            assert_eq!(bad, 0, "{batches:?}");
            let values = [0, 1, 4, 5].map(|at| Some(f64::from(at)));
            assert_eq!(last(&batches), (0..).zip(values).collect::<Vec<_>>());
            assert_eq!(changes.len(), 1, "{changes:?}");
            assert_eq!(changes[0].health, Health::Online);
            assert_eq!(bench.counters().exceptions, 2, "the whole is tried once more, to be sure");
        })
        .await;
    }
}

fn all_good(batch: &Batch) -> bool {
    batch.readings.iter().all(|reading| reading.value.is_some())
}

#[tokio::test(start_paused = true)]
async fn an_illegal_address_stands_alone_and_is_asked_rarely() {
    let devices = vec![device(0, 1, &holding(&[0, 1, 2, 3, 4, 5, 6, 7]))];
    with_bus_in(Mode::Lacks(5), tcp(), devices, async |bench| {
        let (batches, changes) = bench.during(SECOND * 300).await;
        let mut values: Vec<_> = (0..8u16).map(|at| (at, Some(f64::from(at)))).collect();
        values[5].1 = None;
        assert_eq!(last(&batches), values);
        assert_eq!(changes.len(), 1, "online all the time: {changes:?}");
        let exceptions = bench.counters().exceptions;
        assert!((6..=11).contains(&exceptions), "{exceptions}");
        // A device that knows the address after all, e.g. after a restart: planned anew.
        bench.mode(1, Mode::Answers);
        bench.during(SECOND * 70).await;
        let skip = bench.state.lock().unwrap().seen.len();
        let (batches, _) = bench.during(SECOND * 5).await;
        assert!(batches.iter().all(|batch| batch.readings.len() == 8 && all_good(batch)));
        assert!(quantities(bench, skip).iter().all(|read| *read == (0, 8)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_read_that_is_too_long_is_halved_until_the_device_bears_it() {
    let addresses: Vec<u16> = (0..20).collect();
    with_bus_in(Mode::AtMost(5), tcp(), vec![device(0, 1, &holding(&addresses))], async |bench| {
        let (batches, _) = bench.during(SECOND * 5).await;
        assert!(batches.iter().all(all_good));
        assert_eq!(last(&batches).len(), 20);
        assert_eq!(bench.counters().exceptions, 4, "three halvings, and the whole once more");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_device_that_refuses_everything_is_never_called_online() {
    with_bus_in(
        Mode::Exception(2),
        tcp(),
        vec![device(0, 1, &holding(&[0, 1, 2, 100]))],
        async |bench| {
            let (_, changes) = bench.during(SECOND * 20).await;
            assert_eq!(changes.len(), 1, "{changes:?}");
            assert_eq!(changes[0].cause, Some(Cause::Refuses(2)));
            bench.mode(1, Mode::Answers);
            let (batches, changes) = bench.during(SECOND * 70).await;
            assert_eq!(changes.last().map(|change| change.health), Some(Health::Online));
            assert!(last(&batches).iter().all(|(_, value)| value.is_some()));
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_gave_data_once_is_cut_only_after_three_refusals() {
    with_bus(tcp(), vec![device(0, 1, &holding(&[0, 1]))], async |bench| {
        bench.during(SECOND * 3).await;
        bench.mode(1, Mode::Exception(2));
        bench.during(1500 * MS).await;
        bench.mode(1, Mode::Answers);
        let skip = bench.state.lock().unwrap().seen.len();
        bench.during(SECOND * 5).await;
        assert!(quantities(bench, skip).iter().all(|read| *read == (0, 2)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_a_model_refuses_is_learned_once_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |bench: &super::rig::Bench| bench.counters().exceptions;
    let mut requests = Vec::new();
    for start in 0..2 {
        // The daemon's store, opened anew each time.
        let store = Store::open(&folder.path().join("store"), Limits::default()).unwrap();
        let book = LessonBook::load(store.tree("lessons")).unwrap();
        let profile = holding(&[0, 1, 4, 5, 20, 21]);
        let devices = vec![device(0, 1, &profile), device(1, 2, &profile)];
        with_bus_of(book, Mode::Lacks(3), rtu(), devices, async |bench| {
            bench.mode(2, Mode::Lacks(3));
            let (batches, _) = bench.during(SECOND * 30).await;
            assert!(batches.iter().all(all_good), "{batches:?}");
            let expected = if start == 0 { 2..=4 } else { 0..=0 };
            assert!(expected.contains(&refused(bench)), "start {start}: {}", refused(bench));
            requests.push(quantities(bench, 0));
        })
        .await;
        store.commit().unwrap();
    }
    // Before: the whole, its parts, then the plan. After: the plan from the first request on.
    let whole = |read: &&(u16, u16)| **read == (0, 6);
    assert!(requests[0].iter().filter(whole).count() >= 1);
    assert_eq!(requests[1].iter().filter(whole).count(), 0);
    let planned = [(0, 2), (4, 2), (20, 2)];
    assert!(requests[1].iter().all(|read| planned.contains(read)), "{:?}", requests[1]);
}

#[tokio::test(start_paused = true)]
async fn an_illegal_point_of_a_one_by_one_model_is_asked_rarely() {
    let places: Vec<_> = (0..4).map(|at| (Table::Holding, at, None)).collect();
    let limits = crate::profile::Limits { one_by_one: true, ..Default::default() };
    let devices = vec![device(0, 1, &profile(&places, limits))];
    with_bus_in(Mode::Lacks(2), tcp(), devices, async |bench| {
        let (batches, _) = bench.during(SECOND * 120).await;
        let values = [(0, Some(0.0)), (1, Some(1.0)), (2, None), (3, Some(3.0))];
        assert_eq!(last(&batches), values);
        let exceptions = bench.counters().exceptions;
        assert!((2..=4).contains(&exceptions), "{exceptions}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_point_is_not_taken_for_one_that_was_refused() {
    let slow = Some(SECOND * 60);
    let places = [(Table::Holding, 0, None), (Table::Holding, 100, slow)];
    let devices = vec![device(0, 1, &profile(&places, crate::profile::Limits::default()))];
    with_bus(tcp(), devices, async |bench| {
        bench.during(SECOND * 300).await;
        let seen = quantities(bench, 0);
        let of_slow = seen.iter().filter(|read| **read == (100, 1)).count();
        assert!((5..=6).contains(&of_slow), "{of_slow}");
        // Nothing is planned anew, so every second has its read and no more.
        assert!((300..=302).contains(&(seen.len() - of_slow)), "{}", seen.len());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_device_that_refused_everything_while_it_started_is_read_whole_again() {
    let devices = vec![device(0, 1, &holding(&[0, 1, 2, 3, 4, 5]))];
    with_bus_in(Mode::Exception(2), tcp(), devices, async |bench| {
        bench.during(SECOND * 30).await;
        bench.mode(1, Mode::Answers);
        bench.during(SECOND * 70).await;
        let skip = bench.state.lock().unwrap().seen.len();
        bench.during(SECOND * 5).await;
        let seen = quantities(bench, skip);
        assert!(seen.iter().all(|read| *read == (0, 6)), "{seen:?}");
    })
    .await;
}
