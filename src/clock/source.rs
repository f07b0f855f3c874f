//! Reads the system's clocks. Moments follow tokio's clock, so that tests with paused time see
//! time pass only when they say so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::{Config, Trust};
use crate::model::{BootId, Moment, WallTime};

/// A wall clock that moved by more than this against the monotonic one has jumped.
const JUMP_MS: i64 = 500;

/// Handle on the clock; clones share it.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: Config,
    boot: BootId,
    start: Instant,
    start_boot_ms: u64,
    /// Wall milliseconds less boot milliseconds; meaningful when `trusted`.
    offset_ms: AtomicI64,
    trusted: AtomicBool,
}

impl Clock {
    /// Reads the boot id and the time since boot; judges the wall clock once.
    /// Must be called within a tokio runtime.
    pub fn new(config: Config) -> Self {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .map_or_else(|_| "unknown".into(), |text| text.trim().to_owned());
        let since_boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let seconds = u64::try_from(since_boot.tv_sec).unwrap_or(0);
        let millis = u64::try_from(since_boot.tv_nsec / 1_000_000).unwrap_or(0);
        let clock = Self(Arc::new(Shared {
            config,
            boot: BootId(boot.into()),
            start: Instant::now(),
            start_boot_ms: seconds * 1000 + millis,
            offset_ms: AtomicI64::new(0),
            trusted: AtomicBool::new(false),
        }));
        clock.judge();
        clock
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
        self.0.trusted.load(Ordering::Acquire)
    }

    /// Wall time of a moment of this boot; `None` while no source is trusted.
    pub fn wall(&self, moment: Moment) -> Option<WallTime> {
        self.trusted().then(|| self.best_wall(moment))
    }

    /// Wall time of a moment by the best knowledge there is, trusted or not: for pages and logs.
    pub fn best_wall(&self, moment: Moment) -> WallTime {
        let boot_ms = i64::try_from(moment.boot_ms).unwrap_or(i64::MAX);
        WallTime { unix_ms: boot_ms.saturating_add(self.0.offset_ms.load(Ordering::Acquire)) }
    }

    /// Looks at the sources again. Returns the step in milliseconds when the wall clock became
    /// trusted or jumped by more than half a second while trusted.
    pub fn judge(&self) -> Option<i64> {
        let offset = system_unix_ms() - i64::try_from(self.now().boot_ms).unwrap_or(i64::MAX);
        let trusted = match self.0.config.trust {
            Trust::System => true,
            Trust::Ntp => self.0.config.synchronised.iter().any(|file| file.exists()),
        };
        let before = self.0.offset_ms.swap(offset, Ordering::AcqRel);
        // Once trusted the monotonic clock carries on: a service that stops does not take it back.
        let was = self.0.trusted.fetch_or(trusted, Ordering::AcqRel);
        let step = offset - before;
        let became = trusted && !was && before != 0;
        (became || (was && step.abs() > JUMP_MS)).then_some(step)
    }
}

fn system_unix_ms() -> i64 {
    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn moments_follow_paused_time() {
        let clock = Clock::new(Config { trust: Trust::System, ..Config::default() });
        let before = clock.now();
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(clock.now().since(before), Duration::from_secs(5));
    }

    #[tokio::test]
    async fn the_wall_clock_is_not_trusted_before_a_time_service_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let marker = folder.path().join("synchronized");
        let clock = Clock::new(Config { trust: Trust::Ntp, synchronised: vec![marker.clone()] });
        assert_eq!(clock.wall(clock.now()), None);
        std::fs::write(marker, "").unwrap();
        assert!(clock.judge().is_some());
        assert!(clock.wall(clock.now()).is_some());
    }
}
