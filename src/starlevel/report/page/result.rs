//! The assessment: the star, what is missing, the checks with their levels, groups, categories.

use maud::{Markup, html};

use super::{heading, made, time};
use crate::model::EstateKind;
use crate::starlevel::report::document::Report;
use crate::starlevel::scorecard::page::both;
use crate::starlevel::{
    Assessment, Bilingual, CheckResult, DeviceCause, Evidence, LevelResult, Origin, Outcome, STARS,
    percent,
};

pub(super) fn opening(report: &Report) -> Markup {
    let result = &report.assessment;
    let kind = match report.estate.kind {
        EstateKind::New => ("新建小区", "New estate"),
        EstateKind::OldRetrofit => ("改造后老旧小区", "Retrofitted estate"),
    };
    let period = report.period.as_ref().map_or_else(
        || "—".to_owned(),
        |p| format!("{} – {} ({} 天 days)", p.first, p.last, p.days),
    );
    html! {
        @for note in &report.notes { div.banner.note { (both(note)) } }
        div.banner { (both(&report.banner)) }
        h1 { "智慧小区星级自评报告" span.en { "Self-assessment of the smart-area star level" } }
        div.score {
            div.box {
                "星级" span.en { "Star" }
                div.starline aria-hidden="true" {
                    @for star in 1..=STARS { @if star <= result.star { "★" } @else { "☆" } }
                }
                div.total {
                    @if result.star == 0 { "暂无星级" small { " no star yet" } }
                    @else { (result.star) small { " 星 " (result.star) " of 5" } }
                }
            }
            div.box {
                "目标" span.en { "Target by 7.5.1" }
                div.total { (result.target) small { " 星 " (result.target) " of 5" } }
                div {
                    @if result.star >= result.target { b { "✓ 已达到" } span.en { "reached" } }
                    @else { b { "✗ 未达到" } span.en { "not reached" } }
                }
            }
            div.box {
                "下一星级尚缺" span.en { "Missing for the next star" }
                div.total { (result.missing.len()) small { " 项 checks" } }
                @if result.provisional {
                    b { "临时结果：统计历史不足" } span.en { "Provisional: not enough history yet" }
                }
            }
        }
        dl.facts {
            (fact("小区", "Estate", &report.estate.name))
            (fact("网关", "Gateway", &report.estate.gateway))
            (fact("类型", "Kind", &format!("{} {}", kind.0, kind.1)))
            (fact("设备", "Devices that count", &report.estate.devices.len().to_string()))
            (fact("统计期", "Period", &period))
            (fact("历史", "History", &format!("{:.1} 天 days", days(result.window_s))))
            (fact("生成时间", "Made at", &made(report)))
            (fact("程序", "Made by", &report.made_by))
        }
    }
}

fn fact(zh: &str, en: &str, value: &str) -> Markup {
    html! { div { dt { (zh) " " (en) } dd { @if value.is_empty() { "—" } @else { (value) } } } }
}

#[expect(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
fn days(seconds: u64) -> f64 {
    seconds as f64 / 86_400.0
}

pub(super) fn lacking(report: &Report) -> Markup {
    let result = &report.assessment;
    let Some(next) = result.next else { return html! {} };
    let missing = result.missing.iter().filter_map(|id| result.check(id));
    html! {
        (heading(&format!("升至 {next} 星尚缺（缺口大的在前）"), &format!("Missing for star {next}, worst first")))
        @if result.missing.is_empty() { p { "无 " span.en { "Nothing" } } }
        @for check in missing { (lack(report, check)) }
    }
}

fn lack(report: &Report, check: &CheckResult) -> Markup {
    let word = check.outcome.words();
    html! {
        div.lack.unknown[check.outcome == Outcome::Unknown] {
            div.top {
                b { (check.id) " " (check.title.zh) }
                span.num {
                    span.mark { (mark(check.outcome)) } " " (word.zh) " " (word.en) " · "
                    "实测 measured " b { (measured(check)) } " · 要求 needed " b { (either(&check.bound_words(check.needed))) }
                }
            }
            span.en { (check.title.en) }
            (not_passed_since(report, check))
            @if let Some(reason) = &check.reason { p { (both(reason)) } }
            @if let Some(hint) = &check.hint {
                p { "处理：" (hint.zh) span.en { "What to do: " (hint.en) } }
            }
            @if !check.devices.is_empty() {
                table {
                    thead { tr {
                        th { "设备" span.en { "Device" } }
                        th { "状态与原因" span.en { "Health and cause" } }
                        th { "自何时" span.en { "Since" } }
                        th.n { "本项" span.en { "Share" } }
                    } }
                    @for cause in &check.devices { (device(report, cause)) }
                }
                @if check.more_devices > 0 {
                    p.key { "另有 " (check.more_devices) " 台 and " (check.more_devices) " more" }
                }
            }
        }
    }
}

fn not_passed_since(report: &Report, check: &CheckResult) -> Markup {
    let Some(since) = check.since_ms else { return html! {} };
    let since = time(report, since);
    html! { p { "自 " (since) " 起未通过" span.en { "Not passed since " (since) } } }
}

fn device(report: &Report, cause: &DeviceCause) -> Markup {
    let since = match (cause.since_ms, cause.for_s) {
        (Some(at), _) => time(report, at),
        (None, Some(seconds)) => format!("{:.1} 天 days", days(seconds)),
        (None, None) => "启动后未收到数据 not heard".into(),
    };
    html! {
        tr {
            td { (cause.name) @if cause.name != cause.device { span.en { (cause.device) } } }
            td {
                (cause.health.zh()) " " (cause.health.word())
                @if let Some(lacks) = &cause.lacks { div { (both(lacks)) } }
                @if let Some(words) = &cause.cause { (both(&Bilingual::new(format!("：{}", words.zh), &words.en))) }
            }
            td { (since) }
            // The share of a device whose entry in the register is not complete says nothing.
            td.n { @if cause.lacks.is_some() { "—" } @else { (percent(cause.share.unwrap_or(cause.online_rate))) } }
        }
    }
}

/// The sign that stands beside the word: what is told is not told by colour alone.
pub(super) fn mark(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Met => "✓",
        Outcome::NotMet => "✗",
        Outcome::Unknown => "?",
        Outcome::NotApplicable => "○",
    }
}

/// The outcome's word in both languages.
pub(super) fn word(outcome: Outcome) -> Markup {
    both(&outcome.words())
}

fn measured(check: &CheckResult) -> Markup {
    match check.measured {
        Some(value) => either(&check.value_words(value)),
        None => html! { "—" },
    }
}

/// A value once where it is the same in both languages.
fn either(words: &Bilingual) -> Markup {
    html! { span.one { (words.zh) } @if words.zh != words.en { " " small.en.in { (words.en) } } }
}

pub(super) fn checks(report: &Report) -> Markup {
    let result = &report.assessment;
    html! {
        (heading("全部检查项", "All checks"))
        p.key {
            "✓ 达标 met · ✗ 未达标 not met · ? 证据不足 unknown · ○ 不适用 not applicable · — 该星级不要求 not required。"
            "粗框为当前所指星级。The frame marks the star that is looked at."
        }
        @for group in groups_of(result) {
            (group_table(report, group))
        }
    }
}

/// First letters of the checks, in their order.
fn groups_of(result: &Assessment) -> Vec<char> {
    let mut groups: Vec<char> = Vec::new();
    for letter in result.checks.iter().filter_map(|check| check.id.chars().next()) {
        if !groups.contains(&letter) {
            groups.push(letter);
        }
    }
    groups
}

fn group_table(report: &Report, group: char) -> Markup {
    let result = &report.assessment;
    let inside = result.checks.iter().filter(|check| check.id.starts_with(group));
    let (zh, en) = name_of(group);
    html! {
      section.keep {
        h3 { (group) " " (zh) " " span.en.in { (en) } }
        table.levels {
            thead { tr {
                th.c { "检查项" span.en { "Check" } }
                th.v { "实测" span.en { "Measured" } }
                @for star in 1..=STARS { th.l { "★" (star) } }
            } }
            @for check in inside {
                tr {
                    td {
                        (check.id) " " (check.title.zh) span.en { (check.title.en) }
                        div.ground { (both(&ground(check))) }
                    }
                    td.m { (measured(check)) }
                    @for star in 1..=STARS { (level(check, star)) }
                }
                @if !result.missing.contains(&check.id) { (why(report, check)) }
            }
        }
      }
    }
}

/// What has not passed and is not told above, because another star is next.
fn why(report: &Report, check: &CheckResult) -> Markup {
    if check.outcome.passes() || (check.reason.is_none() && check.since_ms.is_none()) {
        return html! {};
    }
    let since = check.since_ms.map(|since| {
        let since = time(report, since);
        Bilingual::new(format!("自 {since} 起未通过"), format!("not passed since {since}"))
    });
    let told: Vec<&Bilingual> = check.reason.iter().chain(&since).collect();
    let zh: Vec<&str> = told.iter().map(|words| words.zh.as_str()).collect();
    let en: Vec<&str> = told.iter().map(|words| words.en.as_str()).collect();
    let told = Bilingual::new(zh.join(" · "), en.join(" · "));
    html! {
        tr.why { td colspan="7" {
            (check.id) " " span.mark { (mark(check.outcome)) } " " (both(&told))
        } }
    }
}

/// Where the numbers come from and how it is proven.
fn ground(check: &CheckResult) -> Bilingual {
    let origin = match check.origin {
        Origin::Seed => ("地方标准", "local standard"),
        Origin::Standard => ("其他标准", "other standard"),
        Origin::Proposal => ("本规则包建议", "this pack's proposal"),
    };
    let evidence = match check.evidence {
        Evidence::Measured => ("实测", "measured"),
        Evidence::Attested => ("签认", "attested"),
        Evidence::Mixed => ("实测与签认", "measured and attested"),
    };
    let source = check.source_words();
    Bilingual::new(
        format!("{} · {} · {}", source.zh, origin.0, evidence.0),
        format!("{} · {} · {}", source.en, origin.1, evidence.1),
    )
}

fn level(check: &CheckResult, star: u8) -> Markup {
    let found: Option<&LevelResult> = check.levels.iter().find(|level| level.star == star);
    html! {
        @if let Some(level) = found {
            td.l.at[star == check.star] {
                span.mark title=(level.outcome.words().en) { (mark(level.outcome)) } br;
                (either(&check.bound_words(level.needed)))
            }
        } @else {
            td.l { "—" }
        }
    }
}

pub(super) fn groups(report: &Report) -> Markup {
    let result = &report.assessment;
    html! {
        @if !result.groups.is_empty() {
            (heading(&format!("各组达标情况（按目标 {} 星，仅供参考）", result.target), &format!("Groups at the target star {}, for information", result.target)))
            table.parts {
                thead { tr {
                    th { "组" span.en { "Group" } } th { "比例" span.en { "Share" } }
                    th.n { "达标 / 要求" span.en { "met / required" } }
                } }
                @for group in &result.groups {
                    tr {
                        td { (group.id) " " @if let Some(letter) = group.id.chars().next() {
                            (name_of(letter).0) span.en { (name_of(letter).1) }
                        } }
                        td { div.bar { i style=(format!("width:{}%", group.achieved * 100 / group.obtainable.max(1))) {} } }
                        td.n { (group.achieved) " / " (group.obtainable) }
                    }
                }
            }
        }
        section.keep {
        h3 { "各星级" span.en { "Per star" } }
        table {
            thead { tr {
                th { "星级" span.en { "Star" } } th.n { "要求 required" } th.n { "达标 met" }
                th.n { "未达标 not met" } th.n { "证据不足 unknown" } th.n { "不适用 n/a" } th { "达到 reached" }
            } }
            @for row in &result.levels {
                tr {
                    td { "★" (row.star) } td.n { (row.required) } td.n { (row.met) } td.n { (row.not_met) }
                    td.n { (row.unknown) } td.n { (row.not_applicable) }
                    td { @if row.reached { "✓ 是 yes" } @else { "✗ 否 no" } }
                }
            }
        }
        }
    }
}

/// What a group of checks of the built-in pack is about; other packs may have others.
fn name_of(group: char) -> (&'static str, &'static str) {
    match group {
        'P' => ("平台接入", "Platform"),
        'C' => ("设备覆盖", "Coverage"),
        'Q' => ("数据质量", "Quality"),
        'T' => ("时钟", "Time"),
        'M' => ("抄表", "Metering"),
        'A' => ("告警", "Alarms"),
        'B' => ("应急广播", "Broadcast"),
        'S' => ("信息屏", "Screens"),
        'E' => ("环境监测", "Environment"),
        'V' => ("充电", "Charging"),
        'R' => ("设备风险", "Risk"),
        'G' => ("治理与安全", "Governance"),
        _ => ("", ""),
    }
}
