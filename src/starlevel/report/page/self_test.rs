//! The gateway's security self-test, which check G2 stands on.

use maud::{Markup, html};

use super::heading;
use super::result::{mark, word};
use crate::starlevel::report::document::Report;
use crate::starlevel::scorecard::page::both;

pub(super) fn self_test(report: &Report) -> Markup {
    let items = &report.assessment.self_test;
    if items.is_empty() {
        return html! {};
    }
    let passed = items.iter().filter(|item| item.outcome.passes()).count();
    html! {
        (heading("网关安全自检（G2）", "Security self-test of the gateway (G2)"))
        p.key { "通过 " (passed) " / " (items.len()) " 项" span.en { (passed) " of " (items.len()) " items pass" } }
        table.told {
            thead { tr {
                th { "项目" span.en { "Item" } } th { "结果" span.en { "Result" } }
                th { "所见与处理" span.en { "What was seen, what to do" } }
            } }
            @for item in items {
                tr {
                    td { (both(&item.title)) }
                    td.m { span.mark { (mark(item.outcome)) } " " (word(item.outcome)) }
                    td {
                        (both(&item.seen))
                        @if let Some(todo) = &item.todo {
                            div { "处理：" (todo.zh) span.en { "What to do: " (todo.en) } }
                        }
                    }
                }
            }
        }
    }
}
