//! The bundle for support, as a file.

use std::pin::Pin;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use super::server::{Shared, failed, missing};
use super::show;

/// Makes bundles for support.
pub trait Support: std::fmt::Debug + Send + Sync {
    /// A new one, packed, without secrets; or why there is none.
    fn bundle(&self) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send>>;
}

/// `GET /api/v1/support-bundle`
pub(super) async fn bundle(State(view): Shared) -> Response {
    let Some(support) = view.support.clone() else {
        return missing("the gateway runs without a configuration file");
    };
    match support.bundle().await {
        Ok(bytes) => {
            let now = view.clock.best_wall(view.now()).unix_ms;
            let stamp = show::date(now).replace([' ', ':'], "-");
            let name = format!("attachment; filename=\"linli-support-{stamp}.tar.zst\"");
            let headers = [
                (header::CONTENT_TYPE, "application/zstd".to_owned()),
                (header::CONTENT_DISPOSITION, name),
            ];
            (headers, bytes).into_response()
        }
        Err(why) => failed(&why),
    }
}
