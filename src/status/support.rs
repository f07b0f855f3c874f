//! The bundle for support, as a file: sent in pieces from the disk, never whole in memory.

use std::any::Any;
use std::fs::File;
use std::pin::Pin;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::unfold;
use tokio::io::AsyncReadExt as _;

use super::listener::Peer;
use super::server::{Shared, failed, missing};
use super::show;

/// Bytes sent at once.
const PIECE: usize = 32 << 10;

/// A bundle that was made.
#[derive(Debug)]
pub struct Bundle {
    /// What is sent, from its begin.
    pub file: File,
    /// So many bytes.
    pub bytes: u64,
    /// Held until it is sent: the next one is made then.
    pub turn: Box<dyn Any + Send>,
}

/// Makes bundles for support.
pub trait Support: std::fmt::Debug + Send + Sync {
    /// A new one, packed, without secrets; or why there is none.
    fn bundle(&self) -> Pin<Box<dyn Future<Output = Result<Bundle, String>> + Send>>;
}

/// `GET /api/v1/support-bundle`
pub(super) async fn bundle(State(view): Shared, ConnectInfo(peer): ConnectInfo<Peer>) -> Response {
    let Some(support) = view.support.clone() else {
        return missing("the gateway runs without a configuration file");
    };
    // A slow card takes longer to gather it than a connection may live.
    peer.outlive();
    let Bundle { file, bytes, turn } = match support.bundle().await {
        Ok(bundle) => bundle,
        Err(why) => return failed(&why),
    };
    let now = view.clock.best_wall(view.now()).unix_ms;
    let stamp = show::date(now).replace([' ', ':'], "-");
    let name = format!("attachment; filename=\"linli-support-{stamp}.tar.zst\"");
    let headers = [
        (header::CONTENT_TYPE, "application/zstd".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CONTENT_LENGTH, bytes.to_string()),
        // It outlives what a connection may, so it is the last on its own.
        (header::CONNECTION, "close".to_owned()),
    ];
    let file = tokio::fs::File::from_std(file);
    let pieces = unfold((file, turn), |(mut file, turn)| async move {
        let mut piece = vec![0; PIECE];
        match file.read(&mut piece).await {
            Ok(0) => None,
            Ok(read) => {
                piece.truncate(read);
                Some((Ok(Bytes::from(piece)), (file, turn)))
            }
            // The connection breaks then: half a bundle must not look whole.
            Err(error) => Some((Err(error), (file, turn))),
        }
    });
    (headers, Body::from_stream(pieces)).into_response()
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, Write as _};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::status::sample::sample;
    use crate::status::tests::get;

    /// Gives its file once, and sees when it was let go.
    #[derive(Debug, Default)]
    struct Fake {
        file: Mutex<Option<File>>,
        let_go: Arc<AtomicBool>,
    }

    #[derive(Debug)]
    struct Held(Arc<AtomicBool>);

    impl Drop for Held {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    impl Support for Fake {
        fn bundle(&self) -> Pin<Box<dyn Future<Output = Result<Bundle, String>> + Send>> {
            let file = self.file.lock().unwrap().take();
            let turn = Box::new(Held(Arc::clone(&self.let_go)));
            Box::pin(async move {
                let file = file.ok_or("a bundle is being made")?;
                let bytes = file.metadata().unwrap().len();
                Ok(Bundle { file, bytes, turn })
            })
        }
    }

    #[tokio::test]
    async fn a_bundle_goes_out_whole_in_pieces_and_one_that_cannot_be_made_is_told() {
        let text: String = (0..40_000).map(|n| format!("{n} ")).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.rewind().unwrap();
        let fake = Arc::new(Fake { file: Mutex::new(Some(file)), ..Fake::default() });
        let mut view = sample(1, 0).await.view;
        view.support = Some(fake.clone());
        let (head, body) = get(&view, "/api/v1/support-bundle").await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let head = head.to_lowercase();
        assert!(head.contains(&format!("content-length: {}", text.len())), "{head}");
        assert!(head.contains("attachment; filename=\"linli-support-"), "{head}");
        assert!(body == text, "{} of {} bytes", body.len(), text.len());
        assert!(fake.let_go.load(Ordering::Relaxed), "the next can be made");
        let (head, body) = get(&view, "/api/v1/support-bundle").await;
        assert!(head.starts_with("HTTP/1.1 503") && body.contains("being made"), "{head} {body}");
        view.support = None;
        let (head, _) = get(&view, "/api/v1/support-bundle").await;
        assert!(head.starts_with("HTTP/1.1 404"), "{head}");
    }
}
