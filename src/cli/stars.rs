//! `linli stars`: the star level as the running gateway sees it, asked over its local page.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use super::{BAD_CONFIGURATION, complain, runtime, say};
use crate::config;
use crate::starlevel::{Assessment, Outcome};
use crate::status;

/// Whom to ask.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Configuration file; it says where the page listens.
    #[arg(short, long, value_name = "FILE", default_value = "/etc/linli/linli.toml")]
    config: PathBuf,
    /// Address of the page, instead of the configuration's.
    #[arg(long, value_name = "HOST:PORT")]
    page: Option<SocketAddr>,
    /// Print the assessment as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
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
    let page = match page {
        Some(page) => page,
        None => match config::load(config) {
            Ok(settings) => {
                settings
                    .status
                    .context("the configuration has no [status] page / 配置中没有 [status] 页面")?
                    .listen
            }
            Err(faults) => {
                complain(&faults.to_string());
                return Ok(Asked::Refused);
            }
        },
    };
    let body = runtime()?
        .block_on(status::fetch(page, "/api/v1/stars"))
        .with_context(|| format!("asking the gateway's page at {page}; is the gateway running? / 询问 {page} 的网关页面，网关在运行吗？"))?;
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
