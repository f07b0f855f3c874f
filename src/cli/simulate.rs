//! `linli simulate`: one simulated device on a real socket or line, or a recorded line again.

mod fault;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio_util::sync::CancellationToken;

use super::profiles::{find, member_count};
use super::run::told_to_stop;
use super::{complain, runtime, say};
use crate::driver::{LineSettings, record};
use crate::profile::{Binding, Profile, SerialDefaults};
use crate::settings::parse_duration;
use crate::sim::line::{self, OneDevice, Place};
use crate::sim::{Framing, Served, SimulateError, SimulateOptions, simulate};
use fault::Order;

/// Which device, and how it is reached.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Profile of the device: its identifier, see `linli profiles list`, or a file.
    #[arg(long, value_name = "ID|FILE", required_unless_present = "replay")]
    profile: Option<String>,
    /// How many members a group has, e.g. cells=60; more than once if wanted.
    #[arg(long, value_name = "NAME=COUNT", value_parser = member_count)]
    group: Vec<(String, u16)>,
    /// Further folder of profiles.
    #[arg(long, value_name = "FOLDER")]
    dir: Vec<PathBuf>,
    /// Instead of a device: a recorded line again, from a text of frames or a pcapng file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["profile", "base", "fault"])]
    replay: Option<PathBuf>,
    /// Where the device listens; meters as behind a serial server, with --rtu.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:5020")]
    listen: String,
    /// On a pseudo terminal under this name; it understands only what is sent with its settings.
    #[arg(long, value_name = "LINK", conflicts_with_all = ["serial", "base"])]
    pty: Option<PathBuf>,
    /// On a device file, e.g. one end of a pair of socat; the settings of the other end are not
    /// seen.
    #[arg(long, value_name = "PATH", conflicts_with = "base")]
    serial: Option<PathBuf>,
    /// Modbus: unit id; 1 when left out.
    #[arg(long, value_name = "UNIT", conflicts_with = "address")]
    unit: Option<u8>,
    /// Address of a meter as printed on it: 12 digits (DL/T 645) or 14 (CJ/T 188).
    #[arg(long, value_name = "DIGITS")]
    address: Option<String>,
    /// On a line: baud rate, when it is not the model's own.
    #[arg(long, value_name = "BAUD")]
    baud: Option<u32>,
    /// On a line: parity and stop bits when they are not the model's own: 8N1, 8E1, 8O1, 8N2, …
    #[arg(long, value_name = "FRAME")]
    frame: Option<String>,
    /// On a line: what is wrong with it, more than once if wanted: silent, late=2s, half,
    /// noise-before=8, noise-after=8, wrong-check-sum, flipped-bit[=4], twin=5ms, drift=10ms,
    /// wrong-line=2400-8E1, refuse=2, echo.
    #[arg(long, value_name = "FAULT", value_parser = fault::parse)]
    fault: Vec<Order>,
    /// RTU framing over the TCP connection.
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
    if let Some(file) = &arguments.replay {
        return replay(file, &arguments.place().unwrap_or(Place::Listen(arguments.listen.clone())));
    }
    let profile = arguments.profile()?;
    let seed = arguments.seed;
    let served = arguments.served(&profile)?;
    runtime()?.block_on(async {
        let stop = CancellationToken::new();
        let options = SimulateOptions { profile, served, seed };
        let ready = |place: Option<&str>| match place {
            Some(place) => reachable(place),
            None => say("publishing; Ctrl-C ends it"),
        };
        until_told(simulate(options, ready, stop.clone()), stop).await
    })
}

fn replay(file: &PathBuf, place: &Place) -> anyhow::Result<ExitCode> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let recording = record::load(&bytes).with_context(|| file.display().to_string())?;
    say(&format!("{} frames of {}", recording.frames.len(), file.display()));
    runtime()?.block_on(async {
        let stop = CancellationToken::new();
        let played = async {
            line::replay(&recording, place, reachable, stop.clone()).await?;
            Ok::<(), SimulateError>(())
        };
        until_told(played, stop.clone()).await
    })
}

fn reachable(place: &str) {
    say(&format!("listening on {place}; Ctrl-C ends it"));
}

/// Plays until a signal comes.
async fn until_told(
    played: impl Future<Output = Result<(), SimulateError>>,
    stop: CancellationToken,
) -> anyhow::Result<ExitCode> {
    let told = told_to_stop()?;
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
}

impl Arguments {
    fn profile(&self) -> anyhow::Result<Arc<Profile>> {
        let wanted = self.profile.as_deref().unwrap_or_default();
        let found = find(wanted, &self.dir).map_err(anyhow::Error::msg)?;
        found.doubts.iter().for_each(|doubt| complain(doubt));
        found.sized(&self.group).map(Arc::new).map_err(anyhow::Error::msg)
    }

    /// A line of this machine, if one is wanted.
    fn place(&self) -> Option<Place> {
        let pty = self.pty.clone().map(Place::Pty);
        pty.or_else(|| self.serial.clone().map(Place::Device))
    }

    fn served(self, profile: &Profile) -> anyhow::Result<Served> {
        if let Some(base) = self.base {
            let (host, port) = self.broker.rsplit_once(':').context("--broker HOST:PORT")?;
            let port = port.parse().with_context(|| format!("`{port}` is not a port"))?;
            let every: Duration = parse_duration(&self.every).map_err(|wrong| {
                anyhow::anyhow!("--every: {} / {}", wrong.problem.en, wrong.problem.zh)
            })?;
            return Ok(Served::Mqtt { host: host.to_owned(), port, base, every });
        }
        let serial = match &profile.binding {
            Binding::Modbus { serial, .. } => Some((*serial, false)),
            Binding::Dlt645(model) => Some((model.manners.serial, true)),
            Binding::Cjt188(model) => Some((model.manners.serial, true)),
            Binding::Mqtt(_) => None,
        };
        // An option that changes nothing would be taken for one that does.
        match (&profile.binding, self.unit, &self.address) {
            (Binding::Modbus { .. }, _, Some(_)) => {
                bail!("profile `{}` is read over Modbus: it has a --unit, no --address", profile.id)
            }
            (Binding::Dlt645(_) | Binding::Cjt188(_), Some(_), _) => {
                bail!("profile `{}` is a meter: it has an --address, no --unit", profile.id)
            }
            _ => {}
        }
        let unit = self.unit.unwrap_or(1);
        let server = || Place::Listen(self.listen.clone());
        let place = match (self.place(), serial) {
            (Some(place), _) => Some(place),
            // A serial server; Modbus without faults keeps its own, which does not dawdle.
            (None, Some((_, true))) if self.rtu => Some(server()),
            (None, Some(_)) if self.rtu && !self.fault.is_empty() => Some(server()),
            (None, _) => None,
        };
        let Some(place) = place else {
            if !self.fault.is_empty() {
                bail!("--fault goes with a line: --pty, --serial, or --listen with --rtu");
            }
            let framing = if self.rtu { Framing::Rtu } else { Framing::Tcp };
            return Ok(Served::Modbus { listen: self.listen, framing, unit });
        };
        let line = serial.map(|(serial, _)| self.line(serial)).transpose()?;
        let address = match profile.binding {
            Binding::Modbus { .. } => Some(unit.to_string()),
            _ => self.address,
        };
        let echo = self.fault.contains(&Order::Echo);
        let slave = |order: &Order| match order {
            Order::Slave(fault) => Some(*fault),
            Order::Echo => None,
        };
        let faults = self.fault.iter().filter_map(slave).collect();
        Ok(Served::Line(OneDevice { place, address, line, faults, echo }))
    }

    /// The settings that were ordered, else the model's own.
    fn line(&self, serial: SerialDefaults) -> anyhow::Result<LineSettings> {
        let own = String::from_utf8_lossy(&serial.frame);
        fault::line(self.baud.unwrap_or(serial.baud), self.frame.as_deref().unwrap_or(&own))
            .map_err(anyhow::Error::msg)
    }
}
