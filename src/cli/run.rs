//! `linli run`: the daemon, as a story.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use super::{BAD_CONFIGURATION, complain, logging, runtime};
use crate::app::App;
use crate::config;

/// Checks the configuration, builds the daemon, runs it until a signal.
pub(super) fn execute(path: &Path) -> anyhow::Result<ExitCode> {
    let settings = match config::load(path) {
        Ok(settings) => settings,
        Err(faults) => {
            complain(&faults.to_string());
            return Ok(ExitCode::from(BAD_CONFIGURATION));
        }
    };
    logging::start(&settings.log)?;
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
        let app = App::start(settings, Vec::new()).await?;
        app.run(told_to_stop()?).await?;
        tracing::info!("stopped");
        Ok(ExitCode::SUCCESS)
    })
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
