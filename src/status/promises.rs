//! What the gateway promises, and which of it holds now: one place for the page, `/readyz`, the
//! metrics and the events.

use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;

use super::view::View;
use crate::model::{Moment, Promise, WallTime, Words};

/// A certificate is told so long before it expires.
pub const AHEAD: Duration = Duration::from_secs(30 * 86_400);

/// Why the configuration in the file is not the one that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When it was refused.
    pub since: Moment,
    /// The first faults.
    pub faults: Vec<Words>,
    /// How many there are.
    pub count: usize,
}

/// When a certificate expires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expiry {
    /// What it is for: the key of the configuration that names it, or who presented it.
    pub what: String,
    /// Its file, or the broker's address.
    pub source: String,
    /// When, milliseconds since 1970.
    pub expires_ms: i64,
}

impl Expiry {
    /// Seconds until then, negative afterwards.
    pub fn seconds_left(&self, now: WallTime) -> i64 {
        self.expires_ms.saturating_sub(now.unix_ms).div_euclid(1000)
    }

    /// Whole days until then, negative afterwards.
    pub fn days_left(&self, now: WallTime) -> i64 {
        self.seconds_left(now).div_euclid(86_400)
    }

    /// Whether people must act.
    pub fn is_due(&self, now: WallTime) -> bool {
        self.seconds_left(now) < i64::try_from(AHEAD.as_secs()).unwrap_or(i64::MAX)
    }

    /// What is the matter, for people.
    pub fn told(&self, now: WallTime) -> Words {
        let Self { what, source, .. } = self;
        let days = self.days_left(now);
        if days < 0 {
            let ago = days.unsigned_abs();
            return (
                format!("{what} ({source}) expired {ago} days ago"),
                format!("{what}（{source}）已过期 {ago} 天"),
            )
                .into();
        }
        (
            format!("{what} ({source}) expires in {days} days"),
            format!("{what}（{source}）将在 {days} 天后过期"),
        )
            .into()
    }
}

/// What is remembered of the promises: since when each is broken, whether blocks were lost lately.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// In the order of [`Promise::ALL`].
    pub since: [Option<Moment>; Promise::ALL.len()],
    /// Blocks were deleted before the platform had them, a short while ago.
    pub lost: bool,
}

/// What the promises are judged by, beside the states of the parts.
#[derive(Debug, Clone)]
pub struct Pledges {
    /// Why the configuration in the file does not run.
    pub configuration: watch::Receiver<Option<Refusal>>,
    /// When certificates expire.
    pub certificates: watch::Receiver<Vec<Expiry>>,
    /// What is remembered.
    pub memory: watch::Receiver<Memory>,
}

impl Default for Pledges {
    fn default() -> Self {
        Self {
            configuration: watch::channel(None).1,
            certificates: watch::channel(Vec::new()).1,
            memory: watch::channel(Memory::default()).1,
        }
    }
}

/// How one promise stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Which one.
    pub promise: Promise,
    /// Why it is broken; `None` while it is kept.
    pub why: Option<Words>,
    /// Since when it is broken, where that is known.
    pub since: Option<Moment>,
}

/// How all promises stand now, in the order of [`Promise::ALL`].
pub fn standing(view: &View) -> [Standing; Promise::ALL.len()] {
    let memory = view.promises.memory.borrow().clone();
    Promise::ALL.map(|promise| {
        let why = why(view, promise, memory.lost);
        let place = Promise::ALL.iter().position(|other| *other == promise);
        let since = place.and_then(|place| memory.since[place]).filter(|_| why.is_some());
        Standing { promise, why, since }
    })
}

/// Why a promise is broken now; `None` when it is kept.
fn why(view: &View, promise: Promise, lost: bool) -> Option<Words> {
    match promise {
        Promise::Durable => {
            let fault = view.buffer.borrow().fault.clone()?;
            Some((fault.clone(), fault).into())
        }
        Promise::Delivered => delivered(view, lost),
        Promise::Clock => (!view.clock.trusted()).then(|| {
            ("no time service has confirmed the wall clock", "尚无时间源确认系统时间").into()
        }),
        Promise::Certificate => certificate(view),
        Promise::Configuration => {
            let refusal = view.promises.configuration.borrow().clone()?;
            let first = refusal.faults.into_iter().next().unwrap_or_default();
            let (en, zh) = ("the file was changed and refused", "配置文件已更改但被拒绝");
            Some((format!("{en}: {}", first.en), format!("{zh}：{}", first.zh)).into())
        }
        Promise::Collected => collected(view),
    }
}

fn delivered(view: &View, lost: bool) -> Option<Words> {
    let uplink = view.uplink.borrow().clone();
    if !uplink.configured {
        return Some(("no platform is configured", "未配置平台").into());
    }
    if !uplink.connected {
        return Some(uplink.fault.unwrap_or_else(|| ("not connected yet", "尚未连接").into()));
    }
    let buffer = view.buffer.borrow().clone();
    let late = uplink.late_below.zip(buffer.oldest_seq);
    if late.is_some_and(|(below, oldest)| oldest < below) {
        let blocks = buffer.blocks;
        return Some(
            (
                format!("{blocks} blocks are stored, those of an outage are still on their way"),
                format!("已存 {blocks} 块，中断期间的数据仍在补传"),
            )
                .into(),
        );
    }
    lost.then(|| {
        (
            "blocks were deleted within the last hour before the platform had them",
            "近一小时内有数据块未送达平台即被删除",
        )
            .into()
    })
}

fn certificate(view: &View) -> Option<Words> {
    let wrong = view.uplink.borrow().credentials.clone();
    let wrong = wrong.or_else(|| view.broker.as_ref()?.borrow().credentials.clone());
    if wrong.is_some() {
        return wrong;
    }
    // Without a trusted clock nobody can say what has expired.
    let now = view.clock.wall(view.now())?;
    let certificates = view.promises.certificates.borrow();
    let due = certificates.iter().filter(|one| one.is_due(now));
    due.min_by_key(|one| one.expires_ms).map(|one| one.told(now))
}

fn collected(view: &View) -> Option<Words> {
    if let Some(status) = view.broker.as_ref().map(|broker| broker.borrow().clone())
        && !status.connected
    {
        let fault = status.fault.unwrap_or_else(|| ("not connected yet", "尚未连接").into());
        return Some(
            (format!("the field broker: {}", fault.en), format!("现场消息代理：{}", fault.zh))
                .into(),
        );
    }
    let down = view.buses.all().into_iter().find(|bus| !bus.open && bus.fault.is_some())?;
    let fault = down.fault.unwrap_or_default();
    Some(
        (format!("bus {}: {}", down.id, fault.en), format!("总线 {}：{}", down.id, fault.zh))
            .into(),
    )
}

#[cfg(test)]
#[path = "promises_tests.rs"]
mod tests;
