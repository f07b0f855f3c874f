//! `/settings`: what runs, who may do what, certificates, time, version; each with what can be done.

use std::path::PathBuf;

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::edit::{notice, told};
use super::words::Word;
use super::{EDITOR, Files, HandedOver};
use crate::access::Users;
use crate::proposal::Waiting;
use crate::status::layout::{Request, facts, page, pill};
use crate::status::page::clock_section;
use crate::status::server::{Asked, Shared, answer};
use crate::status::show;
use crate::status::text::{Lang, Text};
use crate::status::tls::PageTls;
use crate::status::view::View;

/// The files of the configuration, each with the earlier versions that lie beside it.
struct FileRow {
    name: String,
    earlier: usize,
}

/// What was handed over: what became of the last change, and one that waits.
#[derive(Default)]
struct Handed {
    last: Option<HandedOver>,
    waits: Option<Waiting>,
}

/// `GET /settings`
pub(in crate::status) async fn settings(State(view): Shared, Asked(ask): Asked) -> Response {
    let work = view.files.clone().map(|files| {
        tokio::task::spawn_blocking(move || {
            let handed = Handed { waits: files.waiting(), last: files.handed_over() };
            (rows(&*files), handed)
        })
    });
    let (rows, handed) = match work {
        None => (Ok(Vec::new()), Handed::default()),
        Some(work) => {
            work.await.unwrap_or_else(|error| (Err(error.to_string()), Handed::default()))
        }
    };
    answer(&ask, whole(&view, &ask, &rows, &handed))
}

/// The files, or why they cannot be read.
fn rows(files: &dyn Files) -> Result<Vec<FileRow>, String> {
    let texts = files.texts().map_err(|faults| told(&faults))?;
    let row = |(path, _): (PathBuf, String)| {
        let earlier = files.earlier(&path).map_err(|error| error.to_string())?.len();
        Ok(FileRow { name: path.display().to_string(), earlier })
    };
    texts.into_iter().map(row).collect()
}

fn whole(
    view: &View,
    ask: &Request,
    rows: &Result<Vec<FileRow>, String>,
    handed: &Handed,
) -> Markup {
    let lang = ask.lang;
    let body = html! {
        h1 { (lang.t(Text::Settings)) }
        (handed_over(lang, handed))
        (configuration(view, lang, rows))
        (people(view, ask))
        (certificates(view, lang))
        (page_certificate(view, lang))
        (clock_section(view, lang))
        h2 id="version" { (lang.t(Word::Version)) }
        (facts(&[(Word::Version, view.version.clone())], lang))
        p.small.soft { (lang.t(Word::UpgradeMeans)) " " code { "sudo linli upgrade …" } }
        h2 id="support" { (lang.t(Word::Support)) }
        @if view.support.is_some() && ask.may_act() {
            p { a href="/api/v1/support-bundle" download { (lang.t(Word::DownloadBundle)) } }
        }
        p.small.soft { (lang.t(Word::SupportMeans)) " " code { "sudo linli support-bundle" } }
        p.small.soft { (lang.t(Word::DoctorMeans)) " " code { "sudo linli doctor" } }
    };
    page(view, ask, "/settings", lang.t(Text::Settings), &body)
}

/// A change that waits, else what became of the last one.
fn handed_over(lang: Lang, handed: &Handed) -> Markup {
    let about = |file: &str, who: &str, at_ms: i64| {
        let parts = [file, who, &show::date(at_ms)];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        html! { p.small.breaks { (parts.join(" · ")) } }
    };
    match handed {
        Handed { waits: Some(Waiting { file, who, since_ms }), .. } => html! {
            section.state.note role="status" {
                h2.first { (lang.t(Word::WaitingChange)) }
                (about(file, who, *since_ms))
                p.small { (lang.t(Word::WaitingMore)) " " code { "systemctl status linli-apply.path" } }
            }
        },
        Handed { last: Some(HandedOver { file, who, refused: Some(why), at_ms }), .. } => html! {
            section.state.crit {
                h2.first { (lang.t(Word::RefusedChange)) }
                (about(file, who, *at_ms))
                @for line in lang.words(why).lines() { p.small.breaks { (line) } }
            }
        },
        Handed { last: Some(HandedOver { file, who, refused: None, at_ms }), .. } => html! {
            section.state.ok role="status" {
                h2.first { (lang.t(Word::InstalledChange)) }
                (about(file, who, *at_ms))
            }
        },
        Handed { last: None, waits: None } => html! {},
    }
}

fn configuration(view: &View, lang: Lang, rows: &Result<Vec<FileRow>, String>) -> Markup {
    let refusal = view.promises.configuration.borrow().clone();
    html! {
        h2 id="configuration" { (lang.t(Word::Configuration)) }
        @if let Some(refusal) = refusal {
            section.state.crit {
                h3 { (lang.t(Word::RefusedConfiguration)) " " span.num { (refusal.count) } }
                @for fault in &refusal.faults { p.small.breaks { (lang.words(fault)) } }
            }
        }
        @match rows {
            Err(why) => (notice("crit", lang.t(Word::NotReadable), why)),
            Ok(rows) if rows.is_empty() => p.soft { (lang.t(Word::NoFile)) },
            Ok(rows) => (files_table(lang, rows)),
        }
    }
}

fn files_table(lang: Lang, rows: &[FileRow]) -> Markup {
    html! {
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
