//! What the facts of the window amount to.

use super::alarms::AlarmsDay;
use super::facts::FactsDay;
use super::histogram::Histogram;
use super::{Book, Percentile, Tally};
use crate::model::DeviceIndex;

/// A meter's clock may be off by so many seconds, either way (check T2).
pub const METER_CLOCK_S: u64 = 300;
/// The link must have been seen up for this share of the window before "no record was created in
/// an outage" is believed (check Q6).
const WATCHED: f64 = 0.999;

/// What becomes of the records of outages.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::starlevel) enum Backfill {
    /// Records of outages, and those that arrived in time.
    Records(Tally),
    /// There were none, in a window through which the link was up.
    NoOutage,
    /// There were none, but the link was not seen up all the time.
    Unknown,
}

impl Book {
    fn facts_days(&self) -> impl Iterator<Item = &FactsDay> {
        self.days.range(self.first_day()..).map(|(_, row)| &row.gateway.facts)
    }

    fn percentile(&self, of: impl Fn(&FactsDay) -> &Histogram, percent: u8) -> Option<Percentile> {
        let mut sum = Histogram::default();
        self.facts_days().for_each(|day| sum.merge(of(day)));
        sum.percentile(percent)
    }

    fn tally(&self, of: impl Fn(&FactsDay) -> Tally) -> Tally {
        let mut sum = Tally::default();
        self.facts_days().for_each(|day| sum.merge(of(day)));
        sum
    }

    /// Age of readings at the platform's acknowledgement, 95th percentile, outages left out (Q5).
    pub(in crate::starlevel) fn telemetry_latency(&self) -> Option<Percentile> {
        self.percentile(|day| &day.telemetry, 95)
    }

    /// Age of events, 95th percentile (A1).
    pub(in crate::starlevel) fn alarm_latency(&self) -> Option<Percentile> {
        self.percentile(|day| &day.events, 95)
    }

    /// Age of connector status changes, 95th percentile (V1).
    pub(in crate::starlevel) fn connector_latency(&self) -> Option<Percentile> {
        self.percentile(|day| &day.connectors, 95)
    }

    /// Lag of hourly values of the environment, 95th percentile (E3).
    pub(in crate::starlevel) fn environment_lag(&self) -> Option<Percentile> {
        self.percentile(|day| &day.hours, 95)
    }

    /// From publishing to a screen to its showing, 95th percentile (S1).
    pub(in crate::starlevel) fn screen_latency(&self) -> Option<Percentile> {
        self.percentile(|day| &day.screens, 95)
    }

    /// Offset of the gateway's clock, either way, 99th percentile (T1).
    pub(in crate::starlevel) fn clock_offset(&self) -> Option<Percentile> {
        self.percentile(|day| &day.clock, 99)
    }

    /// Records of outages (Q6).
    pub(in crate::starlevel) fn backfill(&self) -> Backfill {
        let records = self.tally(|day| day.outage);
        if records.all > 0 {
            Backfill::Records(records)
        } else if self.link().is_some_and(|up| up >= WATCHED) {
            Backfill::NoOutage
        } else {
            Backfill::Unknown
        }
    }

    /// Charging orders, and those that arrived complete within 24 h (V2).
    pub(in crate::starlevel) fn charge_orders(&self) -> Tally {
        self.tally(|day| day.orders)
    }

    /// Whole days of the window whose risk grade reached the platform (R1).
    pub(super) fn risk_grade_days(&self) -> u32 {
        let Some(since) = self.kept.since else { return 0 };
        let whole = self.whole_from(since)..self.zone.day(self.end());
        let mut days: Vec<u32> = self.facts_days().flat_map(|day| &day.grades).copied().collect();
        days.retain(|day| whole.contains(day));
        days.sort_unstable();
        days.dedup();
        u32::try_from(days.len()).unwrap_or(u32::MAX)
    }

    /// The alarms that were decided in the window (A2, A3, A4).
    pub(in crate::starlevel) fn alarms(&self) -> AlarmsDay {
        let mut sum = AlarmsDay::default();
        self.facts_days().for_each(|day| sum.merge(&day.alarms));
        sum
    }

    /// Of the given devices those whose clock was read in the window, and those of them whose
    /// clock was right when it was last read (T2).
    pub(in crate::starlevel) fn meter_clocks(
        &self,
        meters: impl Iterator<Item = DeviceIndex>,
    ) -> Tally {
        let mut sum = Tally::default();
        let begin = self.begin_of_window();
        for index in meters {
            if let Some((at, offset_s)) = self.facts.clocks[index.slot()]
                && at >= begin
            {
                sum.add(1, offset_s.unsigned_abs() <= METER_CLOCK_S);
            }
        }
        sum
    }
}
