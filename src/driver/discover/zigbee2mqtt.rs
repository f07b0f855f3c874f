//! The list of devices of Zigbee2MQTT: `<base>/bridge/devices`.
//!
//! <https://www.zigbee2mqtt.io/guide/usage/exposes.html>

use serde_json::Value as Json;

use super::announced::{Device, Entity, Kind, Place, Presence, Source, step};
use super::bounds::{MAX_CHOICES, MAX_DEVICES, MAX_ENTITIES, clean, is_topic};
use crate::driver::scan::Text;
use crate::profile::PathStep;

/// Bit of `access`: the property stands in the published state.
const PUBLISHED: u64 = 1;
/// Battery devices speak when something changes.
const SILENT_AFTER: u64 = 86_400;
/// Deepest nesting of features.
const MAX_NESTING: u8 = 4;

/// The devices of the list, the coordinator left out.
///
/// # Errors
/// It is no such list.
pub(super) fn read(document: &Json, base: &str) -> Result<Vec<Device>, Text> {
    let Json::Array(list) = document else {
        return Err(("not a list of devices", "不是设备列表").into());
    };
    let known = list.iter().filter(|entry| entry["type"] != "Coordinator");
    Ok(known.take(MAX_DEVICES).filter_map(|entry| device(entry, base)).collect())
}

fn device(entry: &Json, base: &str) -> Option<Device> {
    let text = |value: &Json| value.as_str().map(clean).unwrap_or_default();
    let key = text(&entry["ieee_address"]);
    let called = entry["friendly_name"].as_str().unwrap_or(&key);
    if called.is_empty() {
        return None;
    }
    let mut device = Device::new(Source::Zigbee2Mqtt, &key);
    device.name = clean(called);
    let topic = format!("{base}/{called}");
    if !is_topic(&topic) {
        device.leave(called, "its name makes no topic", "其名称不能构成主题");
        return Some(device);
    }
    device.base = Some(topic.clone());
    device.silent_after = Some(SILENT_AFTER);
    device.presences.push(Presence {
        topic: format!("{topic}/availability"),
        path: vec![PathStep::Key("state".to_owned())],
        online: "online".to_owned(),
        offline: "offline".to_owned(),
    });
    let definition = &entry["definition"];
    device.maker = text(&definition["vendor"]);
    device.model = text(&definition["model"]);
    if definition.is_object() {
        device.complete = true;
    } else {
        device.maker = text(&entry["manufacturer"]);
        device.model = text(&entry["model_id"]);
        device.leave(
            called,
            "Zigbee2MQTT does not know the model, and so does not say what it publishes",
            "Zigbee2MQTT 不认识该型号，未说明上报哪些值",
        );
    }
    let exposes = definition["exposes"].as_array().map_or(&[][..], Vec::as_slice);
    let mut reader = Reader { topic, device };
    for expose in exposes {
        reader.expose(expose, &[], None, 0);
    }
    Some(reader.device)
}

struct Reader {
    topic: String,
    device: Device,
}

impl Reader {
    /// One entry of `exposes` or `features`. `above` leads to the table that holds it.
    fn expose(&mut self, expose: &Json, above: &[PathStep], of: Option<&str>, nesting: u8) {
        let kind = expose["type"].as_str().unwrap_or("");
        let property = expose["property"].as_str();
        let name = expose["name"].as_str().or(property).unwrap_or(kind);
        if let Some(features) = expose["features"].as_array() {
            if nesting >= MAX_NESTING {
                return self.device.leave(name, "nested too deep", "嵌套过深");
            }
            let mut above = above.to_vec();
            // Features of a composite stand inside it, those of a switch or a light beside it.
            if let (true, Some(property)) = (kind == "composite", property) {
                above.push(step(property));
            }
            let of = Some(if kind == "composite" { name } else { kind });
            for feature in features {
                self.expose(feature, &above, of, nesting + 1);
            }
            return;
        }
        let Some(property) = property.filter(|p| !p.is_empty() && !p.contains("{n}")) else {
            return self.device.leave(name, "it has no property", "没有属性名");
        };
        if expose["access"].as_u64().unwrap_or(PUBLISHED) & PUBLISHED == 0 {
            return self.device.leave(
                property,
                "it is only set, never published",
                "只可设置，不上报",
            );
        }
        if self.device.entities.len() >= MAX_ENTITIES {
            return self.device.leave(property, "too many values", "值过多");
        }
        match value(expose, kind) {
            Ok(kind) => self.add(expose, property, kind, above, of),
            Err(why) => self.device.leave(property, why.en, why.zh),
        }
    }

    fn add(
        &mut self,
        expose: &Json,
        property: &str,
        kind: Kind,
        above: &[PathStep],
        of: Option<&str>,
    ) {
        let mut path = above.to_vec();
        path.push(step(property));
        let number = |key: &str| expose[key].as_f64().filter(|n| n.is_finite());
        let range = number("value_min").zip(number("value_max")).filter(|(low, high)| low < high);
        let text = |key: &str| expose[key].as_str().map(clean).filter(|text| !text.is_empty());
        let name = text("name").unwrap_or_else(|| clean(property));
        let unit = text("unit");
        let counter = kind == Kind::Number && matches!(&*name, "energy" | "water_consumed");
        // A lock that is open is the alarming one; its words say which is which.
        let word = match (of, &*name) {
            (Some("light"), "state") => "light".to_owned(),
            (Some("lock"), "state") => "locked".to_owned(),
            // Switches of a setting, like `window_detection`; states of parts.
            (Some(_), "state") if !property.starts_with("state") => clean(property),
            (Some(of), "state") if !above.is_empty() => format!("{} state", clean(of)),
            _ => name.clone(),
        };
        let inside = above.iter().map(|step| match step {
            PathStep::Key(key) => key.clone(),
            PathStep::Index(index) => index.to_string(),
        });
        let id: Vec<String> = inside.chain([clean(property)]).collect();
        self.device.entities.push(Entity {
            name: text("label").unwrap_or_else(|| name.replace('_', " ")),
            id: id.join(" "),
            word,
            endpoint: text("endpoint"),
            topic: self.topic.clone(),
            place: Place::member(path),
            kind,
            counter,
            range,
            // What can be set as well is a setting, but for what it is there to do.
            secondary: expose["category"].is_string()
                || (expose["access"].as_u64().unwrap_or(0) & 2 != 0 && of.is_none()),
            unit,
        });
    }
}

fn value(expose: &Json, kind: &str) -> Result<Kind, Text> {
    match kind {
        "numeric" => Ok(Kind::Number),
        "binary" => {
            let word = |key: &str, default: &str| match &expose[key] {
                Json::String(text) => text.clone(),
                value @ (Json::Bool(_) | Json::Number(_)) => value.to_string(),
                _ => default.to_owned(),
            };
            Ok(Kind::Flag { on: word("value_on", "ON"), off: word("value_off", "OFF") })
        }
        "enum" => {
            let values = expose["values"].as_array().map_or(&[][..], Vec::as_slice);
            let words = values.iter().filter_map(|value| match value {
                Json::String(text) => Some(text.clone()),
                Json::Number(number) => Some(number.to_string()),
                _ => None,
            });
            Ok(Kind::Choice(words.take(MAX_CHOICES).collect()))
        }
        "text" => Ok(Kind::Text),
        "list" => Err(("it is a list", "它是列表").into()),
        other => {
            let other = clean(other);
            Err((format!("it is of type `{other}`"), format!("其类型为 `{other}`")).into())
        }
    }
}
