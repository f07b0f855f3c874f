//! The verdict on each check that the snapshot and the uplink can answer.

use std::time::Duration;

use super::assessment::{Bilingual, Outcome};
use super::engine::LinkEvidence;
use super::pack::{CategorySet, Check, Direction, Measure};
use crate::model::{Category, Moment};

/// An acknowledgement proves the link for this long (check P1).
const ACK_PROVES: Duration = Duration::from_secs(86_400);

/// What one assessment knows about one star.
pub(super) struct Level {
    pub(super) star: u8,
    /// Mean online rate per category that has devices, applicable ones only.
    pub(super) rates: Vec<(Category, f64)>,
    /// Categories of which nothing was expected in the whole window: heat outside its season.
    pub(super) dormant: Vec<Category>,
    /// Categories whose rate reaches the threshold of Q1 at this star, and the dormant ones.
    pub(super) covered: Vec<Category>,
}

pub(super) struct Judged {
    pub(super) outcome: Outcome,
    pub(super) measured: Option<Measure>,
    pub(super) needed: Measure,
    pub(super) reason: Option<Bilingual>,
}

impl Level {
    pub(super) fn rate(&self, category: Category) -> Option<f64> {
        self.rates.iter().find(|(c, _)| *c == category).map(|(_, rate)| round4(*rate))
    }
}

pub(super) fn unknown(needed: Measure, reason: Bilingual) -> Judged {
    Judged { outcome: Outcome::Unknown, measured: None, needed, reason: Some(reason) }
}

pub(super) fn judge_link(link: &LinkEvidence, now: Moment) -> Judged {
    let acknowledged = link.acknowledged_at.is_some_and(|at| now.since(at) <= ACK_PROVES);
    let holds = link.authenticated && acknowledged;
    let reason = if link.acknowledged_at.is_none() {
        Some(Bilingual::new("平台尚未确认过数据", "the platform has acknowledged nothing yet"))
    } else if !acknowledged {
        Some(Bilingual::new("24 小时内无平台确认", "no acknowledgement within 24 h"))
    } else if !link.authenticated {
        Some(Bilingual::new("上行会话未经认证", "the uplink session is not authenticated"))
    } else if !link.connected {
        Some(Bilingual::new(
            "目前未连接，24 小时内有确认",
            "not connected now, acknowledged within 24 h",
        ))
    } else {
        None
    };
    Judged {
        outcome: if holds { Outcome::Met } else { Outcome::NotMet },
        measured: Some(Measure::Flag(holds)),
        needed: Measure::Flag(true),
        reason,
    }
}

pub(super) fn judge_coverage(needed: Measure, level: &Level, exempt: &[Category]) -> Judged {
    let Measure::Number(of_twelve) = needed else {
        return unknown(needed, Bilingual::new("规则错误", "the rule is wrong"));
    };
    let left_out = exempt.iter().filter(|category| **category != Category::Other).count();
    let applicable = 12u32.saturating_sub(u32::try_from(left_out).unwrap_or(12));
    let scaled = (of_twelve * f64::from(applicable) / 12.0).ceil();
    let covered = f64::from(u32::try_from(level.covered.len()).unwrap_or(u32::MAX));
    let weak: Vec<Category> = level
        .rates
        .iter()
        .map(|(category, _)| *category)
        .filter(|category| !level.covered.contains(category))
        .collect();
    let reason = (!weak.is_empty()).then(|| {
        let (zh, en) = names(&weak);
        Bilingual::new(
            format!("在线率不足而未计入：{zh}"),
            format!("not counted, too little online: {en}"),
        )
    });
    Judged {
        outcome: if covered >= scaled { Outcome::Met } else { Outcome::NotMet },
        measured: Some(Measure::Number(covered)),
        needed: Measure::Number(scaled),
        reason,
    }
}

pub(super) fn judge_set(set: Option<&CategorySet>, level: &Level, exempt: &[Category]) -> Judged {
    let needed = Measure::Flag(true);
    let Some(set) = set else {
        return unknown(needed, Bilingual::new("规则未列类别", "the rules name no set"));
    };
    let covered = |category: &Category| level.covered.contains(category);
    let applies = |category: &Category| !exempt.contains(category);
    let lacking: Vec<Category> =
        set.all_of.iter().copied().filter(|c| applies(c) && !covered(c)).collect();
    let mut zh = Vec::new();
    let mut en = Vec::new();
    if !lacking.is_empty() {
        let (lacking_zh, lacking_en) = names(&lacking);
        zh.push(lacking_zh);
        en.push(lacking_en);
    }
    for list in &set.any_of {
        let open: Vec<Category> = list.iter().copied().filter(applies).collect();
        if !open.is_empty() && !open.iter().any(covered) {
            let (list_zh, list_en) = names(&open);
            zh.push(format!("{list_zh}之一"));
            en.push(format!("one of {list_en}"));
        }
    }
    let holds = zh.is_empty();
    Judged {
        outcome: if holds { Outcome::Met } else { Outcome::NotMet },
        measured: Some(Measure::Flag(holds)),
        needed,
        reason: (!holds).then(|| {
            Bilingual::new(
                format!("尚缺：{}", zh.join("；")),
                format!("missing: {}", en.join("; ")),
            )
        }),
    }
}

pub(super) fn judge_rate(check: &Check, needed: Measure, level: &Level) -> Judged {
    let Measure::Number(least) = needed else {
        return unknown(needed, Bilingual::new("规则错误", "the rule is wrong"));
    };
    if level.rates.is_empty() {
        let reason = Bilingual::new("未配置十二类设备", "no device of the twelve categories");
        return unknown(needed, reason);
    }
    let count = f64::from(u32::try_from(level.rates.len()).unwrap_or(u32::MAX));
    let mean = level.rates.iter().map(|(_, rate)| rate).sum::<f64>() / count;
    let good = match check.dir {
        Direction::Le => mean <= least,
        Direction::Ge | Direction::True => mean >= least,
    };
    Judged {
        outcome: if good { Outcome::Met } else { Outcome::NotMet },
        measured: Some(Measure::Number(round4(mean))),
        needed,
        reason: None,
    }
}

/// How bad it is, for the order of what is missing: what failed comes before what is unknown.
pub(super) fn shortfall(judged: &Judged) -> f64 {
    match (judged.outcome, judged.measured, judged.needed) {
        (Outcome::NotMet, Some(Measure::Number(has)), Measure::Number(needs)) if needs != 0.0 => {
            1.0 + ((needs - has) / needs).abs().min(1.0)
        }
        (Outcome::NotMet, ..) => 2.0,
        _ => 0.0,
    }
}

pub(super) fn names(categories: &[Category]) -> (String, String) {
    let zh: Vec<&str> = categories.iter().map(|category| category.zh()).collect();
    let en: Vec<String> = categories.iter().map(|category| category.en().to_lowercase()).collect();
    (zh.join("、"), en.join(", "))
}

/// Four digits: what people read, and what keeps the published document small. Judged before.
/// Rounded down, so that a shown value never claims more than was measured.
pub(super) fn round4(share: f64) -> f64 {
    (share * 10_000.0 + 1e-9).floor() / 10_000.0
}

/// A part of a whole, 0 to 1; `None` of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts and milliseconds of a month fit 53 bits")]
pub(super) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
