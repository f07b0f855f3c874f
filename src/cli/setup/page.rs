//! `linli setup --page`: the same questions on a page of its own, for an installer with a phone.

use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::super::users::strong;
use super::dialogue::{Dialogue, both_words};
use super::gather::{Gathered, LISTEN, field_broker, has_users};
use super::{Arguments, Place, finish, write};
use crate::access::Secret;
use crate::cli::runtime;
use crate::driver::serial_ports;
use crate::setup::{
    Answers, Credentials, Draft, Field, Gateway, Kind, Lines, NONE, Page, Platform,
};
use crate::status::{self, PageTls, SetupDesk, SetupForm, serve_setup};

/// How long the page stays when all is done: it renews itself every three seconds.
const LINGER: Duration = Duration::from_secs(10);

/// Serves the form until what was sent is in its place.
pub(super) fn execute(arguments: &Arguments, mut dialogue: Dialogue) -> anyhow::Result<ExitCode> {
    let place = Place::look(arguments)?;
    let draft = begin(&place)?;
    let listen = arguments.page_listen;
    let folder = Private::make()?;
    let tls = PageTls::open(&status::Config::at(listen), "linli-setup", &folder.0.join("store"))
        .map_err(|fault| both_words(&fault.words()))?;
    let code = one_time_code()?;
    let (desk, mut forms) = SetupDesk::new(&digits(&code), proposals(&draft), tls.is_some());
    let runtime = runtime()?;
    let listener = runtime
        .block_on(TcpListener::bind(listen))
        .with_context(|| format!("{listen} cannot be listened on / 无法监听"))?;
    let bound = listener.local_addr().context("the page's address")?;
    introduce(bound, tls.as_ref(), &code, &dialogue);
    dialogue.echo(desk.clone());
    let stop = CancellationToken::new();
    let serving = runtime.spawn(serve_setup(listener, tls, desk.clone(), stop.clone()));
    let ended = loop {
        let Some(form) = runtime.block_on(forms.recv()) else {
            bail!("the page ended by itself / 向导网页意外结束");
        };
        let done = gathered(form, &draft)
            .and_then(|gathered| write(&place, begin(&place)?, gathered, None, &dialogue));
        match done {
            Ok(Ok(settings)) => {
                desk.done();
                let finished = finish(arguments, &place, &settings, &dialogue);
                if let Err(error) = &finished {
                    let told = format!("{error:#}");
                    desk.tell((told.clone(), told).into());
                }
                break finished;
            }
            Ok(Err(faults)) => desk.refuse((faults.clone(), faults).into()),
            Err(error) => {
                let told = format!("{error:#}");
                desk.refuse((told.clone(), told).into());
            }
        }
    };
    runtime.block_on(async { tokio::time::sleep(LINGER).await });
    stop.cancel();
    runtime.block_on(serving).context("the page")?.context("the page")?;
    ended
}

fn begin(place: &Place) -> anyhow::Result<Draft> {
    Draft::begin(&place.path, place.present.as_deref()).map_err(|fault| anyhow::anyhow!("{fault}"))
}

/// Says where the page is, how it is known, and what opens it.
fn introduce(bound: SocketAddr, tls: Option<&PageTls>, code: &Secret, dialogue: &Dialogue) {
    let mut shown = bound;
    if bound.ip().is_unspecified() {
        shown.set_ip(own_address().unwrap_or(bound).ip());
    }
    let scheme = if tls.is_some() { "https" } else { "http" };
    dialogue.tell((format!("open {scheme}://{shown}"), format!("请打开 {scheme}://{shown}")));
    if let Some(tls) = tls {
        let print = tls.certificate().fingerprint;
        dialogue.tell((
            format!("certificate, SHA-256: {print}"),
            format!("证书指纹（SHA-256）：{print}"),
        ));
    }
    let code = code.expose();
    dialogue.tell((format!("code: {code}"), format!("一次性验证码：{code}")));
}

/// By which address this machine reaches others. Nothing is sent.
fn own_address() -> Option<SocketAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // An address of RFC 5737: nobody has it, and the route to it is the usual one.
    socket.connect("192.0.2.1:9").ok()?;
    socket.local_addr().ok()
}

/// Twelve digits in groups of four: forty bits, and guesses are slowed down.
fn one_time_code() -> anyhow::Result<Secret> {
    let mut bytes = [0u8; 8];
    getrandom::fill(&mut bytes).context("random numbers")?;
    let number = u64::from_le_bytes(bytes) % 1_000_000_000_000;
    let (first, rest) = (number / 100_000_000, number % 100_000_000);
    Ok(format!("{first:04}-{:04}-{:04}", rest / 10_000, rest % 10_000).into())
}

fn digits(code: &Secret) -> Secret {
    code.expose().chars().filter(char::is_ascii_digit).collect::<String>().into()
}

/// A folder for the page's certificate, gone with the page.
struct Private(PathBuf);

impl Private {
    fn make() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("linli-setup-{}", std::process::id()));
        let mut builder = std::fs::DirBuilder::new();
        builder.mode(0o700).create(&path).with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!(%error, path = %self.0.display(), "it stays");
        }
    }
}

/// What the form shows at first.
fn proposals(draft: &Draft) -> SetupForm {
    let text = |path: &[&str], usual: &str| draft.get(path).unwrap_or(usual).to_owned();
    let ports: Vec<String> = serial_ports(Path::new("/"))
        .into_iter()
        .map(|port| port.path.display().to_string())
        .collect();
    let new = !draft.has(&["bus"]) && !ports.is_empty();
    SetupForm {
        id: text(&["gateway", "id"], ""),
        name: text(&["gateway", "name"], ""),
        kind: text(&["gateway", "kind"], "old_retrofit"),
        serial: if new { ports.join(" ") } else { NONE.to_owned() },
        // What is left empty stays as the box has it.
        broker: if draft.has(&["mqtt"]) { String::new() } else { field_broker().to_owned() },
        platform: if draft.has(&["uplink"]) { String::new() } else { NONE.to_owned() },
        listen: text(&["status", "listen"], LISTEN),
        ..SetupForm::default()
    }
}

/// What was sent, as answers.
fn gathered(form: SetupForm, draft: &Draft) -> anyhow::Result<Gathered> {
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let mut credentials = Credentials::default();
    let secret = |secret: &Option<Secret>| {
        secret.as_ref().map(|secret| secret.expose().to_owned()).unwrap_or_default()
    };
    for (kind, text) in [
        (Kind::Ca, form.ca.clone()),
        (Kind::Certificate, form.cert.clone()),
        (Kind::Key, secret(&form.key)),
        (Kind::Password, secret(&form.platform_password)),
    ] {
        if !text.trim().is_empty() {
            let bytes = text.replace("\r\n", "\n").into_bytes();
            credentials.put(kind, bytes).map_err(|words| both_words(&words))?;
        }
    }
    let notes = credentials.check().map_err(|words| both_words(&words))?;
    let user = match (given(&form.user), &form.password) {
        (Some(name), Some(password)) => {
            let hash = strong(&name, password)?;
            Some((name, hash))
        }
        (Some(_), None) => bail!("the first user needs a password / 首个用户须有口令"),
        (None, _) if has_users(draft) => None,
        (None, _) => bail!("the page needs its first user / 请填写页面首个用户名与口令"),
    };
    let serial = form.serial.split_whitespace().map(str::to_owned).collect();
    let answers = Answers {
        gateway: Gateway {
            id: Some(form.id.trim().to_owned()),
            name: given(&form.name),
            kind: given(&form.kind),
            ..Gateway::default()
        },
        lines: Lines { serial, scan: Some(form.scan != "no"), ..Lines::default() },
        field: Field { broker: given(&form.broker) },
        page: Page { listen: given(&form.listen), ..Page::default() },
        platform: Platform {
            address: given(&form.platform),
            client_id: given(&form.client_id),
            username: given(&form.platform_user),
            tls: given(&form.platform).is_some().then_some(form.tls != "no"),
        },
    };
    Ok(Gathered { answers, credentials, user, notes })
}
