//! An alarm with real parts: a smoke detector publishes to Mosquitto, the platform hears of the
//! alarm, the daemon is killed in between, people acknowledge and close it over the API.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::parts::{
    Process, ask, free_port, linli, mosquitto, program, receiver_program, wait_closely_until,
    wait_until,
};

fn configuration(at: &Path, field: u16, platform: u16, page: u16) -> String {
    format!(
        r#"
[gateway]
id = "alarm-trial"
[clock]
trust = "system"
[buffer]
path = "{}/buffer"
keep_free = "1MiB"
[uplink]
host = "127.0.0.1"
port = {platform}
client_id = "alarm-trial"
reconnect_cap = "2s"
[mqtt]
host = "127.0.0.1"
port = {field}
client_id = "alarm-trial-field"
[status]
listen = "127.0.0.1:{page}"
access = "open"
[alarms]
contact = "值班室 1234"
[[device]]
id = "hall"
name = "门厅烟感"
place = "3号楼"
profile = "zigbee2mqtt-smoke"
topic = "zigbee2mqtt/hall"
[device.alarms.battery-level]
limit = 20
clear = 30
level = "yellow"
"#,
        at.display()
    )
}

fn publish(port: u16, message: &str) {
    let port = port.to_string();
    let sent = Command::new("mosquitto_pub")
        .args(["-p", &port, "-q", "1", "-t", "zigbee2mqtt/hall", "-m", message])
        .status()
        .unwrap();
    assert!(sent.success());
}

/// Posts JSON; the status and the body.
fn post(page: SocketAddr, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(page).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let length = body.len();
    write!(
        stream,
        "POST {path} HTTP/1.0\r\nHost: {page}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split_whitespace().nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

/// The steps of alarms that the platform has: alarm, step, reason.
fn steps(out: &Path) -> Vec<(String, String, Value)> {
    let text = fs::read_to_string(out).unwrap_or_default();
    let documents = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let events =
        documents.flat_map(|document| document["events"].as_array().cloned().unwrap_or_default());
    let alarms = events.filter(|event| event["kind"] == "alarm");
    let own = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    alarms.map(|event| (own(&event["id"]), own(&event["step"]), event["reason"].clone())).collect()
}

fn has(out: &Path, id: &str, step: &str) -> bool {
    steps(out).iter().any(|(of, did, _)| of == id && did == step)
}

/// The open alarm of a rule.
fn open(page: SocketAddr, rule: &str) -> Option<Value> {
    let alarms = ask(page, &format!("/api/v1/alarms?rule={rule}"))?;
    alarms["alarms"].as_array()?.first().cloned()
}

fn receiver(port: u16, out: &Path) -> Process {
    Process::start(
        Command::new(receiver_program())
            .args(["--broker", &format!("127.0.0.1:{port}"), "--client-id", "platform", "--json"])
            .stdout(Stdio::from(fs::File::create(out).unwrap())),
    )
}

#[test]
fn smoke_reaches_the_platform_survives_a_kill_and_is_acknowledged_and_closed_by_people() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (field, platform, port) = (free_port(), free_port(), free_port());
    let page = SocketAddr::from(([127, 0, 0, 1], port));
    let (config, log, out) = (at.join("linli.toml"), at.join("log"), at.join("stream.jsonl"));
    fs::write(&config, configuration(at, field, platform, port)).unwrap();
    let _field = mosquitto(at, field);
    let _platform = mosquitto(at, platform);
    let _receiver = receiver(platform, &out);
    let daemon = linli(&config, &log);
    let connected = || ask(page, "/api/v1/uplink").is_some_and(|up| up["connected"] == true);
    wait_until("the uplink is connected", connected);
    // The daemon's subscription at the field broker.
    publish(field, r#"{"smoke":false,"battery":90}"#);
    let heard = || ask(page, "/api/v1/devices/hall").is_some_and(|d| d["health"] == "online");
    wait_until("the detector is heard", || {
        publish(field, r#"{"smoke":false,"battery":90}"#);
        heard()
    });

    let begun = tokio::time::Instant::now();
    publish(field, r#"{"smoke":true,"battery":90}"#);
    wait_closely_until("the platform hears of the smoke", || {
        steps(&out).iter().any(|(_, step, _)| step == "raised")
    });
    let latency = begun.elapsed();
    let uplink = ask(page, "/api/v1/uplink").unwrap();
    println!(
        "smoke published to alarm at the platform: {} ms, all processes included; the gateway's own \
         reading to PUBACK: {} ms",
        latency.as_millis(),
        uplink["live_latency_ms"]
    );
    let alarm = open(page, "smoke").unwrap();
    let id = alarm["id"].as_str().unwrap().to_owned();
    assert_eq!((&alarm["level"], &alarm["state"]), (&"red".into(), &"raised".into()), "{alarm}");
    assert!(alarm["left_s"].as_i64().unwrap() <= 300, "{alarm}");
    assert!(has(&out, &id, "raised"));

    let (status, body) =
        post(page, &format!("/api/v1/alarms/{id}/acknowledge"), r#"{"by":"李工"}"#);
    assert_eq!(status, 200, "{body}");
    daemon.kill();
    let daemon = linli(&config, &log);
    wait_until("the alarm is found again", || open(page, "smoke").is_some());
    let alarm = open(page, "smoke").unwrap();
    assert_eq!((&alarm["id"], &alarm["state"]), (&id.clone().into(), &"acknowledged".into()));
    assert_eq!(alarm["acknowledged_by"], "李工");
    wait_until("the platform hears who knows of it", || has(&out, &id, "acknowledged"));

    wait_until("the smoke is gone", || {
        publish(field, r#"{"smoke":false,"battery":90}"#);
        open(page, "smoke").is_some_and(|alarm| alarm["state"] == "cleared")
    });
    let close = format!("/api/v1/alarms/{id}/close");
    assert_eq!(post(page, &close, r#"{"by":"李工","reason":" "}"#).0, 400, "a reason is needed");
    let (status, body) = post(page, &close, r#"{"by":"李工","reason":"厨房油烟"}"#);
    assert_eq!(status, 200, "{body}");
    assert_eq!(post(page, &close, r#"{"by":"李工","reason":"再次"}"#).0, 404, "it is closed");
    wait_until("the platform hears why it was closed", || {
        steps(&out).contains(&(id.clone(), "closed".into(), "厨房油烟".into()))
    });
    assert!(open(page, "smoke").is_none());
    let closed = ask(page, "/api/v1/alarms?state=closed").unwrap();
    assert_eq!(closed["alarms"][0]["id"], id.as_str());
    let one = ask(page, &format!("/api/v1/alarms/{id}")).unwrap();
    let ledger: Vec<&str> =
        one["ledger"].as_array().unwrap().iter().filter_map(|e| e["step"].as_str()).collect();
    // The field broker brings again what the kill left unacknowledged: then it was cleared and raised
    // once more in between.
    assert_eq!((&ledger[..2], ledger.last()), (&["raised", "acknowledged"][..], Some(&"closed")));
    assert_eq!(ledger[ledger.len() - 2], "cleared", "{ledger:?}");
    device_rule(page, field);
    rehearsed(page, &config, daemon);
}

/// The limit that the configuration gives to this device alone.
fn device_rule(page: SocketAddr, field: u16) {
    wait_until("the battery is low for this device", || {
        publish(field, r#"{"smoke":false,"battery":19}"#);
        open(page, "battery-level").is_some_and(|alarm| alarm["level"] == "yellow")
    });
}

/// The same alarms, rehearsed on what the buffer still holds or on an export.
fn rehearsed(page: SocketAddr, config: &Path, daemon: Process) {
    assert_eq!(daemon.terminate(), 0);
    let run = |what: &[&str]| {
        let output = Command::new(program())
            .args(["alarms", "--json", "--config"])
            .arg(config)
            .args(what)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout)
    };
    let rules = run(&["rules", "hall"]).unwrap();
    let battery = rules.as_array().unwrap().iter().find(|rule| rule["rule"] == "battery-level");
    assert_eq!(battery.unwrap()["limit"], 20.0);
    // What still lies in the buffer, and while the gateway runs what the charts have.
    let found = run(&["test", "--since", "1d"]).unwrap();
    assert_eq!(found["sources"][1]["source"], "blocks", "{found}");
    assert!(found["by_rule"]["battery-level"].as_u64().unwrap() >= 1, "{found}");
    let log = config.with_file_name("log-again");
    let daemon = linli(config, &log);
    wait_until("it runs again", || ask(page, "/api/v1/gateway").is_some());
    let again = run(&["test", "--since", "1d"]).unwrap();
    assert!(again["without_buffer"].as_str().is_some(), "{again}");
    assert_eq!(again["sources"][0]["source"], "history", "{again}");
    assert!(again["sources"][0]["values"].as_u64().unwrap() > 0, "{again}");
    assert!(again["by_rule"]["battery-level"].as_u64().unwrap() >= 1, "{again}");
    assert_eq!(daemon.terminate(), 0);
}
