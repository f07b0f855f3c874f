//! An answers file to fill in: every item with its text, what is allowed, what the gateway can show.

use std::fmt::Write as _;

use super::card::{Card, GatewayRole, Item, Kind, Negative, Proof};
use super::table::Variant;

/// The answers file of a table, ready to fill in.
pub fn template(card: &Card, variant: Option<Variant>) -> String {
    let mut out = String::new();
    head(&mut out, card, variant);
    let mut block = "";
    for item in card.items(variant) {
        if item.block != block {
            block = &item.block;
            let named = card.named(block);
            line(&mut out, &format!("\n# ──── {} / {} ────", named.zh, named.en));
        }
        entry(&mut out, card, item);
    }
    if !card.negative.is_empty() {
        line(
            &mut out,
            "\n# ──── 负面清单：发生的才写，一事一条 / negative list: one for each thing that happened ────",
        );
        for negative in &card.negative {
            unfortunate(&mut out, negative);
        }
    }
    out
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("writing to a String does not fail");
}

fn head(out: &mut String, card: &Card, variant: Option<Variant>) {
    let head = &card.card;
    line(out, &format!("# 表 {} {}", head.table, head.title_zh));
    line(out, &format!("# Table {}: {}", head.table, head.title_en));
    line(
        out,
        &format!(
            "# {}；规则 rules: {}；满分 total: {}",
            head.source, head.clause, head.declared_total
        ),
    );
    line(out, "#");
    line(out, "# 去掉行首的 # 并填写；没有填写的项目计 0 分并列出。分值最多两位小数。");
    line(
        out,
        "# Remove the # and fill in; what is not filled in counts as 0 and is listed. At most two decimals.",
    );
    line(out, "# 每条答案可另写 by、date（默认取 [given]）和 note。");
    line(
        out,
        "# An answer may have `by` and `date` of its own (else those of [given]) and a `note`.\n",
    );
    line(out, &format!("table = \"{}\"", head.id));
    if let Some(variant) = variant {
        line(out, &format!("variant = \"{}\"", variant.word()));
    }
    line(out, "subject = \"\"          # 评价对象 / who or what is evaluated");
    line(out, "year = 2026           # 评价年度（A.1.3） / calendar year\n");
    line(out, "[given]               # 谁、何时作答 / who answered, when");
    line(out, "by = \"\"");
    line(out, "date = \"\"             # 2026-12-31\n");
    line(out, "# 标准未规定比率如何换算为分值：直接写 points，或写 percent 并引用一条换算规则。");
    line(
        out,
        "# The standard does not say how a rate becomes points: write points, or percent and a rule such as",
    );
    line(out, "# [[conversion]]");
    line(out, "# name = \"steps\"");
    line(out, "# by = \"\"              # 谁定的 / who set it");
    line(out, "# basis = \"\"           # 依据 / document or decision");
    line(
        out,
        "# steps = [{ from_percent = 90, share_percent = 100 }, { from_percent = 70, share_percent = 50 }]",
    );
    line(out, "# # 或 or: proportional = true");
}

fn entry(out: &mut String, card: &Card, item: &Item) {
    let (kind, evaluator, group) =
        (item.kind.words(), card.named(&item.evaluator), card.named(&item.group));
    let proof = item.proof.as_ref();
    let measured = proof.is_some_and(|proof| proof.gateway == GatewayRole::Measured);
    if measured {
        line(out, &format!("\n# {}", item.id));
    } else {
        line(out, "\n[[answer]]");
        line(out, &format!("item = \"{}\"", item.id));
    }
    line(out, &format!("# {}", item.zh));
    line(out, &format!("# {}", item.en));
    line(out, &format!("# {} / {}", group.zh, group.en));
    let inferred = if item.points_inferred { "（推定 inferred）" } else { "" };
    line(
        out,
        &format!(
            "# 分值 points: {}{inferred} · {} {} · {} {}",
            item.points, evaluator.zh, evaluator.en, kind.zh, kind.en
        ),
    );
    if let (Some(zh), Some(en)) = (&item.remark_zh, &item.remark_en) {
        line(out, &format!("# 注：{zh} / {en}"));
    }
    if let Some(proof) = proof {
        gateway(out, proof);
    }
    if measured {
        return;
    }
    if item.kind == Kind::YesNo {
        line(out, "# met = true          # 或 or points");
    }
    line(out, &format!("# points = 0          # 0 … {}", item.points));
    if item.takes_percent() {
        line(
            out,
            "# percent = 0         # 0 … 100；与 points 或 conversion 同用 / with points or conversion",
        );
        line(out, "# conversion = \"steps\"");
    }
}

fn gateway(out: &mut String, proof: &Proof) {
    let (zh, en) = match proof.gateway {
        GatewayRole::Measured => {
            ("由网关自评计分，无须作答", "decided by the gateway's assessment, no answer needed")
        }
        GatewayRole::Evidence => ("网关佐证", "evidence of the gateway"),
    };
    line(out, &format!("# {zh}：{}", proof.zh));
    line(out, &format!("# {en}: {}", proof.en));
    if !proof.checks.is_empty() {
        line(out, &format!("#   {}", proof.checks.join(" ")));
    }
}

fn unfortunate(out: &mut String, negative: &Negative) {
    line(out, &format!("\n# {}：{}", negative.zh, negative.rule_zh));
    line(out, &format!("# {}: {}", negative.en, negative.rule_en));
    if let Some(proof) = &negative.proof {
        gateway(out, proof);
    }
    line(out, "# [[deduction]]");
    line(out, &format!("# item = \"{}\"", negative.id));
    line(
        out,
        &format!("# points = {}          # {} … {}", negative.least, negative.least, negative.most),
    );
    line(out, "# reason = \"\"          # 发生了什么 / what happened");
}
