//! `linli stars`: the star level as the running gateway sees it, asked over its local page; its
//! signed report as a file; and whether the stored evidence, or a report, is as it was written.

mod report;
mod verify;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;

use super::page::{page_at, page_of};
use super::{BAD_CONFIGURATION, complain, runtime, say};
use crate::config;
use crate::starlevel::{Assessment, Outcome};
use crate::status;

/// Longest wait for the assessment.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whom to ask.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    /// Write the signed report to a file: a page to print (.html) or a document (.json).
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Configuration file; it says where the page listens and where the store lies.
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        default_value = "/etc/linli/linli.toml"
    )]
    config: PathBuf,
    /// Address of the page, instead of the configuration's.
    #[arg(long, global = true, value_name = "HOST:PORT")]
    page: Option<SocketAddr>,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Look at a report, or at the stored evidence: whether it is as the gateway wrote it. Fails
    /// when not.
    ///
    /// With FILE, a report from `linli stars --report`: signature, chain, daily figures, rules;
    /// needs no gateway and no configuration. Without FILE, every closed day of the store: asks
    /// the running gateway, and reads the store itself when none runs.
    Verify {
        /// A report, .html or .json.
        #[arg(value_name = "FILE", conflicts_with_all = ["path", "page"])]
        file: Option<PathBuf>,
        /// The public key that must have signed it, 64 hex digits: from the gateway's page or its
        /// inventory at the platform.
        #[arg(long, value_name = "HEX", requires = "file", value_parser = verify::public_key)]
        key: Option<verify::PublicKey>,
        /// Folder of the store, instead of the configuration's; no gateway must be running on it.
        #[arg(long, value_name = "FOLDER")]
        path: Option<PathBuf>,
    },
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match (&arguments.action, &arguments.report) {
        (Some(Action::Verify { file: Some(file), key, .. }), _) => {
            return verify::file(file, key.as_ref(), arguments.json);
        }
        (Some(Action::Verify { path, .. }), _) => {
            return verify::store(arguments, path.as_deref());
        }
        (None, Some(file)) => return report::write(arguments, file),
        (None, None) => {}
    }
    let body = match ask(&arguments.config, arguments.page)? {
        Asked::Answer(body) => body,
        Asked::Refused => return Ok(ExitCode::from(BAD_CONFIGURATION)),
    };
    if arguments.json {
        say(&body);
        return Ok(ExitCode::SUCCESS);
    }
    let assessment: Assessment = serde_json::from_str(&body)
        .context("the page's answer is no assessment / 页面的应答不是自评结果")?;
    describe(&assessment);
    Ok(ExitCode::SUCCESS)
}

/// What came of asking the gateway.
pub(super) enum Asked {
    /// The assessment as JSON.
    Answer(String),
    /// The configuration is wrong; its faults were said.
    Refused,
}

/// Asks the running gateway for its assessment, at `page` or where the configuration says.
pub(super) fn ask(config: &Path, page: Option<SocketAddr>) -> anyhow::Result<Asked> {
    fetch(config, page, "/api/v1/stars", PATIENCE)
}

/// Asks the running gateway's page, at `page` or where the configuration says, for a resource.
fn fetch(
    config: &Path,
    page: Option<SocketAddr>,
    resource: &str,
    patience: Duration,
) -> anyhow::Result<Asked> {
    let page = match (page, config::load(config)) {
        (Some(page), settings) => page_at(page, settings.as_ref().ok()),
        (None, Ok(settings)) => page_of(&settings)
            .context("the configuration has no [status] page / 配置中没有 [status] 页面")?,
        (None, Err(faults)) => {
            complain(&faults.to_string());
            return Ok(Asked::Refused);
        }
    };
    let body =
        runtime()?.block_on(status::fetch_within(patience, &page, resource)).map_err(|error| {
            // Who answers runs, and says itself why not.
            let running = match error.kind() {
                std::io::ErrorKind::Other => ("", ""),
                _ => ("; is the gateway running?", "，网关在运行吗？"),
            };
            let (en, zh) = running;
            anyhow::Error::new(error).context(format!(
                "asking the gateway's page at {page}{en} / 询问 {page} 的网关页面{zh}"
            ))
        })?;
    Ok(Asked::Answer(body))
}

fn describe(assessment: &Assessment) {
    say(&format!("{} / {}", assessment.banner.zh, assessment.banner.en));
    let provisional = if assessment.provisional { " (provisional 暂定)" } else { "" };
    say(&format!("star 星级 {}{provisional}, target 目标 {}", assessment.star, assessment.target));
    for check in &assessment.checks {
        let outcome = match check.outcome {
            Outcome::Met => "met 达标",
            Outcome::NotMet => "not met 未达标",
            Outcome::Unknown => "unknown 证据不足",
            Outcome::NotApplicable => "not applicable 不适用",
        };
        let missing = if assessment.missing.contains(&check.id) { "!" } else { " " };
        say(&format!(
            "{missing} {:<4} {outcome:<18} {} {}",
            check.id, check.title.zh, check.title.en
        ));
        for cause in &check.devices {
            say(&format!("         {} {}", cause.device, cause.name));
        }
    }
}
