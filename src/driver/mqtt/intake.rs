//! What a message means: readings, health, events. Decides only; sends and waits nowhere.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use super::Config;
use super::devices::{MqttDevice, Watched};
use super::extract::{extract, presence};
use super::limit::Complaints;
use super::routes::{Role, Route, Routes, model};
use crate::model::{Batch, Estate, Event, EventKind, FieldMessage, Moment, Quality, Reason, Words};

/// The devices of a broker that is away for this long are offline; a restart takes less.
const BROKER_GRACE: Duration = Duration::from_secs(15);
/// Most foreign topics that are remembered as unsubscribed.
const MAX_FOREIGN: usize = 64;

/// A message of the field broker.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'a> {
    pub topic: &'a str,
    pub payload: &'a [u8],
    pub retain: bool,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Verdict {
    /// Something in it was refused.
    pub rejected: bool,
    /// No device is configured for its topic: unsubscribe from it.
    pub foreign: bool,
}

/// All devices of the field broker.
#[derive(Debug)]
pub(super) struct Intake {
    config: Config,
    estate: Arc<Estate>,
    routes: Routes,
    devices: Vec<Watched>,
    found: Vec<Route>,
    hasher: RandomState,
    foreign: Complaints,
    foreign_topics: HashSet<String>,
    /// Since when the broker is away, and why.
    away: Option<(Moment, Words)>,
}

impl Intake {
    pub fn new(config: Config, devices: Vec<MqttDevice>, estate: Arc<Estate>, now: Moment) -> Self {
        let routes = Routes::new(&devices);
        let devices = devices.into_iter().map(|d| Watched::new(d, &config, now)).collect();
        Self {
            config,
            estate,
            routes,
            devices,
            found: Vec::new(),
            hasher: RandomState::new(),
            foreign: Complaints::default(),
            foreign_topics: HashSet::new(),
            away: None,
        }
    }

    /// What to subscribe.
    pub fn filters(&self) -> Vec<String> {
        self.routes.filters()
    }

    /// A message came; appends what it means.
    pub fn arrive(
        &mut self,
        message: Message<'_>,
        now: Moment,
        out: &mut VecDeque<FieldMessage>,
    ) -> Verdict {
        let mut verdict = Verdict::default();
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        self.routes.find(message.topic, &mut found);
        if found.is_empty() {
            verdict = self.unknown(message, now, out);
        } else {
            let hash = self.hasher.hash_one(message.payload);
            let repeats = self.routes.repeats(message.topic, hash);
            for route in &found {
                if !self.admit(*route, message, now, out) {
                    verdict.rejected = true;
                    continue;
                }
                verdict.rejected |= match route.role {
                    Role::Availability => self.availability(*route, message, now, out),
                    // State that we heard before: it says nothing new, and nothing about now.
                    Role::Telemetry(_) if message.retain && repeats => false,
                    Role::Telemetry(rule) => self.telemetry(*route, rule, message, now, out),
                };
            }
        }
        self.found = found;
        verdict
    }

    fn unknown(
        &mut self,
        message: Message<'_>,
        now: Moment,
        out: &mut VecDeque<FieldMessage>,
    ) -> Verdict {
        let fault = "no configured device publishes here";
        if let Some(kind) = self.foreign.note(now, message.topic, fault) {
            tracing::warn!(topic = message.topic, fault, "message refused");
            out.push_back(FieldMessage::Event(Event { at: now, device: None, kind }));
        }
        // A subscription of an earlier configuration lives on in the persistent session.
        let foreign = self.foreign_topics.len() < MAX_FOREIGN
            && self.foreign_topics.insert(message.topic.to_owned());
        Verdict { rejected: true, foreign }
    }

    /// Keeps a chatty device to its rate.
    fn admit(
        &mut self,
        route: Route,
        message: Message<'_>,
        now: Moment,
        out: &mut VecDeque<FieldMessage>,
    ) -> bool {
        let watched = &mut self.devices[route.slot];
        if watched.rate.take(now) {
            return true;
        }
        let fault = format!("more than {} messages a second", self.config.max_rate);
        let event = watched.excess.note(now, message.topic, &fault);
        self.tell(route.slot, event, now, out);
        false
    }

    /// Says whether something was refused.
    fn telemetry(
        &mut self,
        route: Route,
        rule: usize,
        message: Message<'_>,
        now: Moment,
        out: &mut VecDeque<FieldMessage>,
    ) -> bool {
        let watched = &mut self.devices[route.slot];
        let plan = &watched.plans[rule];
        let mut found = extract(&self.config, &watched.device, rule, plan, message.payload);
        if message.retain {
            if found.time.is_none() {
                for reading in &mut found.readings {
                    if reading.quality.is_good() {
                        reading.quality = Quality::Uncertain(Reason::Stale);
                    }
                }
            }
        } else {
            out.extend(watched.heard(now));
        }
        if !found.readings.is_empty() {
            out.push_back(FieldMessage::Readings(Batch {
                device: watched.device.index,
                at: now,
                source_time: found.time,
                readings: found.readings,
                receipt: None,
            }));
        }
        let Some(fault) = found.fault else { return false };
        let event = watched.complaints.note(now, message.topic, &fault);
        self.tell(route.slot, event, now, out);
        true
    }

    fn availability(
        &mut self,
        route: Route,
        message: Message<'_>,
        now: Moment,
        out: &mut VecDeque<FieldMessage>,
    ) -> bool {
        let watched = &mut self.devices[route.slot];
        let Some(rule) = model(&watched.device).and_then(|model| model.availability.as_ref())
        else {
            return false;
        };
        match presence(&self.config, rule, message.payload) {
            Ok(true) => out.extend(watched.heard(now)),
            Ok(false) => out.extend(watched.says_offline(now)),
            Err(fault) => {
                let event = watched.complaints.note(now, message.topic, &fault);
                self.tell(route.slot, event, now, out);
                return true;
            }
        }
        false
    }

    fn tell(
        &self,
        slot: usize,
        kind: Option<EventKind>,
        now: Moment,
        out: &mut VecDeque<FieldMessage>,
    ) {
        let Some(kind) = kind else { return };
        let device = &self.estate.device(self.devices[slot].device.index).id;
        if let EventKind::PayloadRejected { topic, fault } = &kind {
            tracing::warn!(%device, topic, fault, "message refused");
        }
        out.push_back(FieldMessage::Event(Event { at: now, device: Some(device.clone()), kind }));
    }

    /// Time passes: once a second is enough.
    pub fn tick(&mut self, now: Moment, out: &mut VecDeque<FieldMessage>) {
        let down = self.away.as_ref().filter(|(since, _)| now.since(*since) >= BROKER_GRACE);
        for watched in &mut self.devices {
            out.extend(match down {
                Some((_, fault)) => watched.broker_down(now, fault),
                // Nobody can be heard now: silence proves nothing.
                None if self.away.is_some() => None,
                None => watched.tick(now),
            });
        }
        for slot in 0..self.devices.len() {
            let watched = &mut self.devices[slot];
            let told = [watched.complaints.flush(now), watched.excess.flush(now)];
            for kind in told {
                self.tell(slot, kind, now, out);
            }
        }
        if let Some(kind) = self.foreign.flush(now) {
            out.push_back(FieldMessage::Event(Event { at: now, device: None, kind }));
        }
    }

    /// The connection to the broker is gone.
    pub fn broker_lost(&mut self, now: Moment, fault: &Words) {
        match &mut self.away {
            // The first words stay: a cause that changes with every attempt would be noise.
            Some(_) => {}
            None => self.away = Some((now, fault.clone())),
        }
    }

    /// The broker took the session.
    pub fn broker_back(&mut self, now: Moment, out: &mut VecDeque<FieldMessage>) {
        self.away = None;
        out.extend(self.devices.iter_mut().filter_map(|watched| watched.broker_back(now)));
    }
}

#[cfg(test)]
#[path = "intake_tests.rs"]
mod tests;
