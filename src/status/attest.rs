//! Takes attestations from the page, and withdraws them, by name.

pub(super) mod api;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};

use super::exchange::{from_this_page, refuse};
use super::view::View;
use crate::model::{Category, EventKind};
use crate::pipeline::Act;
use crate::settings::Wrong;
use crate::starlevel::{Attestation, AttestationDesk, DeskError, Subject, sentence, whole};

/// Fields of a form by name.
type Fields = BTreeMap<String, String>;

/// What is wrong with a field.
struct WrongField {
    field: String,
    wrong: Wrong,
}

/// Takes what a person vouches for; the page comes back once it is durable.
pub(super) async fn attest(
    State(view): State<Arc<View>>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let desk = match desk(&view, &headers) {
        Ok(desk) => desk,
        Err(refused) => return *refused,
    };
    let subjects = match subjects(&desk, &fields) {
        Ok(subjects) => subjects,
        Err(WrongField { field, wrong }) => {
            let (status, why) = value(&field, &wrong);
            return refuse(status, &why);
        }
    };
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let said = [field("by"), field("until"), field("note")];
    match vouch(&view, desk, subjects, said).await {
        Ok(()) => Redirect::to("/stars#attestations").into_response(),
        Err((status, why)) => refuse(status, &why),
    }
}

/// A status and why, in both languages.
type Refused = (StatusCode, String);

/// Keeps it and tells of it; `said` is by whom, until when, and a remark.
async fn vouch(
    view: &View,
    desk: AttestationDesk,
    subjects: Vec<Subject>,
    [by, until, note]: [String; 3],
) -> Result<(), Refused> {
    let now = view.clock.wall(view.now());
    let work = move || desk.attest(subjects, &by, &until, &note, now);
    let given = tokio::task::spawn_blocking(work).await.map_err(|_| stopping())?;
    for Attestation { subject, by, until, .. } in given.map_err(|error| deed(&error))? {
        let (what, told) = (subject.word(), subject.told());
        tracing::info!(what, by, "attested on the page");
        let (said, said_zh, until) = (told.en, told.zh, until.to_string());
        tell(view, EventKind::Attested { what, said, said_zh, by, until }).await;
    }
    Ok(())
}

/// Withdraws what was attested on the page about one subject.
pub(super) async fn withdraw(
    State(view): State<Arc<View>>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let desk = match desk(&view, &headers) {
        Ok(desk) => desk,
        Err(refused) => return *refused,
    };
    let field =
        |name: &str| fields.get(name).map(|text| text.trim().to_owned()).unwrap_or_default();
    match take_back(&view, desk, field("what"), field("by")).await {
        Ok(()) => Redirect::to("/stars#attestations").into_response(),
        Err((status, why)) => refuse(status, &why),
    }
}

async fn take_back(
    view: &View,
    desk: AttestationDesk,
    what: String,
    by: String,
) -> Result<(), Refused> {
    let now = view.clock.wall(view.now());
    let work = {
        let (what, by) = (what.clone(), by.clone());
        move || desk.withdraw(&what, &by, now)
    };
    let done = tokio::task::spawn_blocking(work).await.map_err(|_| stopping())?;
    done.map_err(|error| deed(&error))?;
    tracing::info!(what, by, "an attestation was withdrawn on the page");
    tell(view, EventKind::AttestationWithdrawn { what, by }).await;
    Ok(())
}

const NO_DESK: &str = "此处无法保存 / nothing can be kept here";

fn desk(view: &View, headers: &HeaderMap) -> Result<AttestationDesk, Box<Response>> {
    if !from_this_page(headers) {
        let why = "只能在本网关自己的页面上签认 / only this gateway's own page may attest";
        return Err(Box::new(refuse(StatusCode::FORBIDDEN, why)));
    }
    view.desk.clone().ok_or_else(|| Box::new(refuse(StatusCode::SERVICE_UNAVAILABLE, NO_DESK)))
}

/// It is kept already: the platform also hears of it in the assessment.
async fn tell(view: &View, kind: EventKind) {
    if view.acts.send(Act::Kept(kind)).await.is_err() {
        tracing::info!("the gateway is stopping: the platform hears of it in the next assessment");
    }
}

/// What a form vouches for.
fn subjects(desk: &AttestationDesk, fields: &Fields) -> Result<Vec<Subject>, WrongField> {
    let kind = fields.get("kind").map_or("", String::as_str);
    match kind {
        "inventory" => inventory(fields),
        "not_applicable" => {
            let word = fields.get("category").map_or("", String::as_str);
            let category = twelve().find(|category| category.word() == word);
            let category = category.ok_or_else(|| {
                wrong("category", ("is none of the twelve categories", "不是十二类之一"))
            })?;
            Ok(vec![Subject::NotApplicable { category, reason: text(fields, "reason")? }])
        }
        "security_grading" => {
            let (document, issuer) = (text(fields, "document")?, text(fields, "issuer")?);
            Ok(vec![Subject::SecurityGrading { document, issuer }])
        }
        "privacy" => Ok(vec![Subject::Privacy { document: text(fields, "document")? }]),
        "advisory" => {
            let item = fields.get("item").cloned().unwrap_or_default();
            known_item(desk, &item)?;
            let percent: Option<f64> =
                number(fields, "percent").filter(|p| (0.0..=100.0).contains(p));
            let share = percent
                .ok_or_else(|| wrong("percent", ("is not 0 to 100", "不是 0 至 100 的数")))?
                / 100.0;
            Ok(vec![Subject::Advisory { item, share, origin: text(fields, "origin")? }])
        }
        _ => Err(wrong("kind", ("is no kind of attestation", "不是可签认的事项"))),
    }
}

fn known_item(desk: &AttestationDesk, item: &str) -> Result<(), WrongField> {
    match desk.pack().advisories().iter().any(|advisory| advisory.id == item) {
        true => Ok(()),
        false => Err(wrong("item", ("is no item of the rule pack", "不在规则包之列"))),
    }
}

/// The categories whose count was filled in.
fn inventory(fields: &Fields) -> Result<Vec<Subject>, WrongField> {
    let mut subjects = Vec::new();
    for category in twelve() {
        let key = category.word();
        if fields.get(key).is_none_or(|text| text.trim().is_empty()) {
            continue;
        }
        let number = number(fields, key).unwrap_or(f64::NAN);
        let devices = whole(number).map_err(|wrong| WrongField { field: key.to_owned(), wrong })?;
        subjects.push(Subject::Inventory { category, devices });
    }
    if subjects.is_empty() {
        return Err(wrong("devices", ("no count is filled in", "未填写任何数量")));
    }
    Ok(subjects)
}

/// The categories of the standard, without `other`.
pub(super) fn twelve() -> impl Iterator<Item = Category> {
    Category::ALL.iter().copied().filter(|category| *category != Category::Other)
}

fn number(fields: &Fields, key: &str) -> Option<f64> {
    fields.get(key)?.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

fn text(fields: &Fields, key: &str) -> Result<String, WrongField> {
    let text = fields.get(key).map_or("", String::as_str);
    sentence(text).map_err(|wrong| WrongField { field: key.to_owned(), wrong })
}

fn wrong(field: &str, problem: (&str, &str)) -> WrongField {
    WrongField { field: field.to_owned(), wrong: Wrong::new(problem) }
}

fn value(field: &str, wrong: &Wrong) -> Refused {
    let problem = &wrong.problem;
    (StatusCode::BAD_REQUEST, format!("{field}：{} / {field}: {}", problem.zh, problem.en))
}

fn deed(error: &DeskError) -> Refused {
    match error {
        DeskError::Wrong { field, wrong } => value(field, wrong),
        DeskError::NothingThere(_) => {
            (StatusCode::NOT_FOUND, format!("此处没有这项签认，未作改动 / {error}"))
        }
        DeskError::ClockNotTrusted => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("时钟尚未校时，签认需要日期；未保存 / {error}"),
        ),
        DeskError::Store(_) => {
            tracing::warn!(%error, "an attestation was not kept");
            (StatusCode::SERVICE_UNAVAILABLE, format!("未能保存，请稍后再试 / {error}"))
        }
    }
}

fn stopping() -> Refused {
    (StatusCode::SERVICE_UNAVAILABLE, "网关正在停止 / the gateway is stopping".to_owned())
}
