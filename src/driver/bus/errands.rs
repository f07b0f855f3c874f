//! What others ask of the line beside the polls: reads again, commands, single probes of a scan,
//! setting the clocks of the meters.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::ask::Ask;
use super::owner::Bus;
use super::session::{Answer, Exchange, Fault, Manners, Session};
use crate::driver::schedule::Next;
use crate::driver::{Act, BusAddress, LineSettings};
use crate::model::{DeviceIndex, FieldRequest, Health, WallTime};
use crate::profile::Binding;
use crate::protocol::MeterTime;
use crate::protocol::cjt188::{self, DiOrder, ValveAct};
use crate::protocol::dlt645::{self, Edition, Relay, RelayAct};

/// A meter obeys a relay command only so long after it was made (DL/T 645: N3..N8).
const RELAY_VALID: Duration = Duration::from_secs(300);
/// No clock is set within this many minutes of a full hour: a meter that jumps over one counts a
/// demand period or a day wrong.
const SYNC_AWAY: u8 = 5;
/// The clocks wait this long when it is not the time.
const SYNC_AGAIN: Duration = Duration::from_secs(60);

/// What the owner of a line is asked to do.
#[derive(Debug)]
pub enum BusRequest {
    /// One exchange of a scan.
    Probe(Probe),
    /// An act on a device.
    Control(Control),
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelayKey {
    /// Level of the password (PA).
    pub level: u8,
    /// Password, three bytes as sent.
    pub password: [u8; 3],
    /// Operator code, four bytes as sent.
    pub operator: [u8; 4],
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
    next_sync: Option<Instant>,
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
    }

    fn take_order(&mut self) {
        if self.probe.is_some() || self.control.is_some() {
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
        }
    }

    /// Waits for something to do that is not on the schedule; for ever when nobody can ask.
    pub(super) async fn asked(&mut self) -> Option<FieldRequest> {
        loop {
            tokio::select! {
                asked = receive(&mut self.requests) => match asked {
                    Some(request) => return Some(request),
                    None => self.requests = None,
                },
                order = receive(&mut self.orders), if self.probe.is_none() && self.control.is_none() => match order {
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
                self.row.foreign(&exchange, self.start.elapsed());
                let Exchange { outcome, answer_time, .. } = exchange;
                let rest = session.listen(probe.listen).await;
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
        self.set_clocks(session).await
    }

    /// Sends the time to all meters, once for each line setting of theirs.
    async fn set_clocks(&mut self, session: &mut Session) -> bool {
        let (Some(every), Some(due)) = (self.config.time_sync, self.desk.next_sync) else {
            return false;
        };
        if due > Instant::now() {
            return false;
        }
        let wall = self.clock.trusted().then(|| self.clock.wall(self.clock.now())).flatten();
        let Some(time) = wall.and_then(|wall| meter_time(wall, self.config.meter_zone)) else {
            self.desk.next_sync = Some(Instant::now() + SYNC_AGAIN);
            return false;
        };
        if !(SYNC_AWAY..60 - SYNC_AWAY).contains(&time.minute) {
            self.desk.next_sync = Some(Instant::now() + SYNC_AGAIN);
            return false;
        }
        self.desk.next_sync = Some(Instant::now() + every);
        let of_2007 = |unit: &&super::unit::Unit| matches!(&unit.profile.binding, Binding::Dlt645(m) if m.edition == Edition::V2007);
        let mut lines: Vec<Manners> = Vec::new();
        for unit in self.units.iter().filter(of_2007) {
            if !lines.iter().any(|known| known.line == unit.manners.line) {
                lines.push(unit.manners);
            }
        }
        let told = !lines.is_empty();
        for manners in lines {
            let ask = Ask::Tell { bytes: dlt645::time_sync(time).to_bytes() };
            let exchange = session.exchange(&manners, &ask).await;
            self.row.foreign(&exchange, self.start.elapsed());
        }
        if told {
            tracing::info!(bus = %self.config.id, ?time, "the time was sent to the meters");
        }
        told
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
        let ask = command(unit.manners.address, &unit.profile.binding, control, until)?;
        let manners = unit.manners;
        let exchange = session.exchange(&manners, &ask).await;
        self.row.foreign(&exchange, self.start.elapsed());
        match exchange.outcome {
            Ok(Answer::Dlt645 { reply: dlt645::Reply::Done, .. })
            | Ok(Answer::Cjt188 { reply: cjt188::Reply::Done { .. }, .. }) => Ok(()),
            Ok(Answer::Dlt645 { reply: dlt645::Reply::Refused(bits), .. }) => {
                Err(ControlRefused::Refused(bits.en()))
            }
            Ok(Answer::Cjt188 { reply: cjt188::Reply::Refused(status), .. }) => {
                Err(ControlRefused::Refused(format!("status {status:02X?}")))
            }
            _ => Err(ControlRefused::Unknown),
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
            let order = model.order.unwrap_or(DiOrder::HighFirst);
            let mut frame = cjt188::valve(model.meter_type, address, order, 1, act);
            frame.preamble = model.manners.preamble;
            Ok(Ask::Cjt188 { frame })
        }
        _ => Err(ControlRefused::WrongKind),
    }
}

/// Local time as a meter shows it.
pub(in crate::driver) fn meter_time(wall: WallTime, zone: Duration) -> Option<MeterTime> {
    let offset = i64::try_from(zone.as_millis()).ok()?;
    let local = jiff::Timestamp::from_millisecond(wall.unix_ms.checked_add(offset)?).ok()?;
    let time = local.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    Some(MeterTime {
        year: u16::try_from(time.year()).ok()?,
        month: u8::try_from(time.month()).ok()?,
        day: u8::try_from(time.day()).ok()?,
        hour: u8::try_from(time.hour()).ok()?,
        minute: u8::try_from(time.minute()).ok()?,
        second: u8::try_from(time.second()).ok()?,
    })
}
