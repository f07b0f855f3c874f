//! What is broken now, worst first, with its cause, since when, and what to do.
//! A dead line is one trouble, not one per device that hangs on it.

mod alarms;
mod history;
mod pledges;

use std::collections::HashSet;
use std::time::Duration;

use serde::Serialize;

use super::finding;
use super::text::{Lang, Text};
use super::view::View;
use crate::model::{BusId, BusState, Cause, DeviceIndex, Health, Moment};
use crate::starlevel::{Bilingual, Standing};

/// A device is given this long after start before its silence is worth a word.
const SETTLE: Duration = Duration::from_secs(120);

/// Buffer room below which an outage is critical, hours.
const LITTLE_ROOM: f64 = 6.0;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum Severity {
    /// Data are being lost, or much is dead.
    Critical,
    /// Something does not work.
    Warning,
    /// Worth knowing.
    Notice,
}

impl Severity {
    pub(super) fn text(self) -> Text {
        match self {
            Severity::Critical => Text::Critical,
            Severity::Warning => Text::Warning,
            Severity::Notice => Text::Notice,
        }
    }

    pub(super) fn class(self) -> &'static str {
        match self {
            Severity::Critical => "crit",
            Severity::Warning => "warn",
            Severity::Notice => "note",
        }
    }
}

/// One thing that is broken.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    pub severity: Severity,
    pub title: Bilingual,
    pub cause: Bilingual,
    pub advice: Bilingual,
    pub since: Option<Moment>,
    pub link: String,
}

/// Everything that is broken now, worst first, oldest first among equals.
pub(super) fn all(view: &View) -> Vec<Trouble> {
    let now = view.now();
    let mut list = Vec::new();
    storage(view, &mut list);
    let all = view.buses.all();
    let dead = buses(&all, &mut list);
    findings(view, &all, &mut list);
    field_broker(view, &mut list);
    devices(view, now, &Known { dead, buses: &all }, &mut list);
    super::clock::troubles(view, &mut list);
    attestations(view, &mut list);
    pledges::all(view, &mut list);
    alarms::all(view, &mut list);
    history::all(view, &mut list);
    list.sort_by_key(|trouble| {
        (trouble.severity, trouble.since.map_or(u64::MAX, |since| since.boot_ms))
    });
    list
}

/// Words of people that ended or soon will: the star falls with them.
fn attestations(view: &View, list: &mut Vec<Trouble>) {
    let Some(assessment) = view.assessment.borrow().clone() else { return };
    for result in &assessment.attestations {
        let title = match (result.state, result.days_left) {
            (Standing::Expired, _) => Bilingual::new("签认已过期", "An attestation has expired"),
            (Standing::Valid, Some(days)) if result.is_ending() => Bilingual::new(
                format!("签认还有 {days} 天到期"),
                format!("An attestation expires in {days} days"),
            ),
            _ => continue,
        };
        list.push(Trouble {
            severity: Severity::Notice,
            title,
            cause: result.attestation.subject.told(),
            advice: Bilingual::new(
                "由负责人重新签认，否则相关检查按缺失计",
                "have it attested anew, or its checks count as missing",
            ),
            since: None,
            link: "/stars#attestations".into(),
        });
    }
}

fn storage(view: &View, list: &mut Vec<Trouble>) {
    let buffer = view.buffer.borrow().clone();
    let uplink = view.uplink.borrow().clone();
    if let Some(fault) = &buffer.fault {
        list.push(Trouble {
            severity: Severity::Critical,
            title: Bilingual::new("数据无法落盘", "Nothing is stored durably"),
            cause: Bilingual::new(fault.clone(), fault.clone()),
            advice: Bilingual::new(
                "检查存储空间与存储介质；现场数据正在等待",
                "check free space and the disk; the field is waiting",
            ),
            since: None,
            link: "/delivery".into(),
        });
    }
    if uplink.configured && !uplink.connected {
        let fault = uplink.fault.clone().unwrap_or_default();
        let little = buffer.hours_left.is_some_and(|left| left < LITTLE_ROOM);
        let room = |lang: Lang| {
            buffer.hours_left.map_or(String::new(), |left| super::show::hours(lang, left))
        };
        let (zh, en) = match buffer.hours_left {
            Some(_) => (
                format!("数据在本地缓存，还可缓存 {}；检查网络与证书", room(Lang::Zh)),
                format!(
                    "data are kept here, room for {}; check network and certificate",
                    room(Lang::En)
                ),
            ),
            None => (
                "数据在本地缓存；检查网络与证书".into(),
                "data are kept here; check network and certificate".into(),
            ),
        };
        list.push(Trouble {
            severity: if little { Severity::Critical } else { Severity::Warning },
            title: Bilingual::new("平台连接中断", "The platform cannot be reached"),
            cause: Bilingual::new(fault.zh, fault.en),
            advice: Bilingual::new(zh, en),
            since: Some(uplink.since),
            link: "/delivery".into(),
        });
    }
    if buffer.evicted_blocks > 0 || buffer.damaged_blocks > 0 || buffer.thinned_blocks > 0 {
        let (evicted, damaged) = (buffer.evicted_blocks, buffer.damaged_blocks);
        let thinned = buffer.thinned_blocks;
        list.push(Trouble {
            severity: Severity::Notice,
            title: Bilingual::new("曾有数据未送达平台", "Some data never reached the platform"),
            cause: Bilingual::new(
                format!("丢弃 {evicted} 块，抽稀 {thinned} 块，损坏 {damaged} 块；已向平台通告"),
                format!(
                    "{evicted} blocks evicted, {thinned} thinned, {damaged} damaged; \
                     announced to the platform"
                ),
            ),
            advice: Bilingual::new(
                "增大缓存预算，检查存储介质",
                "enlarge the buffer, check the disk",
            ),
            since: None,
            link: "/delivery".into(),
        });
    }
}

/// Names the dead buses; returns them, so that their devices are not named again.
fn buses(all: &[BusState], list: &mut Vec<Trouble>) -> HashSet<BusId> {
    let mut dead = HashSet::new();
    for bus in all {
        let Some(fault) = bus.fault.as_ref().filter(|_| !bus.open) else { continue };
        list.push(Trouble {
            severity: Severity::Critical,
            title: Bilingual::new(
                format!("总线 {} 不通，影响 {} 台设备", bus.id, bus.devices),
                format!("Bus {} is down, {} devices affected", bus.id, bus.devices),
            ),
            cause: finding::both(fault),
            advice: Bilingual::new(
                format!("检查 {}：接口、电源、网线", bus.line),
                format!("check {}: port, power, cable", bus.line),
            ),
            since: Some(bus.since),
            link: format!("/buses/{}", bus.id),
        });
        dead.insert(bus.id.clone());
    }
    dead
}

/// What the wiring doctor found, on lines that are open.
fn findings(view: &View, all: &[BusState], list: &mut Vec<Trouble>) {
    for bus in all.iter().filter(|bus| bus.open) {
        for one in &bus.findings {
            list.push(Trouble {
                severity: finding::severity(one),
                title: finding::title(view, &bus.id, one),
                cause: finding::both(&one.seen),
                advice: finding::both(&one.check),
                since: Some(one.since),
                link: format!("/buses/{}", bus.id),
            });
        }
    }
}

/// What is named already, so that the devices that suffer from it are not.
struct Known<'a> {
    dead: HashSet<BusId>,
    buses: &'a [BusState],
}

impl Known<'_> {
    /// Whether a finding says why this device does not work.
    fn found(&self, bus: &BusId, device: DeviceIndex, cause: Option<&Cause>) -> bool {
        self.buses.iter().filter(|row| row.open && row.id == *bus).any(|row| {
            row.findings.iter().any(|one| {
                let concerned = one.devices.is_empty() || one.devices.contains(&device);
                concerned && finding::explains(one.diagnosis, cause)
            })
        })
    }
}

fn field_broker(view: &View, list: &mut Vec<Trouble>) {
    let Some(status) = view.broker.as_ref().map(|broker| broker.borrow().clone()) else { return };
    if status.connected {
        return;
    }
    let fault = status.fault.unwrap_or_default();
    list.push(Trouble {
        severity: Severity::Critical,
        title: Bilingual::new("现场消息代理不通", "The field broker cannot be reached"),
        cause: Bilingual::new(fault.zh, fault.en),
        advice: Bilingual::new(
            format!("检查 {} 上的服务是否运行", status.broker),
            format!("check that the service at {} runs", status.broker),
        ),
        since: Some(status.since),
        link: "/buses".into(),
    });
}

fn devices(view: &View, now: Moment, known: &Known<'_>, list: &mut Vec<Trouble>) {
    let broker_down = view.broker.as_ref().is_some_and(|broker| !broker.borrow().connected);
    let mut silent = 0u64;
    for (index, device) in view.estate.indexed() {
        let (health, cause, since) =
            view.snapshot.with(index, |state| (state.health, state.cause.clone(), state.since));
        let folded = match (&device.bus, &cause) {
            (Some(bus), Some(Cause::LineDown(_))) => known.dead.contains(bus),
            (Some(bus), cause) => known.found(bus, index, cause.as_ref()),
            (None, Some(Cause::BrokerDown(_))) => broker_down,
            _ => false,
        };
        let severity = match health {
            Health::Online => continue,
            Health::Unknown => {
                silent += 1;
                continue;
            }
            _ if folded => continue,
            Health::Offline => Severity::Warning,
            Health::Suspect => Severity::Notice,
        };
        let place =
            if device.place.is_empty() { String::new() } else { format!(" · {}", device.place) };
        let title = device.title();
        list.push(Trouble {
            severity,
            title: Bilingual::new(
                format!(
                    "{title}{}{place}",
                    if health == Health::Offline { "离线" } else { "时有时无" }
                ),
                format!(
                    "{title} {}{place}",
                    if health == Health::Offline { "offline" } else { "answers unreliably" }
                ),
            ),
            cause: cause_text(cause.as_ref()),
            advice: advice(cause.as_ref(), &device.connection),
            since: Some(since),
            link: format!("/devices/{}", device.id),
        });
    }
    if silent > 0 && now.since(view.started) > SETTLE {
        list.push(Trouble {
            severity: Severity::Notice,
            title: Bilingual::new(
                format!("{silent} 台设备启动后未收到数据"),
                format!("{silent} devices not heard since start"),
            ),
            cause: Bilingual::new("尚未轮到或从未上报", "not read yet, or never published"),
            advice: Bilingual::new("核对地址与主题配置", "check addresses and topics"),
            since: Some(view.started),
            link: "/devices?state=unknown".into(),
        });
    }
}

/// The cause in both languages.
pub(super) fn cause_text(cause: Option<&Cause>) -> Bilingual {
    match cause {
        Some(cause) => Bilingual::new(cause.zh(), cause.en()),
        None => Bilingual::new("原因未知", "cause unknown"),
    }
}

fn advice(cause: Option<&Cause>, connection: &str) -> Bilingual {
    let (zh, en) = match cause {
        Some(Cause::NoAnswer) => {
            ("到现场看供电指示，再测 A/B 线", "look at its power light, then measure A/B")
        }
        Some(Cause::DamagedReplies) => {
            ("检查终端电阻和地址是否重复", "check termination and duplicate addresses")
        }
        Some(Cause::Refuses(_)) => ("核对设备型号与模板", "check that the profile fits the model"),
        Some(Cause::LineDown(_)) => ("检查接口与网线", "check the port and the cable"),
        Some(Cause::SaysOffline) => ("检查设备供电与网络", "check the device's power and network"),
        Some(Cause::Silent) => ("检查电池、信号与主题", "check battery, signal and topic"),
        Some(Cause::BrokerDown(_)) => ("检查现场消息代理", "check the field broker"),
        None => ("查看设备详情", "see the device's page"),
    };
    Bilingual::new(format!("{zh}（{connection}）"), format!("{en} ({connection})"))
}
