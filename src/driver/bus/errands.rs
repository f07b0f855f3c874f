//! What others ask of the line beside the polls: reads again, commands, single probes of a scan,
//! setting the clocks of the meters.

use std::fmt;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::ask::Ask;
use super::clocks::meter_time;
use super::owner::Bus;
use super::session::{Answer, Exchange, Fault, Manners, Session};
use super::writes::RegisterWrite;
use crate::driver::schedule::Next;
use crate::driver::{Act, BusAddress, LineSettings};
use crate::model::{DeviceIndex, FieldRequest, Health, WallTime};
use crate::profile::Binding;
use crate::protocol::MeterTime;
use crate::protocol::cjt188::{self, DiOrder, ValveAct};
use crate::protocol::dlt645::{self, Relay, RelayAct};

/// A meter obeys a relay command only so long after it was made (DL/T 645: N3..N8).
const RELAY_VALID: Duration = Duration::from_secs(300);
/// What the owner of a line is asked to do.
#[derive(Debug)]
pub enum BusRequest {
    /// One exchange of a scan.
    Probe(Probe),
    /// An act on a device.
    Control(Control),
    /// A write of registers.
    Write(RegisterWrite),
}

/// One exchange of a scan, fitted between the polls.
#[derive(Debug)]
pub struct Probe {
    /// How the line is set for it.
    pub line: LineSettings,
    /// What is asked.
    pub ask: Ask,
    /// Longest time to the answer, beside the time on the wire.
    pub patience: Duration,
    /// When something came, others may answer as well within this time: asked by a wild address.
    pub listen: Duration,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Heard>,
}

/// What came of a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The answer.
    pub outcome: Result<Answer, Fault>,
    /// Everything that came.
    pub bytes: Vec<u8>,
    /// From the end of the request to the first byte.
    pub answer_time: Option<Duration>,
}

/// Credentials that a meter wants with a relay command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RelayKey {
    /// Level of the password (PA).
    pub level: u8,
    /// Password, three bytes as sent.
    pub password: [u8; 3],
    /// Operator code, four bytes as sent.
    pub operator: [u8; 4],
}

/// The password is not told: debug output goes into logs.
impl fmt::Debug for RelayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelayKey").field("level", &self.level).finish_non_exhaustive()
    }
}

/// An act on a device.
#[derive(Debug)]
pub struct Control {
    /// Which device.
    pub device: DeviceIndex,
    /// What to do.
    pub act: Act,
    /// Who is entitled to it and gave the order, as the command path verified; `None` when nobody
    /// did.
    pub authorised_by: Option<String>,
    /// Not to be begun after this.
    pub expires: Instant,
    /// For relays.
    pub key: Option<RelayKey>,
    /// Where the outcome goes.
    pub reply: oneshot::Sender<Result<(), ControlRefused>>,
}

/// Why an act was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlRefused {
    /// The device is not on this bus.
    #[error("no such device on this bus")]
    NoSuchDevice,
    /// The configuration does not allow it for this very device.
    #[error("the configuration of `{device}` does not allow this; its `allow` must name it")]
    NotAllowed {
        /// The device.
        device: String,
    },
    /// Nobody entitled gave the order.
    #[error("the command is not authorised")]
    NotAuthorised,
    /// Too late.
    #[error("the command expired before the line was free")]
    Expired,
    /// The device does not answer its polls: it is not waited for.
    #[error("the device does not answer")]
    NotReachable,
    /// Its protocol has no such act.
    #[error("a device of this kind cannot do this")]
    WrongKind,
    /// A relay command needs the password of the meter and a trusted clock.
    #[error("{0} is missing for this command")]
    Missing(&'static str),
    /// The meter refused.
    #[error("the meter refuses: {0}")]
    Refused(String),
    /// What happened is not known: the answer was lost.
    #[error("no clear answer came; whether it was done is unknown")]
    Unknown,
}

/// What waits for the line.
#[derive(Debug)]
pub(super) struct Desk {
    requests: Option<mpsc::Receiver<FieldRequest>>,
    orders: Option<mpsc::Receiver<BusRequest>>,
    probe: Option<(Probe, Instant)>,
    control: Option<Control>,
    write: Option<RegisterWrite>,
    pub(super) next_sync: Option<Instant>,
}

impl Desk {
    pub(super) fn new(
        requests: mpsc::Receiver<FieldRequest>,
        orders: mpsc::Receiver<BusRequest>,
        sync: Option<Duration>,
    ) -> Self {
        Self {
            requests: Some(requests),
            orders: Some(orders),
            probe: None,
            control: None,
            write: None,
            next_sync: sync.map(|_| Instant::now()),
        }
    }

    /// Requests to read again that wait; one at a time.
    pub(super) fn next_request(&mut self) -> Option<FieldRequest> {
        self.requests.as_mut()?.try_recv().ok()
    }

    /// While the line is down nobody can be asked: what waits is told so.
    pub(super) fn refuse_all(&mut self, why: &str) {
        while self.next_request().is_some() {}
        self.take_order();
        if let Some((probe, _)) = self.probe.take() {
            let outcome = Err(Fault::Lost(why.to_owned()));
            let heard = Heard { outcome, bytes: Vec::new(), answer_time: None };
            drop(probe.reply.send(heard));
        }
        if let Some(control) = self.control.take() {
            drop(control.reply.send(Err(ControlRefused::NotReachable)));
        }
        if let Some(write) = self.write.take() {
            drop(write.reply.send(Err(ControlRefused::NotReachable)));
        }
    }

    /// Nothing waits for the line: something new may be taken.
    fn is_free(&self) -> bool {
        self.probe.is_none() && self.control.is_none() && self.write.is_none()
    }

    fn take_order(&mut self) {
        if !self.is_free() {
            return;
        }
        if let Some(order) = self.orders.as_mut().and_then(|orders| orders.try_recv().ok()) {
            self.file(order);
        }
    }

    fn file(&mut self, order: BusRequest) {
        match order {
            BusRequest::Probe(probe) => self.probe = Some((probe, Instant::now())),
            BusRequest::Control(control) => self.control = Some(control),
            BusRequest::Write(write) => self.write = Some(write),
        }
    }

    /// Waits for something to do that is not on the schedule; for ever when nobody can ask.
    pub(super) async fn asked(&mut self) -> Option<FieldRequest> {
        loop {
            let free = self.is_free();
            tokio::select! {
                asked = receive(&mut self.requests) => match asked {
                    Some(request) => return Some(request),
                    None => self.requests = None,
                },
                order = receive(&mut self.orders), if free => match order {
                    Some(order) => {
                        self.file(order);
                        return None;
                    }
                    None => self.orders = None,
                },
            }
        }
    }
}

async fn receive<T>(from: &mut Option<mpsc::Receiver<T>>) -> Option<T> {
    match from {
        Some(from) => from.recv().await,
        None => std::future::pending().await,
    }
}

impl Bus {
    /// Does what goes before `next`, if anything: commands at once, a probe when there is time for
    /// it or it waited long enough, the clocks when they are due. Returns whether the line was used.
    pub(super) async fn errand(&mut self, session: &mut Session, next: Next) -> bool {
        self.desk.take_order();
        if let Some(control) = self.desk.control.take() {
            let outcome = self.control(session, &control).await;
            tracing::info!(
                bus = %self.config.id, act = ?control.act,
                by = control.authorised_by.as_deref().unwrap_or("nobody"), ?outcome,
                "command to a device"
            );
            drop(control.reply.send(outcome));
            return true;
        }
        if let Some(write) = self.desk.write.take() {
            let outcome = self.write(session, &write).await;
            // Whoever ordered may have gone.
            drop(write.reply.send(outcome));
            return true;
        }
        if let Some((probe, since)) = &self.desk.probe {
            let manners = stranger(&probe.ask, probe.line, probe.patience);
            let wire = probe.ask.request_chars() + probe.ask.answer_chars();
            let need = probe.patience + probe.line.time_of(wire);
            let free = match next {
                Next::Run(_) => false,
                Next::Wait(until) => until.saturating_sub(self.start.elapsed()) >= need,
                Next::Nothing => true,
            };
            if free || since.elapsed() >= self.row.probe_wait(need, self.start.elapsed()) {
                let exchange = session.exchange(&manners, &probe.ask).await;
                let rest = session.listen(probe.listen).await;
                self.beside(Some(manners.address), &exchange);
                let Exchange { outcome, answer_time, .. } = exchange;
                let heard = session.heard(|bytes| Heard {
                    outcome,
                    bytes: [bytes, &rest].concat(),
                    answer_time,
                });
                if let Some((probe, _)) = self.desk.probe.take() {
                    drop(probe.reply.send(heard));
                }
                return true;
            }
        }
        self.set_clocks(session).await || self.compare_clocks(session, next).await
    }

    async fn control(
        &mut self,
        session: &mut Session,
        control: &Control,
    ) -> Result<(), ControlRefused> {
        let unit = self.units.iter().find(|unit| unit.index == control.device);
        let unit = unit.ok_or(ControlRefused::NoSuchDevice)?;
        if !unit.allow.contains(&control.act) {
            return Err(ControlRefused::NotAllowed { device: unit.id.to_string() });
        }
        if control.authorised_by.is_none() {
            return Err(ControlRefused::NotAuthorised);
        }
        if control.expires <= Instant::now() {
            return Err(ControlRefused::Expired);
        }
        if unit.tracker.health() != Health::Online {
            return Err(ControlRefused::NotReachable);
        }
        let wall = self.clock.trusted().then(|| self.clock.wall(self.clock.now())).flatten();
        let until = wall.map(|wall| WallTime {
            unix_ms: wall.unix_ms + i64::try_from(RELAY_VALID.as_millis()).unwrap_or(0),
        });
        let until = until.and_then(|until| meter_time(until, self.config.meter_zone));
        let ask =
            command(unit.manners.address, &unit.profile.binding, control, until, unit.order.0)?;
        let manners = unit.manners;
        let exchange = session.exchange(&manners, &ask).await;
        self.beside(Some(manners.address), &exchange);
        match exchange.outcome {
            Ok(Answer::Dlt645 { reply: dlt645::Reply::Done, .. })
            | Ok(Answer::Cjt188 { reply: cjt188::Reply::Done { .. }, .. }) => Ok(()),
            Ok(Answer::Dlt645 { reply: dlt645::Reply::Refused(bits), .. }) => {
                Err(ControlRefused::Refused(bits.en()))
            }
            Ok(Answer::Cjt188 { reply: cjt188::Reply::Refused(status), .. }) => {
                Err(ControlRefused::Refused(format!("status {status:02X?}")))
            }
            // Nothing was sent.
            Err(Fault::Unset(_) | Fault::Lost(_)) => Err(ControlRefused::NotReachable),
            _ => Err(ControlRefused::Unknown),
        }
    }

    /// Books an exchange beside the polls. Whoever did not answer it may do so late, and is not
    /// polled meanwhile.
    pub(super) fn beside(&mut self, asked: Option<BusAddress>, exchange: &Exchange) {
        self.row.foreign(exchange, self.start.elapsed());
        let Some(hold) = exchange.hold else { return };
        for (slot, unit) in self.units.iter().enumerate() {
            if asked == Some(unit.manners.address) {
                self.schedule.hold(slot, hold.saturating_duration_since(self.start));
            }
        }
    }
}

/// How a device is treated of which nothing is known.
pub(super) fn stranger(ask: &Ask, line: LineSettings, patience: Duration) -> Manners {
    Manners {
        address: ask.address().unwrap_or(BusAddress::Unit(0)),
        line,
        timeout: patience,
        pause: Duration::ZERO,
        pause_on_switch: Duration::ZERO,
    }
}

/// The request for an act.
fn command(
    address: BusAddress,
    binding: &Binding,
    control: &Control,
    until: Option<MeterTime>,
    order: DiOrder,
) -> Result<Ask, ControlRefused> {
    let relay = match control.act {
        Act::RelayTrip => Some(RelayAct::Trip),
        Act::RelayClose => Some(RelayAct::Close),
        Act::ValveOpen | Act::ValveClose => None,
    };
    let valve = match control.act {
        Act::ValveOpen => Some(ValveAct::Open),
        Act::ValveClose => Some(ValveAct::Close),
        Act::RelayTrip | Act::RelayClose => None,
    };
    match (binding, address, relay, valve) {
        (Binding::Dlt645(model), BusAddress::Dlt645(address), Some(act), _) => {
            let key = control.key.ok_or(ControlRefused::Missing("the meter's password"))?;
            let valid_until = until.ok_or(ControlRefused::Missing("a trusted clock"))?;
            let RelayKey { level, password, operator } = key;
            let relay = Relay { act, level, password, operator, valid_until };
            let mut frame = dlt645::relay(address, &relay);
            frame.preamble = model.manners.preamble;
            Ok(Ask::Dlt645 { edition: model.edition, frame })
        }
        (Binding::Cjt188(model), BusAddress::Cjt188(address), _, Some(act)) => {
            let mut frame = cjt188::valve(model.meter_type, address, order, 1, act);
            frame.preamble = model.manners.preamble;
            Ok(Ask::Cjt188 { frame })
        }
        _ => Err(ControlRefused::WrongKind),
    }
}
