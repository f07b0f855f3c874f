//! A run in which nothing goes wrong, over TLS with a client certificate: no warning, flat memory.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::parts::{
    Process, ask, emulated, free_port, let_run, linli, modbus_peer, mosquitto, mosquitto_with,
    mqtt_peer, wait_until,
};

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .current_dir(folder)
        .args(arguments.split_whitespace())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// An authority, a certificate for 127.0.0.1 and one for the gateway, all in `folder`.
fn certificates(folder: &Path) {
    let curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 400";
    openssl(folder, &format!("req -x509 {curve} -keyout ca.key -out ca.pem -subj /CN=authority"));
    for (name, extension) in
        [("server", "subjectAltName=IP:127.0.0.1"), ("gateway", "extendedKeyUsage=clientAuth")]
    {
        openssl(
            folder,
            &format!("req {curve} -keyout {name}.key -out {name}.csr -subj /CN={name}"),
        );
        fs::write(folder.join("extension"), extension).unwrap();
        openssl(
            folder,
            &format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 400 \
                 -extfile extension -out {name}.pem"
            ),
        );
    }
}

/// A platform that only lets clients with a certificate of the authority in.
fn platform(folder: &Path, port: u16) -> Process {
    let at = folder.display();
    mosquitto_with(
        folder,
        port,
        &format!(
            "cafile {at}/ca.pem\ncertfile {at}/server.pem\nkeyfile {at}/server.key\n\
             require_certificate true\n"
        ),
    )
}

fn configuration(folder: &Path, ports: &Ports, tls: &str) -> String {
    format!(
        r#"
[gateway]
id = "calm"
name = "平静小区"
[clock]
trust = "system"
[buffer]
path = "{at}/buffer"
keep_free = "1MiB"
[uplink]
host = "127.0.0.1"
port = {platform}
client_id = "calm"
reconnect_cap = "2s"
{tls}
[mqtt]
host = "127.0.0.1"
port = {field}
client_id = "calm-field"
[status]
listen = "127.0.0.1:{page}"
access = "open"
[[bus]]
id = "row"
tcp = "127.0.0.1:{modbus}"
[[device]]
id = "meter"
profile = "eastron-sdm120"
bus = "row"
unit = 1
period = "1s"
[[device]]
id = "plug"
profile = "tasmota-energy-plug"
topic = "plug"
"#,
        at = folder.display(),
        platform = ports.platform,
        field = ports.field,
        page = ports.page,
        modbus = ports.modbus,
    )
}

struct Ports {
    field: u16,
    platform: u16,
    modbus: u16,
    page: u16,
}

impl Ports {
    fn free() -> Self {
        Self { field: free_port(), platform: free_port(), modbus: free_port(), page: free_port() }
    }

    fn page(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.page))
    }
}

fn with_certificate(folder: &Path) -> String {
    let at = folder.display();
    format!(
        "[uplink.tls]\nca_file = \"{at}/ca.pem\"\ncert_file = \"{at}/gateway.pem\"\n\
         key_file = \"{at}/gateway.key\""
    )
}

fn resident_kib(process: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_normal_run_over_tls_logs_no_warning_and_its_memory_is_flat() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let ports = Ports::free();
    certificates(at);
    let _platform = platform(at, ports.platform);
    let _field = mosquitto(at, ports.field);
    let _meter = modbus_peer(&["tcp", &ports.modbus.to_string(), "1"]);
    let plug = mqtt_peer(ports.field, "plug", 30);
    let (config, log) = (at.join("linli.toml"), at.join("log"));
    fs::write(&config, configuration(at, &ports, &with_certificate(at))).unwrap();
    let daemon = linli(&config, &log);
    let acknowledged = || {
        ask(ports.page(), "/api/v1/uplink")
            .and_then(|uplink| uplink["acknowledged_readings"].as_u64())
            .unwrap_or(0)
    };
    wait_until("readings are acknowledged", || acknowledged() > 20);
    let_run(Duration::from_secs(5));
    let (early, count) = (resident_kib(&daemon), acknowledged());
    let_run(Duration::from_secs(15));
    let late = resident_kib(&daemon);
    assert!(acknowledged() > count + 50, "readings go on");
    // An emulator keeps the code that it translated: its memory says nothing about the program's.
    if !emulated() {
        assert!(late < early + 4096, "memory grew from {early} to {late} KiB");
    }
    assert_eq!(daemon.terminate(), 0);
    plug.kill();
    let log = fs::read_to_string(&log).unwrap();
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
}

#[test]
fn a_platform_that_refuses_the_certificate_is_named_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let ports = Ports::free();
    certificates(at);
    let _platform = platform(at, ports.platform);
    let _field = mosquitto(at, ports.field);
    let _meter = modbus_peer(&["tcp", &ports.modbus.to_string(), "1"]);
    let (config, log) = (at.join("linli.toml"), at.join("log"));
    let nobody = format!("[uplink.tls]\nca_file = \"{}/ca.pem\"", at.display());
    fs::write(&config, configuration(at, &ports, &nobody)).unwrap();
    let daemon = linli(&config, &log);
    wait_until("readings are stored", || {
        ask(ports.page(), "/api/v1/buffer").is_some_and(|b| b["blocks"].as_u64() >= Some(3))
    });
    let uplink = ask(ports.page(), "/api/v1/uplink").unwrap();
    assert_eq!(uplink["connected"], false, "{uplink}");
    assert!(uplink["fault"].is_string(), "{uplink}");
    assert_eq!(daemon.terminate(), 0);

    fs::write(&config, configuration(at, &ports, &with_certificate(at))).unwrap();
    let daemon = linli(&config, &log);
    wait_until("the backlog is delivered", || {
        ask(ports.page(), "/api/v1/uplink")
            .is_some_and(|uplink| uplink["acknowledged_blocks"].as_u64() >= Some(3))
    });
    assert_eq!(daemon.terminate(), 0);
}
