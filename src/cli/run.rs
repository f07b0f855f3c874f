//! `linli run`: the daemon, as a story.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{BAD_CONFIGURATION, complain, logging, runtime};
use crate::app::{Daemon, Order};
use crate::config;

/// Checks the configuration, builds the daemon, runs it until a signal; SIGHUP puts a changed
/// configuration in its place.
pub(super) fn execute(path: &Path) -> anyhow::Result<ExitCode> {
    let settings = match config::load(path) {
        Ok(settings) => settings,
        Err(faults) => {
            complain(&faults.to_string());
            return Ok(ExitCode::from(BAD_CONFIGURATION));
        }
    };
    let level = logging::start(&settings.log)?;
    for note in &settings.notes {
        tracing::info!(%note, "about the configuration");
    }
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        gateway = %settings.gateway,
        devices = settings.devices.len(),
        buses = settings.buses.len(),
        "starting"
    );
    runtime().context("the runtime")?.block_on(async {
        let mut signals = Signals::new()?;
        let daemon = Daemon::new(path, settings, move |log| level.set(log));
        daemon.run(async || signals.next().await).await?;
        tracing::info!("stopped");
        Ok(ExitCode::SUCCESS)
    })
}

/// The signals that the daemon obeys.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("listening for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("listening for Ctrl-C")?,
            hang_up: signal(SignalKind::hangup()).context("listening for SIGHUP")?,
        })
    }

    async fn next(&mut self) -> Order {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => {
                tracing::info!("told to stop by SIGTERM");
                Order::Stop
            }
            _ = self.interrupt.recv() => {
                tracing::info!("told to stop by Ctrl-C");
                Order::Stop
            }
            _ = self.hang_up.recv() => {
                tracing::info!("told to read the configuration again by SIGHUP");
                Order::Reload
            }
        }
    }
}

/// Completes at Ctrl-C or SIGTERM.
pub(super) fn told_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for Ctrl-C")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("told to stop by SIGTERM"),
            _ = interrupt.recv() => tracing::info!("told to stop by Ctrl-C"),
        }
    })
}
