//! `/settings`: what runs, who may do what, certificates, time, version; each with what can be done.

use maud::{Markup, html};

use super::EDITOR;
use super::words::Word;
use crate::access::Users;
use crate::status::layout::{Request, facts, page, pill};
use crate::status::page::clock_section;
use crate::status::show;
use crate::status::text::{Lang, Text};
use crate::status::tls::PageTls;
use crate::status::view::View;

/// The files of the configuration, each with the earlier versions that lie beside it.
pub(super) struct FileRow {
    pub name: String,
    pub earlier: usize,
}

/// `GET /settings`
pub(in crate::status) async fn settings(
    axum::extract::State(view): crate::status::server::Shared,
    crate::status::server::Asked(ask): crate::status::server::Asked,
) -> axum::response::Response {
    let rows = match view.files.clone() {
        None => Vec::new(),
        Some(files) => {
            let work = move || {
                let texts = files.texts().unwrap_or_default();
                let row = |(path, _): &(std::path::PathBuf, String)| FileRow {
                    name: path.display().to_string(),
                    earlier: files.earlier(path).map_or(0, |earlier| earlier.len()),
                };
                texts.iter().map(row).collect()
            };
            tokio::task::spawn_blocking(work).await.unwrap_or_default()
        }
    };
    let markup = whole(&view, &ask, &rows);
    crate::status::server::answer(&ask, markup)
}

fn whole(view: &View, ask: &Request, rows: &[FileRow]) -> Markup {
    let lang = ask.lang;
    let body = html! {
        h1 { (lang.t(Text::Settings)) }
        (configuration(view, lang, rows))
        (people(view, ask))
        (certificates(view, lang))
        (page_certificate(view, lang))
        (clock_section(view, lang))
        h2 id="version" { (lang.t(Word::Version)) }
        (facts(&[(Word::Version, view.version.clone())], lang))
        p.small.soft { (lang.t(Word::UpgradeMeans)) " " code { "sudo linli upgrade …" } }
        h2 id="support" { (lang.t(Word::Support)) }
        p.small.soft { (lang.t(Word::SupportMeans)) " " code { "sudo linli support-bundle" } }
        p.small.soft { (lang.t(Word::DoctorMeans)) " " code { "sudo linli doctor" } }
    };
    page(view, ask, "/settings", lang.t(Text::Settings), &body)
}

fn configuration(view: &View, lang: Lang, rows: &[FileRow]) -> Markup {
    let refusal = view.promises.configuration.borrow().clone();
    html! {
        h2 id="configuration" { (lang.t(Word::Configuration)) }
        @if let Some(refusal) = refusal {
            section.state.crit {
                h3 { (lang.t(Word::RefusedConfiguration)) " " span.num { (refusal.count) } }
                @for fault in &refusal.faults { p.small.breaks { (lang.words(fault)) } }
            }
        }
        @if rows.is_empty() { p.soft { (lang.t(Word::NoFile)) } } @else {
            table {
                thead { tr { th { (lang.t(Word::File)) } th { (lang.t(Word::EarlierVersions)) } } }
                tbody { @for (place, row) in rows.iter().enumerate() { tr {
                    td.head { a href={ (EDITOR) "?file=" (place) } { (row.name) } }
                    td data-l=(lang.t(Word::EarlierVersions)) { div {
                        @if row.earlier == 0 { "—" }
                        @for version in 1..=row.earlier {
                            a href={ (EDITOR) "?file=" (place) "&version=" (version) } { "−" (version) } " "
                        }
                    } }
                } } }
            }
        }
    }
}

fn people(view: &View, ask: &Request) -> Markup {
    let lang = ask.lang;
    let users = view.access.known_users();
    html! {
        h2 id="users" { (lang.t(Word::Users)) }
        @match users {
            None => p.soft { (lang.t(Word::OpenAccess)) },
            Some(users) => { (people_table(lang, &users)) }
        }
        p.small.soft {
            (lang.t(Word::UsersMeans)) " " code { "sudo linli users add NAME --role maintainer" }
            @if ask.may_act() { " · " a href="/audit" { (lang.t(Text::Audit)) } }
        }
    }
}

fn people_table(lang: Lang, users: &Users) -> Markup {
    let people = users.users.iter().map(|user| (Word::Person, &user.name, user.role.word(), None));
    let tokens = users
        .tokens
        .iter()
        .map(|token| (Word::Token, &token.name, token.role.word(), token.ends_ms));
    html! {
        table {
            thead { tr {
                th { (lang.t(Text::UserName)) } th { (lang.t(Word::Kind)) }
                th { (lang.t(Word::Role)) } th { (lang.t(Word::Until)) }
            } }
            tbody { @for (kind, name, role, ends) in people.chain(tokens) { tr {
                td.head { (name) }
                td data-l=(lang.t(Word::Kind)) { (lang.t(kind)) }
                td data-l=(lang.t(Word::Role)) { (role) }
                td.num data-l=(lang.t(Word::Until)) { (ends.map_or_else(|| "—".to_owned(), show::date)) }
            } } }
        }
    }
}

fn certificates(view: &View, lang: Lang) -> Markup {
    let list = view.promises.certificates.borrow().clone();
    let now = view.clock.wall(view.now());
    html! {
        h2 id="certificates" { (lang.t(Word::Certificates)) }
        @if list.is_empty() { p.soft { (lang.t(Word::NoCertificates)) } } @else {
            table {
                thead { tr {
                    th { (lang.t(Word::For)) } th { (lang.t(Text::State)) }
                    th { (lang.t(Word::Until)) } th { (lang.t(Word::File)) }
                } }
                tbody { @for one in &list { tr {
                    td.head { code { (one.what) } }
                    td data-l=(lang.t(Text::State)) {
                        @match now {
                            None => (pill("off", lang.t(Text::ClockUntrusted))),
                            Some(now) if one.seconds_left(now) < 0 => (pill("crit", lang.t(Word::Expired))),
                            Some(now) if one.is_due(now) => (pill("warn", lang.t(Word::ExpiresSoon))),
                            Some(_) => (pill("ok", lang.t(Word::Valid))),
                        }
                    }
                    td.num data-l=(lang.t(Word::Until)) { (show::date(one.expires_ms)) }
                    td data-l=(lang.t(Word::File)) { div.small.breaks { (one.source) } }
                } } }
            }
        }
    }
}

/// The certificate of this very page, for who wants to compare its fingerprint.
fn page_certificate(view: &View, lang: Lang) -> Markup {
    let shown = view.tls.as_ref().map(PageTls::certificate);
    html! {
        h2 {
            (lang.t(Text::PageCertificate)) " "
            @match &shown {
                None => (pill("off", lang.t(Text::Plain))),
                Some(one) if one.fault.is_some() => (pill("crit", lang.t(Text::NotRenewed))),
                Some(_) => (pill("ok", lang.t(Text::Encrypted))),
            }
        }
        @if let Some(one) = &shown {
            @if let Some(fault) = &one.fault { p { (lang.t(Text::Fault)) (lang.colon()) (lang.words(fault)) } }
            p.small.soft { (lang.t(if one.own { Text::OwnCertificate } else { Text::CertificateOfFiles })) }
            p.hex { "SHA-256 " (one.fingerprint) }
        }
    }
}
