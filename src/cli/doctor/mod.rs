//! `linli doctor`: looks at everything around the gateway and says what to do, worst first.

mod known;
mod running;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use super::{runtime, say};
use crate::account::Account;
use crate::app::{checkup_of, expiries};
use crate::clock::{Trust, is_synchronised};
use crate::config::Settings;
use crate::doctor::account;
use crate::doctor::service::{self, Service};
use crate::doctor::storage::{self, Disk};
use crate::doctor::{Area, Item, Language, Level, Report, clock, gateway, links, memory, serial};
use crate::driver::Transport;
use crate::model::{WallTime, Words};
use crate::selftest;
use crate::store::{self, StoreError};
pub(super) use known::Known;
use running::Running;

/// The files of the system begin here.
const ROOT: &str = "/";
/// The user of the unit that comes with the program.
const USER: &str = "linli";

const EXIT_CODES: &str = "Exit codes: 0 nothing to do; 1 the doctor itself failed; 2 a warning, \
or something could not be looked at; 3 critical. Works without a running gateway, with a wrong \
configuration, and for every user; as root it sees most.";

/// What to look at.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// Configuration file.
    #[arg(short, long, value_name = "FILE", default_value = "/etc/linli/linli.toml")]
    config: PathBuf,
    /// Language of the report (语言).
    #[arg(long, value_enum, default_value_t)]
    lang: Language,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Ask nobody over the network: neither name servers nor brokers (不联网).
    #[arg(long)]
    offline: bool,
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let report = runtime()?.block_on(examine(&arguments.config, !arguments.offline));
    if arguments.json {
        say(&report.json());
    } else {
        say(report.text(arguments.lang).trim_end());
    }
    Ok(ExitCode::from(report.exit_code()))
}

/// Looks at everything. `network` says whether brokers may be tried.
pub(super) async fn examine(config: &Path, network: bool) -> Report {
    let mut items = Vec::new();
    let service = service();
    let known = Known::read(config);
    let running = Running::ask(known.page.as_ref()).await;
    let answers = running.answers();
    items.extend(known.items(answers));
    match &service {
        Some(service) => items.extend(service::judge(service, answers)),
        None => items.push(Item::unseen(
            Area::Service,
            ("systemd does not answer here", "此处 systemd 无应答"),
            ("run the doctor on the box itself", "请在网关本机执行"),
        )),
    }
    items.extend(running.items());
    items.extend(super::upgrade::doctor_items());
    machine(&known, running.buffer.as_ref().map(|buffer| buffer.file_bytes), &mut items);
    let account = account_of(service.as_ref());
    items.extend(serial::look(Path::new(ROOT), &known.lines(), account.as_ref()));
    if let Some(settings) = &known.settings {
        if let Some(account) = &account {
            items.extend(account::files(account, &files(settings)));
        }
        items.extend(links::safety(&selftest::run(&checkup_of(settings))));
        let trusted = running.clock_trusted().unwrap_or_else(|| {
            let clock = &settings.clock;
            clock.trust == Trust::System || is_synchronised(clock)
        });
        if running.clock_trusted().is_none() {
            items.push(clock::look(&settings.clock, SystemTime::now()));
        }
        certificates(settings, trusted, &mut items).await;
        if network {
            brokers(settings, trusted, &mut items).await;
        }
    }
    Report::new(items)
}

/// Disks, memory, the hardware clock.
fn machine(known: &Known, used: Option<u64>, items: &mut Vec<Item>) {
    let root = Path::new(ROOT);
    match (Disk::of(&known.buffer.path), Disk::of(root)) {
        (Ok(disk), system) => {
            items.extend(storage::buffer(&disk, &known.buffer, used));
            // Two folders of one file system are told once.
            if let Ok(system) = system
                && (system.total, system.free) != (disk.total, disk.free)
            {
                items.extend(storage::system(&system));
            }
        }
        (Err(error), _) => {
            let (at, why) = (known.buffer.path.display(), Words::of_io(&error));
            items.push(Item::unseen(
                Area::Storage,
                (format!("{at}: {}", why.en), format!("{at}：{}", why.zh)),
                ("run the doctor as root", "以 root 身份运行 linli doctor"),
            ));
        }
    }
    if let Err(error) = store::is_readable(&known.buffer.path) {
        let told = error.to_string();
        items.push(match error {
            StoreError::TooNew(_) => Item::wrong(
                Area::Storage,
                Level::Critical,
                (told.clone(), told),
                ("install the later version again", "重新安装更高版本"),
            ),
            _ => Item::unseen(
                Area::Storage,
                (told.clone(), told),
                ("run the doctor as root", "以 root 身份运行 linli doctor"),
            ),
        });
    }
    items.extend(storage::wear(root));
    items.push(memory::look(root));
    items.push(clock::battery(root));
}

/// What systemd says of the service; `None` where it does not answer.
pub(super) fn service() -> Option<Service> {
    let asked = Command::new("systemctl")
        .args(["show", "linli.service", "--property", service::PROPERTIES])
        .output();
    let output = asked.ok().filter(|output| output.status.success())?;
    Some(Service::parse(&String::from_utf8_lossy(&output.stdout)))
}

fn account_of(service: Option<&Service>) -> Option<Account> {
    let unit = service.filter(|service| service.is_known());
    let name = unit.and_then(Service::user).unwrap_or(USER);
    let groups = unit.map(Service::groups).unwrap_or_default();
    Account::find(Path::new(ROOT), name, &groups)
}

/// What the service must be able to read.
fn files(settings: &Settings) -> Vec<&Path> {
    let uplink = settings.uplink.as_ref().map(|uplink| &uplink.broker);
    let field = settings.mqtt.as_ref().map(|mqtt| &mqtt.broker);
    let mut found = Vec::new();
    for broker in [uplink, field].into_iter().flatten() {
        found.extend(broker.password_file.as_deref());
        if let Some(tls) = &broker.tls {
            let files = [&tls.ca_file, &tls.cert_file, &tls.key_file];
            found.extend(files.into_iter().flatten().map(PathBuf::as_path));
        }
    }
    // Credentials of systemd are there while the service runs, and for it alone.
    found.retain(|path| !path.starts_with("/run/credentials"));
    found
}

async fn certificates(settings: &Settings, trusted: bool, items: &mut Vec<Item>) {
    let (held, unreadable) = expiries(settings).await;
    items.extend(links::certificates(&held, &unreadable, trusted.then(now)));
}

async fn brokers(settings: &Settings, trusted: bool, items: &mut Vec<Item>) {
    let field = settings.mqtt.as_ref().map(|mqtt| (&mqtt.broker, true));
    let platform = settings.uplink.as_ref().map(|uplink| (&uplink.broker, false));
    for (broker, field) in [field, platform].into_iter().flatten() {
        // The platform may know us by our client id alone: there no session is tried.
        let tried = broker.reach(field).await;
        items.push(links::broker(broker, field, &tried));
        let expires_ms = tried.ok().and_then(|reached| reached.expires_ms);
        if let Some(expires_ms) = expires_ms {
            let what = if field { "mqtt.broker" } else { "uplink.broker" };
            let expiry = crate::status::promises::Expiry {
                what: what.into(),
                source: broker.title(),
                expires_ms,
            };
            items.extend(links::certificates(&[expiry], &[], trusted.then(now)));
        }
    }
}

fn now() -> WallTime {
    WallTime { unix_ms: jiff::Timestamp::now().as_millisecond() }
}

impl Known {
    /// The serial lines of the configuration.
    fn lines(&self) -> Vec<serial::Line> {
        let buses = self.settings.iter().flat_map(|settings| &settings.buses);
        buses
            .filter_map(|bus| match &bus.config.transport {
                Transport::Serial { path } => Some(serial::Line {
                    bus: bus.config.id.as_str().to_owned(),
                    path: PathBuf::from(path),
                }),
                _ => None,
            })
            .collect()
    }
}

impl Running {
    fn items(&self) -> Vec<Item> {
        let mut items = self.page.clone();
        items.extend(self.gateway.iter().flat_map(gateway::judge));
        items.extend(self.buffer.iter().flat_map(gateway::buffer));
        items.extend(self.uplink.as_ref().and_then(gateway::uplink));
        items.extend(gateway::buses(&self.buses));
        items
    }
}
