//! Announcements of other makes, for which built-in profiles exist: Tasmota's own discovery,
//! Shelly of both generations, uplinks of ChirpStack.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::announced::{Device, Source};
use super::book::Sample;
use super::bounds::{MAX_ANNOUNCEMENT, MAX_DEVICES, clean, is_topic, json};
use crate::driver::scan::Text;

/// What is subscribed for them.
pub(super) const FILTERS: &[&str] = &[
    "tasmota/discovery/+/config",
    "tasmota/discovery/+/sensors",
    "shellies/announce",
    "+/online",
    "application/+/device/+/event/up",
];

/// Devices by what does not change of them.
#[derive(Debug, Default)]
pub(super) struct Others(BTreeMap<String, Other>);

#[derive(Debug)]
struct Other {
    source: Source,
    name: String,
    maker: &'static str,
    model: String,
    base: Option<String>,
    /// Tasmota: what its telemetry looks like, before the next one comes.
    telemetry: Option<String>,
}

impl Others {
    pub fn len(&self) -> usize {
        self.0.values().filter(|other| other.base.is_some()).count()
    }

    /// A message on one of the [`FILTERS`], or any other. Returns what is to be subscribed.
    ///
    /// # Errors
    /// It should be an announcement and cannot be read.
    pub fn take(&mut self, topic: &str, payload: &[u8]) -> Result<Vec<String>, Text> {
        let levels: Vec<&str> = topic.split('/').collect();
        match levels.as_slice() {
            ["tasmota", "discovery", mac, "config"] if !payload.is_empty() => {
                self.tasmota(mac, &json(payload, MAX_ANNOUNCEMENT)?)
            }
            ["tasmota", "discovery", mac, "sensors"] if !payload.is_empty() => {
                let sensors = &json(payload, MAX_ANNOUNCEMENT)?["sn"];
                if let Some(other) = self.entry(mac, Source::Tasmota, "Tasmota") {
                    other.telemetry = sensors.is_object().then(|| sensors.to_string());
                }
                Ok(Vec::new())
            }
            ["shellies", "announce"] => self.first_shelly(&json(payload, MAX_ANNOUNCEMENT)?),
            // Many things have such a topic; a Shelly says it with JSON's words.
            [id, "online"] if id.starts_with("shelly") => {
                let Some(other) = self.entry(id, Source::Shelly, "Shelly") else {
                    return Ok(Vec::new());
                };
                // `shellyplus1-441793d69718`
                other.model = clean(id.split('-').next().unwrap_or(""));
                other.name = clean(id);
                other.base = Some((*id).to_owned());
                Ok(vec![format!("{id}/status/#")])
            }
            ["application", _, "device", eui, "event", "up"] => {
                let document = json(payload, MAX_ANNOUNCEMENT)?;
                let info = &document["deviceInfo"];
                let text = |key: &str| info[key].as_str().map(clean).unwrap_or_default();
                let base = topic.strip_suffix("/event/up").map(str::to_owned);
                if let Some(other) = self.entry(eui, Source::ChirpStack, "LoRaWAN") {
                    other.name = text("deviceName");
                    other.model = text("deviceProfileName");
                    other.base = base;
                }
                Ok(Vec::new())
            }
            _ => Ok(Vec::new()),
        }
    }

    fn entry(&mut self, key: &str, source: Source, maker: &'static str) -> Option<&mut Other> {
        let key = clean(key);
        if key.is_empty() || (self.0.len() >= MAX_DEVICES && !self.0.contains_key(&key)) {
            return None;
        }
        Some(self.0.entry(key).or_insert_with(|| Other {
            source,
            name: String::new(),
            maker,
            model: String::new(),
            base: None,
            telemetry: None,
        }))
    }

    fn tasmota(&mut self, mac: &str, document: &Json) -> Result<Vec<String>, Text> {
        let Some(topic) = document["t"].as_str().filter(|topic| is_topic(topic)) else {
            return Err(("its topic `t` is missing", "缺少主题 `t`").into());
        };
        if document["ft"].as_str().is_some_and(|full| full != "%prefix%/%topic%/") {
            let full = clean(document["ft"].as_str().unwrap_or(""));
            return Err((
                format!("its full topic is {full}; the built-in profiles need %prefix%/%topic%/"),
                format!("其完整主题为 {full}；内置设备模型须为 %prefix%/%topic%/"),
            )
                .into());
        }
        let text = |key: &str| document[key].as_str().map(clean).unwrap_or_default();
        if let Some(other) = self.entry(mac, Source::Tasmota, "Tasmota") {
            other.name = text("dn");
            other.model = text("md");
            other.base = Some(topic.to_owned());
        }
        Ok(vec![format!("tele/{topic}/+"), format!("stat/{topic}/+")])
    }

    fn first_shelly(&mut self, document: &Json) -> Result<Vec<String>, Text> {
        let Some(id) = document["id"].as_str().filter(|id| is_topic(id) && !id.contains('/'))
        else {
            return Err(("its `id` is missing", "缺少 `id`").into());
        };
        let model = document["model"].as_str().map(clean).unwrap_or_default();
        let base = format!("shellies/{id}");
        let filter = format!("{base}/#");
        if let Some(other) = self.entry(id, Source::Shelly, "Shelly") {
            other.name = clean(id);
            other.model = model;
            other.base = Some(base);
        }
        Ok(vec![filter])
    }

    /// The devices, whose values are not announced but heard.
    pub fn devices(&self, samples: &BTreeMap<String, Sample>) -> Vec<Device> {
        let device = |(key, other): (&String, &Other)| {
            let base = other.base.clone().filter(|base| is_topic(base))?;
            let mut device = Device::new(other.source, key);
            device.name.clone_from(&other.name);
            device.maker = other.maker.to_owned();
            device.model.clone_from(&other.model);
            if other.source == Source::Tasmota && other.telemetry.is_none() {
                let sensor = format!("tele/{base}/SENSOR");
                if !samples.contains_key(&sensor) {
                    let en = "nothing of its sensors was heard";
                    device.leave("SENSOR", en, "未收到其传感器数据");
                }
            }
            device.base = Some(base);
            Some(device)
        };
        self.0.iter().filter_map(device).collect()
    }

    /// What announcements show of messages that were not heard themselves.
    pub fn shown(&self) -> Vec<(String, String)> {
        let shown = self.0.values().filter_map(|other| {
            let base = other.base.as_ref()?;
            Some((format!("tele/{base}/SENSOR"), other.telemetry.clone()?))
        });
        shown.collect()
    }
}
