//! `linli simulate`: one simulated device on a real socket.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio_util::sync::CancellationToken;

use super::run::told_to_stop;
use super::{runtime, say};
use crate::profile::Library;
use crate::settings::parse_duration;
use crate::sim::{Framing, Served, SimulateOptions, simulate};

/// Which device, and how it is reached.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Profile of the device, see `linli profiles list`.
    #[arg(long, value_name = "ID")]
    profile: String,
    /// Further folder of profiles.
    #[arg(long, value_name = "FOLDER")]
    dir: Vec<std::path::PathBuf>,
    /// Modbus: where the device listens.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:5020")]
    listen: String,
    /// Modbus: unit id.
    #[arg(long, default_value_t = 1)]
    unit: u8,
    /// Modbus: RTU framing over the TCP connection.
    #[arg(long)]
    rtu: bool,
    /// MQTT: the broker that the device publishes to.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:1883")]
    broker: String,
    /// MQTT: the device's base topic; with it the device publishes instead of listening.
    #[arg(long, value_name = "TOPIC")]
    base: Option<String>,
    /// MQTT: time between two messages.
    #[arg(long, value_name = "DURATION", default_value = "5s")]
    every: String,
    /// Chance; the same number plays the same day.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(super) fn execute(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let library = match Library::load(&arguments.dir) {
        Ok(library) => library,
        Err(faults) => {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            bail!("{}", faults.join("\n"));
        }
    };
    let Some(profile) = library.get(&arguments.profile) else {
        let near = library.nearest(&arguments.profile);
        let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        bail!("no profile is called `{}`{near}", arguments.profile);
    };
    let served = match arguments.base {
        Some(base) => {
            let (host, port) = arguments.broker.rsplit_once(':').context("--broker HOST:PORT")?;
            let port = port.parse().with_context(|| format!("`{port}` is not a port"))?;
            let every: Duration = parse_duration(&arguments.every).map_err(|wrong| {
                anyhow::anyhow!("--every: {} / {}", wrong.problem.en, wrong.problem.zh)
            })?;
            Served::Mqtt { host: host.to_owned(), port, base, every }
        }
        None => Served::Modbus {
            listen: arguments.listen,
            framing: if arguments.rtu { Framing::Rtu } else { Framing::Tcp },
            unit: arguments.unit,
        },
    };
    runtime()?.block_on(async {
        let stop = CancellationToken::new();
        let told = told_to_stop()?;
        let ready = |address: Option<std::net::SocketAddr>| match address {
            Some(address) => say(&format!("listening on {address}; Ctrl-C ends it")),
            None => say("publishing; Ctrl-C ends it"),
        };
        let options = SimulateOptions { profile, served, seed: arguments.seed };
        let played = simulate(options, ready, stop.clone());
        let end = async {
            told.await;
            stop.cancel();
        };
        tokio::pin!(played);
        tokio::select! {
            outcome = &mut played => outcome?,
            () = end => played.await?,
        }
        Ok(ExitCode::SUCCESS)
    })
}
