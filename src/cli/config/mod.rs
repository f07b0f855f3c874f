//! `linli config`: a configuration of an earlier version, as this one has it; what was changed on the
//! page, where the service may not write it.

mod install;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use super::{BAD_CONFIGURATION, complain, say};
use crate::config::{self, Migrated};
use crate::proposal;
use crate::settings::{CHANGES, Fault};
use crate::whole_file;

/// What to do with the configuration.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show what this version calls otherwise, as a diff; --write changes it (迁移旧版配置).
    ///
    /// Comments and order stay. Files in `conf.d/` beside the configuration are migrated too.
    #[command(after_help = EXIT_CODES)]
    Migrate {
        /// Configuration file.
        #[arg(short, long, value_name = "FILE", default_value = "/etc/linli/linli.toml")]
        config: PathBuf,
        /// Change the files; each old one is kept as FILE.1, FILE.2, ….
        #[arg(long)]
        write: bool,
    },
    /// Install what somebody changed on the page; run by `linli-apply.service` (应用页面上的修改).
    ///
    /// The change is checked like every configuration. It may replace a file that is there, add no
    /// paths of files, and touch nothing but `linli.toml` and `conf.d/`.
    Install {
        /// Folder with the change.
        #[arg(long, value_name = "FOLDER", default_value = "/var/lib/linli/proposal")]
        proposal: PathBuf,
        /// Configuration file.
        #[arg(short, long, value_name = "FILE", default_value = proposal::CONFIGURATION)]
        config: PathBuf,
        /// Folder for what became of it.
        #[arg(long, value_name = "FOLDER", default_value = proposal::OUTCOMES)]
        outcomes: PathBuf,
    },
}

const EXIT_CODES: &str = "Exit codes: 0 nothing is left to do, or it was written; 1 there is \
something to do, without --write; 64 the result would not be taken: nothing was written, the faults \
are on standard error.";

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.action {
        Action::Migrate { config, write } => migrate(config, *write),
        Action::Install { proposal, config, outcomes } => {
            install::install(proposal, config, outcomes)
        }
    }
}

fn migrate(path: &Path, write: bool) -> anyhow::Result<ExitCode> {
    let bad = |told: String| {
        complain(&told);
        Ok(ExitCode::from(BAD_CONFIGURATION))
    };
    let texts = match config::texts(path) {
        Ok(texts) => texts,
        Err(faults) => return bad(faults.to_string()),
    };
    let before = config::examine_texts(&texts);
    let refused: &[Fault] = before.as_ref().err().map_or(&[], |refused| refused.faults.all());
    let migrated = match config::migrate(&texts, CHANGES, refused) {
        Ok(migrated) => migrated,
        // The checker tells where.
        Err(fault) => return bad(before.err().map_or(fault.to_string(), |r| r.faults.to_string())),
    };
    let changed: Vec<&Migrated> = migrated.iter().filter(|one| one.before != one.after).collect();
    for one in &changed {
        say(diff(&one.file, &one.before, &one.after).trim_end());
    }
    for one in &migrated {
        for words in &one.done {
            complain(&format!("{}: {} / {}", one.file.display(), words.en, words.zh));
        }
        for words in &one.open {
            complain(&format!("! {}: {} / {}", one.file.display(), words.en, words.zh));
        }
    }
    let after: Vec<(PathBuf, String)> =
        migrated.iter().map(|one| (one.file.clone(), one.after.clone())).collect();
    if let Err(refused) = config::examine_texts(&after) {
        complain(&refused.faults.to_string());
        return bad(
            "nothing was written: mend these faults first / 未写入：请先改正以上错误".into()
        );
    }
    if changed.is_empty() {
        complain("nothing to migrate / 无需迁移");
        return Ok(ExitCode::SUCCESS);
    }
    if !write {
        complain("nothing is written yet; `--write` does it / 尚未写入；加 `--write` 写入");
        return Ok(ExitCode::FAILURE);
    }
    for one in changed {
        let kept = whole_file::replace_keeping(&one.file, one.after.as_bytes())
            .with_context(|| format!("{} cannot be written / 无法写入", one.file.display()))?;
        complain(&format!(
            "{} is written, the old one is {} / 已写入，旧文件保留为 {1}",
            one.file.display(),
            kept.display()
        ));
    }
    complain("apply it: systemctl reload linli / 使其生效：systemctl reload linli");
    Ok(ExitCode::SUCCESS)
}

/// What differs, as `diff -u` shows it; nothing when nothing does.
pub(super) fn diff(file: &Path, before: &str, after: &str) -> String {
    let hunks = crate::diff::unified(before, after);
    let name = file.display().to_string();
    if hunks.is_empty() { hunks } else { format!("--- {name}\n+++ {name}\n{hunks}") }
}
