//! A profile made from an announcement, proved by its own examples.

use std::collections::BTreeMap;

use super::announced::{Device, Entity, Kind, Place, Presence, Source, Unread};
use super::bases::{Run, common, pattern};
use super::book::{Sample, document};
use super::bounds::clean;
use super::examples::{examples, heard};
use super::points::{Point, Shape, points};
use super::write::{Draft, head, tail};
use crate::driver::scan::Text;
use crate::model::Value;
use crate::profile::{self, locate};

/// A profile that was made.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub base: String,
    /// All but the examples: the same for all devices of a model.
    pub head: String,
    pub tail: String,
    pub points: usize,
    /// What of the announcement it does not read.
    pub unread: Vec<Unread>,
}

/// Makes a profile of what the device announces. `shared` tells whether a part of a topic stands
/// in topics of other devices too.
///
/// # Errors
/// Nothing of it can be told by a profile.
pub(super) fn make(
    device: &Device,
    samples: &BTreeMap<String, Sample>,
    shared: &dyn Fn(&str) -> bool,
) -> Result<Site, Text> {
    let mut unread = Vec::new();
    let entities: Vec<Entity> =
        device.entities.iter().map(|entity| learned(entity, samples)).collect();
    let entities = one_format(entities, &mut unread);
    let Some((base, presence)) = base(device, &entities, shared) else {
        return Err(("it announces no value that could be read", "未公告任何可读取的值").into());
    };
    let lost = device.presences.iter().filter(|own| Some(*own) != presence.as_ref());
    for own in lost {
        let topic = &own.topic;
        let why = Text::from((
            format!("a profile has one topic of availability, and {topic} is not below `{base}`"),
            format!("设备模型只有一个在线主题，{topic} 不在 `{base}` 之下"),
        ));
        unread.push(Unread { name: format!("availability {topic}"), why });
    }
    let mut made = placed(&entities, &base, &mut unread);
    if made.is_empty() {
        return Err(("none of its values can be told", "其值均无法表达").into());
    }
    let availability = presence.and_then(|own| Some((pattern(&own.topic, &base)?, own)));
    let mut draft = draft(device, &mut made, availability);
    // What was heard is right; bounds that it breaks are wrong.
    let first = proved(&draft, &base, samples)?;
    for (slot, value) in first.values {
        if let (Some(point), Ok(Value::Number(n))) = (draft.points.get_mut(slot), value)
            && point.range.is_some_and(|(low, high)| n < low || n > high)
        {
            point.range = None;
        }
    }
    let proof = proved(&draft, &base, samples)?;
    Ok(Site { base, head: proof.head, tail: proof.tail, points: draft.points.len(), unread })
}

struct Proof {
    head: String,
    tail: String,
    values: BTreeMap<usize, Result<Value, crate::model::Reason>>,
}

/// The text, read again and its examples run.
fn proved(draft: &Draft, base: &str, samples: &BTreeMap<String, Sample>) -> Result<Proof, Text> {
    let refused = |why: String| {
        Text::from((
            format!("no profile can be made of it: {why}"),
            format!("无法生成设备模型：{why}"),
        ))
    };
    let told = |faults: Vec<profile::ProfileFault>| {
        let first = faults.first().map(|fault| clean(&fault.message));
        refused(first.unwrap_or_default())
    };
    let head = head(draft);
    // An example must show something; nobody asks yet whether it is true.
    let any = draft.points.first().map_or("", |point| point.name.as_str());
    let any = super::write::quoted(any);
    let bare =
        format!("{head}\n[[examples]]\nreadings = {{ {any} = {{ bad = \"bad_payload\" }} }}\n");
    let loaded = profile::parse("site.toml", &bare).map_err(told)?;
    let values = heard(&loaded.profile, base, samples);
    let tail = tail(&examples(&loaded.profile, &draft.points, base, samples));
    let loaded = profile::parse("site.toml", &format!("{head}{tail}")).map_err(told)?;
    let broken: Vec<_> = profile::run_examples(&loaded)
        .into_iter()
        // Bounds that a message breaks are taken out by the caller.
        .filter(|fault| !fault.what.contains("plausible range"))
        .collect();
    match broken.first() {
        Some(fault) => Err(refused(clean(&fault.to_string()))),
        None => Ok(Proof { head, tail, values }),
    }
}

/// What a message says about a value that the announcement leaves open.
fn learned(entity: &Entity, samples: &BTreeMap<String, Sample>) -> Entity {
    let mut entity = entity.clone();
    let Some(word) = samples.get(&entity.topic).and_then(|sample| said(&entity.place, sample))
    else {
        return entity;
    };
    match &mut entity.kind {
        Kind::Unknown => {
            let flag = matches!(word.as_str(), "true" | "false");
            entity.kind = if flag {
                Kind::Flag { on: "true".into(), off: "false".into() }
            } else if word.parse::<f64>().is_ok_and(f64::is_finite) {
                Kind::Number
            } else {
                Kind::Text
            };
        }
        Kind::Choice(words) if !words.is_empty() && !words.contains(&word) => words.push(word),
        _ => {}
    }
    entity
}

/// The word at a place of a message.
fn said(place: &Place, sample: &Sample) -> Option<String> {
    if !place.json {
        return Some(sample.payload.trim().to_owned());
    }
    match locate(&document(sample)?, &place.path)? {
        serde_json::Value::String(text) => Some(text.trim().to_owned()),
        value @ (serde_json::Value::Bool(_) | serde_json::Value::Number(_)) => {
            Some(value.to_string())
        }
        _ => None,
    }
}

/// A topic holds documents or texts, never both.
fn one_format(entities: Vec<Entity>, unread: &mut Vec<Unread>) -> Vec<Entity> {
    let mut documents: BTreeMap<String, bool> = BTreeMap::new();
    for entity in &entities {
        *documents.entry(entity.topic.clone()).or_default() |= entity.place.json;
    }
    let (kept, lost): (Vec<Entity>, Vec<Entity>) =
        entities.into_iter().partition(|entity| documents[&entity.topic] == entity.place.json);
    for entity in lost {
        let why = (
            "others read a document from its topic, it the whole text",
            "同一主题上其他值取自 JSON，而它取整个文本",
        );
        unread.push(Unread { name: entity.name, why: why.into() });
    }
    kept
}

/// The base topic, and the availability that lies below it.
fn base(
    device: &Device,
    entities: &[Entity],
    shared: &dyn Fn(&str) -> bool,
) -> Option<(String, Option<Presence>)> {
    let mut topics: Vec<&str> = entities.iter().map(|entity| entity.topic.as_str()).collect();
    topics.sort_unstable();
    topics.dedup();
    if let Some(base) = &device.base {
        let presence = device.presences.iter().find(|own| pattern(&own.topic, base).is_some());
        return (!topics.is_empty()).then(|| (base.clone(), presence.cloned()));
    }
    let alone = common(&topics)?;
    let with = device.presences.iter().filter_map(|presence| {
        let mut all = topics.clone();
        if !all.contains(&presence.topic.as_str()) {
            all.push(&presence.topic);
        }
        let run = common(&all)?;
        let covers = run.covers == all.len() && alone.covers == topics.len();
        (covers && !shared(&run.base)).then_some((run, presence))
    });
    let longest = with.max_by_key(|(run, _)| run.base.len());
    Some(match longest {
        Some((Run { base, .. }, presence)) => (base, Some(presence.clone())),
        None => (alone.base, None),
    })
}

/// The points whose topics have the base.
fn placed(entities: &[Entity], base: &str, unread: &mut Vec<Unread>) -> Vec<Point> {
    let made = points(entities).into_iter().zip(entities);
    let mut kept = Vec::new();
    for (point, entity) in made {
        let name = entity.name.clone();
        match (point, pattern(&entity.topic, base)) {
            (Ok(point), Some(topic)) => kept.push(Point { topic, ..point }),
            (Ok(_), None) => {
                let topic = &entity.topic;
                let en = format!("its topic {topic} has nothing in common with `{base}`");
                let zh = format!("其主题 {topic} 与 `{base}` 没有公共部分");
                unread.push(Unread { name, why: (en, zh).into() });
            }
            (Err(why), _) => unread.push(Unread { name, why }),
        }
    }
    kept
}

fn draft(
    device: &Device,
    points: &mut Vec<Point>,
    availability: Option<(String, Presence)>,
) -> Draft {
    let mut topics: Vec<(String, bool)> = Vec::new();
    for point in points.iter() {
        if !topics.iter().any(|(topic, _)| *topic == point.topic) {
            topics.push((point.topic.clone(), point.json));
        }
    }
    let mut caveats = vec![Text::from((
        "Nobody compared it with the device yet: do so, then say it in `verified`.",
        "尚未与实物核对：核对后请修改 verified。",
    ))];
    caveats.extend(points.iter_mut().filter_map(|point| point.caveat.take()));
    let title = title(device);
    let brand = if device.maker.is_empty() { device.source.title() } else { &device.maker };
    Draft {
        category: category(points),
        zh: format!("{title}（依公告生成）"),
        en: format!("{title} (from its announcement)"),
        brand: brand.to_owned(),
        model: if device.model.is_empty() { title } else { device.model.clone() },
        source: match device.source {
            Source::Zigbee2Mqtt => {
                "https://www.zigbee2mqtt.io/guide/usage/exposes.html (its own announcement)".into()
            }
            _ => "https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery (its own \
                  announcement)"
                .into(),
        },
        topics,
        availability,
        silent_after: device.silent_after.map(|seconds| seconds.clamp(10, 30 * 86_400)),
        points: std::mem::take(points),
        caveats,
    }
}

/// Maker and model, else the name.
pub(super) fn title(device: &Device) -> String {
    let both = format!("{} {}", device.maker, device.model);
    let both = both.trim();
    let title = if device.model.is_empty() { device.name.as_str() } else { both };
    if title.is_empty() { device.key.clone() } else { title.to_owned() }
}

/// What kind of thing publishes such points.
fn category(points: &[Point]) -> &'static str {
    let has = |name: &str| points.iter().any(|point| point.name == name);
    let part = |name: &str| points.iter().any(|point| point.name.split('.').any(|p| p == name));
    let alarm = points.iter().any(|point| point.urgent && point.name != "alarmTamper");
    let acts = points.iter().any(|point| {
        matches!(point.shape, Shape::Flag { .. }) && point.name.ends_with("switchedOn")
    });
    let air = ["temperature", "relativeHumidity", "co2", "pm25", "pm10", "laeq", "formaldehyde"];
    if part("totalActiveEnergyImport") || part("activeEnergyImport") || part("totalActivePower") {
        "electricity_meter"
    } else if has("waterConsumption") {
        "water_meter"
    } else if has("gasConsumption") {
        "gas_meter"
    } else if !alarm && !acts && air.iter().any(|name| has(name)) {
        "environment_sensor"
    } else {
        "other"
    }
}
