//! The twelve categories: what there is, what is connected, what is covered.

use maud::{Markup, html};

use super::heading;
use crate::starlevel::report::document::Report;
use crate::starlevel::{CategoryResult, percent};

pub(super) fn categories(report: &Report) -> Markup {
    let result = &report.assessment;
    html! {
        (heading("十二类设备", "The twelve categories"))
        table {
            thead { tr {
                th { "类别" span.en { "Category" } }
                th.n { "清单" span.en { "Inventory" } }
                th.n { "登记" span.en { "Registered" } }
                th.n { "已接入" span.en { "Connected" } }
                th.n { "未登记" span.en { "Found only" } }
                th.n { "在线率" span.en { "Online rate" } }
                th { "状态" span.en { "State" } }
            } }
            @for row in &result.categories { (category(row)) }
        }
        p.key {
            "清单：负责人签认的设备数；登记：网关配置的设备；已接入：统计期内有有效读数；未登记：扫描发现而未配置。"
            span.en {
                "Inventory: devices by a named person's word. Registered: configured in the gateway. Connected: brought a "
                "valid reading in the period. Found only: a scan found it and nobody registered it."
            }
        }
        @if result.found_unknown > 0 {
            p.key {
                "另有类别不明的未登记设备 " (result.found_unknown) " 台"
                span.en { (result.found_unknown) " more devices of unknown category were found and are not registered" }
            }
        }
    }
}

fn category(row: &CategoryResult) -> Markup {
    html! {
        tr {
            td { (row.category.zh()) " " span.en.in { (row.category.en()) } }
            td.n { @match row.inventory { Some(devices) => (devices), None => "—" } }
            td.n { (row.devices) }
            td.n { (row.connected) }
            td.n { (row.found) }
            td.n { (row.online_rate.map_or_else(|| "—".to_owned(), percent)) }
            td {
                @if row.not_applicable { "○ 不适用 " span.en.in { "not applicable" } }
                @else if row.out_of_season { "○ 非供暖季 " span.en.in { "out of season" } }
                @else if row.covered { "✓ 已覆盖 " span.en.in { "covered" } }
                @else { "✗ 未覆盖 " span.en.in { "not covered" } }
            }
        }
    }
}
