//! The watch over the clock: looks at the system's clock, tells what the clock did.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Effect, STEP_MS, Source, TrustState};
use crate::model::{DeviceId, Event, EventKind, Fact, FactKind, FieldMessage, Moment};
use crate::store::Tree;

/// How often the system's clock is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often what is known about the time is kept.
const KEEP_EVERY: Duration = Duration::from_secs(600);
/// How often a comparison with a source that agrees is told to the star level.
const TELL_EVERY: Duration = Duration::from_secs(600);
/// How often a meter's clock that is off is an event.
const OFF_EVERY: Duration = Duration::from_secs(86_000);

/// The watch.
pub(super) struct ClockWatch {
    clock: Clock,
    /// Where what is known about the time is kept.
    tree: Tree,
    field: mpsc::Sender<FieldMessage>,
    facts: mpsc::Sender<Fact>,
    /// A meter's clock may be off by so many seconds.
    meter_limit_s: u64,
    /// What the star level could not take, added up.
    untold: VecDeque<Fact>,
    /// Per source, when a comparison was last told, and the worst since.
    compared: BTreeMap<Source, (Moment, i64)>,
    told_off: BTreeMap<DeviceId, Moment>,
    kept: Moment,
    keep_fails: bool,
}

/// The pipeline is gone.
struct Closed;

impl ClockWatch {
    pub fn new(
        clock: Clock,
        tree: Tree,
        field: mpsc::Sender<FieldMessage>,
        facts: mpsc::Sender<Fact>,
        meter_limit_s: u64,
    ) -> Self {
        Self {
            kept: clock.now(),
            clock,
            tree,
            field,
            facts,
            meter_limit_s,
            untold: VecDeque::new(),
            compared: BTreeMap::new(),
            told_off: BTreeMap::new(),
            keep_fails: false,
        }
    }

    /// Watches until `stop`; keeps what is known at the end.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = ticks.tick() => self.clock.judge(),
                () = self.clock.news() => {}
            }
            for effect in self.clock.effects() {
                if self.tell(effect).await.is_err() {
                    return;
                }
            }
            self.flush();
            if self.clock.now().since(self.kept) >= KEEP_EVERY {
                self.keep();
            }
        }
        self.keep();
    }

    fn keep(&mut self) {
        self.kept = self.clock.now();
        match self.clock.keep(&self.tree) {
            Ok(()) => self.keep_fails = false,
            Err(error) => {
                if !std::mem::replace(&mut self.keep_fails, true) {
                    tracing::warn!(%error, "what is known about the time cannot be kept");
                }
            }
        }
    }

    async fn tell(&mut self, effect: Effect) -> Result<(), Closed> {
        match effect {
            Effect::Compared { offset_ms, source } => {
                self.compared(offset_ms, source);
                Ok(())
            }
            Effect::Meter { device, offset_s } => self.meter(device, offset_s).await,
            other => {
                if matches!(other, Effect::State { .. } | Effect::Stepped { .. }) {
                    self.keep();
                }
                match kind_of(other) {
                    Some(kind) => self.event(None, kind).await,
                    None => Ok(()),
                }
            }
        }
    }

    /// A comparison is evidence: at once when the clock was off, else now and then the worst.
    fn compared(&mut self, offset_ms: i64, source: Source) {
        let now = self.clock.now();
        let (told, worst) = match self.compared.get(&source) {
            Some(&(told, worst)) => (Some(told), worst),
            None => (None, 0),
        };
        let worst = if offset_ms.abs() > worst.abs() { offset_ms } else { worst };
        let due = told.is_none_or(|told| now.since(told) >= TELL_EVERY) || worst.abs() >= STEP_MS;
        if !due {
            self.compared.insert(source, (told.unwrap_or(now), worst));
            return;
        }
        let kind = FactKind::GatewayClock { offset_ms: worst, source: source.to_string() };
        self.compared.insert(source, (now, 0));
        self.say(Fact { at: now, kind });
    }

    async fn meter(&mut self, device: DeviceId, offset_s: i64) -> Result<(), Closed> {
        let now = self.clock.now();
        let kind = FactKind::MeterClock { device: device.clone(), offset_s };
        self.say(Fact { at: now, kind });
        if offset_s.unsigned_abs() <= self.meter_limit_s {
            self.told_off.remove(&device);
            return Ok(());
        }
        if self.told_off.get(&device).is_some_and(|told| now.since(*told) < OFF_EVERY) {
            return Ok(());
        }
        self.told_off.insert(device.clone(), now);
        tracing::warn!(%device, offset_s, "the meter's clock is off");
        let limit_s = i64::try_from(self.meter_limit_s).unwrap_or(i64::MAX);
        self.event(Some(device), EventKind::MeterClockOff { offset_s, limit_s }).await
    }

    async fn event(&self, device: Option<DeviceId>, kind: EventKind) -> Result<(), Closed> {
        let event = Event { at: self.clock.now(), device, kind };
        self.field.send(FieldMessage::Event(event)).await.map_err(|_gone| Closed)
    }

    fn say(&mut self, fact: Fact) {
        if !self.untold.iter_mut().any(|other| other.absorb(&fact)) {
            self.untold.push_back(fact);
        }
    }

    fn flush(&mut self) {
        while let Some(fact) = self.untold.pop_front() {
            match self.facts.try_send(fact) {
                Ok(()) => {}
                Err(TrySendError::Full(fact)) => return self.untold.push_front(fact),
                // The daemon is stopping.
                Err(TrySendError::Closed(_)) => return self.untold.clear(),
            }
        }
    }
}

/// The event of an effect, which is logged too.
fn kind_of(effect: Effect) -> Option<EventKind> {
    Some(match effect {
        Effect::State { from, to, source, uncertainty_ms } => {
            let source = source.map(|source| source.to_string());
            let by = source.as_deref().unwrap_or("nobody");
            if to == TrustState::Synchronised {
                tracing::info!(by, ?uncertainty_ms, "the clock is synchronised");
            } else {
                tracing::warn!(state = to.word(), by, ?uncertainty_ms, "the clock lost its source");
            }
            let (from, to) = (from.word().to_owned(), to.word().to_owned());
            EventKind::ClockState { from, to, source, uncertainty_ms }
        }
        Effect::Stepped { step_ms, source } => {
            tracing::info!(step_ms, %source, "the wall clock was corrected");
            EventKind::ClockCorrected { step_ms, source: source.to_string() }
        }
        Effect::Disagrees(found) => {
            let (source, follows) = (found.source.to_string(), found.follows.to_string());
            let (difference_ms, whole_hours) = (found.difference_ms, found.whole_hours);
            tracing::warn!(source, follows, difference_ms, ?whole_hours, "two clocks disagree");
            EventKind::ClockDisagreement { source, follows, difference_ms, whole_hours }
        }
        Effect::Refused { source, said_ms, not_before_ms } => {
            let source = source.to_string();
            tracing::warn!(source, said_ms, not_before_ms, "a clock says what cannot be");
            EventKind::ClockRefused { source, said_ms, not_before_ms }
        }
        Effect::Compared { .. } | Effect::Meter { .. } => return None,
    })
}

#[cfg(test)]
#[path = "tasks_tests.rs"]
mod tests;
