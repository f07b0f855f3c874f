//! What an assessment of the gateway says about an item. What is unknown, provisional or judged for
//! another kind of estate gives no points.

use super::card::{GatewayRole, Proof};
use super::table::Variant;
use crate::model::Words;
use crate::starlevel::{
    Assessment, Bilingual, CheckResult, Direction, LevelResult, Measure, Outcome,
};

/// What an assessment says about an item.
pub(super) struct Finding {
    /// Everything asked for is met.
    pub met: bool,
    /// In words.
    pub lines: Vec<Bilingual>,
}

/// Whether an assessment was made for a kind of estate.
///
/// # Errors
/// What does not fit.
pub fn fitting(assessment: &Assessment, variant: Option<Variant>) -> Result<(), Words> {
    match variant {
        Some(variant) if variant.estate() != assessment.kind => Err((
            format!(
                "the assessment is of an estate of the kind \"{}\", the scorecard of the variant \"{}\", allowed is \"{}\"",
                assessment.kind.word(),
                variant.word(),
                variant.estate().word()
            ),
            format!(
                "自评结果的小区类型为 \"{}\"，评分表的类型为 \"{}\"，应为 \"{}\"",
                assessment.kind.word(),
                variant.word(),
                variant.estate().word()
            ),
        )
            .into()),
        _ => Ok(()),
    }
}

/// Looks up in an assessment what an item asks for, at the star `target`.
pub(super) fn look(proof: &Proof, target: u8, assessment: &Assessment) -> Finding {
    let mut met = true;
    let mut lines = Vec::new();
    if proof.own_star {
        met &= assessment.star >= target;
        let (star, pack) = (assessment.star, &assessment.pack);
        lines.push(Bilingual::new(
            format!(
                "智慧小区自评 {star} 星，目标 {target} 星（规则包 {} {}）",
                pack.id, pack.version
            ),
            format!(
                "smart-area star by self-assessment {star}, target {target} (rule pack {} {})",
                pack.id, pack.version
            ),
        ));
    }
    for id in &proof.checks {
        let found = assessment.check(id).and_then(|check| Some((check, at(check, target)?)));
        met &= found.is_some_and(|(_, level)| level.outcome == Outcome::Met);
        lines.push(match found {
            Some((check, level)) => check_line(check, level),
            None => Bilingual::new(
                format!("{id}：自评结果中没有此项"),
                format!("{id}: not in the assessment"),
            ),
        });
    }
    for category in &proof.categories {
        let found = assessment.categories.iter().find(|row| row.category == *category);
        let devices = found.map_or(0, |row| row.devices);
        let rate =
            found.and_then(|row| row.online_rate).map(|rate| format!("{:.1} %", rate * 100.0));
        let (zh, en) = match rate {
            Some(rate) => (format!("，在线率 {rate}"), format!(", online rate {rate}")),
            None => ("，在线率未知".to_owned(), ", online rate unknown".to_owned()),
        };
        lines.push(Bilingual::new(
            format!("{}：{devices} 台{zh}", category.zh()),
            format!("{}: {devices} devices{en}", category.en()),
        ));
    }
    if assessment.provisional {
        met = false;
        lines.push(match proof.gateway {
            GatewayRole::Measured => Bilingual::new(
                "自评结果为暂定（历史不足），不计分",
                "the assessment is provisional (too little history) and gives no points",
            ),
            GatewayRole::Evidence => Bilingual::new(
                "自评结果为暂定（历史不足）",
                "the assessment is provisional (too little history)",
            ),
        });
    }
    Finding { met, lines }
}

/// What a check gave at a star; at the nearest star below when that one does not ask for it.
fn at(check: &CheckResult, star: u8) -> Option<&LevelResult> {
    let levels = check.levels.iter().filter(|level| level.star <= star);
    levels.max_by_key(|level| level.star)
}

fn check_line(check: &CheckResult, level: &LevelResult) -> Bilingual {
    let (zh, en) = match level.outcome {
        Outcome::Met => ("达标", "met"),
        Outcome::NotMet => ("未达标", "not met"),
        Outcome::Unknown => ("证据不足", "unknown"),
        Outcome::NotApplicable => ("不适用", "not applicable"),
    };
    let (star, (of_zh, of_en)) = (level.star, figures(check, level));
    Bilingual::new(
        format!("{} {}：{zh}（智慧小区 {star} 星要求{of_zh}）", check.id, check.title.zh),
        format!("{} {}: {en} (as {star} smart-area stars need{of_en})", check.id, check.title.en),
    )
}

/// What a star needs and what was measured, when these are numbers.
fn figures(check: &CheckResult, level: &LevelResult) -> (String, String) {
    let Measure::Number(needed) = level.needed else { return Default::default() };
    let sign = if check.dir == Direction::Le { "≤" } else { "≥" };
    let unit = check.unit.as_deref();
    let needed = short(needed, unit);
    match level.measured {
        Some(Measure::Number(measured)) => {
            let measured = short(measured, unit);
            (
                format!(" {sign} {needed}，实测 {measured}"),
                format!(" {sign} {needed}, measured {measured}"),
            )
        }
        _ => (format!(" {sign} {needed}"), format!(" {sign} {needed}")),
    }
}

/// A number with its unit; a share as percent with at most two decimals, others with four.
fn short(number: f64, unit: Option<&str>) -> String {
    let rounded = (number * 10_000.0).round();
    match unit {
        Some("share") => format!("{} %", rounded / 100.0),
        Some(unit) if !["count", "rank"].contains(&unit) => {
            format!("{} {unit}", rounded / 10_000.0)
        }
        _ => format!("{}", rounded / 10_000.0),
    }
}
