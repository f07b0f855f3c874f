//! From everything that was heard to one proposal for each device.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::announced::{Device, Source, Unread};
use super::bases::{is_under, pattern};
use super::book::{Book, Sample};
use super::judge::{Fit, Model, fits};
use super::site::{self, Site};
use crate::driver::scan::{Candidate, FoundDevice, Text};
use crate::profile::{Binding, Library, Profile};

/// How many profiles are told.
const TOLD: usize = 3;
/// Longest identifier of a profile that is made.
const MAX_ID: usize = 48;

/// A device of the configuration that publishes.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its identifier.
    pub id: String,
    /// Its base topic.
    pub base: String,
    /// Its model.
    pub profile: Arc<Profile>,
}

/// What is there to know about a device that announced itself, beside the profiles that fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    /// Who announced it.
    pub source: Source,
    /// Its address or identifier.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// Maker.
    pub maker: String,
    /// Model.
    pub model: String,
    /// Its base topic, where one was found.
    pub topic: Option<String>,
    /// How many members the groups of the best profile have here, where not the usual number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, u16>,
    /// A profile made for it; then the candidates are only alternatives.
    pub generated: Option<Generated>,
    /// What it announces and nothing reads.
    pub unread: Vec<Unread>,
}

/// A profile that was made from an announcement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generated {
    /// Its identifier: the name of its file, without `.toml`.
    pub id: String,
    /// The file.
    pub text: String,
    /// How many points it has.
    pub points: usize,
}

/// The devices that were announced, those of the configuration marked as such.
pub fn propose(book: &Book, library: &Library, known: &[Known]) -> Vec<FoundDevice> {
    let models = Model::all(library);
    let devices = book.devices();
    let samples = book.samples();
    let mut taken: BTreeSet<String> = library.ids().map(str::to_owned).collect();
    let mut made: BTreeMap<String, Generated> = BTreeMap::new();
    let owners = owners(&devices);
    let propose = |device: &Device| {
        let shared = |base: &str| {
            let own: BTreeSet<&str> = device.topics().into_iter().collect();
            let others =
                owners.iter().filter(|topic| topic.contains(base) && !own.contains(*topic));
            others.into_iter().any(|topic| pattern(topic, base).is_some())
        };
        let known = known.iter().find(|known| is_known(device, known)).map(|known| &known.id);
        let mut found = found(device);
        match known {
            Some(id) => found.known = Some(id.clone()),
            None => fill(&mut found, device, &models, &samples, &shared, &mut taken, &mut made),
        }
        found
    };
    devices.iter().map(propose).collect()
}

/// All topics of all devices.
fn owners(devices: &[Device]) -> BTreeSet<&str> {
    devices.iter().flat_map(Device::topics).collect()
}

fn is_known(device: &Device, known: &Known) -> bool {
    if device.base.as_ref() == Some(&known.base) {
        return true;
    }
    let Binding::Mqtt(model) = &known.profile.binding else { return false };
    let topics = device.topics();
    model
        .topics
        .iter()
        .any(|rule| topics.iter().any(|topic| is_under(&rule.pattern, &known.base, topic)))
}

fn found(device: &Device) -> FoundDevice {
    FoundDevice {
        protocol: "mqtt".into(),
        unit: None,
        address: None,
        endpoint: None,
        baud: None,
        frame: None,
        every_unit: false,
        known: None,
        category: None,
        candidates: Vec::new(),
        mqtt: Some(Box::new(Announced {
            source: device.source,
            key: device.key.clone(),
            name: device.name.clone(),
            maker: device.maker.clone(),
            model: device.model.clone(),
            topic: device.base.clone(),
            groups: BTreeMap::new(),
            generated: None,
            unread: device.unread.clone(),
        })),
    }
}

fn fill(
    found: &mut FoundDevice,
    device: &Device,
    models: &[Model],
    samples: &BTreeMap<String, Sample>,
    shared: &dyn Fn(&str) -> bool,
    taken: &mut BTreeSet<String>,
    made: &mut BTreeMap<String, Generated>,
) {
    let fits = fits(device, models, samples);
    found.candidates = fits.iter().take(TOLD).map(|fit| candidate(fit, device)).collect();
    let Some(own) = found.mqtt.as_mut() else { return };
    // Where no profile can be made the best that there is must do.
    if let Some(best) = fits.first().filter(|fit| fit.is_good() || !device.complete) {
        own.topic = Some(best.base.clone());
        own.groups.clone_from(&best.sizes);
        let id = &best.profile.id;
        for (at, entity) in device.entities.iter().enumerate() {
            if !best.read.contains(&at) {
                let why = (format!("{id} does not read it"), format!("{id} 不读取该值"));
                own.unread.push(Unread { name: entity.name.clone(), why: why.into() });
            }
        }
        return;
    }
    if !device.complete {
        return;
    }
    match site::make(device, samples, shared) {
        Ok(site) => {
            own.topic = Some(site.base.clone());
            own.unread.extend(site.unread.iter().cloned());
            own.generated = Some(named(device, &site, taken, made));
        }
        Err(why) => own.unread.push(Unread { name: device.name.clone(), why }),
    }
}

/// Devices of one model share a profile.
fn named(
    device: &Device,
    site: &Site,
    taken: &mut BTreeSet<String>,
    made: &mut BTreeMap<String, Generated>,
) -> Generated {
    if let Some(same) = made.get(&site.head) {
        return same.clone();
    }
    let wanted = identifier(&site::title(device));
    let numbered = (2u32..).map(|n| format!("{wanted}-{n}"));
    let mut free = std::iter::once(wanted.clone()).chain(numbered);
    let id = free.find(|id| !taken.contains(id)).unwrap_or(wanted);
    taken.insert(id.clone());
    let text = format!("{}{}", site.head, site.tail);
    let generated = Generated { id, text, points: site.points };
    made.insert(site.head.clone(), generated.clone());
    generated
}

fn identifier(title: &str) -> String {
    let mut id = String::from("site-");
    for c in title.to_lowercase().chars() {
        if c.is_ascii_alphanumeric() {
            id.push(c);
        } else if !id.ends_with('-') {
            id.push('-');
        }
        if id.len() >= MAX_ID {
            break;
        }
    }
    let id = id.trim_end_matches('-');
    if id == "site" { "site-device".to_owned() } else { id.to_owned() }
}

fn candidate(fit: &Fit, device: &Device) -> Candidate {
    let profile = &fit.profile;
    let all = match &profile.binding {
        Binding::Mqtt(model) => model.sources.len(),
        _ => profile.points.len(),
    };
    let points = fit.points;
    let (read, announced) = (fit.read.len(), device.entities.len());
    let why = if announced == 0 {
        (
            format!("{points} of its {all} points were heard"),
            format!("{all} 个测点中收到 {points} 个"),
        )
    } else {
        (
            format!(
                "{points} of its {all} points are published, it reads {read} of {announced} announced values"
            ),
            format!(
                "{all} 个测点中设备上报 {points} 个；设备公告的 {announced} 个值中读取 {read} 个"
            ),
        )
    };
    Candidate {
        profile: profile.id.clone(),
        title: Text::from((profile.en.as_str(), profile.zh.as_str())),
        confidence: (fit.confidence * 100.0).round() / 100.0,
        certain: false,
        why: why.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::identifier;

    #[test]
    fn identifiers_of_profiles_are_made_of_any_title() {
        assert_eq!(identifier("SONOFF SNZB-02D"), "site-sonoff-snzb-02d");
        assert_eq!(identifier("厨房"), "site-device");
        assert_eq!(identifier("  --x--"), "site-x");
        assert_eq!(identifier(""), "site-device");
        assert!(identifier(&"x".repeat(900)).len() <= 49);
    }
}
