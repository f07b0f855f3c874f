//! G2: the gateway's security self-test.

use super::unfed;
use crate::starlevel::assessment::{Bilingual, Outcome};
use crate::starlevel::engine::Engine;
use crate::starlevel::pack::{Check, Measure};
use crate::starlevel::verdict::Judged;

impl Engine {
    /// One item that fails fails the check; one that nobody could test leaves it unknown.
    pub(in crate::starlevel) fn security(&self, check: &Check, needed: Measure) -> Judged {
        let items = self.self_test_items();
        if items.is_empty() {
            return unfed(check, needed);
        }
        let of = |outcome: Outcome| items.iter().filter(move |item| item.outcome == outcome);
        let names = |outcome: Outcome, zh: &str, en: &str| {
            let (all_zh, all_en): (Vec<&str>, Vec<&str>) =
                of(outcome).map(|item| (item.title.zh.as_str(), item.title.en.as_str())).unzip();
            let there = !all_zh.is_empty();
            there.then(|| {
                (format!("{zh}：{}", all_zh.join("、")), format!("{en}: {}", all_en.join(", ")))
            })
        };
        let parts = [
            names(Outcome::NotMet, "不合格", "failed"),
            names(Outcome::Unknown, "未能测试", "not testable"),
        ];
        let (zh, en): (Vec<String>, Vec<String>) = parts.into_iter().flatten().unzip();
        let reason = (!zh.is_empty()).then(|| Bilingual::new(zh.join("；"), en.join("; ")));
        let outcome = match (of(Outcome::NotMet).count(), of(Outcome::Unknown).count()) {
            (0, 0) => Outcome::Met,
            (0, _) => Outcome::Unknown,
            _ => Outcome::NotMet,
        };
        let measured = (outcome != Outcome::Unknown).then(|| Measure::Flag(outcome.passes()));
        Judged { outcome, measured, needed, reason }
    }
}
