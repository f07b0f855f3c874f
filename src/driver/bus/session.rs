//! One open line: an exchange with everything around it. Retuning, silence between frames, time
//! limits, checks of the reply, a guard time after a lost answer.

mod outcome;

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};
use tokio_modbus::client::{Client, Context, rtu, tcp};
use tokio_modbus::slave::SlaveContext;
use tokio_modbus::{Request, Response, Slave};

use super::ask::{Ask, check, check_written, request, write_request};
use super::doubt::Doubts;
use super::open::{Framing, Opened};
use super::wire::{Traffic, Wire};
use crate::clock::Clock;
use crate::driver::record::{FrameLog, Way};
use crate::driver::{BusAddress, LineSettings};
use crate::protocol::{cjt188, dlt645};
use outcome::untuned;

/// Limits of the guard time after a lost answer on a line without transaction ids.
const GUARD: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// Silence that ends a disturbance where the line itself is out of sight.
const QUIET: Duration = Duration::from_millis(10);
/// A line that never falls silent is used nevertheless after this long.
const NOISE_MAX: Duration = Duration::from_millis(300);
/// Longest frame of the meter protocols, in characters.
const METER_FRAME_MAX: usize = 280;

/// How a device is to be treated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manners {
    /// Who it is.
    pub(super) address: BusAddress,
    /// How its line is set.
    pub(super) line: LineSettings,
    /// Longest time to the answer, beside the time on the wire.
    pub(super) timeout: Duration,
    /// Least silence after its reply.
    pub(super) pause: Duration,
    /// Least silence before it is addressed after another device.
    pub(super) pause_on_switch: Duration,
}

/// What a device said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Modbus: registers, as many as asked.
    Words(Vec<u16>),
    /// Modbus: bits, at least as many as asked.
    Bits(Vec<bool>),
    /// Modbus: an exception code.
    Exception(u8),
    /// DL/T 645; data is whole, follow-on frames collected.
    Dlt645 {
        /// Who answered: not the one asked when that was a wildcard.
        address: dlt645::Address,
        /// What.
        reply: dlt645::Reply,
    },
    /// CJ/T 188.
    Cjt188 {
        /// Who answered.
        address: cjt188::Address,
        /// Its type, which may differ from the one asked.
        meter_type: cjt188::MeterType,
        /// What.
        reply: cjt188::Reply,
    },
    /// Modbus: it was written.
    Written,
    /// Nobody answers a broadcast.
    Told,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing came in time.
    Silent,
    /// Something came: wrong check sum, length or function.
    Damaged,
    /// A whole frame came in the name of another device.
    Foreign,
    /// The port cannot be set as this device needs it; nothing was sent.
    Unset(String),
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
    /// From the end of the request to the first byte of the answer.
    pub(super) answer_time: Option<Duration>,
    /// Bytes on the line.
    pub(super) traffic: Traffic,
    /// The device is not to be addressed before: a late answer may still come.
    pub(super) hold: Option<Instant>,
}

/// An open line.
pub(super) struct Session {
    wire: Wire,
    client: Context,
    framing: Framing,
    /// A serial port of this machine: it can be retuned and keeps its own silences.
    local: bool,
    tuned: Option<LineSettings>,
    gap: Duration,
    /// End of the last exchange, its device, and the silence wanted after it.
    last: Option<(Instant, Option<BusAddress>, Duration)>,
    disturbed: bool,
    doubts: Doubts,
    log: FrameLog,
    clock: Clock,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("framing", &self.framing).finish_non_exhaustive()
    }
}

fn attach(wire: &Wire, framing: Framing) -> Context {
    match framing {
        Framing::Mbap => tcp::attach(wire.clone()),
        Framing::Serial => rtu::attach(wire.clone()),
    }
}

impl Session {
    /// Takes over an open line. `gap` is the configured least silence between frames.
    pub(super) fn new(opened: Opened, gap: Duration, log: FrameLog, clock: Clock) -> Self {
        let Opened { stream, framing, local } = opened;
        let wire = Wire::new(stream, framing);
        let client = attach(&wire, framing);
        Self {
            wire,
            client,
            framing,
            local,
            tuned: None,
            gap,
            last: None,
            disturbed: false,
            doubts: Doubts::default(),
            log,
            clock,
        }
    }

    /// Everything that came since the last request was sent, as far as it is kept.
    pub(super) fn heard<R>(&self, look: impl FnOnce(&[u8]) -> R) -> R {
        self.wire.heard(look)
    }

    /// When the last request was answered by anything: what else comes within `span`.
    pub(super) async fn listen(&mut self, span: Duration) -> Vec<u8> {
        if span.is_zero() || self.wire.first_byte().is_none() {
            return Vec::new();
        }
        let end = Instant::now() + span;
        sleep_until(end).await;
        self.wire.drain();
        if let Some(last) = &mut self.last {
            last.0 = end;
        }
        self.wire.take_unasked()
    }

    /// What came while nobody was asked, since the last call.
    pub(super) fn take_unasked(&self) -> Vec<u8> {
        self.wire.take_unasked()
    }

    /// Whether somebody who did not answer in time may still do so.
    pub(super) fn awaits_late_answer(&self) -> bool {
        self.wire.awaits_late_answer()
    }

    /// Asks once; an answer in several frames is read to its end.
    pub(super) async fn exchange(&mut self, manners: &Manners, ask: &Ask) -> Exchange {
        if let Err(lost) = self.settle(manners).await {
            let traffic = self.wire.take_traffic();
            let took = Duration::ZERO;
            return Exchange { outcome: Err(lost), took, answer_time: None, traffic, hold: None };
        }
        let mut exchange = self.attempt(manners, ask).await;
        if let Ask::Dlt645 { edition, frame } = ask
            && matches!(
                &exchange.outcome,
                Ok(Answer::Dlt645 { reply: dlt645::Reply::Data { more: true, .. }, .. })
            )
        {
            self.follow(manners, *edition, frame, &mut exchange).await;
        }
        exchange
    }

    /// Reads the frames that follow a first one.
    async fn follow(
        &mut self,
        manners: &Manners,
        edition: dlt645::Edition,
        first: &dlt645::Frame,
        whole: &mut Exchange,
    ) {
        let mut collect: Option<dlt645::Collect> = None;
        while let Ok(Answer::Dlt645 { address, reply }) = &whole.outcome {
            let (address, id) = match reply {
                dlt645::Reply::Data { id, .. } => (*address, *id),
                _ => return,
            };
            let collect =
                collect.get_or_insert_with(|| dlt645::Collect::new(edition, first.address, id));
            let mut next = match collect.push(reply.clone()) {
                dlt645::Next::Ask(next) => next,
                dlt645::Next::Done(value) => {
                    let reply = dlt645::Reply::Data { id, more: false, seq: None, value };
                    whole.outcome = Ok(Answer::Dlt645 { address, reply });
                    return;
                }
                dlt645::Next::Abort(why) => {
                    tracing::debug!(%address, %why, "follow-on frames do not fit");
                    whole.outcome = Err(Fault::Damaged);
                    return;
                }
            };
            next.preamble = first.preamble;
            let part = match self.settle(manners).await {
                Ok(()) => self.attempt(manners, &Ask::Dlt645 { edition, frame: next }).await,
                Err(lost) => {
                    whole.outcome = Err(lost);
                    return;
                }
            };
            whole.took += part.took;
            whole.traffic.sent += part.traffic.sent;
            whole.traffic.received += part.traffic.received;
            whole.hold = part.hold.or(whole.hold);
            whole.outcome = part.outcome;
        }
    }

    /// One call of the Modbus client; an outer error says that its time is over.
    async fn call(
        &mut self,
        limit: Duration,
        unit: u8,
        request: Request<'_>,
        check: impl FnOnce(Response) -> Result<Answer, Fault>,
    ) -> Result<Result<Answer, Fault>, ()> {
        self.client.set_slave(Slave(unit));
        match timeout(limit, self.client.call(request)).await {
            Ok(Ok(Ok(response))) => Ok(check(response)),
            Ok(Ok(Err(code))) => Ok(Ok(Answer::Exception(code.into()))),
            Ok(Err(error)) => Ok(Err(self.judge(&error))),
            Err(_elapsed) => Err(()),
        }
    }

    async fn attempt(&mut self, manners: &Manners, ask: &Ask) -> Exchange {
        let (begun, at) = (Instant::now(), self.clock.now());
        let limit = self.limit(manners, ask);
        // An inner error is one of the exchange, the outer one that its time is over.
        let outcome: Result<Result<Answer, Fault>, ()> = match ask {
            Ask::Registers { unit, table, address, quantity } => {
                let read = request(*table, *address, *quantity);
                self.call(limit, *unit, read, |response| check(response, *quantity)).await
            }
            Ask::Write { unit, table, address, words, multiple } => {
                let write = write_request(*table, *address, words, *multiple);
                let check = |response| check_written(&response, *address, words);
                self.call(limit, *unit, write, check).await
            }
            Ask::Tell { bytes } => {
                let told = timeout(limit, self.wire.tell(bytes)).await;
                // The port's buffer takes the frame at once; the line needs its time.
                sleep_until(begun + manners.line.time_of(bytes.len())).await;
                match told {
                    Ok(Ok(())) => Ok(Ok(Answer::Told)),
                    Ok(Err(error)) => Ok(Err(Fault::Broken(error.to_string()))),
                    Err(_elapsed) => Err(()),
                }
            }
            Ask::Dlt645 { .. } | Ask::Cjt188 { .. } => {
                let most = limit + manners.line.time_of(METER_FRAME_MAX);
                match self.wire.converse(ask, begun + limit, begun + most).await {
                    Ok(Some(frame)) => Ok(ask.understand(&frame)),
                    Ok(None) => Err(()),
                    Err(error) => Ok(Err(Fault::Broken(error.to_string()))),
                }
            }
        };
        let now = Instant::now();
        self.last = Some((now, ask.address(), manners.pause));
        let (outcome, hold) = match outcome {
            Ok(outcome) => self.belongs(manners, ask, outcome, (begun, now)),
            Err(()) => {
                if self.is_remote() {
                    self.doubts.lost(ask, begun);
                }
                self.given_up(manners, now)
            }
        };
        if matches!(outcome, Err(Fault::Damaged | Fault::Foreign | Fault::Silent)) {
            // The client's buffers may hold half a frame; the line goes on.
            self.client = attach(&self.wire, self.framing);
            self.disturbed = true;
        }
        let line = self.local.then_some(manners.line);
        let sent = manners.line.time_of(ask.request_chars());
        let first = self.wire.first_byte();
        let log =
            |at, way, bytes: &[u8]| self.log.push(at, way, line, &ask.without_password(bytes));
        self.wire.last_request(|bytes| log(at, Way::Sent, bytes));
        if let Some(first) = first {
            self.wire.heard(|bytes| log(at.plus(first - begun), Way::Received, bytes));
        }
        let on_wire = if self.local { sent } else { Duration::ZERO };
        Exchange {
            outcome,
            took: now - begun,
            answer_time: first.map(|first| (first - begun).saturating_sub(on_wire)),
            traffic: self.wire.take_traffic(),
            hold,
        }
    }

    /// Waits until the line may be used: pauses of the models, silence between frames, other line
    /// settings, and after a disturbance until nobody speaks.
    async fn settle(&mut self, manners: &Manners) -> Result<(), Fault> {
        let gap = if self.local {
            manners.line.silence_before(manners.address).max(self.gap)
        } else {
            self.gap
        };
        if let Some((end, device, pause)) = self.last {
            let switch = if device == Some(manners.address) {
                Duration::ZERO
            } else {
                manners.pause_on_switch
            };
            let ready = end + gap.max(pause).max(switch);
            if ready > Instant::now() {
                sleep_until(ready).await;
            }
        }
        if self.local && self.tuned != Some(manners.line) {
            let before = self.tuned.take();
            self.wire.tune(manners.line).map_err(|error| untuned(&error))?;
            self.tuned = Some(manners.line);
            // Devices of these settings heard the others as noise: it ends with a silence.
            if before.is_some() {
                sleep_until(Instant::now() + gap).await;
            }
        }
        if self.disturbed && self.framing == Framing::Serial {
            let quiet = if self.local { gap } else { QUIET };
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
}
