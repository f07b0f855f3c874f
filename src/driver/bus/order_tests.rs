//! Orders to meters: what goes over the line, what is told of it, what comes after.

use super::super::super::ask::Ask;
use super::super::super::rig::{self, MS, SECOND};
use super::super::*;
use super::meter_rig::{
    METER, Responder, asked_188, asked_645, electricity, meters, water_meter, with_line,
};
use super::meters::{control, probe, values};
use crate::driver::Act;
use crate::model::DeviceIndex;
use crate::protocol::cjt188::{self, DiOrder};
use crate::protocol::dlt645::{self, Edition};

#[tokio::test(start_paused = true)]
async fn a_valve_is_told_in_the_byte_order_that_its_meter_proved() {
    let mut inner = meters(true);
    let meter: Responder = Box::new(move |bytes| match asked_188(bytes) {
        // This one refuses the order that it does not know.
        Some(frame) if ![[0x1F, 0x90], [0x17, 0xA0]].contains(&[frame.data[0], frame.data[1]]) => {
            let status = cjt188::Status([0, 1]);
            Some((100 * MS, cjt188::answer_refused(&frame, status).to_bytes()))
        }
        Some(frame) if frame.control == 0x04 => {
            Some((100 * MS, cjt188::answer_done(&frame, DiOrder::LowFirst, None).to_bytes()))
        }
        _ => inner(bytes),
    });
    let mut device = water_meter();
    device.index = DeviceIndex(0);
    device.allow = vec![Act::ValveClose];
    with_line(
        |_| {},
        LessonBook::default(),
        vec![device],
        meter,
        async |bench| {
            let batches = bench.during(SECOND * 5).await;
            assert!(batches.iter().any(|b| values(b) == [Some(1234.56)]), "{batches:?}");
            let (order, outcome) = control(Act::ValveClose, Some("Li"));
            bench.orders.send(order).await.unwrap();
            let (_, outcome) = tokio::join!(bench.during(SECOND * 3), outcome);
            assert_eq!(outcome.unwrap(), Ok(()));
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_password_of_a_relay_is_neither_recorded_nor_in_debug_output() {
    let devices = vec![BusDevice { allow: vec![Act::RelayTrip], ..electricity() }];
    // A meter behind an adapter that hears itself.
    let mut inner = meters(true);
    let meter: Responder = Box::new(move |bytes| match asked_645(bytes) {
        Some(frame) if frame.control == 0x1C => {
            Some((100 * MS, [bytes, &dlt645::answer_done(&frame).to_bytes()].concat()))
        }
        _ => inner(bytes),
    });
    with_line(
        |_| {},
        LessonBook::default(),
        devices,
        meter,
        async |bench| {
            bench.during(SECOND * 3).await;
            let (order, outcome) = control(Act::RelayTrip, Some("Li"));
            assert!(!format!("{order:?}").contains("18, 52, 86"), "{order:?}");
            bench.orders.send(order).await.unwrap();
            let (_, outcome) = tokio::join!(bench.during(SECOND * 3), outcome);
            assert_eq!(outcome.unwrap(), Ok(()));
            let frames = bench.log.recent(crate::model::Moment::default());
            let password = [0x56 + 0x33, 0x34 + 0x33, 0x12 + 0x33];
            assert!(frames.len() > 4);
            assert!(!frames.iter().any(|f| f.bytes.windows(3).any(|three| three == password)));
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_meter_that_did_not_answer_a_probe_is_not_polled_into_its_late_answer() {
    let mut inner = meters(true);
    let meter: Responder = Box::new(move |bytes| match asked_645(bytes) {
        Some(frame) if frame.control == 0x13 => None,
        _ => inner(bytes),
    });
    with_line(
        |_| {},
        LessonBook::default(),
        vec![electricity()],
        meter,
        async |bench| {
            bench.during(SECOND * 5).await;
            let frame = dlt645::read_address_of(METER.parse().unwrap());
            let (order, heard) = probe(Ask::Dlt645 { edition: Edition::V2007, frame });
            bench.orders.send(order).await.unwrap();
            let heard = async {
                heard.await.unwrap();
                bench.seen.lock().unwrap().clear();
                Instant::now()
            };
            let since = heard.await;
            while bench.seen.lock().unwrap().is_empty() {
                tokio::time::sleep(10 * MS).await;
            }
            assert!(since.elapsed() >= 900 * MS, "{:?}", since.elapsed());
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn settings_that_the_port_refuses_cost_only_the_device_that_wants_them() {
    let serial = crate::driver::Transport::Serial { path: "/dev/fake".into() };
    let mut odd = rig::device(0, 1, &rig::holding(&[0]));
    odd.line.baud = 14_400;
    let devices = vec![odd, rig::device(1, 2, &rig::holding(&[0]))];
    rig::with_bus(serial, devices, async |bench| {
        let (batches, changes) = bench.during(SECOND * 60).await;
        let good = batches.iter().filter(|batch| batch.device == DeviceIndex(1)).count();
        assert!(good >= 58, "{good}: {changes:?}");
        let last = changes.iter().rev().find(|change| change.device == DeviceIndex(0)).unwrap();
        assert!(matches!(&last.cause, Some(crate::model::Cause::LineDown(_))), "{last:?}");
        assert_eq!(bench.counters().opens, 1);
    })
    .await;
}
