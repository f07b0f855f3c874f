//! A device that publishes, and what the driver knows about its health.

use std::sync::Arc;
use std::time::Duration;

use super::Config;
use super::extract::{Plan, plans};
use super::limit::{Complaints, Rate};
use super::routes::model;
use crate::model::{Cause, DeviceIndex, FieldMessage, Health, HealthChange, Moment, Words};
use crate::profile::Profile;

/// A device of the field broker, as configured.
#[derive(Debug, Clone)]
pub struct MqttDevice {
    /// Its place in the estate.
    pub index: DeviceIndex,
    /// Its model; the binding is [`Binding::Mqtt`](crate::profile::Binding::Mqtt).
    pub profile: Arc<Profile>,
    /// Its base topic, which stands for `{base}` in the model's patterns.
    pub base: String,
    /// Values of the profile's parameters, in their order.
    pub params: Vec<f64>,
}

/// A device and its state.
#[derive(Debug)]
pub(super) struct Watched {
    pub device: MqttDevice,
    pub plans: Vec<Plan>,
    pub rate: Rate,
    pub complaints: Complaints,
    /// Excess over the rate is told by its own collapse: it must not hide wrong payloads.
    pub excess: Complaints,
    health: Health,
    cause: Option<Cause>,
    /// Last sign of life, or when waiting for one began.
    heard: Moment,
    silent_after: Duration,
    /// Health before the broker went away.
    before: Option<(Health, Option<Cause>)>,
}

impl Watched {
    pub fn new(device: MqttDevice, config: &Config, now: Moment) -> Self {
        let silent_after =
            model(&device).and_then(|model| model.silent_after).unwrap_or(config.silent_after);
        Self {
            plans: plans(&device),
            device,
            rate: Rate::new(config.max_rate, now),
            complaints: Complaints::default(),
            excess: Complaints::default(),
            health: Health::Unknown,
            cause: None,
            heard: now,
            silent_after,
            before: None,
        }
    }

    /// A sign of life.
    pub fn heard(&mut self, now: Moment) -> Option<FieldMessage> {
        self.heard = now;
        self.before = None;
        self.turn(now, Health::Online, None)
    }

    /// It says itself that it is gone.
    pub fn says_offline(&mut self, now: Moment) -> Option<FieldMessage> {
        self.before = None;
        self.turn(now, Health::Offline, Some(Cause::SaysOffline))
    }

    /// Time passes.
    pub fn tick(&mut self, now: Moment) -> Option<FieldMessage> {
        let silent = now.since(self.heard) >= self.silent_after;
        if silent && self.health != Health::Offline && self.before.is_none() {
            return self.turn(now, Health::Offline, Some(Cause::Silent));
        }
        None
    }

    /// The broker is away for longer than a restart takes.
    pub fn broker_down(&mut self, now: Moment, fault: &Words) -> Option<FieldMessage> {
        if self.before.is_none() {
            self.before = Some((self.health, self.cause.clone()));
        }
        self.turn(now, Health::Offline, Some(Cause::BrokerDown(fault.clone())))
    }

    /// The broker is back: waiting for a sign of life begins anew. Who was online is suspect
    /// until it says something; what was known of the others is known again.
    pub fn broker_back(&mut self, now: Moment) -> Option<FieldMessage> {
        self.heard = now;
        let (health, cause) = self.before.take()?;
        let health = if health == Health::Online { Health::Suspect } else { health };
        self.turn(now, health, cause)
    }

    fn turn(&mut self, now: Moment, health: Health, cause: Option<Cause>) -> Option<FieldMessage> {
        if self.health == health && self.cause == cause {
            return None;
        }
        self.health = health;
        self.cause.clone_from(&cause);
        let device = self.device.index;
        Some(FieldMessage::Health(HealthChange { device, at: now, health, cause }))
    }
}
