//! Starts the service where systemd runs; says the command elsewhere.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

use super::dialogue::Dialogue;

/// The unit of the package.
const UNIT: &str = "linli.service";
/// The configuration that the unit reads.
const CONFIGURATION: &str = "/etc/linli/linli.toml";
/// There when systemd is the system's first process: `sd_booted(3)`.
const BOOTED: &str = "/run/systemd/system";

/// Enables and restarts the service.
///
/// # Errors
/// systemd refuses; its words are on standard error.
pub(super) fn start(path: &Path, not_wanted: bool, dialogue: &Dialogue) -> anyhow::Result<()> {
    let root = rustix::process::geteuid().is_root();
    let own = path == Path::new(CONFIGURATION);
    if not_wanted || !root || !own || !Path::new(BOOTED).is_dir() {
        let command = match own {
            true => format!("systemctl enable --now {UNIT}"),
            false => format!("linli run --config {}", path.display()),
        };
        dialogue.tell((format!("start the gateway: {command}"), format!("请启动网关：{command}")));
        return Ok(());
    }
    for verb in ["enable", "restart"] {
        let status = Command::new("systemctl")
            .args([verb, UNIT])
            .status()
            .with_context(|| format!("systemctl {verb} {UNIT}"))?;
        if !status.success() {
            bail!(
                "systemctl {verb} {UNIT} ended with {status}; see: journalctl -u {UNIT} / \
                 启动服务失败，详见 journalctl -u {UNIT}"
            );
        }
    }
    dialogue.tell(("the service is started", "服务已启动"));
    Ok(())
}
