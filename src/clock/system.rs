//! The system's clock, and whether a time service keeps it.
//!
//! The kernel's own word (`adjtimex`) is not asked: the hardened unit forbids that call, also for
//! reading, and no safe wrapper of it is in the tree. A service's marker file says the same.

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::source::{Sample, Source};
use super::{Config, Trust};
use crate::model::Moment;

/// Files below this are touched at each synchronisation: `systemd-timesyncd.service(8)`.
const TOUCHED: &str = "/run/systemd/timesync";
/// Three times the longest pause of systemd-timesyncd between two questions (2048 s).
const OLD: Duration = Duration::from_secs(3 * 2048);
/// What a clock under NTP is off at most, over a network that works, milliseconds.
const NTP_MS: u64 = 100;
/// A battery-backed clock that somebody sets: nobody knows better than this, milliseconds.
const BATTERY_MS: u64 = 1000;

/// What the system says about the time now.
pub(super) struct Look {
    /// The system's wall time less our boot time, milliseconds.
    pub offset_ms: i64,
    /// As a sample, when it may be believed.
    pub sample: Option<Sample>,
}

pub(super) fn look(config: &Config, now: Moment) -> Look {
    let system = SystemTime::now();
    let offset_ms = unix_ms(system) - i64::try_from(now.boot_ms).unwrap_or(i64::MAX);
    let kept = config.synchronised.iter().any(|file| says_synchronised(file, system));
    let (source, uncertainty_ms) = match (kept, config.trust) {
        (true, _) => (Source::Ntp, NTP_MS),
        (false, Trust::System) => (Source::System, BATTERY_MS),
        (false, Trust::Ntp) => return Look { offset_ms, sample: None },
    };
    Look { offset_ms, sample: Some(Sample { source, offset_ms, uncertainty_ms }) }
}

/// Whether a time service says that it keeps the system's clock; for who looks from outside. Blocks.
pub fn is_synchronised(config: &Config) -> bool {
    let now = SystemTime::now();
    config.synchronised.iter().any(|file| says_synchronised(file, now))
}

fn says_synchronised(file: &Path, now: SystemTime) -> bool {
    let Ok(about) = std::fs::metadata(file) else { return false };
    let touched = file.starts_with(TOUCHED);
    // One from the future was touched before the clock was set back: that was just now.
    let old = about.modified().ok().and_then(|at| now.duration_since(at).ok());
    !touched || old.is_none_or(|old| old <= OLD)
}

fn unix_ms(time: SystemTime) -> i64 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
    }
}
