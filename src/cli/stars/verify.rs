//! `linli stars verify`: the stored evidence, or a report.

use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;

use super::Arguments;
use crate::cli::page::{page_at, page_of};
use crate::cli::{BAD_CONFIGURATION, complain, runtime, say};
use crate::config;
use crate::starlevel::report::{Verified, parse_public_key, verify};
use crate::starlevel::{ChainReport, EvidenceChain};
use crate::status::{self, Page};

/// Longest report that is read, bytes; one of 500 devices and 30 days has about two million.
const MOST: u64 = 64 << 20;

/// A box may take its time for a year of 500 devices.
const PATIENCE: Duration = Duration::from_secs(120);
const ASKING: &str = "asking the gateway's page / 询问网关页面";

/// A key that the user trusts.
#[derive(Debug, Clone)]
pub(super) struct PublicKey([u8; 32]);

/// Reads the option `--key`.
pub(super) fn public_key(text: &str) -> Result<PublicKey, String> {
    parse_public_key(text).map(PublicKey).ok_or_else(|| {
        "is no public key, allowed are 64 hex digits / 公钥须为 64 位十六进制数字".to_owned()
    })
}

/// Looks at a report.
pub(super) fn file(path: &Path, key: Option<&PublicKey>, json: bool) -> anyhow::Result<ExitCode> {
    let cannot = || format!("reading {} / 读取报告失败", path.display());
    let size = std::fs::metadata(path).with_context(cannot)?.len();
    anyhow::ensure!(
        size <= MOST,
        "{}: {size} bytes, allowed are {MOST} / 文件过大",
        path.display()
    );
    let bytes = std::fs::read(path).with_context(cannot)?;
    let found = verify(&bytes, key.map(|key| &key.0));
    if json {
        say(&serde_json::to_string_pretty(&found)?);
    } else {
        describe(path, &found);
    }
    Ok(if found.good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn describe(path: &Path, found: &Verified) {
    for fault in &found.faults {
        complain(&format!("{}: {} / {}", path.display(), fault.en, fault.zh));
    }
    if found.good {
        say("the report is as it was signed / 报告与签名时一致");
    }
    if let (Some(gateway), Some(star)) = (&found.gateway, found.star) {
        let period = found
            .period
            .as_ref()
            .map_or_else(String::new, |(first, last)| format!(", {first} – {last}"));
        say(&format!(
            "gateway 网关 {gateway}, star 星级 {star}, {} closed days 个封存日{period}",
            found.days
        ));
    }
    if let Some(head) = &found.head {
        say(&format!("chain 证据链 SHA-256 {head}"));
    }
    if let Some(true) = found.built_in_rules {
        say("rules 规则包: those of this program 与本程序内置的一致");
    }
    if let (Some(key), Some(print)) = (&found.public_key, &found.fingerprint) {
        let compared = match found.key_matches {
            Some(true) => ", the one of --key 与 --key 一致",
            _ => "",
        };
        say(&format!("key 公钥 {key}{compared}"));
        say(&format!("fingerprint 指纹 {print}"));
    }
    for note in &found.notes {
        say(&format!("{} / {}", note.en, note.zh));
    }
}

/// Verifies the store in `path`, else that of the configuration or of the running gateway.
pub(super) fn store(arguments: &Arguments, path: Option<&Path>) -> anyhow::Result<ExitCode> {
    if let Some(folder) = path {
        return look(Some(folder), None, arguments.json);
    }
    let (page, folder) = match (arguments.page, config::load(&arguments.config)) {
        (Some(page), Err(_)) => (Some(page_at(page, None)), None),
        (page, Ok(settings)) => {
            let page = page.map(|page| page_at(page, Some(&settings)));
            (page.or_else(|| page_of(&settings)), Some(settings.buffer.path))
        }
        (None, Err(faults)) => {
            complain(&faults.to_string());
            return Ok(ExitCode::from(BAD_CONFIGURATION));
        }
    };
    look(folder.as_deref(), page.as_ref(), arguments.json)
}

fn look(folder: Option<&Path>, page: Option<&Page>, json: bool) -> anyhow::Result<ExitCode> {
    let running = match page {
        Some(page) => {
            let asked = status::fetch_within(PATIENCE, page, "/api/v1/stars/verify");
            Some(runtime()?.block_on(asked))
        }
        None => None,
    };
    let report: ChainReport = match (running, folder) {
        (Some(Ok(body)), _) => serde_json::from_str(&body)
            .context("the page's answer is no report / 页面的应答不是校验结果")?,
        // Who answers, or is slow to, has the store open.
        (Some(Err(error)), None) => return Err(error).context(ASKING),
        (Some(Err(error)), _) if matches!(error.kind(), ErrorKind::Other | ErrorKind::TimedOut) => {
            return Err(error).context(ASKING);
        }
        (None | Some(Err(_)), Some(folder)) => {
            anyhow::ensure!(
                crate::store::is_store(folder),
                "there is no store at / 此处没有存储: {}",
                folder.display()
            );
            EvidenceChain::open(folder)
                .context("opening the store / 打开存储")?
                .verify()
                .context("reading the evidence / 读取证据")?
        }
        (None, None) => anyhow::bail!("neither a page nor a store / 既无页面也无存储"),
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
