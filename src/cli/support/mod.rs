//! `linli support-bundle`: what support needs of a box, in one file, without secrets.

mod gather;

use std::io::BufWriter;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use super::{runtime, say};
use crate::whole_file;

/// What to gather, and whereto.
#[derive(Debug, clap::Args)]
#[command(after_help = LOOK)]
pub(super) struct Arguments {
    /// File to write; linli-support-TIME.tar.zst in this folder when it is left out (输出文件).
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Configuration file.
    #[arg(short, long, value_name = "FILE", default_value = "/etc/linli/linli.toml")]
    config: PathBuf,
    /// Only list what would be in it (仅列出内容).
    #[arg(long)]
    list: bool,
    /// Ask nobody over the network: neither name servers nor brokers (不联网).
    #[arg(long)]
    offline: bool,
}

const LOOK: &str = "Passwords, keys, tokens and their hashes are taken out; names of devices, \
places and addresses stay. Look before you send it: tar --zstd -xf FILE. \
口令、私钥、令牌及其摘要已去除；设备名称、位置、地址保留。发送前请自行查看。";

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let at = jiff::Timestamp::now();
    let name = || PathBuf::from(format!("linli-support-{}.tar.zst", at.strftime("%Y%m%dT%H%M%SZ")));
    let file = arguments.file.clone().unwrap_or_else(name);
    let shown = file.display();
    if !arguments.list {
        anyhow::ensure!(!file.exists(), "{shown} is there already / 文件已存在");
    }
    let bundle = runtime()?.block_on(gather::all(&arguments.config, !arguments.offline));
    say(bundle.listing().trim_end());
    let removed = bundle.removed();
    say(&format!("{removed} secrets were taken out / 已去除 {removed} 处口令或密钥"));
    if arguments.list {
        return Ok(ExitCode::SUCCESS);
    }
    let cannot = || format!("{shown} cannot be written / 无法写入");
    let (new, out) = whole_file::begin(&file, 0o600).with_context(cannot)?;
    let seconds = u64::try_from(at.as_second()).unwrap_or(0);
    bundle.write(BufWriter::new(&out), seconds).with_context(cannot)?;
    out.sync_all().with_context(cannot)?;
    std::fs::rename(&new, &file).with_context(cannot)?;
    let bytes = out.metadata().with_context(cannot)?.len();
    say(&format!(
        "{shown}: {} KiB; look into it before you send it: tar --zstd -xf {shown} / \
         发送前请查看内容",
        bytes.div_ceil(1024)
    ));
    Ok(ExitCode::SUCCESS)
}
