//! `linli setup`: from a new box to its first acknowledged block, by questions, flags or a signed
//! bundle.

mod dialogue;
mod first;
mod gather;
mod lines;
mod page;
mod service;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::ValueEnum;

use super::config::diff;
use super::scan::Limits;
use super::users::first_user;
use super::{BAD_CONFIGURATION, complain, runtime, say, span};
use crate::app::users_file;
use crate::config::{self, Settings};
use crate::profile::SITE_FOLDER;
use crate::setup::{Bundle, Draft, Plan, PreparedFault, find_bundles};
use crate::signed::{TRUST_FOLDER, TrustedKeys};
use dialogue::Dialogue;
use gather::Gathered;

/// Below these folders removable media are mounted.
const MEDIA: [&str; 3] = ["/media", "/run/media", "/mnt"];

/// What is answered already. What is not is asked for, unless --yes.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// Configuration file.
    #[arg(short, long, value_name = "FILE", default_value = "/etc/linli/linli.toml")]
    config: PathBuf,
    /// Language of the questions (提问语言).
    #[arg(long, value_enum, default_value = "zh")]
    lang: Language,
    /// Ask nothing: take the proposals, or what the box has (不提问，采用缺省值).
    #[arg(short, long)]
    yes: bool,
    /// A signed bundle: the file, or the folder with `linli-setup.tar`. Nothing is asked then. Without
    /// it sticks under /media, /run/media and /mnt are looked through (签名安装包).
    #[arg(long, value_name = "PATH")]
    bundle: Option<PathBuf>,
    /// Folder with the public keys whose bundles are taken (受信任公钥目录).
    #[arg(long, value_name = "FOLDER", default_value = TRUST_FOLDER)]
    trust: PathBuf,
    /// Ask on a page of its own, for a phone: prints its address and a code that opens it once. Nothing
    /// is asked here then (在网页上完成).
    #[arg(long = "page", conflicts_with_all = ["bundle", "yes"])]
    on_page: bool,
    /// Where that page listens, under TLS beyond this machine (向导网页监听地址).
    #[arg(long, value_name = "ADDRESS:PORT", requires = "on_page", default_value = "0.0.0.0:8444")]
    page_listen: SocketAddr,
    #[command(flatten)]
    gateway: GatewayFlags,
    #[command(flatten)]
    lines: LineFlags,
    /// The field broker, HOST:PORT, or `none` (现场消息代理).
    #[arg(long, value_name = "HOST:PORT")]
    broker: Option<String>,
    #[command(flatten)]
    platform: PlatformFlags,
    #[command(flatten)]
    page: PageFlags,
    /// Do not start the service; wait for a gateway that somebody else starts (不启动服务).
    #[arg(long)]
    no_start: bool,
    /// How long the first reading and the first acknowledged block are waited for; 0s: not at all.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = span)]
    wait: Duration,
}

/// The box and its estate.
#[derive(Debug, clap::Args)]
struct GatewayFlags {
    /// The gateway's name at the platform, e.g. jinan-lixia-0107 (网关标识).
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// The estate's name (小区名称).
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// new or old_retrofit (新建 / 改造).
    #[arg(long, value_name = "KIND", value_parser = ["new", "old_retrofit"])]
    kind: Option<String>,
    /// Whom the devices belong to (产权单位).
    #[arg(long, value_name = "TEXT")]
    owner: Option<String>,
    /// Who maintains them (维护单位).
    #[arg(long, value_name = "TEXT")]
    maintainer: Option<String>,
}

/// The serial lines and how they are scanned.
#[derive(Debug, clap::Args)]
struct LineFlags {
    /// Serial lines, each a bus; `none` for none (串口，可多次).
    #[arg(long, value_name = "PATH")]
    serial: Vec<String>,
    /// Do not scan the lines (不扫描).
    #[arg(long)]
    no_scan: bool,
    #[command(flatten)]
    limits: Limits,
}

/// The city's platform.
#[derive(Debug, clap::Args)]
struct PlatformFlags {
    /// The platform's broker, HOST or HOST:PORT, or `none` (市平台地址).
    #[arg(long, value_name = "HOST[:PORT]")]
    platform: Option<String>,
    /// MQTT client id; `{gateway}` stands for the gateway's name (客户端标识).
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// User at the platform's broker (平台用户名).
    #[arg(long, value_name = "NAME")]
    platform_user: Option<String>,
    /// File with the password there; it is copied (平台密码文件).
    #[arg(long, value_name = "FILE")]
    platform_password_file: Option<PathBuf>,
    /// Encrypt the session; what certificates imply (加密).
    #[arg(long, value_name = "BOOL")]
    tls: Option<bool>,
    /// Authorities by which the broker is known, PEM; copied (平台 CA 证书).
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The gateway's certificate, PEM; copied (网关证书).
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// Its key, PEM; copied (网关私钥).
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// The local page.
#[derive(Debug, clap::Args)]
struct PageFlags {
    /// Where the page listens, e.g. 0.0.0.0:8443 (页面监听地址).
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// The page's first maintainer (页面首个用户).
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The hash of the password, from `linli hash-password` (口令摘要).
    #[arg(long, value_name = "HASH", requires = "user", conflicts_with = "password_file")]
    hash: Option<String>,
    /// File with the password on one line (口令文件).
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    Zh,
    En,
}

const EXIT_CODES: &str = "Nothing is written before the last question. The old configuration stays \
beside the new one as FILE.1, FILE.2, ….

Exit codes: 0 done; 1 failed or given up, or the first reading or block did not come in time; 64 the \
configuration would not be taken: nothing was written, the faults are on standard error.";

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut dialogue = Dialogue::new(arguments.lang, arguments.yes);
    if arguments.on_page {
        return page::execute(arguments, dialogue);
    }
    let bundle = bundle(arguments, &mut dialogue)?;
    let place = Place::look(arguments)?;
    let begin = bundle.as_ref().and_then(|bundle| bundle.configuration.as_deref());
    let draft = match Draft::begin(&place.path, begin.or(place.present.as_deref())) {
        Ok(draft) => draft,
        Err(fault) => return Ok(refused(&dialogue, &fault.to_string())),
    };
    let gathered = gather::gather(arguments, bundle.as_ref(), &draft, &dialogue)?;
    match write(&place, draft, gathered, bundle.as_ref(), &dialogue)? {
        Ok(settings) => finish(arguments, &place, &settings, &dialogue),
        Err(faults) => Ok(refused(&dialogue, &faults)),
    }
}

/// Where the configuration lies, and what lies there.
struct Place {
    path: PathBuf,
    present: Option<String>,
}

impl Place {
    fn look(arguments: &Arguments) -> anyhow::Result<Self> {
        let path = std::path::absolute(&arguments.config).context("the configuration's path")?;
        let present = match std::fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        Ok(Self { path, present })
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }
}

/// From the answers to the configuration in its place. The inner faults are those of the checker, and
/// then nothing was written.
fn write(
    place: &Place,
    mut draft: Draft,
    gathered: Gathered,
    bundle: Option<&Bundle>,
    dialogue: &Dialogue,
) -> anyhow::Result<Result<Settings, String>> {
    let path = &place.path;
    draft.answer(&gathered.answers, &gathered.credentials);
    if let Some(bundle) = bundle {
        let id = draft.get(&["gateway", "id"]).unwrap_or_default();
        bundle.require_for(id).map_err(dialogue::both)?;
    }
    let profiles = bundle.map(|bundle| bundle.profiles.clone()).unwrap_or_default();
    if !profiles.is_empty() {
        draft.use_profiles(&place.folder().join("profiles"), Path::new(SITE_FOLDER));
    }
    if let Err(faults) = lines::add(&mut draft, path, &gathered.answers.lines, dialogue)? {
        return Ok(Err(faults));
    }
    let text = draft.text();
    if !agreed(path, place.present.as_deref(), &text, &gathered, dialogue)? {
        bail!("given up; nothing was written / 已放弃，未写入任何内容");
    }
    let plan = Plan { config: path.clone(), text, credentials: gathered.credentials, profiles };
    let prepared = match plan.prepare() {
        Ok(prepared) => prepared,
        Err(PreparedFault::Refused(wrong)) => return Ok(Err(wrong.faults.to_string())),
        Err(other) => return Err(other.into()),
    };
    if let Some((name, hash)) = gathered.user {
        first_user(&users_file(&prepared.settings), &name, hash)?;
    }
    for note in &prepared.settings.notes {
        complain(&format!("note: {note}"));
    }
    let settings = prepared.settings.clone();
    let kept = prepared.commit()?;
    if let Some(bundle) = bundle {
        bundle.note_taken(place.folder()).map_err(dialogue::both)?;
    }
    written(path, kept.as_deref(), dialogue);
    Ok(Ok(settings))
}

/// Starts the gateway and waits for what shows that it works.
fn finish(
    arguments: &Arguments,
    place: &Place,
    settings: &Settings,
    dialogue: &Dialogue,
) -> anyhow::Result<ExitCode> {
    service::start(&place.path, arguments.no_start, dialogue)?;
    if arguments.wait.is_zero() {
        return Ok(ExitCode::SUCCESS);
    }
    let seen = runtime()?.block_on(first::wait(settings, arguments.wait, dialogue));
    Ok(if seen { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The bundle that is named, or found on a stick and wanted.
fn bundle(arguments: &Arguments, dialogue: &mut Dialogue) -> anyhow::Result<Option<Bundle>> {
    let path = match &arguments.bundle {
        Some(path) => path.clone(),
        None => {
            let found = find_bundles(&MEDIA.map(PathBuf::from));
            let Some(path) = found.into_iter().next() else { return Ok(None) };
            let shown = path.display();
            let question =
                (format!("{shown} was found: use it?"), format!("发现 {shown}，是否采用？"));
            if !dialogue.confirm(question, true)? {
                return Ok(None);
            }
            path
        }
    };
    let keys =
        TrustedKeys::load(&arguments.trust).map_err(|fault| dialogue::both_words(fault.words()))?;
    let bundle = Bundle::read(&path, &keys).map_err(dialogue::both)?;
    let config = std::path::absolute(&arguments.config).context("the configuration's path")?;
    bundle.require_newer(config.parent().unwrap_or(Path::new("/"))).map_err(dialogue::both)?;
    let (key, comment) = (&bundle.approved.key_id, &bundle.approved.comment);
    dialogue.tell((
        format!("the bundle is signed by key {key}: {comment}"),
        format!("安装包由密钥 {key} 签署：{comment}"),
    ));
    dialogue.ask_nothing();
    Ok(Some(bundle))
}

/// Shows what would be written, and asks.
fn agreed(
    path: &Path,
    present: Option<&str>,
    text: &str,
    gathered: &Gathered,
    dialogue: &Dialogue,
) -> anyhow::Result<bool> {
    for words in &gathered.notes {
        dialogue.tell((format!("! {}", words.en), format!("! {}", words.zh)));
    }
    match present {
        Some(before) if before == text => {
            dialogue.tell(("the configuration stays as it is", "配置无变化"));
        }
        Some(before) => say(diff(path, before, text).trim_end()),
        None => {
            say(text.lines().filter(|line| counts(line)).collect::<Vec<_>>().join("\n").as_str())
        }
    }
    let shown = path.display();
    dialogue.confirm((format!("write {shown}?"), format!("写入 {shown}？")), true)
}

/// Of a new configuration the comments of the example are not shown.
fn counts(line: &str) -> bool {
    !line.trim().is_empty() && !line.trim_start().starts_with('#')
}

fn refused(dialogue: &Dialogue, faults: &str) -> ExitCode {
    complain(faults.trim_end());
    dialogue.tell(("nothing was written", "未写入任何内容"));
    ExitCode::from(BAD_CONFIGURATION)
}

fn written(path: &Path, kept: Option<&Path>, dialogue: &Dialogue) {
    let shown = path.display();
    match kept {
        Some(kept) => {
            let kept = kept.display();
            dialogue.tell((
                format!("{shown} is written; the old one is {kept}"),
                format!("已写入 {shown}，旧配置保留为 {kept}"),
            ));
        }
        None => dialogue.tell((format!("{shown} is written"), format!("已写入 {shown}"))),
    }
}

/// A check as `config check` would do it, for the lines that are scanned before anything is written.
fn parsed(path: &Path, text: &str) -> Result<Settings, String> {
    let name = path.display().to_string();
    let library = crate::profile::Library::load(&[])
        .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    config::parse(&name, text, &library).map_err(|faults| faults.to_string())
}
