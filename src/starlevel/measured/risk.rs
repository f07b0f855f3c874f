//! R1: the share of natural days on which the estate's risk grade was computed and sent.

use super::{number, share};
use crate::starlevel::assessment::{Bilingual, Outcome};
use crate::starlevel::engine::Engine;
use crate::starlevel::metric::Metric;
use crate::starlevel::pack::{Check, Measure};
use crate::starlevel::verdict::{Judged, unknown};

impl Engine {
    /// Days that were not graded were not sent either: too few of them fail the check also while
    /// nothing tells what the platform has.
    pub(in crate::starlevel) fn risk_days(&self, check: &Check, needed: Measure) -> Judged {
        let Some(days) = self.book.risk_days() else {
            return number(check, needed, None, None, "no whole day has ended yet");
        };
        let (all, computed) = (days.days, days.computed);
        let counted = days.sent.unwrap_or(computed);
        let measured = share(u64::from(counted.min(computed)), u64::from(all));
        let reason = match days.sent {
            Some(sent) => Bilingual::new(
                format!("{all} 个自然日中评级 {computed} 日，平台已收 {sent} 日"),
                format!("of {all} natural days {computed} were graded, the platform has {sent}"),
            ),
            None => Bilingual::new(
                format!("{all} 个自然日中评级 {computed} 日"),
                format!("{computed} of {all} natural days were graded"),
            ),
        };
        let judged = number(check, needed, measured, Some(reason), "");
        if days.sent.is_some() || judged.outcome == Outcome::NotMet {
            return judged;
        }
        let (zh, en) = Metric::RiskGrade.feeder();
        unknown(
            needed,
            Bilingual::new(
                format!("{all} 个自然日中评级 {computed} 日；是否送达尚无证据：需要{zh}的平台确认"),
                format!(
                    "{computed} of {all} natural days were graded; whether they arrived is not \
                     known: needs the platform's acknowledgement of {en}"
                ),
            ),
        )
    }
}
