//! The editor of the configuration: shows a file, checks what was made of it with the faults at
//! their lines, shows what differs, and applies it. Nothing is written that the checker refuses.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::words::Word;
use super::{EDITOR, Files, Writing};
use crate::proposal::{digest_of, new_paths};
use crate::settings::Fault;
use crate::status::access::OnlyLooked;
use crate::status::assets;
use crate::status::layout::{Request, page};
use crate::status::server::{Asked, Shared, answer};
use crate::status::text::{Lang, Text};
use crate::status::view::View;

/// Most faults shown at once: whoever mends the first ones checks again.
const MOST_FAULTS: usize = 50;
/// Lines of the text field.
const ROWS: &str = "32";

/// A file as it is edited.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    /// Its place among the files.
    place: usize,
    /// All files as they lie there.
    files: Vec<(PathBuf, String)>,
    /// What was made of it.
    text: String,
    /// Digest of the file that the draft began with.
    base: String,
    pub(super) writing: Writing,
}

/// What the check of a draft found.
#[derive(Debug, Clone)]
pub(super) enum Checked {
    /// Not checked yet.
    Not,
    /// The earlier version that was asked for cannot be read.
    Gone,
    Wrong(Vec<Fault>),
    /// It can be applied; what differs.
    Good(String),
    /// Somebody else changed the file meanwhile.
    Stale,
    /// It could not be written, or the daemon stops.
    Failed(String),
    /// It names files that only root brings in.
    Paths(Vec<String>),
}

/// `GET /settings/configuration?file=0`; with `version=1` the text of an earlier version of it.
pub(in crate::status) async fn editor(State(view): Shared, Asked(ask): Asked) -> Response {
    let Some(files) = view.files.clone() else { return nothing(&view, &ask) };
    let place = number(ask.query("file"));
    let version = ask.query("version").to_owned();
    let work = move || at_version(&*files, place, number(&version).checked_sub(1));
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok((draft, checked))) => show(&view, &ask, &draft, &checked, StatusCode::OK),
        Ok(Err(faults)) => unreadable(&view, &ask, &faults),
        Err(error) => failed(&view, &ask, &error.to_string()),
    }
}

/// `POST /settings/configuration`: `act=check` checks, `act=apply` writes and applies as well.
pub(in crate::status) async fn change(
    State(view): Shared,
    Asked(ask): Asked,
    Form(fields): Form<BTreeMap<String, String>>,
) -> Response {
    let Some(files) = view.files.clone() else { return nothing(&view, &ask) };
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    // Browsers send the ends of lines as CR LF, whatever the file has.
    let (text, base) = (field("text").replace("\r\n", "\n"), field("base"));
    let (place, apply) = (number(&field("file")), field("act") == "apply");
    let who = ask.who.as_ref().map_or("-", |who| who.name.as_str()).to_owned();
    let work = {
        let (files, who) = (Arc::clone(&files), who.clone());
        move || take(&*files, place, (text, base), apply.then_some(who.as_str()))
    };
    let (draft, checked) = match tokio::task::spawn_blocking(work).await {
        Ok(Ok(taken)) => taken,
        Ok(Err(faults)) => return unreadable(&view, &ask, &faults),
        Err(error) => return failed(&view, &ask, &error.to_string()),
    };
    let status = match &checked {
        Checked::Wrong(_) | Checked::Paths(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Checked::Stale => StatusCode::CONFLICT,
        Checked::Failed(_) => StatusCode::SERVICE_UNAVAILABLE,
        Checked::Good(_) if apply => {
            let who = ask.who.as_ref().map_or("-", |who| who.name.as_str());
            let file = draft.file().display().to_string();
            tracing::info!(file, who, "the configuration was changed on the page");
            return applied(&view, &ask, &*files, draft.writing);
        }
        Checked::Good(_) | Checked::Not | Checked::Gone => StatusCode::OK,
    };
    let mut response = show(&view, &ask, &draft, &checked, status);
    if !apply {
        response.extensions_mut().insert(OnlyLooked);
    }
    response
}

impl Draft {
    fn file(&self) -> &Path {
        self.files.get(self.place).map_or(Path::new(""), |(path, _)| path)
    }

    fn kept(&self) -> &str {
        self.files.get(self.place).map_or("", |(_, text)| text)
    }
}

fn number(text: &str) -> usize {
    text.parse().unwrap_or(0)
}

/// A file as it is.
fn load(files: &dyn Files, place: usize) -> Result<Draft, Vec<Fault>> {
    let texts = files.texts()?;
    let place = place.min(texts.len().saturating_sub(1));
    let (base, text) = (String::new(), String::new());
    let mut draft = Draft { place, files: texts, text, base, writing: Writing::No };
    // An editor that shows another text would undo what others did.
    draft.base = digest_of(draft.kept());
    draft.writing = files.writing(draft.file());
    draft.text = draft.kept().to_owned();
    Ok(draft)
}

/// A file as it is, or as an earlier version of it was.
fn at_version(
    files: &dyn Files,
    place: usize,
    version: Option<usize>,
) -> Result<(Draft, Checked), Vec<Fault>> {
    let mut draft = load(files, place)?;
    let Some(version) = version else { return Ok((draft, Checked::Not)) };
    let Some(text) = earlier(files, draft.file(), version) else {
        return Ok((draft, Checked::Gone));
    };
    draft.text = text;
    Ok((draft, Checked::Not))
}

/// What an earlier version of a file held, if it is still there.
fn earlier(files: &dyn Files, file: &Path, version: usize) -> Option<String> {
    let path = files.earlier(file).ok()?.into_iter().nth(version)?;
    fs::read_to_string(path).ok()
}

/// Checks what was made of a file, and writes it when it is good and that is asked for.
pub(super) fn take(
    files: &dyn Files,
    place: usize,
    (text, base): (String, String),
    apply: Option<&str>,
) -> Result<(Draft, Checked), Vec<Fault>> {
    let mut draft = load(files, place)?;
    let stale = draft.base != base;
    draft.text = text;
    if stale {
        return Ok((draft, Checked::Stale));
    }
    let mut texts = draft.files.clone();
    if let Some((_, text)) = texts.get_mut(draft.place) {
        text.clone_from(&draft.text);
    }
    let faults = files.examine(&texts);
    if !faults.is_empty() {
        return Ok((draft, Checked::Wrong(faults)));
    }
    let difference = crate::diff::unified(draft.kept(), &draft.text);
    if draft.writing == Writing::HandedOver {
        let paths = new_paths(&draft.files, &texts);
        if !paths.is_empty() {
            return Ok((draft, Checked::Paths(paths)));
        }
    }
    if let Some(who) = apply.filter(|_| !difference.is_empty()) {
        let done = match draft.writing {
            Writing::HandedOver => files.hand_over(draft.file(), &draft.base, &draft.text, who),
            Writing::Own | Writing::No => files.write(draft.file(), &draft.text).map(drop),
        };
        if let Err(error) = done {
            return Ok((draft, Checked::Failed(error.to_string())));
        }
    }
    Ok((draft, Checked::Good(difference)))
}

fn show(
    view: &View,
    ask: &Request,
    draft: &Draft,
    checked: &Checked,
    code: StatusCode,
) -> Response {
    let lang = ask.lang;
    let title = lang.t(Word::Configuration);
    let may = ask.may_act();
    let body = html! {
        p.small { a href="/settings" { "← " (lang.t(Text::Settings)) } }
        h1 { (title) " " span.soft.small.breaks { (draft.file().display()) } }
        (verdict(lang, draft, checked))
        form.fields.editor method="post" action=(EDITOR) {
            (ask.form_field())
            input type="hidden" name="file" value=(draft.place);
            input type="hidden" name="base" value=(draft.base);
            label { (lang.t(Word::FileText))
                textarea name="text" rows=(ROWS) spellcheck="false" autocapitalize="off" autocomplete="off" wrap="off" readonly[!may] {
                    // A first line break belongs to the markup, not to the text.
                    "\n" (draft.text)
                }
            }
            @if may {
                div.acts {
                    button name="act" value="check" { (lang.t(Word::CheckIt)) }
                    @if draft.writing != Writing::No && matches!(checked, Checked::Good(difference) if !difference.is_empty()) {
                        button name="act" value="apply" { (lang.t(Word::ApplyIt)) }
                    }
                }
                p.small.soft { (lang.t(match draft.writing {
                    Writing::Own => Word::ApplyMeans,
                    Writing::HandedOver => Word::HandOverMeans,
                    Writing::No => Word::ReadOnlyFile,
                })) }
            }
        }
        script defer src=(assets::editor().path) {}
    };
    let mut response = answer(ask, page(view, ask, "/settings", title, &body));
    *response.status_mut() = code;
    response
}

fn verdict(lang: Lang, draft: &Draft, checked: &Checked) -> Markup {
    match checked {
        Checked::Not => html! {},
        Checked::Gone => notice("warn", lang.t(Word::VersionGone), ""),
        Checked::Stale => notice("warn", lang.t(Word::FileChanged), lang.t(Word::FileChangedMore)),
        Checked::Paths(paths) => html! {
            section.state.crit role="alert" {
                h2.first { (lang.t(Word::OnlyOnTheMachine)) }
                ul.faults { @for path in paths { li { code { (path) } } } }
            }
        },
        Checked::Failed(why) => notice("crit", lang.t(Word::NotWritten), why),
        Checked::Good(difference) if difference.is_empty() => {
            notice("ok", lang.t(Word::NothingChanged), "")
        }
        Checked::Good(difference) => html! {
            (notice("ok", lang.t(Word::GoodConfiguration), lang.t(Word::GoodConfigurationMore)))
            pre.diff tabindex="0" aria-label=(lang.t(Word::Differences)) {
                @for line in difference.lines() {
                    span.(line_class(line)) { (line) "\n" }
                }
            }
        },
        Checked::Wrong(faults) => html! {
            section.state.crit role="alert" {
                h2.first { (lang.t(Word::WrongConfiguration)) " " span.num { (faults.len()) } }
                ol.faults { @for one in faults.iter().take(MOST_FAULTS) { (fault(lang, draft, one)) } }
            }
        },
    }
}

fn line_class(line: &str) -> &'static str {
    match line.bytes().next() {
        Some(b'+') => "ok",
        Some(b'-') => "crit",
        Some(b'@') => "soft",
        _ => "same",
    }
}

pub(super) fn notice(class: &str, title: &str, more: &str) -> Markup {
    html! {
        section.state.(class) role="status" {
            h2.first { (title) }
            @if !more.is_empty() { p.soft { (more) } }
        }
    }
}

/// A fault with its line of the draft; a fault of another file with the place alone.
fn fault(lang: Lang, draft: &Draft, fault: &Fault) -> Markup {
    let here = *fault.place.file == *draft.file().display().to_string();
    let line = fault.place.line;
    let source = line.checked_sub(1).filter(|_| here).and_then(|at| draft.text.lines().nth(at));
    let hint = lang.pick(fault.hint_zh.as_ref(), fault.hint.as_ref());
    html! {
        li {
            div {
                @if here && line > 0 {
                    a href="#text" data-line=(line) { (lang.t(Word::LineNumber)) " " (line) }
                } @else { (fault.place) }
                @if !fault.place.path.is_empty() { " · " code { (fault.place.path) } }
                @if let Some(value) = &fault.place.value { " = " code { (value) } }
            }
            @if let Some(source) = source { pre.source { (source.trim()) } }
            div { (lang.pick(&fault.problem_zh, &fault.problem)) }
            @if let Some(allowed) = &fault.allowed { div.small.soft { (lang.t(Word::Allowed)) (lang.colon()) (allowed) } }
            @if let Some(hint) = hint { div.small.soft { (hint) } }
        }
    }
}

/// It is written, and the daemon is asked once the answer is on its way; or it is handed over.
fn applied(view: &View, ask: &Request, files: &dyn Files, writing: Writing) -> Response {
    let lang = ask.lang;
    let handed = writing == Writing::HandedOver;
    let asked = handed || files.reload();
    let (said, more) = match (handed, asked) {
        (true, _) => (Word::HandingOver, Word::ApplyingMore),
        (false, true) => (Word::Applying, Word::ApplyingMore),
        (false, false) => (Word::NotApplied, Word::NotAppliedMore),
    };
    let body = html! {
        (notice(if asked { "ok" } else { "warn" }, lang.t(said), lang.t(more)))
        // The page is served anew by the configuration that begins: the script waits for it.
        p { a href="/settings" data-return[asked] { (lang.t(Text::Settings)) } }
        script defer src=(assets::editor().path) {}
    };
    answer(ask, page(view, ask, "/settings", lang.t(Word::Configuration), &body))
}

fn unreadable(view: &View, ask: &Request, faults: &[Fault]) -> Response {
    failed(view, ask, &told(faults))
}

fn failed(view: &View, ask: &Request, why: &str) -> Response {
    let body = notice("crit", ask.lang.t(Word::NotReadable), why);
    instead(view, ask, StatusCode::SERVICE_UNAVAILABLE, &body)
}

/// Where the gateway runs without a file.
fn nothing(view: &View, ask: &Request) -> Response {
    instead(view, ask, StatusCode::NOT_FOUND, &notice("note", ask.lang.t(Word::NoFile), ""))
}

/// What is shown in place of the editor.
fn instead(view: &View, ask: &Request, code: StatusCode, body: &Markup) -> Response {
    let title = ask.lang.t(Word::Configuration);
    let mut response = answer(ask, page(view, ask, "/settings", title, body));
    *response.status_mut() = code;
    response
}

/// All faults in one line.
pub(super) fn told(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
