//! What the result stands on: words, weak points, rules, chain, key, how to verify.

use maud::{Markup, html};

use super::heading;
use crate::starlevel::report::chain::unhex;
use crate::starlevel::report::document::Report;
use crate::starlevel::report::key::fingerprint;
use crate::starlevel::scorecard::page::both;

pub(super) fn definitions(report: &Report) -> Markup {
    html! {
        (heading("定义", "Definitions"))
        ul { @for words in &report.definitions { li { (both(words)) } } }
    }
}

pub(super) fn weak_points(report: &Report) -> Markup {
    html! {
        (heading("须知：结果的薄弱之处", "To be known: where the result is weak"))
        ol { @for words in &report.weak_points { li { (both(words)) } } }
    }
}

pub(super) fn rules(report: &Report) -> Markup {
    let pack = &report.pack;
    html! {
        (heading("规则包", "Rule pack"))
        p {
            b { (pack.id) " " (pack.version) } " · "
            @if pack.official { "官方发布 official" } @else { "非官方 not official" }
        }
        p.hash { "SHA-256 " (pack.sha256) }
    }
}

pub(super) fn evidence(report: &Report) -> Markup {
    let print = unhex::<32>(&report.public_key).map(|key| fingerprint(&key));
    html! {
        (heading("证据与签名", "Evidence and signature"))
        p {
            "逐日证据按自然日封存、哈希成链；本文件含统计期内 " (report.chain.days.len()) " 个封存日的全部原始行，可离线重算。"
            span.en {
                "The evidence of each day is closed and hashed in a chain; this file holds all rows of the "
                (report.chain.days.len()) " closed days of the period, so that everything can be recomputed offline."
            }
        }
        @if let Some(fault) = &report.chain.fault {
            div.lack {
                b { "✗ 证据链不成立 · " (fault.day) "：" (fault.zh) }
                span.en { "The chain does not hold · " (fault.day) ": " (fault.en) }
            }
        }
        dl.facts {
            div { dt { "链头 Head of the chain (SHA-256)" } dd.hash { (report.chain.head.as_deref().unwrap_or("—")) } }
            div { dt { "公钥 Public key (Ed25519)" } dd.hash { (report.public_key) } }
            div { dt { "公钥指纹 Fingerprint of the key" } dd.hash { (print.as_deref().unwrap_or("—")) } }
        }
        p {
            "校验：保留本电子文件（打印件不能校验），在任何装有 linli 的电脑上执行下列命令；无需网关和网络。"
            "公钥须与网关“星级”页面或平台设备清单中的一致。"
            span.en {
                "To verify: keep this file (a print cannot be verified) and run this on any computer with linli; it "
                "needs neither the gateway nor a network. The key must be the one on the gateway's page Stars or "
                "in the platform's inventory."
            }
        }
        pre { "linli stars verify FILE --key " (report.public_key) }
    }
}
