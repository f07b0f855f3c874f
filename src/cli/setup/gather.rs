//! All questions, in the order in which an installer can answer them.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::super::users::{hashed, hashed_of};
use super::dialogue::{Dialogue, both_words};
use super::{Arguments, PageFlags};
use crate::access::{USERS_FILE, Users, check_name};
use crate::driver::serial_ports;
use crate::model::{GatewayId, Words};
use crate::settings::{check_endpoint, check_host};
use crate::setup::{
    Answers, Bundle, Credentials, Draft, Field, Gateway, Kind, Lines, NONE, Page, Platform,
};

/// Where Mosquitto of the package listens.
const FIELD_BROKER: &str = "127.0.0.1:1883";
/// A broker on this machine answers at once.
const PROBE: Duration = Duration::from_secs(1);
/// The page, when it has a user: for everybody in the estate's network, under TLS.
pub(super) const LISTEN: &str = "0.0.0.0:8443";
/// Where the state lies when the configuration does not say.
const STATE: &str = "/var/lib/linli/buffer";

/// Everything that was answered.
pub(super) struct Gathered {
    pub answers: Answers,
    pub credentials: Credentials,
    /// The page's first user, and the hash of the password.
    pub user: Option<(String, String)>,
    /// What is worth a look before it is written.
    pub notes: Vec<Words>,
}

/// Asks for what neither a flag nor the bundle says.
///
/// # Errors
/// The terminal is gone, a file cannot be read, or a given answer is wrong.
pub(super) fn gather(
    arguments: &Arguments,
    bundle: Option<&Bundle>,
    draft: &Draft,
    dialogue: &Dialogue,
) -> anyhow::Result<Gathered> {
    let brought = bundle.map(|bundle| bundle.answers.clone()).unwrap_or_default();
    let mut answers = given(arguments).or(brought);
    let mut credentials = bundle.map(|bundle| bundle.credentials.clone()).unwrap_or_default();
    let flags = &arguments.platform;
    for (kind, file) in [
        (Kind::Ca, &flags.ca),
        (Kind::Certificate, &flags.cert),
        (Kind::Key, &flags.key),
        (Kind::Password, &flags.platform_password_file),
    ] {
        if let Some(file) = file {
            put(&mut credentials, kind, file)?;
        }
    }
    gateway(&mut answers.gateway, draft, dialogue)?;
    lines(&mut answers.lines, draft, dialogue)?;
    field(&mut answers.field, draft, dialogue)?;
    platform(&mut answers.platform, &mut credentials, draft, dialogue)?;
    let user = user(&answers.page, &arguments.page, draft, dialogue)?;
    listen(&mut answers.page, user.is_some(), draft, dialogue)?;
    let notes = credentials.check().map_err(|words| both_words(&words))?;
    Ok(Gathered { answers, credentials, user, notes })
}

/// What the flags say.
fn given(arguments: &Arguments) -> Answers {
    let Arguments { gateway, lines, platform, page, broker, .. } = arguments;
    Answers {
        gateway: Gateway {
            id: gateway.id.clone(),
            name: gateway.name.clone(),
            kind: gateway.kind.clone(),
            owner: gateway.owner.clone(),
            maintainer: gateway.maintainer.clone(),
        },
        lines: Lines {
            serial: lines.serial.clone(),
            scan: lines.no_scan.then_some(false),
            baud: lines.limits.baud.clone(),
            frame: lines.limits.frame.clone(),
            units: lines.limits.units.clone(),
            protocol: lines.limits.protocol.clone(),
        },
        field: Field { broker: broker.clone() },
        page: Page {
            listen: page.listen.clone(),
            user: page.user.clone(),
            hash: page.hash.clone(),
        },
        platform: Platform {
            address: platform.platform.clone(),
            client_id: platform.client_id.clone(),
            username: platform.platform_user.clone(),
            tls: platform.tls,
        },
    }
}

fn gateway(gateway: &mut Gateway, draft: &Draft, dialogue: &Dialogue) -> anyhow::Result<()> {
    if gateway.id.is_none() {
        let question =
            ("name of the gateway at the platform", "网关标识（平台内唯一，如 jinan-lixia-0107）");
        let present = draft.get(&["gateway", "id"]);
        gateway.id = Some(dialogue.ask(question, present, "--id", |text| {
            GatewayId::new(text).map(drop).map_err(|_| {
                Words::from((
                    "lower-case letters, digits, `.`, `_` and `-` only",
                    "只能用小写字母、数字、`.`、`_`、`-`",
                ))
            })
        })?);
    }
    if gateway.name.is_none() {
        let present = draft.get(&["gateway", "name"]).unwrap_or_default();
        let name =
            dialogue.ask(("name of the estate", "小区名称"), Some(present), "--name", any)?;
        gateway.name = Some(name).filter(|name| !name.is_empty());
    }
    if gateway.kind.is_none() {
        let present = draft.get(&["gateway", "kind"]).unwrap_or("old_retrofit");
        let question =
            ("kind of the estate: new or old_retrofit", "小区类型：new 新建 或 old_retrofit 改造");
        gateway.kind =
            Some(dialogue.ask(question, Some(present), "--kind", |text| match text {
                "new" | "old_retrofit" => Ok(()),
                _ => Err(("new or old_retrofit", "请输入 new 或 old_retrofit").into()),
            })?);
    }
    Ok(())
}

/// A check that takes everything.
fn any(_: &str) -> Result<(), Words> {
    Ok(())
}

/// Which serial lines are buses. A box that has buses keeps them; others are proposed.
fn lines(lines: &mut Lines, draft: &Draft, dialogue: &Dialogue) -> anyhow::Result<()> {
    if !lines.serial.is_empty() {
        return Ok(());
    }
    let ports = serial_ports(Path::new("/"));
    if ports.is_empty() {
        dialogue.tell((
            "no serial line was found on this box",
            "本机未发现串口；接好转换器后可再次运行 linli setup",
        ));
        return Ok(());
    }
    for (number, port) in (1..).zip(&ports) {
        let (path, device) = (port.path.display(), port.device.display());
        let behind =
            if port.path == port.device { String::new() } else { format!(" → {device}") };
        dialogue
            .tell((format!("  {number}) {path}{behind}"), format!("  {number}) {path}{behind}")));
    }
    // Who has buses is not asked to scan them all once more.
    let proposal = if draft.has(&["bus"]) { NONE } else { "all" };
    let question = (
        "lines to use and scan: numbers, `all` or `none`",
        "要使用并扫描的串口：编号（逗号分隔）、all 全部 或 none 不用",
    );
    let count = ports.len();
    let answer =
        dialogue.ask(question, Some(proposal), "--serial", |text| chosen(text, count).map(drop))?;
    let chosen = chosen(&answer, count).map_err(|words| both_words(&words))?;
    lines.serial = chosen.into_iter().map(|at| ports[at].path.display().to_string()).collect();
    Ok(())
}

/// Places of the chosen lines.
fn chosen(text: &str, count: usize) -> Result<Vec<usize>, Words> {
    match text.trim() {
        NONE | "" => return Ok(Vec::new()),
        "all" => return Ok((0..count).collect()),
        _ => {}
    }
    let numbers = text.split([',', '，', ' ']).filter(|part| !part.is_empty());
    let places = numbers.map(|part| match part.parse::<usize>() {
        Ok(number) if (1..=count).contains(&number) => Ok(number - 1),
        _ => Err((
            format!("`{part}`: numbers of 1 to {count}, `all` or `none`"),
            format!("`{part}`：请输入 1 至 {count} 的编号、all 或 none"),
        )
            .into()),
    });
    places.collect()
}

fn field(field: &mut Field, draft: &Draft, dialogue: &Dialogue) -> anyhow::Result<()> {
    if field.broker.is_some() || draft.has(&["mqtt"]) {
        return Ok(());
    }
    let proposal = field_broker();
    let question = (
        "field broker for devices that publish by MQTT, HOST:PORT or none",
        "现场消息代理（MQTT 设备），主机:端口 或 none",
    );
    field.broker = Some(dialogue.ask(question, Some(proposal), "--broker", endpoint)?);
    Ok(())
}

/// The broker on this box, when one answers.
pub(super) fn field_broker() -> &'static str {
    let here: Option<SocketAddr> = FIELD_BROKER.parse().ok();
    let listens = here.is_some_and(|here| TcpStream::connect_timeout(&here, PROBE).is_ok());
    if listens { FIELD_BROKER } else { NONE }
}

/// `host`, `host:port` or `none`.
fn endpoint(text: &str) -> Result<(), Words> {
    if text == NONE || check_host(text).is_ok() {
        return Ok(());
    }
    check_endpoint(text, 1883).map_err(|wrong| wrong.problem)
}

fn platform(
    platform: &mut Platform,
    credentials: &mut Credentials,
    draft: &Draft,
    dialogue: &Dialogue,
) -> anyhow::Result<()> {
    let present = draft.get(&["uplink", "host"]);
    if platform.address.is_none() {
        let question = (
            "the platform's broker, HOST or HOST:PORT, or none",
            "市平台地址，主机 或 主机:端口，无则 none",
        );
        let proposal = present.unwrap_or(NONE);
        let answer = dialogue.ask(question, Some(proposal), "--platform", endpoint)?;
        // What the box has stays, with its port.
        platform.address = Some(answer).filter(|answer| Some(answer.as_str()) != present);
    }
    let Some(address) = platform.address.clone().filter(|address| address != NONE) else {
        return Ok(());
    };
    if dialogue.is_silent() {
        return Ok(());
    }
    if !credentials.of_tls() && platform.tls.is_none() {
        let question = ("is the session encrypted (TLS)?", "是否加密连接（TLS）？");
        platform.tls = Some(dialogue.confirm(question, !crate::config::is_local(&address))?);
    }
    if platform.tls == Some(true) && !credentials.of_tls() {
        for (kind, en, zh) in [
            (
                Kind::Ca,
                "file with the platform's CA, empty for those of the system",
                "平台 CA 证书文件，留空则用系统证书",
            ),
            (
                Kind::Certificate,
                "file with the gateway's certificate, empty for none",
                "网关证书文件，没有则留空",
            ),
            (Kind::Key, "file with its key", "网关私钥文件"),
        ] {
            if kind == Kind::Key && credentials.get(Kind::Certificate).is_none() {
                continue;
            }
            let file = dialogue.ask((en, zh), Some(""), "--ca, --cert, --key", any)?;
            if !file.is_empty() {
                put(credentials, kind, Path::new(&file))?;
            }
        }
    }
    if platform.username.is_none() && credentials.get(Kind::Password).is_none() {
        let question = ("user name at the platform, empty for none", "平台用户名，没有则留空");
        let name = dialogue.ask(question, Some(""), "--platform-user", any)?;
        if !name.is_empty() {
            let question = ("file with the password there", "平台密码文件");
            let file = dialogue.ask(question, None, "--platform-password-file", any)?;
            put(credentials, Kind::Password, Path::new(&file))?;
            platform.username = Some(name);
        }
    }
    Ok(())
}

fn put(credentials: &mut Credentials, kind: Kind, file: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(file)
        .with_context(|| format!("{} cannot be read / 无法读取", file.display()))?;
    credentials.put(kind, bytes).map_err(|words| both_words(&words))
}

/// The page's first user. A page that has users is left as it is, unless one is named.
fn user(
    page: &Page,
    flags: &PageFlags,
    draft: &Draft,
    dialogue: &Dialogue,
) -> anyhow::Result<Option<(String, String)>> {
    let name = match &page.user {
        Some(name) => name.clone(),
        None if has_users(draft) => return Ok(None),
        None if dialogue.is_silent() => {
            dialogue.tell((
                "nobody may log in on the page yet: linli users add NAME --role maintainer",
                "页面尚无用户：linli users add 用户名 --role maintainer",
            ));
            return Ok(None);
        }
        None => {
            let question = ("first user of the local page", "本地页面首个用户名");
            dialogue.ask(question, Some("admin"), "--user", |text| match check_name(text) {
                true => Ok(()),
                false => Err((
                    "1 to 32 letters, digits, `.`, `_` or `-`",
                    "1 至 32 个字母（含汉字）、数字或 `.`、`_`、`-`",
                )
                    .into()),
            })?
        }
    };
    let hash = match (&page.hash, &flags.password_file) {
        (Some(hash), _) => hashed(&name, Some(hash))?,
        (None, Some(file)) => hashed_of(&name, file)?,
        (None, None) if dialogue.is_silent() => {
            bail!("the password of `{name}` is missing: --hash or --password-file / 缺少口令")
        }
        (None, None) => hashed(&name, None)?,
    };
    Ok(Some((name, hash)))
}

/// Whether somebody may log in on the page already.
pub(super) fn has_users(draft: &Draft) -> bool {
    let store = draft.get(&["buffer", "path"]).unwrap_or(STATE);
    let named = draft.get(&["status", "users"]).map(PathBuf::from);
    let file = named.unwrap_or_else(|| Path::new(store).with_file_name(USERS_FILE));
    Users::load(&file).is_ok_and(|users| !users.users.is_empty())
}

fn listen(
    page: &mut Page,
    has_user: bool,
    draft: &Draft,
    dialogue: &Dialogue,
) -> anyhow::Result<()> {
    if page.listen.is_some() || draft.get(&["status", "listen"]).is_some() {
        return Ok(());
    }
    // Without a user nobody can log in: then this machine is enough.
    let proposal = if has_user { LISTEN } else { "127.0.0.1:8080" };
    let question = (
        "address of the local page; beyond this machine it is under TLS",
        "本地页面监听地址；本机以外一律加密",
    );
    page.listen = Some(dialogue.ask(question, Some(proposal), "--listen", |text| {
        text.parse::<SocketAddr>()
            .map(drop)
            .map_err(|_| ("an IP address and a port", "请输入 IP 地址与端口").into())
    })?);
    Ok(())
}
