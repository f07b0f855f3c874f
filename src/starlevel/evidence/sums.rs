//! What the days of the window amount to.

use std::time::Duration;

use super::Book;
use super::calendar::{DAY_MS, month_and_day};
use super::keep::KEEP_DAYS;
use crate::model::DeviceIndex;
use crate::starlevel::verdict::share;

/// Records older than this must be at the platform (check P3).
const MUST_BE_DELIVERED_MS: i64 = 72 * 3_600_000;

/// Balance of the blocks that are old enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::starlevel) struct Delivery {
    /// Blocks created in the window and older than 72 hours.
    pub(in crate::starlevel) created: u64,
    /// Of those, the most that the platform may lack: still stored, evicted, or damaged.
    pub(in crate::starlevel) lacking: u64,
}

impl Book {
    pub(super) fn end(&self) -> i64 {
        self.kept.frontier.unwrap_or(0)
    }

    /// The first day of the window: one more than it has days, so that it is whole while the
    /// newest day fills.
    pub(super) fn first_day(&self) -> u32 {
        self.zone.day(self.end()).saturating_sub(self.window_days)
    }

    pub(super) fn begin_of_window(&self) -> i64 {
        self.zone.begin(self.first_day()).max(self.kept.since.unwrap_or(0))
    }

    /// Length of the window so far: also what was not observed.
    pub(in crate::starlevel) fn window(&self) -> Duration {
        Duration::from_millis(span(self.begin_of_window(), self.end()))
    }

    fn device_begin(&self, device: DeviceIndex) -> Option<i64> {
        Some(self.known[device.slot()].since?.max(self.begin_of_window()))
    }

    fn rows(&self, device: DeviceIndex) -> impl Iterator<Item = (u32, &super::DeviceDay)> {
        let first = self.first_day();
        let rows = self.days.range(first..);
        rows.filter_map(move |(day, row)| Some((*day, row.devices.get(device.slot())?)))
    }

    /// Whether anything is expected of the device on a day: of heat meters only in their season.
    fn expected(&self, device: DeviceIndex, day: u32) -> bool {
        let season = self.season.filter(|_| self.seasonal[device.slot()]);
        season.is_none_or(|season| {
            let (month, day) = month_and_day(day);
            season.holds(month, day)
        })
    }

    /// The days of a span on which something is expected of the device, as spans.
    fn expected_spans(
        &self,
        device: DeviceIndex,
        from: i64,
        to: i64,
    ) -> impl Iterator<Item = (i64, i64)> {
        let days = if from < to { self.zone.day(from)..self.zone.day(to - 1) + 1 } else { 0..0 };
        days.filter(move |day| self.expected(device, *day)).map(move |day| {
            let begin = self.zone.begin(day);
            (begin.max(from), (begin + DAY_MS).min(to))
        })
    }

    /// Whether nothing was expected of the device in the whole window, but it was there in its
    /// last season: nothing speaks against it.
    pub(in crate::starlevel) fn dormant(&self, device: DeviceIndex) -> bool {
        let kept = self.end() - i64::from(KEEP_DAYS) * DAY_MS;
        let begin = self.begin_of_window();
        self.expected_spans(device, begin, self.end()).next().is_none()
            && self.end() > begin
            && self.known[device.slot()].heard.is_some_and(|heard| heard >= kept)
    }

    /// Share of the window that the device was online by the definition of `star` (1..=5);
    /// `None` before anything was measured and for devices that no star asks for.
    pub(in crate::starlevel) fn rate(&self, device: DeviceIndex, star: u8) -> Option<f64> {
        self.limits[device.slot()]?;
        let level = usize::from(star).checked_sub(1)?;
        let spans = self.expected_spans(device, self.device_begin(device)?, self.end());
        let whole: u64 = spans.map(|(from, to)| span(from, to)).sum();
        let rows = || self.rows(device).filter(|(day, _)| self.expected(device, *day));
        let online: u64 = rows().map(|(_, row)| row.online_ms[level]).sum();
        let excused: u64 = rows().map(|(_, row)| row.excused_ms).sum();
        share(online, whole.saturating_sub(excused))
    }

    /// Periods of `star` with a valid reading over those that ended; `None` before one did.
    pub(in crate::starlevel) fn completeness(&self, device: DeviceIndex, star: u8) -> Option<f64> {
        let level = usize::from(star).checked_sub(1)?;
        let period = i64::try_from(self.periods[device.slot()]?[level]).ok()?;
        let (begin, end) = (self.device_begin(device)?, self.end());
        // Periods divide a day, so each day begins one.
        let expected: i64 = self
            .expected_spans(device, begin, end)
            .map(|(from, to)| {
                let midnight = self.zone.begin(self.zone.day(from));
                let whole = (to - midnight) / period - (from - midnight + period - 1) / period;
                whole.max(0)
            })
            .sum();
        let expected = u64::try_from(expected).ok()?;
        let rows = self.rows(device).filter(|(day, _)| self.expected(device, *day));
        let mut covered: u64 = rows.map(|(_, row)| row.covered[level]).sum();
        // The period that runs now has not ended.
        let today = self.zone.day(end);
        let running = self.zone.begin(today) + (end - self.zone.begin(today)) / period * period;
        let counted = self.known[device.slot()].peak.is_some_and(|peak| peak >= running);
        if counted && self.expected(device, today) {
            covered = covered.saturating_sub(1);
        }
        share(covered.min(expected), expected)
    }

    /// Readings of the device in the window, and how many of them are valid.
    pub(in crate::starlevel) fn readings(&self, device: DeviceIndex) -> (u64, u64) {
        self.rows(device)
            .fold((0, 0), |(all, valid), (_, row)| (all + row.readings, valid + row.valid))
    }

    /// The mean over the whole natural days of the window of devices with a valid reading over
    /// devices that existed all day; `None` before such a day ended.
    pub(in crate::starlevel) fn daily_reads(&self, devices: &[DeviceIndex]) -> Option<f64> {
        let today = self.zone.day(self.end());
        let from: Vec<(DeviceIndex, u32)> = devices
            .iter()
            .filter_map(|d| Some((*d, self.whole_from(self.known[d.slot()].since?))))
            .collect();
        let mut sum = 0.0;
        let mut days = 0u32;
        for day in self.first_day()..today {
            let there = from.iter().filter(|(d, first)| *first <= day && self.expected(*d, day));
            let row = self.days.get(&day);
            let (all, read) = there.fold((0u64, 0u64), |(all, read), (device, _)| {
                let valid = row.is_some_and(|row| row.devices[device.slot()].valid > 0);
                (all + 1, read + u64::from(valid))
            });
            if let Some(share) = share(read, all) {
                sum += share;
                days += 1;
            }
        }
        (days > 0).then(|| sum / f64::from(days))
    }

    /// The first day of the window that lies wholly after `since`.
    pub(super) fn whole_from(&self, since: i64) -> u32 {
        let day = self.zone.day(since);
        let whole = if self.zone.begin(day) < since { day + 1 } else { day };
        whole.max(self.first_day())
    }

    /// Share of the window with a session at the platform's broker.
    pub(in crate::starlevel) fn link(&self) -> Option<f64> {
        let rows = self.days.range(self.first_day()..);
        let up: u64 = rows.map(|(_, row)| row.gateway.link_ms).sum();
        share(up, span(self.begin_of_window(), self.end()))
    }

    /// The balance of blocks older than 72 hours, by whole days; `None` before there is one.
    pub(in crate::starlevel) fn delivery(&self) -> Option<Delivery> {
        let buffer = self.now.buffer?;
        // The first day that is not wholly older than 72 hours.
        let recent = self.zone.day(self.end() - MUST_BE_DELIVERED_MS);
        let first = self.first_day();
        let created = |from: u32, to: u32| -> u64 {
            if from >= to {
                return 0;
            }
            self.days.range(from..to).map(|(_, row)| row.gateway.created).sum()
        };
        let old = created(first, recent);
        if old == 0 {
            return None;
        }
        let lost: u64 = self.days.range(first..).map(|(_, row)| row.gateway.lost).sum();
        // Where the recent blocks begin. What waits below it is at most all that is stored.
        let boundary = buffer.next.0.saturating_sub(created(recent, u32::MAX));
        let waiting = buffer.oldest.map_or(0, |oldest| boundary.saturating_sub(oldest.0));
        let lacking = waiting.min(buffer.blocks).saturating_add(lost).min(old);
        Some(Delivery { created: old, lacking })
    }

    /// Days since the first evidence, the present one included.
    pub(in crate::starlevel) fn days_held(&self) -> u32 {
        let Some(since) = self.kept.since else { return 0 };
        self.zone.day(self.end()).saturating_sub(self.zone.day(since)).saturating_add(1)
    }

    /// Whether days go into a store, and none was found missing in the chain there.
    pub(in crate::starlevel) fn chain_holds(&self) -> Option<bool> {
        self.keeper.as_ref().map(super::Keeper::holds)
    }

    /// Hours of records that the buffer's whole budget holds at the present rate.
    pub(in crate::starlevel) fn capacity_hours(&self) -> Option<f64> {
        self.now.buffer?.capacity_hours
    }

    pub(super) fn exists_ms(&self, slot: usize, day: u32) -> u64 {
        let begin = self.zone.begin(day);
        let since = self.known[slot].since.unwrap_or(i64::MAX);
        span(begin.max(since), (begin + DAY_MS).min(self.end()))
    }
}

fn span(from: i64, to: i64) -> u64 {
    u64::try_from(to.saturating_sub(from)).unwrap_or(0)
}
