//! What a bus does beside its polls: the clocks of all meters at once, relays by order.

use std::time::Duration;

use linli::driver::bus::{BusDevice, BusRequest, Control, ControlRefused, RelayKey};
use linli::driver::{Act, BusAddress, LineSettings, Parity};
use linli::model::DeviceIndex;
use linli::protocol::MeterTime;
use linli::sim::line::{Handle, Line};
use tokio::sync::oneshot;

use super::site::Site;
use super::slaves::{device, slave};
use crate::parts::wait_until;

const SLAVES: u32 = 8;

/// Two line settings, so that a broadcast has to be sent at both.
fn devices() -> Vec<BusDevice> {
    let fast = |slot: u32| {
        let baud = if slot < 4 { 115_200 } else { 57_600 };
        let line = LineSettings { baud, parity: Parity::Even, stop_bits: 1 };
        let allow = if slot == 0 { vec![Act::RelayTrip, Act::RelayClose] } else { Vec::new() };
        BusDevice { line, allow, ..device(slot, Duration::from_millis(200)) }
    };
    (0..SLAVES).map(fast).collect()
}

fn start(change: impl FnOnce(&mut linli::driver::BusConfig)) -> (Site, Vec<BusDevice>) {
    let devices = devices();
    let quick = |device| slave(device).delay(Duration::from_millis(5));
    let line =
        devices.iter().fold(Line::builder(), |line, device| line.slave(quick(device))).build();
    let site = Site::start(line, devices.clone(), |config| {
        config.timeout = Some(Duration::from_millis(200));
        change(config);
    });
    (site, devices)
}

fn handle(site: &Site, device: &BusDevice) -> Handle {
    site.line.handle(device.address).unwrap()
}

/// The zone in which it is now half past some hour for the meters: their clocks are never set
/// near a full one.
fn zone_of_half_past() -> Duration {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Duration::from_secs(3600 + 1800 - now.as_secs() % 3600)
}

#[test]
fn the_clocks_of_all_meters_are_set_at_once_and_nobody_is_waited_for() {
    let (site, devices) = start(|config| {
        config.time_sync = Some(Duration::from_secs(3600));
        config.meter_zone = zone_of_half_past();
    });
    let meters: Vec<_> =
        devices.iter().filter(|device| device.id.as_str().starts_with("dlt645-2007")).collect();
    assert_eq!(meters.len(), 2);
    let synced = |device: &BusDevice| {
        handle(&site, device).with_dlt645(|meter| meter.times_synced()).unwrap()
    };
    wait_until("the meters' clocks are set", || meters.iter().all(|meter| synced(meter) == 1));
    let before = site.batches();
    wait_until("the polls go on", || site.all_read_since(&before, 5));
    assert!(meters.iter().all(|meter| synced(meter) == 1), "once an hour is enough");
    assert_eq!(site.state().counters.timeouts, 0, "nobody was waited for");
    assert_eq!(site.state().counters.missed, 0, "no poll was late");
    // One broadcast for each of the two settings; the next request follows at once.
    let log = site.line.log();
    let entries: Vec<_> = log.entries().collect();
    let told: Vec<usize> =
        (0..entries.len()).filter(|&at| is_broadcast(&entries[at].request)).collect();
    assert_eq!(told.len(), 2);
    assert_ne!(entries[told[0]].line, entries[told[1]].line);
    for at in told {
        assert!(entries[at].by.is_empty(), "nobody answers a broadcast");
        if let Some(next) = entries.get(at + 1) {
            assert!(next.idle < Duration::from_millis(150), "{:?} of silence", next.idle);
        }
    }
}

fn is_broadcast(request: &[u8]) -> bool {
    let start = request.iter().position(|&byte| byte == 0x68).unwrap_or(0);
    request.get(start + 1..start + 7) == Some(&[0x99; 6])
}

fn order(site: &Site, slot: u32, act: Act, by: Option<&str>) -> Result<(), ControlRefused> {
    let (reply, answer) = oneshot::channel();
    let control = Control {
        device: DeviceIndex(slot),
        act,
        authorised_by: by.map(str::to_owned),
        expires: tokio::time::Instant::now() + Duration::from_secs(30),
        key: Some(RelayKey { level: 2, password: [0; 3], operator: [0; 4] }),
        reply,
    };
    site.orders.blocking_send(BusRequest::Control(control)).unwrap();
    answer.blocking_recv().unwrap()
}

#[test]
fn a_relay_switches_only_where_the_configuration_and_somebody_entitled_allow_it() {
    let (site, devices) = start(|config| config.meter_zone = Duration::from_secs(8 * 3600));
    wait_until("all devices are read", || site.all_read_since(&[0; SLAVES as usize], 1));
    let is_open = |slot: usize| {
        handle(&site, &devices[slot]).with_dlt645(|meter| meter.is_relay_open()).unwrap()
    };
    assert!(matches!(devices[4].address, BusAddress::Dlt645(_)));

    let refused = order(&site, 4, Act::RelayTrip, Some("duty officer"));
    assert!(matches!(refused, Err(ControlRefused::NotAllowed { .. })), "{refused:?}");
    assert_eq!(order(&site, 0, Act::RelayTrip, None), Err(ControlRefused::NotAuthorised));
    assert!(!is_open(0) && !is_open(4), "nothing was switched");
    let switched = |request: &[u8]| request.windows(2).any(|pair| pair == [0x68, 0x1C]);
    assert!(!site.line.log().entries().any(|entry| switched(&entry.request)), "nothing was sent");

    assert_eq!(order(&site, 0, Act::RelayTrip, Some("duty officer")), Ok(()));
    assert!(is_open(0) && !is_open(4));
    assert_eq!(order(&site, 0, Act::RelayClose, Some("duty officer")), Ok(()));
    assert!(!is_open(0));
    assert_eq!(site.state().counters.missed, 0, "the polls lost nothing");
}

#[test]
fn the_clocks_of_simulated_meters_are_read_between_their_polls() {
    // A zone in which it is not about midnight, for then no clock is read.
    let utc = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).datetime();
    let zone: i32 = if (1..=22).contains(&utc.hour()) { 0 } else { 12 };
    let (site, devices) = start(|config| {
        config.meter_zone = Duration::from_secs(u64::from(zone.unsigned_abs()) * 3600)
    });
    let meters: Vec<_> =
        devices.iter().filter(|device| device.id.as_str().starts_with("dlt645-2007")).collect();
    let shown = utc.checked_add(jiff::SignedDuration::from_hours(zone.into())).unwrap();
    let small = |number: i8| number.unsigned_abs();
    let right = MeterTime {
        year: shown.year().unsigned_abs(),
        month: small(shown.month()),
        day: small(shown.day()),
        hour: small(shown.hour()),
        minute: small(shown.minute()),
        second: small(shown.second()),
    };
    handle(&site, meters[0]).with_dlt645(|meter| meter.set_clock(right));
    // One shows some other day.
    let wrong = MeterTime { year: 2020, month: 2, day: 29, hour: 12, minute: 0, second: 0 };
    handle(&site, meters[1]).with_dlt645(|meter| meter.set_clock(wrong));
    wait_until("all devices are read", || site.all_read_since(&[0; SLAVES as usize], 1));
    // Behind the first look of a start, and a busy line's patience.
    site.leap(Duration::from_secs(1000));
    let seen = |device: &BusDevice| site.clock().meter(&device.id).and_then(|seen| seen.offset_s);
    wait_until("both clocks are read", || meters.iter().all(|meter| seen(meter).is_some()));
    // The bus's own clock was put forward, the meters' were not.
    let right = seen(meters[0]).unwrap();
    assert!((-1015..=-985).contains(&right), "{right}");
    assert!(seen(meters[1]).unwrap() < -365 * 86_400);
    assert!(devices.iter().all(|d| meters.iter().any(|m| m.id == d.id) || seen(d).is_none()));
    let before = site.batches();
    wait_until("the polls go on", || site.all_read_since(&before, 5));
}
