//! The time by which the clocks of alarms run: milliseconds that never jump and go on across
//! restarts.
//!
//! Within a boot it runs with the monotonic clock, so a wall clock that jumps moves nothing. Over a
//! time without power it goes on by the wall clock, when that was trusted before and is now; as
//! long as it is not, the time without power does not count, and is made up for once it is.

use serde::{Deserialize, Serialize};

use crate::model::Moment;

/// Longest time without power that is believed, milliseconds.
const LONGEST_GAP: i64 = 400 * 86_400_000;

/// What the clock says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The monotonic moment.
    pub moment: Moment,
    /// The wall time by the best knowledge, milliseconds since 1970.
    pub wall_ms: i64,
    /// Whether that is trusted.
    pub trusted: bool,
}

/// Where the time stood, to be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    boot: String,
    boot_ms: u64,
    t: u64,
    /// The wall time then, if it was trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wall_ms: Option<i64>,
}

/// The running time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    boot: String,
    /// A moment of this boot, and the time then.
    from: (Moment, u64),
    /// Wall time and time of the last run, while the gap after it is not known.
    owed: Option<(i64, u64)>,
}

impl Timeline {
    /// Goes on from where an earlier run left it.
    pub fn resume(kept: Option<&Anchor>, boot: &str, now: &Now) -> Self {
        let boot = boot.to_owned();
        let Some(kept) = kept else {
            // Not at 0: what was noticed before the start has its time too.
            return Self { boot, from: (now.moment, now.moment.boot_ms), owed: None };
        };
        if kept.boot == boot {
            let passed = now.moment.boot_ms.saturating_sub(kept.boot_ms);
            let t = kept.t.saturating_add(passed);
            return Self { boot, from: (now.moment, t), owed: None };
        }
        let owed = kept.wall_ms.map(|wall| (wall, kept.t));
        let mut line = Self { boot, from: (now.moment, kept.t), owed };
        line.catch_up(now);
        line
    }

    /// Makes up for the time without power, once it can be told. Says whether it did.
    pub fn catch_up(&mut self, now: &Now) -> bool {
        let Some((wall, t)) = self.owed.filter(|_| now.trusted) else { return false };
        self.owed = None;
        let present = self.at(now.moment);
        let gap = now.wall_ms.saturating_sub(wall).min(LONGEST_GAP);
        let target = t.saturating_add(u64::try_from(gap).unwrap_or(0));
        // Never back: what ran since the start counts.
        self.from = (now.moment, present.max(target));
        target > present
    }

    /// The time at a moment of this boot.
    pub fn at(&self, moment: Moment) -> u64 {
        let (from, t) = self.from;
        if moment >= from {
            t.saturating_add(moment.boot_ms - from.boot_ms)
        } else {
            t.saturating_sub(from.boot_ms - moment.boot_ms)
        }
    }

    /// The wall time of a time, by the best knowledge.
    pub fn wall_ms(&self, t: u64, now: &Now) -> i64 {
        let present = self.at(now.moment);
        let back = i64::try_from(present.saturating_sub(t)).unwrap_or(i64::MAX);
        let ahead = i64::try_from(t.saturating_sub(present)).unwrap_or(i64::MAX);
        now.wall_ms.saturating_sub(back).saturating_add(ahead)
    }

    /// What is to be kept.
    pub fn anchor(&self, now: &Now) -> Anchor {
        let t = self.at(now.moment);
        // What is owed stays owed.
        let wall_ms = match self.owed {
            Some((wall, then)) => {
                Some(wall.saturating_add(i64::try_from(t.saturating_sub(then)).unwrap_or(0)))
            }
            None => now.trusted.then_some(now.wall_ms),
        };
        Anchor { boot: self.boot.clone(), boot_ms: now.moment.boot_ms, t, wall_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(boot_ms: u64, wall_ms: i64, trusted: bool) -> Now {
        Now { moment: Moment { boot_ms }, wall_ms, trusted }
    }

    #[test]
    fn a_wall_clock_that_jumps_moves_nothing_and_a_restart_of_the_program_counts() {
        let line = Timeline::resume(None, "a", &now(1000, 5_000_000, true));
        assert_eq!(line.at(Moment { boot_ms: 4000 }), 4000);
        let kept = line.anchor(&now(4000, 1, true));
        let line = Timeline::resume(Some(&kept), "a", &now(9000, 99_000_000, true));
        assert_eq!(line.at(Moment { boot_ms: 9000 }), 9000);
    }

    #[test]
    fn a_time_without_power_counts_by_the_wall_clock() {
        let line = Timeline::resume(None, "a", &now(0, 1_000_000, true));
        let kept = line.anchor(&now(10_000, 1_010_000, true));
        let line = Timeline::resume(Some(&kept), "b", &now(50, 1_070_000, true));
        assert_eq!(line.at(Moment { boot_ms: 50 }), 70_000);
    }

    #[test]
    fn without_a_trusted_clock_it_counts_once_the_clock_is_and_never_backwards() {
        let line = Timeline::resume(None, "a", &now(0, 1_000_000, true));
        let kept = line.anchor(&now(10_000, 1_010_000, true));
        let mut line = Timeline::resume(Some(&kept), "b", &now(0, 0, false));
        assert_eq!(line.at(Moment { boot_ms: 5000 }), 15_000);
        // Restarted once more before the clock is trusted: still owed.
        let again = line.anchor(&now(5000, 5000, false));
        let mut second = Timeline::resume(Some(&again), "c", &now(0, 0, false));
        assert!(second.catch_up(&now(1000, 1_100_000, true)));
        assert_eq!(second.at(Moment { boot_ms: 1000 }), 100_000);
        assert!(!line.catch_up(&now(6000, 500_000, true)), "a clock that goes back");
        assert_eq!(line.at(Moment { boot_ms: 6000 }), 16_000);
    }

    #[test]
    fn a_wall_time_follows_from_the_time_of_now() {
        let line = Timeline::resume(None, "a", &now(0, 0, false));
        let present = now(60_000, 1_000_000, true);
        assert_eq!(line.wall_ms(10_000, &present), 950_000);
        assert_eq!(line.wall_ms(70_000, &present), 1_010_000);
    }
}
