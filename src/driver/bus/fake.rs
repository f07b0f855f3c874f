//! A line with devices on it, for tests: in memory, with switches.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::open::Framing;
use crate::protocol::modbus::crc16;

/// How a unit behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Mode {
    /// Answers after the time of the line.
    Answers,
    /// Says nothing.
    Silent,
    /// Answers this much later.
    Late(Duration),
    /// Answers with one register less, well formed.
    Short,
    /// Answers with this exception.
    Exception(u8),
    /// Refuses reads that begin at this address, with exception 2.
    Refuses(u16),
    /// Refuses reads that touch this address, with exception 2.
    Lacks(u16),
    /// Refuses reads of more than so many registers, with exception 3.
    AtMost(u16),
    /// Answers in the name of another unit.
    WrongUnit,
    /// Answers with a damaged check sum (RTU) or protocol id (MBAP).
    Damaged,
    /// Answers well, after bytes of noise.
    Noise,
    /// Cuts the line.
    Cuts,
}

/// What the test sees and sets.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Behaviour by unit; [`Mode::Answers`] for the others.
    pub(super) modes: HashMap<u8, Mode>,
    /// Time to an answer.
    pub(super) delay: Duration,
    /// Requests so far: when, unit, address, quantity.
    pub(super) seen: Vec<(Instant, u8, u16, u16)>,
    /// Registers hold their address; plus 1000 times this once set, then one more each request.
    pub(super) generation: Option<u16>,
    /// Lines opened so far.
    pub(super) opens: usize,
    /// Closes the line after each answer.
    pub(super) closes: bool,
    /// Opening the line fails.
    pub(super) closed: bool,
}

/// The far end of a bus.
#[derive(Debug)]
pub(super) struct Fake {
    pub(super) state: Arc<Mutex<State>>,
    framing: Framing,
    lines: mpsc::Receiver<DuplexStream>,
}

impl Fake {
    pub(super) fn new(framing: Framing) -> (Self, mpsc::Sender<DuplexStream>) {
        let (open, lines) = mpsc::channel(4);
        (Self { state: Arc::default(), framing, lines }, open)
    }

    pub(super) async fn run(mut self) {
        while let Some(line) = self.lines.recv().await {
            self.serve(line).await;
        }
        std::future::pending().await
    }

    async fn serve(&self, mut line: DuplexStream) {
        let mut bytes = Vec::new();
        let mut pending: Vec<(Instant, Vec<u8>)> = Vec::new();
        loop {
            pending.sort_by_key(|(at, _)| *at);
            let next = pending.first().map(|(at, _)| *at);
            let mut space = [0u8; 64];
            tokio::select! {
                biased;
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                    let (_, reply) = pending.remove(0);
                    let wrote = line.write_all(&reply).await;
                    if wrote.is_err() || self.state.lock().unwrap().closes {
                        return;
                    }
                }
                read = line.read(&mut space) => match read {
                    Ok(n) if n > 0 => bytes.extend_from_slice(&space[..n]),
                    _ => return,
                },
            }
            let length = if self.framing == Framing::Mbap { 12 } else { 8 };
            while bytes.len() >= length {
                let request: Vec<u8> = bytes.drain(..length).collect();
                match self.answer(&request) {
                    Some(reply) => pending.extend(reply),
                    None => return,
                }
            }
        }
    }

    /// The reply and when it goes out; `None` cuts the line.
    fn answer(&self, request: &[u8]) -> Option<Option<(Instant, Vec<u8>)>> {
        let body = if self.framing == Framing::Mbap { &request[6..] } else { &request[..6] };
        let (unit, function) = (body[0], body[1]);
        let address = u16::from_be_bytes([body[2], body[3]]);
        let quantity = u16::from_be_bytes([body[4], body[5]]);
        let mut state = self.state.lock().unwrap();
        let now = Instant::now();
        state.seen.push((now, unit, address, quantity));
        let base = state.generation.map_or(0, |n| n * 1000);
        state.generation = state.generation.map(|n| n + 1);
        let mode = state.modes.get(&unit).copied().unwrap_or(Mode::Answers);
        let mut at = now + state.delay;
        let data = |quantity: u16| {
            // A write of one register is answered by what was asked.
            if function > 4 {
                return body[..6].to_vec();
            }
            let mut pdu = vec![unit, function];
            if function <= 2 {
                pdu.push(u8::try_from(quantity.div_ceil(8)).unwrap());
                pdu.extend((0..quantity.div_ceil(8)).map(|_| 0b0101_0101));
            } else {
                pdu.push(u8::try_from(quantity * 2).unwrap());
                pdu.extend((0..quantity).flat_map(|n| (base + address + n).to_be_bytes()));
            }
            pdu
        };
        let refusal = |code: u8| vec![unit, function | 0x80, code];
        let mut reply = match mode {
            Mode::Silent => return Some(None),
            Mode::Cuts => return None,
            Mode::Short => data(quantity - 1),
            Mode::Exception(code) => refusal(code),
            Mode::Refuses(first) if first == address => refusal(2),
            Mode::Lacks(hole) if (address..address + quantity).contains(&hole) => refusal(2),
            Mode::AtMost(most) if quantity > most => refusal(3),
            _ => data(quantity),
        };
        match mode {
            Mode::Late(by) => at += by,
            Mode::WrongUnit => reply[0] = unit + 1,
            _ => {}
        }
        Some(Some((at, self.frame(request, reply, mode))))
    }

    fn frame(&self, request: &[u8], reply: Vec<u8>, mode: Mode) -> Vec<u8> {
        let damaged = u8::from(mode == Mode::Damaged);
        match self.framing {
            Framing::Mbap => {
                let mut frame = vec![request[0], request[1], damaged, 0];
                frame.extend(u16::try_from(reply.len()).unwrap().to_be_bytes());
                frame.extend(reply);
                frame
            }
            Framing::Serial => {
                let crc = crc16(&reply) ^ u16::from(damaged);
                let mut frame = if mode == Mode::Noise { vec![0xff, 0x00, 0x01] } else { vec![] };
                frame.extend(reply);
                frame.extend(crc.to_le_bytes());
                frame
            }
        }
    }
}
