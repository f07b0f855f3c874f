//! `linli check`: all faults of a configuration at once.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{BAD_CONFIGURATION, complain, say};
use crate::config;

/// What to check.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Configuration file.
    #[arg(short, long, value_name = "FILE", default_value = "/etc/linli/linli.toml")]
    config: PathBuf,
    /// Print the faults as JSON on standard output.
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match config::load(&arguments.config) {
        Ok(settings) => {
            if arguments.json {
                say("[]");
            } else {
                for note in &settings.notes {
                    say(&format!("note: {note}"));
                }
                say(&format!(
                    "{}: good; {} devices on {} buses{} / 配置正确",
                    arguments.config.display(),
                    settings.devices.len(),
                    settings.buses.len(),
                    if settings.mqtt.is_some() { " and the field broker" } else { "" },
                ));
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(faults) => {
            if arguments.json {
                say(&serde_json::to_string_pretty(&faults)?);
            } else {
                complain(&faults.to_string());
            }
            Ok(ExitCode::from(BAD_CONFIGURATION))
        }
    }
}
