//! The transport under tokio-modbus: one open line, shared by the client that is attached to it
//! and the session that watches it.
//!
//! It does what the client does not: before a request it throws away what a late or chatty device
//! sent meanwhile, it hands on only whole frames that can be the reply, numbers MBAP transactions
//! itself (a client that is attached anew would begin at zero again and take a late reply for its
//! own), and counts bytes. A client can be dropped and another attached while the line stays open.

mod client;

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::ReadBuf;
use tokio::time::{Instant, timeout_at};

use super::ask::{Ask, rtu_wanted};
use super::doubt::Doubts;
use super::open::{Framing, Stream};
use crate::driver::modbus::frame::{Found, find_mbap, find_rtu};
use crate::driver::{BusAddress, LineSettings};

/// Most bytes kept while looking for a frame; the longest has 260.
const RECEIVE_MAX: usize = 1024;

/// Longest pause inside a frame of the meter protocols (DL/T 645: 500 ms between two bytes).
const BYTE_GAP: Duration = Duration::from_millis(500);

/// Bytes since the last look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Traffic {
    /// Written.
    pub(super) sent: u64,
    /// Read, stale bytes too.
    pub(super) received: u64,
}

/// Handle on an open line; clones share it.
#[derive(Clone)]
pub(super) struct Wire(Arc<Mutex<Line>>);

struct Line {
    stream: Box<dyn Stream>,
    framing: Framing,
    /// The request that waits for its reply, as far as written.
    request: Vec<u8>,
    written: usize,
    client_transaction: [u8; 2],
    transaction: u16,
    received: Vec<u8>,
    reply: Vec<u8>,
    handed: usize,
    /// What is asked, where it is not Modbus.
    ask: Option<Ask>,
    /// Devices whose late reply may still come, and until when.
    owing: Vec<(BusAddress, Instant)>,
    /// Bytes came since the request that were not a late reply of somebody else.
    spoke: bool,
    /// A whole frame of another device was among them.
    foreign: bool,
    /// All bytes since the request, for the recorder and the doctor.
    heard: Vec<u8>,
    /// Bytes that came while nobody was asked.
    unasked: Vec<u8>,
    first_byte: Option<Instant>,
    last_byte: Option<Instant>,
    traffic: Traffic,
    broken: Option<String>,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl Wire {
    pub(super) fn new(stream: Box<dyn Stream>, framing: Framing) -> Self {
        Self(Arc::new(Mutex::new(Line {
            stream,
            framing,
            request: Vec::with_capacity(16),
            written: 0,
            client_transaction: [0; 2],
            transaction: 0,
            received: Vec::with_capacity(RECEIVE_MAX),
            reply: Vec::with_capacity(260),
            handed: 0,
            ask: None,
            owing: Vec::new(),
            spoke: false,
            foreign: false,
            heard: Vec::with_capacity(RECEIVE_MAX),
            unasked: Vec::new(),
            first_byte: None,
            last_byte: None,
            traffic: Traffic::default(),
            broken: None,
        })))
    }

    /// Why the line can no longer be used, if so.
    pub(super) fn broken(&self) -> Option<String> {
        self.line().broken.clone()
    }

    /// Whether anything came since the request that was not somebody's late reply.
    pub(super) fn spoke(&self) -> bool {
        self.line().spoke
    }

    /// Whether a whole frame of another device came since the request that was no late reply.
    pub(super) fn foreign(&self) -> bool {
        self.line().foreign
    }

    /// All bytes since the request.
    pub(super) fn heard<R>(&self, look: impl FnOnce(&[u8]) -> R) -> R {
        look(&self.line().heard)
    }

    /// The bytes of the last request, as they went out.
    pub(super) fn last_request(&self, look: impl FnOnce(&[u8])) {
        let line = self.line();
        look(&line.request[..line.written]);
    }

    /// When the first byte since the request came.
    pub(super) fn first_byte(&self) -> Option<Instant> {
        self.line().first_byte
    }

    /// What came while nobody was asked, since the last call.
    pub(super) fn take_unasked(&self) -> Vec<u8> {
        std::mem::take(&mut self.line().unasked)
    }

    /// Sets the line.
    pub(super) fn tune(&self, settings: LineSettings) -> io::Result<()> {
        self.line().stream.tune(settings)
    }

    /// Sends a frame that nobody answers.
    pub(super) async fn tell(&self, bytes: &[u8]) -> io::Result<()> {
        poll_fn(|cx| Poll::Ready(self.line().begin(bytes, None, cx))).await?;
        poll_fn(|cx| self.line().poll_send(cx)).await
    }

    /// Sends a request that is not Modbus and waits for its answer: until `by`, and while bytes
    /// come until `at_most`. `None` when there is none in time.
    pub(super) async fn converse(
        &self,
        ask: &Ask,
        by: Instant,
        at_most: Instant,
    ) -> io::Result<Option<Vec<u8>>> {
        let bytes = ask.bytes().unwrap_or_default();
        poll_fn(|cx| Poll::Ready(self.line().begin(&bytes, Some(ask.clone()), cx))).await?;
        let failed = |error: io::Error| {
            self.line().fail(&error);
            error
        };
        let mut deadline = by;
        match timeout_at(deadline, poll_fn(|cx| self.line().poll_send(cx))).await {
            Ok(sent) => sent.map_err(failed)?,
            Err(_elapsed) => return Ok(None),
        }
        loop {
            match timeout_at(deadline, poll_fn(|cx| self.line().poll_frame(cx))).await {
                Ok(Ok(Some(frame))) => return Ok(Some(frame)),
                Ok(Ok(None)) => deadline = deadline.max(Instant::now() + BYTE_GAP).min(at_most),
                Ok(Err(error)) => return Err(failed(error)),
                Err(_elapsed) => return Ok(None),
            }
        }
    }

    /// The request was given up at `now`: the unit's reply may still come until `until`, and is
    /// not to be taken for another's. A request that is not even sent leaves the line unusable.
    pub(super) fn abandon(&self, device: BusAddress, now: Instant, until: Instant) {
        self.expect_late(device, now, until);
        let mut line = self.line();
        if line.written < line.request.len() {
            line.fail(&io::Error::new(io::ErrorKind::TimedOut, "the request could not be sent"));
        }
    }

    /// A late reply of the device may come until `until`.
    pub(super) fn expect_late(&self, device: BusAddress, now: Instant, until: Instant) {
        let mut line = self.line();
        line.owing.retain(|&(other, end)| other != device && end > now);
        line.owing.push((device, until));
    }

    /// Tells which late replies came, unasked or while another device was `asked`.
    pub(super) fn take_late(&self, doubts: &mut Doubts, asked: Option<BusAddress>) {
        let line = self.line();
        let unit = match asked {
            Some(BusAddress::Unit(unit)) => Some(unit),
            _ => None,
        };
        doubts.seen(&line.unasked, None);
        doubts.seen(&line.heard, unit);
    }

    /// Whether a late reply may still come.
    pub(super) fn awaits_late_answer(&self) -> bool {
        let now = Instant::now();
        self.line().owing.iter().any(|&(_, until)| until > now)
    }

    /// Bytes since the last call.
    pub(super) fn take_traffic(&self) -> Traffic {
        std::mem::take(&mut self.line().traffic)
    }

    /// Throws away what came unasked; returns when the last byte came.
    pub(super) fn drain(&self) -> Option<Instant> {
        let mut line = self.line();
        // Waits for nothing: whoever reads next registers its own waker.
        if let Err(error) = line.drain(&mut Context::from_waker(std::task::Waker::noop())) {
            line.fail(&error);
        }
        line.last_byte
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        match self.0.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

impl Line {
    /// Remembers the first fault: the line is not used again.
    fn fail(&mut self, error: &io::Error) {
        if self.broken.is_none() {
            self.broken = Some(error.to_string());
        }
    }

    /// Reads once; `Ready(Ok(0))` never: an end of file is an error here.
    fn receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [0u8; 512];
        let mut buffer = ReadBuf::new(&mut space);
        ready!(Pin::new(&mut *self.stream).poll_read(cx, &mut buffer))?;
        let bytes = buffer.filled();
        if bytes.is_empty() {
            let end = io::Error::new(io::ErrorKind::ConnectionAborted, "closed by the other side");
            return Poll::Ready(Err(end));
        }
        if self.received.len() + bytes.len() > RECEIVE_MAX {
            self.received.clear();
        }
        self.received.extend_from_slice(bytes);
        let room = RECEIVE_MAX.saturating_sub(self.heard.len()).min(bytes.len());
        self.heard.extend_from_slice(&bytes[..room]);
        self.first_byte.get_or_insert_with(Instant::now);
        self.traffic.received += bytes.len() as u64;
        self.last_byte = Some(Instant::now());
        Poll::Ready(Ok(bytes.len()))
    }

    fn drain(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        // Bounded: a line that never falls silent would hold the bus here for ever.
        for _ in 0..64 {
            match self.receive(cx) {
                Poll::Ready(Ok(n)) => {
                    let from = self.received.len().saturating_sub(n);
                    let room = RECEIVE_MAX.saturating_sub(self.unasked.len());
                    let stale = self.received.get(from..).unwrap_or_default();
                    self.unasked.extend_from_slice(&stale[..stale.len().min(room)]);
                    self.received.clear();
                }
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => break,
            }
        }
        self.received.clear();
        Ok(())
    }

    /// A new request: numbers it and forgets what came before.
    fn begin(&mut self, bytes: &[u8], ask: Option<Ask>, cx: &mut Context<'_>) -> io::Result<()> {
        self.drain(cx)?;
        self.ask = ask;
        self.reply.clear();
        self.handed = 0;
        self.spoke = false;
        self.foreign = false;
        self.heard.clear();
        self.first_byte = None;
        self.written = 0;
        self.request.clear();
        self.request.extend_from_slice(bytes);
        if self.framing == Framing::Mbap
            && let Some(id) = self.request.first_chunk_mut::<2>()
        {
            self.transaction = self.transaction.wrapping_add(1);
            self.client_transaction = *id;
            *id = self.transaction.to_be_bytes();
        }
        Ok(())
    }

    /// Moves the reply, when it is there, from `received` to `reply`.
    fn look(&mut self) -> io::Result<()> {
        loop {
            let owing = &self.owing;
            let late = |device: BusAddress| {
                owing.iter().any(|&(other, until)| other == device && until > Instant::now())
            };
            let found = match (self.framing, &self.ask, self.request.as_slice()) {
                (_, Some(ask), _) => ask.look(&self.received, late),
                (Framing::Mbap, ..) => find_mbap(&self.received, self.transaction),
                (Framing::Serial, _, request) => match rtu_wanted(request) {
                    Some(wanted) => {
                        find_rtu(&self.received, wanted, |unit| late(BusAddress::Unit(unit)))
                    }
                    None => Found::More,
                },
            };
            match found {
                Found::Skip(end) => drop(self.received.drain(..end)),
                Found::Stray { end, foreign } => {
                    self.spoke = true;
                    self.foreign |= foreign;
                    self.received.drain(..end);
                }
                Found::Reply(range) => {
                    self.spoke = true;
                    self.reply.extend_from_slice(&self.received[range.clone()]);
                    self.received.drain(..range.end);
                    if self.framing == Framing::Mbap
                        && let Some(id) = self.reply.first_chunk_mut::<2>()
                    {
                        *id = self.client_transaction;
                    }
                    return Ok(());
                }
                Found::More => {
                    self.spoke |= !self.received.is_empty();
                    return Ok(());
                }
                Found::Garbage => {
                    self.spoke = true;
                    self.received.clear();
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "not Modbus TCP"));
                }
            }
        }
    }

    /// Waits for bytes; the answer when they complete it.
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Vec<u8>>>> {
        ready!(self.receive(cx))?;
        self.look()?;
        let whole = !self.reply.is_empty();
        Poll::Ready(Ok(whole.then(|| std::mem::take(&mut self.reply))))
    }

    fn poll_reply(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.reply.len() == self.handed {
            if let Err(error) = ready!(self.receive(cx)) {
                self.fail(&error);
                return Poll::Ready(Err(error));
            }
            self.look()?;
        }
        let rest = &self.reply[self.handed..];
        let n = rest.len().min(out.remaining());
        out.put_slice(&rest[..n]);
        self.handed += n;
        Poll::Ready(Ok(()))
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.request.len() {
            let rest = &self.request[self.written..];
            match ready!(Pin::new(&mut *self.stream).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => {
                    self.written += n;
                    self.traffic.sent += n as u64;
                }
            }
        }
        Pin::new(&mut *self.stream).poll_sent(cx)
    }
}
