//! The handle on the clock. Moments follow tokio's clock, so that tests with paused time see
//! time pass only when they say so.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::effect::{ClockStatus, Effect, MeterSeen};
use super::judge::{DRIFT_PPM, Judge};
use super::kept::{Boots, Known, Past, add};
use super::source::{Sample, Source, TrustState};
use super::{AskPlatform, Config, system};
use crate::model::{BootId, DeviceId, Moment, TimeBase, TimeTrust, WallTime};
use crate::store::{StoreError, Tree};

/// 2026-11-01: no clock that shows less is right, this version was made later.
pub const WRITTEN_MS: i64 = 1_793_491_200_000;
/// What the clock may have been ahead when it was last trusted.
const AHEAD: Duration = Duration::from_secs(300);
/// The time counts as "trusted once" when the clock did not step for so long.
const SETTLED: Duration = Duration::from_secs(600);
/// Effects that wait for the watch; the oldest goes when nobody takes them.
const MOST_EFFECTS: usize = 256;

/// Handle on the clock; clones share it.
#[derive(Clone)]
pub struct Clock(Arc<Shared>);

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("boot", self.boot()).field("status", &self.status()).finish()
    }
}

struct Shared {
    config: Config,
    boot: BootId,
    start: Instant,
    start_boot_ms: u64,
    inner: Mutex<Inner>,
    news: Notify,
}

struct Inner {
    judge: Judge,
    effects: VecDeque<Effect>,
    boots: Boots,
    /// The clock did not step since.
    steady: Option<Moment>,
    looked: bool,
    meters: BTreeMap<DeviceId, MeterSeen>,
}

impl Clock {
    /// Reads the boot id and the time since boot; looks at the system's clock once.
    /// Must be called within a tokio runtime.
    pub fn new(config: Config) -> Self {
        let clock = Self::waiting(config);
        clock.judge();
        clock
    }

    /// As [`Clock::new`], but believes nothing before the first [`Clock::judge`]: what was kept
    /// about the time is to be read first.
    pub fn waiting(config: Config) -> Self {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .map_or_else(|_| "unknown".into(), |text| text.trim().to_owned());
        let since_boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let seconds = u64::try_from(since_boot.tv_sec).unwrap_or(0);
        let millis = u64::try_from(since_boot.tv_nsec / 1_000_000).unwrap_or(0);
        Self::of_boot(config, boot, seconds * 1000 + millis)
    }

    /// A clock of the given boot, so old.
    pub fn of_boot(config: Config, boot: impl Into<Arc<str>>, boot_ms: u64) -> Self {
        let inner = Inner {
            judge: Judge::new(config.holdover, WRITTEN_MS),
            effects: VecDeque::new(),
            boots: Boots::default(),
            steady: None,
            looked: false,
            meters: BTreeMap::new(),
        };
        Self(Arc::new(Shared {
            config,
            boot: BootId(boot.into()),
            start: Instant::now(),
            start_boot_ms: boot_ms,
            inner: Mutex::new(inner),
            news: Notify::new(),
        }))
    }

    // Nothing that holds it panics half-way through a change.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This boot.
    pub fn boot(&self) -> &BootId {
        &self.0.boot
    }

    /// Now, on the monotonic clock.
    pub fn now(&self) -> Moment {
        Moment { boot_ms: self.0.start_boot_ms }.plus(self.0.start.elapsed())
    }

    /// Tokio's instant for a moment of this boot, for timers.
    pub fn instant(&self, moment: Moment) -> Instant {
        self.0.start + Duration::from_millis(moment.boot_ms.saturating_sub(self.0.start_boot_ms))
    }

    /// Whether the wall clock is trusted.
    pub fn trusted(&self) -> bool {
        self.inner().judge.state() != TrustState::Untrusted
    }

    /// Wall time of a moment of this boot; `None` while no source is trusted.
    pub fn wall(&self, moment: Moment) -> Option<WallTime> {
        let inner = self.inner();
        (inner.judge.state() != TrustState::Untrusted).then(|| inner.wall(moment))
    }

    /// Wall time of a moment by the best knowledge there is, trusted or not: for pages and logs.
    pub fn best_wall(&self, moment: Moment) -> WallTime {
        self.inner().wall(moment)
    }

    /// What a document of this moment says about its time.
    pub fn time_base(&self, base: Moment) -> TimeBase {
        let now = self.now();
        let inner = self.inner();
        let trust = match inner.judge.state() {
            TrustState::Untrusted => {
                return TimeBase::since_boot(self.0.boot.to_string(), signed(base.boot_ms));
            }
            TrustState::Synchronised => TimeTrust::Trusted,
            TrustState::Holdover => TimeTrust::Holdover,
        };
        let uncertainty_ms = inner.judge.uncertainty_ms(now);
        TimeBase { trust, uncertainty_ms, ..TimeBase::trusted(inner.wall(base).unix_ms) }
    }

    /// What can be said by now about a moment of a boot that was not stamped then: its wall time,
    /// if that boot's clock was trusted at any time; for another boot the bounds within which it
    /// was. `None` when nothing is known.
    pub fn afterwards(&self, boot: &str, base: Moment) -> Option<TimeBase> {
        let now = self.now();
        let inner = self.inner();
        if *boot == *self.0.boot.0 {
            let uncertainty = inner.judge.uncertainty_ms(now)?;
            let wall = inner.wall(base).unix_ms;
            return Some(stamped(wall, uncertainty, now.since(base)));
        }
        match inner.boots.past(boot)? {
            Past::Known(known) => {
                let synced = known.synced();
                let apart = synced.since(base).max(base.since(synced));
                Some(stamped(add(known.offset_ms, base.boot_ms), known.uncertainty_ms, apart))
            }
            Past::Between(None, None) => None,
            Past::Between(after, before) => Some(TimeBase {
                not_before: after.map(|after| add(after, base.boot_ms)),
                not_after: before,
                ..TimeBase::since_boot(boot.to_owned(), signed(base.boot_ms))
            }),
        }
    }

    /// Takes up what earlier runs kept in `tree`. The tree is not held: a clock outlives its store.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn remember(&self, tree: &Tree) -> Result<(), StoreError> {
        let mut boots = Boots::load(tree)?;
        let known = boots.begin(&self.0.boot.0);
        boots.save(tree)?;
        let now = self.now();
        let mut inner = self.inner();
        if let Some(trusted) = boots.trusted_ms {
            inner.judge.raise_floor(trusted.saturating_sub(millis(AHEAD)));
        }
        if let Some(known) = known {
            let (synced, source) = (known.synced(), named(&known.source));
            let Known { offset_ms, uncertainty_ms, .. } = known;
            let effects =
                inner.judge.resume(&Sample { source, offset_ms, uncertainty_ms }, synced, now);
            inner.file(effects, now);
        }
        inner.boots = boots;
        Ok(())
    }

    /// Keeps in `tree` what is known about the time now.
    ///
    /// # Errors
    /// The store cannot be written; to be tried again.
    pub fn keep(&self, tree: &Tree) -> Result<(), StoreError> {
        let now = self.now();
        let mut inner = self.inner();
        inner.note(&self.0.boot, now);
        inner.boots.save(tree)
    }

    /// Looks at the system's clock, and lets time pass for the other sources.
    pub fn judge(&self) {
        let now = self.now();
        let look = system::look(&self.0.config, now);
        let mut inner = self.inner();
        inner.judge.guess(look.offset_ms, now);
        let effects = match &look.sample {
            Some(sample) => inner.judge.hear(sample, now),
            None => inner.judge.tick(now),
        };
        inner.file(effects, now);
        if !std::mem::replace(&mut inner.looked, true)
            && inner.judge.state() == TrustState::Synchronised
        {
            // A clock that was right from the start is no news.
            inner.effects.retain(|effect| !matches!(effect, Effect::State { .. }));
        }
        inner.note(&self.0.boot, now);
        self.0.news.notify_one();
    }

    /// Another source of time said something.
    pub fn hear(&self, sample: &Sample) {
        let now = self.now();
        let mut inner = self.inner();
        let effects = inner.judge.hear(sample, now);
        inner.file(effects, now);
        inner.note(&self.0.boot, now);
        self.0.news.notify_one();
    }

    /// A meter's clock was read: `offset_s` is its clock less ours, `None` when it does not tell.
    pub fn meter_read(&self, device: &DeviceId, offset_s: Option<i64>) {
        let at = self.now();
        let mut inner = self.inner();
        inner.meters.insert(device.clone(), MeterSeen { at, offset_s });
        if let Some(offset_s) = offset_s {
            let effect = Effect::Meter { device: device.clone(), offset_s };
            inner.file(vec![effect], at);
        }
        self.0.news.notify_one();
    }

    /// What the clock of a meter said last.
    pub fn meter(&self, device: &DeviceId) -> Option<MeterSeen> {
        self.inner().meters.get(device).copied()
    }

    /// The meter that gives the time when nothing better does.
    pub fn source_meter(&self) -> Option<&DeviceId> {
        self.0.config.meter.as_ref()
    }

    /// Whether the platform may be asked for the time over a link that is (not) encrypted and
    /// authenticated.
    pub fn asks_platform(&self, tls: bool) -> bool {
        match self.0.config.platform {
            AskPlatform::Never => false,
            AskPlatform::OverTls => tls,
            AskPlatform::Always => true,
        }
    }

    /// What happened since it was last asked.
    pub fn effects(&self) -> Vec<Effect> {
        self.inner().effects.drain(..).collect()
    }

    /// Ends when something may have happened.
    pub async fn news(&self) {
        self.0.news.notified().await;
    }

    /// For pages, API and metrics.
    pub fn status(&self) -> ClockStatus {
        let now = self.now();
        let inner = self.inner();
        let judge = &inner.judge;
        ClockStatus {
            state: judge.state(),
            source: judge.source().cloned(),
            offset_ms: judge.residual_ms(),
            uncertainty_ms: judge.uncertainty_ms(now),
            synchronised_at: judge.synced(),
            disagreements: judge.disagreements().cloned().collect(),
            refused: judge.refused().cloned().collect(),
        }
    }
}

impl Inner {
    fn wall(&self, moment: Moment) -> WallTime {
        WallTime { unix_ms: add(self.judge.offset_ms(moment), moment.boot_ms) }
    }

    fn file(&mut self, effects: Vec<Effect>, now: Moment) {
        for effect in effects {
            let moved = match &effect {
                Effect::Stepped { .. } => true,
                Effect::State { from, .. } => *from == TrustState::Untrusted,
                _ => false,
            };
            if moved {
                self.steady = Some(now);
            }
            if self.effects.len() == MOST_EFFECTS {
                self.effects.pop_front();
            }
            self.effects.push_back(effect);
        }
    }

    /// Brings what is kept up to date.
    fn note(&mut self, boot: &BootId, now: Moment) {
        let Some(uncertainty) = self.judge.uncertainty_ms(now) else { return };
        let (Some(source), Some(synced)) = (self.judge.source(), self.judge.synced()) else {
            return;
        };
        let known = Known {
            offset_ms: self.judge.offset_ms(now),
            // As of the last word of the source; what is grown since, grows again from there.
            uncertainty_ms: uncertainty.saturating_sub(drift_ms(now.since(synced))),
            synced_ms: synced.boot_ms,
            source: source.to_string(),
        };
        self.boots.learn(&boot.0, known);
        // A clock that just stepped may step back: what it says must not become the floor.
        if self.steady.is_some_and(|since| now.since(since) >= SETTLED) {
            let wall = self.wall(now).unix_ms;
            // The judge's floor is lower when two sources had to overrule what was kept.
            self.boots.trusted_ms = Some(wall);
        }
    }
}

fn stamped(wall_ms: i64, uncertainty_ms: u64, apart: Duration) -> TimeBase {
    let uncertainty_ms = Some(uncertainty_ms.saturating_add(drift_ms(apart)));
    TimeBase { uncertainty_ms, afterwards: true, ..TimeBase::trusted(wall_ms) }
}

fn named(text: &str) -> Source {
    match text {
        "ntp" => Source::Ntp,
        "platform" => Source::Platform,
        _ => match text.strip_prefix("meter ").and_then(|id| DeviceId::new(id).ok()) {
            Some(device) => Source::Meter(device),
            None => Source::System,
        },
    }
}

fn drift_ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis() * u128::from(DRIFT_PPM) / 1_000_000).unwrap_or(u64::MAX)
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

fn signed(boot_ms: u64) -> i64 {
    i64::try_from(boot_ms).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "handle_tests.rs"]
mod tests;
