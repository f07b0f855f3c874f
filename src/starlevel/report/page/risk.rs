//! The equipment risk (5.1.1.2): devices by grade, and those to be visited with causes and advice.

use maud::{Markup, html};

use super::{heading, time};
use crate::model::RiskGrade;
use crate::starlevel::report::document::Report;
use crate::starlevel::scorecard::page::both;
use crate::starlevel::{Bilingual, RiskReport, RiskVisit};

pub(super) fn risk(report: &Report) -> Markup {
    let Some(risk) = &report.assessment.risk else { return html! {} };
    html! {
        (heading("设备风险", "Equipment risk"))
        p { "小区设备风险等级：" b { (risk.grade.zh()) } span.en { "Grade of the estate: " (risk.grade.word()) } }
        (counts(risk))
        @if risk.devices.is_empty() {
            p { "没有中级及以上风险的设备" span.en { "No device of medium or high risk" } }
        } @else {
            h3 { "走访重点（风险高的在前）" span.en { "To be visited, worst first" } }
            table.told {
                thead { tr {
                    th { "设备" span.en { "Device" } } th { "风险" span.en { "Risk" } }
                    th { "自何时" span.en { "Since" } }
                    th { "原因与建议" span.en { "Causes and advice" } }
                } }
                @for visit in &risk.devices { (row(report, visit)) }
            }
        }
        @if risk.more > 0 { p.key { "另有 " (risk.more) " 台 and " (risk.more) " more" } }
        p.key { "评级规则 Rules: " (risk.rules) }
    }
}

fn counts(risk: &RiskReport) -> Markup {
    let counts = risk.counts;
    html! {
        dl.facts {
            div { dt { "高风险 High risk" } dd { (counts.high) " 台 devices" } }
            div { dt { "中风险 Medium risk" } dd { (counts.medium) " 台 devices" } }
            div { dt { "低风险 Low risk" } dd { (counts.low) " 台 devices" } }
            div { dt { "未评级 Not graded" } dd { (counts.unknown) " 台 devices" } }
        }
    }
}

fn row(report: &Report, visit: &RiskVisit) -> Markup {
    let sign = if visit.grade == RiskGrade::High { "▲▲" } else { "▲" };
    html! {
        tr {
            td { (visit.name) @if visit.name != visit.device { span.en { (visit.device) } } }
            td.m { (sign) " " (visit.grade.zh()) " " (visit.grade.word()) }
            td { @match visit.since_ms { Some(at) => (time(report, at)), None => "—" } }
            td {
                @for cause in &visit.causes { div { (both(&Bilingual::new(&cause.zh, &cause.en))) } }
                @if visit.causes.is_empty() {
                    div { "现状已好转；观察期满后降级" span.en { "Better now; the grade falls after it has held" } }
                }
                @if let Some(advice) = &visit.advice {
                    div { "处理：" (advice.zh) span.en { "What to do: " (advice.en) } }
                }
            }
        }
    }
}
