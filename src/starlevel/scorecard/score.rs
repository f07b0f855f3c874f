//! From answers and an assessment to the score.

use super::answers::{Answer, Answers, Said};
use super::card::{Card, GatewayRole, Item, Proof, Remark};
use super::conversion::Percent;
use super::evidence::{Finding, look};
use super::points::Points;
use super::result::{
    AssessmentInfo, Claim, DeductionResult, Inferred, ItemResult, NegativeResult, Part,
    SCORECARD_VERSION, Scorecard, Shortfall, Source,
};
use super::stars::RedPropertyStars;
use super::table::{Table, Variant};
use crate::starlevel::{Assessment, Bilingual};

/// Fills in a table. The variant is that of the answers.
pub fn score(
    table: Table,
    card: &Card,
    answers: &Answers,
    assessment: Option<&Assessment>,
) -> Scorecard {
    let target = target(card, answers.variant, assessment);
    let items: Vec<ItemResult> = card
        .items(answers.variant)
        .map(|item| fill(card, item, answers, assessment, target))
        .collect();
    let before: Points = items.iter().map(|item| item.points).sum();
    let deducted: Points = answers.deductions.iter().map(|deduction| deduction.points).sum();
    let bare = before - deducted;
    let total = bare.max(Points::ZERO);
    let variant = answers.variant;
    let names = card.variants.as_ref().zip(variant).map(|(all, variant)| all.of(variant));
    let head = &card.card;
    Scorecard {
        v: SCORECARD_VERSION,
        banner: Bilingual::new(
            "红色物业评价计分，依据所填答案，非官方评定；与智慧小区星级自评无关",
            "Red-property score by the answers given, not an official evaluation; apart from the smart-area stars",
        ),
        table,
        title: Bilingual::new(&head.title_zh, &head.title_en),
        source: head.source.clone(),
        table_name: head.table.clone(),
        clause: head.clause.clone(),
        table_sha256: card.sha256.clone(),
        variant,
        variant_name: names.map(|rule| Bilingual::new(&rule.zh, &rule.en)),
        subject: answers.subject.clone(),
        year: answers.year,
        by: answers.given.by.clone(),
        date: answers.given.date.clone(),
        total,
        of: Points::whole(head.declared_total),
        before_deductions: before,
        deducted,
        below_zero: (bare < Points::ZERO).then_some(bare),
        red_property: RedPropertyStars::of(card, total),
        blocks: parts(&items, |item| &item.block),
        evaluators: parts(&items, |item| &item.evaluator),
        inferred: inferred(&items),
        missing: missing(&items),
        unanswered: unanswered(&items),
        negative: negative(card, answers, assessment, target),
        conversions: answers.conversions.clone(),
        assessment: assessment.map(|a| info(a, target)),
        remarks: remarks(card, &items),
        items,
    }
}

/// The smart-area star that measured items and evidence are held against.
fn target(card: &Card, variant: Option<Variant>, assessment: Option<&Assessment>) -> u8 {
    let demanded = card.variants.as_ref().zip(variant).map(|(all, v)| all.of(v).smart_area_target);
    demanded.or_else(|| assessment.map(|a| a.target)).unwrap_or_default()
}

fn info(assessment: &Assessment, target: u8) -> AssessmentInfo {
    AssessmentInfo {
        gateway: assessment.gateway.clone(),
        at_ms: assessment.at_ms,
        smart_area_star: assessment.star,
        smart_area_target: target,
        provisional: assessment.provisional,
        pack: assessment.pack.clone(),
    }
}

fn fill(
    card: &Card,
    item: &Item,
    answers: &Answers,
    assessment: Option<&Assessment>,
    target: u8,
) -> ItemResult {
    let answer = answers.answers.get(&item.id);
    let finding = item.proof.as_ref().zip(assessment).map(|(p, a)| look(p, target, a));
    let role = item.proof.as_ref().map(|proof| proof.gateway);
    let (points, source) = match (role, &finding, answer) {
        (Some(GatewayRole::Measured), Some(finding), _) => {
            (if finding.met { item.most() } else { Points::ZERO }, Source::Measured)
        }
        (Some(GatewayRole::Measured), None, _) => (Points::ZERO, Source::NoAssessment),
        (_, _, Some(answer)) => (answer.points, Source::Answer),
        (_, _, None) => (Points::ZERO, Source::Unanswered),
    };
    ItemResult {
        id: item.id.clone(),
        block: card.named(&item.block),
        group: card.named(&item.group),
        text: Bilingual::new(&item.zh, &item.en),
        evaluator: card.named(&item.evaluator),
        kind: item.kind,
        points,
        of: item.most(),
        source,
        points_inferred: item.points_inferred,
        conversion_missing: item.conversion_missing(),
        notes: notes(item, answer, finding.as_ref()),
        answer: answer.map(claim),
        gateway: role,
        evidence: finding.map(|finding| finding.lines).unwrap_or_default(),
    }
}

fn claim(answer: &Answer) -> Claim {
    let (percent, conversion) = match &answer.said {
        Said::Met(_) | Said::Points => (None, None),
        Said::Rate(rate) => (Some(*rate), None),
        Said::Converted(rate, rule) => (Some(*rate), Some(rule.clone())),
    };
    Claim {
        points: answer.points,
        percent,
        conversion,
        by: answer.given.by.clone(),
        date: answer.given.date.clone(),
        note: answer.note.clone(),
    }
}

fn notes(item: &Item, answer: Option<&Answer>, finding: Option<&Finding>) -> Vec<Bilingual> {
    let mut notes = Vec::new();
    if let (Some(zh), Some(en)) = (&item.remark_zh, &item.remark_en) {
        notes.push(Bilingual::new(zh, en));
    }
    if let Some(proof) = &item.proof {
        notes.push(reach(proof));
        if proof.gateway == GatewayRole::Measured {
            notes.extend(overruled(item, answer, finding));
        }
    }
    if item.conversion_missing() {
        notes.push(match item.threshold_percent {
            Some(percent) => Bilingual::new(
                format!("标准只提到 {percent}%，未规定未达到时如何计分"),
                format!("the standard names {percent} % only; it does not say what less is worth"),
            ),
            None => Bilingual::new(
                "标准未规定如何换算为分值",
                "the standard does not say how this becomes points",
            ),
        });
    }
    notes.extend(short_of_threshold(item, answer));
    notes
}

/// What is said when a rate reaches the share that the text names and still gets less than all.
fn short_of_threshold(item: &Item, answer: Option<&Answer>) -> Option<Bilingual> {
    let (threshold, answer) = (item.threshold_percent?, answer?);
    let (Said::Rate(rate) | Said::Converted(rate, _)) = &answer.said else { return None };
    let short = *rate >= Percent::whole(threshold) && answer.points < item.most();
    short.then(|| {
        Bilingual::new(
            format!("所填比率 {rate} 已达到原文的 {threshold}%，计分却不满，请核对"),
            format!("the rate {rate} reaches the {threshold} % of the text, yet not all points are given: please check"),
        )
    })
}

/// What is said when a person answers an item that the gateway decides.
fn overruled(item: &Item, answer: Option<&Answer>, finding: Option<&Finding>) -> Option<Bilingual> {
    let claimed = answer?.points;
    let counted = match finding {
        Some(finding) if finding.met => item.most(),
        _ => Points::ZERO,
    };
    (claimed != counted).then(|| {
        Bilingual::new(
            format!("答案填 {claimed} 分；本项只按网关自评计分，计 {counted} 分"),
            format!("the answer claims {claimed}; the gateway's assessment alone decides: {counted} counted"),
        )
    })
}

fn negative(
    card: &Card,
    answers: &Answers,
    assessment: Option<&Assessment>,
    target: u8,
) -> Vec<NegativeResult> {
    let entries = card.negative.iter().map(|entry| {
        let declared = answers.deductions.iter().filter(|deduction| deduction.item == entry.id);
        let finding = entry.proof.as_ref().zip(assessment).map(|(p, a)| look(p, target, a));
        NegativeResult {
            id: entry.id.clone(),
            text: Bilingual::new(&entry.zh, &entry.en),
            rule: Bilingual::new(&entry.rule_zh, &entry.rule_en),
            evaluator: card.named(&entry.evaluator),
            deductions: declared
                .map(|deduction| DeductionResult {
                    points: deduction.points,
                    reason: deduction.reason.clone(),
                    by: deduction.given.by.clone(),
                    date: deduction.given.date.clone(),
                })
                .collect(),
            evidence: finding.map(|finding| finding.lines).unwrap_or_default(),
            notes: entry.proof.as_ref().map(reach).into_iter().collect(),
        }
    });
    entries.collect()
}

/// How far the gateway's evidence reaches.
fn reach(proof: &Proof) -> Bilingual {
    Bilingual::new(format!("佐证：{}", proof.zh), format!("evidence: {}", proof.en))
}

fn parts(items: &[ItemResult], name: impl Fn(&ItemResult) -> &Bilingual) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for item in items {
        let (points, of) = (item.points, item.of);
        match parts.iter_mut().find(|part| part.name == *name(item)) {
            Some(part) => (part.points, part.of) = (part.points + points, part.of + of),
            None => parts.push(Part { name: name(item).clone(), points, of }),
        }
    }
    parts
}

fn inferred(items: &[ItemResult]) -> Option<Inferred> {
    let items: Vec<&ItemResult> = items.iter().filter(|item| item.points_inferred).collect();
    (!items.is_empty()).then(|| Inferred {
        of: items.iter().map(|item| item.of).sum(),
        points: items.iter().map(|item| item.points).sum(),
        items: items.iter().map(|item| item.id.clone()).collect(),
    })
}

fn missing(items: &[ItemResult]) -> Vec<Shortfall> {
    let mut missing: Vec<Shortfall> = items
        .iter()
        .filter(|item| item.points < item.of)
        .map(|item| Shortfall {
            id: item.id.clone(),
            text: item.text.clone(),
            points: item.of - item.points,
            why: match item.source {
                Source::Answer => Bilingual::new("按所填答案", "by the answer"),
                Source::Measured => {
                    Bilingual::new("网关自评未达标", "the gateway's assessment does not say met")
                }
                Source::Unanswered => Bilingual::new("未作答", "not answered"),
                Source::NoAssessment => {
                    Bilingual::new("未提供网关自评", "no assessment of the gateway given")
                }
            },
        })
        .collect();
    // Stable: items that lack the same stay in the order of the table.
    missing.sort_by_key(|shortfall| std::cmp::Reverse(shortfall.points));
    missing
}

fn unanswered(items: &[ItemResult]) -> Vec<String> {
    let open = items.iter().filter(|item| item.source == Source::Unanswered);
    open.map(|item| item.id.clone()).collect()
}

fn remarks(card: &Card, items: &[ItemResult]) -> Vec<Bilingual> {
    let own = card.remark.iter().map(|Remark { zh, en }| Bilingual::new(zh, en));
    let mut remarks: Vec<Bilingual> = own.collect();
    let open = items.iter().filter(|item| item.conversion_missing).count();
    if open > 0 {
        remarks.push(Bilingual::new(
            format!("{open} 项（比率、满意度、数量）有满分而标准未规定换算方法；分值由作答人给出，或按答案文件中的换算规则计算"),
            format!("{open} items (rates, surveys, counts) have full points but no conversion in the standard; the points come from the person or from a rule in the answers file"),
        ));
    }
    remarks
}
