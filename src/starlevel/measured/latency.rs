//! The verdict on how long things took, and on what an outage left.

use super::{NOTHING_YET, number, unfed};
use crate::model::{Category, DeviceIndex};
use crate::starlevel::assessment::{Bilingual, Outcome};
use crate::starlevel::engine::{Engine, Sight};
use crate::starlevel::evidence::{Backfill, Percentile};
use crate::starlevel::metric::Metric;
use crate::starlevel::pack::{Check, Measure};
use crate::starlevel::verdict::{Judged, share, unknown};

impl Engine {
    /// Q5, A1, V1, S1, E3, T1: a percentile against a limit.
    pub(super) fn judge_latency(&self, check: &Check, needed: Measure) -> Judged {
        let book = &self.book;
        let found = match check.metric {
            Metric::TelemetryLatency => book.telemetry_latency(),
            Metric::AlarmLatency => book.alarm_latency(),
            Metric::ConnectorPush => book.connector_latency(),
            Metric::ScreenPublish => book.screen_latency(),
            Metric::EnvironmentLag => book.environment_lag(),
            _ => book.clock_offset(),
        };
        let mut judged = percentile(check, needed, found);
        if check.metric == Metric::TelemetryLatency
            && let (Some(reason), Backfill::Records(outage)) = (&mut judged.reason, book.backfill())
        {
            let all = outage.all;
            reason.zh.push_str(&format!("；断网期间的 {all} 条记录另计于断点续传"));
            reason.en.push_str(&format!("; {all} records of outages are counted by the backfill"));
        }
        judged
    }

    /// Q6. Without an outage there was nothing to lose; that is believed only when the link was
    /// seen up through (nearly) all of the window.
    pub(super) fn judge_backfill(&self, check: &Check, needed: Measure) -> Judged {
        match self.book.backfill() {
            Backfill::Records(records) => {
                let reason = Bilingual::new(
                    format!(
                        "断网期间 {} 条记录，恢复后 24 小时内送达 {} 条",
                        records.all, records.good
                    ),
                    format!(
                        "of {} records of outages {} arrived within 24 h of the link's recovery",
                        records.all, records.good
                    ),
                );
                number(check, needed, share(records.good, records.all), Some(reason), NOTHING_YET)
            }
            Backfill::NoOutage => {
                let reason = Bilingual::new(
                    "窗口期内无断网期间的记录，无可丢失",
                    "no record was created in an outage: nothing to lose",
                );
                number(check, needed, Some(1.0), Some(reason), NOTHING_YET)
            }
            Backfill::Unknown => unknown(
                needed,
                Bilingual::new(
                    "窗口期内链路并非始终可用，又尚无断网期间的记录送达",
                    "the link was not up all the time, and no record of an outage is decided yet",
                ),
            ),
        }
    }

    /// T2: meters whose clock was read in the window.
    pub(super) fn judge_meter_clocks(
        &self,
        check: &Check,
        needed: Measure,
        sight: &Sight<'_>,
    ) -> Judged {
        let meters = self.estate.indexed().filter(|(_, device)| {
            device.category != Category::Other
                && self.pack.is_meter(device.category)
                && !sight.exempt.contains(&device.category)
        });
        let clocks = self.book.meter_clocks(meters.map(|(index, _): (DeviceIndex, _)| index));
        if clocks.all == 0 {
            return unfed(check, needed);
        }
        let reason = Bilingual::new(
            format!("{} 只可读时钟的表计，{} 只偏差不超过 300 秒", clocks.all, clocks.good),
            format!(
                "of {} meters with a readable clock {} are off by at most 300 s",
                clocks.all, clocks.good
            ),
        );
        number(check, needed, share(clocks.good, clocks.all), Some(reason), NOTHING_YET)
    }
}

/// A percentile against a limit, which is one of the limits of its buckets.
pub(super) fn percentile(check: &Check, needed: Measure, found: Option<Percentile>) -> Judged {
    let Some(Percentile { at_most_s, count }) = found else { return unfed(check, needed) };
    let percent = if check.metric == Metric::ClockOffset { 99 } else { 95 };
    let Some(at_most) = at_most_s else {
        let reason = Bilingual::new(
            format!("{count} 次计数，第 {percent} 百分位超过 24 小时（含未送达）"),
            format!("of {count}, the {percent}th percentile is above 24 h or never"),
        );
        return Judged { outcome: Outcome::NotMet, measured: None, needed, reason: Some(reason) };
    };
    let reason = Bilingual::new(
        format!("{count} 次计数的第 {percent} 百分位，取所在档的上限"),
        format!("{percent}th percentile of {count}, as the upper limit of its bucket"),
    );
    number(check, needed, Some(at_most), Some(reason), NOTHING_YET)
}
