//! The task around the desk: listens, orders, keeps, tells.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::calendar::{Calendar, Drill, Due};
use super::desk::{Desk, Effect, Input, Now, Order, Said, Setup};
use super::ends::{ASKS, BroadcastAnswer, BroadcastMessage, Ends};
use super::handle::{Ask, BroadcastDesk, of_template};
use super::kept::Kept;
use super::view::{BroadcastView, DrillRow, WarningRow};
use crate::clock::Clock;
use crate::model::{
    Event, EventKind, Fact, FactKind, FieldMessage, Moment, Snapshot, WarningId, WarningNews,
    WarningRefusal, WarningSource, WarningStatus, WarningStep,
};
use crate::store::{Store, StoreError};

/// How often devices are looked at while something is on.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Looks between two glances at the calendar, and at the devices while nothing is on.
const IDLE_LOOKS: u32 = 4;
/// The receipts are with the recorder after this time.
const RECORDED_AFTER: Duration = Duration::from_secs(3);
/// Facts that wait for the star level.
const MOST_FACTS: usize = 256;

/// Receipts that were told, until the platform has them.
#[derive(Debug)]
enum Returning {
    /// Told then, when so many commits had been made.
    Told(Moment, u64),
    /// They are in a block below this one.
    Below(u64),
}

/// The task.
pub struct Broadcast {
    desk: Desk,
    calendar: Calendar,
    kept: Kept,
    clock: Clock,
    snapshot: Snapshot,
    ends: Ends,
    asks: mpsc::Receiver<Ask>,
    view: watch::Sender<Arc<BroadcastView>>,
    shown: Option<u64>,
    /// Whoever looks shall see it now: not at each of two hundred outcomes.
    show: bool,
    /// What each target said last.
    said: Vec<Said>,
    running: JoinSet<(usize, u64, bool)>,
    returning: BTreeMap<u64, Returning>,
    /// Facts that the star level could not take yet.
    facts: VecDeque<Fact>,
    looks: u32,
    platform: bool,
}

impl Broadcast {
    /// Goes on with what the store keeps.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open(
        setup: Setup,
        drills: Vec<Drill>,
        store: &Store,
        (clock, snapshot): (Clock, Snapshot),
        ends: Ends,
    ) -> Result<(Self, BroadcastDesk), StoreError> {
        let mut kept = Kept::new(store);
        let (rows, drills_kept) = kept.load()?;
        let (desk, faults) = Desk::restore(setup.clone(), rows, now(&clock));
        for fault in faults {
            tracing::warn!(fault, "something that was kept of the broadcast is left out");
        }
        let calendar = Calendar::new(drills, drills_kept);
        let (sender, asks) = mpsc::channel(ASKS);
        let view = watch::Sender::new(Arc::new(BroadcastView::of(&desk, Vec::new())));
        let handle = BroadcastDesk { asks: sender, view: view.subscribe(), setup: Arc::new(setup) };
        let said = vec![Said::default(); ends.points.len()];
        let this = Self {
            desk,
            calendar,
            kept,
            clock,
            snapshot,
            ends,
            asks,
            view,
            shown: None,
            show: true,
            said,
            running: JoinSet::new(),
            returning: BTreeMap::new(),
            facts: VecDeque::new(),
            looks: 0,
            platform: true,
        };
        Ok((this, handle))
    }

    /// Takes warnings until `stop`; what plays goes on playing, and is looked after again at the next
    /// start.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.show = true;
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(done) = self.running.join_next() => match done {
                    Ok((target, ticket, done)) => {
                        self.show = false;
                        self.push(Input::Outcome { target, ticket, done });
                    }
                    Err(error) if error.is_panic() => {
                        std::panic::resume_unwind(error.into_panic());
                    }
                    Err(error) => tracing::debug!(%error, "an order was given up"),
                },
                message = self.ends.messages.recv(), if self.platform => match message {
                    Some(BroadcastMessage { name, payload, kept }) => {
                        self.listen();
                        self.push(Input::Message { name: &name, payload: &payload });
                        let changed = self.follow().await;
                        // What was refused need not be durable: a flood of it would wear the flash.
                        let durable = !changed || self.kept.commit().await;
                        if durable && kept.send(()).is_err() {
                            tracing::debug!("the link is gone: it may come again, to no effect");
                        }
                    }
                    None => self.platform = false,
                },
                Some(ask) = self.asks.recv() => self.ask(ask),
                _ = ticks.tick() => self.look().await,
            }
            self.follow().await;
        }
        self.keep();
        self.running.shutdown().await;
    }

    fn apply(&mut self, input: Input<'_>) -> Result<Option<WarningId>, WarningRefusal> {
        self.desk.apply(input, now(&self.clock))
    }

    /// The same for what nobody waits for.
    fn push(&mut self, input: Input<'_>) {
        if let Err(reason) = self.apply(input) {
            tracing::debug!(?reason, "nothing came of it");
        }
    }

    fn ask(&mut self, ask: Ask) {
        // Who asked and went away has no use for the answer.
        match ask {
            Ask::Compose { warning, reply } => {
                self.listen();
                let taken = self.apply(Input::Compose(warning));
                let taken = taken.and_then(|id| id.ok_or(WarningRefusal::Malformed));
                drop(reply.send(taken));
            }
            Ask::Cancel { id, by, reply } => {
                let cancelled = self.apply(Input::Cancel { id: &id, by: &by });
                if reply.send(cancelled.map(|_| ())).is_err() {
                    tracing::debug!(by, "whoever cancelled went away");
                }
            }
            Ask::One { id, reply } => {
                let found = self.desk.entries().find(|entry| entry.warning.id == id);
                drop(reply.send(found.map(WarningRow::whole)));
            }
        }
    }

    async fn look(&mut self) {
        self.looks = self.looks.wrapping_add(1);
        let slow = self.looks.is_multiple_of(IDLE_LOOKS);
        if self.desk.is_busy() {
            self.listen();
            self.push(Input::Tick);
        }
        if slow {
            self.returned();
            self.drills().await;
        }
    }

    /// Hands on what devices said since the last time.
    fn listen(&mut self) {
        for (target, points) in self.ends.points.iter().enumerate() {
            let said = self.snapshot.with(points.device, |state| points.said(state));
            if said != self.said[target] && said.at != Moment::default() {
                self.said[target] = said.clone();
                let input = Input::Said { target, said };
                if let Err(reason) = self.desk.apply(input, now(&self.clock)) {
                    tracing::debug!(?reason, "nothing came of it");
                }
            }
        }
    }

    async fn drills(&mut self) {
        let at = self.clock.now();
        let Some(wall) = self.clock.wall(at) else { return };
        for due in self.calendar.due(wall.unix_ms) {
            self.shown = None;
            let (Due::Announce { drill, at_ms }
            | Due::Begin { drill, at_ms }
            | Due::Missed { drill, at_ms }) = due;
            let Some(drill) = self.calendar.drill(drill).cloned() else { continue };
            let missed = |why: &str, why_zh: &str| WarningStep::DrillMissed {
                at_ms,
                why: why.to_owned(),
                why_zh: why_zh.to_owned(),
            };
            let step = match due {
                Due::Announce { .. } => WarningStep::Planned { at_ms },
                Due::Missed { .. } => missed("the gateway was not running", "网关当时未运行"),
                Due::Begin { .. } => match self.begin(&drill) {
                    Ok(()) => continue,
                    Err(why) => missed(&why.words().en, &why.words().zh),
                },
            };
            let setup = self.desk.setup();
            let template = setup.texts.template(&drill.template);
            let news = WarningNews {
                id: None,
                title_zh: drill.name.clone(),
                title: template.map_or_else(String::new, |template| template.en.title.clone()),
                severity: template.map_or_else(Default::default, |template| template.severity),
                status: WarningStatus::Exercise,
                step,
            };
            self.tell(Box::new(news)).await;
        }
        self.kept.drills(self.calendar.kept());
    }

    fn begin(&mut self, drill: &Drill) -> Result<(), WarningRefusal> {
        let warning = of_template(self.desk.setup(), &drill.template, WarningStatus::Exercise);
        let mut warning = warning.ok_or(WarningRefusal::Malformed)?;
        warning.source = WarningSource::Calendar;
        warning.sender.clone_from(&drill.name);
        warning.zones.clone_from(&drill.zones);
        self.listen();
        self.apply(Input::Compose(Box::new(warning))).map(drop)
    }

    /// Does what the desk says. What is kept comes before what is told, orders before both. Says
    /// whether a warning was taken or taken away.
    async fn follow(&mut self) -> bool {
        let effects = self.desk.take_effects();
        let mut told = Vec::new();
        for effect in effects {
            match effect {
                Effect::Order(order) => self.order(order),
                Effect::Tell(news) => told.push(news),
                Effect::Receipts(number) => {
                    let commits = (self.ends.delivered)().map_or(0, |delivered| delivered.commits);
                    self.returning.insert(number, Returning::Told(self.clock.now(), commits));
                }
                Effect::Fact(kind) => self.fact(kind),
                Effect::Answer { name, text } => {
                    if self.ends.answers.try_send(BroadcastAnswer { name, text }).is_err() {
                        tracing::debug!("the answer to a message is told by its event alone");
                    }
                }
            }
        }
        self.keep();
        let mut changed = false;
        for news in told {
            let step = &news.step;
            changed |= matches!(step, WarningStep::Accepted { .. } | WarningStep::Cancelled { .. });
            self.tell(news).await;
        }
        self.flush_facts();
        if self.show && self.shown != Some(self.desk.version()) {
            self.shown = Some(self.desk.version());
            let rows = self.calendar.drills().map(|(drill, next_ms)| DrillRow {
                name: drill.name.clone(),
                template: drill.template.clone(),
                next_ms,
            });
            let view = BroadcastView::of(&self.desk, rows.collect());
            self.view.send_replace(Arc::new(view));
        }
        changed
    }

    fn order(&mut self, order: Order) {
        let Some(points) = self.ends.points.get(order.target) else { return };
        let outcome = self.ends.orders.order(points.device, &order);
        let deadline = self.clock.instant(order.deadline);
        let (target, ticket) = (order.target, order.ticket);
        self.running.spawn(async move {
            let done = tokio::time::timeout_at(deadline, outcome).await;
            (target, ticket, done.unwrap_or(false))
        });
    }

    async fn tell(&mut self, news: Box<WarningNews>) {
        let id = news.id.as_ref().map(ToString::to_string).unwrap_or_default();
        match &news.step {
            WarningStep::Refused { reason, detail, .. } => {
                tracing::warn!(id, reason = reason.words().en, detail, "a warning was refused");
            }
            // Two hundred lines of them stand in the event.
            WarningStep::Receipts { part, parts, .. } => {
                tracing::debug!(id, part, parts, "receipts of a warning");
            }
            step => tracing::info!(id, severity = news.severity.word(), ?step, "warning"),
        }
        let event = Event { at: self.clock.now(), device: None, kind: EventKind::Warning(news) };
        if self.ends.field.send(FieldMessage::Event(event)).await.is_err() {
            tracing::info!("the flow is gone: what happened to a warning is in the log alone");
        }
    }

    fn fact(&mut self, kind: FactKind) {
        if self.facts.len() == MOST_FACTS {
            tracing::warn!("the star level does not take what the broadcast did; a fact is lost");
            self.facts.pop_front();
        }
        self.facts.push_back(Fact { at: self.clock.now(), kind });
    }

    fn flush_facts(&mut self) {
        while let Some(fact) = self.facts.pop_front() {
            match self.ends.facts.try_send(fact) {
                Ok(()) => {}
                Err(TrySendError::Full(fact)) => return self.facts.push_front(fact),
                Err(TrySendError::Closed(_)) => return,
            }
        }
    }

    fn keep(&mut self) {
        if self.kept.keep(&self.desk.changes()) {
            self.desk.kept();
        }
    }

    /// Whether the platform has receipts that were told.
    fn returned(&mut self) {
        let Some(delivered) = (self.ends.delivered)() else { return };
        let now = self.clock.now();
        let mut done = Vec::new();
        for (number, returning) in &mut self.returning {
            if let Returning::Told(at, commits) = returning
                && now.since(*at) >= RECORDED_AFTER
                && delivered.commits > *commits
                && delivered.sound
            {
                *returning = Returning::Below(delivered.next);
            }
            if let Returning::Below(next) = returning
                && delivered.oldest.is_none_or(|oldest| oldest >= *next)
            {
                done.push(*number);
            }
        }
        for number in done {
            self.returning.remove(&number);
            self.push(Input::Returned(number));
        }
    }
}

fn now(clock: &Clock) -> Now {
    let at = clock.now();
    Now { at, wall_ms: clock.best_wall(at).unix_ms, trusted: clock.trusted() }
}
