//! What one who asks may take of the gateway: connections, requests, bytes, time. Everything is
//! bounded, so that nobody on the estate's network can take the memory or the time that the
//! devices need.
//!
//! | what | limit | beyond it |
//! | --- | --- | --- |
//! | connections, all / of one address / of this machine | 64 / 16 / 48 | 503 and closed at once (under TLS: closed) |
//! | requests of one address | 50 a second, 200 at once | 429; not for this machine itself |
//! | head of a request | 16 KiB, 64 fields, 10 s | 431, closed |
//! | address line | 4 KiB | 414 |
//! | body | 64 KiB, 10 s | 413, 408 |
//! | TLS handshake | 10 s | closed |
//! | answer | moves within 15 s, ends within 5 min | closed |
//! | a connection takes requests for | 60 s | closed |

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, Request};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::listener::Peer;
use super::settings::{CONFIGURATION, EDITOR, LONGEST_FORM};

/// Connections at a time.
pub(super) const CONNECTIONS: usize = 64;
/// Of these, from one address. A browser opens six.
pub(super) const OF_ONE_ADDRESS: usize = 16;
/// From an address of this machine: scripts and a proxy in front speak for many.
pub(super) const OF_THIS_MACHINE: usize = 48;
/// Requests of one address, per second in the long run.
const RATE: f64 = 50.0;
/// Requests of one address at once.
const BURST: f64 = 200.0;
/// Addresses whose requests are counted; more are told apart only while they are connected.
const REMEMBERED: usize = 1024;
/// Longest head of a request, bytes.
pub(super) const HEAD: usize = 16 << 10;
/// Fields of a head.
pub(super) const FIELDS: usize = 64;
/// Longest path with its query, bytes.
const LONGEST_URI: usize = 4 << 10;
/// Longest body of a request, bytes.
pub(super) const BODY: usize = 64 << 10;
/// A head, a body and a TLS handshake each arrive within this long.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// A connection reads no further request after this long.
pub(super) const LIFETIME: Duration = Duration::from_secs(60);
/// An answer of which nothing was taken for this long is given up.
pub(super) const STALL: Duration = Duration::from_secs(15);
/// An answer that is not taken in whole after this long is given up.
pub(super) const LONGEST_ANSWER: Duration = Duration::from_secs(300);

/// Who is connected, and how much each asks.
#[derive(Debug, Clone, Default)]
pub(super) struct Guests(Arc<Mutex<Book>>);

#[derive(Debug, Default)]
struct Book {
    connections: usize,
    by_address: HashMap<IpAddr, Guest>,
}

#[derive(Debug)]
struct Guest {
    connections: usize,
    /// Requests that may follow at once, at the moment beside it.
    credit: f64,
    at: Instant,
}

impl Guest {
    fn new(now: Instant) -> Self {
        Self { connections: 0, credit: BURST, at: now }
    }

    fn refill(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.credit = (self.credit + since * RATE).min(BURST);
        self.at = now;
    }
}

impl Guests {
    /// A place for a connection from there; `None` when there are too many.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Place> {
        let most =
            if address.to_canonical().is_loopback() { OF_THIS_MACHINE } else { OF_ONE_ADDRESS };
        let (address, now) = (whose(address), Instant::now());
        let mut book = self.lock();
        if book.connections >= CONNECTIONS {
            return None;
        }
        if book.by_address.len() >= REMEMBERED {
            book.by_address.retain(|_, guest| {
                guest.refill(now);
                guest.connections > 0 || guest.credit < BURST
            });
        }
        if book.by_address.len() >= REMEMBERED {
            // All of them asked within seconds: forget how much, but not who is connected.
            book.by_address.retain(|_, guest| guest.connections > 0);
        }
        let guest = book.by_address.entry(address).or_insert_with(|| Guest::new(now));
        if guest.connections >= most {
            return None;
        }
        guest.connections += 1;
        book.connections += 1;
        Some(Place { guests: self.clone(), address })
    }

    /// Whether one more request from there is answered. This machine's own are always: who is on
    /// it needs no page to take its time.
    pub(super) fn may_ask(&self, address: IpAddr) -> bool {
        if address.to_canonical().is_loopback() {
            return true;
        }
        let now = Instant::now();
        let mut book = self.lock();
        let guest = book.by_address.entry(whose(address)).or_insert_with(|| Guest::new(now));
        guest.refill(now);
        if guest.credit < 1.0 {
            return false;
        }
        guest.credit -= 1.0;
        true
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        match self.0.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

/// One host has all addresses of its IPv6 network: they count as one.
fn whose(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let network = u128::from(address) >> 64 << 64;
            IpAddr::V6(network.into())
        }
        address => address,
    }
}

/// The place of one connection, free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    guests: Guests,
    address: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut book = self.guests.lock();
        book.connections -= 1;
        if let Some(guest) = book.by_address.get_mut(&self.address) {
            guest.connections -= 1;
            guest.refill(Instant::now());
            if guest.connections == 0 && guest.credit >= BURST {
                book.by_address.remove(&self.address);
            }
        }
    }
}

/// Refuses what asks too much or too often, and gives the body its time.
pub(super) async fn check(
    ConnectInfo(peer): ConnectInfo<Peer>,
    guests: Guests,
    request: Request,
    next: Next,
) -> Response {
    if !guests.may_ask(peer.address.ip()) {
        let later = [(header::RETRY_AFTER, "2")];
        return (StatusCode::TOO_MANY_REQUESTS, later, "too many requests\n").into_response();
    }
    let uri = request.uri();
    let length = uri.path().len() + uri.query().map_or(0, str::len);
    if length > LONGEST_URI {
        return (StatusCode::URI_TOO_LONG, "the address is too long\n").into_response();
    }
    let longest = longest_body(request.uri().path());
    if request.headers().get(header::CONTENT_LENGTH).is_some_and(|length| too_long(length, longest))
    {
        return (StatusCode::PAYLOAD_TOO_LARGE, "the body is too long\n").into_response();
    }
    next.run(request.map(|body| Body::new(Timely::new(body)))).await
}

/// Longest body that a path takes: only the editor of the configuration takes a long one.
pub(super) fn longest_body(path: &str) -> usize {
    if path == EDITOR || path == CONFIGURATION { LONGEST_FORM } else { BODY }
}

fn too_long(length: &header::HeaderValue, longest: usize) -> bool {
    let length = length.to_str().ok().and_then(|text| text.parse::<u64>().ok());
    length.is_some_and(|length| length > longest as u64)
}

/// A body that must arrive within [`PATIENCE`].
struct Timely {
    inner: Body,
    end: Pin<Box<Sleep>>,
}

impl Timely {
    fn new(inner: Body) -> Self {
        Self { inner, end: Box::pin(tokio::time::sleep(PATIENCE)) }
    }
}

impl HttpBody for Timely {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.end.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err("the body did not arrive in time".into())));
        }
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
