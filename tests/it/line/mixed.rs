//! A full line of four protocols at three line settings, a third of its slaves dead: the living
//! keep their periods.

use std::time::Duration;

use linli::driver::bus::BusDevice;
use linli::model::Health;

use super::site::Site;
use super::slaves::{self, SLAVES, is_dead};
use crate::parts::{let_run, serial_pair, wait_until};

const DEAD: u32 = 10;
const PERIOD: Duration = Duration::from_millis(1500);
/// Periods that are observed.
const OBSERVED: u32 = 6;

/// The same line four times as fast: a run takes seconds instead of minutes.
const HURRY: u32 = 4;

fn devices() -> Vec<BusDevice> {
    let fast = |slot| {
        let mut device = slaves::device(slot, PERIOD);
        device.line.baud *= HURRY;
        device
    };
    (0..SLAVES).map(fast).collect()
}

#[test]
fn a_full_mixed_line_with_ten_dead_slaves_reads_all_others_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let (_socat, near, far) = serial_pair(folder.path());
    let devices = devices();
    let line = slaves::line(&devices, DEAD, HURRY);
    let serving = line.open_device(&far).unwrap();
    let site = Site::on(near, serving, line, devices, |config| {
        config.timeout = Some(Duration::from_millis(100));
    });
    let dead = |slot: &u32| is_dead(*slot, DEAD);
    wait_until("the dead are known", || {
        let told = site.told();
        (0..SLAVES).filter(dead).all(|slot| told.offline(slot as usize))
    });
    let (counted, before) = (site.batches(), site.state().counters);
    let begun = tokio::time::Instant::now();
    let_run(PERIOD * OBSERVED);
    let span = begun.elapsed();
    let (polls, after) = (site.batches(), site.state().counters);

    assert_eq!(after.missed - before.missed, 0, "no tick of a living slave was skipped");
    for slot in 0..SLAVES {
        let read = polls[slot as usize] - counted[slot as usize];
        let health = site.told().health.get(&(slot as usize)).copied();
        if is_dead(slot, DEAD) {
            assert_eq!((read, health), (0, Some(Health::Offline)), "slave {slot} is dead");
            continue;
        }
        // A tick at either edge may fall out of the stretch.
        assert!(read + 1 >= u64::from(OBSERVED), "slave {slot}: {read} reads of {OBSERVED}");
        assert_eq!(health, Some(Health::Online), "slave {slot} lives");
    }
    // A probe that began before the end counts whole: the wire, the time-out, the silence.
    let one = Duration::from_millis(250);
    let probing = after.probing - before.probing;
    assert!(probing <= span / 20 + one, "{probing:?} of {span:?} went into probing");
    assert!(after.requests > before.requests + u64::from(OBSERVED * (SLAVES - DEAD) - SLAVES));
}
