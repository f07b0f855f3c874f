//! Which devices a topic belongs to: an exact table first, patterns with `+` only when it fails.

use std::collections::HashMap;

use super::devices::MqttDevice;
use crate::profile::{Binding, MqttModel};

/// What a topic is to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// One of its telemetry topics, by its place in [`MqttModel::topics`].
    Telemetry(usize),
    /// Its availability topic.
    Availability,
}

/// A device that a topic belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Route {
    /// Place in the driver's list of devices.
    pub slot: usize,
    /// What the topic is to it.
    pub role: Role,
}

#[derive(Debug, Default)]
struct Entry {
    routes: Vec<Route>,
    /// Hash of the last payload.
    last: u64,
}

/// All topics of all devices.
#[derive(Debug, Default)]
pub(super) struct Routes {
    exact: HashMap<String, Entry>,
    patterns: Vec<(String, Route)>,
}

/// The MQTT half of a device's profile.
pub(super) fn model(device: &MqttDevice) -> Option<&MqttModel> {
    match &device.profile.binding {
        Binding::Mqtt(model) => Some(model),
        Binding::Modbus { .. } | Binding::Dlt645(_) | Binding::Cjt188(_) => None,
    }
}

impl Routes {
    /// Fills `{base}` into the patterns of every device's model.
    pub fn new(devices: &[MqttDevice]) -> Self {
        let mut routes = Self::default();
        for (slot, device) in devices.iter().enumerate() {
            let Some(model) = model(device) else { continue };
            let topics = model.topics.iter().enumerate();
            let telemetry = topics.map(|(rule, t)| (t.pattern.as_str(), Role::Telemetry(rule)));
            let availability =
                model.availability.iter().map(|a| (a.pattern.as_str(), Role::Availability));
            for (pattern, role) in telemetry.chain(availability) {
                routes.add(pattern.replace("{base}", &device.base), Route { slot, role });
            }
        }
        routes
    }

    fn add(&mut self, filter: String, route: Route) {
        if filter.contains(['+', '#']) {
            self.patterns.push((filter, route));
        } else {
            self.exact.entry(filter).or_default().routes.push(route);
        }
    }

    /// What to subscribe, each once.
    pub fn filters(&self) -> Vec<String> {
        let patterns = self.patterns.iter().map(|(filter, _)| filter);
        let mut filters: Vec<String> = self.exact.keys().chain(patterns).cloned().collect();
        filters.sort_unstable();
        filters.dedup();
        filters
    }

    /// Appends the devices that a topic belongs to.
    pub fn find(&self, topic: &str, found: &mut Vec<Route>) {
        if let Some(entry) = self.exact.get(topic) {
            found.extend_from_slice(&entry.routes);
        }
        let matching = self.patterns.iter().filter(|(filter, _)| rumqttc::matches(topic, filter));
        found.extend(matching.map(|(_, route)| *route));
    }

    /// Notes the payload's hash; says whether it is the one that was heard last on this topic.
    /// Topics known by pattern only are not remembered: there may be any number of them.
    pub fn repeats(&mut self, topic: &str, hash: u64) -> bool {
        self.exact.get_mut(topic).is_some_and(|e| std::mem::replace(&mut e.last, hash) == hash)
    }
}
