//! Every profile through its twin: a simulated device of each model on a real socket, read by the
//! real driver, judged by the real pipeline. What arrives must be what the twin holds.

mod compare;
mod estate;
mod orders;

use std::time::Duration;

use linli::app::Trial;
use linli::model::DeviceIndex;
use tokio::time::{Instant, timeout_at};

use compare::{awaited, differs, shares, unlike};
use estate::Twins;
use orders::{Ordered, order_all, refused};

/// Longest wait until every point was read once.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads until every point that the twins give was obtained; what is missing stays unread.
async fn read_all(twins: &Twins) -> Trial {
    let mut trial = Trial::start(&twins.settings);
    let until = Instant::now() + PATIENCE;
    let mut open: Vec<DeviceIndex> = (0u32..).map(DeviceIndex).take(twins.all.len()).collect();
    loop {
        open.retain(|device| {
            let state = trial.snapshot.device(*device);
            let twin = &twins.all[device.slot()];
            twin.with(|held| (0..state.points.len()).any(|slot| awaited(held, slot, &state)))
        });
        if open.is_empty() || !matches!(timeout_at(until, trial.next()).await, Ok(Some(_))) {
            break;
        }
    }
    trial
}

/// Everything that differs, one line each.
fn faults(twins: &Twins, trial: &Trial) -> Vec<String> {
    let mut faults = Vec::new();
    for (index, twin) in (0u32..).map(DeviceIndex).zip(&twins.all) {
        let state = trial.snapshot.device(index);
        let device = trial.estate.device(index);
        twin.with(|held| {
            for (slot, point) in held.profile().points.iter().enumerate() {
                let name = format!("{} ({}), {}", held.profile().id, twin.over, point.name);
                if device.points[slot].unit != point.unit {
                    faults.push(format!("{name}: the unit is {:?}", device.points[slot].unit));
                }
                if let Some(wrong) = differs(held, slot, &state.points[slot]) {
                    faults.push(format!("{name}: {wrong}"));
                }
            }
        });
    }
    faults
}

fn assert_same(round: &str, twins: &Twins, trial: &Trial) {
    let faults = faults(twins, trial);
    let count = faults.len();
    assert!(faults.is_empty(), "{round}: {count} points differ:\n{}", faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_point_of_every_profile_arrives_as_its_twin_holds_it() {
    let twins = Twins::start().await;
    let misfits = twins.misfits();
    assert!(misfits.is_empty(), "values that do not fit:\n{}", misfits.join("\n"));

    let trial = read_all(&twins).await;
    assert_same("at first", &twins, &trial);
    trial.end().await.unwrap();

    twins.step(3600.0);
    let trial = read_all(&twins).await;
    assert_same("an hour later", &twins, &trial);
    trial.end().await.unwrap();
    twins.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_point_that_a_twin_keeps_back_is_bad_and_the_others_stay_good() {
    let twins = Twins::start().await;
    let kept_back = twins.withhold();
    let trial = read_all(&twins).await;
    let mut faults = Vec::new();
    for ((index, twin), slot) in (0u32..).map(DeviceIndex).zip(&twins.all).zip(kept_back) {
        let state = trial.snapshot.device(index);
        twin.with(|held| {
            for (at, point) in held.profile().points.iter().enumerate() {
                let got = &state.points[at];
                let wrong = match shares(held, slot, at) {
                    true => unlike(held, at, got),
                    false => differs(held, at, got),
                };
                let name = format!("{} ({}), {}", held.profile().id, twin.over, point.name);
                faults.extend(wrong.map(|wrong| format!("{name}: {wrong}")));
            }
        });
    }
    assert!(faults.is_empty(), "{} points differ:\n{}", faults.len(), faults.join("\n"));
    trial.end().await.unwrap();
    twins.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_of_every_profile_shows_in_the_point_that_reads_it_back() {
    let twins = Twins::start().await;
    let mut faults = refused(&twins).await;
    let orders = order_all(&twins, &mut faults).await;
    assert!(orders.len() > 50, "only {} commands were ordered", orders.len());
    // The broker hands messages on in its own time: a twin sends its state again after each.
    let until = Instant::now() + PATIENCE;
    let shows = |order: &Ordered| twins.all[order.twin].with(|held| order.shows(held));
    let mut look = tokio::time::interval(Duration::from_millis(20));
    while !orders.iter().all(|order| order.is_modbus || shows(order)) && Instant::now() < until {
        look.tick().await;
    }
    let trial = read_all(&twins).await;
    for order in &orders {
        let state = trial.snapshot.device(DeviceIndex(u32::try_from(order.twin).unwrap()));
        let wrong = twins.all[order.twin].with(|held| order.wrong(held, &state));
        faults.extend(wrong);
    }
    assert!(faults.is_empty(), "{} commands are wrong:\n{}", faults.len(), faults.join("\n"));
    trial.end().await.unwrap();
    twins.end().await;
}
