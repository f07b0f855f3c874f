//! What people vouch for: the attestations, and apart from them the advisory list.

use maud::{Markup, html};

use super::heading;
use super::result::{mark, word};
use crate::starlevel::report::document::Report;
use crate::starlevel::scorecard::page::both;
use crate::starlevel::{AdvisoryResult, AttestationResult, AttestationSource, percent};

pub(super) fn attestations(report: &Report) -> Markup {
    let given = &report.assessment.attestations;
    html! {
        (heading("负责人签认", "Attestations"))
        p.key {
            "网关无法测得、由具名负责人声明的内容；到期、未生效或与现有设备矛盾的，按没有签认处理。"
            span.en {
                "What no gateway can measure and a named person vouches for. Expired, not yet valid or contradicted by a "
                "device, it counts as missing."
            }
        }
        @if given.is_empty() { p { "尚无签认" span.en { "Nothing is attested" } } }
        @else {
            table {
                thead { tr {
                    th { "内容" span.en { "What" } } th { "签认人" span.en { "By" } }
                    th { "日期" span.en { "On" } } th { "有效至" span.en { "Until" } }
                    th { "来源" span.en { "Given in" } } th { "状态" span.en { "State" } }
                } }
                @for result in given { (attestation(result)) }
            }
        }
    }
}

fn attestation(result: &AttestationResult) -> Markup {
    let said = &result.attestation;
    let source = match result.source {
        AttestationSource::File => ("签认文件", "attestations file"),
        AttestationSource::Page => ("网关页面", "gateway's page"),
    };
    html! {
        tr {
            td {
                (both(&said.subject.told()))
                @if !said.note.is_empty() { div.key { "备注 Note: " (said.note) } }
                @if let Some(why) = result.why_not() { div.key { (both(&why)) } }
            }
            td { (said.by) }
            td.m { (said.on) }
            td.m { (said.until) }
            td { (source.0) span.en { (source.1) } }
            td { (if result.holds() { "✓" } else { "✗" }) " " (both(&result.state_words())) }
        }
    }
}

pub(super) fn advisory(report: &Report) -> Markup {
    let items = &report.assessment.advisory;
    if items.is_empty() {
        return html! {};
    }
    html! {
        (heading("参考指标（不计入星级）", "Advisory list (never part of the star)"))
        p.key {
            "社区层面的指标，仅由负责人签认，与上文星级无关。"
            span.en { "Indicators of the whole community, attested by a person; the star above does not depend on them." }
        }
        table {
            thead { tr {
                th { "指标" span.en { "Item" } } th.n { "要求" span.en { "Wanted" } }
                th.n { "签认值" span.en { "Attested" } } th { "结果" span.en { "Result" } }
            } }
            @for item in items { (advisory_row(item)) }
        }
    }
}

fn advisory_row(item: &AdvisoryResult) -> Markup {
    html! {
        tr {
            td {
                b { (item.id) } " " (both(&item.title))
                @if let Some(reason) = &item.reason { div.key { (both(reason)) } }
            }
            td.n { "≥ " (percent(item.threshold)) }
            td.n { (item.value.map_or_else(|| "—".to_owned(), percent)) }
            td { span.mark { (mark(item.outcome)) } " " (word(item.outcome)) }
        }
    }
}
