//! One open line: a request with everything that tokio-modbus leaves to its caller. Time limits,
//! silence between frames, checks of the reply's length, a guard time after a lost answer.

use std::fmt;
use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};
use tokio_modbus::client::{Client, Context, rtu, tcp};
use tokio_modbus::slave::SlaveContext;
use tokio_modbus::{Request, Response, Slave};

use super::open::Opened;
use super::plan::Block;
use super::wire::{Framing, Stream, Traffic, Wire};
use crate::profile::Table;

/// Limits of the guard time after a lost answer on a line without transaction ids.
const GUARD: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// Silence that ends a disturbance where the line itself knows no character time.
const QUIET: Duration = Duration::from_millis(10);
/// A line that never falls silent is used nevertheless after this long.
const NOISE_MAX: Duration = Duration::from_millis(300);

/// How a unit is to be treated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manners {
    /// Its address.
    pub(super) unit: u8,
    /// Longest time to the answer.
    pub(super) timeout: Duration,
    /// Least silence after its reply.
    pub(super) pause: Duration,
    /// Least silence before it is addressed after another unit.
    pub(super) pause_on_switch: Duration,
}

/// What a device said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// Registers, as many as asked.
    Words(Vec<u16>),
    /// Bits, at least as many as asked.
    Bits(Vec<bool>),
    /// An exception code.
    Exception(u8),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing came in time.
    Silent,
    /// Something came: wrong check sum, length, unit or function.
    Damaged,
    /// The line was found broken before the request was sent.
    Lost(String),
    /// The line broke under the request.
    Broken(String),
}

/// An attempt and what it cost.
#[derive(Debug)]
pub(super) struct Exchange {
    /// What came of it.
    pub(super) outcome: Result<Answer, Fault>,
    /// From the first byte sent to the end.
    pub(super) took: Duration,
    /// Bytes on the line.
    pub(super) traffic: Traffic,
    /// The unit is not to be addressed before: a late answer may still come.
    pub(super) hold: Option<Instant>,
}

/// An open line.
pub(super) struct Session {
    wire: Wire,
    client: Context,
    framing: Framing,
    char_time: Duration,
    gap: Duration,
    /// End of the last exchange, its unit, and the silence wanted after it.
    last: Option<(Instant, u8, Duration)>,
    disturbed: bool,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("framing", &self.framing).finish_non_exhaustive()
    }
}

fn attach(wire: &Wire, framing: Framing) -> Context {
    match framing {
        Framing::Mbap => tcp::attach(wire.clone()),
        Framing::Rtu => rtu::attach(wire.clone()),
    }
}

/// Silence that ends a frame: 3.5 characters, above 19,200 baud 1.75 ms
/// (Modbus over Serial Line V1.02, section 2.5.1.1). Zero when the line has no character time.
fn frame_gap(char_time: Duration) -> Duration {
    const FIXED: Duration = Duration::from_micros(1750);
    if char_time.is_zero() { Duration::ZERO } else { (char_time * 7 / 2).max(FIXED) }
}

impl Session {
    /// Takes over an open line. `gap` is the configured least silence between frames.
    pub(super) fn new(opened: Opened<Box<dyn Stream>>, gap: Duration) -> Self {
        let Opened { stream, framing, char_time } = opened;
        let wire = Wire::new(stream, framing);
        let client = attach(&wire, framing);
        let gap = gap.max(frame_gap(char_time));
        Self { wire, client, framing, char_time, gap, last: None, disturbed: false }
    }

    /// Reads one block.
    pub(super) async fn read(&mut self, manners: Manners, block: &Block) -> Exchange {
        if let Err(lost) = self.settle(manners).await {
            let traffic = self.wire.take_traffic();
            return Exchange { outcome: Err(lost), took: Duration::ZERO, traffic, hold: None };
        }
        let begun = Instant::now();
        self.client.set_slave(Slave(manners.unit));
        let limit = manners.timeout + self.transfer_time(block);
        let reply = timeout(limit, self.client.call(request(block))).await;
        let now = Instant::now();
        self.last = Some((now, manners.unit, manners.pause));
        let (outcome, hold) = match reply {
            Ok(Ok(Ok(response))) => (check(response, block), None),
            Ok(Ok(Err(code))) => (Ok(Answer::Exception(code.into())), None),
            Ok(Err(error)) => (Err(self.judge(&error)), None),
            Err(_elapsed) => self.given_up(manners, now),
        };
        if matches!(outcome, Err(Fault::Damaged | Fault::Silent)) {
            // The client's buffers may hold half a frame; the line goes on.
            self.client = attach(&self.wire, self.framing);
            self.disturbed = true;
        }
        Exchange { outcome, took: now - begun, traffic: self.wire.take_traffic(), hold }
    }

    /// Waits until the line may be used: pauses of the models, silence between frames, and after
    /// a disturbance until nobody speaks.
    async fn settle(&mut self, manners: Manners) -> Result<(), Fault> {
        if let Some((end, unit, pause)) = self.last {
            let switch =
                if unit == manners.unit { Duration::ZERO } else { manners.pause_on_switch };
            let ready = end + self.gap.max(pause).max(switch);
            if ready > Instant::now() {
                sleep_until(ready).await;
            }
        }
        if self.disturbed && self.framing == Framing::Rtu {
            let quiet = if self.char_time.is_zero() { QUIET } else { self.gap };
            let enough = Instant::now() + NOISE_MAX;
            while let Some(last) = self.wire.drain() {
                let silent = last + quiet;
                let now = Instant::now();
                if silent <= now || now >= enough || self.wire.broken().is_some() {
                    break;
                }
                sleep_until(silent).await;
            }
        }
        self.disturbed = false;
        self.wire.drain();
        self.wire.broken().map_or(Ok(()), |why| Err(Fault::Lost(why)))
    }

    /// Time that request and reply spend on the wire.
    fn transfer_time(&self, block: &Block) -> Duration {
        let data = if block.table.is_bits() {
            u32::from(block.quantity).div_ceil(8)
        } else {
            u32::from(block.quantity) * 2
        };
        self.char_time * (8 + 5 + data)
    }

    fn given_up(&self, manners: Manners, now: Instant) -> (Result<Answer, Fault>, Option<Instant>) {
        let guard = match self.framing {
            // The transaction id tells a late reply.
            Framing::Mbap => Duration::ZERO,
            Framing::Rtu => manners.timeout.clamp(GUARD.0, GUARD.1),
        };
        self.wire.abandon(manners.unit, now, now + guard);
        let fault = match self.wire.broken() {
            Some(why) => Fault::Broken(why),
            None if self.wire.heard() => Fault::Damaged,
            None => Fault::Silent,
        };
        (Err(fault), (!guard.is_zero()).then(|| now + guard))
    }

    fn judge(&self, error: &tokio_modbus::Error) -> Fault {
        match (self.wire.broken(), error) {
            (Some(why), _) => Fault::Broken(why),
            (None, tokio_modbus::Error::Transport(error))
                if error.kind() == io::ErrorKind::NotConnected =>
            {
                Fault::Broken(error.to_string())
            }
            (None, _) => Fault::Damaged,
        }
    }
}

fn request(block: &Block) -> Request<'static> {
    let (address, quantity) = (block.address, block.quantity);
    match block.table {
        Table::Coil => Request::ReadCoils(address, quantity),
        Table::DiscreteInput => Request::ReadDiscreteInputs(address, quantity),
        Table::Holding => Request::ReadHoldingRegisters(address, quantity),
        Table::Input => Request::ReadInputRegisters(address, quantity),
    }
}

/// The client checks the length of a reply in debug builds only; a short one is no data.
fn check(response: Response, block: &Block) -> Result<Answer, Fault> {
    let quantity = usize::from(block.quantity);
    match response {
        Response::ReadHoldingRegisters(words) | Response::ReadInputRegisters(words)
            if words.len() == quantity =>
        {
            Ok(Answer::Words(words))
        }
        Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits)
            if bits.len().div_ceil(8) == quantity.div_ceil(8) =>
        {
            Ok(Answer::Bits(bits))
        }
        _ => Err(Fault::Damaged),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_silence_between_frames_is_that_of_the_specification() {
        let char_time = |baud: u32| Duration::from_secs(11) / baud;
        assert_eq!(frame_gap(char_time(9600)).as_micros(), 4010);
        assert_eq!(frame_gap(char_time(115_200)).as_micros(), 1750);
        assert_eq!(frame_gap(Duration::ZERO), Duration::ZERO);
    }
}
