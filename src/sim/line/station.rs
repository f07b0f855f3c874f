//! A slave on the line: what it is, how it is tuned, and what is wrong with it.

use std::time::Duration;

use tokio::time::Instant;

use super::{Cjt188Meter, Dlt645Meter};
use crate::driver::{BusAddress, LineSettings};
use crate::protocol::{Found, cjt188, dlt645};
use crate::sim::frame::{Framing, Parsed, crc};
use crate::sim::modbus::{self, Unit};

/// The usual time from the end of a request to the answer.
const DELAY: Duration = Duration::from_millis(20);
/// The longest that a drifting slave takes.
const SLOWEST: Duration = Duration::from_secs(10);

/// What is wrong with a slave. Several may be wrong at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It says nothing.
    Silent,
    /// It answers this much later.
    Late(Duration),
    /// It stops in the middle of its answer.
    Half,
    /// This many random characters come directly before its answer.
    NoiseBefore(usize),
    /// This many random characters come directly behind its answer.
    NoiseAfter(usize),
    /// The check sum of its answer is wrong.
    WrongCheckSum,
    /// One bit of every so manieth answer is turned; 1 means of each.
    FlippedBit(u32),
    /// Another slave with the same address sends the same answer this much later.
    Twin(Duration),
    /// Every answer takes this much longer than the one before, up to ten seconds.
    Drift(Duration),
    /// It is set to other line settings than it should be.
    WrongLine(LineSettings),
    /// It refuses everything: exception code (Modbus), error bits (DL/T 645), status (CJ/T 188).
    Refuse(u8),
}

/// A slave as a test or a command orders it.
#[derive(Debug)]
pub struct Slave {
    pub(super) kind: Kind,
    line: LineSettings,
    delay: Duration,
    garbage: bool,
}

#[derive(Debug)]
pub(super) enum Kind {
    Modbus(u8, Unit),
    Dlt645(Dlt645Meter),
    Cjt188(Cjt188Meter),
}

impl Slave {
    pub(super) fn new(kind: Kind, line: LineSettings) -> Self {
        Self { kind, line, delay: DELAY, garbage: false }
    }

    /// A Modbus RTU slave.
    pub fn modbus(id: u8, unit: Unit, line: LineSettings) -> Self {
        Self::new(Kind::Modbus(id, unit), line)
    }

    /// An electricity meter.
    pub fn dlt645(meter: Dlt645Meter, line: LineSettings) -> Self {
        Self::new(Kind::Dlt645(meter), line)
    }

    /// A water, gas or heat meter.
    pub fn cjt188(meter: Cjt188Meter, line: LineSettings) -> Self {
        Self::new(Kind::Cjt188(meter), line)
    }

    /// Its line settings.
    pub fn settings(&self) -> LineSettings {
        self.line
    }

    /// Time from the end of a request to the first character of the answer; 20 ms when not said.
    /// A Modbus slave takes at least the silence that ends a frame.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sends a few random characters when it is asked with other settings than its own, instead of
    /// keeping silent: what a receiver does that does not look at the parity.
    #[must_use]
    pub fn garbage(mut self) -> Self {
        self.garbage = true;
        self
    }
}

/// A request that somebody on the line may understand.
#[derive(Debug)]
pub(super) enum Request {
    Dlt645(dlt645::Frame),
    Cjt188(cjt188::Frame),
    Modbus(crate::sim::frame::Request),
}

/// The first whole request, and where it ends. Meters find their frame behind anything; a Modbus
/// frame begins where the line was silent before.
pub(super) fn find(bytes: &[u8], burst: usize) -> Option<(Request, usize)> {
    if let Found::Frame { range, frame } = dlt645::find(bytes)
        && !frame.is_reply()
    {
        return Some((Request::Dlt645(frame), range.end));
    }
    if let Found::Frame { range, frame } = cjt188::find(bytes)
        && !frame.is_reply()
    {
        return Some((Request::Cjt188(frame), range.end));
    }
    let burst = burst.min(bytes.len());
    let rest = &bytes[burst..];
    if let Parsed::Request(request, length) = Framing::Rtu.parse(rest) {
        return Some((Request::Modbus(request), burst + length));
    }
    // A function that the parser does not know, told by its check sum: a real slave refuses it.
    let (body, sum) = rest.split_at_checked(rest.len().checked_sub(2)?)?;
    if body.len() < 2 || crc(body).to_le_bytes() != sum || body[1] & 0x80 != 0 {
        return None;
    }
    let (unit, function) = (body[0], body[1]);
    let request = crate::sim::frame::Request {
        transaction: 0,
        unit,
        function,
        first: 0,
        count: 0,
        words: Vec::new(),
    };
    Some((Request::Modbus(request), bytes.len()))
}

/// What a station sends.
#[derive(Debug)]
pub(super) struct Answer {
    pub bytes: Vec<u8>,
    pub delay: Duration,
    /// Once more, this much after it began.
    pub again: Option<Duration>,
}

/// A slave with its state.
#[derive(Debug)]
pub(super) struct Station {
    pub kind: Kind,
    line: LineSettings,
    delay: Duration,
    garbage: bool,
    faults: Vec<Fault>,
    drift: Duration,
    pub requests: u64,
    pub answers: u64,
}

impl From<Slave> for Station {
    fn from(slave: Slave) -> Self {
        let Slave { kind, line, delay, garbage } = slave;
        let (faults, drift) = (Vec::new(), Duration::ZERO);
        Self { kind, line, delay, garbage, faults, drift, requests: 0, answers: 0 }
    }
}

impl Station {
    pub fn address(&self) -> BusAddress {
        match &self.kind {
            Kind::Modbus(id, _) => BusAddress::Unit(*id),
            Kind::Dlt645(meter) => BusAddress::Dlt645(meter.address()),
            Kind::Cjt188(meter) => BusAddress::Cjt188(meter.address()),
        }
    }

    /// The settings that it really has.
    pub fn line(&self) -> LineSettings {
        let wrong = self.faults.iter().find_map(|fault| match fault {
            Fault::WrongLine(line) => Some(*line),
            _ => None,
        });
        wrong.unwrap_or(self.line)
    }

    /// Time to an answer without faults.
    pub fn delay(&self) -> Duration {
        match self.kind {
            Kind::Modbus(..) => self.delay.max(self.line().frame_gap()),
            _ => self.delay,
        }
    }

    pub fn set_delay(&mut self, delay: Duration) {
        self.delay = delay;
    }

    /// Replaces all faults.
    pub fn set_faults(&mut self, faults: Vec<Fault>) {
        self.faults = faults;
        self.drift = Duration::ZERO;
    }

    pub fn add_fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// What it says when the line is tuned to something else.
    pub fn garbage(&self, dice: &mut fastrand::Rng) -> Option<Vec<u8>> {
        let speaks = self.garbage && !self.faults.contains(&Fault::Silent);
        let count = 3 + dice.usize(..6);
        speaks.then(|| noise(count, dice))
    }

    /// Whether it is asked by name or wild card.
    pub fn is_asked(&self, request: &Request) -> bool {
        match (&self.kind, request) {
            (Kind::Modbus(id, _), Request::Modbus(request)) => request.unit == *id,
            (Kind::Dlt645(meter), Request::Dlt645(frame)) => meter.is_asked(frame),
            (Kind::Cjt188(meter), Request::Cjt188(frame)) => meter.is_asked(frame),
            _ => false,
        }
    }

    /// Hears a request; its answer with all that is wrong with it.
    pub fn answer(
        &mut self,
        request: &Request,
        at: Instant,
        dice: &mut fastrand::Rng,
    ) -> Option<Answer> {
        if self.is_asked(request) {
            self.requests += 1;
        }
        let refuse = self.faults.iter().find_map(|fault| match fault {
            Fault::Refuse(code) => Some(*code),
            _ => None,
        });
        let mut bytes = match (&mut self.kind, request) {
            (Kind::Modbus(id, unit), Request::Modbus(request)) if request.unit == *id => {
                answer_modbus(unit, request, refuse)?
            }
            (Kind::Dlt645(meter), Request::Dlt645(frame)) => meter.answer(frame, at, refuse)?,
            (Kind::Cjt188(meter), Request::Cjt188(frame)) => meter.answer(frame, refuse)?,
            _ => return None,
        };
        let mut delay = self.delay() + self.drift;
        let mut again = None;
        for fault in &self.faults {
            match *fault {
                Fault::Silent => return None,
                Fault::Late(by) => delay += by,
                Fault::Drift(by) => self.drift = (self.drift + by).min(SLOWEST),
                Fault::Twin(after) => again = Some(after),
                Fault::Half => bytes.truncate(bytes.len() / 2),
                Fault::WrongCheckSum => self.kind.break_sum(&mut bytes),
                Fault::FlippedBit(every) if (self.answers + 1).is_multiple_of(every.into()) => {
                    let place = dice.usize(..bytes.len().max(1));
                    if let Some(byte) = bytes.get_mut(place) {
                        *byte ^= 1 << dice.u8(..8);
                    }
                }
                Fault::NoiseBefore(count) => {
                    let frame = std::mem::replace(&mut bytes, noise(count, dice));
                    bytes.extend(frame);
                }
                Fault::NoiseAfter(count) => bytes.extend(noise(count, dice)),
                Fault::WrongLine(_) | Fault::Refuse(_) | Fault::FlippedBit(_) => {}
            }
        }
        self.answers += 1;
        Some(Answer { bytes, delay, again })
    }
}

impl Kind {
    /// Meters have their sum before the last byte, Modbus at the end.
    fn break_sum(&self, bytes: &mut [u8]) {
        let from_end = if matches!(self, Kind::Modbus(..)) { 1 } else { 2 };
        if let Some(byte) = bytes.len().checked_sub(from_end).and_then(|at| bytes.get_mut(at)) {
            *byte ^= 0x55;
        }
    }
}

/// Random characters; at most as many as a frame may have.
fn noise(count: usize, dice: &mut fastrand::Rng) -> Vec<u8> {
    (0..count.min(300)).map(|_| dice.u8(..)).collect()
}

fn answer_modbus(
    unit: &Unit,
    request: &crate::sim::frame::Request,
    refuse: Option<u8>,
) -> Option<Vec<u8>> {
    let (mut pdu, mut bytes) = (Vec::with_capacity(256), Vec::with_capacity(260));
    let fault = unit.answer(request, &mut pdu);
    if let Some(code) = refuse {
        pdu.clear();
        pdu.extend([request.function | 0x80, code]);
    }
    match fault {
        modbus::Fault::Silent | modbus::Fault::Cut => return None,
        _ => Framing::Rtu.write(request, &pdu, &mut bytes),
    }
    if fault == modbus::Fault::Damaged
        && let Some(last) = bytes.last_mut()
    {
        *last ^= 0x55;
    }
    Some(bytes)
}
