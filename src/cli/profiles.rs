//! `linli profiles`: the device library.

mod find;
mod try_it;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::{complain, say};
use crate::profile::{self, Library};

#[cfg(feature = "demo")]
pub(super) use find::{find, member_count};

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
    /// Read a real device by a profile, and show what comes of each point (现场试读).
    Try(Box<try_it::Arguments>),
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.action {
        Action::Check { files } => return Ok(check(files)),
        Action::Try(order) => return try_it::execute(order, &arguments.dir),
        Action::List | Action::Show { .. } => {}
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
        Action::Show { id } => {
            let Some(found) = library.get(id) else {
                complain(&find::unknown(&library, id));
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
