//! Gathers the texts of a support bundle.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::doctor::{self, Known};
use super::super::page::token_beside;
use crate::access::{ConsoleToken, USERS_FILE};
use crate::app::users_file;
use crate::bundle::{Bundle, Scrubber};
use crate::doctor::Language;
use crate::status::{Page, fetch};

/// Lines of the journal.
const JOURNAL_LINES: &str = "5000";
/// Most bytes of a file that are read.
const MOST_FILE: u64 = 1 << 20;

/// What the gateway is asked for.
const RESOURCES: [(&str, &str, &str); 10] = [
    ("/readyz", "api/readyz.json", "promises kept and broken"),
    ("/api/v1/gateway", "api/gateway.json", "state, clock, troubles"),
    ("/api/v1/buffer", "api/buffer.json", "buffer and wear"),
    ("/api/v1/uplink", "api/uplink.json", "delivery to the platform"),
    ("/api/v1/buses", "api/buses.json", "buses and findings"),
    ("/api/v1/devices", "api/devices.json", "devices and their health"),
    ("/api/v1/risk", "api/risk.json", "risk grades"),
    ("/api/v1/stars", "api/stars.json", "star level"),
    ("/api/v1/audit?limit=200", "api/audit.json", "who did what lately"),
    ("/metrics", "api/metrics.txt", "metrics"),
];

/// Files of the system.
const FILES: [(&str, &str); 9] = [
    ("/proc/version", "kernel"),
    ("/etc/os-release", "system"),
    ("/proc/uptime", "time since the start"),
    ("/proc/loadavg", "load"),
    ("/proc/meminfo", "memory"),
    ("/proc/mounts", "file systems"),
    ("/proc/device-tree/model", "board"),
    ("/proc/tty/drivers", "serial drivers"),
    ("/proc/net/dev", "network interfaces"),
];

/// What is run.
const COMMANDS: [(&str, &[&str], &str, &str); 9] = [
    (
        "journalctl",
        &["-u", "linli", "-n", JOURNAL_LINES, "--no-pager", "-o", "short-iso-precise"],
        "journal.txt",
        "end of the log",
    ),
    (
        "journalctl",
        &["-k", "-n", "300", "--no-pager", "-o", "short-iso-precise"],
        "kernel.txt",
        "end of the kernel's log",
    ),
    (
        "systemctl",
        &["cat", "linli.service", "--no-pager"],
        "service/unit.txt",
        "service unit with drop-ins",
    ),
    (
        "systemctl",
        &["show", "linli.service", "--no-pager"],
        "service/state.txt",
        "state of the service",
    ),
    (
        "systemctl",
        &["--failed", "--no-pager", "--plain"],
        "service/failed.txt",
        "units that failed",
    ),
    ("timedatectl", &["show"], "system/time.txt", "time service"),
    ("df", &["-k"], "system/df.txt", "room on the disks"),
    ("ip", &["-brief", "address"], "system/addresses.txt", "addresses"),
    (
        "dpkg-query",
        &["-W", "-f", "${Package} ${Version} ${Architecture} ${Status}\n", "linli", "mosquitto"],
        "system/packages.txt",
        "installed packages",
    ),
];

/// Gathers everything; `network` says whether the doctor may try brokers.
pub(super) async fn all(config: &Path, network: bool) -> Bundle {
    let known = Known::read(config);
    let mut bundle = Bundle::new(secrets(config, &known));
    bundle.add("version.txt", "version of the program", &version());
    let report = doctor::examine(config, network).await;
    bundle.add("doctor.txt", "what the doctor says", &report.text(Language::Both));
    bundle.add("doctor.json", "the same for machines", &report.json());
    configuration(config, &mut bundle);
    match &known.page {
        Some(page) => answers(page, &mut bundle).await,
        None => bundle.miss("api/", "the configuration has no page"),
    }
    for (program, arguments, name, what) in COMMANDS {
        bundle.add_result(name, what, output(program, arguments));
    }
    for (path, what) in FILES {
        let name = format!("system{}.txt", path.trim_start_matches("/proc").replace("/etc", ""));
        bundle.add_result(&name, what, read(Path::new(path)));
    }
    let serial = crate::doctor::serial::present(Path::new("/")).join("\n");
    bundle.add("system/serial.txt", "serial lines", &serial);
    bundle
}

fn version() -> String {
    let program =
        std::env::current_exe().map_or_else(|e| e.to_string(), |p| p.display().to_string());
    format!(
        "linli {} {}-{}\n{program}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH,
        std::env::consts::OS
    )
}

/// The secrets of this box, as far as this user can read them. Who cannot read one cannot give it
/// away here either, but for those in answers of others; shapes and names catch those.
fn secrets(config: &Path, known: &Known) -> Scrubber {
    let mut scrubber = Scrubber::default();
    let mut users = vec![known.buffer.path.with_file_name(USERS_FILE)];
    users.extend(known.settings.as_ref().map(users_file));
    for file in &users {
        // The variable hides the console's token from who asks; here both are secrets.
        let console = file.parent().and_then(|folder| ConsoleToken::read(folder).ok());
        for token in [token_beside(file), console].into_iter().flatten() {
            scrubber.hide(token.expose());
        }
        if let Ok(text) = read(file) {
            let kept = serde_json::from_str(&text).unwrap_or_default();
            hide_all(&kept, &mut scrubber);
        }
    }
    for file in secret_files(config, known) {
        if let Ok(text) = read(&file) {
            text.lines().for_each(|line| scrubber.hide(line));
        }
    }
    scrubber
}

/// Hashes of passwords and of tokens, wherever they stand in the users file.
fn hide_all(kept: &serde_json::Value, scrubber: &mut Scrubber) {
    match kept {
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                match value.as_str() {
                    Some(text) if matches!(key.as_str(), "hash" | "digest" | "sha256") => {
                        scrubber.hide(text);
                    }
                    _ => hide_all(value, scrubber),
                }
            }
        }
        serde_json::Value::Array(list) => list.iter().for_each(|value| hide_all(value, scrubber)),
        _ => {}
    }
}

/// Files with passwords and keys that the configuration names, whether or not it is good.
fn secret_files(config: &Path, known: &Known) -> Vec<PathBuf> {
    let mut found = Vec::new();
    if let Some(settings) = &known.settings {
        let uplink = settings.uplink.as_ref().map(|uplink| &uplink.broker);
        let field = settings.mqtt.as_ref().map(|mqtt| &mqtt.broker);
        for broker in [uplink, field].into_iter().flatten() {
            found.extend(broker.password_file.clone());
            found.extend(broker.tls.as_ref().and_then(|tls| tls.key_file.clone()));
        }
    }
    let folder = config.parent().unwrap_or(Path::new(""));
    let table: toml::Table = read(config).unwrap_or_default().parse().unwrap_or_default();
    for section in ["uplink", "mqtt"] {
        let path = table.get(section).and_then(|section| section.get("password_file"));
        found.extend(path.and_then(|path| path.as_str()).map(|path| folder.join(path)));
    }
    found
}

fn configuration(config: &Path, bundle: &mut Bundle) {
    let what = "configuration, without secrets and comments";
    match read(config) {
        Ok(text) => bundle.add_toml("config/linli.toml", what, &text),
        Err(why) => bundle.miss("config/linli.toml", &why),
    }
    let folder = config.parent().unwrap_or(Path::new("")).join("conf.d");
    let Ok(entries) = fs::read_dir(&folder) else { return };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == "toml")) {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        match read(file) {
            Ok(text) => bundle.add_toml(&format!("config/conf.d/{name}"), what, &text),
            Err(why) => bundle.miss(&format!("config/conf.d/{name}"), &why),
        }
    }
}

async fn answers(page: &Page, bundle: &mut Bundle) {
    for (resource, name, what) in RESOURCES {
        let answer = fetch(page, resource).await;
        let refused =
            answer.as_ref().is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionRefused);
        bundle.add_result(name, what, answer.map_err(|error| error.to_string()));
        if refused {
            bundle.miss("api/", "the gateway does not run");
            return;
        }
    }
}

fn output(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if text.trim().is_empty() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{program}: {}", why.lines().next().unwrap_or("it said nothing")));
    }
    Ok(text)
}

fn read(path: &Path) -> Result<String, String> {
    use std::io::Read as _;
    let cannot = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(cannot)?;
    file.take(MOST_FILE).read_to_end(&mut bytes).map_err(cannot)?;
    Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned())
}
