//! Time of a box without a clock battery: a monotonic moment always, the wall time when trusted.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point on the monotonic clock of the running system: milliseconds since it booted.
/// It never jumps, and orders everything within one boot.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Moment {
    /// Milliseconds since the system booted.
    pub boot_ms: u64,
}

impl Moment {
    /// How long after `earlier`; zero when it is not after.
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_millis(self.boot_ms.saturating_sub(earlier.boot_ms))
    }

    /// This moment plus `span`, in whole milliseconds.
    #[must_use]
    pub fn plus(self, span: Duration) -> Moment {
        let ms = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Moment { boot_ms: self.boot_ms.saturating_add(ms) }
    }
}

/// Wall time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WallTime {
    /// Milliseconds since the Unix epoch.
    pub unix_ms: i64,
}

/// One run of the system between power-ons (`/proc/sys/kernel/random/boot_id`).
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BootId(pub Arc<str>);

impl fmt::Display for BootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
