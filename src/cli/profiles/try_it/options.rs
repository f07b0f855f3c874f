//! The options of `profiles try`, as the configuration of a gateway with this one device.

use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::{Table, Value};

use crate::cli::profiles::find::{Found, member_count};
use crate::config::{self, Settings};
use crate::profile::{Binding, Library, Profile};
use crate::settings::parse_duration;

/// The device is read whenever it is asked for, not by itself.
const PERIOD: &str = "7d";

/// Which device, where, and what to show.
#[derive(Debug, clap::Args)]
#[command(after_help = super::EXIT_CODES)]
pub(in crate::cli) struct Arguments {
    /// Identifier of a profile, or a file of one (型号或文件).
    #[arg(value_name = "ID|FILE")]
    pub profile: String,
    /// Modbus TCP endpoint (Modbus TCP 地址).
    #[arg(long, value_name = "HOST:PORT", group = "way")]
    pub tcp: Option<String>,
    /// A serial line behind a server that hands its bytes through (串口服务器).
    #[arg(long, value_name = "HOST:PORT", group = "way")]
    pub rtu_over_tcp: Option<String>,
    /// A serial port of this machine (串口).
    #[arg(long, value_name = "PATH", group = "way")]
    pub serial: Option<String>,
    /// MQTT: the broker that the device publishes to (消息代理).
    #[arg(long, value_name = "HOST:PORT", group = "way", requires = "base")]
    pub broker: Option<String>,
    /// Modbus: unit id; that of the model when left out (站号).
    #[arg(long, value_name = "UNIT", conflicts_with = "address")]
    pub unit: Option<u8>,
    /// Address of a meter as printed on it: 12 digits (DL/T 645) or 14 (CJ/T 188) (表地址).
    #[arg(long, value_name = "DIGITS")]
    pub address: Option<String>,
    /// Baud rate, when it is not the model's own (波特率).
    #[arg(long, value_name = "BAUD")]
    pub baud: Option<u32>,
    /// 8N1, 8E1, 8O1, 8N2, 8E2, 8O2, when it is not the model's own (校验与停止位).
    #[arg(long, value_name = "FRAME")]
    pub frame: Option<String>,
    /// Longest time to an answer, when it is not the model's own (等待时间).
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<String>,
    /// MQTT: user name.
    #[arg(long, value_name = "NAME", requires = "broker")]
    pub username: Option<String>,
    /// MQTT: file with the password.
    #[arg(long, value_name = "FILE", requires = "username")]
    pub password_file: Option<PathBuf>,
    /// MQTT: the device's base topic (主题).
    #[arg(long, value_name = "TOPIC", requires = "broker")]
    pub base: Option<String>,
    /// A parameter of the profile, e.g. ct=40; more than once if wanted (参数).
    #[arg(long, value_name = "NAME=VALUE", value_parser = named)]
    pub param: Vec<(String, f64)>,
    /// How many members a group has, e.g. cells=60; more than once if wanted (组内数量).
    #[arg(long, value_name = "NAME=COUNT", value_parser = member_count)]
    pub group: Vec<(String, u16)>,
    /// Time between two rounds (间隔).
    #[arg(long, value_name = "DURATION", default_value = "2s")]
    pub every: String,
    /// One round, then end.
    #[arg(long)]
    pub once: bool,
    /// With --once and --example: longest wait for the round; a device that publishes may take
    /// long (最长等待).
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub wait: String,
    /// One JSON object a line: each point of each round, then the round.
    #[arg(long)]
    pub json: bool,
    /// Instead of the table, print an [[examples]] block of what the device really said, to paste
    /// into the profile (生成示例).
    #[arg(long, conflicts_with = "json")]
    pub example: bool,
}

fn named(text: &str) -> Result<(String, f64), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, e.g. ct=40")?;
    let value = value.parse().map_err(|_| format!("`{value}` is no number"))?;
    Ok((name.trim().to_owned(), value))
}

/// A duration of an option, within these bounds.
pub(super) fn duration(
    option: &str,
    text: &str,
    (low, high): (Duration, Duration),
) -> Result<Duration, String> {
    let span = parse_duration(text)
        .map_err(|wrong| format!("{option} {text}: {} / {}", wrong.problem.en, wrong.problem.zh))?;
    if (low..=high).contains(&span) {
        return Ok(span);
    }
    let (low, high) = (low.as_secs_f64(), high.as_secs_f64());
    Err(format!("{option} {text}: allowed are {low} s to {high} s / 应在 {low} 至 {high} 秒之间"))
}

impl Arguments {
    /// The settings of a gateway with this one device.
    ///
    /// # Errors
    /// What is wrong with the options, for people.
    pub(super) fn settings(&self, found: &Found) -> Result<Settings, String> {
        let profile = &found.loaded.profile;
        self.fits(profile)?;
        let mut root = Table::new();
        let mut section = |name: &str, section: Table, listed: bool| {
            let section = Value::Table(section);
            let section = if listed { Value::Array(vec![section]) } else { section };
            root.insert(name.to_owned(), section);
        };
        section("gateway", table([("id", text("try"))]), false);
        // Ages are shown, no wall times.
        section("clock", table([("trust", text("system"))]), false);
        let mut device = table([("id", text("try")), ("profile", text(&profile.id))]);
        match &self.broker {
            Some(_) => {
                section("mqtt", self.broker()?, false);
                let base = self.base.as_deref().unwrap_or_default();
                device.insert("topic".to_owned(), text(base));
            }
            None => {
                section("bus", self.bus()?, true);
                device.insert("bus".to_owned(), text("try"));
                device.insert("period".to_owned(), text(PERIOD));
                let own = match profile.binding {
                    Binding::Modbus { unit, .. } => unit.or(Some(1)),
                    _ => None,
                };
                if let Some(unit) = self.unit.or(own) {
                    device.insert("unit".to_owned(), Value::Integer(unit.into()));
                }
                if let Some(address) = &self.address {
                    device.insert("address".to_owned(), text(address));
                }
            }
        }
        if !self.param.is_empty() {
            let params =
                self.param.iter().map(|(name, value)| (name.clone(), Value::Float(*value)));
            device.insert("params".to_owned(), Value::Table(params.collect()));
        }
        if !self.group.is_empty() {
            let sizes = self.group.iter();
            let sizes = sizes.map(|(name, size)| (name.clone(), Value::Integer((*size).into())));
            device.insert("groups".to_owned(), Value::Table(sizes.collect()));
        }
        section("device", device, true);
        let text = root.to_string();
        let library = Library::of(found.loaded.clone());
        config::parse("options", &text, &library).map_err(|faults| faults.to_string())
    }

    /// Whether the way fits the model; what a configuration would call by other names.
    fn fits(&self, profile: &Profile) -> Result<(), String> {
        let id = &profile.id;
        let modbus = matches!(profile.binding, Binding::Modbus { .. });
        let line = self.rtu_over_tcp.is_some() || self.serial.is_some();
        let wanted = match &profile.binding {
            Binding::Modbus { .. } if line || self.tcp.is_some() => None,
            Binding::Modbus { .. } => Some(
                "is read over Modbus: --tcp HOST:PORT, --serial PATH or --rtu-over-tcp HOST:PORT, with --unit N / 经 Modbus 读取",
            ),
            Binding::Mqtt(_) if self.broker.is_some() => None,
            Binding::Mqtt(_) => {
                Some("publishes by MQTT: --broker HOST:PORT --base TOPIC / 经 MQTT 上报")
            }
            _ if line && self.address.is_some() => None,
            _ => Some(
                "is a meter on a line: --serial PATH or --rtu-over-tcp HOST:PORT, with --address DIGITS / 是总线上的表计",
            ),
        };
        if let Some(wanted) = wanted {
            return Err(format!("`{id}` {wanted}"));
        }
        let stray = [
            ("--unit", self.unit.is_some() && !modbus),
            ("--address", self.address.is_some() && (modbus || self.broker.is_some())),
            ("--baud", self.baud.is_some() && !line),
            ("--frame", self.frame.is_some() && !line),
            ("--timeout", self.timeout.is_some() && self.broker.is_some()),
        ];
        match stray.iter().find(|(_, stray)| *stray) {
            // An option that changes nothing would be taken for one that does.
            Some((option, _)) => Err(format!("{option} means nothing here / 此处无意义: `{id}`")),
            None => Ok(()),
        }
    }

    fn bus(&self) -> Result<Table, String> {
        let mut bus = table([("id", text("try"))]);
        let ways =
            [("tcp", &self.tcp), ("rtu_over_tcp", &self.rtu_over_tcp), ("serial", &self.serial)];
        for (key, way) in ways {
            if let Some(way) = way {
                bus.insert(key.to_owned(), text(way));
            }
        }
        if let Some(baud) = self.baud {
            bus.insert("baud".to_owned(), Value::Integer(baud.into()));
        }
        if let Some(frame) = &self.frame {
            bus.insert("frame".to_owned(), text(frame));
        }
        if let Some(timeout) = &self.timeout {
            let bounds = (Duration::from_millis(10), Duration::from_secs(60));
            duration("--timeout", timeout, bounds)?;
            bus.insert("timeout".to_owned(), text(timeout));
        }
        // Whoever stands before the device does not want to wait.
        bus.insert("probe_cap".to_owned(), text("5s"));
        Ok(bus)
    }

    fn broker(&self) -> Result<Table, String> {
        let at = self.broker.as_deref().unwrap_or_default();
        let (host, port) = at.rsplit_once(':').unwrap_or((at, "1883"));
        let port: u16 = port.parse().map_err(|_| {
            format!("--broker {at}: `{port}` is no port / 不是端口; write HOST:PORT")
        })?;
        let client = format!("linli-try-{}", std::process::id());
        let mut broker = table([
            ("host", text(host)),
            ("port", Value::Integer(port.into())),
            ("client_id", text(&client)),
        ]);
        if let Some(name) = &self.username {
            broker.insert("username".to_owned(), text(name));
        }
        if let Some(file) = &self.password_file {
            let file = std::path::absolute(file).unwrap_or_else(|_| file.clone());
            readable(&file)?;
            broker.insert("password_file".to_owned(), text(&file.display().to_string()));
        }
        Ok(broker)
    }
}

fn readable(file: &Path) -> Result<(), String> {
    std::fs::read(file)
        .map(drop)
        .map_err(|error| format!("--password-file {}: {error}", file.display()))
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn table<const N: usize>(entries: [(&str, Value); N]) -> Table {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
