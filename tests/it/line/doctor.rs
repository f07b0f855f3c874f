//! The wiring doctor on a simulated line: each diagnosis by its fault, gone when it is mended,
//! none where nothing is wrong.

use std::time::Duration;

use linli::driver::bus::BusDevice;
use linli::driver::{LineSettings, Parity};
use linli::model::{DeviceIndex, Diagnosis, EventKind};
use linli::sim::line::{Fault, Foreign, Handle, Line};

use super::site::Site;
use super::slaves::{device, slave};
use crate::parts::{let_run, wait_until};

const FAST: LineSettings = LineSettings { baud: 115_200, parity: Parity::Even, stop_bits: 1 };
const TIMEOUT: Duration = Duration::from_millis(100);
/// A little more than the hour in which the doctor learns how fast a device is.
const HOUR: Duration = Duration::from_secs(3601);

fn fast(slot: u32) -> BusDevice {
    BusDevice { line: FAST, ..device(slot, Duration::from_millis(150)) }
}

/// A fast line of so many devices, protocols in turn.
fn devices(count: u32) -> Vec<BusDevice> {
    (0..count).map(fast).collect()
}

fn line(devices: &[BusDevice]) -> Line {
    let quick = |device| slave(device).delay(Duration::from_millis(5));
    devices.iter().fold(Line::builder(), |line, device| line.slave(quick(device))).build()
}

fn site_of(line: Line, devices: Vec<BusDevice>) -> Site {
    Site::start(line, devices, |config| {
        config.timeout = Some(TIMEOUT);
        config.probe_cap = Duration::from_secs(1);
    })
}

/// A healthy site whose devices were all read several times.
fn healthy(count: u32) -> Site {
    let devices = devices(count);
    let site = site_of(line(&devices), devices);
    wait_until("all devices are read", || site.all_read_since(&vec![0; count as usize], 10));
    site
}

fn handle(site: &Site, slot: u32) -> Handle {
    site.line.handle(fast(slot).address).unwrap()
}

fn findings(site: &Site) -> Vec<(Diagnosis, Vec<u32>)> {
    let places = |devices: &[DeviceIndex]| devices.iter().map(|device| device.0).collect();
    let findings = site.state().findings;
    findings.iter().map(|found| (found.diagnosis, places(&found.devices))).collect()
}

/// Events about the wiring: what, of which devices, whether it is over.
fn events(site: &Site) -> Vec<(Diagnosis, Vec<String>, bool)> {
    let told = site.told();
    let wiring = told.events.iter().filter_map(|event| match &event.kind {
        EventKind::WiringFinding { diagnosis, devices, over, .. } => {
            let devices = devices.iter().map(ToString::to_string).collect();
            Some((*diagnosis, devices, *over))
        }
        _ => None,
    });
    wiring.collect()
}

/// This and nothing else is found; it was told as an event.
fn found(site: &Site, diagnosis: Diagnosis, devices: &[u32]) {
    let wanted = [(diagnosis, devices.to_vec())];
    wait_until(&format!("{diagnosis:?} {devices:?} is found"), || findings(site) == wanted);
    let ids: Vec<String> = devices.iter().map(|&slot| fast(slot).id.to_string()).collect();
    assert!(events(site).contains(&(diagnosis, ids, false)), "{:?}", events(site));
    let state = site.state();
    let words = &state.findings[0];
    assert!(!words.seen.en.is_empty() && !words.check.zh.is_empty(), "{words:?}");
}

/// Nothing is found any more; that was told too.
fn gone(site: &Site, diagnosis: Diagnosis) {
    wait_until(&format!("{diagnosis:?} is gone"), || findings(site).is_empty());
    wait_until("that is told", || {
        events(site).iter().any(|(what, _, over)| *what == diagnosis && *over)
    });
    let of_another = events(site).iter().any(|(what, ..)| *what != diagnosis);
    assert!(!of_another, "nothing else was ever found: {:?}", events(site));
}

#[test]
fn a_dead_line_is_told_as_nothing_heard() {
    let site = healthy(4);
    (0..4).for_each(|slot| handle(&site, slot).fault(Fault::Silent));
    found(&site, Diagnosis::NothingHeard, &[]);
    (0..4).for_each(|slot| handle(&site, slot).mend());
    gone(&site, Diagnosis::NothingHeard);
}

#[test]
fn one_dead_device_is_told_as_silent_among_the_others() {
    let site = healthy(4);
    handle(&site, 2).fault(Fault::Silent);
    found(&site, Diagnosis::DeviceSilent, &[2]);
    handle(&site, 2).mend();
    gone(&site, Diagnosis::DeviceSilent);
}

#[test]
fn a_device_at_another_baud_rate_is_told_by_its_settings() {
    let devices = devices(4);
    let wrong = LineSettings { baud: 9600, ..FAST };
    let mut builder = Line::builder();
    for device in &devices {
        let slave = slave(device).delay(Duration::from_millis(5));
        builder = builder.slave(if device.index.0 == 1 { slave.garbage() } else { slave });
    }
    let line = builder.build();
    line.handle(devices[1].address).unwrap().fault(Fault::WrongLine(wrong));
    let site = site_of(line, devices);
    found(&site, Diagnosis::WrongLineSettings, &[1]);
    handle(&site, 1).mend();
    gone(&site, Diagnosis::WrongLineSettings);
}

#[test]
fn a_line_configured_at_another_baud_rate_is_told_once_for_all() {
    let devices = devices(3);
    let wrong = LineSettings { baud: 19_200, ..FAST };
    let garbage = |device| slave(device).delay(Duration::from_millis(5)).garbage();
    let line =
        devices.iter().fold(Line::builder(), |line, device| line.slave(garbage(device))).build();
    for device in &devices {
        line.handle(device.address).unwrap().fault(Fault::WrongLine(wrong));
    }
    let site = site_of(line, devices);
    found(&site, Diagnosis::WrongLineSettings, &[]);
    (0..3).for_each(|slot| handle(&site, slot).mend());
    wait_until("it is gone", || findings(&site).is_empty());
}

#[test]
fn two_devices_at_one_address_are_told_as_a_collision() {
    for slot in [0, 3] {
        let site = healthy(4);
        handle(&site, slot).fault(Fault::Twin(Duration::from_micros(700)));
        found(&site, Diagnosis::AddressCollision, &[slot]);
        handle(&site, slot).mend();
        gone(&site, Diagnosis::AddressCollision);
    }
}

#[test]
fn a_newly_fitted_device_with_a_used_address_is_told_as_a_collision() {
    let site = healthy(4);
    site.line.add(slave(&fast(3)).delay(Duration::from_millis(7)));
    found(&site, Diagnosis::AddressCollision, &[3]);
}

#[test]
fn damage_of_one_device_is_told_of_that_device() {
    let site = healthy(4);
    handle(&site, 1).fault(Fault::WrongCheckSum);
    found(&site, Diagnosis::DamagedReplies, &[1]);
    handle(&site, 1).mend();
    gone(&site, Diagnosis::DamagedReplies);
}

#[test]
fn half_answers_are_damaged_replies() {
    let site = healthy(4);
    [2, 3].into_iter().for_each(|slot| handle(&site, slot).fault(Fault::Half));
    found(&site, Diagnosis::DamagedReplies, &[2, 3]);
    [2, 3].into_iter().for_each(|slot| handle(&site, slot).mend());
    gone(&site, Diagnosis::DamagedReplies);
}

#[test]
fn damage_that_comes_and_goes_everywhere_is_a_noisy_line() {
    let site = healthy(4);
    // A burst of noise again and again: it hits whoever is asked.
    (0..4).for_each(|slot| handle(&site, slot).fault(Fault::FlippedBit(4)));
    found(&site, Diagnosis::NoisyLine, &[]);
    (0..4).for_each(|slot| handle(&site, slot).mend());
    gone(&site, Diagnosis::NoisyLine);
}

#[test]
fn a_device_that_gets_slower_is_told() {
    let devices = devices(3);
    let site = Site::start(line(&devices), devices, |config| {
        // Its slow answers are waited for.
        config.timeout = Some(Duration::from_secs(1));
    });
    let before = site.batches();
    wait_until("enough is known of its speed", || site.all_read_since(&before, 20));
    site.leap(HOUR);
    let before = site.batches();
    wait_until("it goes on", || site.all_read_since(&before, 5));
    handle(&site, 0).fault(Fault::Drift(Duration::from_millis(2)));
    found(&site, Diagnosis::SlowerAnswers, &[0]);
    handle(&site, 0).mend();
    gone(&site, Diagnosis::SlowerAnswers);
}

#[test]
fn another_master_is_told_and_forgotten_ten_minutes_after_its_last_word() {
    let site = healthy(4);
    // It reads a meter that is not ours.
    let frame = vec![0x09, 0x03, 0x00, 0x00, 0x00, 0x01, 0x85, 0x42];
    let every = Duration::from_millis(400);
    site.line.set_foreign(Some(Foreign { frame, every, line: FAST }));
    wait_until("ForeignMaster is found", || {
        findings(&site).iter().any(|(what, _)| *what == Diagnosis::ForeignMaster)
    });
    site.line.set_foreign(None);
    site.leap(Duration::from_secs(601));
    wait_until("ForeignMaster is gone", || findings(&site).is_empty());
}

#[test]
fn a_healthy_line_of_all_protocols_has_no_finding_with_and_without_an_echo() {
    for echo in [false, true] {
        let devices = devices(8);
        let line = line(&devices);
        line.set_echo(echo);
        let site = site_of(line, devices);
        wait_until("all devices are read", || site.all_read_since(&[0; 8], 25));
        let_run(Duration::from_secs(1));
        assert_eq!(findings(&site), [], "echo {echo}");
        assert_eq!(events(&site), [], "echo {echo}");
        let counters = site.state().counters;
        assert_eq!((counters.damaged, counters.timeouts), (0, 0), "echo {echo}: {counters:?}");
    }
}
