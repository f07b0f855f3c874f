//! What the running gateway says of itself: its API. Texts are its own, so that page, events and
//! doctor say the same.

use serde::Deserialize;

use super::{Area, Item, Level};
use crate::model::Words;

/// Hours of outage that should fit.
const LITTLE_ROOM: f64 = 6.0;
/// Years that the medium should last.
const FEW_YEARS: f64 = 2.0;

#[derive(Debug, Deserialize)]
struct Both {
    zh: String,
    en: String,
}

/// `/api/v1/gateway`.
#[derive(Debug, Deserialize)]
pub struct Gateway {
    /// Its identifier.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Since when it runs.
    pub uptime_s: u64,
    clock: Clock,
    devices: Devices,
    troubles: Vec<Trouble>,
}

#[derive(Debug, Deserialize)]
struct Clock {
    state: String,
    source: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Devices {
    total: u64,
    online: u64,
}

#[derive(Debug, Deserialize)]
struct Trouble {
    severity: String,
    title: Both,
    cause: Both,
    advice: Both,
}

impl Gateway {
    /// Whether it trusts its clock.
    pub fn trusts_its_clock(&self) -> bool {
        self.clock.state != "untrusted"
    }
}

/// `/api/v1/buffer`, as far as it is judged.
#[derive(Debug, Deserialize)]
pub struct Buffer {
    /// Bytes of the store's files.
    pub file_bytes: u64,
    hours_left: Option<f64>,
    blocks: u64,
    wear: Wear,
}

#[derive(Debug, Deserialize)]
struct Wear {
    written_per_day: Option<f64>,
    years_left: Option<f64>,
}

/// `/api/v1/uplink`, as far as it is judged.
#[derive(Debug, Deserialize)]
pub struct Uplink {
    configured: bool,
    connected: bool,
    acknowledged_age_s: Option<u64>,
}

/// `/api/v1/buses`: each is asked, so many questions get no answer.
#[derive(Debug, Deserialize)]
pub struct Bus {
    id: String,
    open: bool,
    load: f64,
    requests: u64,
    timeouts: u64,
    damaged: u64,
    missed: u64,
}

/// What is broken, in the gateway's own words; its clock, devices and version.
pub fn judge(gateway: &Gateway) -> Vec<Item> {
    let mut items: Vec<Item> = gateway.troubles.iter().map(trouble).collect();
    let Devices { total, online } = gateway.devices;
    items.push(Item::good(
        Area::Gateway,
        (
            format!("{online} of {total} devices are online"),
            format!("共 {total} 台设备，{online} 台在线"),
        ),
    ));
    // When the clock is not trusted that is a trouble already.
    if gateway.trusts_its_clock() {
        let source = gateway.clock.source.as_deref().unwrap_or("-");
        let state = &gateway.clock.state;
        items.push(Item::good(
            Area::Clock,
            (format!("{state}, by {source}"), format!("可信（{state}），来源 {source}")),
        ));
    }
    let (runs, ours) = (&gateway.version, env!("CARGO_PKG_VERSION"));
    if runs != ours {
        items.push(
            Item::notice(
                Area::Upgrade,
                (
                    format!("version {runs} runs, this command is {ours}"),
                    format!("运行中的版本为 {runs}，本命令为 {ours}"),
                ),
            )
            .todo((
                "systemctl restart linli, unless a trial runs (linli upgrade --status)",
                "若非升级试运行中（linli upgrade --status），请 systemctl restart linli",
            )),
        );
    }
    items
}

fn trouble(trouble: &Trouble) -> Item {
    let Trouble { severity, title, cause, advice } = trouble;
    let level = match severity.as_str() {
        "critical" => Level::Critical,
        "notice" => Level::Notice,
        // A word of a later version is no reason to stay silent.
        _ => Level::Warning,
    };
    let seen = (format!("{}: {}", title.en, cause.en), format!("{}：{}", title.zh, cause.zh));
    Item::wrong(Area::Gateway, level, seen, (advice.en.clone(), advice.zh.clone()))
}

/// How long an outage still fits, and how fast the medium wears.
pub fn buffer(buffer: &Buffer) -> Vec<Item> {
    let blocks = buffer.blocks;
    let mut items = vec![match buffer.hours_left {
        Some(hours) => {
            let seen = (
                format!("{blocks} blocks wait; an outage of {hours:.0} hours still fits"),
                format!("待发 {blocks} 块；还可缓存约 {hours:.0} 小时"),
            );
            if hours < LITTLE_ROOM {
                let todo = (
                    "mend the connection to the platform, or enlarge `budget` in [buffer]",
                    "修复平台连接，或增大 [buffer] 的 `budget`",
                );
                Item::wrong(Area::Storage, Level::Critical, seen, todo)
            } else {
                Item::good(Area::Storage, seen)
            }
        }
        None => Item::notice(
            Area::Storage,
            (
                format!("{blocks} blocks wait; the time to fill is not known yet"),
                format!("待发 {blocks} 块；可缓存时长尚不清楚"),
            ),
        ),
    }];
    if let (Some(years), Some(bytes)) = (buffer.wear.years_left, buffer.wear.written_per_day) {
        let mib = bytes / f64::from(1 << 20);
        let seen = (
            format!("{mib:.0} MiB a day are written: {years:.0} years are left"),
            format!("每天写入 {mib:.0} MiB：预计还可用 {years:.0} 年"),
        );
        items.push(if years < FEW_YEARS {
            let todo = (
                "raise `tick` and `loss_bound` in [buffer]; plan a new medium",
                "加大 [buffer] 的 `tick` 与 `loss_bound`；安排更换存储介质",
            );
            Item::wrong(Area::Wear, Level::Warning, seen, todo)
        } else {
            Item::good(Area::Wear, seen)
        });
    }
    items
}

/// When the platform acknowledged last.
pub fn uplink(uplink: &Uplink) -> Option<Item> {
    // Not configured and not connected are troubles of the gateway already.
    let age = uplink.acknowledged_age_s.filter(|_| uplink.configured && uplink.connected)?;
    Some(Item::good(
        Area::Platform,
        (
            format!("the platform acknowledged a block {age} s ago"),
            format!("平台于 {age} 秒前确认过数据"),
        ),
    ))
}

/// How the lines do, in figures; what is wrong with them is among the troubles.
pub fn buses(buses: &[Bus]) -> Vec<Item> {
    let open = buses.iter().filter(|bus| bus.open && bus.requests > 0);
    open.map(|bus| {
        let Bus { id, load, requests, timeouts, damaged, missed, .. } = bus;
        let load = load * 100.0;
        let seen: Words = (
            format!(
                "bus {id}: {requests} requests, {timeouts} without answer, {damaged} damaged, \
                 {missed} polls too late, load {load:.0} %"
            ),
            format!(
                "总线 {id}：请求 {requests}，无应答 {timeouts}，损坏 {damaged}，\
                 来不及轮询 {missed}，负载 {load:.0} %"
            ),
        )
            .into();
        Item::good(Area::Gateway, seen)
    })
    .collect()
}
