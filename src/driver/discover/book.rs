//! What was heard on a broker: announcements by their topic, and messages on announced topics.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::announced::{Device, Source};
use super::bases::pattern;
use super::bounds::{
    MAX_ANNOUNCEMENT, MAX_ANNOUNCEMENTS, MAX_DEVICES, MAX_ENTITIES, MAX_LIST, MAX_REMARKS,
    MAX_SAMPLE, MAX_SAMPLES, MAX_TOPICS, clean, is_harmless, is_topic, json,
};
use super::home_assistant::{self, Message};
use super::{others, zigbee2mqtt};
use crate::driver::scan::Text;

/// Where announcements are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Where {
    /// Prefix of discovery messages in the manner of Home Assistant.
    pub ha_prefix: String,
    /// Base topics of Zigbee2MQTT.
    pub z2m_bases: Vec<String>,
}

impl Default for Where {
    fn default() -> Self {
        Self { ha_prefix: "homeassistant".into(), z2m_bases: vec!["zigbee2mqtt".into()] }
    }
}

/// A message as it was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sample {
    pub payload: String,
}

/// Everything that was heard.
#[derive(Debug, Default)]
pub struct Book {
    place: Where,
    /// By topic: a later message takes the place of an earlier one.
    messages: BTreeMap<String, Message>,
    lists: BTreeMap<String, Vec<Device>>,
    others: others::Others,
    samples: BTreeMap<String, Sample>,
    wanted: BTreeSet<String>,
    remarks: Vec<(String, Text)>,
    more_remarks: usize,
}

impl Book {
    /// Nothing heard yet.
    pub fn new(place: Where) -> Self {
        Self { place, ..Self::default() }
    }

    /// What is to be subscribed at the beginning.
    pub fn filters(&self) -> Vec<String> {
        let prefix = &self.place.ha_prefix;
        let mut filters = vec![format!("{prefix}/+/+/config"), format!("{prefix}/+/+/+/config")];
        filters.extend(self.place.z2m_bases.iter().map(|base| format!("{base}/bridge/devices")));
        filters.extend(others::FILTERS.iter().map(|filter| (*filter).to_owned()));
        filters
    }

    /// A message came. Returns what is to be subscribed because of it.
    pub fn take(&mut self, topic: &str, payload: &[u8]) -> Vec<String> {
        let mut wanted = Vec::new();
        if !topic.chars().all(is_harmless) {
            let why = ("control characters in the topic", "主题含控制字符");
            self.remark(topic, why.into());
            return wanted;
        }
        if let Some(levels) = home_assistant::levels(topic, &self.place.ha_prefix) {
            self.discovery(topic, levels, payload, &mut wanted);
        } else if let Some(base) = self.list_of(topic) {
            self.list(topic, &base, payload, &mut wanted);
        } else {
            match self.others.take(topic, payload) {
                Ok(more) => wanted.extend(more),
                Err(why) => self.remark(topic, why),
            }
            self.sample(topic, payload);
        }
        wanted.retain(|filter| {
            let room = self.wanted.len() < MAX_SAMPLES;
            room && rumqttc::valid_filter(filter) && self.wanted.insert(filter.clone())
        });
        wanted
    }

    fn list_of(&self, topic: &str) -> Option<String> {
        let base = topic.strip_suffix("/bridge/devices")?;
        self.place.z2m_bases.iter().find(|known| *known == base).cloned()
    }

    fn discovery(
        &mut self,
        topic: &str,
        levels: (&str, &str, &str),
        payload: &[u8],
        wanted: &mut Vec<String>,
    ) {
        if payload.is_empty() {
            // The thing was taken away.
            self.messages.remove(topic);
            return;
        }
        if self.messages.len() >= MAX_ANNOUNCEMENTS && !self.messages.contains_key(topic) {
            let most = MAX_ANNOUNCEMENTS;
            let why = (format!("more than {most} announcements"), format!("公告超过 {most} 条"));
            return self.remark(topic, why.into());
        }
        let read = json(payload, MAX_ANNOUNCEMENT)
            .and_then(|document| home_assistant::read(&document, levels));
        match read {
            Ok(message) => {
                wanted.extend(message.entities.iter().map(|entity| entity.topic.clone()));
                wanted.extend(message.presences.iter().map(|presence| presence.topic.clone()));
                self.messages.insert(topic.to_owned(), message);
            }
            Err(why) => {
                // What it said before holds no longer.
                self.messages.remove(topic);
                self.remark(topic, why);
            }
        }
    }

    fn list(&mut self, topic: &str, base: &str, payload: &[u8], wanted: &mut Vec<String>) {
        let read = json(payload, MAX_LIST).and_then(|document| zigbee2mqtt::read(&document, base));
        match read {
            Ok(devices) => {
                wanted.extend(devices.iter().filter_map(|device| device.base.clone()));
                self.lists.insert(base.to_owned(), devices);
            }
            Err(why) => self.remark(topic, why),
        }
    }

    fn sample(&mut self, topic: &str, payload: &[u8]) {
        let room = self.samples.len() < MAX_SAMPLES || self.samples.contains_key(topic);
        if !room || payload.is_empty() || payload.len() > MAX_SAMPLE || !is_topic(topic) {
            return;
        }
        let Ok(text) = std::str::from_utf8(payload) else { return };
        // A document that cannot be read shows nothing.
        let document = text.trim_start().starts_with(['{', '[']);
        if !document || json(payload, MAX_SAMPLE).is_ok() {
            self.samples.insert(topic.to_owned(), Sample { payload: text.to_owned() });
        }
    }

    fn remark(&mut self, topic: &str, why: Text) {
        let told = (clean(topic), why);
        if self.remarks.contains(&told) {
            return;
        }
        if self.remarks.len() < MAX_REMARKS {
            self.remarks.push(told);
        } else {
            self.more_remarks += 1;
        }
    }

    /// Messages that could not be read: topic and reason.
    pub fn remarks(&self) -> Vec<Text> {
        let told = |(topic, why): &(String, Text)| -> Text {
            (format!("{topic}: {}", why.en), format!("{topic}：{}", why.zh)).into()
        };
        let more = self.more_remarks;
        let rest = (more > 0).then(|| -> Text {
            (format!("… and {more} more messages"), format!("……另有 {more} 条消息")).into()
        });
        self.remarks.iter().map(told).chain(rest).collect()
    }

    /// How many announcements were heard.
    pub fn heard(&self) -> usize {
        let listed: usize = self.lists.values().map(Vec::len).sum();
        self.messages.len() + listed + self.others.len()
    }

    /// What was heard on each topic last, and what announcements show of others.
    pub(super) fn samples(&self) -> BTreeMap<String, Sample> {
        let mut samples = self.samples.clone();
        for (topic, payload) in self.others.shown() {
            samples.entry(topic).or_insert(Sample { payload });
        }
        samples
    }

    /// The devices that were announced, each once, bounded.
    pub(super) fn devices(&self) -> Vec<Device> {
        let mut devices: Vec<Device> = self.lists.values().flatten().cloned().collect();
        let mut taken: BTreeSet<String> =
            devices.iter().filter_map(|device| device.base.clone()).collect();
        let grouped = self.groups();
        let bridges: Vec<String> =
            self.place.z2m_bases.iter().map(|base| format!("{base}/bridge/")).collect();
        let of_bridge = |topic: &str| bridges.iter().any(|bridge| topic.starts_with(bridge));
        for device in grouped.into_iter().chain(self.others.devices(&self.samples)) {
            let topics = device.topics();
            // Zigbee2MQTT announces its devices, and itself, in the manner of Home Assistant too.
            // So does Tasmota, in two manners.
            let again = device.base.as_ref().is_some_and(|base| is_taken(base, &taken))
                || topics.iter().any(|topic| taken.contains(*topic))
                || (!topics.is_empty() && topics.iter().all(|topic| of_bridge(topic)));
            if again {
                continue;
            }
            taken.extend(topics.iter().map(|topic| (*topic).to_owned()));
            taken.extend(device.base.clone());
            devices.push(device);
        }
        devices.truncate(MAX_DEVICES);
        devices
    }

    /// Discovery messages by the device that they are about.
    fn groups(&self) -> Vec<Device> {
        let mut devices: Vec<Device> = Vec::new();
        let mut by_key: BTreeMap<&str, usize> = BTreeMap::new();
        for message in self.messages.values() {
            let known = message.keys.iter().find_map(|key| by_key.get(key.as_str()).copied());
            let at = known.unwrap_or_else(|| {
                let key = message.keys.first().map_or("", String::as_str);
                devices.push(Device::new(Source::HomeAssistant, key));
                devices.len() - 1
            });
            for key in &message.keys {
                by_key.entry(key).or_insert(at);
            }
            add(&mut devices[at], message);
        }
        devices
    }
}

/// Whether a topic of another device has this base.
fn is_taken(base: &str, taken: &BTreeSet<String>) -> bool {
    let near = taken.iter().filter(|topic| topic.contains(base));
    near.into_iter().any(|topic| pattern(topic, base).is_some())
}

fn add(device: &mut Device, message: &Message) {
    device.complete = true;
    for (own, told) in [
        (&mut device.name, &message.name),
        (&mut device.maker, &message.maker),
        (&mut device.model, &message.model),
    ] {
        if own.is_empty() {
            own.clone_from(told);
        }
    }
    device.silent_after = device.silent_after.max(message.silent_after);
    for presence in &message.presences {
        if !device.presences.contains(presence) && device.presences.len() < 8 {
            device.presences.push(presence.clone());
        }
    }
    let known: BTreeSet<String> = device.topics().into_iter().map(str::to_owned).collect();
    let mut topics = known;
    for entity in &message.entities {
        let new = !topics.contains(&entity.topic);
        if device.entities.len() >= MAX_ENTITIES || (new && topics.len() >= MAX_TOPICS) {
            device.leave(&entity.name, "the device has too many values", "该设备的值过多");
        } else if !device.entities.contains(entity) {
            topics.insert(entity.topic.clone());
            device.entities.push(entity.clone());
        }
    }
    let room = MAX_ENTITIES.saturating_sub(device.unread.len());
    device.unread.extend(message.unread.iter().take(room).cloned());
}

/// A document of a sample.
pub(super) fn document(sample: &Sample) -> Option<Json> {
    serde_json::from_str(&sample.payload).ok()
}
