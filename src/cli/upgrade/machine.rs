//! The box that an upgrade works on: dpkg, systemd, the gateway's page.

use std::cmp::Ordering;
use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use serde::Deserialize;
use tokio::runtime::Runtime;
use tokio::time::Instant;

use super::super::doctor::{self, Known};
use crate::signed::TrustedKeys;
use crate::status::{Page, fetch};
use crate::upgrade::{Fault, PURPOSE, Package, Seen, Service, System};

/// Lines of a program's complaint that are passed on.
const LINES: usize = 12;

/// The box.
pub(super) struct Machine {
    config: PathBuf,
    trust: PathBuf,
    runtime: Runtime,
    began: Instant,
}

/// `/api/v1/uplink`, as far as it counts.
#[derive(Deserialize)]
struct Uplink {
    configured: bool,
    acknowledged_blocks: u64,
}

/// `/api/v1/devices`, as far as it counts.
#[derive(Deserialize)]
struct Device {
    readings: u64,
    not_good: u64,
}

/// Whether who runs this may change the system.
pub(super) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0)
}

impl Machine {
    pub fn new(config: &Path, trust: &Path, runtime: Runtime) -> Self {
        // Absolute: systemd runs the program in another folder.
        let config = std::path::absolute(config).unwrap_or_else(|_| config.to_owned());
        Self { config, trust: trust.to_owned(), runtime, began: Instant::now() }
    }

    fn page(&self) -> Result<Page, Fault> {
        // Each time anew: the token changes with every start of the gateway.
        Known::read(&self.config).page.ok_or_else(|| {
            Fault::new(
                "the trial is judged by the page: add [status] to the configuration",
                "试运行依靠本地页面判断：请在配置中加入 [status]",
            )
        })
    }

    fn ask<T: serde::de::DeserializeOwned>(&self, page: &Page, path: &str) -> Result<T, Fault> {
        let asked = self.runtime.block_on(fetch(page, path));
        let body = asked.map_err(|error| Fault::of_io(Path::new(path), &error))?;
        serde_json::from_str(&body).map_err(|error| {
            Fault::new(
                format!("{path}: the answer cannot be read: {error}"),
                format!("{path}：无法解读应答：{error}"),
            )
        })
    }
}

/// Runs a program; its output, or its own complaint.
fn run(command: &mut Command) -> Result<Output, Fault> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .env("LC_ALL", "C.UTF-8")
        .output()
        .map_err(|error| Fault::new(format!("{name}: {error}"), format!("{name}：{error}")))?;
    if output.status.success() {
        return Ok(output);
    }
    let told = [output.stderr.as_slice(), output.stdout.as_slice()].concat();
    let told = String::from_utf8_lossy(&told).into_owned();
    let told: Vec<&str> = told.lines().filter(|l| !l.trim().is_empty()).take(LINES).collect();
    let (told, status) = (told.join("\n"), output.status);
    Err(Fault::new(format!("{name}: {status}: {told}"), format!("{name}：{status}：{told}")))
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

impl System for Machine {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn pause(&mut self, span: Duration) {
        // Made inside: a timer needs the runtime around it.
        self.runtime.block_on(async { tokio::time::sleep(span).await });
    }

    fn wall_ms(&self) -> i64 {
        jiff::Timestamp::now().as_millisecond()
    }

    fn verify(&mut self, file: &Path, most: u64, out: &mut dyn Write) -> Result<(), Fault> {
        let fault = |fault: crate::signed::SignedFault| Fault(fault.words().clone());
        let keys = TrustedKeys::load(&self.trust).map_err(fault)?;
        let mut out = out;
        let approved = keys.verify_into(file, most, &mut out).map_err(fault)?;
        approved.require(PURPOSE).map_err(fault)
    }

    fn architecture(&mut self) -> Result<String, Fault> {
        Ok(text(&run(Command::new("dpkg").arg("--print-architecture"))?))
    }

    fn package(&mut self, file: &Path) -> Result<Package, Fault> {
        let field = |name: &str| {
            Ok(text(&run(Command::new("dpkg-deb").arg("--field").arg(file).arg(name))?))
        };
        Ok(Package {
            name: field("Package")?,
            version: field("Version")?,
            architecture: field("Architecture")?,
        })
    }

    fn installed(&mut self) -> Option<String> {
        let asked =
            run(Command::new("dpkg-query").args(["-W", "-f", "${Status}\n${Version}", "linli"]));
        // Without dpkg there is no package.
        let told = text(&asked.ok()?);
        let (status, version) = told.split_once('\n')?;
        status.starts_with("install ok").then(|| version.to_owned())
    }

    fn compare(&mut self, one: &str, other: &str) -> Result<Ordering, Fault> {
        for (word, order) in [("lt", Ordering::Less), ("eq", Ordering::Equal)] {
            let asked =
                Command::new("dpkg").args(["--compare-versions", one, word, other]).status();
            let status = asked.map_err(|e| Fault::of_io(Path::new("dpkg"), &e))?;
            if status.success() {
                return Ok(order);
            }
        }
        Ok(Ordering::Greater)
    }

    fn unpack(&mut self, file: &Path, into: &Path) -> Result<(), Fault> {
        run(Command::new("dpkg-deb").arg("--extract").arg(file).arg(into)).map(drop)
    }

    fn can_install(&mut self, file: &Path) -> Result<(), Fault> {
        run(Command::new("dpkg").args(["--dry-run", "--install"]).arg(file)).map(drop)
    }

    fn install(&mut self, file: &Path) -> Result<(), Fault> {
        // The configuration is ours to change, and the service ours to start: the package's own
        // start would come before the drop-in of the trial is gone.
        let mut command = Command::new("dpkg");
        command.args(["--force-confold", "--force-downgrade", "--install"]).arg(file);
        command.env("DEBIAN_FRONTEND", "noninteractive").env("SYSTEMD_OFFLINE", "1");
        run(&mut command).map(drop)
    }

    fn version(&mut self, program: &Path) -> Result<String, Fault> {
        let told = text(&run(Command::new(program).arg("--version"))?);
        Ok(told.split_whitespace().last().unwrap_or_default().to_owned())
    }

    fn check(&mut self, program: &Path, config: &Path) -> Result<(), Fault> {
        run(Command::new(program).arg("check").arg("--config").arg(config)).map(drop)
    }

    fn migrate(&mut self, program: &Path, config: &Path) -> Result<(), Fault> {
        let mut command = Command::new(program);
        command.args(["config", "migrate", "--write", "--config"]).arg(config);
        run(&mut command).map(drop)
    }

    fn reload_units(&mut self) -> Result<(), Fault> {
        run(Command::new("systemctl").arg("daemon-reload")).map(drop)
    }

    fn restart(&mut self) -> Result<(), Fault> {
        // A unit that failed too often would not be started.
        if let Err(fault) = run(Command::new("systemctl").args(["reset-failed", "linli.service"])) {
            tracing::debug!(%fault, "nothing to forget");
        }
        run(Command::new("systemctl").args(["restart", "linli.service"])).map(drop)
    }

    fn service(&mut self) -> Result<Service, Fault> {
        let seen = doctor::service()
            .ok_or_else(|| Fault::new("systemd does not answer", "systemd 无应答"))?;
        let program = seen.pid().and_then(|pid| fs::read_link(format!("/proc/{pid}/exe")).ok());
        Ok(Service {
            active: seen.runs(),
            failed: seen.failed(),
            program,
            restarts: seen.restarts(),
            result: seen.result().to_owned(),
        })
    }

    fn seen(&mut self) -> Result<Seen, Fault> {
        let page = self.page()?;
        let uplink: Uplink = self.ask(&page, "/api/v1/uplink")?;
        let devices: Vec<Device> = self.ask(&page, "/api/v1/devices")?;
        Ok(Seen {
            devices: !devices.is_empty(),
            good_reading: devices.iter().any(|device| device.readings > device.not_good),
            platform: uplink.configured,
            acknowledged: uplink.acknowledged_blocks > 0,
        })
    }
}
