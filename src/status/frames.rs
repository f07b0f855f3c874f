//! Frames of a bus as files: `/buses/{id}/frames.txt` and `.pcapng`, of the last minutes or, with
//! `?kept=`, of a recording that a fault set aside.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::server::language;
use super::text::Lang;
use super::view::{BusLine, View};
use crate::driver::record::{Captured, Kept, Tongue};
use crate::model::Moment;

/// The recording that `?kept=` names, by the moment of its fault.
pub(super) fn kept(line: &BusLine, name: &str) -> Option<Kept> {
    let boot_ms: u64 = name.parse().ok()?;
    line.log.kept().into_iter().find(|kept| kept.at.boot_ms == boot_ms)
}

/// The language of meanings.
pub(super) fn tongue(lang: Lang) -> Tongue {
    lang.pick(Tongue::Chinese, Tongue::English)
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Text(Lang),
    Pcapng,
}

type Pairs = Query<BTreeMap<String, String>>;

/// As text, a line a frame.
pub(super) async fn text(
    State(view): State<Arc<View>>,
    Path(id): Path<String>,
    Query(query): Pairs,
    headers: HeaderMap,
) -> Response {
    let lang = language(&query, &headers);
    file(view, &id, query.get("kept").map(String::as_str), Format::Text(lang)).await
}

/// For Wireshark.
pub(super) async fn pcapng(
    State(view): State<Arc<View>>,
    Path(id): Path<String>,
    Query(query): Pairs,
) -> Response {
    file(view, &id, query.get("kept").map(String::as_str), Format::Pcapng).await
}

async fn file(view: Arc<View>, id: &str, name: Option<&str>, format: Format) -> Response {
    let Some(line) = view.line(id).cloned() else {
        return lost("there is no such bus\n");
    };
    let (frames, at) = match name {
        None => (line.log.recent(Moment::default()), view.now()),
        Some(name) => match kept(&line, name) {
            Some(kept) => (kept.frames, kept.at),
            None => return lost("there is no such recording any more\n"),
        },
    };
    let clock = view.clock.clone();
    let stamp = super::show::date(clock.best_wall(at).unix_ms).replace([' ', ':'], "-");
    let made = tokio::task::spawn_blocking(move || write(&line, frames, &clock, format)).await;
    let Ok(bytes) = made else {
        return (StatusCode::INTERNAL_SERVER_ERROR, "the frames could not be written\n")
            .into_response();
    };
    let (kind, ending) = match format {
        Format::Text(_) => ("text/plain; charset=utf-8", "txt"),
        Format::Pcapng => ("application/x-pcapng", "pcapng"),
    };
    let mut response = bytes.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    // A bus has letters, digits, `.`, `_` and `-` only; the value is always legal.
    if let Ok(value) =
        HeaderValue::from_str(&format!("attachment; filename=\"{id}-{stamp}.{ending}\""))
    {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// Thousands of frames are decoded here, so not on a worker that serves others.
fn write(
    line: &BusLine,
    frames: Vec<Captured>,
    clock: &crate::clock::Clock,
    format: Format,
) -> Vec<u8> {
    let recording = line.log.recording(frames);
    let wall = |at| clock.wall(at);
    match format {
        Format::Text(lang) => recording.text(wall, tongue(lang)).into_bytes(),
        Format::Pcapng => recording.pcapng(wall),
    }
}

fn lost(text: &'static str) -> Response {
    (StatusCode::NOT_FOUND, text).into_response()
}
