//! The pipeline stage: one task that owns what is remembered of every point.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::baseline::Baselines;
use super::normalise::{Belief, Verdict, judge};
use super::progress::Progress;
use super::report::{Reported, worth_storing};
use crate::clock::Clock;
use crate::model::{
    AlarmEyes, AlarmSignals, Batch, Derived, DeviceId, DeviceIndex, DeviceState, Estate, Event,
    EventKind, FieldMessage, FieldRequest, Health, HealthChange, Moment, PointIndex, Quantity,
    Reading, ReadingSink, Receipt, Record, Snapshot,
};

/// What a message leads to.
#[derive(Debug, Default)]
pub struct Effects {
    /// To the buffer, in this order.
    pub records: Vec<Record>,
    /// To the driver of the device.
    pub read_again: Option<FieldRequest>,
    /// To the desk of the alarms, after the records.
    pub signals: Option<AlarmSignals>,
}

impl Effects {
    fn records(records: Vec<Record>) -> Self {
        Self { records, ..Self::default() }
    }
}

/// Who watches for the conditions of alarms, and where what he sees goes.
struct Watcher {
    eyes: Box<dyn AlarmEyes>,
    out: mpsc::Sender<AlarmSignals>,
}

/// Something a person did and recorded.
#[derive(Debug)]
pub enum Act {
    /// The meter was exchanged: its counters start anew.
    MeterExchanged {
        /// Which device.
        device: DeviceId,
        /// Who says so.
        by: String,
        /// How it went.
        reply: oneshot::Sender<Result<(), ActError>>,
    },
    /// An act that is kept elsewhere and told to the platform.
    Kept(EventKind),
}

/// Why an act was not recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// No device of that name.
    #[error("no device is called `{0}`")]
    UnknownDevice(DeviceId),
    /// Nothing to exchange.
    #[error("device `{0}` has no counter")]
    NoCounter(DeviceId),
}

/// How often it is noted where the counters stand.
const SAVE_EVERY: Duration = Duration::from_secs(900);

#[derive(Debug, Clone, Default)]
struct Track {
    belief: Belief,
    reported: Option<Reported>,
}

/// The stage between the drivers and the buffer.
pub struct Pipeline {
    estate: Arc<Estate>,
    snapshot: Snapshot,
    clock: Clock,
    tracks: Vec<Vec<Track>>,
    /// Per device: how to ask its driver to read again; `None` where that cannot be asked.
    drivers: Vec<Option<mpsc::Sender<FieldRequest>>>,
    progress: Progress,
    baselines: Option<Baselines>,
    sinks: Vec<Arc<dyn ReadingSink>>,
    watcher: Option<Watcher>,
}

impl Pipeline {
    /// `drivers` has one entry per device of the estate; `baselines` is where the counters stood
    /// before.
    ///
    /// # Panics
    /// When `drivers` has another length than the estate has devices.
    pub fn new(
        snapshot: Snapshot,
        clock: Clock,
        drivers: Vec<Option<mpsc::Sender<FieldRequest>>>,
        baselines: Option<Baselines>,
    ) -> (Self, Progress) {
        let estate = Arc::clone(snapshot.estate());
        assert_eq!(drivers.len(), estate.devices().len(), "one driver entry per device");
        let now = clock.now();
        let mut tracks: Vec<Vec<Track>> =
            estate.devices().iter().map(|d| vec![Track::default(); d.points.len()]).collect();
        if let Some(baselines) = &baselines {
            for (slot, points) in tracks.iter_mut().enumerate() {
                for (at, track) in points.iter_mut().enumerate() {
                    track.belief.believed = baselines.get(slot, at).map(|count| (count, now));
                    track.belief.restored = track.belief.believed.is_some();
                }
            }
        }
        let progress = Progress::default();
        let shared = progress.clone();
        let (sinks, watcher) = (Vec::new(), None);
        let this =
            Self { estate, snapshot, clock, tracks, drivers, progress, baselines, sinks, watcher };
        (this, shared)
    }

    /// Tells every reading to somebody else too.
    #[must_use]
    pub fn heard_by(mut self, sink: Option<Arc<dyn ReadingSink>>) -> Self {
        self.sinks.extend(sink);
        self
    }

    /// Shows every reading and event to `eyes`; what they see goes to `out`.
    #[must_use]
    pub fn watched_by(mut self, eyes: Box<dyn AlarmEyes>, out: mpsc::Sender<AlarmSignals>) -> Self {
        self.watcher = Some(Watcher { eyes, out });
        self
    }

    /// Takes messages until every driver is gone, or the buffer is.
    pub async fn run(
        mut self,
        mut field: mpsc::Receiver<FieldMessage>,
        mut acts: mpsc::Receiver<Act>,
        records: mpsc::Sender<Record>,
    ) {
        let mut acts_open = true;
        let mut saving = tokio::time::interval(SAVE_EVERY);
        saving.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let effects = tokio::select! {
                message = field.recv() => match message {
                    Some(message) => self.apply(message),
                    // The recorder commits once more after this, and with it the counts.
                    None => return self.save_baselines(),
                },
                _ = saving.tick() => {
                    self.save_baselines();
                    continue;
                }
                act = acts.recv(), if acts_open => match act {
                    Some(act) => self.act(act, self.clock.now()),
                    None => {
                        acts_open = false;
                        continue;
                    }
                },
            };
            if let Some(request) = effects.read_again {
                self.ask(request);
            }
            for record in effects.records {
                if records.send(record).await.is_err() {
                    tracing::error!("the buffer is gone; readings can no longer be stored");
                    return;
                }
            }
            if let (Some(signals), Some(watcher)) = (effects.signals, &self.watcher)
                && watcher.out.send(signals).await.is_err()
            {
                tracing::error!("the desk of the alarms is gone; alarms can no longer be raised");
                self.watcher = None;
            }
        }
    }

    fn save_baselines(&mut self) {
        let Some(baselines) = &mut self.baselines else { return };
        let tracks = &self.tracks;
        let count = |device: usize, point: usize| {
            let track: &Track = &tracks[device][point];
            track.belief.believed.map(|(count, _)| count)
        };
        if let Err(error) = baselines.save(&self.estate, count) {
            tracing::info!(%error, "where the counters stand is not noted yet");
        }
    }

    /// A bus that is too busy to take the request decides the matter with its next regular poll.
    fn ask(&self, request: FieldRequest) {
        let FieldRequest::ReadAgain { device, .. } = &request;
        let device = *device;
        if let Some(driver) = &self.drivers[device.slot()]
            && let Err(error) = driver.try_send(request)
        {
            let device = &self.estate.device(device).id;
            tracing::debug!(%device, %error, "not read again at once");
        }
    }

    /// Handles one message.
    pub fn apply(&mut self, message: FieldMessage) -> Effects {
        self.progress.turn();
        let effects = match message {
            FieldMessage::Readings(batch) => self.readings(batch),
            FieldMessage::Health(change) => self.health(change),
            FieldMessage::Event(event) => Effects::records(vec![Record::Event(event)]),
        };
        self.seen(effects)
    }

    /// Adds what the watcher saw. What a message raised must be durable before its sender is told.
    fn seen(&mut self, mut effects: Effects) -> Effects {
        let Some(watcher) = &mut self.watcher else { return effects };
        for record in &effects.records {
            if let Record::Event(event) = record {
                watcher.eyes.event(event);
            }
        }
        let list = watcher.eyes.take();
        if list.is_empty() {
            return effects;
        }
        let mut receipt = None;
        for record in &mut effects.records {
            if let Record::Readings(batch) = record
                && let Some((stored, raised)) = batch.receipt.take().map(Receipt::split)
            {
                batch.receipt = Some(stored);
                receipt = Some(raised);
            }
        }
        effects.signals = Some(AlarmSignals { list, receipt });
        effects
    }

    fn readings(&mut self, mut batch: Batch) -> Effects {
        let device = batch.device;
        let at = batch.at;
        let can_read_again = self.drivers[device.slot()].is_some();
        let points = Arc::clone(&self.estate.device(device).points);
        let derived = Arc::clone(&self.estate.device(device).derived);
        let (tracks, sinks) = (&mut self.tracks[device.slot()], &self.sinks);
        let mut watcher = self.watcher.as_mut();
        let mut events = Vec::new();
        let mut again: Vec<PointIndex> = Vec::new();
        let read = batch.readings.len() as u64;
        let id = &self.estate.device(device).id;
        self.snapshot.with(device, |state| {
            let mut take = |state: &mut DeviceState, reading: &mut Reading, can_read_again| {
                let point = &points[reading.point.slot()];
                let track = &mut tracks[reading.point.slot()];
                let verdict = judge(point, &mut track.belief, reading, at, can_read_again);
                state.apply(at, reading);
                match verdict {
                    Verdict::Pass => {}
                    Verdict::Hold => {
                        again.push(reading.point);
                        return false;
                    }
                    Verdict::Announce { previous, value, reason } => {
                        let point = point.name.to_string();
                        let kind = EventKind::CounterSuspect { point, previous, value, reason };
                        events.push(Event { at, device: Some(id.clone()), kind });
                    }
                    Verdict::Recovered { value } => {
                        let kind =
                            EventKind::CounterRecovered { point: point.name.to_string(), value };
                        events.push(Event { at, device: Some(id.clone()), kind });
                    }
                }
                sinks.iter().for_each(|sink| sink.reading(device, at, reading));
                if let Some(watcher) = &mut watcher {
                    watcher.eyes.reading(device, at, reading);
                }
                worth_storing(point, &mut track.reported, reading, at)
            };
            let following = following(&derived, &batch.readings);
            batch.readings.retain_mut(|reading| take(state, reading, can_read_again));
            for derived in following {
                let point = &points[derived.point.slot()];
                let reading = derived.reading(point, |input| state.point(input));
                // What it follows from was read again when that was in doubt.
                if let Some(mut reading) = reading
                    && take(state, &mut reading, false)
                {
                    batch.readings.push(reading);
                }
            }
        });
        self.progress.read(read, batch.readings.len() as u64);
        let mut records = Vec::with_capacity(1 + events.len());
        if !batch.readings.is_empty() || batch.receipt.is_some() {
            records.push(Record::Readings(batch));
        }
        records.extend(events.into_iter().map(Record::Event));
        let read_again =
            (!again.is_empty()).then_some(FieldRequest::ReadAgain { device, points: again });
        Effects { records, read_again, signals: None }
    }

    fn health(&mut self, change: HealthChange) -> Effects {
        let HealthChange { device, at, health, cause } = change;
        let from = self.snapshot.with(device, |state| {
            let from = state.health;
            if from != health {
                state.since = at;
            }
            state.health = health;
            state.cause.clone_from(&cause);
            from
        });
        if from == health {
            return Effects::default();
        }
        let id = self.estate.device(device).id.clone();
        match (health, &cause) {
            (Health::Offline, Some(cause)) => tracing::warn!(device = %id, %cause, "offline"),
            (Health::Offline, None) => tracing::warn!(device = %id, "offline"),
            (Health::Online, _) => tracing::info!(device = %id, "online"),
            (Health::Suspect | Health::Unknown, _) => {}
        }
        let kind = EventKind::DeviceHealth { from, to: health, cause };
        let event = Event { at, device: Some(id), kind };
        Effects::records(vec![Record::Event(event)])
    }

    /// Records what a person did.
    pub fn act(&mut self, act: Act, now: Moment) -> Effects {
        let effects = self.acted(act, now);
        self.seen(effects)
    }

    fn acted(&mut self, act: Act, now: Moment) -> Effects {
        let (device, by, reply) = match act {
            Act::MeterExchanged { device, by, reply } => (device, by, reply),
            Act::Kept(kind) => {
                let event = Event { at: now, device: None, kind };
                return Effects::records(vec![Record::Event(event)]);
            }
        };
        let outcome = self.exchange(&device, &by, now);
        let (answer, records) = match outcome {
            Ok(events) => (Ok(()), events.into_iter().map(Record::Event).collect()),
            Err(error) => (Err(error), Vec::new()),
        };
        if reply.send(answer).is_err() {
            tracing::debug!(%device, "whoever recorded the exchange did not wait for the answer");
        }
        Effects::records(records)
    }

    fn exchange(&mut self, id: &DeviceId, by: &str, at: Moment) -> Result<Vec<Event>, ActError> {
        let index: DeviceIndex =
            self.estate.find(id).ok_or_else(|| ActError::UnknownDevice(id.clone()))?;
        let device = self.estate.device(index);
        let state = self.snapshot.device(index);
        let mut events = Vec::new();
        for (slot, point) in device.points.iter().enumerate() {
            if point.quantity != Quantity::Counter {
                continue;
            }
            let track = &mut self.tracks[index.slot()][slot];
            let previous = track.belief.believed.map_or(0.0, |(value, _)| value);
            let value = state.points[slot].value.as_ref().and_then(|v| v.number()).unwrap_or(0.0);
            track.belief = Belief::default();
            let kind = EventKind::MeterExchanged {
                point: point.name.to_string(),
                previous,
                value,
                by: by.to_owned(),
            };
            events.push(Event { at, device: Some(id.clone()), kind });
        }
        if events.is_empty() { Err(ActError::NoCounter(id.clone())) } else { Ok(events) }
    }
}

/// The derived points that one of the readings may have changed.
fn following<'d>(derived: &'d [Derived], readings: &[Reading]) -> Vec<&'d Derived> {
    if derived.is_empty() {
        return Vec::new();
    }
    let read: HashSet<PointIndex> = readings.iter().map(|reading| reading.point).collect();
    derived.iter().filter(|derived| derived.of.iter().any(|input| read.contains(input))).collect()
}

#[cfg(test)]
mod tests;
