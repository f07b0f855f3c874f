//! The owner of one bus: asks the schedule what is next, reads it, tells the pipeline.
//!
//! It never gives up on a line: what cannot be opened is tried again with back-off until it is
//! stopped or nobody listens any more.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::device::{ModbusDevice, Sequel, Unit};
use super::open::{Opened, open};
use super::row::Row;
use super::session::{Answer, Exchange, Fault, Session};
use super::wire::Stream;
use crate::backoff::Backoff;
use crate::clock::Clock;
use crate::driver::BusConfig;
use crate::driver::schedule::{Back, Job, Next, Purpose, Schedule};
use crate::model::{BusTable, Cause, FieldMessage, FieldRequest, Health};

/// Delays between attempts to open a line.
const REOPEN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// Breaks in a row without an answer between them after which the line counts as down.
const BREAKS_MAX: u32 = 3;
/// Requests in a row without any answer after which the line is opened anew, once.
const SILENT_MAX: u32 = 6;
/// A device that says "busy" is asked again this much later.
const BUSY_DELAY: Duration = Duration::from_millis(500);
/// The row is renewed at least this often.
const ROW_EVERY: Duration = Duration::from_secs(5);

type Opening = Pin<Box<dyn Future<Output = Result<Opened<Box<dyn Stream>>, String>> + Send>>;
/// How the line is opened; tests put a fake line in its place.
pub(super) type Open = Box<dyn FnMut() -> Opening + Send>;

/// The pipeline is gone.
struct Closed;

/// One serial line or TCP endpoint with its devices.
pub struct Bus {
    config: BusConfig,
    units: Vec<Unit>,
    schedule: Schedule,
    row: Row,
    clock: Clock,
    start: Instant,
    open: Open,
    session: Option<Session>,
    reopen: Backoff,
    /// Breaks without an answer since.
    breaks: u32,
    /// Answers on the present connection.
    answers: u32,
    /// Why the line must be opened.
    back: Back,
    /// Requests without an answer since.
    silent: u32,
    /// When a silent line may be opened anew.
    renew_after: Instant,
    down: bool,
    out: mpsc::Sender<FieldMessage>,
    requests: Option<mpsc::Receiver<FieldRequest>>,
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Bus {
    /// Plans the reads of all devices; opens nothing. `row` is the bus's place in `table`.
    /// Must be called within a tokio runtime.
    pub fn new(
        config: BusConfig,
        row: usize,
        devices: Vec<ModbusDevice>,
        table: BusTable,
        clock: Clock,
        out: mpsc::Sender<FieldMessage>,
        requests: mpsc::Receiver<FieldRequest>,
    ) -> Self {
        let timeout = config.timeout;
        let units: Vec<_> = devices.into_iter().map(|device| Unit::new(device, timeout)).collect();
        let demands: Vec<_> = units.iter().map(Unit::demand).collect();
        let (transport, limit) = (config.transport.clone(), config.connect_timeout);
        let open: Open = Box::new(move || {
            let transport = transport.clone();
            Box::pin(async move { open(&transport, limit).await })
        });
        Self {
            schedule: Schedule::new(&demands, config.probe_cap),
            config,
            units,
            row: Row::new(table, row),
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
            requests: Some(requests),
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
        let Some(mut session) = self.session.take() else {
            return self.open_line().await;
        };
        while let Some(Ok(request)) = self.requests.as_mut().map(mpsc::Receiver::try_recv) {
            self.take_request(&request);
        }
        match self.schedule.next(self.start.elapsed()) {
            Next::Run(job) => {
                let unit = &self.units[job.device];
                let exchange = session.read(unit.manners, &unit.blocks[job.block]).await;
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
        let Some(requests) = &mut self.requests else {
            return sleep_until(until).await;
        };
        let asked = tokio::select! {
            () = sleep_until(until) => return,
            asked = requests.recv() => asked,
        };
        match asked {
            Some(request) => self.take_request(&request),
            None => self.requests = None,
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
                self.session = Some(Session::new(opened, self.config.gap));
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
    async fn rest(&mut self) {
        self.back = Back::Away;
        let delay = self.reopen.delay();
        self.row.idle(self.start.elapsed());
        sleep(delay).await;
        while let Some(Ok(_)) = self.requests.as_mut().map(mpsc::Receiver::try_recv) {}
    }

    async fn line_down(&mut self, why: &str) -> Result<(), Closed> {
        let now = self.clock.now();
        self.row.closed(now, Some(why));
        if !std::mem::replace(&mut self.down, true) {
            let line = &self.config.transport;
            tracing::warn!(bus = %self.config.id, %line, fault = why, "line down, trying again");
        }
        for slot in 0..self.units.len() {
            let before = self.units[slot].tracker.health();
            let changed = self.units[slot].tracker.line_down(why);
            self.tell(slot, before, changed).await?;
        }
        Ok(())
    }

    /// Books an exchange and tells the pipeline.
    async fn digest(&mut self, job: Job, exchange: Exchange) -> Result<(), Closed> {
        let now = self.start.elapsed();
        let probing = job.purpose == Purpose::Probe;
        self.row.exchanged(&exchange, probing, self.schedule.take_missed(), now);
        if let Some(hold) = exchange.hold {
            self.schedule.hold(job.device, hold.saturating_duration_since(self.start));
        }
        match exchange.outcome {
            Ok(answer) => {
                self.silent = 0;
                self.breaks = 0;
                self.answers = self.answers.saturating_add(1);
                self.reopen.reset();
                // Not when it opens: a line that breaks again at once would fill the log.
                if std::mem::take(&mut self.down) {
                    tracing::info!(bus = %self.config.id, "line works again");
                }
                match answer {
                    // A gateway's own words: the unit behind it does not answer.
                    Answer::Exception(0x0a | 0x0b) => {
                        self.not_answered(job, exchange.took, Cause::NoAnswer).await
                    }
                    answer => self.answered(job, exchange.took, answer).await,
                }
            }
            Err(Fault::Silent) => {
                self.silent = self.silent.saturating_add(1);
                self.renew_if_dead();
                self.not_answered(job, exchange.took, Cause::NoAnswer).await
            }
            Err(Fault::Damaged) => {
                self.silent = 0;
                self.not_answered(job, exchange.took, Cause::DamagedReplies).await
            }
            // Many servers close after each answer, or when they were idle: that is nobody's
            // fault, the same is asked on a fresh connection.
            Err(Fault::Lost(_)) if self.answers > 0 => self.closed(job),
            Err(Fault::Broken(_))
                if self.answers > 0
                    && !probing
                    && self.units[job.device].attempt(job.block) == 1 =>
            {
                self.closed(job)
            }
            Err(Fault::Lost(why)) => {
                self.schedule.first(job);
                self.broke(&why).await
            }
            Err(Fault::Broken(why)) => {
                let cause = Cause::LineDown(why.clone());
                self.not_answered(job, exchange.took, cause).await?;
                self.broke(&why).await
            }
        }
    }

    /// The connection was closed after it gave answers.
    fn closed(&mut self, job: Job) -> Result<(), Closed> {
        self.row.closed(self.clock.now(), None);
        self.back = Back::Closed;
        self.schedule.first(job);
        Ok(())
    }

    /// The line broke. One that worked is opened anew at once; one that breaks again and again
    /// without an answer is down.
    async fn broke(&mut self, why: &str) -> Result<(), Closed> {
        self.row.closed(self.clock.now(), Some(why));
        self.breaks = self.breaks.saturating_add(1);
        tracing::debug!(bus = %self.config.id, fault = why, "line broke");
        if self.breaks >= BREAKS_MAX {
            self.line_down(why).await?;
        }
        if self.breaks > 1 {
            self.rest().await;
        }
        Ok(())
    }

    /// A connection whose other end vanished looks like silence of all units: it is opened anew,
    /// and again only when a long time passed, because dead units look the same.
    fn renew_if_dead(&mut self) {
        if self.silent >= SILENT_MAX && Instant::now() >= self.renew_after {
            tracing::debug!(bus = %self.config.id, "all units silent, opening the line anew");
            self.silent = 0;
            self.renew_after = Instant::now() + self.config.probe_cap.max(REOPEN.1);
            self.session = None;
            self.row.closed(self.clock.now(), None);
        }
    }

    async fn answered(&mut self, job: Job, took: Duration, answer: Answer) -> Result<(), Closed> {
        let now = self.start.elapsed();
        self.schedule.answered(job, now, took);
        let unit = &mut self.units[job.device];
        unit.settled(job.block);
        if matches!(answer, Answer::Exception(5 | 6)) && unit.busy(job.block) {
            self.schedule.retry(job, now + BUSY_DELAY);
            return Ok(());
        }
        match unit.learn(job.block, &answer, &self.config.id) {
            Sequel::Take => {}
            Sequel::Rarely(period) => {
                self.schedule.rarely(job.device, job.block, period, now);
            }
            Sequel::Cut => {
                self.schedule.cut(job.device, job.block, now);
                return Ok(());
            }
            Sequel::Restored => {
                self.schedule.replan(job.device, &unit.demand(), now);
                return Ok(());
            }
        }
        let before = unit.tracker.health();
        let changed = unit.answered(job.block, &answer);
        self.tell(job.device, before, changed).await?;
        let batch = self.units[job.device].batch(job.block, &answer, self.clock.now());
        self.send(FieldMessage::Readings(batch)).await
    }

    async fn not_answered(&mut self, job: Job, took: Duration, cause: Cause) -> Result<(), Closed> {
        let now = self.start.elapsed();
        let unit = &mut self.units[job.device];
        let before = unit.tracker.health();
        let broken = matches!(cause, Cause::LineDown(_));
        if before == Health::Online && !broken && unit.attempt(job.block) <= self.config.retries {
            self.schedule.retry(job, now);
            return Ok(());
        }
        unit.settled(job.block);
        let changed = unit.tracker.failed(cause);
        let given_up = unit.tracker.given_up();
        self.schedule.failed(job, now, took, given_up);
        self.tell(job.device, before, changed).await
    }

    /// Tells a change of health; a device that went offline takes its values with it.
    async fn tell(&mut self, slot: usize, before: Health, changed: bool) -> Result<(), Closed> {
        if !changed {
            return Ok(());
        }
        let at = self.clock.now();
        let unit = &self.units[slot];
        let change = FieldMessage::Health(unit.change(at));
        let gone = before != Health::Offline && unit.tracker.health() == Health::Offline;
        let absent = (gone && !unit.blocks.is_empty()).then(|| unit.absent(at));
        self.send(change).await?;
        match absent {
            Some(batch) => self.send(FieldMessage::Readings(batch)).await,
            None => Ok(()),
        }
    }

    async fn send(&mut self, message: FieldMessage) -> Result<(), Closed> {
        self.out.send(message).await.map_err(|_gone| Closed)
    }
}

#[cfg(test)]
#[path = "bus_tests.rs"]
mod tests;
