//! A scorecard on the terminal: Chinese first, English beneath.

use std::fmt::Write as _;

use super::points::Points;
use super::result::{Part, Scorecard};
use crate::starlevel::Bilingual;

/// How many of the items that lack most are listed.
const LISTED: usize = 12;

impl Scorecard {
    /// The scorecard for a terminal.
    pub fn to_text(&self) -> String {
        let mut out = Out(String::new());
        self.write_head(&mut out);
        out.parts("分项 blocks", &self.blocks);
        out.parts("评价主体 evaluators", &self.evaluators);
        self.write_deductions(&mut out);
        self.write_lacking(&mut out);
        self.write_background(&mut out);
        out.0.truncate(out.0.trim_end().len());
        out.0
    }

    fn write_head(&self, out: &mut Out) {
        out.both(&self.banner);
        out.line(&format!("\n表 {} {}", self.table_name, self.title.zh));
        out.line(&format!("Table {} {}", self.table_name, self.title.en));
        let variant = self.variant_name.as_ref();
        let (zh, en) = match variant {
            Some(name) => (format!(" · {}", name.zh), format!(" · {}", name.en)),
            None => Default::default(),
        };
        out.line(&format!(
            "{}{zh} · {} 年 · 作答 {}，{}",
            self.subject, self.year, self.by, self.date
        ));
        out.line(&format!(
            "{}{en} · {} · answered by {}, {}",
            self.subject, self.year, self.by, self.date
        ));
        out.line(&format!("\n得分 score  {} / {}", self.total, self.of));
        if self.deducted > Points::ZERO {
            out.line(&format!(
                "  负面清单前 before deductions {}，扣分 deducted {}",
                self.before_deductions, self.deducted
            ));
        }
        if let Some(bare) = self.below_zero {
            out.both(&below_zero(bare));
        }
        if let Some(inferred) = &self.inferred {
            out.both(&inferred.words());
        }
        if let Some(stars) = &self.red_property {
            out.line("");
            out.both(&stars.label);
            out.both(&stars.banner);
            if let Some(gap) = &stars.gap {
                out.both(gap);
            }
        }
    }

    fn write_deductions(&self, out: &mut Out) {
        if self.negative.is_empty() {
            return;
        }
        out.line("\n负面清单 negative list");
        for entry in &self.negative {
            out.line(&format!("  {} {}（{}）", entry.id, entry.text.zh, entry.rule.zh));
            out.line(&format!("         {} ({})", entry.text.en, entry.rule.en));
            for deduction in &entry.deductions {
                out.line(&format!(
                    "         -{}  {}（{}，{}）",
                    deduction.points, deduction.reason, deduction.by, deduction.date
                ));
            }
            if entry.deductions.is_empty() {
                let words = nothing_declared();
                out.line(&format!("         {} / {}", words.zh, words.en));
            }
        }
    }

    fn write_lacking(&self, out: &mut Out) {
        if self.missing.is_empty() {
            return;
        }
        out.line("\n差分最多 what is missing most");
        for shortfall in self.missing.iter().take(LISTED) {
            out.line(&format!(
                "  {:>5}  {} {}（{}）",
                format!("-{}", shortfall.points),
                shortfall.id,
                shortfall.text.zh,
                shortfall.why.zh
            ));
            out.line(&format!("         {} ({})", shortfall.text.en, shortfall.why.en));
        }
        let more = self.missing.len().saturating_sub(LISTED);
        if more > 0 {
            out.line(&format!("  另有 {more} 项，见报告 / {more} more, see the report"));
        }
        if !self.unanswered.is_empty() {
            let count = self.unanswered.len();
            out.line(&format!(
                "\n未作答 {count} 项，计 0 分 / not answered: {count}, counted as 0"
            ));
            out.line(&format!("  {}", self.unanswered.join(" ")));
        }
    }

    fn write_background(&self, out: &mut Out) {
        let shown: Vec<_> = self.items.iter().filter(|item| !item.evidence.is_empty()).collect();
        if !shown.is_empty() {
            out.line("\n网关佐证 evidence of the gateway");
        }
        for item in shown {
            out.line(&format!("  {} {}：计 {} / {}", item.id, item.text.zh, item.points, item.of));
            out.line(&format!("         {}", item.text.en));
            for evidence in &item.evidence {
                out.line(&format!("         · {} / {}", evidence.zh, evidence.en));
            }
        }
        out.line("\n须知 to be known");
        for remark in &self.remarks {
            out.line(&format!("  · {}", remark.zh));
            out.line(&format!("    {}", remark.en));
        }
    }
}

/// What is said when deductions exceed the points.
pub(super) fn below_zero(bare: Points) -> Bilingual {
    Bilingual::new(
        format!("扣分后为 {bare}；标准未规定下限，按 0 分列示"),
        format!("{bare} after deductions; the standard states no floor, 0 is shown"),
    )
}

/// What is said of an entry of the negative list without a deduction.
pub(super) fn nothing_declared() -> Bilingual {
    Bilingual::new(
        "未申报；未申报不等于未发生",
        "nothing declared, which is no proof that nothing happened",
    )
}

impl super::result::Inferred {
    /// In words.
    pub(super) fn words(&self) -> Bilingual {
        let ids = self.items.join("、");
        Bilingual::new(
            format!("其中 {} / {} 分为推定分值（{ids}）", self.points, self.of),
            format!(
                "of these, {} / {} are inferred points ({})",
                self.points,
                self.of,
                self.items.join(", ")
            ),
        )
    }
}

struct Out(String);

impl Out {
    fn line(&mut self, text: &str) {
        writeln!(self.0, "{text}").expect("writing to a String does not fail");
    }

    fn both(&mut self, words: &Bilingual) {
        self.line(&words.zh);
        self.line(&words.en);
    }

    fn parts(&mut self, title: &str, parts: &[Part]) {
        self.line(&format!("\n{title}"));
        for part in parts {
            let figures = format!("{} / {}", part.points, part.of);
            self.line(&format!("  {figures:>10}  {}", part.name.zh));
            self.line(&format!("  {:>10}  {}", "", part.name.en));
        }
    }
}
