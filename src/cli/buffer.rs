//! `linli buffer`: what is stored, whether it is whole, and the records themselves.

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;

use super::page::page_of;
use super::{BAD_CONFIGURATION, complain, runtime, say};
use crate::{buffer, config, status};

/// What to do with the buffer.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// Configuration file; it says where the buffer lies.
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        default_value = "/etc/linli/linli.toml"
    )]
    config: PathBuf,
    /// Folder of the buffer, instead of the configuration's.
    #[arg(long, global = true, value_name = "FOLDER")]
    path: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// How much is stored, and how many hours of outage still fit. Asks the running gateway; reads
    /// the folder itself when none runs.
    Show {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Look at every stored block: checksum and content. The gateway must not be running.
    Verify,
    /// Write every stored block as a line of JSON. The gateway must not be running.
    Export {
        /// File to write; standard output without it.
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (folder, page) = match &arguments.path {
        Some(path) => (path.clone(), None),
        None => match config::load(&arguments.config) {
            Ok(settings) => (settings.buffer.path.clone(), page_of(&settings)),
            Err(faults) => {
                complain(&faults.to_string());
                return Ok(ExitCode::from(BAD_CONFIGURATION));
            }
        },
    };
    match &arguments.action {
        Action::Show { json } => {
            let running = match &page {
                Some(page) => runtime()?.block_on(status::fetch(page, "/api/v1/buffer")).ok(),
                None => None,
            };
            show(&folder, running.as_deref(), *json)
        }
        Action::Verify => verify(&folder),
        Action::Export { output } => export(&folder, output.as_deref()),
    }
}

fn show(folder: &Path, running: Option<&str>, json: bool) -> anyhow::Result<ExitCode> {
    if let Some(body) = running {
        if json {
            say(body);
            return Ok(ExitCode::SUCCESS);
        }
        let status: serde_json::Value =
            serde_json::from_str(body).context("the page's answer is no buffer status")?;
        let number = |key: &str| status[key].as_f64().unwrap_or(0.0);
        say(&format!(
            "{} blocks 块, {} readings 读数, {:.1} MiB stored 已缓存; {:.1} of {:.1} MiB on the disk 磁盘占用/预算",
            number("blocks"),
            number("readings"),
            number("live_bytes") / f64::from(1 << 20),
            number("file_bytes") / f64::from(1 << 20),
            number("budget") / f64::from(1 << 20),
        ));
        match status["hours_left"].as_f64() {
            Some(hours) => say(&format!(
                "an outage of {hours:.0} hours still fits at the present rate / 按当前速率还可缓存 {hours:.0} 小时"
            )),
            None => say("the rate is not known yet / 速率尚不清楚"),
        }
        return Ok(ExitCode::SUCCESS);
    }
    let inspection = buffer::inspect(folder)?;
    if json {
        say(&serde_json::to_string_pretty(&inspection)?);
    } else {
        describe(&inspection);
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(inspection: &buffer::Inspection) {
    let epoch = inspection.epoch.map_or_else(|| "none 无".to_owned(), |epoch| epoch.to_string());
    say(&format!("epoch 纪元 {epoch}, next block 下一块 {}", inspection.next_seq));
    for lane in &inspection.lanes {
        let range = match (lane.oldest, lane.newest) {
            (Some(oldest), Some(newest)) => format!(", {oldest} to {newest}"),
            _ => String::new(),
        };
        say(&format!(
            "{}: {} blocks 块, {} readings 读数, {} bytes 字节{range}",
            lane.lane, lane.blocks, lane.readings, lane.bytes
        ));
    }
    say(&format!(
        "{} bytes on the disk 磁盘占用字节, {} blocks evicted so far 累计丢弃块, {} thinned 抽稀",
        inspection.file_bytes, inspection.evicted_blocks, inspection.thinned_blocks
    ));
    for block in &inspection.damaged {
        say(&format!("damaged 损坏: {} block 块 {}: {}", block.lane, block.seq, block.fault));
    }
}

fn verify(folder: &Path) -> anyhow::Result<ExitCode> {
    let inspection = buffer::inspect(folder)?;
    describe(&inspection);
    if inspection.damaged.is_empty() {
        say("every block is whole / 全部完好");
        return Ok(ExitCode::SUCCESS);
    }
    complain(&format!("{} blocks are damaged / 有损坏的数据块", inspection.damaged.len()));
    Ok(ExitCode::FAILURE)
}

fn export(folder: &Path, output: Option<&Path>) -> anyhow::Result<ExitCode> {
    match output {
        Some(path) => {
            let file = std::fs::File::create(path)
                .with_context(|| format!("creating {}", path.display()))?;
            let mut file = BufWriter::new(file);
            buffer::export(folder, &mut file)?;
            file.flush().with_context(|| format!("writing {}", path.display()))?;
        }
        None => {
            buffer::export(folder, &mut std::io::stdout().lock())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
