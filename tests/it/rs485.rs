//! Lines with meters of second implementations, read by the daemon: PyPI's dlt645 and pymodbus as
//! slaves, each on a serial pair of its own, and dlt645 behind a serial server over TCP.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

use crate::parts::{ask, dlt645_peer, free_port, linli, modbus_peer, serial_pair, wait_until};

/// The block of voltages is what the second implementation refuses: its meters know single
/// identifiers only.
const PROFILE: &str = r#"
category = "electricity_meter"
title = { zh = "三相电能表", en = "three-phase meter" }
products = [{ brand = "Trial", model = "DL/T 645-2007" }]
sources = ["PyPI dlt645"]

[dlt645]
edition = "2007"

[[points]]
name = "totalActiveEnergyImport"
zh = "正向有功总电能"
en = "active energy import"
quantity = "counter"
max_rate = 100
id = 0x00010000

[[points]]
names = ["phaseVoltage.L1", "phaseVoltage.L2", "phaseVoltage.L3"]
zh = "电压"
en = "voltage"
id = 0x02010100
id_step = 0x100
block = 0x0201FF00

[[points]]
name = "activePower"
zh = "有功功率"
en = "active power"
id = 0x02030000

[[examples]]
frames = ["FE FE 68 45 92 66 23 00 10 68 91 06 33 34 34 35 66 55 62 16"]
readings = { "phaseVoltage.L1" = 223.3 }
"#;

/// A zone in which it is not about midnight, for then no clock is read: seconds ahead of UTC.
fn meter_zone() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    if (1..=22).contains(&(now.as_secs() / 3600 % 24)) { 0 } else { 12 * 3600 }
}

fn configuration(folder: &Path, page: u16, server: u16, meters: &Path, units: &Path) -> String {
    let mut text = format!(
        r#"
[gateway]
id = "lines"
name = "邻里"
profiles = ["{folder}/profiles"]
[clock]
trust = "system"
meter = "first"
[buffer]
path = "{folder}/buffer"
keep_free = "1MiB"
[uplink]
host = "127.0.0.1"
port = {platform}
client_id = "lines"
[status]
listen = "127.0.0.1:{page}"
access = "open"
[[bus]]
id = "meters"
serial = "{meters}"
baud = 9600
meter_zone = "{zone}h"
[[bus]]
id = "units"
serial = "{units}"
[[bus]]
id = "server"
rtu_over_tcp = "127.0.0.1:{server}"
[[device]]
id = "remote"
profile = "trial-meter"
bus = "server"
address = "000000000001"
period = "2s"
"#,
        folder = folder.display(),
        platform = free_port(),
        meters = meters.display(),
        zone = meter_zone() / 3600,
        units = units.display(),
    );
    for (last, name) in [("12", "first"), ("13", "second"), ("99", "dead")] {
        text += &format!(
            "[[device]]\nid = \"{name}\"\nprofile = \"trial-meter\"\nbus = \"meters\"\n\
             address = \"1234567890{last}\"\nperiod = \"2s\"\n"
        );
    }
    for unit in [1, 2] {
        text += &format!(
            "[[device]]\nid = \"unit-{unit}\"\nprofile = \"eastron-sdm120\"\nbus = \"units\"\n\
             unit = {unit}\nperiod = \"2s\"\n"
        );
    }
    text
}

/// A good value of a device's point.
fn value(page: SocketAddr, device: &str, point: &str) -> Option<f64> {
    let device = ask(page, &format!("/api/v1/devices/{device}"))?;
    let row = device["points"].as_array()?.iter().find(|row| row["name"] == point)?.clone();
    if row["quality"] != "good" {
        return None;
    }
    match &row["value"] {
        Value::Number(number) => number.as_f64(),
        other => other.as_object()?.values().next()?.as_f64(),
    }
}

fn bus(page: SocketAddr, id: &str) -> Value {
    let buses = ask(page, "/api/v1/buses").unwrap();
    buses.as_array().unwrap().iter().find(|bus| bus["id"] == id).unwrap().clone()
}

#[test]
fn meters_of_second_implementations_are_read_to_the_digit() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (first, second) = (at.join("first"), at.join("second"));
    for made in [&first, &second, &at.join("profiles")] {
        fs::create_dir_all(made).unwrap();
    }
    fs::write(at.join("profiles/trial-meter.toml"), PROFILE).unwrap();
    let (_one, meters, meters_far) = serial_pair(&first);
    let (_two, units, units_far) = serial_pair(&second);
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    // Their clocks are 400 s ahead.
    let clock = format!("clock={}", meter_zone() + 400);
    let _meters = dlt645_peer(&[
        &clock,
        "serial",
        &path(&meters_far),
        "9600",
        "8E1",
        "123456789012,123456789013",
    ]);
    let _units = modbus_peer(&["serial", &path(&units_far), "9600", "1,2"]);

    let server = free_port();
    let _server = dlt645_peer(&["tcp", &server.to_string(), "000000000001"]);

    let page = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let (config, log) = (at.join("linli.toml"), at.join("log"));
    fs::write(&config, configuration(at, page.port(), server, &meters, &units)).unwrap();
    let daemon = linli(&config, &log);
    let expected = [
        ("first", "totalActiveEnergyImport", 12_345.67),
        ("first", "phaseVoltage.L1", 223.3),
        ("first", "phaseVoltage.L2", 0.0),
        ("first", "activePower", 2.5678),
        ("second", "totalActiveEnergyImport", 12_346.67),
        ("second", "phaseVoltage.L1", 224.3),
        ("remote", "totalActiveEnergyImport", 12_345.67),
        ("unit-1", "phaseVoltage", 230.1),
        ("unit-2", "current", 4.35),
    ];
    for (device, point, wanted) in expected {
        wait_until(&format!("{device} tells {point} = {wanted}"), || {
            let got = value(page, device, point);
            // A wrong number never becomes right: say so at once.
            assert!(
                got.is_none_or(|got| (got - wanted).abs() < 1e-6),
                "{device} {point}: {got:?}, not {wanted}"
            );
            got.is_some()
        });
    }
    wait_until("the dead meter is offline", || {
        ask(page, "/api/v1/devices/dead").is_some_and(|device| device["health"] == "offline")
    });
    // The voltages stay readable one by one, and the block is not asked for again and again.
    let refused = bus(page, "meters")["exceptions"].as_u64().unwrap();
    let answers = bus(page, "meters")["answers"].as_u64().unwrap();
    wait_until("the meters are read twice more", || {
        bus(page, "meters")["answers"].as_u64().unwrap() >= answers + 20
    });
    assert!(refused >= 1, "a block was refused");
    assert_eq!(bus(page, "meters")["exceptions"], refused, "what was refused is not asked again");
    assert_eq!(bus(page, "meters")["damaged"], 0);
    // The clock of the one that would give the time was read, compared, and is told.
    wait_until("the meter's clock is read", || {
        let device = ask(page, "/api/v1/devices/first");
        device.and_then(|device| device["clock"]["offset_s"].as_i64()).is_some()
    });
    let offset = ask(page, "/api/v1/devices/first").unwrap()["clock"]["offset_s"].as_i64().unwrap();
    assert!((398..=402).contains(&offset), "{offset}");
    let clock = ask(page, "/api/v1/gateway").unwrap()["clock"].clone();
    assert_eq!(clock["source"], "system", "the better source is followed");
    assert_eq!(clock["disagreements"][0]["source"], "meter first");
    assert_eq!(daemon.terminate(), 0, "{}", fs::read_to_string(&log).unwrap());
}
