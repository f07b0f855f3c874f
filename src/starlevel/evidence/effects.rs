//! What the risk grade and the charging orders leave in the evidence of a day, and what they ask
//! of it.

use serde::{Deserialize, Serialize};

use super::calendar::DAY_MS;
use super::{Book, Day};
use crate::model::DeviceIndex;

/// A shorter history tells no online rate of the last days.
const LEAST_MS: i64 = DAY_MS;

/// The risk grade of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(in crate::starlevel) struct RiskDay {
    /// The estate was graded and its event handed to the flow.
    pub(super) computed: bool,
}

impl RiskDay {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Charging sessions that ended on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(in crate::starlevel) struct ChargeDay {
    /// All.
    pub(super) finished: u32,
    /// Of those, with begin, end, energy and stop reason.
    pub(super) complete: u32,
}

impl ChargeDay {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Natural days of the window with a risk grade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::starlevel) struct RiskDays {
    /// Whole days of the window since the first evidence.
    pub(in crate::starlevel) days: u32,
    /// Of those, graded.
    pub(in crate::starlevel) computed: u32,
    /// Days whose event the platform acknowledged.
    pub(in crate::starlevel) sent: u32,
}

/// Charging sessions that ended in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::starlevel) struct ChargeSums {
    /// All.
    pub(in crate::starlevel) finished: u64,
    /// Of those, with begin, end, energy and stop reason.
    pub(in crate::starlevel) complete: u64,
    /// Of the complete ones, at the platform within 24 hours.
    pub(in crate::starlevel) delivered: u64,
}

impl Book {
    /// The natural day of a wall time, and when it began.
    pub(in crate::starlevel) fn day_at(&self, unix_ms: i64) -> (u32, i64) {
        let day = self.zone.day(unix_ms);
        (day, self.zone.begin(day))
    }

    /// When the first evidence was booked, milliseconds since 1970.
    pub(in crate::starlevel) fn first_ms(&self) -> Option<i64> {
        self.kept.since
    }

    /// Until when everything is booked, milliseconds since 1970.
    pub(in crate::starlevel) fn frontier_ms(&self) -> Option<i64> {
        self.kept.frontier
    }

    /// Books that the day was graded; `false` when it was before, or takes nothing any more.
    pub(in crate::starlevel) fn book_risk(&mut self, day: u32) -> bool {
        let Some(row) = self.begun_row(day) else { return false };
        !std::mem::replace(&mut row.gateway.risk.computed, true)
    }

    /// Books a charging session that ended at this time. Saved at once, as its end is: a crash must
    /// not take an incomplete one out of the count.
    pub(in crate::starlevel) fn book_charge(&mut self, unix_ms: i64, complete: bool) {
        self.facts.hasty = true;
        let day = self.open_day(unix_ms);
        if let Some(row) = self.begun_row(day) {
            row.gateway.charge.finished += 1;
            row.gateway.charge.complete += u32::from(complete);
        }
    }

    /// The row of a day that is not closed, once there is a history.
    fn begun_row(&mut self, day: u32) -> Option<&mut Day> {
        self.kept.frontier?;
        self.open_row(day)
    }

    /// The whole days of the window with a risk grade; `None` before a day ended.
    pub(in crate::starlevel) fn risk_days(&self) -> Option<RiskDays> {
        let since = self.kept.since?;
        let first = self.whole_from(since);
        let today = self.zone.day(self.end());
        let days = today.checked_sub(first).filter(|days| *days > 0)?;
        let graded = self.days.range(first..today).filter(|(_, row)| row.gateway.risk.computed);
        let computed = u32::try_from(graded.count()).unwrap_or(u32::MAX);
        Some(RiskDays { days, computed, sent: self.risk_grade_days() })
    }

    /// The charging sessions that ended in the window.
    pub(in crate::starlevel) fn charges(&self) -> ChargeSums {
        let rows = self.days.range(self.first_day()..).map(|(_, row)| row.gateway.charge);
        let (finished, complete) = rows.fold((0, 0), |(finished, complete), day| {
            (finished + u64::from(day.finished), complete + u64::from(day.complete))
        });
        ChargeSums { finished, complete, delivered: self.charge_orders().good }
    }

    /// Readings of the present natural day, and how many of them are valid.
    pub(in crate::starlevel) fn readings_today(&self, device: DeviceIndex) -> (u64, u64) {
        let today = self.kept.frontier.map(|frontier| self.zone.day(frontier));
        let row = today.and_then(|day| self.days.get(&day)?.devices.get(device.slot()));
        row.map_or((0, 0), |row| (row.readings, row.valid.min(row.readings)))
    }

    /// Online share of the last days by the definition of `star` (1..=5); `None` with less than
    /// a day of history and for devices that no star asks for.
    pub(in crate::starlevel) fn rate_lately(
        &self,
        device: DeviceIndex,
        star: u8,
        days: u32,
    ) -> Option<f64> {
        self.limits[device.slot()]?;
        let level = usize::from(star).checked_sub(1)?;
        let end = self.end();
        let first = self.zone.day(end).saturating_sub(days);
        let begin = self.known[device.slot()].since?.max(self.zone.begin(first));
        let whole = u64::try_from(end.checked_sub(begin).filter(|ms| *ms >= LEAST_MS)?).ok()?;
        let rows = self.days.range(first..);
        let online: u64 = rows.map(|(_, row)| row.devices[device.slot()].online_ms[level]).sum();
        #[expect(clippy::cast_precision_loss, reason = "days of milliseconds fit 53 bits")]
        Some((online as f64 / whole as f64).min(1.0))
    }
}
