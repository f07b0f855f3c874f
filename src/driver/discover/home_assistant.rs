//! Discovery messages in the manner of Home Assistant:
//! `<prefix>/<component>/[<node>/]<object>/config`.
//!
//! <https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery>

use serde_json::{Map, Value as Json};

use super::announced::{Entity, Kind, Place, Presence, Unread};
use super::bounds::{MAX_CHOICES, MAX_ENTITIES, clean, is_topic};
use super::components::{Channel, channels};
use super::template;
use crate::driver::scan::Text;

/// Short forms of the keys that are looked at.
const SHORT: &[(&str, &str)] = &[
    ("action_topic", "act_t"),
    ("action_template", "act_tpl"),
    ("availability", "avty"),
    ("availability_topic", "avty_t"),
    ("availability_template", "avty_tpl"),
    ("components", "cmps"),
    ("connections", "cns"),
    ("current_humidity_topic", "curr_hum_t"),
    ("current_humidity_template", "curr_hum_tpl"),
    ("current_temperature_topic", "curr_temp_t"),
    ("current_temperature_template", "curr_temp_tpl"),
    ("device", "dev"),
    ("device_class", "dev_cla"),
    ("encoding", "e"),
    ("entity_category", "ent_cat"),
    ("expire_after", "exp_aft"),
    ("identifiers", "ids"),
    ("manufacturer", "mf"),
    ("mode_state_topic", "mode_stat_t"),
    ("mode_state_template", "mode_stat_tpl"),
    ("model", "mdl"),
    ("object_id", "obj_id"),
    ("options", "ops"),
    ("payload_available", "pl_avail"),
    ("payload_not_available", "pl_not_avail"),
    ("payload_off", "pl_off"),
    ("payload_on", "pl_on"),
    ("platform", "p"),
    ("position_template", "pos_tpl"),
    ("position_topic", "pos_t"),
    ("state_class", "stat_cla"),
    ("state_closed", "stat_clsd"),
    ("state_closing", "stat_closing"),
    ("state_locked", "stat_locked"),
    ("state_off", "stat_off"),
    ("state_on", "stat_on"),
    ("state_open", "stat_open"),
    ("state_opening", "stat_opening"),
    ("state_stopped", "stat_stopped"),
    ("state_topic", "stat_t"),
    ("state_unlocked", "stat_unlocked"),
    ("state_value_template", "stat_val_tpl"),
    ("temperature_state_template", "temp_stat_tpl"),
    ("temperature_state_topic", "temp_stat_t"),
    ("temperature_unit", "temp_unit"),
    ("topic", "t"),
    ("unique_id", "uniq_id"),
    ("unit_of_measurement", "unit_of_meas"),
    ("value_template", "val_tpl"),
];

/// What one discovery message says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Message {
    /// Who it is about: the identifiers of the device, else the place of the message.
    pub keys: Vec<String>,
    pub name: String,
    pub maker: String,
    pub model: String,
    pub entities: Vec<Entity>,
    pub presences: Vec<Presence>,
    pub unread: Vec<Unread>,
    pub silent_after: Option<u64>,
}

/// A table of a message, by its long keys.
#[derive(Clone, Copy)]
pub(super) struct Table<'m> {
    own: &'m Map<String, Json>,
    /// What holds for all components of a message.
    shared: Option<&'m Map<String, Json>>,
}

impl<'m> Table<'m> {
    pub fn get(&self, long: &str) -> Option<&'m Json> {
        let short = SHORT.iter().find(|(key, _)| *key == long).map_or(long, |(_, short)| short);
        let of = |map: &'m Map<String, Json>| map.get(long).or_else(|| map.get(short));
        of(self.own).or_else(|| self.shared.and_then(of)).filter(|value| !value.is_null())
    }

    pub fn text(&self, long: &str) -> Option<&'m str> {
        self.get(long).and_then(Json::as_str)
    }

    /// A word as a payload has it: texts, numbers and JSON's own.
    pub fn word(&self, long: &str, default: &str) -> String {
        match self.get(long) {
            Some(Json::String(text)) => text.clone(),
            Some(value @ (Json::Bool(_) | Json::Number(_))) => value.to_string(),
            _ => default.to_owned(),
        }
    }

    /// A topic, with its `~` replaced.
    pub fn topic(&self, long: &str) -> Option<String> {
        let topic = self.text(long)?;
        let base = self.text("~");
        let first = base.zip(topic.strip_prefix('~')).map(|(base, rest)| format!("{base}{rest}"));
        let last = || base.zip(topic.strip_suffix('~')).map(|(base, rest)| format!("{rest}{base}"));
        Some(first.or_else(last).unwrap_or_else(|| topic.to_owned()))
    }

    pub fn number(&self, long: &str) -> Option<f64> {
        let value = self.get(long)?;
        value.as_f64().or_else(|| value.as_str()?.parse().ok()).filter(|n: &f64| n.is_finite())
    }

    pub fn words(&self, long: &str) -> Vec<String> {
        let list = self.get(long).and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
        let words = list.iter().filter_map(Json::as_str).map(str::to_owned);
        words.take(MAX_CHOICES).collect()
    }
}

/// The levels of a discovery topic below its prefix: component, node, object.
pub(super) fn levels<'t>(topic: &'t str, prefix: &str) -> Option<(&'t str, &'t str, &'t str)> {
    let rest = topic.strip_prefix(prefix)?.strip_prefix('/')?.strip_suffix("/config")?;
    let mut levels = rest.split('/');
    match (levels.next()?, levels.next()?, levels.next(), levels.next()) {
        (component, object, None, None) => Some((component, "", object)),
        (component, node, Some(object), None) => Some((component, node, object)),
        _ => None,
    }
}

/// Reads one message. `component`, `node` and `object` stand in its topic.
///
/// # Errors
/// It says nothing that could be used.
pub(super) fn read(
    document: &Json,
    (component, node, object): (&str, &str, &str),
) -> Result<Message, Text> {
    let Json::Object(root) = document else {
        return Err(("not a JSON object", "不是 JSON 对象").into());
    };
    let whole = Table { own: root, shared: None };
    let mut message = Message::default();
    device(&whole, &mut message);
    if message.keys.is_empty() {
        let place = if node.is_empty() { format!("{component}/{object}") } else { node.to_owned() };
        message.keys.push(place);
    }
    presences(&whole, &mut message);
    match whole.get("components") {
        Some(Json::Object(components)) if component == "device" => {
            for (id, inner) in components.iter().take(MAX_ENTITIES) {
                let Json::Object(own) = inner else { continue };
                let table = Table { own, shared: Some(root) };
                let Some(platform) = Table { own, shared: None }.text("platform") else {
                    message.leave(id, ("it does not say what it is", "未说明类型"));
                    continue;
                };
                // Nothing but the platform: the value was taken away.
                if own.len() > 1 {
                    entities(platform, id, &table, &mut message);
                }
            }
            if components.len() > MAX_ENTITIES {
                let most = MAX_ENTITIES;
                message.leave(
                    "…",
                    (format!("more than {most} components"), format!("超过 {most} 个部件")),
                );
            }
        }
        _ if component == "device" => {
            return Err(("`components` is missing", "缺少 `components`").into());
        }
        _ => entities(component, object, &whole, &mut message),
    }
    Ok(message)
}

fn device(whole: &Table<'_>, message: &mut Message) {
    let Some(Json::Object(device)) = whole.get("device") else { return };
    let device = Table { own: device, shared: None };
    let texts = |value: &Json| -> Vec<String> {
        match value {
            Json::String(text) => vec![clean(text)],
            Json::Array(list) => list.iter().filter_map(Json::as_str).map(clean).collect(),
            _ => Vec::new(),
        }
    };
    message.keys = device.get("identifiers").map(texts).unwrap_or_default();
    if let Some(Json::Array(connections)) = device.get("connections") {
        // Pairs of kind and address.
        let pairs = connections.iter().map(|pair| texts(pair).join(":"));
        message.keys.extend(pairs.filter(|pair| !pair.is_empty()));
    }
    message.keys.retain(|key| !key.is_empty());
    message.keys.truncate(8);
    message.name = device.text("name").map(clean).unwrap_or_default();
    message.maker = device.text("manufacturer").map(clean).unwrap_or_default();
    message.model = device.text("model").map(clean).unwrap_or_default();
}

impl Message {
    fn leave(&mut self, name: &str, why: impl Into<Text>) {
        self.unread.push(Unread { name: clean(name), why: why.into() });
    }
}

/// Reads `availability_topic`, and `availability` as one table or a list.
fn presences(table: &Table<'_>, message: &mut Message) {
    let online = table.word("payload_available", "online");
    let offline = table.word("payload_not_available", "offline");
    let mut add = |topic: Option<String>, path: Option<&str>, words: (String, String)| {
        let Some(topic) = topic.filter(|topic| is_topic(topic)) else { return };
        let place = path.map_or(Some(Place::whole()), template::read);
        let (online, offline) = words;
        let good = |word: &str| !word.is_empty() && clean(word) == word;
        match place {
            Some(place) if good(&online) && good(&offline) => {
                message.presences.push(Presence { topic, path: place.path, online, offline });
            }
            _ => {
                let why = ("its template or words cannot be told", "其模板或取值无法表达");
                message.leave(&format!("availability {topic}"), why);
            }
        }
    };
    let own = (online.clone(), offline.clone());
    add(table.topic("availability_topic"), table.text("availability_template"), own);
    let list = match table.get("availability") {
        Some(Json::Array(list)) => list.as_slice(),
        Some(one @ Json::Object(_)) => std::slice::from_ref(one),
        _ => &[],
    };
    for one in list.iter().take(8).filter_map(Json::as_object) {
        let inner = Table { own: one, shared: None };
        let base = Table { own: one, shared: Some(table.own) };
        let words = (
            inner.word("payload_available", &online),
            inner.word("payload_not_available", &offline),
        );
        add(base.topic("topic"), inner.text("value_template"), words);
    }
}

/// The values of one component.
fn entities(component: &str, id: &str, table: &Table<'_>, message: &mut Message) {
    let named = table.text("name").map(clean).filter(|name| !name.is_empty());
    let name = named.clone().unwrap_or_else(|| clean(id));
    let read = match channels(component, table) {
        Ok(read) => read,
        Err(why) => return message.leave(&name, why),
    };
    if let Some(seconds) = table.number("expire_after").filter(|s| (1.0..=2_000_000.0).contains(s))
    {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
        let seconds = seconds as u64;
        message.silent_after = message.silent_after.max(Some(seconds));
    }
    let mut any = false;
    for channel in read {
        let Some(topic) = table.topic(channel.topic) else { continue };
        any = true;
        let label = if channel.label.is_empty() {
            name.clone()
        } else {
            format!("{name} {}", channel.label)
        };
        match entity(&channel, topic, table) {
            Ok(entity) => {
                let id = format!("{} {}", clean(id), channel.label).trim().to_owned();
                let word = if entity.word.is_empty() {
                    super::vocabulary::snake(named.as_deref().unwrap_or(""))
                } else {
                    entity.word.clone()
                };
                message.entities.push(Entity { name: label, id, word, ..entity });
            }
            Err(why) => message.leave(&label, why),
        }
    }
    if !any {
        message.leave(&name, ("it publishes no state", "不上报状态"));
    }
}

fn entity(channel: &Channel, topic: String, table: &Table<'_>) -> Result<Entity, Text> {
    if !is_topic(&topic) {
        let topic = clean(&topic);
        return Err((
            format!("`{topic}` is no topic that a profile can name"),
            format!("`{topic}` 不是设备模型可用的主题"),
        )
            .into());
    }
    if table.text("encoding") == Some("") {
        return Err(("its payload is no text", "载荷不是文本").into());
    }
    let template = channel.templates.iter().find_map(|key| table.text(key));
    let place = match (template, channel.json_key) {
        (Some(text), _) => template::read(text).ok_or_else(|| {
            let text = clean(text);
            let en = format!("its template does more than to pick a value: {text}");
            Text::from((en, format!("其模板不只是取值：{text}")))
        })?,
        (None, Some(key)) => Place::member(vec![super::announced::step(key)]),
        (None, None) => Place::whole(),
    };
    let scaled = place.factor != 1.0 || place.offset != 0.0;
    let kind = match &channel.kind {
        Kind::Unknown if scaled => Kind::Number,
        kind => kind.clone(),
    };
    let class = table.text("state_class").unwrap_or("");
    let word = match channel.word {
        Some(word) => word.to_owned(),
        None => table.text("device_class").map(clean).unwrap_or_default(),
    };
    // What may go down again is no counter.
    let counter = class == "total_increasing" && kind == Kind::Number;
    let secondary = table.get("entity_category").is_some();
    let bounds = table.number("min").zip(table.number("max")).filter(|(low, high)| low < high);
    Ok(Entity {
        name: String::new(),
        id: String::new(),
        word,
        endpoint: None,
        topic,
        place,
        unit: channel.unit.clone(),
        counter,
        range: if channel.bounded { bounds } else { None },
        secondary,
        kind,
    })
}
