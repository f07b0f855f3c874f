//! The commands, as a stranger meets them.

mod alarms;
mod audit;
mod buffer;
mod certificate;
mod check;
mod command;
mod config;
mod decode;
#[cfg(feature = "demo")]
mod demo;
mod doctor;
mod logging;
#[cfg(feature = "manual")]
mod manual;
mod page;
mod profiles;
mod run;
mod scan;
#[cfg(feature = "schema")]
mod schema;
mod scorecard;
mod setup;
#[cfg(feature = "demo")]
mod simulate;
mod stars;
mod support;
mod upgrade;
mod users;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::buffer::{InspectError, OpenError};
use crate::settings::parse_duration;
use crate::store::StoreError;

/// The configuration is wrong; starting again does not help (`EX_USAGE`).
pub const BAD_CONFIGURATION: u8 = 64;
/// Only another version can read what is stored; starting again does not help (`EX_DATAERR`).
pub const OTHER_VERSION: u8 = 65;

/// 邻里 linli: the gateway of a smart residential area.
///
/// Reads the estate's devices, keeps every reading through outages and power cuts, checks the
/// star level and delivers everything to the city's platform.
#[cfg_attr(feature = "demo", doc = "")]
#[cfg_attr(
    feature = "demo",
    doc = " Begin with `linli demo`: it needs nothing else and shows everything."
)]
#[derive(Debug, Parser)]
#[command(name = "linli", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 failed, the reason is on standard error; \
64 the configuration is wrong, the faults are on standard error; 65 only another version can read what \
is stored, nothing of it was changed.";

/// Where the configuration is.
#[derive(Debug, clap::Args)]
struct ConfigFile {
    /// Configuration file.
    #[arg(short, long, value_name = "FILE", default_value = "/etc/linli/linli.toml")]
    config: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Set a new box up: names, lines, broker, platform, first user, first block (首次安装向导).
    Setup(Box<setup::Arguments>),
    /// Run the gateway (运行网关).
    Run(ConfigFile),
    /// Check the configuration; opens nothing, reports all faults at once (检查配置).
    Check(check::Arguments),
    /// Carry the configuration across versions (配置迁移).
    Config(config::Arguments),
    /// Show where the local page is, and the fingerprint of its certificate (本地页面与证书指纹).
    Certificate(certificate::Arguments),
    /// Find what hangs on a line or in a network, as entries of the configuration (扫描设备).
    Scan(Box<scan::Arguments>),
    /// Show the whole main job on this machine: simulated estate, gateway, platform (演示).
    #[cfg(feature = "demo")]
    Demo(demo::Arguments),
    /// Play one simulated device, for tests and training (模拟设备).
    #[cfg(feature = "demo")]
    Simulate(Box<simulate::Arguments>),
    /// List, show and check device profiles (设备型号库).
    Profiles(profiles::Arguments),
    /// Make keys for commands, and sign commands with them (命令签名).
    #[command(name = "command")]
    Sign(command::Arguments),
    /// Explain the bytes of a meter or Modbus frame (报文解析).
    Decode(decode::Arguments),
    /// Show, verify and export what is stored (缓存).
    Buffer(buffer::Arguments),
    /// Show, acknowledge and close alarms; show and rehearse their rules (报警).
    Alarms(alarms::Arguments),
    /// Show the star level as the running gateway sees it (星级自评).
    Stars(stars::Arguments),
    /// Who may use the local page: users, roles, API tokens (用户与令牌).
    Users(users::Arguments),
    /// Read a password, print its hash, for `linli users add --hash` (口令摘要).
    HashPassword,
    /// Look at everything around the gateway, say what to do, worst first (诊断).
    Doctor(doctor::Arguments),
    /// Put what support needs into one file, without secrets (支持包).
    SupportBundle(support::Arguments),
    /// Try the next version, install it when it delivers, else go on with this one (升级).
    Upgrade(Box<upgrade::Arguments>),
    /// Show who did what on the gateway (操作记录).
    Audit(audit::Arguments),
    /// Fill in an evaluation table of annex A from answers and evidence (红色物业评分表).
    Scorecard(Box<scorecard::Arguments>),
    /// Write or check the JSON Schema and AsyncAPI documents of the stream.
    #[cfg(feature = "schema")]
    Schema(schema::Arguments),
    /// Write or check the manual pages and shell completions of the package.
    #[cfg(feature = "manual")]
    Manual(manual::Arguments),
}

/// Runs the command and says how the process ends.
pub fn execute(arguments: Arguments) -> ExitCode {
    let outcome = match arguments.command {
        Command::Setup(arguments) => setup::execute(&arguments),
        Command::Run(file) => run::execute(&file.config),
        Command::Check(arguments) => check::execute(&arguments),
        Command::Config(arguments) => config::execute(&arguments),
        Command::Certificate(arguments) => certificate::execute(&arguments),
        Command::Scan(arguments) => scan::execute(&arguments),
        #[cfg(feature = "demo")]
        Command::Demo(arguments) => demo::execute(arguments),
        #[cfg(feature = "demo")]
        Command::Simulate(arguments) => simulate::execute(*arguments),
        Command::Profiles(arguments) => profiles::execute(&arguments),
        Command::Sign(arguments) => command::execute(&arguments),
        Command::Decode(arguments) => decode::execute(&arguments),
        Command::Buffer(arguments) => buffer::execute(&arguments),
        Command::Alarms(arguments) => alarms::execute(&arguments),
        Command::Stars(arguments) => stars::execute(&arguments),
        Command::Users(arguments) => users::execute(&arguments),
        Command::HashPassword => users::hash_password(),
        Command::Doctor(arguments) => doctor::execute(&arguments),
        Command::SupportBundle(arguments) => support::execute(&arguments),
        Command::Upgrade(arguments) => upgrade::execute(&arguments),
        Command::Audit(arguments) => audit::execute(&arguments),
        Command::Scorecard(arguments) => scorecard::execute(&arguments),
        #[cfg(feature = "schema")]
        Command::Schema(arguments) => schema::execute(&arguments),
        #[cfg(feature = "manual")]
        Command::Manual(arguments) => manual::execute(&arguments),
    };
    outcome.unwrap_or_else(|error| {
        complain(&format!("linli: {error:#}"));
        if is_of_another_version(&error) {
            ExitCode::from(OTHER_VERSION)
        } else {
            ExitCode::FAILURE
        }
    })
}

/// Whether the store has to be opened by another version of the program.
fn is_of_another_version(error: &anyhow::Error) -> bool {
    let of_store = |cause: &(dyn std::error::Error + 'static)| {
        if let Some(OpenError::Store(fault)) = cause.downcast_ref() {
            return fault.is_of_another_version();
        }
        if let Some(InspectError::Store(fault)) = cause.downcast_ref() {
            return fault.is_of_another_version();
        }
        cause.downcast_ref().is_some_and(StoreError::is_of_another_version)
    };
    error.chain().any(of_store)
}

/// Prints a line for the user. A closed pipe (`| head`) is no fault of ours.
fn say(line: &str) {
    use std::io::Write as _;
    if writeln!(std::io::stdout().lock(), "{line}").is_err() {
        tracing::debug!("standard output is closed");
    }
}

/// Prints a line on standard error.
fn complain(line: &str) {
    use std::io::Write as _;
    if writeln!(std::io::stderr().lock(), "{line}").is_err() {
        tracing::debug!("standard error is closed");
    }
}

/// Reads a span of the command line.
fn span(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|wrong| wrong.problem.both())
}

/// The runtime of the daemon. Two workers: a box has few cores, and each bus is one small task.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(4)
        .thread_name("linli")
        .enable_all()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_does_not_try_again_what_no_start_can_mend() {
        let unit = include_str!("../../systemd/linli.service");
        let line = format!("RestartPreventExitStatus={BAD_CONFIGURATION} {OTHER_VERSION}");
        assert!(unit.lines().any(|one| one == line), "{line}");
    }

    #[test]
    fn what_another_version_stored_is_known_however_it_is_told() {
        let foreign = || StoreError::Foreign { path: "store".into(), detail: "engine 2".into() };
        let closed = || StoreError::Closed { path: "store".into() };
        let tell = |fault: fn() -> StoreError| {
            [
                anyhow::Error::new(fault()).context("the audit trail"),
                anyhow::Error::new(OpenError::from(fault())).context("the buffer"),
                InspectError::from(fault()).into(),
            ]
        };
        assert!(tell(foreign).iter().all(is_of_another_version));
        assert!(!tell(closed).iter().any(is_of_another_version));
    }
}
