//! `linli profiles`: the device library.

mod document;
mod new;
mod schema;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::{complain, say};
use crate::profile::{self, Library};

/// What to do with the library.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// Further folder of profiles; a file there replaces the built-in profile of its name.
    #[arg(long, global = true, value_name = "FOLDER")]
    dir: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List every profile.
    List,
    /// Show what a profile offers.
    Show {
        /// The profile's identifier.
        id: String,
    },
    /// Check files: format, rules, and their own examples.
    Check {
        /// The files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Write a profile for a new model from answers or flags (新建型号文件).
    New(Box<new::Arguments>),
    /// Print what an MQTT model publishes as JSON Schema (报文格式).
    Schema(schema::Arguments),
    /// Write or check what is generated from the library: its table, the conventions.
    #[command(hide = true)]
    Document(document::Arguments),
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if let Action::Check { files } = &arguments.action {
        return Ok(check(files));
    }
    if let Action::Document(arguments) = &arguments.action {
        return document::execute(arguments);
    }
    let library = match Library::load(&arguments.dir) {
        Ok(library) => library,
        Err(faults) => {
            for fault in faults {
                complain(&fault.to_string());
            }
            return Ok(ExitCode::FAILURE);
        }
    };
    match &arguments.action {
        Action::New(new) => return new::execute(new, &library),
        Action::Schema(schema) => return schema::execute(schema, &library, &arguments.dir),
        Action::Show { id } => {
            let Some(found) = library.get(id) else {
                let (en, zh) = library.nearest(id).map_or_else(Default::default, |near| {
                    (format!("; did you mean `{near}`?"), format!("；是否应为 `{near}`？"))
                });
                complain(&format!(
                    "no profile is called `{id}`{en} / 没有名为 `{id}` 的设备模型{zh}"
                ));
                return Ok(ExitCode::FAILURE);
            };
            say(&profile::describe(&found));
        }
        _ => {
            for line in library.list_lines() {
                say(&line);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn check(files: &[PathBuf]) -> ExitCode {
    let mut good = true;
    for file in files {
        let name = file.display().to_string();
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => {
                complain(&format!("{name}: cannot be read / 无法读取: {error}"));
                good = false;
                continue;
            }
        };
        match profile::parse(&name, &text) {
            Ok(loaded) => {
                let wrong = profile::run_examples(&loaded);
                for fault in &wrong {
                    complain(&format!("{name}: {fault}"));
                }
                good &= wrong.is_empty();
                if wrong.is_empty() {
                    say(&format!("{name}: good / 正确"));
                }
            }
            Err(faults) => {
                good = false;
                for fault in faults {
                    complain(&fault.to_string());
                }
            }
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
