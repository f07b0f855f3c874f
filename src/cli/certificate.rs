//! `linli certificate`: where the gateway's page is, and the fingerprint by which a technician knows it.

use std::process::ExitCode;

use anyhow::Context as _;
use serde::Serialize;

use super::{BAD_CONFIGURATION, ConfigFile, complain, say};
use crate::config;
use crate::status::fingerprint_of;

/// What to show.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    file: ConfigFile,
    /// Print it as one JSON object.
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Shown {
    url: String,
    tls: bool,
    certificate_file: Option<String>,
    sha256: Option<String>,
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let settings = match config::load(&arguments.file.config) {
        Ok(settings) => settings,
        Err(faults) => {
            complain(&faults.to_string());
            return Ok(ExitCode::from(BAD_CONFIGURATION));
        }
    };
    let page = settings
        .page()
        .context("the configuration has no [status] page / 配置中没有 [status] 页面")?;
    let sha256 = match &page.certificate {
        // Made at the first start of the gateway.
        Some(file) => Some(fingerprint_of(file).with_context(|| {
            "the certificate of the page; the gateway makes its own at its first start / \
             页面证书；自动生成的证书在网关首次启动时产生"
        })?),
        None => None,
    };
    if arguments.json {
        let shown = Shown {
            url: page.to_string(),
            tls: page.certificate.is_some(),
            certificate_file: page.certificate.as_ref().map(|file| file.display().to_string()),
            sha256,
        };
        say(&serde_json::to_string_pretty(&shown)?);
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("page 页面: {page}"));
    match (&page.certificate, sha256) {
        (Some(file), Some(sha256)) => {
            say(&format!("certificate 证书: {}", file.display()));
            say(&format!("SHA-256: {sha256}"));
            say("compare it with what the browser shows of the certificate, then trust it");
            say("请与浏览器所示证书的 SHA-256 指纹逐字比对，一致方可信任");
        }
        _ => say("served in plain HTTP / 以明文 HTTP 提供"),
    }
    Ok(ExitCode::SUCCESS)
}
