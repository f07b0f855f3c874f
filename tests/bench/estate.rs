//! The estate benchmark: 20 Modbus TCP endpoints of 10 units with 40 points each, and 100 MQTT
//! devices with 8 fields, every second, everything durable. Prints CPU milliseconds per 1,000
//! points delivered, peak RSS, and bytes written to the disk per stored byte; then raises the load
//! until the daemon misses its periods.
//!
//!     cargo bench --bench estate                 # all
//!     LINLI_BENCH_SECONDS=60 cargo bench --bench estate
//!     LINLI_BENCH_BINARY=a,b cargo bench --bench estate    # the first scenario, of builds in turns
//!
//! Needs Mosquitto. The daemon is pinned to one core, the load and the brokers to the others.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on should say where")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::disallowed_methods, reason = "a load generator, not the daemon")]

mod load;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use load::{Load, ask, free_port, mosquitto};

/// One figure set of a run.
struct Figures {
    points: u64,
    expected: f64,
    cpu_ms: f64,
    peak_rss_mib: f64,
    disk_per_stored: f64,
    wire_per_reading: f64,
    missed: u64,
    page: String,
}

struct Scenario {
    name: &'static str,
    points_per_unit: usize,
    period_ms: u64,
    mqtt_devices: usize,
    /// Smoke detectors too, whose alarms are timed, and the page.
    alarms: bool,
}

fn main() {
    // `cargo test --all-targets` runs benchmarks too; they are no tests.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let seconds =
        std::env::var("LINLI_BENCH_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(30);
    println!("20 endpoints x 10 units; daemon on one core, everything durable, {seconds} s each\n");
    println!(
        "{:<26}{:>10}{:>10}{:>14}{:>10}{:>12}{:>12}{:>8}",
        "scenario",
        "points/s",
        "asked/s",
        "CPU ms/1000",
        "RSS MiB",
        "disk/stored",
        "B/reading",
        "missed"
    );
    let estate = Scenario {
        name: "estate",
        points_per_unit: 40,
        period_ms: 1000,
        mqtt_devices: 100,
        alarms: true,
    };
    if let Ok(binaries) = std::env::var("LINLI_BENCH_BINARY") {
        for _ in 0..3 {
            for binary in binaries.split(',') {
                println!("{binary}");
                let figures = run(&estate, seconds, binary);
                print(&estate, &figures, seconds);
                println!("    {}", figures.page);
            }
        }
        return;
    }
    let binary = env!("CARGO_BIN_EXE_linli");
    let figures = run(&estate, seconds, binary);
    print(&estate, &figures, seconds);
    println!("    {}", figures.page);
    for (points_per_unit, period_ms) in [(100, 400), (100, 200), (200, 200), (200, 100), (400, 100)]
    {
        let scenario =
            Scenario { name: "load", points_per_unit, period_ms, mqtt_devices: 100, alarms: false };
        let figures = run(&scenario, seconds, binary);
        print(&scenario, &figures, seconds);
        // One value in 64 does not change and is not stored; a commit more or less is 1 s.
        if (figures.points as f64) < figures.expected * 0.9 {
            println!("falls behind here");
            break;
        }
    }
}

fn print(scenario: &Scenario, figures: &Figures, seconds: u64) {
    println!(
        "{:<26}{:>10.0}{:>10.0}{:>14.2}{:>10.1}{:>12.2}{:>12.1}{:>8}",
        format!("{} {}p/{}ms", scenario.name, scenario.points_per_unit, scenario.period_ms),
        figures.points as f64 / seconds as f64,
        figures.expected / seconds as f64,
        figures.cpu_ms / (figures.points as f64 / 1000.0),
        figures.peak_rss_mib,
        figures.disk_per_stored,
        figures.wire_per_reading,
        figures.missed,
    );
}

fn run(scenario: &Scenario, seconds: u64, binary: &str) -> Figures {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let at = folder.path();
    let (field, platform, page) = (free_port(), free_port(), free_port());
    let _brokers = (mosquitto(at, field), mosquitto(at, platform));
    let load = Load::start(20, scenario.points_per_unit, field, scenario.mqtt_devices);
    write_profiles(at, scenario.points_per_unit);
    let config = at.join("linli.toml");
    fs::write(&config, configuration(scenario, at, field, platform, page, &load)).unwrap();
    let log = fs::File::create(at.join("log")).unwrap();
    let mut daemon = Command::new("taskset")
        .args(["-c", "0", binary, "run", "--config"])
        .arg(&config)
        // As systemd/linli.service sets them.
        .env("MALLOC_ARENA_MAX", "1")
        .env("MALLOC_MMAP_THRESHOLD_", "65536")
        .env("MALLOC_TRIM_THRESHOLD_", "131072")
        .stderr(Stdio::from(log))
        .spawn()
        .unwrap();
    let page = SocketAddr::from(([127, 0, 0, 1], page));
    // Warm up until everything is connected and delivered once.
    for _ in 0..100 {
        std::thread::sleep(Duration::from_millis(100));
        if ask(page, "/api/v1/uplink", "/acknowledged_readings").unwrap_or(0) > 0 {
            break;
        }
    }
    std::thread::sleep(Duration::from_secs(5));
    let before = sample(&daemon, page);
    std::thread::sleep(Duration::from_secs(seconds));
    let after = sample(&daemon, page);
    let log = fs::read_to_string(at.join("log")).unwrap();
    if after.points == before.points || log.contains("WARN") || log.contains("ERROR") {
        println!("the daemon said:\n{}", log.lines().take(20).collect::<Vec<_>>().join("\n"));
    }
    let page_times = if scenario.alarms {
        format!("{}\n    {}", page_times(page), load::alarms::latency(field, platform))
    } else {
        String::new()
    };
    let peak_rss_mib = status_kib(&daemon, "VmHWM:") as f64 / 1024.0;
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    drop(load);
    let points = after.points - before.points;
    let stored = (after.stored_bytes - before.stored_bytes).max(1);
    let per_second = 200.0 * scenario.points_per_unit as f64 * 1000.0 / scenario.period_ms as f64
        + scenario.mqtt_devices as f64 * 8.0;
    Figures {
        points,
        expected: per_second * seconds as f64,
        cpu_ms: after.cpu_ms - before.cpu_ms,
        peak_rss_mib,
        disk_per_stored: (after.written - before.written) as f64 / stored as f64,
        wire_per_reading: (after.wire - before.wire) as f64 / points.max(1) as f64,
        missed: after.missed - before.missed,
        page: page_times,
    }
}

/// Median times of the page, and how long the last live block took from commit to PUBACK.
fn page_times(page: SocketAddr) -> String {
    let mut texts = Vec::new();
    let paths = [
        "/",
        "/devices",
        "/devices/meter-0-1",
        "/alarms",
        "/broadcast",
        "/commands",
        "/stars",
        "/settings",
        "/api/v1/devices",
        "/api/v1/devices/meter-0-1/history",
        "/metrics",
    ];
    for path in paths {
        let mut times: Vec<f64> = (0..15)
            .map(|_| {
                let start = tokio::time::Instant::now();
                assert!(load::get(page, path).is_some(), "{path}");
                start.elapsed().as_secs_f64() * 1000.0
            })
            .collect();
        times.sort_by(f64::total_cmp);
        texts.push(format!("{path} {:.1} ms", times[7]));
    }
    let latency = ask(page, "/api/v1/uplink", "/live_latency_ms").unwrap_or(0);
    format!("page under this load: {}; commit to PUBACK {latency} ms", texts.join(", "))
}

struct Sample {
    points: u64,
    wire: u64,
    stored_bytes: u64,
    missed: u64,
    cpu_ms: f64,
    written: u64,
}

fn sample(daemon: &Child, page: SocketAddr) -> Sample {
    let id = daemon.id();
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    let io = fs::read_to_string(format!("/proc/{id}/io")).unwrap();
    let written = io.lines().find_map(|l| l.strip_prefix("write_bytes: ")).unwrap();
    Sample {
        points: ask(page, "/api/v1/uplink", "/acknowledged_readings").unwrap_or(0),
        wire: ask(page, "/api/v1/uplink", "/acknowledged_bytes").unwrap_or(0),
        stored_bytes: ask(page, "/api/v1/buffer", "/committed_bytes").unwrap_or(0),
        missed: (0..20)
            .map(|bus| ask(page, "/api/v1/buses", &format!("/{bus}/counters/missed")).unwrap_or(0))
            .sum(),
        // USER_HZ is 100 on every Linux that we run on.
        cpu_ms: ticks as f64 * 10.0,
        written: written.parse().unwrap(),
    }
}

fn status_kib(daemon: &Child, key: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Profiles of the load: every value changes at every read, and every change is stored.
fn write_profiles(folder: &Path, points: usize) {
    let head = || {
        String::from(
            "category = \"electricity_meter\"\ntitle = { zh = \"负载\", en = \"Load\" }\n\
             products = [{ brand = \"bench\", model = \"bench\" }]\nsources = [\"benchmark\"]\n",
        )
    };
    let mut meter = head() + "[modbus]\ntable = \"holding\"\nencoding = \"u16\"\n";
    for n in 0..points {
        meter += &format!(
            "[[points]]\nname = \"value{n}\"\nunit = \"V\"\ndecimals = 1\n\
             address = {n}\nfactor = 0.1\n"
        );
    }
    meter += "[[examples]]\nregisters = [{ table = \"holding\", address = 0, words = [2301] }]\n\
              readings = { value0 = 230.1 }\n";
    let mut sensor = head() + "[mqtt]\ntopics = [{ pattern = \"{base}\" }]\n";
    for n in 0..8 {
        sensor += &format!(
            "[[points]]\nname = \"value{n}\"\nunit = \"Cel\"\n\
             decimals = 1\npath = \"/value{n}\"\n"
        );
    }
    sensor += "[[examples]]\nmessages = [{ topic = \"{base}\", payload = '{\"value0\": 1.5}' }]\nreadings = { value0 = 1.5 }\n";
    let profiles = folder.join("profiles");
    fs::create_dir(&profiles).unwrap();
    fs::write(profiles.join("bench-meter.toml"), meter).unwrap();
    fs::write(profiles.join("bench-sensor.toml"), sensor).unwrap();
}

fn configuration(
    scenario: &Scenario,
    folder: &Path,
    field: u16,
    platform: u16,
    page: u16,
    load: &Load,
) -> String {
    let at = folder.display();
    let mut text = format!(
        "[gateway]\nid = \"bench\"\nprofiles = [\"{at}/profiles\"]\n[clock]\ntrust = \"system\"\n\
         [buffer]\npath = \"{at}/buffer\"\nkeep_free = \"1MiB\"\n\
         [uplink]\nhost = \"127.0.0.1\"\nport = {platform}\nclient_id = \"bench\"\n\
         [mqtt]\nhost = \"127.0.0.1\"\nport = {field}\nclient_id = \"bench-field\"\n\
         [status]\nlisten = \"127.0.0.1:{page}\"\naccess = \"open\"\n"
    );
    for (bus, port) in load.modbus_ports().iter().enumerate() {
        text += &format!("[[bus]]\nid = \"bus-{bus}\"\ntcp = \"127.0.0.1:{port}\"\n");
        for unit in 1..=10 {
            text += &format!(
                "[[device]]\nid = \"meter-{bus}-{unit}\"\nprofile = \"bench-meter\"\nbus = \"bus-{bus}\"\n\
                 unit = {unit}\nperiod = \"{}ms\"\n",
                scenario.period_ms
            );
        }
    }
    for n in 0..scenario.mqtt_devices {
        text += &format!(
            "[[device]]\nid = \"sensor-{n}\"\nprofile = \"bench-sensor\"\ntopic = \"bench/{n}\"\n"
        );
    }
    if scenario.alarms {
        text += &load::alarms::devices();
    }
    text
}
