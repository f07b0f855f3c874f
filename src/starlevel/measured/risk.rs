//! R1: the share of natural days on which the estate's risk grade was computed and sent.

use super::{NO_DAY, NOTHING_YET, number};
use crate::starlevel::assessment::Bilingual;
use crate::starlevel::engine::Engine;
use crate::starlevel::pack::{Check, Measure};
use crate::starlevel::verdict::{Judged, share};

impl Engine {
    /// A day counts when it was graded and the platform acknowledged the grade.
    pub(in crate::starlevel) fn risk_days(&self, check: &Check, needed: Measure) -> Judged {
        let Some(days) = self.book.risk_days() else {
            return number(check, needed, None, None, NO_DAY);
        };
        let (all, computed, sent) = (days.days, days.computed, days.sent);
        let measured = share(u64::from(sent.min(computed)), u64::from(all));
        let reason = Bilingual::new(
            format!("{all} 个自然日中评级 {computed} 日，平台已收 {sent} 日"),
            format!("of {all} natural days {computed} were graded, the platform has {sent}"),
        );
        number(check, needed, measured, Some(reason), NOTHING_YET)
    }
}
