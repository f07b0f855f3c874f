//! Behaviour of a bus with DL/T 645 and CJ/T 188 meters, in paused time: faults first.

use tokio::sync::oneshot;

use super::super::super::ask::Ask;
use super::super::super::errands::{BusRequest, Control, ControlRefused, Heard, Probe, RelayKey};
use super::super::super::rig::{LINE, MS, SECOND};
use super::super::super::session::Answer;
use super::super::*;
use super::meter_rig::{
    Bench, METER, Responder, asked_188, asked_645, electricity, id_of, meters, water_meter,
    with_line,
};
use crate::driver::Act;
use crate::model::{Batch, DeviceIndex, Quality, Reason, Value};
use crate::protocol::dlt645::{self, DataId, Edition};

pub(super) fn values(batch: &Batch) -> Vec<Option<f64>> {
    batch.readings.iter().map(|r| r.value.as_ref().and_then(Value::number)).collect()
}

#[tokio::test(start_paused = true)]
async fn meters_of_both_protocols_share_a_line_and_find_their_byte_order() {
    let devices = vec![electricity(), water_meter()];
    with_line(
        |_| {},
        LessonBook::default(),
        devices,
        meters(true),
        async |bench| {
            let batches = bench.during(SECOND * 20).await;
            let electricity: Vec<_> = batches.iter().filter(|b| b.device.0 == 0).collect();
            assert!(electricity.len() >= 12, "{}", electricity.len());
            assert_eq!(values(electricity[0]), [Some(230.1), None, Some(230.3)]);
            assert_eq!(
                electricity[0].readings[1].quality,
                Quality::Bad(Reason::NotAvailable),
                "FFH: this meter has no phase B"
            );
            let water: Vec<_> = batches.iter().filter(|b| b.device.0 == 1).collect();
            assert!(water.iter().any(|b| values(b) == [Some(1234.56)]), "{water:?}");
            bench.requests();
            bench.during(SECOND * 5).await;
            let later = bench.requests();
            assert!(
                later.iter().filter_map(|b| asked_188(b)).all(|f| f.data[..2] == [0x1F, 0x90]),
                "the order that was answered is kept"
            );
            let units = bench.table.all()[0].units.clone();
            assert_eq!(units[0].address, METER);
            let time = units[1].answer_time.unwrap();
            assert!((195 * MS..230 * MS).contains(&time), "{time:?}");
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_block_that_a_meter_refuses_is_read_item_by_item_and_that_is_remembered() {
    let book = LessonBook::default();
    let first = book.clone();
    with_line(
        |_| {},
        first,
        vec![electricity()],
        meters(false),
        async |bench| {
            let batches = bench.during(SECOND * 10).await;
            let all: Vec<_> = batches.iter().flat_map(values).collect();
            for wanted in [230.1, 230.2, 230.3] {
                assert!(all.contains(&Some(wanted)), "{all:?}");
            }
            assert!(batches.iter().all(|b| b.readings.iter().all(|r| r.quality.is_good())));
            let asked: Vec<_> =
                bench.requests().iter().filter_map(|b| asked_645(b)).map(|f| id_of(&f).0).collect();
            // The second time confirms that it was not the hour.
            assert_eq!(asked.iter().filter(|&&id| id == 0x0201_FF00).count(), 2, "{asked:X?}");
        },
    )
    .await;
    // Another start with what was learned: the block is not asked for at all.
    with_line(
        |_| {},
        book,
        vec![electricity()],
        meters(false),
        async |bench| {
            bench.during(SECOND * 10).await;
            let asked: Vec<_> =
                bench.requests().iter().filter_map(|b| asked_645(b)).map(|f| id_of(&f).0).collect();
            assert!(asked.len() > 10 && !asked.contains(&0x0201_FF00), "{asked:X?}");
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_value_in_several_frames_is_put_together() {
    let meter: Responder = Box::new(|bytes| {
        let frame = asked_645(bytes)?;
        let id = DataId(0x0201_FF00);
        let answer = match frame.control {
            0x11 => dlt645::answer_data(&frame, id, &[0x01, 0x23], true, None),
            _ => {
                let seq = *frame.data.last()?;
                let part = [0x01 + seq, 0x23];
                dlt645::answer_data(&frame, id, &part, seq < 2, Some(seq))
            }
        };
        Some((50 * MS, answer.to_bytes()))
    });
    with_line(
        |_| {},
        LessonBook::default(),
        vec![electricity()],
        meter,
        async |bench| {
            assert_eq!(values(&bench.batch().await), [Some(230.1), Some(230.2), Some(230.3)]);
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn damaged_and_foreign_answers_are_no_readings_and_an_echo_is_harmless() {
    type Spoil = fn(Vec<u8>, &[u8]) -> Vec<u8>;
    let cases: [(&str, Spoil, bool); 4] = [
        (
            "wrong sum",
            |mut a, _| {
                let n = a.len() - 2;
                a[n] ^= 1;
                a
            },
            false,
        ),
        (
            "half",
            |mut a, _| {
                a.truncate(9);
                a
            },
            false,
        ),
        (
            "another meter",
            |mut a, _| {
                a[1] ^= 1;
                let n = a.len() - 2;
                a[n] ^= 1;
                a
            },
            false,
        ),
        ("echo", |a, request| [request, &a].concat(), true),
    ];
    for (name, spoil, good) in cases {
        let mut inner = meters(true);
        let meter: Responder = Box::new(move |bytes| {
            let (after, answer) = inner(bytes)?;
            Some((after, spoil(answer, bytes)))
        });
        with_line(
            |_| {},
            LessonBook::default(),
            vec![electricity()],
            meter,
            async |bench| {
                let batches = bench.during(SECOND * 12).await;
                let any = batches.iter().any(|b| b.readings.iter().any(|r| r.value.is_some()));
                assert_eq!(any, good, "{name}: {batches:?}");
                let counters = bench.table.all()[0].counters.clone();
                assert_eq!(counters.damaged > 0, !good, "{name}: {counters:?}");
                assert_eq!(counters.timeouts, 0, "{name}");
            },
        )
        .await;
    }
}

pub(super) fn probe(ask: Ask) -> (BusRequest, oneshot::Receiver<Heard>) {
    let (reply, heard) = oneshot::channel();
    (
        BusRequest::Probe(Probe {
            line: LINE,
            ask,
            patience: SECOND,
            listen: Duration::ZERO,
            reply,
        }),
        heard,
    )
}

#[tokio::test(start_paused = true)]
async fn a_probe_is_fitted_between_the_polls() {
    with_line(
        |_| {},
        LessonBook::default(),
        vec![electricity()],
        meters(true),
        async |bench| {
            bench.during(SECOND * 5).await;
            let frame = dlt645::read(Edition::V2007, METER.parse().unwrap(), DataId(0x0201_0200));
            let (order, heard) = probe(Ask::Dlt645 { edition: Edition::V2007, frame });
            bench.orders.send(order).await.unwrap();
            let (batches, heard) = tokio::join!(bench.during(SECOND * 5), heard);
            assert!(matches!(heard.unwrap().outcome, Ok(Answer::Dlt645 { .. })));
            assert!(batches.len() >= 4, "the polls go on: {}", batches.len());
            let frame = dlt645::read(Edition::V2007, "000000000001".parse().unwrap(), DataId(1));
            let (order, heard) = probe(Ask::Tell { bytes: frame.to_bytes() });
            bench.orders.send(order).await.unwrap();
            let (_, heard) = tokio::join!(bench.during(SECOND * 5), heard);
            assert_eq!(heard.unwrap().outcome, Ok(Answer::Told));
        },
    )
    .await;
}

pub(super) fn control(
    act: Act,
    by: Option<&str>,
) -> (BusRequest, oneshot::Receiver<Result<(), ControlRefused>>) {
    let (reply, outcome) = oneshot::channel();
    let key = RelayKey { level: 2, password: [0x12, 0x34, 0x56], operator: [0, 0, 0, 1] };
    let order = Control {
        device: DeviceIndex(0),
        act,
        authorised_by: by.map(str::to_owned),
        expires: Instant::now() + SECOND * 30,
        key: Some(key),
        reply,
    };
    (BusRequest::Control(order), outcome)
}

#[tokio::test(start_paused = true)]
async fn a_relay_is_switched_only_where_the_configuration_and_somebody_entitled_say_so() {
    let (trip, close) = (Act::RelayTrip, Act::RelayClose);
    let not_allowed = Err(ControlRefused::NotAllowed { device: "meter-0".into() });
    let cases = [
        (vec![], trip, Some("Li"), not_allowed.clone()),
        (vec![close], trip, Some("Li"), not_allowed),
        (vec![trip], trip, None, Err(ControlRefused::NotAuthorised)),
        (vec![Act::ValveOpen], Act::ValveOpen, Some("Li"), Err(ControlRefused::WrongKind)),
        (vec![trip], trip, Some("Li"), Ok(())),
    ];
    for (allow, act, by, expected) in cases {
        let mut inner = meters(true);
        let meter: Responder = Box::new(move |bytes| match asked_645(bytes) {
            Some(frame) if frame.control == 0x1C => {
                Some((100 * MS, dlt645::answer_done(&frame).to_bytes()))
            }
            _ => inner(bytes),
        });
        let devices = vec![BusDevice { allow, ..electricity() }];
        with_line(
            |_| {},
            LessonBook::default(),
            devices,
            meter,
            async |bench| {
                bench.during(SECOND * 3).await;
                bench.requests();
                let (order, outcome) = control(act, by);
                bench.orders.send(order).await.unwrap();
                let (_, outcome) = tokio::join!(bench.during(SECOND * 3), outcome);
                assert_eq!(outcome.unwrap(), expected, "{act:?} by {by:?}");
                let sent =
                    bench.requests().iter().filter_map(|b| asked_645(b)).any(|f| f.control == 0x1C);
                assert_eq!(sent, expected.is_ok(), "nothing goes to the line unless it is allowed");
            },
        )
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_to_a_dead_meter_is_refused_at_once_and_not_kept() {
    let devices = vec![BusDevice { allow: vec![Act::RelayTrip], ..electricity() }];
    with_line(
        |_| {},
        LessonBook::default(),
        devices,
        Box::new(|_| None),
        async |bench| {
            bench.during(SECOND * 30).await;
            let (order, outcome) = control(Act::RelayTrip, Some("Li"));
            bench.orders.send(order).await.unwrap();
            let (_, outcome) = tokio::join!(bench.during(SECOND * 10), outcome);
            assert_eq!(outcome.unwrap(), Err(ControlRefused::NotReachable));
            assert!(
                bench.requests().iter().all(|b| asked_645(b).is_none_or(|f| f.control != 0x1C))
            );
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn clocks_are_set_only_when_configured_and_away_from_full_hours() {
    let told = |bench: &Bench| -> Vec<dlt645::Frame> {
        let requests = bench.requests();
        requests.iter().filter_map(|b| asked_645(b)).filter(|f| f.control == 0x08).collect()
    };
    let devices = || vec![electricity(), water_meter()];
    with_line(
        |_| {},
        LessonBook::default(),
        devices(),
        meters(true),
        async |bench| {
            bench.during(SECOND * 4000).await;
            assert_eq!(told(bench), [], "not configured");
        },
    )
    .await;
    let sync = |config: &mut BusConfig| config.time_sync = Some(SECOND * 3600);
    with_line(sync, LessonBook::default(), devices(), meters(true), async |bench| {
        bench.during(SECOND * 2 * 3600).await;
        let frames = told(bench);
        // The wall clock of this machine decides about the first; then once an hour.
        assert!((1..=3).contains(&frames.len()), "{frames:?}");
        for frame in &frames {
            assert_eq!(frame.address, dlt645::Address::BROADCAST);
            let minute = (frame.data[1] >> 4) * 10 + (frame.data[1] & 0xF);
            assert!((5..55).contains(&minute), "minute {minute}");
        }
        let counters = bench.table.all()[0].counters.clone();
        assert_eq!(
            counters.timeouts, 1,
            "nobody waits for an answer; one is the water meter's order"
        );
    })
    .await;
}
