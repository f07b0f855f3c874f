//! V2: the share of finished charging sessions whose order is complete and delivered in 24 hours.

use super::{NOTHING_YET, number};
use crate::starlevel::assessment::Bilingual;
use crate::starlevel::engine::Engine;
use crate::starlevel::pack::{Check, Measure};
use crate::starlevel::verdict::{Judged, share, unknown};

impl Engine {
    /// Without a session there is no evidence: the check stays unknown.
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
        let delivered = sums.delivered.min(complete);
        let reason = Bilingual::new(
            format!(
                "结束的充电 {finished} 次，要素齐全 {complete} 次（起、止、电量、结束原因），其中 24 小时内\
                 送达 {delivered} 次"
            ),
            format!(
                "sessions that ended: {finished}; with begin, end, energy and stop reason: \
                 {complete}; of these at the platform within 24 h: {delivered}"
            ),
        );
        number(check, needed, share(delivered, finished), Some(reason), NOTHING_YET)
    }
}
