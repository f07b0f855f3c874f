//! The whole main job with real parts: Mosquitto on both sides, pymodbus over TCP and over a
//! serial line, paho publishing with QoS 1. The platform's broker goes away, the daemon is killed
//! inside the outage, both come back: nothing may be missing.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::parts::{
    Process, ask, free_port, let_run, linli, modbus_peer, mosquitto, mqtt_peer, receiver_program,
    serial_pair, wait_until,
};

/// Estate time of the run, in seconds: before, during and after the outage. Periods are a fifth of
/// a real estate's, so that these two minutes are ten of an estate.
const BEFORE: u64 = 20;
const OUTAGE: u64 = 50;
const AFTER: u64 = 40;

struct Ports {
    field: u16,
    platform: u16,
    modbus: u16,
    page: u16,
}

fn configuration(ports: &Ports, folder: &Path, line: &Path) -> String {
    let mut text = format!(
        r#"
[gateway]
id = "trial"
name = "试验小区"
[clock]
trust = "system"
[buffer]
path = "{folder}/buffer"
keep_free = "1MiB"
[uplink]
host = "127.0.0.1"
port = {platform}
client_id = "trial"
reconnect_cap = "2s"
[mqtt]
host = "127.0.0.1"
port = {field}
client_id = "trial-field"
[status]
listen = "127.0.0.1:{page}"
access = "open"
[[bus]]
id = "row"
tcp = "127.0.0.1:{modbus}"
[[bus]]
id = "line"
serial = "{line}"
baud = 9600
[[device]]
id = "plug"
profile = "tasmota-energy-plug"
topic = "plug"
"#,
        folder = folder.display(),
        platform = ports.platform,
        field = ports.field,
        page = ports.page,
        modbus = ports.modbus,
        line = line.display(),
    );
    for (bus, unit) in [("row", 1), ("row", 2), ("line", 1), ("line", 2), ("line", 9)] {
        text += &format!(
            "[[device]]\nid = \"{bus}-{unit}\"\nprofile = \"eastron-sdm120\"\nbus = \"{bus}\"\n\
             unit = {unit}\nperiod = \"2s\"\n"
        );
    }
    text
}

pub fn receiver(port: u16, out: &Path) -> Process {
    Process::start(
        Command::new(receiver_program())
            .args(["--broker", &format!("127.0.0.1:{port}"), "--client-id", "platform"])
            .args(["--json", "--verify", "--until-idle", "15s"])
            .stdout(Stdio::from(fs::File::create(out).unwrap())),
    )
}

fn number(value: &serde_json::Value, path: &str) -> u64 {
    value.pointer(path).and_then(serde_json::Value::as_u64).unwrap_or(u64::MAX)
}

/// Every energy total of the plug that the platform received, in watt-hours.
pub fn totals(out: &Path) -> BTreeSet<u64> {
    let mut seen = BTreeSet::new();
    for line in fs::read_to_string(out).unwrap().lines() {
        let document: serde_json::Value = serde_json::from_str(line).unwrap();
        for device in document["devices"].as_array().into_iter().flatten() {
            if device["id"] != "plug" {
                continue;
            }
            let points = device["points"].as_array().unwrap();
            let Some(column) = points.iter().position(|p| p == "totalActiveEnergyImport") else {
                continue;
            };
            for value in device["values"][column].as_array().unwrap() {
                if let Some(kwh) = value.as_f64() {
                    seen.insert((kwh * 1000.0).round() as u64);
                }
            }
        }
    }
    seen
}

fn assert_healthy(page: SocketAddr) {
    let devices = ask(page, "/api/v1/devices").unwrap();
    let health = |id: &str| {
        devices.as_array().unwrap().iter().find(|d| d["id"] == id).unwrap()["health"].clone()
    };
    for id in ["row-1", "row-2", "line-1", "line-2", "plug"] {
        assert_eq!(health(id), "online", "{id}");
    }
    assert_eq!(health("line-9"), "offline", "nobody answers as unit 9");
}

#[test]
fn nothing_is_lost_when_the_platform_goes_away_and_the_daemon_is_killed_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let ports =
        Ports { field: free_port(), platform: free_port(), modbus: free_port(), page: free_port() };
    let page = SocketAddr::from(([127, 0, 0, 1], ports.page));
    let (config, log, out) = (at.join("linli.toml"), at.join("log"), at.join("stream.jsonl"));
    let (_line, near, far) = serial_pair(at);
    fs::write(&config, configuration(&ports, at, &near)).unwrap();
    let _field = mosquitto(at, ports.field);
    let platform = mosquitto(at, ports.platform);
    let _tcp = modbus_peer(&["tcp", &ports.modbus.to_string(), "1,2"]);
    let _rtu = modbus_peer(&["serial", far.to_str().unwrap(), "9600", "1,2"]);
    // The receiver's persistent session exists before the first block: the broker keeps the rest.
    let first = receiver(ports.platform, &at.join("first.jsonl"));
    let_run(Duration::from_secs(2));
    first.kill();

    let daemon = linli(&config, &log);
    wait_until("the page answers", || ask(page, "/api/v1/gateway").is_some());
    let plug = mqtt_peer(ports.field, "plug", BEFORE + OUTAGE + AFTER);
    let_run(Duration::from_secs(BEFORE));
    let uplink = ask(page, "/api/v1/uplink").unwrap();
    assert_eq!(uplink["connected"], true, "{uplink}");

    platform.terminate();
    let_run(Duration::from_secs(OUTAGE / 2));
    daemon.kill();
    let daemon = linli(&config, &log);
    let_run(Duration::from_secs(OUTAGE / 2));
    let _platform = mosquitto(at, ports.platform);
    let_run(Duration::from_secs(AFTER - 5));
    assert_healthy(page);
    let (_, published) = plug.output();
    wait_until("everything that was published is stored and delivered", || {
        ask(page, "/api/v1/buffer").is_some_and(|b| number(&b, "/blocks") <= 2)
    });
    assert_eq!(daemon.terminate(), 0, "{}", fs::read_to_string(&log).unwrap());

    let code = receiver(ports.platform, &out).wait();
    assert_eq!(code, 0, "a silent gap: {}", fs::read_to_string(&out).unwrap_or_default());
    let published: u64 = published.trim().parse().unwrap();
    let seen = totals(&out);
    let missing: Vec<u64> = (1..=published).filter(|total| !seen.contains(total)).collect();
    assert!(missing.is_empty(), "{} of {published} missing: {missing:?}", missing.len());
}
