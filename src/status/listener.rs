//! Lets people in: a bounded number of connections, each for a bounded time, under TLS where the
//! page has a certificate. One task a connection, all of them joined here.

mod connection;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;

use super::limits::{self, Guests};
use super::tls::PageTls;
use connection::{Connection, Stream};

/// Open connections have this long to end when the gateway stops.
const GRACE: Duration = Duration::from_secs(3);
/// How often the files of the certificate are looked at.
const LOOK: Duration = Duration::from_secs(10);
/// Wait after the system could not take a connection, e.g. without a free descriptor.
const BREATH: Duration = Duration::from_millis(500);
/// Said to who comes while all places are taken.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 21\r\nConnection: close\r\n\r\ntoo many connections\n";
/// First byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;

/// Who asks.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    /// From where.
    pub(super) address: SocketAddr,
    outlives: Arc<AtomicBool>,
}

impl Peer {
    /// Somebody on this machine.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn here() -> Self {
        Self { address: SocketAddr::from(([127, 0, 0, 1], 50_000)), outlives: Arc::default() }
    }

    /// Its connection is not ended by time: an answer goes on for long.
    pub(super) fn outlive(&self) {
        self.outlives.store(true, Ordering::Relaxed);
    }
}

/// What every connection shares.
#[derive(Clone)]
struct House {
    router: Router,
    tls: Option<PageTls>,
    stop: CancellationToken,
}

/// Serves `router` until `stop`, then gives open connections a little time.
///
/// # Errors
/// None at present: what fails with one connection does not end the others.
pub(super) async fn listen(
    listener: TcpListener,
    guests: Guests,
    tls: Option<PageTls>,
    router: Router,
    stop: CancellationToken,
) -> io::Result<()> {
    let house = House { router, tls, stop };
    let mut tasks = JoinSet::new();
    let mut look = interval(LOOK);
    loop {
        tokio::select! {
            () = house.stop.cancelled() => break,
            _ = look.tick() => if let Some(tls) = &house.tls { tls.look_again().await },
            Some(ended) = tasks.join_next() => told(ended),
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => match guests.enter(address.ip()) {
                    Some(place) => {
                        let house = house.clone();
                        tasks.spawn(async move {
                            house.receive(stream, address).await;
                            drop(place);
                        });
                    }
                    None => turn_away(&stream, house.tls.is_some()),
                },
                Err(error) if is_of_one(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "the page cannot take a connection");
                    sleep(BREATH).await;
                }
            },
        }
    }
    drop(listener);
    let all = async {
        while let Some(ended) = tasks.join_next().await {
            told(ended)
        }
    };
    if timeout(GRACE, all).await.is_err() {
        tasks.shutdown().await;
    }
    Ok(())
}

fn told(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a request of the page failed");
    }
}

/// Whether only the connection that was to be taken is at fault.
fn is_of_one(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Says that there is no place, as far as that goes without waiting.
fn turn_away(stream: &TcpStream, secure: bool) {
    if !secure && let Err(error) = stream.try_write(FULL) {
        tracing::debug!(%error, "who was turned away did not hear why");
    }
}

impl House {
    async fn receive(self, stream: TcpStream, address: SocketAddr) {
        let outlives = Arc::<AtomicBool>::default();
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "small answers may wait");
        }
        let Some(tls) = &self.tls else {
            let peer = Peer { address, outlives: Arc::clone(&outlives) };
            return self.answer(Connection::new(Stream::Plain(stream), outlives), peer).await;
        };
        let handshake = async {
            let mut first = [0];
            stream.peek(&mut first).await?;
            if first[0] != HANDSHAKE {
                return Ok(Stream::Plain(stream));
            }
            tls.acceptor().accept(stream).await.map(|stream| Stream::Tls(Box::new(stream)))
        };
        let shaken = tokio::select! {
            () = self.stop.cancelled() => return,
            shaken = timeout(limits::PATIENCE, handshake) => shaken,
        };
        match shaken {
            Ok(Ok(stream @ Stream::Tls(_))) => {
                let peer = Peer { address, outlives: Arc::clone(&outlives) };
                self.answer(Connection::new(stream, outlives), peer).await;
            }
            Ok(Ok(stream)) => self.redirect(Connection::new(stream, outlives)).await,
            Ok(Err(error)) => tracing::debug!(%address, %error, "no TLS with this one"),
            Err(_) => tracing::debug!(%address, "the TLS handshake took too long"),
        }
    }

    async fn answer(&self, connection: Connection, peer: Peer) {
        let router = self.router.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer.clone()));
            router.clone().call(request)
        });
        self.converse(connection, service).await;
    }

    /// Who speaks HTTP where TLS is spoken is shown the way; what he asks is not answered in plain.
    async fn redirect(&self, connection: Connection) {
        let service =
            service_fn(async |request: Request<Incoming>| Ok::<_, Infallible>(elsewhere(&request)));
        self.converse(connection, service).await;
    }

    async fn converse<S>(&self, connection: Connection, service: S)
    where
        S: HttpService<Incoming, ResBody = Body, Error = Infallible>,
    {
        let http = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits::PATIENCE)
            .max_headers(limits::FIELDS)
            .max_buf_size(limits::HEAD)
            .serve_connection(TokioIo::new(connection), service);
        let mut http = std::pin::pin!(http);
        let ended = tokio::select! {
            ended = http.as_mut() => ended,
            () = self.stop.cancelled() => {
                http.as_mut().graceful_shutdown();
                http.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection to the page broke");
        }
    }
}

/// The same under TLS. Only for what is read: a form is not asked to send its content again.
fn elsewhere(request: &Request<Incoming>) -> Response<Body> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let read = matches!(*request.method(), Method::GET | Method::HEAD);
    let builder = Response::builder().header(header::CONNECTION, "close");
    let answer = match host.filter(|_| read && path.starts_with('/')) {
        Some(host) => builder
            .status(StatusCode::PERMANENT_REDIRECT)
            .header(header::LOCATION, format!("https://{host}{path}"))
            .body(Body::empty()),
        None => builder.status(StatusCode::BAD_REQUEST).body("this page needs https\n".into()),
    };
    answer.unwrap_or_else(|_| {
        let mut refused = Response::new(Body::empty());
        *refused.status_mut() = StatusCode::BAD_REQUEST;
        refused
    })
}
