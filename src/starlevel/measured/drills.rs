//! The verdict on alarms and broadcasts: what people and terminals did in time.

use super::latency::percentile;
use super::{NOTHING_YET, number, unfed};
use crate::model::BroadcastProof;
use crate::starlevel::assessment::{Bilingual, Outcome};
use crate::starlevel::engine::Engine;
use crate::starlevel::evidence::Tally;
use crate::starlevel::metric::Metric;
use crate::starlevel::pack::{Check, Measure};
use crate::starlevel::verdict::{Judged, share};

impl Engine {
    /// A2, A3, A4.
    pub(super) fn judge_alarms(&self, check: &Check, needed: Measure) -> Judged {
        let alarms = self.book.alarms();
        let tally = match check.metric {
            Metric::AlarmAcknowledged => alarms.acknowledged,
            Metric::AlarmClosed => alarms.closed,
            _ => alarms.escalated,
        };
        let escalation = check.metric == Metric::AlarmEscalated;
        if escalation && tally.all == 0 && alarms.acknowledged.all > 0 && alarms.closed.all > 0 {
            let reason = Bilingual::new(
                format!("{} 起告警均未超时，无需上传", alarms.closed.all),
                format!("none of {} alarms was overdue: nothing to escalate", alarms.closed.all),
            );
            return number(check, needed, Some(1.0), Some(reason), NOTHING_YET);
        }
        counted(check, needed, tally, ("起告警", "起"), "alarms")
    }

    /// B1 to B5, over the window of the check.
    pub(super) fn judge_broadcasts(&self, check: &Check, needed: Measure) -> Judged {
        let days = check.window_days.unwrap_or(self.pack.evaluation().window_days);
        let year = self.book.broadcasts(days);
        if year.is_empty() {
            return unfed(check, needed);
        }
        match check.metric {
            Metric::BroadcastDrills => {
                let held = u32::try_from(year.held.good).unwrap_or(u32::MAX);
                let (all, drills) = (year.held.all, year.drills);
                let reason = Bilingual::new(
                    format!("{days} 天内播发 {all} 次（演练 {drills} 次），有回执 {held} 次"),
                    format!("{all} broadcasts in {days} d ({drills} drills), {held} with receipts"),
                );
                number(check, needed, Some(f64::from(held)), Some(reason), NOTHING_YET)
            }
            Metric::BroadcastStart => percentile(check, needed, year.start()),
            Metric::BroadcastAck => {
                counted(check, needed, year.terminals, ("个终端", "个"), "terminals")
            }
            Metric::BroadcastReceipt => {
                counted(check, needed, year.returned, ("次播发", "次"), "broadcasts")
            }
            _ => {
                let lacking = year.lacking();
                let words = |pick: fn(BroadcastProof) -> &'static str, between: &str| {
                    lacking.iter().map(|proof| pick(*proof)).collect::<Vec<_>>().join(between)
                };
                let reason = (!lacking.is_empty()).then(|| {
                    Bilingual::new(
                        format!("尚未演示：{}", words(zh, "、")),
                        format!("not shown yet: {}", words(en, ", ")),
                    )
                });
                let shown = lacking.is_empty();
                Judged {
                    outcome: if shown { Outcome::Met } else { Outcome::NotMet },
                    measured: Some(Measure::Flag(shown)),
                    needed,
                    reason,
                }
            }
        }
    }
}

/// A share of a count; nothing counted is nothing fed.
fn counted(
    check: &Check,
    needed: Measure,
    tally: Tally,
    (what_zh, unit_zh): (&str, &str),
    what_en: &str,
) -> Judged {
    if tally.all == 0 {
        return unfed(check, needed);
    }
    let Tally { all, good } = tally;
    let reason = Bilingual::new(
        format!("{all} {what_zh}中 {good} {unit_zh}合格"),
        format!("{good} of {all} {what_en} are good"),
    );
    number(check, needed, share(good, all), Some(reason), NOTHING_YET)
}

fn zh(proof: BroadcastProof) -> &'static str {
    match proof {
        BroadcastProof::PreEmption => "高级别抢占低级别",
        BroadcastProof::RefusedUnsigned => "拒收未签名消息",
        BroadcastProof::RefusedExpired => "拒收过期消息",
        BroadcastProof::RefusedArea => "拒收非本区域消息",
    }
}

fn en(proof: BroadcastProof) -> &'static str {
    match proof {
        BroadcastProof::PreEmption => "a higher level pre-empts a lower one",
        BroadcastProof::RefusedUnsigned => "an unsigned message is refused",
        BroadcastProof::RefusedExpired => "an expired message is refused",
        BroadcastProof::RefusedArea => "a message for another area is refused",
    }
}
