//! A changed configuration while the daemon runs: taken without a message lost, refused without
//! harm, and as often as anybody likes.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::end_to_end::{receiver, totals};
use crate::parts::{
    Process, ask, free_port, let_run, linli, lonely_site, mosquitto, mqtt_peer, program, wait_until,
};

fn reload(daemon: &Process) {
    let id = daemon.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
}

fn page(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// The row of a promise in `/readyz`.
fn promise(page: SocketAddr, name: &str) -> Option<Value> {
    let ready = ask(page, "/readyz")?;
    ready["promises"].as_array()?.iter().find(|row| row["promise"] == name).cloned()
}

fn has_device(page: SocketAddr, id: &str) -> bool {
    ask(page, "/api/v1/devices")
        .is_some_and(|all| all.as_array().unwrap().iter().any(|device| device["id"] == id))
}

/// How often a line of the log says this.
fn said(log: &Path, words: &str) -> usize {
    fs::read_to_string(log).unwrap().lines().filter(|line| line.contains(words)).count()
}

/// Every event in a stopped daemon's buffer, by kind.
fn events(config: &Path) -> BTreeMap<String, Vec<Value>> {
    let export = Command::new(program())
        .args(["buffer", "export", "--config"])
        .arg(config)
        .output()
        .unwrap();
    assert!(export.status.success(), "{}", String::from_utf8_lossy(&export.stderr));
    let mut kinds: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in String::from_utf8(export.stdout).unwrap().lines() {
        let document: Value = serde_json::from_str(line).unwrap();
        let document = document.get("document").unwrap_or(&document);
        for event in document["events"].as_array().into_iter().flatten() {
            let kind = event["kind"].as_str().unwrap().to_owned();
            kinds.entry(kind).or_default().push(event.clone());
        }
    }
    kinds
}

fn plug(id: &str) -> String {
    format!("[[device]]\nid = \"{id}\"\nprofile = \"tasmota-energy-plug\"\ntopic = \"{id}\"\n")
}

#[test]
fn devices_are_added_while_one_publishes_and_no_message_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (field, platform, port) = (free_port(), free_port(), free_port());
    let (config, log, out) = (at.join("linli.toml"), at.join("log"), at.join("stream.jsonl"));
    let _field = mosquitto(at, field);
    let _platform = mosquitto(at, platform);
    let head = format!(
        "[gateway]\nid = \"trial\"\n[clock]\ntrust = \"system\"\n[buffer]\npath = \"{}/buffer\"\n\
         keep_free = \"1MiB\"\n[uplink]\nhost = \"127.0.0.1\"\nport = {platform}\n\
         client_id = \"trial\"\nreconnect_cap = \"2s\"\n[mqtt]\nhost = \"127.0.0.1\"\n\
         port = {field}\nclient_id = \"trial-field\"\n[status]\nlisten = \"127.0.0.1:{port}\"\naccess = \"open\"\n",
        at.display()
    );
    let mut text = head + &plug("plug");
    fs::write(&config, &text).unwrap();
    let first = receiver(platform, &at.join("first.jsonl"));
    let_run(Duration::from_secs(2));
    first.kill();

    let daemon = linli(&config, &log);
    wait_until("the page answers", || ask(page(port), "/api/v1/gateway").is_some());
    let publisher = mqtt_peer(field, "plug", 25);
    for round in 1..=3 {
        let_run(Duration::from_secs(5));
        text += &plug(&format!("more-{round}"));
        fs::write(&config, &text).unwrap();
        reload(&daemon);
        let id = format!("more-{round}");
        wait_until("the new device is there", || has_device(page(port), &id));
    }
    let (_, published) = publisher.output();
    let published: u64 = published.trim().parse().unwrap();
    wait_until("everything that was published is stored and delivered", || {
        ask(page(port), "/api/v1/buffer").is_some_and(|b| b["blocks"].as_u64().unwrap() <= 2)
    });
    assert_eq!(daemon.terminate(), 0, "{}", fs::read_to_string(&log).unwrap());
    let code = receiver(platform, &out).wait();
    assert_eq!(code, 0, "a silent gap: {}", fs::read_to_string(&out).unwrap_or_default());
    let seen = totals(&out);
    let missing: Vec<u64> = (1..=published).filter(|total| !seen.contains(total)).collect();
    assert!(missing.is_empty(), "{} of {published} missing: {missing:?}", missing.len());
    let stream = fs::read_to_string(&out).unwrap();
    assert_eq!(stream.matches("\"gateway_started\"").count(), 1, "a reload is no start");
    assert_eq!(stream.matches("\"configuration_applied\"").count(), 3);
    assert!(stream.contains("devices added: more-2") && stream.contains("新增设备：more-2"));
}

#[test]
fn a_wrong_configuration_is_refused_told_everywhere_and_the_one_before_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let port = free_port();
    let config = lonely_site(at, port, "before");
    let good = fs::read_to_string(&config).unwrap();
    let log = at.join("log");
    let daemon = linli(&config, &log);
    let site = page(port);
    wait_until("the page answers", || ask(site, "/api/v1/gateway").is_some());
    wait_until("the promise is kept", || {
        promise(site, "configuration").is_some_and(|row| row["kept"] == true)
    });
    // Somebody else listens at both; the second one has our own port.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let beside = TcpListener::bind(("127.0.0.2", port)).unwrap();
    let elsewhere = |address: &str| good.replace(&format!("127.0.0.1:{port}"), address);
    let cases = [
        ("\u{0}\u{1} rubbish [[[".to_owned(), "linli.toml"),
        (good.replace("eastron-sdm120", "no-such-profile"), "no-such-profile"),
        (good.replace("\"lonely\"", "\"other\""), "gateway.id"),
        (good.replace("/buffer\"", "/elsewhere\""), "buffer.path"),
        (elsewhere(&taken.local_addr().unwrap().to_string()), "status.listen"),
        (elsewhere(&format!("127.0.0.2:{port}")), "cannot be started"),
    ];
    for (text, word) in &cases {
        assert_ne!(*text, good, "{word}");
        fs::write(&config, text).unwrap();
        reload(&daemon);
        wait_until("it is refused", || {
            promise(site, "configuration").is_some_and(|row| {
                row["kept"] == false && row["why"].as_str().unwrap().contains(word)
            })
        });
        let gateway = ask(site, "/api/v1/gateway").unwrap();
        assert_eq!((&gateway["name"], &gateway["id"]), (&"before".into(), &"lonely".into()));
        let troubles = gateway["troubles"].to_string();
        assert!(troubles.contains(word) && troubles.contains("新配置被拒绝"), "{troubles}");
        assert_eq!(ask(site, "/readyz").unwrap()["ready"], true);
    }
    drop(beside);
    fs::write(&config, good.replace("before", "after")).unwrap();
    reload(&daemon);
    wait_until("the good one is taken", || {
        ask(site, "/api/v1/gateway").is_some_and(|gateway| gateway["name"] == "after")
    });
    let row = promise(site, "configuration").unwrap();
    assert_eq!(row["kept"], true, "{row}");
    wait_until("it is told", || said(&log, "the changed configuration runs") == 1);
    assert_eq!(daemon.terminate(), 0, "{}", fs::read_to_string(&log).unwrap());
    let events = events(&config);
    let count = |kind: &str| events.get(kind).map_or(0, Vec::len);
    assert_eq!(count("gateway_started"), 1, "{events:?}");
    assert_eq!(count("configuration_applied"), 1);
    assert_eq!(count("configuration_refused"), cases.len(), "{events:?}");
}

/// The daemon with the allocator as the service's unit sets it: glibc otherwise keeps what the
/// store's large buffers leave behind, half a megabyte at each reload.
fn as_a_service(config: &Path, log: &Path) -> Process {
    let unit = include_str!("../../systemd/linli.service");
    let line = unit.lines().find_map(|line| line.strip_prefix("Environment=")).unwrap();
    let pairs = line.split_whitespace().map(|pair| pair.split_once('=').unwrap());
    Process::start(
        Command::new(program())
            .envs(pairs)
            .args(["run", "--config"])
            .arg(config)
            .stderr(fs::File::create(log).unwrap()),
    )
}

/// Memory, threads and open files of a process.
fn taken_by(daemon: &Process) -> (u64, u64, usize) {
    let at = format!("/proc/{}", daemon.id());
    let status = fs::read_to_string(format!("{at}/status")).unwrap();
    let figure = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let files = fs::read_dir(format!("{at}/fd")).unwrap().count();
    (figure("VmRSS:"), figure("Threads:"), files)
}

#[test]
fn twenty_reloads_leave_memory_threads_and_files_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let port = free_port();
    let config = lonely_site(at, port, "round 0");
    let good = fs::read_to_string(&config).unwrap();
    let log = at.join("log");
    let daemon = as_a_service(&config, &log);
    wait_until("the page answers", || ask(page(port), "/api/v1/gateway").is_some());
    let mut figures = Vec::new();
    for round in 1..=20 {
        fs::write(&config, good.replace("round 0", &format!("round {round}"))).unwrap();
        reload(&daemon);
        let name = format!("round {round}");
        wait_until("it is applied", || {
            ask(page(port), "/api/v1/gateway").is_some_and(|gateway| gateway["name"] == name)
        });
        figures.push(taken_by(&daemon));
    }
    println!("kB of memory, threads, files after each reload: {figures:?}");
    assert_eq!(daemon.terminate(), 0, "{}", fs::read_to_string(&log).unwrap());
    let (memory, threads, files) = figures[4];
    let last = figures[19];
    assert!(last.0 < memory + 4096, "memory grows: {figures:?}");
    assert!(last.1 <= threads + 1 && last.2 <= files + 2, "threads or files grow: {figures:?}");
}
