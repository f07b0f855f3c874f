//! Reads a password: from the terminal without showing it, or a line of standard input.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::access::{self, LEAST_PASSWORD, Secret, looks_like_hash};
use crate::selftest::weakness;

/// Longest line that is read as a password, bytes.
const MOST: u64 = 4096;

/// The hash: given, else of a password that is asked for.
pub(in crate::cli) fn hashed(name: &str, hash: Option<&str>) -> anyhow::Result<String> {
    if let Some(hash) = hash {
        if !looks_like_hash(hash) {
            bail!("--hash: {}", access::PasswordFault::NoHash);
        }
        return Ok(hash.to_owned());
    }
    strong(name, &ask()?)
}

/// The hash of the password that stands on the first line of a file.
pub(in crate::cli) fn hashed_of(name: &str, file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("{} cannot be read / 无法读取", file.display()))?;
    strong(name, &text.lines().next().unwrap_or_default().to_owned().into())
}

/// The hash of a password, unless it is weak.
pub(in crate::cli) fn strong(name: &str, password: &Secret) -> anyhow::Result<String> {
    if let Some((en, zh)) = weakness(password.expose(), Some(name)) {
        bail!("the password is weak: {en} / 口令过弱：{zh}");
    }
    access::hash(password).map_err(Into::into)
}

/// Asks twice on a terminal, without showing what is typed; else reads one line.
fn ask() -> anyhow::Result<Secret> {
    if !io::stdin().is_terminal() {
        return line();
    }
    let first = ask_once(&format!(
        "password, {LEAST_PASSWORD} characters or more / 口令（至少 {LEAST_PASSWORD} 位）: "
    ))?;
    if first != ask_once("once more / 再输入一次: ")? {
        bail!("the two are not the same / 两次输入不一致");
    }
    Ok(first)
}

fn ask_once(prompt: &str) -> anyhow::Result<Secret> {
    let mut out = io::stderr().lock();
    write!(out, "{prompt}").and_then(|()| out.flush()).context("the terminal")?;
    let silent = Silent::begin()?;
    let password = line();
    drop(silent);
    writeln!(out).context("the terminal")?;
    password
}

/// The terminal shows nothing of what is typed as long as this lives.
struct Silent(rustix::termios::Termios);

impl Silent {
    fn begin() -> anyhow::Result<Self> {
        let before = tcgetattr(io::stdin()).context("the terminal")?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent).context("the terminal")?;
        Ok(Self(before))
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        if let Err(error) = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0) {
            tracing::debug!(%error, "the terminal stays silent");
        }
    }
}

fn line() -> anyhow::Result<Secret> {
    let mut text = String::new();
    let mut input = io::Read::take(io::stdin().lock(), MOST);
    input.read_line(&mut text).context("reading the password / 读取口令")?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned().into())
}
