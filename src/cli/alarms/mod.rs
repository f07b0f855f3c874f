//! `linli alarms`: what is open, acknowledge and close it over the running gateway's page; the
//! rules that hold for each device; and a rehearsal of the rules on stored readings.

mod charted;
mod past;
mod rules;
mod test;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;

use super::page::page_of;
use super::{BAD_CONFIGURATION, complain, runtime, say, span};
use crate::config::{self, Settings};
use crate::status::{self, Lines, Page};

/// What to do.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// Configuration file; it says where the page listens, which devices and which rules there are.
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        default_value = "/etc/linli/linli.toml"
    )]
    config: PathBuf,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// What is open, worst first. Asks the running gateway (未关闭的报警).
    List {
        /// Only of this level: red, orange, yellow, blue.
        #[arg(long, value_name = "LEVEL")]
        level: Option<String>,
        /// Those that are closed, the newest first.
        #[arg(long)]
        closed: bool,
    },
    /// Say that somebody knows of an alarm (确认报警).
    Ack {
        /// Its identifier, from `linli alarms list`.
        #[arg(value_name = "ALARM")]
        id: String,
    },
    /// Close an alarm, with what was found and done (关闭报警).
    Close {
        /// Its identifier, from `linli alarms list`.
        #[arg(value_name = "ALARM")]
        id: String,
        /// What was found and done.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// The rules that hold for each device, with everything that the configuration changes. Opens
    /// nothing (各设备生效的规则).
    Rules {
        /// Only of this device; `gateway` for the gateway itself.
        #[arg(value_name = "DEVICE")]
        device: Option<String>,
    },
    /// Run the rules over stored readings: what would have been raised, when, for how long. Raises
    /// nothing. Reads the history of the charts, and the buffer when no gateway runs on it
    /// (试运行规则).
    Test {
        /// How far back, e.g. `7d`.
        #[arg(long, value_name = "SPAN", default_value = "7d", value_parser = span)]
        since: Duration,
        /// Readings as `linli buffer export` writes them, instead of those kept here.
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
    },
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let settings = match config::load(&arguments.config) {
        Ok(settings) => settings,
        Err(faults) => {
            complain(&faults.to_string());
            return Ok(ExitCode::from(BAD_CONFIGURATION));
        }
    };
    match &arguments.action {
        Action::List { level, closed } => {
            let state = if *closed { "closed" } else { "open" };
            let level = level.as_deref().unwrap_or_default();
            list(&settings, &format!("?state={state}&level={level}&limit=500"), arguments.json)
        }
        Action::Ack { id } => act(&settings, id, "acknowledge", &serde_json::json!({})),
        Action::Close { id, reason } => {
            act(&settings, id, "close", &serde_json::json!({ "reason": reason }))
        }
        Action::Rules { device } => rules::show(&settings, device.as_deref(), arguments.json),
        Action::Test { since, from } => {
            test::run(&settings, *since, from.as_deref(), arguments.json)
        }
    }
}

const ASKING: &str = "asking the gateway's page / 询问网关页面";

fn page(settings: &Settings) -> anyhow::Result<Page> {
    page_of(settings).context("the configuration has no [status] page / 配置中没有 [status] 页面")
}

#[derive(Deserialize)]
struct Said {
    zh: String,
    en: String,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    level: String,
    state: String,
    title: Said,
    name: Option<String>,
    place: Option<String>,
    age_s: u64,
    left_s: Option<i64>,
}

#[derive(Deserialize)]
struct Rows {
    alarms: Vec<Row>,
}

fn list(settings: &Settings, query: &str, json: bool) -> anyhow::Result<ExitCode> {
    let page = page(settings)?;
    let resource = format!("/api/v1/alarms{query}");
    let body = runtime()?.block_on(status::fetch(&page, &resource)).context(ASKING)?;
    if json {
        say(&body);
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Rows = serde_json::from_str(&body).context(ASKING)?;
    if rows.alarms.is_empty() {
        say("no alarm / 没有报警");
    }
    for row in rows.alarms {
        let clock = match row.left_s {
            Some(left) if left < 0 => format!("overdue {} s", left.unsigned_abs()),
            Some(left) => format!("{left} s left"),
            None => String::new(),
        };
        let whom = [row.name.unwrap_or_default(), row.place.unwrap_or_default()].join(" ");
        say(&format!(
            "{:7} {:13} {}  {} / {}  {}  {} s  {clock}",
            row.level,
            row.state,
            row.id,
            row.title.en,
            row.title.zh,
            whom.trim(),
            row.age_s,
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn act(
    settings: &Settings,
    id: &str,
    what: &str,
    body: &serde_json::Value,
) -> anyhow::Result<ExitCode> {
    let page = page(settings)?;
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    anyhow::ensure!(plain && !id.is_empty(), "`{id}` is no alarm / `{id}` 不是报警编号");
    let resource = format!("/api/v1/alarms/{id}/{what}");
    let body = body.to_string();
    let answer = Lines::post(&page, &resource, &body);
    runtime()?.block_on(answer).context(ASKING)?;
    say("done / 已完成");
    Ok(ExitCode::SUCCESS)
}
