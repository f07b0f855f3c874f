//! What reads the stored evidence for the page: its verification, and the report as a download. Both
//! work away from the runtime's own threads.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Json, Response};

use super::server::{Pairs, Shared, failed, language, missing};
use crate::starlevel::report::{Form, ReportFault};

/// Looks at the whole chain of evidence.
pub(super) async fn verify(State(view): Shared) -> Response {
    let Some(evidence) = view.evidence.clone() else {
        return missing("the evidence is in no store");
    };
    let verified = tokio::task::spawn_blocking(move || match evidence.verify() {
        // A day may have expired meanwhile; what is really broken is so at the second look too.
        Ok(report) if report.fault.is_some() => evidence.verify(),
        verified => verified,
    });
    match verified.await {
        Ok(Ok(report)) => Json(report).into_response(),
        Ok(Err(error)) => failed(&error.to_string()),
        Err(error) => failed(&error.to_string()),
    }
}

/// The signed report, `?format=html` or `json`, to be kept as a file. It is in both languages;
/// `?lang=zh` or `en` is the language of a refusal.
pub(super) async fn report(
    State(view): Shared,
    Query(query): Pairs,
    headers: HeaderMap,
) -> Response {
    let lang = language(&query, &headers);
    let asked = query.get("format").map_or("html", String::as_str);
    let Some(form) = Form::from_word(asked) else {
        let asked: String = asked.chars().take(40).collect();
        let why = lang.pick(
            format!("format = {asked}：可用 html、json"),
            format!("format = {asked}: allowed are html, json"),
        );
        return (StatusCode::BAD_REQUEST, why).into_response();
    };
    let Some(reporter) = view.reporter.clone() else {
        return missing("the evidence is in no store");
    };
    let Some(assessment) = view.assessment.borrow().clone() else {
        return missing("nothing has been assessed yet");
    };
    let now = view.clock.wall(view.now());
    let date = assessment.at_ms.map_or_else(String::new, |at| {
        let text = super::show::date(at);
        text.get(..10).map_or_else(String::new, |day| format!("-{day}"))
    });
    let name = format!("linli-stars-{}{date}.{}", view.estate.gateway, form.word());
    let notes = view.notes.clone();
    let made = tokio::task::spawn_blocking(move || reporter.make(&assessment, form, &notes, now));
    match made.await {
        Ok(Ok(file)) => download(form, &name, file),
        Ok(Err(ReportFault::Busy)) => {
            let why = lang.of(&ReportFault::Busy.words()).to_owned();
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")], why).into_response()
        }
        Ok(Err(fault)) => failed(lang.of(&fault.words())),
        Err(error) => failed(&error.to_string()),
    }
}

fn download(form: Form, name: &str, file: String) -> Response {
    let kind = match form {
        Form::Html => "text/html; charset=utf-8",
        Form::Json => "application/json",
    };
    let mut response = file.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    // A gateway's name and a date are plain ASCII.
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}
