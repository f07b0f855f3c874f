//! The star level: what is reached, what the next star lacks, and every check.

use std::time::Duration;

use maud::{Markup, html};

use super::attestations::{advisory, attestations};
use super::environment::environment;
use crate::model::EstateKind;
use crate::starlevel::report::{Form, fingerprint};
use crate::starlevel::{Assessment, CheckResult, Measure, Origin, STARS};
use crate::status::layout::{Request, health, outcome, page, pill};
use crate::status::show;
use crate::status::text::{Lang, Text};
use crate::status::view::View;

pub(in crate::status) fn stars(view: &View, ask: &Request) -> Markup {
    let lang = ask.lang;
    let result = view.assessment.borrow().clone();
    let body = match result.as_deref() {
        None => html! { h1 { (lang.t(Text::StarLevel)) } p { (lang.t(Text::NotAssessedYet)) } },
        Some(result) => whole(view, ask, result),
    };
    page(view, ask, "/stars", lang.t(Text::Stars), &body)
}

fn whole(view: &View, ask: &Request, result: &Assessment) -> Markup {
    let lang = ask.lang;
    let missing: Vec<&CheckResult> =
        result.missing.iter().filter_map(|id| result.check(id)).collect();
    let kind = match result.kind {
        EstateKind::New => Text::NewEstate,
        EstateKind::OldRetrofit => Text::OldRetrofit,
    };
    html! {
        p.banner { (lang.of(&result.banner)) }
        @if result.provisional {
            p.banner.warn {
                (lang.t(Text::Provisional)) " · " (lang.t(Text::History)) " "
                (show::span(lang, Duration::from_secs(result.window_s)))
            }
        }
        section.state.(if result.star >= result.target { "ok" } else { "warn" }) {
            h1 {
                (lang.t(Text::StarLevel)) (lang.colon())
                @if result.star == 0 { (lang.t(Text::NoStarYet)) } @else { "★ " (result.star) }
            }
            div.starline aria-hidden="true" {
                @for star in 1..=STARS { @if star <= result.star { "★" } @else { i { "★" } } }
            }
            p.soft { (lang.t(kind)) " · " (lang.t(Text::Target)) " ★ " (result.target) }
        }
        h2 { (lang.t(Text::StarsOf)) }
        div.tiles { @for level in &result.levels {
            div.tile {
                div.k { "★ " (level.star) " · " (level.required) " " (lang.t(Text::Required)) }
                div.v { (level.met + level.not_applicable) " / " (level.required) }
                div.small.soft {
                    (lang.t(Text::NotMet)) " " (level.not_met) " · "
                    (lang.t(Text::OutcomeUnknown)) " " (level.unknown)
                }
            }
        } }
        @if let Some(next) = result.next && !missing.is_empty() {
            h2 { (lang.t(Text::MissingForNext)) " (★ " (next) ") " span.soft.num { (missing.len()) } }
            ul.list { @for check in missing { (lacking(lang, result, check)) } }
        }
        (report(view, lang))
        (categories(lang, result))
        @if let Some(report) = &result.environment { (environment(lang, report)) }
        (attestations(view, ask))
        (advisory(lang, &result.advisory))
        h2 { (lang.t(Text::Checks)) " " span.soft.num { (result.checks.len()) } }
        (checks(lang, result))
        (self_test(lang, result))
        p.small.soft {
            (lang.t(Text::RulePack)) (lang.colon()) (result.pack.id) " " (result.pack.version)
            " · SHA-256 " span.breaks { (result.pack.sha256) }
        }
    }
}

/// Where the report is, and the key that signs it.
fn report(view: &View, lang: Lang) -> Markup {
    let Some(reporter) = &view.reporter else { return html! {} };
    let link = |form: Form| format!("/api/v1/stars/report?format={}", form.word());
    html! {
        h2 { (lang.t(Text::Report)) }
        @match reporter.key() {
            Err(fault) => p.banner.warn { (lang.of(&fault.words())) },
            Ok(key) => {
                p {
                    a href=(link(Form::Html)) download { (lang.t(Text::ReportPage)) } " · "
                    a href=(link(Form::Json)) download { (lang.t(Text::ReportData)) }
                }
                p.small.soft { (lang.t(Text::ReportSigned)) }
                p.hex {
                    (lang.t(Text::PublicKey)) " (Ed25519)" (lang.colon()) (key.public_hex()) br;
                    (lang.t(Text::Fingerprint)) (lang.colon()) (fingerprint(key.public()))
                }
            }
        }
    }
}

/// For how long the check has not passed.
fn unmet_for(result: &Assessment, check: &CheckResult) -> Option<Duration> {
    let ms = result.at_ms?.checked_sub(check.since_ms?)?;
    u64::try_from(ms).ok().map(Duration::from_millis)
}

fn lacking(lang: Lang, result: &Assessment, check: &CheckResult) -> Markup {
    html! {
        li {
            span { (outcome(lang, check.outcome)) }
            span.t { (check.id) " " (name(lang, check)) }
            span.small.num.soft { (compared(lang, check)) }
            @if let Some(span) = unmet_for(result, check) {
                span.small.soft { (lang.t(Text::Since)) " " (show::span(lang, span)) }
            }
            div.d.small {
                @if let Some(reason) = &check.reason { div { (lang.of(reason)) } }
                @if let Some(hint) = &check.hint {
                    div.soft { (lang.t(Text::WhatToDo)) (lang.colon()) (lang.of(hint)) }
                }
                @if !check.devices.is_empty() {
                    details {
                        summary {
                            (lang.t(Text::Devices)) " "
                            (u32::try_from(check.devices.len()).unwrap_or(u32::MAX).saturating_add(check.more_devices))
                        }
                        @for cause in &check.devices {
                            div {
                                a href={ "/devices/" (cause.device) } { (cause.name) } " "
                                (health(lang, cause.health)) " "
                                @if let Some(lacks) = &cause.lacks { (lang.of(lacks)) }
                                @else { span.num { (show::percent(cause.share.unwrap_or(cause.online_rate))) } }
                                @if let Some(seconds) = cause.for_s {
                                    span.soft {
                                        " · " (lang.t(Text::Since)) " "
                                        (show::span(lang, Duration::from_secs(seconds)))
                                    }
                                }
                                @if let Some(text) = &cause.cause { span.soft { " · " (show::shorten(lang.of(text))) } }
                            }
                        }
                        @if check.more_devices > 0 { div.soft { "+ " (check.more_devices) } }
                    }
                }
            }
        }
    }
}

fn categories(lang: Lang, result: &Assessment) -> Markup {
    html! {
        h2 { (lang.t(Text::Categories)) }
        table {
            thead { tr {
                th { (lang.t(Text::Category)) } th { (lang.t(Text::Devices)) }
                th { (lang.t(Text::ConnectedDevices)) } th { (lang.t(Text::Inventory)) } th { (lang.t(Text::Found)) }
                th { (lang.t(Text::OnlineRate)) } th { (lang.t(Text::State)) }
            } }
            tbody { @for row in &result.categories { tr {
                td.head { (lang.pick(row.category.zh(), row.category.en())) }
                td.num data-l=(lang.t(Text::Devices)) { (row.devices) }
                td.num data-l=(lang.t(Text::ConnectedDevices)) { (row.connected) }
                td.num data-l=(lang.t(Text::Inventory)) {
                    (row.inventory.map_or_else(|| "—".to_owned(), |count| count.to_string()))
                }
                td.num.zero[row.found == 0] data-l=(lang.t(Text::Found)) { (row.found) }
                td.num data-l=(lang.t(Text::OnlineRate)) {
                    (row.online_rate.map_or_else(|| "—".to_owned(), show::percent))
                }
                td data-l=(lang.t(Text::State)) {
                    @if row.not_applicable { (pill("off", lang.t(Text::NotApplicable))) }
                    @else if row.out_of_season { (pill("off", lang.t(Text::OutOfSeason))) }
                    @else if row.covered { (pill("ok", lang.t(Text::Covered))) }
                    @else { (pill("off", lang.t(Text::NotCovered))) }
                }
            } } }
        }
        @if result.found_unknown > 0 {
            p.small.soft { (lang.t(Text::FoundNotRegistered)) (lang.colon()) (lang.t(Text::Unknown)) " " (result.found_unknown) }
        }
    }
}

fn checks(lang: Lang, result: &Assessment) -> Markup {
    html! {
        table {
            thead { tr {
                th { (lang.t(Text::Checks)) } th { (lang.t(Text::State)) } th { "★" }
                th { (lang.t(Text::Measured)) } th { (lang.t(Text::Needed)) } th { (lang.t(Text::Source)) }
            } }
            tbody { @for check in &result.checks { tr {
                td.head {
                    b { (check.id) } " " (name(lang, check))
                    @if let Some(reason) = &check.reason { div.small.soft { (lang.of(reason)) } }
                }
                td data-l=(lang.t(Text::State)) { (outcome(lang, check.outcome)) }
                td.num data-l="★" { (check.star) }
                td.num data-l=(lang.t(Text::Measured)) {
                    (check.measured.map_or_else(|| "—".to_owned(), |value| measure(lang, check, value)))
                }
                td.num data-l=(lang.t(Text::Needed)) { (bound(lang, check)) }
                td.small data-l=(lang.t(Text::Source)) { div {
                    (lang.of(&check.source_words()))
                    div.soft { (lang.t(match check.origin {
                        Origin::Seed => Text::OriginSeed,
                        Origin::Standard => Text::OriginStandard,
                        Origin::Proposal => Text::OriginProposal,
                    })) }
                } }
            } } }
        }
    }
}

/// What the gateway found when it looked at itself, worst first.
fn self_test(lang: Lang, result: &Assessment) -> Markup {
    if result.self_test.is_empty() {
        return html! {};
    }
    let met = result.self_test.iter().filter(|item| item.outcome.passes()).count();
    html! {
        details {
            summary { (lang.t(Text::SelfTest)) " (G2) " span.num { (met) " / " (result.self_test.len()) } }
            ul.list { @for item in &result.self_test { li {
                span { (outcome(lang, item.outcome)) }
                span.t { (lang.of(&item.title)) }
                span {}
                div.d.small {
                    div { (lang.of(&item.seen)) }
                    @if let Some(todo) = &item.todo {
                        div.soft { (lang.t(Text::WhatToDo)) (lang.colon()) (lang.of(todo)) }
                    }
                }
            } } }
        }
    }
}

/// The English title of a check may be a whole definition; its first clause names it.
fn name(lang: Lang, check: &CheckResult) -> &str {
    lang.pick(&check.title.zh, check.short_en())
}

fn compared(lang: Lang, check: &CheckResult) -> String {
    let needed = bound(lang, check);
    match check.measured {
        Some(value) => format!("{} → {needed}", measure(lang, check, value)),
        None => needed,
    }
}

fn bound(lang: Lang, check: &CheckResult) -> String {
    lang.of(&check.bound_words(check.needed)).to_owned()
}

fn measure(lang: Lang, check: &CheckResult, value: Measure) -> String {
    lang.of(&check.value_words(value)).to_owned()
}
