//! Accepts a bounded number of connections for a bounded time, so that nobody on the estate's
//! network can make the page take the gateway's memory.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;

/// Connections at a time; further ones wait in the system's queue.
const MOST: usize = 64;

/// A connection reads no further request after this long.
const LIFETIME: Duration = Duration::from_secs(60);

/// A listener with a bounded number of connections.
pub(super) struct Bounded {
    inner: TcpListener,
    places: Arc<Semaphore>,
}

impl Bounded {
    pub(super) fn new(inner: TcpListener) -> Self {
        Self { inner, places: Arc::new(Semaphore::new(MOST)) }
    }
}

impl axum::serve::Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let place =
            Arc::clone(&self.places).acquire_owned().await.expect("the semaphore is never closed");
        let (stream, peer) = axum::serve::Listener::accept(&mut self.inner).await;
        let end = Box::pin(tokio::time::sleep(LIFETIME));
        (Connection { stream, end, outlives: Arc::default(), _place: place }, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

/// Who asks.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    /// From where.
    pub(super) address: SocketAddr,
    /// Whether the connection is under TLS: only then may a cookie be `Secure`.
    #[expect(dead_code, reason = "read by the login's cookies")]
    pub(super) secure: bool,
    outlives: Arc<AtomicBool>,
}

impl Peer {
    /// Its connection is not ended by time: an answer goes on for long.
    pub(super) fn outlive(&self) {
        self.outlives.store(true, Ordering::Relaxed);
    }
}

impl Connected<IncomingStream<'_, Bounded>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Bounded>) -> Self {
        Self {
            address: *stream.remote_addr(),
            secure: false,
            outlives: Arc::clone(&stream.io().outlives),
        }
    }
}

/// A connection that ends.
pub(super) struct Connection {
    stream: TcpStream,
    end: Pin<Box<Sleep>>,
    outlives: Arc<AtomicBool>,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    fn over(&mut self, cx: &mut Context<'_>) -> bool {
        self.end.as_mut().poll(cx).is_ready() && !self.outlives.load(Ordering::Relaxed)
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.over(cx) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(cx, bytes) {
            // Who does not read what he asked for holds a place as well.
            Poll::Pending if self.over(cx) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            other => other,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
