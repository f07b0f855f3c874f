//! A device's payloads, for `tests/fuzz`, which sees the crate from outside.

use std::sync::Arc;

use super::devices::MqttDevice;
use super::extract::{self, Plan, plans};
use super::{Config, routes};
use crate::model::{DeviceIndex, Reading, WallTime};
use crate::profile::Profile;

/// Reads the payloads of one device.
#[derive(Debug)]
pub struct Reader {
    config: Config,
    device: MqttDevice,
    plans: Vec<Plan>,
}

/// What a payload brought.
#[derive(Debug, PartialEq)]
pub struct Read {
    /// Readings, good or not.
    pub readings: Vec<Reading>,
    /// The device's own time, when it can be trusted.
    pub time: Option<WallTime>,
    /// What is wrong with the payload.
    pub fault: Option<String>,
}

impl Reader {
    /// For a device of this model with the default settings; `None` when it does not publish.
    pub fn new(profile: Arc<Profile>) -> Option<Self> {
        let params = profile.params.iter().map(|param| param.default).collect();
        let base = "estate/device".to_owned();
        let device = MqttDevice { index: DeviceIndex(0), profile, base, params };
        routes::model(&device)?;
        let plans = plans(&device);
        Some(Self { config: Config::default(), device, plans })
    }

    /// How many topics the model has.
    pub fn topics(&self) -> usize {
        self.plans.len()
    }

    /// A payload of a topic of the model.
    pub fn read(&self, topic: usize, payload: &[u8]) -> Read {
        let found =
            extract::extract(&self.config, &self.device, topic, &self.plans[topic], payload);
        Read { readings: found.readings, time: found.time, fault: found.fault }
    }

    /// What a payload says about whether the device is there; `None` when its model has no topic
    /// for that.
    pub fn presence(&self, payload: &[u8]) -> Option<Result<bool, String>> {
        let rule = routes::model(&self.device)?.availability.as_ref()?;
        Some(extract::presence(&self.config, rule, payload))
    }
}
