//! V2: the share of finished charging sessions whose order is complete and delivered in 24 hours.

use super::{number, share};
use crate::starlevel::assessment::{Bilingual, Outcome};
use crate::starlevel::engine::Engine;
use crate::starlevel::pack::{Check, Measure};
use crate::starlevel::verdict::{Judged, unknown};

impl Engine {
    /// Without a session there is no evidence: the check stays unknown. Incomplete orders fail it
    /// also while nothing tells what the platform has.
    pub(in crate::starlevel) fn charge_orders(&self, check: &Check, needed: Measure) -> Judged {
        if !self.effects.charging.has_connectors() {
            let reason = Bilingual::new(
                "没有能读到充电枪状态的充电桩",
                "no charger shows the state of a connector",
            );
            return unknown(needed, reason);
        }
        let sums = self.book.charges();
        let (finished, complete) = (sums.finished, sums.complete);
        if finished == 0 {
            let reason = Bilingual::new(
                "窗口内没有结束的充电订单，无从评价",
                "no charging session ended in the window: there is nothing to judge",
            );
            return unknown(needed, reason);
        }
        let counted = sums.delivered.unwrap_or(complete).min(complete);
        let said = Bilingual::new(
            format!("结束的充电 {finished} 次，要素齐全 {complete} 次（起、止、电量、结束原因）"),
            format!(
                "sessions that ended: {finished}; with begin, end, energy and stop reason: \
                 {complete}"
            ),
        );
        let measured = share(counted, finished);
        let judged = number(check, needed, measured, Some(said.clone()), "");
        if sums.delivered.is_some() || judged.outcome == Outcome::NotMet {
            return judged;
        }
        unknown(
            needed,
            Bilingual::new(
                format!("{}；是否在 24 小时内送达尚无证据：需要平台对订单的确认", said.zh),
                format!(
                    "{}; whether they arrived within 24 h is not known: needs the platform's \
                     acknowledgement of the orders",
                    said.en
                ),
            ),
        )
    }
}
