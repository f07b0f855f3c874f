//! Which profile fits a device: what it publishes against what the profile reads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::announced::{Device, Entity, Kind};
use super::bases::base_of;
use super::book::{Sample, document};
use super::{units, vocabulary};
use crate::profile::{
    Binding, Library, MqttModel, MqttSource, PayloadFormat, Profile, decode_json, decode_text,
};

/// A fit of less is none.
pub(super) const LEAST: f64 = 0.25;
/// From here on a profile is proposed.
const GOOD: f64 = 0.55;
/// A profile of which less is published leaves too many values empty.
const GOOD_SHARE: f64 = 0.5;
/// What is not certain is worth at most.
const MOST: f64 = 0.95;
/// What it says for a profile that it names the model.
const NAMED: f64 = 0.1;
/// What counts little: many models have it.
const MINOR: f64 = 0.25;
/// Settings and the like.
const SECONDARY: f64 = 0.1;
/// Most bases that are tried with one profile.
const MAX_BASES: usize = 16;
/// Points that many models have.
const MINOR_POINTS: &[&str] =
    &["batteryLevel", "batteryLow", "batteryVoltage", "linkQuality", "rssi", "alarmTamper"];

/// A profile that reads what is published.
#[derive(Debug, Clone)]
pub(super) struct Model {
    usual: Arc<Profile>,
    /// With as many members in its groups as a device may have.
    full: Arc<Profile>,
}

impl Model {
    /// Those of the library.
    pub fn all(library: &Library) -> Vec<Self> {
        let model = |id: &str| {
            let usual = library.get(id)?;
            let full = library.full(id).unwrap_or_else(|| Arc::clone(&usual));
            matches!(usual.binding, Binding::Mqtt(_)).then_some(Self { usual, full })
        };
        library.ids().filter_map(model).collect()
    }

    /// With the members that the device publishes, and how many where they are not the usual ones.
    fn sized(&self, device: &Device, base: &str, heard: &Heard<'_>) -> (Arc<Profile>, Sizes) {
        if self.usual.groups.is_empty() {
            return (Arc::clone(&self.usual), Sizes::new());
        }
        let mut sizes = vec![0u16; self.full.groups.len()];
        for slot in weigh(&self.full, device, base, heard).slots {
            if let Some(member) = self.full.member(slot)
                && let Some(size) = sizes.get_mut(member.group)
            {
                *size = (*size).max(member.place + 1);
            }
        }
        let mut named = Sizes::new();
        for (size, group) in sizes.iter_mut().zip(&self.usual.groups) {
            if *size == 0 {
                *size = group.count;
            } else if *size != group.count && group.max > 1 {
                named.insert(group.name.to_string(), *size);
            }
        }
        (Arc::new(self.full.sized(&sizes)), named)
    }
}

/// Members of groups, by the name of the group.
pub(super) type Sizes = BTreeMap<String, u16>;
type Heard<'s> = [(&'s str, &'s Sample)];

/// How a profile fits a device.
#[derive(Debug, Clone)]
pub(super) struct Fit {
    pub profile: Arc<Profile>,
    pub base: String,
    /// Points of the profile that the device publishes.
    pub points: usize,
    /// Values of the device that the profile reads, by their places.
    pub read: BTreeSet<usize>,
    pub confidence: f64,
    /// Members of its groups, where they are not the usual ones.
    pub sizes: Sizes,
    /// Share of the profile's points, weighed.
    share: f64,
}

impl Fit {
    /// It may be proposed.
    pub fn is_good(&self) -> bool {
        self.confidence >= GOOD && self.share >= GOOD_SHARE
    }
}

/// The profiles that fit, best first.
pub(super) fn fits(
    device: &Device,
    models: &[Model],
    samples: &BTreeMap<String, Sample>,
) -> Vec<Fit> {
    let topics = device.topics();
    let heard = heard(device, samples);
    let mut tried: Vec<Tried> = Vec::new();
    for model in models {
        let Binding::Mqtt(published) = &model.full.binding else { continue };
        let best = bases(device, published, &topics).into_iter().map(|base| {
            let (profile, sizes) = model.sized(device, &base, &heard);
            Tried { sizes, ..weigh(&profile, device, &base, &heard) }
        });
        let best = best.max_by(|a, b| a.gain().total_cmp(&b.gain()));
        tried.extend(best.filter(|tried| !tried.slots.is_empty()));
    }
    // Where nothing is announced, the profile that reads most sets the measure.
    let most = tried.iter().map(|tried| tried.got).fold(0.0, f64::max);
    let mut fits: Vec<Fit> = tried.into_iter().map(|tried| tried.fit(device, most)).collect();
    fits.retain(|fit| fit.confidence >= LEAST);
    fits.sort_by(|a, b| {
        b.confidence.total_cmp(&a.confidence).then_with(|| a.profile.id.cmp(&b.profile.id))
    });
    fits
}

/// Bases under which the device may publish for the model.
fn bases(device: &Device, model: &MqttModel, topics: &[&str]) -> BTreeSet<String> {
    if let Some(base) = &device.base {
        return BTreeSet::from([base.clone()]);
    }
    let patterns = model.topics.iter().map(|rule| rule.pattern.as_str());
    let pairs = patterns.flat_map(|pattern| topics.iter().map(move |topic| (pattern, *topic)));
    pairs.filter_map(|(pattern, topic)| base_of(pattern, topic)).take(MAX_BASES).collect()
}

/// The messages that may be the device's.
fn heard<'s>(device: &Device, samples: &'s BTreeMap<String, Sample>) -> Vec<(&'s str, &'s Sample)> {
    let own = device.topics();
    let below = |topic: &str| {
        device.base.as_ref().is_some_and(|base| super::bases::pattern(topic, base).is_some())
    };
    let of_device = |topic: &str| own.binary_search(&topic).is_ok() || below(topic);
    let own = samples.iter().filter(|(topic, _)| of_device(topic));
    own.map(|(topic, sample)| (topic.as_str(), sample)).collect()
}

struct Seen<'a> {
    device: &'a Device,
    model: &'a MqttModel,
    /// The model's patterns with the base, in their order.
    filters: Vec<String>,
    heard: &'a Heard<'a>,
}

impl Seen<'_> {
    /// Whether a topic is the source's.
    fn is_of(&self, source: &MqttSource, topic: &str) -> bool {
        self.filters.get(source.topic).is_some_and(|filter| {
            filter == topic || (filter.contains('+') && rumqttc::matches(topic, filter))
        })
    }
}

struct Tried {
    profile: Arc<Profile>,
    base: String,
    /// Points that are published.
    slots: Vec<usize>,
    read: BTreeSet<usize>,
    sizes: Sizes,
    /// Weight of the points that are published, and of all.
    got: f64,
    all: f64,
    /// A point that not every model has is among them.
    telling: bool,
}

impl Tried {
    fn gain(&self) -> f64 {
        self.got + self.read.len() as f64 * 1e-3
    }

    fn fit(self, device: &Device, most: f64) -> Fit {
        let share = if self.all > 0.0 { self.got / self.all } else { 0.0 };
        let weights = device.entities.iter().map(entity_weight);
        let announced: f64 = weights.clone().sum();
        let read: f64 =
            weights.enumerate().filter(|(at, _)| self.read.contains(at)).map(|(_, w)| w).sum();
        let reach = if announced > 0.0 { read / announced } else { self.got / most.max(1e-9) };
        let mut confidence =
            if share + reach > 0.0 { 2.0 * share * reach / (share + reach) } else { 0.0 };
        if !self.telling {
            // A battery and a signal strength say nothing about what it is.
            confidence = confidence.min(LEAST / 2.0);
        } else if names(&self.profile, device) {
            confidence += NAMED;
        }
        Fit {
            profile: self.profile,
            base: self.base,
            points: self.slots.len(),
            read: self.read,
            sizes: self.sizes,
            confidence: confidence.min(MOST),
            share,
        }
    }
}

fn weigh(profile: &Arc<Profile>, device: &Device, base: &str, heard: &Heard<'_>) -> Tried {
    let mut tried = Tried {
        profile: Arc::clone(profile),
        base: base.to_owned(),
        slots: Vec::new(),
        read: BTreeSet::new(),
        sizes: Sizes::new(),
        got: 0.0,
        all: 0.0,
        telling: false,
    };
    let Binding::Mqtt(model) = &profile.binding else { return tried };
    let filters = model.topics.iter().map(|rule| rule.pattern.replace("{base}", base));
    let seen = &Seen { device, model, filters: filters.collect(), heard };
    let params: Vec<f64> = profile.params.iter().map(|param| param.default).collect();
    // Points that follow from others stand behind those that are read.
    for (slot, (point, source)) in profile.points.iter().zip(&model.sources).enumerate() {
        let minor = MINOR_POINTS.contains(&point.name.rsplit('.').next().unwrap_or(""));
        let weight = if minor { MINOR } else { 1.0 };
        tried.all += weight;
        let by: BTreeSet<usize> = seen
            .device
            .entities
            .iter()
            .enumerate()
            .filter(|(_, entity)| reads(seen, source, point.unit.code(), entity))
            .map(|(at, _)| at)
            .collect();
        // What was heard counts where the announcement is silent about the place.
        if by.is_empty() && (is_announced(seen, source) || !shows(seen, source, &params)) {
            continue;
        }
        tried.slots.push(slot);
        tried.got += weight;
        tried.telling |= !minor;
        tried.read.extend(by);
    }
    tried
}

/// Whether the source of a point reads this value rightly.
fn reads(seen: &Seen<'_>, source: &MqttSource, unit: &str, entity: &Entity) -> bool {
    same_place(seen, source, entity)
        && match &entity.kind {
            Kind::Flag { on, off } => {
                let word = |word: &str| decode_text(source, word, 1.0);
                let (on, off) = (word(on), word(off));
                (source.flag || !source.codes.is_empty()) && on.is_ok() && off.is_ok() && on != off
            }
            Kind::Number => {
                !source.flag
                    && !source.text
                    && source.codes.is_empty()
                    && scaled(source, unit, entity)
            }
            Kind::Choice(words) => {
                let known = words.iter().filter(|word| decode_text(source, word, 1.0).is_ok());
                source.text || (!source.codes.is_empty() && known.count() * 2 >= words.len())
            }
            Kind::Text => source.text,
            Kind::Unknown => true,
        }
}

fn same_place(seen: &Seen<'_>, source: &MqttSource, entity: &Entity) -> bool {
    let Some(rule) = seen.model.topics.get(source.topic) else { return false };
    let json = rule.format == PayloadFormat::Json;
    (json == entity.place.json || (json && source.path.is_empty()))
        && source.path == entity.place.path
        && seen.is_of(source, &entity.topic)
}

/// Whether the device announces something at the place of the source.
fn is_announced(seen: &Seen<'_>, source: &MqttSource) -> bool {
    seen.device.entities.iter().any(|entity| same_place(seen, source, entity))
}

/// Whether the source makes the right number of the value.
fn scaled(source: &MqttSource, unit: &str, entity: &Entity) -> bool {
    let Some(written) = &entity.unit else { return true };
    if !source.scale.by.is_empty() {
        return true;
    }
    let Some((code, factor, offset)) = units::ucum(written) else { return unit == "1" };
    let Some(between) = units::between(code, unit) else { return unit == "1" };
    let factor = entity.place.factor * factor * between;
    let offset =
        (entity.place.offset * units::ucum(written).map_or(1.0, |u| u.1) + offset) * between;
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-6 * a.abs().max(b.abs()).max(1e-3);
    near(factor, source.scale.factor) && near(offset, source.scale.offset)
}

/// Whether a message that was heard gives the point a value.
fn shows(seen: &Seen<'_>, source: &MqttSource, params: &[f64]) -> bool {
    let Some(rule) = seen.model.topics.get(source.topic) else { return false };
    let factor = source.scale.resolve(params);
    let own = seen.heard.iter().filter(|(topic, _)| seen.is_of(source, topic));
    own.into_iter().any(|(_, sample)| match rule.format {
        PayloadFormat::Text => decode_text(source, &sample.payload, factor).is_ok(),
        PayloadFormat::Json => document(sample)
            .is_some_and(|document| matches!(decode_json(source, &document, factor), Ok(Some(_)))),
    })
}

fn entity_weight(entity: &Entity) -> f64 {
    let minor = match &entity.kind {
        Kind::Number => vocabulary::number(&entity.word).is_some_and(|word| word.minor),
        Kind::Flag { .. } => vocabulary::flag(&entity.word).is_some_and(|word| word.minor),
        _ => false,
    };
    if entity.secondary {
        SECONDARY
    } else if minor {
        MINOR
    } else {
        1.0
    }
}

/// Whether the profile is made for this model by name.
fn names(profile: &Profile, device: &Device) -> bool {
    let model = device.model.to_lowercase();
    model.len() >= 4
        && profile.products.iter().any(|product| {
            let known = product.model.to_lowercase();
            known == model || model.starts_with(&format!("{known} "))
        })
}
