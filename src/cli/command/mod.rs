//! `linli command`: keys for commands, and commands signed with them, for whoever runs a platform or
//! tries a gateway without one.

mod sign;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::anyhow;
use serde_json::json;

use super::{complain, say};
use crate::starlevel::report::{KeyFault, SigningKey};

/// What to do.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a key for commands, or show the public half of one that is there (命令签名密钥).
    ///
    /// The file (Ed25519, PKCS #8, readable by its owner alone) stays where commands are signed, never
    /// on a gateway; the public half goes into `[commands] public_keys` of every gateway.
    Key {
        /// The key's file.
        file: PathBuf,
        /// Print it as one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Sign a command; print what is to be published (签名命令).
    ///
    /// Standard output is the document alone, standard error says under which topic it is published. It
    /// is done by the gateway like any command of the platform: only what its configuration allows, at
    /// most once, and never after it expired.
    #[command(after_help = sign::EXAMPLE)]
    Sign(Box<sign::Arguments>),
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.action {
        Action::Key { file, json } => key(file, *json),
        Action::Sign(arguments) => sign::execute(arguments),
    }
}

fn key(file: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let there = file.symlink_metadata().is_ok();
    let key = SigningKey::open_or_make(file).map_err(|fault| told(&fault))?;
    let public = key.public_hex();
    if json {
        let shown =
            json!({ "file": file.display().to_string(), "public_key": public, "made": !there });
        say(&serde_json::to_string_pretty(&shown)?);
        return Ok(ExitCode::SUCCESS);
    }
    let shown = file.display();
    complain(&match there {
        true => format!("{shown} is there, and stays as it is / 密钥已存在，未改动"),
        false => format!("{shown} is made; keep a copy of it / 密钥已生成，请妥善备份"),
    });
    complain("for the gateways / 写入各网关的配置：");
    say("[commands]");
    say(&format!("public_keys = [\"{public}\"]"));
    Ok(ExitCode::SUCCESS)
}

/// Reads a key that must be there.
fn open(file: &Path) -> anyhow::Result<SigningKey> {
    SigningKey::open(file).map_err(|fault| told(&fault))
}

fn told(fault: &KeyFault) -> anyhow::Error {
    // What its own words advise is for the gateway's key.
    if let KeyFault::Damaged { path } = fault {
        let path = path.display();
        return anyhow!(
            "{path} is no key for commands; `linli command key FILE` makes one / \
             不是命令签名密钥，可用 `linli command key 文件` 生成"
        );
    }
    let words = fault.words();
    anyhow!("{} / {}", words.en, words.zh)
}
