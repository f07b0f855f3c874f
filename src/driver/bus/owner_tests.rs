//! Behaviour of a bus against a fake line in paused time: faults first.

#[path = "compare_tests.rs"]
mod clocks;
#[path = "meter_rig.rs"]
mod meter_rig;
#[path = "meter_tests.rs"]
mod meters;
#[path = "order_tests.rs"]
mod orders;
#[path = "split_tests.rs"]
mod split_tests;
#[path = "owner_tcp_tests.rs"]
mod tcp_server;
#[path = "write_tests.rs"]
mod writes;

use super::super::fake::Mode;
use super::super::rig;
use super::super::unit::BusDevice;
use super::*;
use crate::driver::{Parity, Transport};
use crate::model::{Batch, BusId, Cause, DeviceIndex, Health, PointIndex, Reason, Value};
use crate::profile::{Limits, Table};
use rig::{MS, SECOND, all_bad, bus_table, device, holding, numbers, profile, rtu, tcp, with_bus};

#[tokio::test(start_paused = true)]
async fn a_device_is_read_at_once_and_then_each_period() {
    for transport in [tcp(), rtu()] {
        let places = [(Table::Holding, 3, None), (Table::Holding, 5, None), (Table::Coil, 0, None)];
        let profile = profile(&places, Limits::default());
        with_bus(transport, vec![device(0, 7, &profile)], async |bench| {
            let begun = Instant::now();
            let change = bench.health().await;
            assert_eq!((change.health, change.cause), (Health::Online, None));
            let (batches, changes) = bench.during(SECOND * 10).await;
            assert!(changes.is_empty());
            assert!((20..=23).contains(&batches.len()), "{}", batches.len());
            assert!(batches.iter().all(|batch| batch.readings.capacity() == batch.readings.len()));
            assert!(batches.iter().any(|batch| numbers(batch) == [3.0, 5.0]));
            let flag = |batch: &Batch| batch.readings[0].value == Some(Value::Flag(true));
            assert!(batches.iter().any(flag));
            assert!(begun.elapsed() >= SECOND * 10);
            let counters = bench.counters();
            assert_eq!(counters.answers, counters.requests);
            assert_eq!((counters.missed, counters.timeouts, counters.opens), (0, 0, 1));
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_device_is_told_once_takes_a_twentieth_and_leaves_the_others_their_period() {
    let profile = holding(&[0, 100]);
    let devices = (0..5).map(|n| device(n, n as u8 + 1, &profile)).collect();
    with_bus(tcp(), devices, async |bench| {
        bench.mode(3, Mode::Silent);
        let hour = SECOND * 3600;
        let (batches, changes) = bench.during(hour).await;
        let of_dead: Vec<_> = changes.iter().filter(|c| c.device.0 == 2).collect();
        assert_eq!(of_dead.len(), 2, "suspect, offline: {of_dead:?}");
        assert_eq!(of_dead[1].cause, Some(Cause::NoAnswer));
        let bad: Vec<_> = batches.iter().filter(|b| b.device.0 == 2).collect();
        assert_eq!(bad.len(), 1);
        assert!(bad[0].readings.len() == 2 && all_bad(bad[0], Reason::NoAnswer));
        let counters = bench.counters();
        assert!(counters.probing <= hour / 20, "{:?}", counters.probing);
        let good = batches.iter().filter(|b| b.device.0 == 0).count();
        // Each probe of a second lets one tick pass.
        assert!(good >= 2 * 3600 * 94 / 100, "{good}");
        assert_eq!(counters.opens, 1, "one silent unit is no reason to reconnect");
        bench.mode(3, Mode::Answers);
        let back = bench.health().await;
        assert_eq!((back.device.0, back.health), (2, Health::Online));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_late_reply_is_never_taken_for_the_current_one() {
    for transport in [tcp(), rtu()] {
        let profile = holding(&[0, 100, 200]);
        with_bus(transport, vec![device(0, 1, &profile), device(1, 2, &profile)], async |bench| {
            bench.during(SECOND * 3).await;
            bench.mode(1, Mode::Late(SECOND + 300 * MS));
            let (late, _) = bench.during(SECOND * 2).await;
            bench.mode(1, Mode::Answers);
            let (after, _) = bench.during(SECOND * 60).await;
            for batch in late.iter().chain(&after) {
                for (reading, number) in batch.readings.iter().zip(numbers(batch)) {
                    assert_eq!(number, f64::from(reading.point.0) * 100.0, "{batch:?}");
                }
            }
            assert!(after.iter().filter(|batch| batch.device.0 == 0).count() > 100);
            let counters = bench.counters();
            assert!(counters.timeouts > 0);
            assert_eq!((counters.damaged, counters.opens), (0, 1));
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn over_a_slow_link_an_answer_that_comes_after_all_patience_costs_others_nothing() {
    // Two seconds and more: the guard time after the lost answer is over.
    let profile = holding(&[0]);
    let devices = vec![device(0, 1, &profile), device(1, 2, &profile)];
    with_bus(rtu(), devices, async |bench| {
        bench.state.lock().unwrap().delay = 800 * MS;
        bench.mode(2, Mode::Late(1500 * MS));
        bench.during(SECOND * 60).await;
        let units = bench.table.all()[0].units.clone();
        assert_eq!((units[0].damaged, units[0].timeouts), (0, 0), "{units:?}");
        assert!(units[0].answers > 35, "{units:?}");
        assert!(units[1].timeouts > 0, "{units:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_link_slower_than_all_patience_shifts_no_answer_to_another_question() {
    for late in [2300u32, 2700, 3400] {
        let devices = vec![device(0, 1, &holding(&[0, 100, 200]))];
        rig::with_bus_in(Mode::Late(MS * late), rtu(), devices, async |bench| {
            let (slow, _) = bench.during(SECOND * 60).await;
            bench.mode(1, Mode::Answers);
            let (after, _) = bench.during(SECOND * 60).await;
            let readings = slow.iter().chain(&after).flat_map(|batch| &batch.readings);
            for reading in readings.filter(|reading| reading.value.is_some()) {
                let number = reading.value.as_ref().and_then(Value::number);
                assert_eq!(number, Some(f64::from(reading.point.0) * 100.0), "{late} ms");
            }
            assert!(after.len() > 120, "{late} ms: {}", after.len());
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn short_damaged_and_foreign_replies_never_become_data() {
    for transport in [tcp(), rtu()] {
        for mode in [Mode::Short, Mode::Damaged, Mode::WrongUnit] {
            let profile = holding(&[0, 1]);
            with_bus(transport.clone(), vec![device(0, 1, &profile)], async |bench| {
                bench.mode(1, mode);
                let (batches, changes) = bench.during(SECOND * 20).await;
                // The first request may have gone out before the switch was set.
                let mut after = batches.iter().skip_while(|b| b.readings[0].quality.is_good());
                assert!(after.all(|b| all_bad(b, Reason::BadReply)), "{batches:?}");
                assert!(batches.len() <= 2);
                let last = changes.last().expect("the device was judged");
                assert_eq!(last.health, Health::Offline);
                assert_eq!(last.cause, Some(Cause::DamagedReplies), "{mode:?}");
                assert!(bench.counters().damaged >= 3, "{:?}", bench.counters());
                bench.mode(1, Mode::Answers);
                assert_eq!(bench.health().await.health, Health::Online);
            })
            .await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn noise_before_a_reply_costs_nothing() {
    with_bus(rtu(), vec![device(0, 1, &holding(&[0, 1]))], async |bench| {
        bench.mode(1, Mode::Noise);
        let (batches, _) = bench.during(SECOND * 10).await;
        assert!(batches.len() >= 10 && batches.iter().all(|b| numbers(b) == [0.0, 1.0]));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_exception_marks_its_points_and_keeps_device_and_connection() {
    with_bus(tcp(), vec![device(0, 1, &holding(&[0, 100]))], async |bench| {
        bench.mode(1, Mode::Refuses(100));
        let (batches, changes) = bench.during(SECOND * 10).await;
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].health, Health::Online);
        let refused: Vec<_> = batches.iter().filter(|b| b.readings[0].point.0 == 1).collect();
        // Twice at once, then it is known and asked rarely.
        assert!(refused.len() >= 2 && refused.iter().all(|b| all_bad(b, Reason::Refused)));
        assert!(batches.iter().filter(|b| numbers(b) == [0.0]).count() > 8);

        bench.mode(1, Mode::Exception(4));
        let change = bench.health().await;
        assert_eq!((change.health, change.cause), (Health::Suspect, Some(Cause::Refuses(4))));
        bench.mode(1, Mode::Answers);
        assert_eq!(bench.health().await.health, Health::Online);
        assert_eq!(bench.counters().opens, 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_busy_device_is_asked_again_and_a_gateway_without_its_unit_is_no_answer() {
    with_bus(tcp(), vec![device(0, 1, &holding(&[0]))], async |bench| {
        bench.during(MS * 2500).await;
        bench.mode(1, Mode::Exception(6));
        let (batches, changes) = bench.during(MS * 1400).await;
        assert!(batches.is_empty() && changes.is_empty(), "{batches:?} {changes:?}");
        bench.mode(1, Mode::Answers);
        assert_eq!(numbers(&bench.batch().await), [0.0]);
        bench.mode(1, Mode::Exception(0x0b));
        bench.health().await;
        let change = bench.health().await;
        assert_eq!((change.health, change.cause), (Health::Offline, Some(Cause::NoAnswer)));
        assert_eq!(bench.counters().opens, 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_cut_line_is_opened_anew_at_once_and_one_that_stays_down_is_told_of_all_devices() {
    let profile = holding(&[0]);
    with_bus(tcp(), vec![device(0, 1, &profile), device(1, 2, &profile)], async |bench| {
        bench.during(SECOND * 3).await;
        bench.mode(1, Mode::Cuts);
        let change = bench.health().await;
        assert!(matches!(change.cause, Some(Cause::LineDown(_))), "{change:?}");
        bench.mode(1, Mode::Answers);
        let begun = Instant::now();
        let batch = bench.batch().await;
        assert!(batch.device.0 == 1 && batch.readings[0].quality.is_good());
        assert!(begun.elapsed() < SECOND, "at its next tick: {:?}", begun.elapsed());
        bench.during(SECOND * 5).await;

        bench.state.lock().unwrap().closed = true;
        bench.mode(2, Mode::Cuts);
        let (batches, changes) = bench.during(SECOND * 300).await;
        let offline = changes.iter().filter(|c| c.health == Health::Offline);
        assert!(offline.clone().all(|c| matches!(c.cause, Some(Cause::LineDown(_)))));
        assert_eq!(offline.count(), 2, "{changes:?}");
        assert_eq!(batches.iter().filter(|b| all_bad(b, Reason::DeviceOffline)).count(), 2);
        let row = &bench.table.all()[0];
        assert!(
            !row.open && row.fault.as_ref().is_some_and(|fault| fault.en == "connection refused"),
            "{row:?}"
        );
        let tries = bench.state.lock().unwrap().opens;
        assert!(tries < 20, "back-off: {tries} attempts in five minutes");
        bench.state.lock().unwrap().closed = false;
        bench.state.lock().unwrap().modes.clear();
        let (_, changes) = bench.during(SECOND * 70).await;
        assert_eq!(changes.iter().filter(|c| c.health == Health::Online).count(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_closes_after_each_answer_is_read_at_the_period_and_blames_nobody() {
    for transport in [tcp(), rtu()] {
        let profile = holding(&[0, 100, 200]);
        let devices = vec![device(0, 1, &profile), device(1, 2, &profile)];
        with_bus(transport, devices, async |bench| {
            bench.state.lock().unwrap().closes = true;
            let (batches, changes) = bench.during(SECOND * 60).await;
            assert_eq!(changes.len(), 2, "{changes:?}");
            assert!(changes.iter().all(|change| change.health == Health::Online));
            assert!((355..=375).contains(&batches.len()), "{}", batches.len());
            let opens = bench.state.lock().unwrap().opens;
            assert!(opens <= batches.len() + 5, "{opens}");
            assert_eq!(bench.counters().missed, 0);
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_unit_whose_request_cuts_the_line_does_not_take_the_others_with_it() {
    let profile = holding(&[0]);
    let devices = (0..3).map(|n| device(n, n as u8 + 1, &profile)).collect();
    with_bus(tcp(), devices, async |bench| {
        bench.mode(1, Mode::Cuts);
        let (batches, _) = bench.during(SECOND * 120).await;
        for healthy in [1, 2] {
            let good = batches.iter().filter(|b| b.device.0 == healthy && !numbers(b).is_empty());
            let good = good.count();
            assert!(good >= 110, "{good}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_on_which_everybody_fell_silent_is_opened_anew_once() {
    let profile = holding(&[0]);
    with_bus(tcp(), vec![device(0, 1, &profile), device(1, 2, &profile)], async |bench| {
        bench.during(SECOND * 3).await;
        bench.mode(1, Mode::Silent);
        bench.mode(2, Mode::Silent);
        bench.during(SECOND * 200).await;
        assert_eq!(bench.state.lock().unwrap().opens, 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_full_pipeline_makes_the_bus_wait_and_what_it_misses_is_counted() {
    with_bus(tcp(), vec![device(0, 1, &holding(&[0]))], async |bench| {
        tokio::time::sleep(SECOND * 100).await;
        let requests = bench.counters().requests;
        assert!(requests <= 18, "the channel holds 16: {requests}");
        bench.during(SECOND * 3).await;
        let missed = bench.counters().missed;
        assert!((80..=86).contains(&missed), "{missed}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_re_read_is_done_at_once() {
    let places = [(Table::Holding, 0, Some(SECOND * 60)), (Table::Holding, 100, None)];
    let profile = profile(&places, Limits::default());
    with_bus(tcp(), vec![device(4, 1, &profile)], async |bench| {
        bench.during(SECOND * 2 + 500 * MS).await;
        let points = vec![PointIndex(0)];
        let request = FieldRequest::ReadAgain { device: DeviceIndex(4), points };
        bench.requests.send(request).await.unwrap();
        let begun = Instant::now();
        let batch = bench.batch().await;
        assert_eq!((batch.device.0, batch.readings[0].point.0), (4, 0));
        assert!(begun.elapsed() <= 12 * MS, "{:?}", begun.elapsed());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_model_that_wants_pauses_gets_them_and_one_that_does_not_keeps_the_bus_busy() {
    let limits = Limits {
        pause: 100 * MS,
        pause_on_switch: 200 * MS,
        one_by_one: true,
        ..Limits::default()
    };
    let places: Vec<_> = (0..2).map(|at| (Table::Holding, at, None)).collect();
    let profile = profile(&places, limits);
    with_bus(rtu(), vec![device(0, 1, &profile), device(1, 2, &profile)], async |bench| {
        bench.during(SECOND * 10).await;
        let seen = bench.state.lock().unwrap().seen.clone();
        for pair in seen.windows(2) {
            let least = if pair[0].1 == pair[1].1 { 110 * MS } else { 210 * MS };
            assert!(pair[1].0 - pair[0].0 >= least, "{pair:?}");
        }
    })
    .await;
    let quick = holding(&[0, 100, 200, 300]);
    let devices = (0..40).map(|n| device(n, n as u8 + 1, &quick)).collect();
    with_bus(tcp(), devices, async |bench| {
        bench.during(SECOND * 60).await;
        let counters = bench.counters();
        assert!(counters.busy >= SECOND * 57, "{counters:?}");
        assert!(bench.table.all()[0].load >= 0.95);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_serial_line_keeps_its_silence_and_still_uses_its_time() {
    let path = "/dev/ttyS9".to_owned();
    let serial = Transport::Serial { path };
    let line = LineSettings { baud: 9600, parity: Parity::None, stop_bits: 1 };
    let holding = holding(&[0, 100, 200]);
    let devices = (0..40).map(|n| BusDevice { line, ..device(n, n as u8 + 1, &holding) }).collect();
    with_bus(serial, devices, async |bench| {
        bench.state.lock().unwrap().delay = 50 * MS;
        bench.during(SECOND * 30).await;
        let seen = bench.state.lock().unwrap().seen.clone();
        let gaps: Vec<_> = seen.windows(2).skip(1).map(|p| p[1].0 - p[0].0 - 50 * MS).collect();
        assert!(gaps.iter().all(|gap| *gap >= Duration::from_micros(4010)), "{gaps:?}");
        let mean = gaps.iter().sum::<Duration>() / u32::try_from(gaps.len()).unwrap();
        assert!(mean <= 7 * MS, "{mean:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_bus_ends_when_stopped_and_when_nobody_listens() {
    for stopped in [true, false] {
        let (out, messages) = mpsc::channel(4);
        let (_requests, asked) = mpsc::channel(4);
        let (_orders, ordered) = mpsc::channel(4);
        let config = BusConfig::new(BusId::new("line-1").unwrap(), tcp());
        let ports = rig::ports(&bus_table(), out, asked, ordered, LessonBook::default());
        let mut bus = Bus::new(config, Vec::new(), ports);
        bus.open = Box::new(|| Box::pin(async { Err(("no", "否").into()) }));
        let stop = CancellationToken::new();
        let end = async {
            tokio::time::sleep(SECOND * 5).await;
            if stopped { stop.cancel() } else { drop(messages) }
        };
        tokio::join!(bus.run(stop.clone()), end);
    }
}
