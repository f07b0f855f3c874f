//! What people attest: what holds, what is about to expire, the forms, who did what; and what
//! scans found that is not registered.

use maud::{Markup, html};

use crate::model::WallTime;
use crate::starlevel::{
    AdvisoryResult, AttestationDesk, AttestationResult, AttestationSource, Attested, Deed,
    LONGEST_NAME, LONGEST_TEXT, MOST_DEVICES_ATTESTED, Standing,
};
use crate::status::attest::twelve;
use crate::status::layout::{Request, outcome, pill};
use crate::status::show;
use crate::status::text::{Lang, Text};
use crate::status::view::View;

/// Found devices that are listed; the rest is counted.
const LISTED: usize = 100;

/// All about attestations; nothing where none can be kept.
pub(super) fn attestations(view: &View, ask: &Request) -> Markup {
    let lang = ask.lang;
    let Some(desk) = &view.desk else { return html! {} };
    let now = view.clock.wall(view.now());
    let attested = desk.attested().borrow().clone();
    let results = desk.judged(now);
    html! {
        h2 id="attestations" { (lang.t(Text::Attestations)) " " span.soft.num { (results.len()) } }
        p.small.soft { (lang.t(Text::AttestationsMean)) }
        @if results.is_empty() { p { (lang.t(Text::NothingAttested)) } } @else { (list(ask, &results)) }
        @if now.is_none() { p.banner.warn { (lang.t(Text::AttestNeedsClock)) } }
        @else if ask.may_act() { (forms(ask, desk, now)) }
        (deeds(lang, &attested))
        (found(lang, &attested))
    }
}

fn list(ask: &Request, results: &[AttestationResult]) -> Markup {
    let lang = ask.lang;
    html! {
        table {
            thead { tr {
                th { (lang.t(Text::Attested)) } th { (lang.t(Text::State)) } th.num { (lang.t(Text::AttestedBy)) }
                th { (lang.t(Text::AttestedOn)) } th { (lang.t(Text::ValidUntil)) } th { (lang.t(Text::Source)) }
            } }
            tbody { @for result in results {
                @let said = &result.attestation;
                tr {
                    td.head {
                        (lang.of(&said.subject.told()))
                        @if !said.note.is_empty() { div.small.soft { (said.note) } }
                        @if let Some(why) = result.why_not() { div.small.soft { (lang.of(&why)) } }
                    }
                    td data-l=(lang.t(Text::State)) { (state(lang, result)) }
                    td.num data-l=(lang.t(Text::AttestedBy)) { (said.by) }
                    td.num data-l=(lang.t(Text::AttestedOn)) { (said.on) }
                    td.num data-l=(lang.t(Text::ValidUntil)) { (said.until) }
                    td data-l=(lang.t(Text::Source)) { @match result.source {
                        AttestationSource::File => (lang.t(Text::FromFile)),
                        AttestationSource::Page => div {
                            span.num { (lang.t(Text::FromPage)) }
                            @if ask.may_act() { details {
                                summary { (lang.t(Text::Withdraw)) }
                                form method="post" action="/stars/withdraw" {
                                    (ask.form_field())
                                    input type="hidden" name="what" value=(said.subject.word());
                                    label { (lang.t(Text::YourName)) " " (person(ask)) }
                                    " " button { (lang.t(Text::Withdraw)) }
                                }
                            } }
                        },
                    } }
                }
            } }
        }
    }
}

fn state(lang: Lang, result: &AttestationResult) -> Markup {
    let class = match result.state {
        Standing::Valid if !result.is_ending() => "ok",
        Standing::Valid | Standing::NotYetValid | Standing::ClockNotTrusted => "warn",
        Standing::Expired | Standing::Contradicted => "crit",
    };
    pill(class, lang.of(&result.state_words()))
}

fn person(ask: &Request) -> Markup {
    html! {
        input name="by" required maxlength=(LONGEST_NAME) autocomplete="name" value=[ask.person()];
    }
}

/// One form a kind, each behind its own heading.
fn forms(ask: &Request, desk: &AttestationDesk, now: Option<WallTime>) -> Markup {
    let lang = ask.lang;
    let text = |name: &str, label: Text| {
        html! {
            label { (lang.t(label)) input name=(name) required maxlength=(LONGEST_TEXT); }
        }
    };
    let form = |kind: &str, title: Text, fields: Markup| {
        html! {
            details.card {
                summary { (lang.t(title)) }
                form.fields method="post" action="/stars/attest" {
                    (ask.form_field())
                    input type="hidden" name="kind" value=(kind);
                    (fields)
                    (signature(ask, desk, now))
                }
            }
        }
    };
    let scope = desk.pack().scope().meters_words();
    let scope = lang.of(&scope);
    html! {
        h3.next { (lang.t(Text::NewAttestation)) }
        (form("inventory", Text::AttestInventory, html! {
            p.small.soft { (lang.t(Text::InventoryMeans)) " " (lang.t(Text::ScopeOfMeters)) (lang.colon()) (scope) }
            div.counts { @for category in twelve() {
                label { (lang.pick(category.zh(), category.en()))
                    input type="number" name=(category.word()) min="0" max=(MOST_DEVICES_ATTESTED) step="1" inputmode="numeric";
                }
            } }
        }))
        (form("not_applicable", Text::AttestNotApplicable, html! {
            label { (lang.t(Text::Category)) select name="category" required {
                @for category in twelve() {
                    option value=(category.word()) { (lang.pick(category.zh(), category.en())) }
                }
            } }
            (text("reason", Text::Reason))
        }))
        (form("security_grading", Text::AttestGrading, html! {
            (text("document", Text::Document)) (text("issuer", Text::Issuer))
        }))
        (form("privacy", Text::AttestPrivacy, text("document", Text::Document)))
        @if !desk.pack().advisories().is_empty() { (form("advisory", Text::AttestAdvisory, html! {
            label { (lang.t(Text::Item)) select name="item" required {
                @for advisory in desk.pack().advisories() {
                    option value=(advisory.id) {
                        (advisory.id) " " (lang.pick(&advisory.zh, if advisory.en.is_empty() { &advisory.zh } else { &advisory.en }))
                    }
                }
            } }
            label { (lang.t(Text::Percent)) input type="number" name="percent" required min="0" max="100" step="any"; }
            (text("origin", Text::Origin))
        })) }
    }
}

/// Name, last day, note, and the button.
fn signature(ask: &Request, desk: &AttestationDesk, now: Option<WallTime>) -> Markup {
    let lang = ask.lang;
    let today = now.map(|now| desk.day(now));
    let days = desk.pack().evaluation().attestation_valid_days;
    let latest = today.map(|today| today.plus(days));
    html! {
        label { (lang.t(Text::YourName)) (person(ask)) }
        label { (lang.t(Text::ValidUntil))
            input type="date" name="until" min=[today] max=[latest] value=[latest];
        }
        label { (lang.t(Text::Note)) input name="note" maxlength=(LONGEST_TEXT); }
        button { (lang.t(Text::Attest)) }
    }
}

fn deeds(lang: Lang, attested: &Attested) -> Markup {
    html! { @if !attested.deeds.is_empty() {
        details {
            summary { (lang.t(Text::WhoAttested)) " " (attested.deeds.len()) }
            ul.list { @for deed in &attested.deeds {
                @let (at, text, told, by) = match deed {
                    Deed::Attested { attestation, at_ms } => (
                        Some(*at_ms), Text::Attested, attestation.subject.told(), &attestation.by,
                    ),
                    Deed::Withdrawn { subject, by, at_ms } => (*at_ms, Text::Withdrawn, subject.told(), by),
                };
                li {
                    span { (by) }
                    span.small { (lang.t(text)) (lang.colon()) (lang.of(&told)) }
                    span.small.num.soft { (at.map_or_else(|| lang.t(Text::ClockUntrusted).to_owned(), show::date)) }
                }
            } }
        }
    } }
}

fn found(lang: Lang, attested: &Attested) -> Markup {
    html! { @if !attested.found.is_empty() {
        h2 { (lang.t(Text::FoundNotRegistered)) " " span.soft.num { (attested.found.len()) } }
        p.small.soft { (lang.t(Text::FoundMeans)) }
        table {
            thead { tr {
                th { (lang.t(Text::Connection)) } th { (lang.t(Text::Protocol)) }
                th { (lang.t(Text::Category)) } th { (lang.t(Text::FirstSeen)) }
            } }
            tbody { @for device in attested.found.iter().take(LISTED) { tr {
                td.head { (device.place()) }
                td data-l=(lang.t(Text::Protocol)) { (device.protocol) }
                td data-l=(lang.t(Text::Category)) {
                    (device.category.map_or_else(|| lang.t(Text::Unknown), |c| lang.pick(c.zh(), c.en())))
                }
                td.num data-l=(lang.t(Text::FirstSeen)) {
                    (device.first_seen_ms.map_or_else(|| lang.t(Text::ClockUntrusted).to_owned(), show::date))
                }
            } } }
        }
        @if attested.found.len() > LISTED { p.soft { "+ " (attested.found.len() - LISTED) } }
    } }
}

/// The advisory list, apart from the star.
pub(super) fn advisory(lang: Lang, results: &[AdvisoryResult]) -> Markup {
    html! { @if !results.is_empty() {
        h2 { (lang.t(Text::AdvisoryList)) }
        p.small.soft { (lang.t(Text::AdvisoryMeans)) }
        table {
            thead { tr {
                th { (lang.t(Text::Item)) } th { (lang.t(Text::State)) }
                th { (lang.t(Text::Attested)) } th { (lang.t(Text::Needed)) }
            } }
            tbody { @for result in results { tr {
                td.head {
                    b { (result.id) } " " (lang.of(&result.title))
                    @if let Some(reason) = &result.reason { div.small.soft { (lang.of(reason)) } }
                }
                td data-l=(lang.t(Text::State)) { (outcome(lang, result.outcome)) }
                td.num data-l=(lang.t(Text::Attested)) {
                    (result.value.map_or_else(|| "—".to_owned(), show::percent))
                }
                td.num data-l=(lang.t(Text::Needed)) { "≥ " (show::percent(result.threshold)) }
            } } }
        }
    } }
}
