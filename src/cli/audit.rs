//! `linli audit`: who did what. Asks the running gateway; reads the store itself when none runs.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use super::page::page_of;
use super::{BAD_CONFIGURATION, complain, runtime, say};
use crate::audit::{Entry, Filter, Page, Trail, Verified};
use crate::store::{Limits, Store, is_store};
use crate::{config, status};

const ASKING: &str = "asking the gateway's page / 询问网关页面";

/// What is wanted.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Most entries, the newest.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
    /// Only entries with a lower number.
    #[arg(long, value_name = "NUMBER")]
    before: Option<u64>,
    /// Only of this user; `console` for this machine.
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Look at the whole chain instead: whether each entry is as it was written. Fails when not.
    #[arg(long)]
    verify: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Configuration file; it says where the page listens and where the store lies.
    #[arg(short, long, value_name = "FILE", default_value = "/etc/linli/linli.toml")]
    config: PathBuf,
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let settings = match config::load(&arguments.config) {
        Ok(settings) => settings,
        Err(faults) => {
            complain(&faults.to_string());
            return Ok(ExitCode::from(BAD_CONFIGURATION));
        }
    };
    let page = page_of(&settings);
    let running = match &page {
        Some(page) => match runtime()?.block_on(status::fetch(page, &resource(arguments))) {
            Ok(body) => Some(body),
            // Who answers has the store open.
            Err(error) if matches!(error.kind(), ErrorKind::Other | ErrorKind::TimedOut) => {
                return Err(error).context(ASKING);
            }
            Err(_) => None,
        },
        None => None,
    };
    let folder = &settings.buffer.path;
    if arguments.verify {
        let verified: Verified = match running {
            Some(body) => serde_json::from_str(&body).context(ASKING)?,
            None => trail(folder)?.verify().context("reading the trail / 读取操作记录")?,
        };
        return tell(&verified, arguments.json);
    }
    let page: Page = match running {
        Some(body) => serde_json::from_str(&body).context(ASKING)?,
        None => {
            let filter = Filter {
                who: arguments.who.clone(),
                before: arguments.before,
                ..Filter::default()
            };
            let read = trail(folder)?.page(&filter, usize::from(arguments.limit));
            read.context("reading the trail / 读取操作记录")?
        }
    };
    if arguments.json {
        say(&serde_json::to_string_pretty(&page)?);
        return Ok(ExitCode::SUCCESS);
    }
    page.entries.iter().for_each(|entry| say(&line(entry)));
    if page.entries.is_empty() {
        say("no entry / 没有记录");
    }
    if page.dropped > 0 {
        say(&format!("older entries were dropped / 更早的记录已按期限删除: 1–{}", page.dropped));
    }
    Ok(ExitCode::SUCCESS)
}

fn resource(arguments: &Arguments) -> String {
    if arguments.verify {
        return "/api/v1/audit/verify".to_owned();
    }
    let mut text = format!("/api/v1/audit?limit={}", arguments.limit);
    if let Some(before) = arguments.before {
        text += &format!("&before={before}");
    }
    if let Some(who) = &arguments.who {
        text += "&who=";
        text.extend(who.bytes().map(|byte| format!("%{byte:02X}")));
    }
    text
}

fn trail(folder: &Path) -> anyhow::Result<Trail> {
    anyhow::ensure!(is_store(folder), "there is no store at / 此处没有存储: {}", folder.display());
    let store = Store::open(folder, Limits::default()).context("opening the store / 打开存储")?;
    Ok(Trail::of(&store))
}

fn line(entry: &Entry) -> String {
    let at = jiff::Timestamp::from_millisecond(entry.at_ms)
        .map_or_else(|_| "-".to_owned(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    let at = if entry.trusted { at } else { format!("{at}(clock not trusted 未校时)") };
    let (action, outcome) = (entry.action.words(), entry.outcome.words());
    let more: Vec<&str> =
        [&*entry.about, &*entry.detail].into_iter().filter(|text| !text.is_empty()).collect();
    format!(
        "{} {at} {} {} {} {}, {} {}{}{}",
        entry.number,
        entry.who,
        entry.from,
        action.en,
        action.zh,
        outcome.en,
        outcome.zh,
        if more.is_empty() { "" } else { ": " },
        more.join(" ")
    )
}

fn tell(verified: &Verified, json: bool) -> anyhow::Result<ExitCode> {
    if json {
        say(&serde_json::to_string_pretty(verified)?);
    } else if let Some(fault) = &verified.fault {
        complain(&format!("{fault} / 操作记录与写入时不符"));
    } else {
        say(&format!("{} entries hold / 条记录完好", verified.entries));
    }
    Ok(if verified.fault.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
