//! The page of a made-up estate without a socket, for `tests/fuzz`, which sees the crate from
//! outside.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request};
use tower_service::Service as _;

use super::limits::{BODY, Guests};
use super::listener::Peer;
use super::sample::{Sample, sample};
use super::server::{outside, router};

/// Longest answer that is looked at, bytes.
const LONGEST: usize = 8 << 20;

/// A page, and what keeps its states alive.
pub struct Site {
    runtime: tokio::runtime::Runtime,
    router: Router,
    _sample: Sample,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its head.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl Site {
    /// A small estate, asked from this machine itself. Its time stands still but for waiting.
    ///
    /// # Panics
    /// The system gives no runtime.
    #[expect(clippy::new_without_default, reason = "it builds a whole estate")]
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("a runtime without input and output needs no resources");
        let (router, sample) = runtime.block_on(async {
            let sample = sample(1, 0).await;
            tokio::time::pause();
            (outside(router(sample.view.clone()), &Guests::default(), None), sample)
        });
        Self { runtime, router, _sample: sample }
    }

    /// A request as it stands in text: request line, fields, an empty line, body. `None` for what
    /// is no request, and for an answer that does not come or end within a minute.
    pub fn ask(&self, text: &[u8]) -> Option<Answer> {
        let request = request(text)?;
        let mut router = self.router.clone();
        let talk = async {
            let Ok(answer) = router.call(request).await;
            let (head, body) = answer.into_parts();
            let body = to_bytes(body, LONGEST).await.ok()?.to_vec();
            Some(Answer { status: head.status.as_u16(), headers: head.headers, body })
        };
        let minute = Duration::from_secs(60);
        self.runtime.block_on(async { tokio::time::timeout(minute, talk).await.ok()? })
    }
}

fn request(text: &[u8]) -> Option<Request<Body>> {
    let end = text.windows(2).position(|pair| pair == b"\n\n").unwrap_or(text.len());
    let head = std::str::from_utf8(&text[..end]).ok()?;
    let body = text.get(end + 2..).unwrap_or_default();
    let mut lines = head.lines();
    let (method, target) = lines.next()?.split_once(' ')?;
    let mut request = Request::builder().method(method).uri(target);
    for line in lines {
        let (name, value) = line.split_once(':')?;
        request = request.header(name, value.trim());
    }
    let peer = Peer::here();
    let body = body[..body.len().min(BODY + 1)].to_vec();
    request.extension(ConnectInfo(peer)).body(Body::from(body)).ok()
}
