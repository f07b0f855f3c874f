//! The style and the script of the pages, as files of the page itself: the browser is told to take
//! neither from within a page. Their names hold a digest of their content, so they are kept by
//! browsers for ever and are never old.

use std::sync::LazyLock;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::routing::get;
use ring::digest::{SHA256, digest};

/// A file that the pages name.
pub(super) struct Asset {
    /// Where it is.
    pub(super) path: String,
    kind: &'static str,
    text: &'static str,
}

impl Asset {
    fn new(stem: &str, ending: &str, kind: &'static str, text: &'static str) -> Self {
        let digest = digest(&SHA256, text.as_bytes());
        let start = digest.as_ref().iter().take(6).map(|byte| format!("{byte:02x}"));
        let path = format!("/assets/{stem}-{}.{ending}", start.collect::<String>());
        Self { path, kind, text }
    }
}

/// How the pages look.
pub(super) fn style() -> &'static Asset {
    static STYLE: LazyLock<Asset> = LazyLock::new(|| {
        Asset::new("style", "css", "text/css; charset=utf-8", include_str!("style.css"))
    });
    &STYLE
}

/// Renews what they show.
pub(super) fn script() -> &'static Asset {
    static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
        Asset::new("page", "js", "text/javascript; charset=utf-8", include_str!("page.js"))
    });
    &SCRIPT
}

/// Leads from a fault to its line of the configuration.
pub(super) fn editor() -> &'static Asset {
    static EDITOR: LazyLock<Asset> = LazyLock::new(|| {
        Asset::new("editor", "js", "text/javascript; charset=utf-8", include_str!("editor.js"))
    });
    &EDITOR
}

/// Where they are.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    [style(), script(), editor()].into_iter().fold(Router::new(), |router, asset| {
        let answer = async || {
            let kept = "public, max-age=31536000, immutable";
            let headers = [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, kept)];
            (headers, asset.text).into_response()
        };
        router.route(&asset.path, get(answer))
    })
}
