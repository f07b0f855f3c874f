//! The `linli` command: the gateway daemon and its tools.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    linli::cli::execute(linli::cli::Arguments::parse())
}
