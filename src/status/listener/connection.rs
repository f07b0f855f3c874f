//! One connection, plain or under TLS, that ends.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};
use tokio_rustls::server::TlsStream;

use crate::status::limits::{LIFETIME, LONGEST_ANSWER, STALL};

/// What goes over the wire.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection that reads for a while, and writes to who reads.
pub(super) struct Connection {
    stream: Stream,
    since: Instant,
    end: Pin<Box<Sleep>>,
    /// Runs while somebody does not take what he asked for.
    stall: Option<Pin<Box<Sleep>>>,
    outlives: Arc<AtomicBool>,
}

impl Connection {
    pub(super) fn new(stream: Stream, outlives: Arc<AtomicBool>) -> Self {
        let end = Box::pin(sleep(LIFETIME));
        Self { stream, since: Instant::now(), end, stall: None, outlives }
    }

    fn outlives(&self) -> bool {
        self.outlives.load(Ordering::Relaxed)
    }

    /// Gives up on who takes nothing of an answer, or takes it too slowly.
    fn moving<T>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.stall = None;
            return result;
        }
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(STALL)));
        let stalled = stall.as_mut().poll(cx).is_ready();
        let old = self.since.elapsed() > LONGEST_ANSWER && !self.outlives();
        if stalled || old { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) } else { result }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.end.as_mut().poll(cx).is_ready() && !self.outlives() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        };
        self.moving(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        };
        self.moving(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        };
        self.moving(cx, closed)
    }
}
