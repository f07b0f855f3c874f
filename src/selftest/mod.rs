//! The gateway looks at itself: is it safely set up (check G2), and how long are its logs kept
//! (check G4). Every probe reads files and settings, asks nobody, changes nothing; roots are
//! parameters, so that tests need no root rights.
//!
//! What a probe cannot see is unknown, never a pass.

pub mod logs;
mod process;
mod secrets;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::model::Words;
pub use secrets::weakness;

/// What became of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// As it should be.
    Pass,
    /// Not as it should be.
    Fail,
    /// Could not be seen.
    Unknown,
}

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its word.
    pub id: &'static str,
    /// What is tested.
    pub title: Words,
    /// What became of it.
    pub outcome: Outcome,
    /// What was seen; never a secret.
    pub seen: Words,
    /// What to do, unless it passed.
    pub todo: Option<Words>,
}

/// A connection to a broker, as far as its safety goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Connection {
    /// Host and port for people.
    pub title: String,
    /// TCP port.
    pub port: u16,
    /// The broker runs on this machine.
    pub local: bool,
    /// TLS is on; the broker's certificate is then always verified.
    pub tls: bool,
    /// We show a certificate of our own.
    pub certificate: bool,
    /// User name, where one is used.
    pub username: Option<String>,
    /// File with the password.
    pub password_file: Option<PathBuf>,
    /// File with the key of our certificate.
    pub key_file: Option<PathBuf>,
}

impl Connection {
    fn has_credential(&self) -> bool {
        self.certificate || (self.username.is_some() && self.password_file.is_some())
    }
}

/// The local page, as far as its safety goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalPage {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The users file, where a login is asked for.
    pub users: Option<PathBuf>,
    /// It is served under TLS.
    pub tls: bool,
}

/// What is tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Root of the system's files: `/`.
    pub root: PathBuf,
    /// The platform.
    pub platform: Option<Connection>,
    /// The field broker.
    pub field: Option<Connection>,
    /// The local page.
    pub page: Option<LocalPage>,
    /// Folder of systemd's credentials, where group bits only show an access list.
    pub credentials: Option<PathBuf>,
}

impl Default for Subject {
    fn default() -> Self {
        Self { root: "/".into(), platform: None, field: None, page: None, credentials: None }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The security self-test.
    pub items: Vec<Item>,
    /// The logs.
    pub logs: logs::LogLook,
}

/// Runs every probe. Blocks for some milliseconds: it reads files.
pub fn run(subject: &Subject) -> Report {
    let mut items = vec![
        platform_tls(subject.platform.as_ref()),
        platform_credential(subject.platform.as_ref()),
        field_broker(subject),
        page(subject.page.as_ref()),
    ];
    items.extend(secrets::items(subject));
    items.extend(process::items(&subject.root.join("proc/self/status")));
    items.push(signed_update(&subject.root));
    Report { items, logs: logs::look(&subject.root) }
}

fn pass(id: &'static str, title: (&str, &str), seen: impl Into<Words>) -> Item {
    Item { id, title: title.into(), outcome: Outcome::Pass, seen: seen.into(), todo: None }
}

fn fail(
    id: &'static str,
    title: (&str, &str),
    seen: impl Into<Words>,
    todo: impl Into<Words>,
) -> Item {
    let todo = Some(todo.into());
    Item { id, title: title.into(), outcome: Outcome::Fail, seen: seen.into(), todo }
}

fn unknown(
    id: &'static str,
    title: (&str, &str),
    seen: impl Into<Words>,
    todo: impl Into<Words>,
) -> Item {
    Item { outcome: Outcome::Unknown, ..fail(id, title, seen, todo) }
}

const NO_PLATFORM: (&str, &str) = ("no platform is configured", "未配置上级平台");
const CONFIGURE: (&str, &str) = ("configure [uplink]", "配置 [uplink] 节");

fn platform_tls(platform: Option<&Connection>) -> Item {
    let (id, title) = ("platform_tls", ("TLS to the platform", "平台链路加密"));
    match platform {
        None => unknown(id, title, NO_PLATFORM, CONFIGURE),
        Some(Connection { tls: true, title: to, .. }) => {
            let en = format!("{to}: TLS, the broker's certificate is verified");
            pass(id, title, (en, format!("{to}：TLS，校验对方证书")))
        }
        Some(Connection { title: to, .. }) => fail(
            id,
            title,
            (format!("{to}: in clear"), format!("{to}：明文")),
            ("add [uplink.tls]", "加上 [uplink.tls] 节"),
        ),
    }
}

fn platform_credential(platform: Option<&Connection>) -> Item {
    let (id, title) = ("platform_credential", ("own credential at the platform", "平台身份凭据"));
    match platform {
        None => unknown(id, title, NO_PLATFORM, CONFIGURE),
        Some(to) if to.certificate => {
            pass(id, title, ("a certificate of this gateway", "本网关的证书"))
        }
        Some(to) if to.has_credential() => {
            pass(id, title, ("user name and password of this gateway", "本网关的用户名与密码"))
        }
        Some(_) => fail(
            id,
            title,
            ("no certificate, no password", "没有证书，也没有密码"),
            (
                "get a certificate or a password for this gateway from the platform",
                "向平台申请本网关的证书或密码",
            ),
        ),
    }
}

fn field_broker(subject: &Subject) -> Item {
    let (id, title) = ("field_broker", ("login at the field broker", "现场消息代理登录"));
    let todo = (
        "give the broker a password file, forbid anonymous access, set `username` and \
         `password_file` in [mqtt]",
        "为消息代理设密码、禁止匿名，并在 [mqtt] 写 `username` 与 `password_file`",
    );
    let Some(broker) = &subject.field else {
        return pass(id, title, ("no field broker is used", "未使用现场消息代理"));
    };
    if broker.has_credential() {
        return pass(id, title, ("the gateway logs in with a credential", "网关凭凭据登录"));
    }
    if !broker.local {
        let en = format!("{} is used without a login", broker.title);
        return fail(id, title, (en, format!("匿名使用 {}", broker.title)), todo);
    }
    match listens_outside(&subject.root, broker.port) {
        Some(false) => pass(
            id,
            title,
            ("without a login, but it listens on this machine only", "匿名，但只在本机监听"),
        ),
        Some(true) => fail(
            id,
            title,
            ("without a login, and it listens to the network", "匿名，且对网络监听"),
            todo,
        ),
        None => unknown(
            id,
            title,
            ("without a login; where it listens cannot be seen", "匿名；看不到它监听在哪个地址"),
            todo,
        ),
    }
}

/// Whether a listener of this port can be reached from other machines; `None` without a listener.
fn listens_outside(root: &Path, port: u16) -> Option<bool> {
    let mut found = None;
    for (name, loopback) in [("tcp", "0100007F"), ("tcp6", "00000000000000000000000001000000")] {
        let Ok(table) = std::fs::read_to_string(root.join("proc/net").join(name)) else { continue };
        for line in table.lines().skip(1) {
            let mut columns = line.split_whitespace().skip(1);
            let (Some(local), Some(state)) = (columns.next(), columns.nth(1)) else { continue };
            let Some((address, at)) = local.split_once(':') else { continue };
            // 0A: the socket listens.
            if state == "0A" && u16::from_str_radix(at, 16) == Ok(port) {
                let outside = address != loopback;
                found = Some(found.unwrap_or(false) || outside);
            }
        }
    }
    found
}

fn page(page: Option<&LocalPage>) -> Item {
    let (id, title) = ("page_login", ("who reaches the page", "本地页面的访问"));
    let Some(LocalPage { listen: at, users, tls, .. }) = page else {
        return pass(id, title, ("there is no page", "未启用本地页面"));
    };
    let here = at.ip().to_canonical().is_loopback();
    let (en, zh) = match users {
        Some(_) => ("by login", "须登录"),
        None => ("without a login", "无需登录"),
    };
    match (here, users.is_some(), tls) {
        (true, ..) => pass(
            id,
            title,
            (format!("{at}: this machine only, {en}"), format!("{at}：仅本机，{zh}")),
        ),
        (false, true, true) => pass(
            id,
            title,
            (
                format!("{at}: the network, {en}, under TLS"),
                format!("{at}：网络可达，{zh}，经 TLS 加密"),
            ),
        ),
        (false, true, false) => fail(
            id,
            title,
            (
                format!("{at}: the network, {en}, passwords travel in clear"),
                format!("{at}：网络可达，{zh}，口令明文传输"),
            ),
            (
                "serve the page under TLS: leave `[status] tls` as it is by default",
                "页面启用 TLS：`[status] tls` 保持默认",
            ),
        ),
        (false, false, _) => fail(
            id,
            title,
            (format!("{at}: the network, {en}"), format!("{at}：网络可达，{zh}")),
            ("remove `access` from [status]", "去掉 [status] 中的 `access`"),
        ),
    }
}

fn signed_update(root: &Path) -> Item {
    let (id, title) = ("signed_update", ("signed updates", "签名升级"));
    let folder = root.join("etc/linli/trust");
    let is_key = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "pub");
    let entries = std::fs::read_dir(&folder).into_iter().flatten();
    let keys = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_key).count();
    if keys > 0 {
        let en = format!("linli upgrade takes only what one of {keys} trusted keys signed");
        return pass(id, title, (en, format!("升级只接受 {keys} 个受信任公钥签名的版本")));
    }
    unknown(
        id,
        title,
        ("no key is trusted yet, so linli upgrade takes nothing", "尚无受信任的公钥，无法升级"),
        (
            "put the maker's public key (minisign.pub) into /etc/linli/trust, as root",
            "以 root 将厂家公钥（minisign.pub）放入 /etc/linli/trust",
        ),
    )
}
