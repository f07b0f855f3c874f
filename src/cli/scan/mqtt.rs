//! `linli scan --mqtt`: devices that announce themselves on the field broker.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use super::super::complain;
use super::super::run::told_to_stop;
use super::report::Report;
use super::{Arguments, Stop};
use crate::broker::BrokerConfig;
use crate::config::{self, Connection, Settings};
use crate::driver::discover::{
    Announced, Book, Generated, Known, Listen, Session, Step, Where, entry, propose,
};
use crate::driver::scan::{FoundDevice, Names, Remark, RemarkKind, ScanEvent, Text};
use crate::profile::Library;
use crate::settings::{check_endpoint, parse_duration};

/// Shortest and longest time to listen.
const LISTEN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3600));
/// Most base topics of Zigbee2MQTT.
const MAX_BASES: usize = 16;

/// What is needed to listen.
pub(super) struct Prepared {
    settings: Option<Settings>,
    listen: Listen,
    place: Where,
    library: Library,
}

/// Looks at the options and the configuration; connects nothing.
pub(super) fn prepare(arguments: &Arguments, address: &str) -> Result<Prepared, Stop> {
    let settings = configuration(arguments, address.is_empty())?;
    let broker = broker(address, settings.as_ref())?;
    let wrong = |option: &str, value: &str, allowed: &str, zh: &str| {
        Stop::Wrong(format!("{option} {value}: allowed is {allowed} / 应为{zh}"))
    };
    let span = parse_duration(&arguments.listen).ok();
    let span = span.filter(|span| (LISTEN.0..=LISTEN.1).contains(span)).ok_or_else(|| {
        wrong("--listen", &arguments.listen, "1s to 1h, with its unit", " 1s 至 1h，须带单位")
    })?;
    let topic = |option: &str, text: &str| {
        let bad = text.is_empty()
            || text.starts_with('/')
            || text.ends_with('/')
            || text.chars().any(|c| c.is_control() || matches!(c, '+' | '#'));
        match bad {
            true => Err(wrong(option, text, "a topic without wildcards", "不含通配符的主题")),
            false => Ok(text.to_owned()),
        }
    };
    if arguments.z2m_base.len() > MAX_BASES {
        return Err(wrong("--z2m-base", "", "at most 16 topics", "至多 16 个主题"));
    }
    let place = Where {
        ha_prefix: topic("--ha-prefix", &arguments.ha_prefix)?,
        z2m_bases: arguments
            .z2m_base
            .iter()
            .map(|base| topic("--z2m-base", base))
            .collect::<Result<_, _>>()?,
    };
    let mut dirs = settings.as_ref().map_or(Vec::new(), |settings| settings.profile_dirs.clone());
    // What an earlier scan saved is a profile as any other.
    dirs.extend(arguments.profiles.iter().filter(|dir| dir.is_dir()).cloned());
    let library = Library::load(&dirs).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        Stop::Wrong(faults.join("\n"))
    })?;
    Ok(Prepared { settings, listen: Listen { broker, span }, place, library })
}

/// The configuration, when there is one; needed when no broker is named.
fn configuration(arguments: &Arguments, needed: bool) -> Result<Option<Settings>, Stop> {
    let path = &arguments.config;
    if !needed && !path.exists() {
        return Ok(None);
    }
    match config::load(path) {
        Ok(settings) => Ok(Some(settings)),
        Err(faults) if needed => Err(Stop::Wrong(faults.to_string())),
        Err(_) => {
            complain(&format!(
                "{} has faults and is left aside, see `linli check` / 配置有误，未采用",
                path.display()
            ));
            Ok(None)
        }
    }
}

/// The broker: as configured, or the one that is named, without a name and password then. A
/// client of its own: the gateway's session goes on.
fn broker(address: &str, settings: Option<&Settings>) -> Result<BrokerConfig, Stop> {
    let own = settings.and_then(|settings| settings.mqtt.as_ref()).map(|mqtt| mqtt.broker.clone());
    let client_id = format!("linli-scan-{:08x}", fastrand::u32(..));
    if address.is_empty() {
        let own = own.ok_or_else(|| {
            Stop::Wrong(
                "the configuration has no section [mqtt]: name the broker, --mqtt HOST:PORT / \
                 配置中没有 [mqtt] 节：请指明消息代理，--mqtt HOST:PORT"
                    .to_owned(),
            )
        })?;
        return Ok(BrokerConfig { client_id, ..own });
    }
    check_endpoint(address, 1883).map_err(|bad| {
        let problem = bad.problem;
        Stop::Wrong(format!("--mqtt {address}: {} / {}", problem.en, problem.zh))
    })?;
    let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = port.parse().unwrap_or(1883);
    if let Some(own) = own.filter(|own| own.host == host && own.port == port) {
        return Ok(BrokerConfig { client_id, ..own });
    }
    Ok(BrokerConfig { host, port, client_id, ..BrokerConfig::default() })
}

/// Devices of the configuration that publish.
fn known(settings: Option<&Settings>) -> Vec<Known> {
    let devices = settings.map_or(&[][..], |settings| &settings.devices);
    let known = devices.iter().filter_map(|device| match &device.connection {
        Connection::Mqtt { base } => Some(Known {
            id: device.id.to_string(),
            base: base.clone(),
            profile: device.profile.clone(),
        }),
        Connection::Bus { .. } => None,
    });
    known.collect()
}

/// Listens, and tells what was announced; how many devices there are.
pub(super) async fn scan(
    arguments: &Arguments,
    prepared: Prepared,
) -> anyhow::Result<Result<usize, Stop>> {
    let Prepared { settings, listen, place, library } = prepared;
    let title = listen.broker.title();
    let span = listen.span;
    let mut session = match Session::new(listen, Book::new(place)) {
        Ok(session) => session,
        Err(why) => return Ok(Err(Stop::Unavailable(why.both()))),
    };
    let mut report = Report::of_announced(arguments.json);
    let lost = listened(&mut session, span, &title, &mut report).await?;
    let book = session.into_book();
    if let (Some(why), 0) = (&lost, book.heard()) {
        return Ok(Err(Stop::Unavailable(why.clone())));
    }
    for text in book.remarks() {
        report.take(remark(text));
    }
    if book.heard() == 0 {
        let en = "nothing announced itself: look at --ha-prefix and --z2m-base, listen longer";
        let zh = "未收到任何公告：请检查 --ha-prefix、--z2m-base，或延长收听时间";
        let text = Text::from((en, zh));
        report.take(ScanEvent::Remark(Remark { kind: RemarkKind::NothingHeard, text }));
    }
    let mut found = propose(&book, &library, &known(settings.as_ref()));
    for device in &mut found {
        device.endpoint = Some(title.clone());
        report.take(ScanEvent::Found(device.clone()));
    }
    report.take(ScanEvent::Done { found: found.len() });
    let saved = match &arguments.profiles {
        Some(folder) => save(folder, &found, settings.as_ref(), &mut report),
        None => Ok(()),
    };
    // What was heard counts even where the connection broke later.
    if let Some(why) = lost {
        complain(&why);
    }
    // What could not be saved is printed.
    let count = report.finish(settings.as_ref(), arguments.write.as_deref())?;
    saved?;
    Ok(Ok(count))
}

/// Listens until the time is over, the user ends it, or the connection is lost; why it was.
async fn listened(
    session: &mut Session,
    span: Duration,
    title: &str,
    report: &mut Report,
) -> anyhow::Result<Option<String>> {
    let told = told_to_stop()?;
    tokio::pin!(told);
    let mut clock = Progress { span, passed: Duration::ZERO, announcements: 0, begun: None };
    Ok(loop {
        let next = pin!(session.next());
        let step = tokio::select! {
            step = clock.beside(next, report) => step,
            () = &mut told => {
                report.interrupted();
                break None;
            }
        };
        match step {
            None | Some(Step::Over) => break None,
            Some(Step::Lost(why)) => break Some(format!("{title}: {} / {}", why.en, why.zh)),
            Some(Step::Connected) => clock.begun = Some(tokio::time::Instant::now()),
            Some(Step::Heard { announcements, passed }) => {
                (clock.announcements, clock.passed) = (announcements, passed);
            }
            Some(Step::Refused(filter)) => report.take(remark(
                (
                    format!("the broker does not let us hear {filter}"),
                    format!("消息代理不允许订阅 {filter}"),
                )
                    .into(),
            )),
        }
    })
}

fn remark(text: Text) -> ScanEvent {
    ScanEvent::Remark(Remark { kind: RemarkKind::Unread, text })
}

/// How far the listening is, drawn once a second.
struct Progress {
    span: Duration,
    passed: Duration,
    announcements: usize,
    begun: Option<tokio::time::Instant>,
}

impl Progress {
    /// Waits for the next thing, and draws the time that passes.
    async fn beside<T>(
        &mut self,
        mut next: std::pin::Pin<&mut impl Future<Output = T>>,
        report: &mut Report,
    ) -> T {
        loop {
            let second = tokio::time::sleep(Duration::from_secs(1));
            tokio::select! {
                biased;
                happened = &mut next => return happened,
                () = second => {
                    let passed = self.begun.map_or(self.passed, |begun| begun.elapsed());
                    report.take(self.event(passed));
                }
            }
        }
    }

    fn event(&self, passed: Duration) -> ScanEvent {
        let whole = self.span.as_secs();
        let done = passed.as_secs().min(whole);
        let n = self.announcements;
        let now = (format!("{n} announcements"), format!("收到 {n} 条公告"));
        ScanEvent::Progress { done, expected: whole, left_s: whole - done, now: now.into() }
    }
}

/// Saves the profiles that were made, each in a file that was not there.
fn save(
    folder: &Path,
    found: &[FoundDevice],
    settings: Option<&Settings>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let made = generated(found);
    if made.is_empty() {
        return Ok(());
    }
    let shown = folder.display();
    std::fs::create_dir_all(folder)
        .map_err(|error| anyhow::anyhow!("{shown} cannot be made / 无法创建: {error}"))?;
    for profile in made {
        let path = folder.join(format!("{}.toml", profile.id));
        let shown = path.display();
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let written = file.and_then(|mut file| {
            file.write_all(profile.text.as_bytes()).and_then(|()| file.sync_all())
        });
        match written {
            Ok(()) => report.tell(&format!("profile saved / 设备模型已保存: {shown}")),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                report.tell(&format!("{shown} is there already and is kept / 已存在，未覆盖"));
                continue;
            }
            Err(error) => anyhow::bail!("{shown} cannot be written / 无法写入: {error}"),
        }
        report.saved(&profile.id);
    }
    let dirs = settings.map_or(&[][..], |settings| &settings.profile_dirs);
    let same = |dir: &std::path::PathBuf| {
        dir.canonicalize().ok().zip(folder.canonicalize().ok()).is_some_and(|(a, b)| a == b)
    };
    if !dirs.iter().any(same) {
        report.tell(&format!(
            "name the folder in the configuration: [gateway] profiles = [\"{0}\"]\n\
             请在配置的 [gateway] 中写入 profiles = [\"{0}\"]",
            folder.display()
        ));
    }
    Ok(())
}

/// The profiles that were made, each once.
fn generated(found: &[FoundDevice]) -> Vec<&Generated> {
    let mut seen = BTreeSet::new();
    let own = found.iter().filter(|device| device.known.is_none());
    let made = own.filter_map(|device| device.mqtt.as_ref()?.generated.as_ref());
    made.filter(|profile| seen.insert(profile.id.as_str())).collect()
}

/// Entries of the devices that are not configured.
pub(super) fn entries(
    found: &[FoundDevice],
    settings: Option<&Settings>,
    saved: &BTreeSet<String>,
) -> String {
    let devices = settings.map_or(&[][..], |settings| &settings.devices);
    let mut names = Names::new(devices.iter().map(|device| device.id.to_string()));
    let mut text = String::new();
    for device in found.iter().filter(|device| device.known.is_none()) {
        let Some(own) = &device.mqtt else { continue };
        let is_saved = own.generated.as_ref().is_some_and(|made| saved.contains(&made.id));
        text += &entry(device, own, &mut names, is_saved);
        text.push('\n');
    }
    text
}

/// The profiles that are saved nowhere, as comments.
pub(super) fn unsaved(found: &[FoundDevice], saved: &BTreeSet<String>) -> Vec<String> {
    let made = generated(found).into_iter().filter(|profile| !saved.contains(&profile.id));
    let comment = |profile: &Generated| {
        let mut text = format!("\n# ---- {}.toml ----\n", profile.id);
        for line in profile.text.lines() {
            text += if line.is_empty() { "#" } else { "# " };
            text += line;
            text.push('\n');
        }
        text
    };
    made.map(comment).collect()
}

/// What a device with a profile of its own is told as.
pub(super) fn told(own: &Announced) -> Option<String> {
    let made = own.generated.as_ref()?;
    Some(format!(
        ": {} {} “{}”: a profile was made / 已生成设备模型 {} ({})",
        own.maker, own.model, own.name, made.id, made.points
    ))
}
