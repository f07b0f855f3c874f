//! `linli scan`: what hangs on a line, in a network or at a broker, as entries of the
//! configuration.

mod line;
mod mqtt;
mod port;
mod report;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use super::run::told_to_stop;
use super::{BAD_CONFIGURATION, complain, runtime};
use crate::config::{self, Connection, Settings};
use crate::driver::Transport;
use crate::driver::scan::{Kind, Models, NetworkScan, ScanEvent, ScanOptions, ScanPlan, Targets};
use crate::settings::{check_endpoint, parse_duration};
use line::Line;
pub(super) use port::remedy as port_remedy;
use report::Report;

/// Nothing answered.
const NOTHING_FOUND: u8 = 1;
/// The line cannot be used (`EX_UNAVAILABLE`).
const NOT_AVAILABLE: u8 = 69;

/// What is scanned by asking, where a broker is only listened to.
const WIRED: [&str; 4] = ["bus", "serial", "tcp", "rtu_over_tcp"];

/// What to scan, and how.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// A bus of the configuration. When the gateway runs, it asks between its polls (总线名).
    #[arg(value_name = "BUS")]
    bus: Option<String>,
    /// A serial port of this machine (串口).
    #[arg(long, value_name = "PATH", conflicts_with = "bus")]
    serial: Option<String>,
    /// Modbus TCP: HOST, HOST:PORT, 192.168.1.0/24, 192.168.1.10-20; at most 4096 (网段).
    #[arg(long, value_name = "RANGE", conflicts_with_all = ["bus", "serial"])]
    tcp: Option<String>,
    /// A serial line behind a server that hands its bytes through (串口服务器).
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["bus", "serial", "tcp"])]
    rtu_over_tcp: Option<String>,
    /// Devices that announce themselves on a broker; the one of `[mqtt]` when left out (消息代理).
    #[arg(long, value_name = "HOST:PORT", num_args = 0..=1, default_missing_value = "",
          conflicts_with_all = WIRED,
          conflicts_with_all = ["baud", "frame", "units", "protocol", "patience"])]
    mqtt: Option<String>,
    /// How long announcements and messages are listened to (收听时长).
    #[arg(long, value_name = "DURATION", requires = "mqtt", conflicts_with_all = WIRED,
          default_value = "10s")]
    listen: String,
    /// Prefix of discovery messages in the manner of Home Assistant (发现前缀).
    #[arg(long, value_name = "TOPIC", requires = "mqtt", conflicts_with_all = WIRED,
          default_value = "homeassistant")]
    ha_prefix: String,
    /// Base topics of Zigbee2MQTT (根主题).
    #[arg(
        long,
        value_name = "TOPIC,…",
        requires = "mqtt",
        conflicts_with_all = WIRED,
        value_delimiter = ',',
        default_value = "zigbee2mqtt"
    )]
    z2m_base: Vec<String>,
    /// Save profiles made from announcements here, without overwriting any (设备模型文件夹).
    #[arg(long, value_name = "FOLDER", requires = "mqtt", conflicts_with_all = WIRED)]
    profiles: Option<PathBuf>,
    #[command(flatten)]
    limits: Limits,
    /// Longest time to an answer: 200ms to 600ms by protocol when left out (等待时间).
    #[arg(long, value_name = "DURATION")]
    patience: Option<String>,
    /// Print every event as a JSON object on a line of its own.
    #[arg(long)]
    json: bool,
    /// Append the entries to this file, best one in `conf.d/` beside the configuration.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Configuration file.
    #[arg(short, long, value_name = "FILE", default_value = "/etc/linli/linli.toml")]
    config: PathBuf,
}

/// What of a line is scanned.
#[derive(Debug, clap::Args)]
pub(super) struct Limits {
    /// Baud rates, instead of the usual ones (波特率).
    #[arg(long, value_name = "RATE,…", value_delimiter = ',')]
    pub baud: Vec<u32>,
    /// Framings: 8N1, 8E1, 8O1, 8N2, 8E2, 8O2 (校验与停止位).
    #[arg(long, value_name = "FRAME,…", value_delimiter = ',')]
    pub frame: Vec<String>,
    /// Modbus unit ids: 1-32,40; all when left out (站号).
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub units: Vec<String>,
    /// Protocols: modbus, dlt645, cjt188 (协议).
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub protocol: Vec<String>,
}

const EXIT_CODES: &str =
    "Prints ready [[device]] entries on standard output; progress and remarks \
go to standard error. Only reads: nothing is changed in any device, \
nothing is published.

Exit codes: 0 something was found; 1 nothing was found; 64 a wrong option or configuration; \
69 the line cannot be used, the reason is on standard error.";

/// What is to be scanned.
enum Target {
    /// A line; its bus, when the configuration has it.
    Line {
        transport: Transport,
        bus: Option<usize>,
    },
    Network(Targets),
}

/// Why there is nothing to scan.
enum Stop {
    /// An option or the configuration is wrong; what to tell.
    Wrong(String),
    /// The line cannot be used; what to tell.
    Unavailable(String),
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let found = match &arguments.mqtt {
        Some(address) => match mqtt::prepare(arguments, address) {
            Ok(prepared) => runtime()?.block_on(mqtt::scan(arguments, prepared))?,
            Err(stop) => Err(stop),
        },
        None => match prepare(arguments) {
            Ok((settings, target, options)) => {
                runtime()?.block_on(scan(arguments, settings.as_ref(), target, &options))?
            }
            Err(stop) => Err(stop),
        },
    };
    let (told, code) = match found {
        Ok(0) => return Ok(ExitCode::from(NOTHING_FOUND)),
        Ok(_) => return Ok(ExitCode::SUCCESS),
        Err(stop) => stop.told(),
    };
    complain(&told);
    Ok(ExitCode::from(code))
}

impl Stop {
    /// What is told, and how the process ends.
    fn told(self) -> (String, u8) {
        match self {
            Stop::Wrong(told) => (told, BAD_CONFIGURATION),
            Stop::Unavailable(told) => (told, NOT_AVAILABLE),
        }
    }
}

type Prepared = (Option<Settings>, Target, ScanOptions);

/// Looks at the options and the configuration; opens nothing.
fn prepare(arguments: &Arguments) -> Result<Prepared, Stop> {
    let settings = configuration(arguments)?;
    let target = target(arguments, settings.as_ref())?;
    let patience_ms = match &arguments.patience {
        None => None,
        Some(text) => {
            let span = parse_duration(text).map_err(|wrong| {
                let problem = wrong.problem;
                Stop::Wrong(format!(
                    "--patience {text}: {} / {}; allowed are 10ms to 10s",
                    problem.en, problem.zh
                ))
            })?;
            Some(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
        }
    };
    let options = ScanOptions {
        baud: arguments.limits.baud.clone(),
        frame: arguments.limits.frame.clone(),
        units: arguments.limits.units.clone(),
        protocol: arguments.limits.protocol.clone(),
        patience_ms,
    };
    plan(&options, &target, settings.as_ref())?;
    Ok((settings, target, options))
}

/// The configuration, when there is one. Only a bus by name needs it.
fn configuration(arguments: &Arguments) -> Result<Option<Settings>, Stop> {
    let path = &arguments.config;
    if arguments.bus.is_none() && !path.exists() {
        return Ok(None);
    }
    match config::load(path) {
        Ok(settings) => Ok(Some(settings)),
        Err(faults) if arguments.bus.is_some() => Err(Stop::Wrong(faults.to_string())),
        Err(_) => {
            complain(&format!(
                "{} has faults and is left aside, see `linli check` / 配置有误，未采用",
                path.display()
            ));
            Ok(None)
        }
    }
}

fn target(arguments: &Arguments, settings: Option<&Settings>) -> Result<Target, Stop> {
    let buses = settings.map_or(&[][..], |settings| &settings.buses);
    let endpoint = |option: &str, address: &str| {
        check_endpoint(address, 502).map_err(|wrong| {
            let problem = wrong.problem;
            Stop::Wrong(format!("{option} {address}: {} / {}", problem.en, problem.zh))
        })
    };
    let transport = if let Some(name) = &arguments.bus {
        let bus = buses.iter().find(|bus| bus.config.id.as_str() == name);
        let bus = bus.ok_or_else(|| {
            let names: Vec<&str> = buses.iter().map(|bus| bus.config.id.as_str()).collect();
            Stop::Wrong(format!(
                "there is no bus `{name}` / 没有总线 `{name}`; allowed are {}",
                names.join(", ")
            ))
        })?;
        bus.config.transport.clone()
    } else if let Some(path) = &arguments.serial {
        Transport::Serial { path: path.clone() }
    } else if let Some(address) = &arguments.rtu_over_tcp {
        endpoint("--rtu-over-tcp", address)?;
        Transport::RtuOverTcp { address: address.clone() }
    } else if let Some(range) = &arguments.tcp {
        let targets = Targets::parse(range).map_err(|bad| Stop::Wrong(format!("--tcp: {bad}")))?;
        return Ok(Target::Network(targets));
    } else {
        return Err(Stop::Wrong(
            "what shall be scanned? BUS, --serial PATH, --tcp RANGE, --rtu-over-tcp HOST:PORT or --mqtt / \
             请指明要扫描的总线、串口、网段或消息代理"
                .to_owned(),
        ));
    };
    let bus = buses.iter().position(|bus| bus.config.transport == transport);
    Ok(Target::Line { transport, bus })
}

/// Devices of the configuration on a bus: address as shown to people, identifier.
fn known(settings: Option<&Settings>, bus: usize) -> BTreeMap<String, String> {
    let devices = settings.into_iter().flat_map(|settings| &settings.devices);
    let here = devices.filter_map(|device| match &device.connection {
        Connection::Bus { bus: slot, address, .. } if *slot == bus => {
            Some((address.to_string(), device.id.to_string()))
        }
        _ => None,
    });
    here.collect()
}

fn plan(
    options: &ScanOptions,
    target: &Target,
    settings: Option<&Settings>,
) -> Result<ScanPlan, Stop> {
    let (kind, bus) = match target {
        Target::Network(_) => (Kind::Mbap, None),
        Target::Line { transport, bus } => (kind(transport), *bus),
    };
    let known = bus.map(|bus| known(settings, bus)).unwrap_or_default();
    options.plan(kind, known).map_err(|bad| Stop::Wrong(format!("--{bad}")))
}

fn kind(transport: &Transport) -> Kind {
    match transport {
        Transport::Tcp { .. } => Kind::Mbap,
        Transport::RtuOverTcp { .. } => Kind::Fixed,
        Transport::Serial { .. } => Kind::Serial,
    }
}

/// Scans; how many devices were found.
async fn scan(
    arguments: &Arguments,
    settings: Option<&Settings>,
    target: Target,
    options: &ScanOptions,
) -> anyhow::Result<Result<usize, Stop>> {
    let plan = match plan(options, &target, settings) {
        Ok(plan) => plan,
        Err(stop) => return Ok(Err(stop)),
    };
    let dirs = settings.map_or(&[][..], |settings| &settings.profile_dirs);
    let models = match Models::load(dirs) {
        Ok(models) => models,
        Err(faults) => return Ok(Err(Stop::Wrong(faults))),
    };
    let told = told_to_stop()?;
    tokio::pin!(told);
    let mut report = Report::new(arguments.json);
    let mut failed = None;
    match target {
        Target::Network(targets) => {
            let scan = NetworkScan::new(targets, plan, models, endpoints(settings));
            tokio::select! {
                () = scan.run(|event| report.take(event)) => {}
                () = &mut told => report.interrupted(),
            }
        }
        Target::Line { transport, bus } => {
            let line = Line::open(transport, bus, settings, plan, models, options).await;
            let mut line = match line {
                Ok(line) => line,
                Err(stop) => return Ok(Err(stop)),
            };
            loop {
                let event = tokio::select! {
                    event = line.next() => event,
                    () = &mut told => {
                        report.interrupted();
                        break;
                    }
                };
                let Some(event) = event else { break };
                if let ScanEvent::Failed { why } = &event {
                    failed = Some(format!("{} / {}", why.en, why.zh));
                }
                report.take(event);
            }
            report.on_bus(line.bus());
        }
    }
    let found = report.finish(settings, arguments.write.as_deref())?;
    // What was found counts even where the line broke later.
    Ok(match failed {
        Some(why) if found == 0 => Err(Stop::Unavailable(why)),
        Some(why) => {
            complain(&why);
            Ok(found)
        }
        None => Ok(found),
    })
}

/// Scans a line of `linli setup`: entries of what answers, and progress on standard error.
///
/// # Errors
/// Why the line cannot be used or the scan cannot be, or that it was given up.
pub(super) async fn propose(
    transport: Transport,
    settings: &Settings,
    options: &ScanOptions,
) -> Result<String, String> {
    let bus = settings.buses.iter().position(|bus| bus.config.transport == transport);
    let target = Target::Line { transport: transport.clone(), bus };
    let told = |stop: Stop| stop.told().0;
    let plan = plan(options, &target, Some(settings)).map_err(told)?;
    let models = Models::load(&settings.profile_dirs)?;
    let line = Line::open(transport, bus, Some(settings), plan, models, options).await;
    let mut line = line.map_err(told)?;
    let given_up = told_to_stop().map_err(|error| error.to_string())?;
    tokio::pin!(given_up);
    let mut report = Report::new(false);
    loop {
        let event = tokio::select! {
            event = line.next() => event,
            () = &mut given_up => {
                return Err("given up; nothing was written / 已放弃，未写入任何内容".to_owned());
            }
        };
        let Some(event) = event else { break };
        if let ScanEvent::Failed { why } = &event {
            return Err(format!("{} / {}", why.en, why.zh));
        }
        report.take(event);
    }
    report.on_bus(line.bus());
    Ok(report.into_entries(settings))
}

/// Devices of the configuration behind each TCP endpoint.
fn endpoints(settings: Option<&Settings>) -> BTreeMap<String, BTreeMap<String, String>> {
    let buses = settings.into_iter().flat_map(|settings| settings.buses.iter().enumerate());
    buses
        .filter_map(|(slot, bus)| match &bus.config.transport {
            Transport::Tcp { address } => Some((address.clone(), known(settings, slot))),
            _ => None,
        })
        .collect()
}
