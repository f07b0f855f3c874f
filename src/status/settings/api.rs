//! The configuration in the API: read, checked, changed.

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Json, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};

use super::edit::{Checked, Draft, take, told};
use super::{Files, Writing};
use crate::proposal::digest_of;
use crate::settings::Fault;
use crate::status::access::{OnlyLooked, Who};
use crate::status::server::{Shared, body, failed, missing};

/// Where the configuration stands in the API.
pub(in crate::status) const CONFIGURATION: &str = "/api/v1/configuration";
const NONE: &str = "the gateway runs without a configuration file";

/// One file of the configuration.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::status) struct ConfigurationFile {
    /// Its path on the gateway.
    file: String,
    text: String,
    /// Of the text, hex digits: a change names it as its `base`.
    sha256: String,
    /// Who writes a change.
    writing: Writing,
    /// Earlier versions that lie beside it.
    earlier: usize,
}

/// A changed file.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::status) struct Change {
    /// Which file, as it was told.
    file: String,
    /// The whole new text.
    text: String,
    /// The `sha256` of the text that it was made from.
    base: String,
    /// Whether it is written and applied when it is good; else it is only checked.
    #[serde(default)]
    apply: bool,
}

/// What became of a change.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::status) struct ChangeDone {
    /// What differs, as `diff -u` shows it; empty when nothing does.
    difference: String,
    /// Whether it was written or handed over; the settings page tells what became of the latter.
    applied: bool,
}

/// Why a change was not taken.
#[derive(Debug, Serialize)]
struct Refused<'a> {
    error: &'a str,
    faults: Vec<Fault>,
}

/// `GET /api/v1/configuration`
pub(in crate::status) async fn read(State(view): Shared) -> Response {
    let Some(files) = view.files.clone() else { return missing(NONE) };
    match tokio::task::spawn_blocking(move || all(&*files)).await {
        Ok(Ok(files)) => Json(files).into_response(),
        Ok(Err(why)) => failed(&why),
        Err(error) => failed(&error.to_string()),
    }
}

fn all(files: &dyn Files) -> Result<Vec<ConfigurationFile>, String> {
    let texts = files.texts().map_err(|faults| told(&faults))?;
    let row = |(path, text): (PathBuf, String)| {
        let earlier = files.earlier(&path).map_err(|error| error.to_string())?.len();
        Ok(ConfigurationFile {
            file: path.display().to_string(),
            sha256: digest_of(&text),
            writing: files.writing(&path),
            text,
            earlier,
        })
    };
    texts.into_iter().map(row).collect()
}

/// `POST /api/v1/configuration`
pub(in crate::status) async fn change(
    State(view): Shared,
    who: Who,
    asked: Result<Json<Change>, JsonRejection>,
) -> Response {
    let Change { file, text, base, apply } = match body(asked) {
        Ok(asked) => asked,
        Err(refused) => return *refused,
    };
    let Some(files) = view.files.clone() else { return missing(NONE) };
    let work = {
        let files = Arc::clone(&files);
        move || {
            let texts = files.texts()?;
            let place = texts.iter().position(|(path, _)| path.display().to_string() == file);
            let Some(place) = place else { return Ok(None) };
            take(&*files, place, (text, base), apply.then_some(who.name.as_str())).map(Some)
        }
    };
    let mut response = match tokio::task::spawn_blocking(work).await {
        Ok(Ok(Some((draft, checked)))) => answer(&*files, &draft, checked, apply),
        Ok(Ok(None)) => missing("there is no such file of the configuration"),
        Ok(Err(faults)) => failed(&told(&faults)),
        Err(error) => failed(&error.to_string()),
    };
    if !apply {
        response.extensions_mut().insert(OnlyLooked);
    }
    response
}

fn answer(files: &dyn Files, draft: &Draft, checked: Checked, apply: bool) -> Response {
    let refuse = |status: StatusCode, error: &str, faults: Vec<Fault>| {
        (status, Json(Refused { error, faults })).into_response()
    };
    match checked {
        Checked::Good(difference) => {
            let applied = apply && !difference.is_empty();
            if applied && draft.writing == Writing::Own && !files.reload() {
                return failed(
                    "it is written, and in force from the next start: the gateway stops",
                );
            }
            Json(ChangeDone { difference, applied }).into_response()
        }
        Checked::Wrong(faults) => {
            refuse(StatusCode::UNPROCESSABLE_ENTITY, "the configuration is wrong", faults)
        }
        Checked::Paths(paths) => {
            let error = format!("paths of files are changed on the machine: {}", paths.join(", "));
            refuse(StatusCode::UNPROCESSABLE_ENTITY, &error, Vec::new())
        }
        Checked::Stale => refuse(
            StatusCode::CONFLICT,
            "the file is not the one that the change was made from",
            Vec::new(),
        ),
        Checked::Failed(why) => failed(&why),
        Checked::Not | Checked::Gone => failed("it was not checked"),
    }
}
