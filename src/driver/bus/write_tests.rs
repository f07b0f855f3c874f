//! Writes by order, between the polls: once, and never behind a device that does not answer.

use tokio::sync::oneshot;

use super::super::super::errands::ControlRefused;
use super::super::super::fake::Mode;
use super::super::super::rig::{Bench, MS, SECOND, device, holding, rtu, tcp, with_bus};
use super::super::super::unit::BusDevice;
use super::super::super::writes::RegisterWrite;
use super::super::*;
use crate::model::{DeviceIndex, Health, PointIndex};
use crate::profile::Table;

type Outcome = Result<(), ControlRefused>;

/// Two devices that are read every minute, so that a read in between was asked for.
fn devices() -> Vec<BusDevice> {
    let profile = holding(&[3]);
    let slow = |device| BusDevice { period: 60 * SECOND, ..device };
    vec![slow(device(0, 1, &profile)), slow(device(1, 2, &profile))]
}

async fn write(bench: &mut Bench, expires: Instant) -> Outcome {
    let (reply, answer) = oneshot::channel();
    let write = RegisterWrite {
        device: DeviceIndex(0),
        table: Table::Holding,
        address: 700,
        words: vec![16],
        multiple: false,
        by: "wang".into(),
        expires,
        read_back: Some(PointIndex(0)),
        reply,
    };
    bench.orders.send(BusRequest::Write(write)).await.unwrap();
    let (outcome, _) = tokio::join!(answer, bench.during(5 * SECOND));
    outcome.unwrap()
}

fn soon() -> Instant {
    Instant::now() + 30 * SECOND
}

/// How often it was written, and how often the point was read since the last call.
fn seen(bench: &Bench) -> (usize, usize) {
    let mut state = bench.state.lock().unwrap();
    let of = |address: u16| {
        let asked = |seen: &&(Instant, u8, u16, u16)| seen.1 == 1 && seen.2 == address;
        state.seen.iter().filter(asked).count()
    };
    let counts = (of(700), of(3));
    state.seen.clear();
    counts
}

async fn online(bench: &mut Bench) {
    for _ in 0..2 {
        assert_eq!(bench.health().await.health, Health::Online);
    }
    bench.during(SECOND).await;
    seen(bench);
}

#[tokio::test(start_paused = true)]
async fn a_register_is_written_once_and_its_point_is_read_at_once() {
    for transport in [tcp(), rtu()] {
        with_bus(transport, devices(), async |bench| {
            online(bench).await;
            assert_eq!(write(bench, soon()).await, Ok(()));
            assert_eq!(seen(bench), (1, 1));
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_unknown_and_nothing_is_written_again() {
    for transport in [tcp(), rtu()] {
        for mode in [Mode::Silent, Mode::Damaged, Mode::WrongUnit] {
            with_bus(transport.clone(), devices(), async |bench| {
                online(bench).await;
                bench.mode(1, mode);
                assert_eq!(write(bench, soon()).await, Err(ControlRefused::Unknown), "{mode:?}");
                assert_eq!(seen(bench).0, 1, "{mode:?}");
            })
            .await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_with_its_code() {
    with_bus(rtu(), devices(), async |bench| {
        online(bench).await;
        bench.mode(1, Mode::Exception(3));
        let said = "exception 3".to_owned();
        assert_eq!(write(bench, soon()).await, Err(ControlRefused::Refused(said)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_came_too_late_or_goes_to_a_dead_device_is_not_sent() {
    with_bus(rtu(), devices(), async |bench| {
        online(bench).await;
        assert_eq!(write(bench, Instant::now()).await, Err(ControlRefused::Expired));
        assert_eq!(seen(bench).0, 0);
        bench.mode(1, Mode::Silent);
        bench.during(SECOND * 300).await;
        seen(bench);
        assert_eq!(write(bench, soon()).await, Err(ControlRefused::NotReachable));
        assert_eq!(seen(bench).0, 0, "nobody is waited for");
        bench.during(10 * MS).await;
    })
    .await;
}
