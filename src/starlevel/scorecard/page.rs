//! A scorecard as one page: no external resource, light, printable on A4. `maud` escapes every text.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::points::Points;
use super::result::{ItemResult, Part, Scorecard, Source};
use super::text::{below_zero, nothing_declared};
use crate::starlevel::Bilingual;

/// The style of printed pages.
pub(in crate::starlevel) const STYLE: &str = include_str!("page.css");

impl Scorecard {
    /// The scorecard as an HTML page.
    pub fn to_html(&self) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="zh-CN" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { "表 " (self.table_name) " " (self.title.zh) " · " (self.subject) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    (self.opening())
                    (parts("分项", "Blocks", &self.blocks))
                    (parts("评价主体", "Evaluators", &self.evaluators))
                    (self.negative_list())
                    (self.lacking())
                    (self.table_of_items())
                    (self.rules())
                    h2 { "须知" span.en { "To be known" } }
                    ul { @for remark in &self.remarks { li { (both(remark)) } } }
                    (self.foot())
                }
            }
        };
        page.into_string()
    }

    fn opening(&self) -> Markup {
        html! {
            div.banner { (both(&self.banner)) }
            h1 { "表 " (self.table_name) " " (self.title.zh) span.en { (self.title.en) } }
            p.who {
                b { (self.subject) }
                @if let Some(name) = &self.variant_name { " · " (name.zh) " (" (name.en) ")" }
                " · " (self.year) " · 作答 answered by " (self.by) "，" (self.date)
            }
            div.score {
                div.box {
                    "得分 " span.en { "Score" }
                    div.total { (self.total) small { " / " (self.of) } }
                    @if self.deducted > Points::ZERO {
                        div {
                            "负面清单前 " (self.before_deductions) "，扣分 " (self.deducted)
                            span.en { (self.before_deductions) " before deductions, " (self.deducted) " deducted" }
                        }
                    }
                    @if let Some(bare) = self.below_zero { div { (both(&below_zero(bare))) } }
                    @if let Some(inferred) = &self.inferred { div { (both(&inferred.words())) } }
                }
                @if let Some(stars) = &self.red_property {
                    div.box {
                        div.stars { (both(&stars.label)) }
                        div { (both(&stars.banner)) }
                        @if let Some(gap) = &stars.gap { div { (both(gap)) } }
                    }
                }
            }
        }
    }

    fn negative_list(&self) -> Markup {
        html! {
            @if !self.negative.is_empty() {
                h2 { "负面清单" span.en { "Negative list" } }
                table {
                    thead { tr {
                        th { "事项" span.en { "Entry" } }
                        th { "扣分与原因" span.en { "Deductions and reasons" } }
                    } }
                    @for entry in &self.negative {
                        tr {
                            td {
                                (entry.id) " " (entry.text.zh) "（" (entry.rule.zh) "）"
                                span.en { (entry.text.en) " (" (entry.rule.en) ")" }
                                span.en { (entry.evaluator.zh) " " (entry.evaluator.en) }
                                (list(&entry.evidence)) (list(&entry.notes))
                            }
                            td {
                                @for deduction in &entry.deductions {
                                    div {
                                        b { "-" (deduction.points) } " " (deduction.reason)
                                        span.en { (deduction.by) "，" (deduction.date) }
                                    }
                                }
                                @if entry.deductions.is_empty() { (both(&nothing_declared())) }
                            }
                        }
                    }
                }
            }
        }
    }

    fn lacking(&self) -> Markup {
        html! {
            @if !self.missing.is_empty() {
                h2 { "差分最多" span.en { "What is missing most" } }
                table {
                    thead { tr {
                        th { "项目" span.en { "Item" } }
                        th { "原因" span.en { "Why" } }
                        th.n { "差分" span.en { "Missing" } }
                    } }
                    @for shortfall in &self.missing {
                        tr {
                            td { (shortfall.id) " " (both(&shortfall.text)) }
                            td { (both(&shortfall.why)) }
                            td.n { "-" (shortfall.points) }
                        }
                    }
                }
            }
            @if !self.unanswered.is_empty() {
                p {
                    "未作答 " (self.unanswered.len()) " 项，计 0 分：" (self.unanswered.join(" "))
                    span.en { "Not answered: " (self.unanswered.len()) ", counted as 0" }
                }
            }
        }
    }

    fn table_of_items(&self) -> Markup {
        let mut block = "";
        html! {
            h2 { "全部项目" span.en { "All items" } }
            table {
                thead { tr {
                    th { "编号" span.en { "Id" } }
                    th.item { "三级指标" span.en { "Item" } }
                    th { "依据" span.en { "Ground" } }
                    th.n { "得分" span.en { "Points" } }
                } }
                @for item in &self.items {
                    @if item.block.zh != block {
                        tr.block { th colspan="4" { (both(&item.block)) } }
                        ({ block = &item.block.zh; "" })
                    }
                    (row(item))
                }
            }
        }
    }

    fn rules(&self) -> Markup {
        html! {
            @if !self.conversions.is_empty() {
                h2 { "换算规则（来自答案文件，标准未规定）" span.en { "Conversion rules (from the answers file; the standard states none)" } }
                ul {
                    @for rule in &self.conversions {
                        li {
                            b { (rule.name) } "：" (rule.by) "，" (rule.basis)
                            @if rule.steps.is_empty() {
                                span.en { "按比例 in proportion to the rate" }
                            }
                            @for step in &rule.steps {
                                span.en { "≥ " (step.from_percent) " → " (step.share_percent) " 分值 of the points" }
                            }
                        }
                    }
                }
            }
        }
    }

    fn foot(&self) -> Markup {
        html! {
            div.foot {
                p { (self.source) "；" (self.clause) " · SHA-256 " (self.table_sha256) }
                @if let Some(used) = &self.assessment {
                    p {
                        "网关自评 assessment: " (used.gateway) " · 智慧小区星级 smart-area star " (used.smart_area_star)
                        "，目标 target " (used.smart_area_target)
                        @if used.provisional { " · 暂定 provisional" }
                        @if let Some(day) = used.at_ms.and_then(day) { " · " (day) }
                        " · " (used.pack.id) " " (used.pack.version) " · SHA-256 " (used.pack.sha256)
                    }
                } @else {
                    p { "未提供网关自评 no assessment of the gateway given" }
                }
            }
        }
    }
}

/// The day of a time in UTC.
fn day(at_ms: i64) -> Option<String> {
    let at = jiff::Timestamp::from_millisecond(at_ms).ok()?;
    Some(at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// The Chinese, and the English beneath it.
pub(in crate::starlevel) fn both(words: &Bilingual) -> Markup {
    html! { (words.zh) span.en { (words.en) } }
}

fn list(words: &[Bilingual]) -> Markup {
    html! { @if !words.is_empty() { ul { @for words in words { li { (both(words)) } } } } }
}

fn parts(zh: &str, en: &str, parts: &[Part]) -> Markup {
    html! {
        h2 { (zh) span.en { (en) } }
        table.parts {
            @for part in parts {
                tr {
                    td { (both(&part.name)) }
                    td { div.bar { i style=(format!("width:{}%", share(part))) {} } }
                    td.n { (part.points) " / " (part.of) }
                }
            }
        }
    }
}

/// A part's share in whole percent.
fn share(part: &Part) -> i64 {
    part.points.in_hundredths() * 100 / part.of.in_hundredths().max(1)
}

fn row(item: &ItemResult) -> Markup {
    let open = item.points < item.of;
    let kind = item.kind.words();
    html! {
        tr.open[open] {
            td.id { (item.id) }
            td {
                (both(&item.text))
                span.en { (item.group.zh) " " (item.group.en) " · " (item.evaluator.zh) " " (item.evaluator.en) " · " (kind.zh) " " (kind.en) }
                (list(&item.notes))
            }
            td { (ground(item)) (list(&item.evidence)) }
            td.n {
                (item.points) " / " (item.of)
                @if item.points_inferred { span.en { "推定 inferred" } }
            }
        }
    }
}

fn ground(item: &ItemResult) -> Markup {
    let word = match item.source {
        Source::Answer => None,
        Source::Measured => Some(("网关自评", "the gateway's assessment")),
        Source::Unanswered => Some(("未作答", "not answered")),
        Source::NoAssessment => Some(("未提供网关自评", "no assessment given")),
    };
    html! {
        @if let Some((zh, en)) = word { (zh) span.en { (en) } }
        @if let Some(answer) = &item.answer {
            div {
                @if let Some(rate) = answer.percent { (rate) " → " }
                (answer.points) " 分"
                @if let Some(rule) = &answer.conversion { "（" (rule) "）" }
                span.en { (answer.by) "，" (answer.date) }
                @if let Some(note) = &answer.note { (note) }
            }
        }
    }
}
