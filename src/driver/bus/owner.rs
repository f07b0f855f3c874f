//! The owner of one bus: asks the schedule what is next, reads it, tells the pipeline.
//!
//! It never gives up on a line: what cannot be opened is tried again with back-off until it is
//! stopped or nobody listens any more.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::compare::Comparison;
use super::errands::{BusRequest, Desk};
use super::lessons::LessonBook;
use super::open::{Opened, open};
use super::row::Row;
use super::session::{Fault, Session};
use super::unit::{BusDevice, Unit};
use crate::backoff::Backoff;
use crate::clock::Clock;
use crate::driver::doctor::{Doctor, Patient};
use crate::driver::record::FrameLog;
use crate::driver::schedule::{Back, Next, Schedule};
use crate::driver::{BusConfig, LineSettings, Parity};
use crate::model::{BusTable, FieldMessage, FieldRequest, Words};

/// Delays between attempts to open a line.
pub(super) const REOPEN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// A bus without devices is opened with these settings.
const USUAL: LineSettings = LineSettings { baud: 9600, parity: Parity::None, stop_bits: 1 };
/// The row is renewed at least this often.
const ROW_EVERY: Duration = Duration::from_secs(5);

type Opening = Pin<Box<dyn Future<Output = Result<Opened, Words>> + Send>>;
/// How the line is opened; tests put a fake line in its place.
pub(super) type Open = Box<dyn FnMut() -> Opening + Send>;

/// The pipeline is gone.
pub(super) struct Closed;

/// What connects a bus with the rest.
#[derive(Debug)]
pub struct Ports {
    /// Where its state is shown.
    pub table: BusTable,
    /// Its row there.
    pub row: usize,
    /// The clock.
    pub clock: Clock,
    /// To the pipeline.
    pub out: mpsc::Sender<FieldMessage>,
    /// From the pipeline.
    pub requests: mpsc::Receiver<FieldRequest>,
    /// From the scan and the command path.
    pub orders: mpsc::Receiver<BusRequest>,
    /// Where its frames are recorded.
    pub log: FrameLog,
    /// What is known about the models.
    pub book: LessonBook,
}

/// One serial line or TCP endpoint with its devices.
pub struct Bus {
    pub(super) config: BusConfig,
    pub(super) units: Vec<Unit>,
    /// Line settings of the devices; a unit's group is its place here.
    pub(super) lines: Vec<LineSettings>,
    pub(super) schedule: Schedule,
    pub(super) row: Row,
    pub(super) clock: Clock,
    pub(super) start: Instant,
    pub(super) open: Open,
    pub(super) session: Option<Session>,
    pub(super) reopen: Backoff,
    /// Breaks without an answer since.
    pub(super) breaks: u32,
    /// Answers on the present connection.
    pub(super) answers: u32,
    /// Why the line must be opened.
    pub(super) back: Back,
    /// Requests without an answer since.
    pub(super) silent: u32,
    /// When a silent line may be opened anew.
    pub(super) renew_after: Instant,
    pub(super) down: bool,
    pub(super) out: mpsc::Sender<FieldMessage>,
    pub(super) desk: Desk,
    pub(super) comparison: Comparison,
    pub(super) log: FrameLog,
    /// None for Modbus TCP: it has no wires to look at.
    pub(super) doctor: Option<Doctor>,
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Bus {
    /// Plans the reads of all devices; opens nothing. Must be called within a tokio runtime.
    pub fn new(config: BusConfig, devices: Vec<BusDevice>, ports: Ports) -> Self {
        let Ports { table, row, clock, out, requests, orders, log, book } = ports;
        let mut lines: Vec<LineSettings> = Vec::new();
        for device in &devices {
            if config.transport.is_local() && !lines.contains(&device.line) {
                lines.push(device.line);
            }
        }
        let first = devices.first().map_or(USUAL, |device| device.line);
        let patient = |device: &BusDevice| Patient {
            index: device.index,
            title: device.title.clone(),
            address: device.address,
        };
        let serial = config.transport.is_serial();
        let doctor = serial.then(|| Doctor::new(devices.iter().map(patient).collect()));
        let timeout = config.timeout;
        let units: Vec<_> =
            devices.into_iter().map(|device| Unit::new(device, timeout, &book)).collect();
        let demands: Vec<_> = units.iter().map(|unit| unit.demand(group(&lines, unit))).collect();
        let (transport, limit) = (config.transport.clone(), config.connect_timeout);
        let open: Open = Box::new(move || {
            let transport = transport.clone();
            Box::pin(async move { open(&transport, first, limit).await })
        });
        Self {
            schedule: Schedule::new(&demands, config.probe_cap),
            comparison: Comparison::new(&units, clock.source_meter()),
            desk: Desk::new(requests, orders, config.time_sync),
            config,
            row: Row::new(table, row, &units, serial),
            units,
            lines,
            clock,
            start: Instant::now(),
            open,
            session: None,
            reopen: Backoff::new(REOPEN.0, REOPEN.1),
            breaks: 0,
            answers: 0,
            back: Back::Away,
            silent: 0,
            renew_after: Instant::now(),
            down: false,
            out,
            log,
            doctor,
        }
    }

    /// Reads until stopped, or until nobody takes the readings. When the pipeline is full the bus
    /// waits; what it misses meanwhile is counted.
    pub async fn run(mut self, stop: CancellationToken) {
        let out = self.out.clone();
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = out.closed() => {}
            Closed = self.serve() => {}
        }
        self.row.closed(self.clock.now(), None);
    }

    async fn serve(&mut self) -> Closed {
        loop {
            if let Err(closed) = self.turn().await {
                return closed;
            }
        }
    }

    async fn turn(&mut self) -> Result<(), Closed> {
        self.next_diagnosis().await?;
        let Some(mut session) = self.session.take() else {
            return self.open_line().await;
        };
        while let Some(request) = self.desk.next_request() {
            self.take_request(&request);
        }
        let next = self.schedule.next(self.start.elapsed());
        // A job that is handed out counts as begun: an errand before it only delays it.
        if self.errand(&mut session, next).await {
            let waits = match next {
                Next::Run(job) => self.schedule.postponed(job, self.start.elapsed()),
                Next::Wait(_) | Next::Nothing => true,
            };
            if waits {
                self.session = Some(session);
                return Ok(());
            }
        }
        match next {
            Next::Run(job) => {
                let unit = &mut self.units[job.device];
                let ask = unit.ask(job.block);
                let exchange = session.exchange(&unit.manners, &ask).await;
                self.examine(job.device, &exchange, &session);
                if !matches!(exchange.outcome, Err(Fault::Lost(_) | Fault::Broken(_))) {
                    self.session = Some(session);
                }
                self.digest(job, exchange).await
            }
            Next::Wait(until) => {
                self.session = Some(session);
                self.idle(until).await;
                Ok(())
            }
            Next::Nothing => {
                self.session = Some(session);
                self.idle(Duration::MAX).await;
                Ok(())
            }
        }
    }

    /// Waits until something is due or asked for.
    async fn idle(&mut self, until: Duration) {
        let elapsed = self.start.elapsed();
        self.row.idle(elapsed);
        let until = self.start + until.min(elapsed + ROW_EVERY);
        let asked = tokio::select! {
            () = sleep_until(until) => return,
            asked = self.desk.asked() => asked,
        };
        if let Some(request) = asked {
            self.take_request(&request);
        }
    }

    fn take_request(&mut self, request: &FieldRequest) {
        let FieldRequest::ReadAgain { device, points } = request;
        for (slot, unit) in self.units.iter().enumerate() {
            if unit.index == *device {
                unit.blocks_of(points).for_each(|block| self.schedule.again(slot, block));
            }
        }
    }

    /// Opens the line, or says that it is down and waits.
    async fn open_line(&mut self) -> Result<(), Closed> {
        match (self.open)().await {
            Ok(opened) => {
                let (log, clock) = (self.log.clone(), self.clock.clone());
                self.session = Some(Session::new(opened, self.config.gap, log, clock));
                self.row.opened(self.clock.now());
                tracing::debug!(bus = %self.config.id, "line open");
                self.answers = 0;
                self.schedule.line_back(self.start.elapsed(), self.back);
                self.back = Back::Broke;
                Ok(())
            }
            Err(why) => {
                self.line_down(&why).await?;
                self.rest().await;
                Ok(())
            }
        }
    }

    /// The delay before the next attempt to open the line; requests meanwhile have no use.
    pub(super) async fn rest(&mut self) {
        self.back = Back::Away;
        let delay = self.reopen.delay();
        self.row.idle(self.start.elapsed());
        let end = Instant::now() + delay;
        loop {
            self.desk.refuse_all("the line is down");
            tokio::select! {
                () = sleep_until(end) => return,
                // Whoever asks now is told at once.
                _request = self.desk.asked() => {}
            }
        }
    }
}

/// The group of a unit: the place of its line settings.
pub(super) fn group(lines: &[LineSettings], unit: &Unit) -> usize {
    lines.iter().position(|line| *line == unit.manners.line).unwrap_or(0)
}

#[cfg(test)]
#[path = "owner_tests.rs"]
mod tests;
