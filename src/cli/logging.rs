//! Logs: for people on a terminal, with fields to journald under systemd.

use std::io::IsTerminal as _;
#[cfg(feature = "demo")]
use std::path::Path;

use anyhow::Context as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, reload};

use crate::config::{LogConfig, LogFormat};

/// Starts logging. `LINLI_LOG` overrides the configured level: `debug`, or by module
/// `info,linli::uplink=trace`.
/// Returns what changes the level later.
pub(super) fn start(config: &LogConfig) -> anyhow::Result<Level> {
    let (filter, level) = reload::Layer::new(filter(config.level)?);
    let level = Level(level);
    let to_journal = match config.format {
        LogFormat::Journald => true,
        LogFormat::Text => false,
        // systemd sets this when our standard error goes to the journal.
        LogFormat::Auto => std::env::var_os("JOURNAL_STREAM").is_some(),
    };
    if to_journal && let Ok(journal) = tracing_journald::layer() {
        let journal = journal.with_syslog_identifier("linli".into());
        tracing_subscriber::registry().with(filter).with(journal).try_init()?;
        return Ok(level);
    }
    let people = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    tracing_subscriber::registry().with(filter).with(people).try_init()?;
    Ok(level)
}

/// The level of the log that runs.
pub(super) struct Level(reload::Handle<Targets, Registry>);

impl Level {
    /// Changes it; `LINLI_LOG` still overrides it.
    pub(super) fn set(&self, config: &LogConfig) -> anyhow::Result<()> {
        self.0.reload(filter(config.level)?).context("the level of the log")
    }
}

/// Starts logging to a file: the terminal belongs to the demo's screen.
#[cfg(feature = "demo")]
pub(super) fn start_in_file(path: &Path) -> anyhow::Result<()> {
    let file =
        std::fs::File::create(path).with_context(|| format!("the log file {}", path.display()))?;
    let people =
        tracing_subscriber::fmt::layer().with_writer(std::sync::Mutex::new(file)).with_ansi(false);
    Ok(tracing_subscriber::registry().with(filter("info")?).with(people).try_init()?)
}

fn filter(level: &str) -> anyhow::Result<Targets> {
    match std::env::var("LINLI_LOG") {
        Ok(directives) => directives
            .parse()
            .with_context(|| format!("LINLI_LOG=`{directives}` is not a log filter")),
        // The embedded broker of the demo logs every client at info, and at error that somebody
        // looked whether its port is open; what fails is told by those who talk to it.
        Err(_) => format!("{level},rumqttd=off").parse().context("the level of the log"),
    }
}
