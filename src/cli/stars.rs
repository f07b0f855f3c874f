//! `linli stars`: the star level as the running gateway sees it, asked over its local page; and
//! whether the stored evidence is as it was written.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use super::{BAD_CONFIGURATION, complain, runtime, say};
use crate::config;
use crate::starlevel::{Assessment, ChainReport, EvidenceChain, Outcome};
use crate::status;

/// Whom to ask.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
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
    /// Look at the stored evidence: whether every closed day is as it was written. Asks the running
    /// gateway; reads the store itself when none runs. Fails when a day does not hold.
    Verify {
        /// Folder of the store, instead of the configuration's; no gateway must be running on it.
        #[arg(long, value_name = "FOLDER")]
        path: Option<PathBuf>,
    },
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if let Some(Action::Verify { path }) = &arguments.action {
        return verify_where(arguments, path.as_deref());
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

/// Verifies the store in `path`, else that of the configuration or of the running gateway.
fn verify_where(arguments: &Arguments, path: Option<&Path>) -> anyhow::Result<ExitCode> {
    if let Some(folder) = path {
        return verify(Some(folder), None, arguments.json);
    }
    let (page, folder) = match (arguments.page, config::load(&arguments.config)) {
        (Some(page), Err(_)) => (Some(page), None),
        (page, Ok(settings)) => {
            (page.or(settings.status.map(|page| page.listen)), Some(settings.buffer.path))
        }
        (None, Err(faults)) => {
            complain(&faults.to_string());
            return Ok(ExitCode::from(BAD_CONFIGURATION));
        }
    };
    verify(folder.as_deref(), page, arguments.json)
}

fn verify(folder: Option<&Path>, page: Option<SocketAddr>, json: bool) -> anyhow::Result<ExitCode> {
    let running = match page {
        Some(page) => runtime()?.block_on(status::fetch(page, "/api/v1/stars/verify")),
        None => Err(std::io::Error::other("no page / 没有页面")),
    };
    let report: ChainReport = match (running, folder) {
        (Ok(body), _) => serde_json::from_str(&body)
            .context("the page's answer is no report / 页面的应答不是校验结果")?,
        (Err(_), Some(folder)) => {
            anyhow::ensure!(
                folder.is_dir(),
                "there is no store at / 此处没有存储: {}",
                folder.display()
            );
            EvidenceChain::open(folder)
                .context("opening the store / 打开存储")?
                .verify()
                .context("reading the evidence / 读取证据")?
        }
        (Err(error), None) => {
            return Err(error).context("asking the gateway's page / 询问网关页面");
        }
    };
    if json {
        say(&serde_json::to_string_pretty(&report)?);
    } else {
        tell(&report);
    }
    Ok(if report.fault.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn tell(report: &ChainReport) {
    let range = match (&report.first, &report.last) {
        (Some(first), Some(last)) => format!(": {first} – {last}"),
        _ => String::new(),
    };
    match &report.fault {
        None => {
            say(&format!("{} closed days hold 个封存日完好{range}", report.days));
            if let Some(head) = &report.head {
                say(&format!("SHA-256 {head}"));
            }
        }
        Some(fault) => {
            complain(&format!("{}: {} / {}", fault.day, fault.en, fault.zh));
        }
    }
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
