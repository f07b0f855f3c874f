//! The styles and the scripts of the pages, as files of the page itself: the browser is told to take
//! neither from within a page. Their names hold a digest of their content, so they are kept by
//! browsers for ever and are never old.

use std::sync::LazyLock;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use ring::digest::{SHA256, digest};

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const KEPT: (header::HeaderName, &str) =
    (header::CACHE_CONTROL, "public, max-age=31536000, immutable");

/// A file that the pages name.
pub(super) struct Asset {
    /// Where it is.
    pub(super) path: String,
    kind: &'static str,
    bytes: &'static [u8],
    /// Whether the bytes are packed by gzip.
    packed: bool,
}

impl Asset {
    fn new(stem: &str, ending: &str, kind: &'static str, text: &'static str) -> Self {
        Self::of(stem, ending, kind, text.as_bytes(), false)
    }

    fn of(
        stem: &str,
        ending: &str,
        kind: &'static str,
        bytes: &'static [u8],
        packed: bool,
    ) -> Self {
        let digest = digest(&SHA256, bytes);
        let start = digest.as_ref().iter().take(6).map(|byte| format!("{byte:02x}"));
        let path = format!("/assets/{stem}-{}.{ending}", start.collect::<String>());
        Self { path, kind, bytes, packed }
    }

    fn answer(&self, asked: &HeaderMap) -> Response {
        let headers = [(header::CONTENT_TYPE, self.kind), KEPT];
        if !self.packed {
            return (headers, self.bytes).into_response();
        }
        let takes = asked.get(header::ACCEPT_ENCODING).and_then(|takes| takes.to_str().ok());
        if !takes.is_some_and(|takes| takes.contains("gzip") || takes.contains('*')) {
            let why = "this file is packed: ask with `Accept-Encoding: gzip`\n";
            return (StatusCode::NOT_ACCEPTABLE, why).into_response();
        }
        (headers, [(header::CONTENT_ENCODING, "gzip")], self.bytes).into_response()
    }
}

/// How the pages look.
pub(super) fn style() -> &'static Asset {
    static STYLE: LazyLock<Asset> =
        LazyLock::new(|| Asset::new("style", "css", CSS, include_str!("style.css")));
    &STYLE
}

/// Renews what they show.
pub(super) fn script() -> &'static Asset {
    static ASSET: LazyLock<Asset> =
        LazyLock::new(|| Asset::new("page", "js", SCRIPT, include_str!("page.js")));
    &ASSET
}

/// How charts look.
pub(super) fn history_style() -> &'static Asset {
    static STYLE: LazyLock<Asset> = LazyLock::new(|| {
        let text = concat!(include_str!("assets/uPlot.min.css"), include_str!("history.css"));
        Asset::new("history", "css", CSS, text)
    });
    &STYLE
}

/// Draws charts, follows values.
pub(super) fn history_script() -> &'static Asset {
    static ASSET: LazyLock<Asset> =
        LazyLock::new(|| Asset::new("history", "js", SCRIPT, include_str!("history.js")));
    &ASSET
}

/// The library that draws charts: `assets/README`.
pub(super) fn uplot() -> &'static Asset {
    static ASSET: LazyLock<Asset> = LazyLock::new(|| {
        let bytes = include_bytes!("assets/uPlot.iife.min.js.gz");
        Asset::of("uplot", "js", SCRIPT, bytes, true)
    });
    &ASSET
}

/// Leads from a fault to its line of the configuration.
pub(super) fn editor() -> &'static Asset {
    static ASSET: LazyLock<Asset> =
        LazyLock::new(|| Asset::new("editor", "js", SCRIPT, include_str!("editor.js")));
    &ASSET
}

/// Where they are.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let all = [style(), script(), history_style(), history_script(), uplot(), editor()];
    all.into_iter().fold(Router::new(), |router, asset| {
        router.route(&asset.path, get(async |asked: HeaderMap| asset.answer(&asked)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_file_goes_only_to_who_can_unpack_it() {
        let status = |takes: Option<&'static str>| {
            let mut asked = HeaderMap::new();
            if let Some(takes) = takes {
                asked.insert(header::ACCEPT_ENCODING, takes.parse().unwrap());
            }
            uplot().answer(&asked).status()
        };
        assert_eq!(status(Some("gzip, deflate, br")), StatusCode::OK);
        assert_eq!(status(Some("br")), StatusCode::NOT_ACCEPTABLE);
        assert_eq!(status(None), StatusCode::NOT_ACCEPTABLE);
        assert_eq!(style().answer(&HeaderMap::new()).status(), StatusCode::OK);
    }

    #[test]
    fn what_is_packed_is_the_library_that_lies_beside_it() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/status/assets/uPlot.iife.min.js");
        let unpacked =
            std::process::Command::new("gzip").args(["-dc", &format!("{folder}.gz")]).output();
        assert_eq!(unpacked.unwrap().stdout, std::fs::read(folder).unwrap());
    }
}
