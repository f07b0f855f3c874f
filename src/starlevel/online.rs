//! Online time of every device over a sliding window, by the definitions of all five stars.
//!
//! A device is online from a good reading until the rule pack's time after it. Between two looks
//! the time is integrated, so the result does not depend on how often one looks. Kept in day
//! buckets since start, on the monotonic clock: a wall clock that jumps changes nothing.

use std::collections::VecDeque;
use std::time::Duration;

use super::pack::{RulePack, STARS};
use crate::model::{DeviceIndex, Estate, Moment, Snapshot};

const DAY: Duration = Duration::from_secs(86_400);

/// Milliseconds per star.
type PerStar = [u64; STARS as usize];

#[derive(Debug)]
struct Bucket {
    length_ms: u64,
    /// One per device.
    online_ms: Vec<PerStar>,
}

/// Online time of all devices.
#[derive(Debug)]
pub(super) struct OnlineTime {
    /// Per device: offline after so many milliseconds; `None` for devices that no star asks for.
    limits: Vec<Option<PerStar>>,
    heard: Vec<Option<Moment>>,
    buckets: VecDeque<Bucket>,
    most_buckets: usize,
    opened: Moment,
    seen: Moment,
}

impl OnlineTime {
    pub(super) fn new(pack: &RulePack, estate: &Estate, started: Moment) -> Self {
        let limits = estate
            .devices()
            .iter()
            .map(|device| {
                let mut limits = PerStar::default();
                for (star, limit) in (1..=STARS).zip(&mut limits) {
                    let after = pack.offline_after(device.category, star)?;
                    *limit = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
                }
                Some(limits)
            })
            .collect();
        let mut time = Self {
            limits,
            heard: vec![None; estate.devices().len()],
            buckets: VecDeque::new(),
            // One more than the window, so that it is whole while the newest day fills.
            most_buckets: usize::try_from(pack.evaluation().window_days).unwrap_or(30) + 1,
            opened: started,
            seen: started,
        };
        time.open(started);
        time
    }

    /// Adds the time since the last look.
    pub(super) fn observe(&mut self, snapshot: &Snapshot, now: Moment) {
        if now <= self.seen {
            return;
        }
        if now.since(self.opened) >= DAY {
            self.open(now);
        }
        let bucket = self.buckets.back_mut().expect("a bucket is opened with the first moment");
        bucket.length_ms += now.boot_ms - self.seen.boot_ms;
        for (slot, index) in (0u32..).map(DeviceIndex).take(self.limits.len()).enumerate() {
            let Some(limits) = &self.limits[slot] else { continue };
            let heard = snapshot.with(index, |state| state.heard_at);
            for (online, &limit) in bucket.online_ms[slot].iter_mut().zip(limits) {
                *online += overlap(self.heard[slot], heard, limit, self.seen, now);
            }
            self.heard[slot] = heard;
        }
        self.seen = now;
    }

    /// Length of the window so far.
    pub(super) fn window(&self) -> Duration {
        Duration::from_millis(self.buckets.iter().map(|bucket| bucket.length_ms).sum())
    }

    /// Share of the window that the device was online by the definition of `star` (1..=5);
    /// `None` before anything was measured and for devices that no star asks for.
    pub(super) fn rate(&self, device: DeviceIndex, star: u8) -> Option<f64> {
        self.limits[device.slot()]?;
        let level = usize::from(star).checked_sub(1)?;
        let window: u64 = self.buckets.iter().map(|bucket| bucket.length_ms).sum();
        let online: u64 =
            self.buckets.iter().map(|bucket| bucket.online_ms[device.slot()][level]).sum();
        #[expect(clippy::cast_precision_loss, reason = "a month of milliseconds fits 53 bits")]
        (window > 0).then(|| online as f64 / window as f64)
    }

    fn open(&mut self, at: Moment) {
        if self.buckets.len() >= self.most_buckets {
            self.buckets.pop_front();
        }
        let online_ms = vec![PerStar::default(); self.limits.len()];
        self.buckets.push_back(Bucket { length_ms: 0, online_ms });
        self.opened = at;
    }
}

/// Milliseconds of `from..to` that lie within `limit` after the one or the other hearing.
fn overlap(
    before: Option<Moment>,
    after: Option<Moment>,
    limit: u64,
    from: Moment,
    to: Moment,
) -> u64 {
    let mut covered = 0;
    let mut free = from.boot_ms;
    for heard in [before, after].into_iter().flatten() {
        let begin = heard.boot_ms.max(free);
        let end = heard.boot_ms.saturating_add(limit).min(to.boot_ms);
        if end > begin {
            covered += end - begin;
            free = end;
        }
    }
    covered
}
