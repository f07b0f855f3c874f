//! Reads `[[device]]` and checks it against its profile and its bus.

use std::sync::Arc;
use std::time::Duration;

use super::broker;
use super::claims::Claim;
use super::model::allowed;
use super::read::Context;
use super::wired::{Wire, on_bus};
use super::{BusSettings, Connection, DeviceSettings};
use crate::alarm;
use crate::command::safe_range;
use crate::model::{DeviceId, Point};
use crate::profile::{Binding, MqttModel, Profile};
use crate::settings::{Fault, Section, Wrong, meant_key, meant_value, nearest, write_it};

/// How often a bus device is read when the file does not say.
const PERIOD: Duration = Duration::from_secs(30);

/// What others call our keys.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("unit_id", "unit"),
    ("slave", "unit"),
    ("slave_id", "unit"),
    ("meter_address", "address"),
    ("baudrate", "baud"),
    ("parity", "frame"),
    ("interval", "period"),
    ("poll_interval", "period"),
    ("every", "period"),
    ("model", "profile"),
    ("type", "profile"),
    ("template", "profile"),
    ("location", "place"),
    ("maintenance", "maintainer"),
    ("maintained_by", "maintainer"),
    ("responsible", "owner"),
    ("base", "topic"),
    ("base_topic", "topic"),
    ("parameters", "params"),
    ("line", "bus"),
];

/// What the devices refer to.
pub(super) struct Buses<'b> {
    pub buses: &'b [BusSettings],
    /// Names of all buses, also of those whose own section is faulty.
    pub names: &'b [String],
    /// The field broker's, when there is one.
    pub silent_after: Option<Duration>,
    /// Whom the estate's devices belong to when theirs does not say.
    pub owner: &'b str,
    /// Who maintains them, likewise.
    pub maintainer: &'b str,
}

/// Reads every `[[device]]` of one file.
pub(super) fn read_devices(
    root: &mut Section<'_>,
    buses: &Buses<'_>,
    context: &mut Context<'_>,
) -> Vec<DeviceSettings> {
    let sections = root.sections("device");
    sections.into_iter().filter_map(|mut section| read(&mut section, buses, context)).collect()
}

fn read(
    section: &mut Section<'_>,
    buses: &Buses<'_>,
    context: &mut Context<'_>,
) -> Option<DeviceSettings> {
    section.other_names(OTHER_NAMES);
    section.require("id", "a name, e.g. \"b1-u1-meter\"");
    section.require("profile", "a model, see `linli profiles`");
    let id = section.parsed("id", "lower-case letters, digits, `.`, `_` and `-`", |text| {
        DeviceId::new(text).map_err(|_| Wrong::no_identifier())
    });
    if let Some(id) = &id {
        context.claim(Claim::Device(id.to_string()), section.place("id"));
    }
    let name = section.text_or("name", "");
    let place = section.text_or("place", "");
    let owner = or_of_all(section.text_or("owner", ""), buses.owner);
    let maintainer = or_of_all(section.text_or("maintainer", ""), buses.maintainer);
    let profile = read_profile(section, context);
    let range = Duration::from_millis(100)..=Duration::from_secs(7 * 86_400);
    let is_mqtt = profile.as_ref().is_some_and(|p| matches!(p.binding, Binding::Mqtt(_)));
    // How often a device that publishes is expected depends on its profile.
    let period = if is_mqtt {
        section.duration("period", range)
    } else {
        Some(section.duration_or("period", range, PERIOD))
    };
    let bus = section.text("bus").filter(|name| known_bus(section, name, buses));
    let wire = Wire::read(section, bus);
    let allow = section.words("allow");
    let key_file = broker::file(section, "key_file", &mut context.keys);
    let safe_after = section.duration("safe_after", safe_range());
    let topic = section.parsed("topic", "a topic without wildcards", base_topic);
    let numbers = section.numbers("params");
    let sizes = section.numbers("groups");
    let overrides = read_overrides(section);
    let alarms = alarm::read_changes(section, "alarms");
    let profile = match context.profiles {
        Some(profiles) => context.models.of(section, profile?, profiles, &sizes),
        None => return None,
    };
    let allowed = allowed(section, &allow, &profile);
    let (connection, period) = match &profile.binding {
        Binding::Modbus { .. } | Binding::Dlt645(_) | Binding::Cjt188(_) => {
            without(section, &["topic"], ("is read over a bus", "经总线读取"));
            let wire = (wire, allowed.acts);
            (on_bus(section, wire, &profile, buses, context), period.unwrap_or(PERIOD))
        }
        Binding::Mqtt(model) => {
            without(
                section,
                &["bus", "unit", "address", "baud", "frame"],
                ("publishes by MQTT", "经 MQTT 上报"),
            );
            (at_broker(section, topic, &profile, buses, context), expected(model, period, buses))
        }
    };
    let params = resolve_params(section, &profile, &numbers);
    let points = resolve_points(section, &profile, overrides);
    Some(DeviceSettings {
        id: id?,
        name,
        place,
        owner,
        maintainer,
        profile,
        connection: connection?,
        params,
        commands: allowed.commands,
        key_file,
        safe_after,
        period,
        alarms,
        points,
        at: section.head(),
    })
}

/// A device's own word, or the estate's.
fn or_of_all(own: String, all: &str) -> String {
    if own.trim().is_empty() { all.to_owned() } else { own }
}

fn read_profile(section: &mut Section<'_>, context: &Context<'_>) -> Option<Arc<Profile>> {
    let wanted = section.text("profile")?;
    // When the profiles themselves are faulty, that was said already.
    let profiles = context.profiles?;
    let found = profiles.find(&wanted);
    if let (None, Some(renamed)) = (&found, section.renamed_value("profile", &wanted)) {
        section.note(renamed);
    } else if found.is_none() {
        let near = nearest(&wanted, profiles.names());
        section.note(
            Fault::new(section.place("profile"), ("there is no such profile", "没有这个设备模型"))
                .allowed("one of `linli profiles`, or of a folder named in gateway.profiles")
                .maybe_hint(near.map(meant_value)),
        );
    }
    found
}

fn known_bus(section: &Section<'_>, name: &String, buses: &Buses<'_>) -> bool {
    let known = buses.names.contains(name);
    if !known {
        let near = nearest(name, buses.names.iter().map(String::as_str));
        section.note(
            Fault::new(section.place("bus"), ("there is no such bus", "没有这条总线"))
                .allowed(buses.names.join(", "))
                .maybe_hint(near.map(meant_value)),
        );
    }
    known
}

/// Keys that make no sense for this kind of model.
fn without(section: &Section<'_>, keys: &[&str], (en, zh): (&str, &str)) {
    for key in keys.iter().filter(|key| section.has(key)) {
        let problem = (
            format!("the profile {en} and has no `{key}`"),
            format!("该设备模型{zh}，没有 `{key}`"),
        );
        section.note(Fault::new(section.place(key), problem).hint(("remove it", "请删除")));
    }
}

fn at_broker(
    section: &mut Section<'_>,
    topic: Option<String>,
    profile: &Profile,
    buses: &Buses<'_>,
    context: &mut Context<'_>,
) -> Option<Connection> {
    section.require("topic", "the device's base topic: the profile publishes by MQTT");
    if buses.silent_after.is_none() {
        section.note(
            Fault::new(
                section.place("profile"),
                (
                    "the model publishes by MQTT, and there is no field broker",
                    "该设备经 MQTT 上报，而现场消息代理尚未配置",
                ),
            )
            .hint(("add the section [mqtt]", "请加上 [mqtt] 节")),
        );
    }
    let base = topic?;
    context.claim(Claim::Topic(profile.id.clone(), base.clone()), section.place("topic"));
    Some(Connection::Mqtt { base })
}

fn expected(model: &MqttModel, period: Option<Duration>, buses: &Buses<'_>) -> Duration {
    period.or(model.silent_after).or(buses.silent_after).unwrap_or(PERIOD)
}

fn base_topic(text: &str) -> Result<String, Wrong> {
    if text.is_empty() || text.chars().any(|c| matches!(c, '+' | '#' | '\0')) {
        return Err(Wrong::new(("is not a topic", "不是合法的主题")));
    }
    if text.starts_with('/') || text.ends_with('/') {
        let trimmed = text.trim_matches('/');
        return Err(Wrong::hinted(
            ("begins or ends with `/`", "以 `/` 开头或结尾"),
            write_it(trimmed),
        ));
    }
    Ok(text.to_owned())
}

fn no_such(profile: &Profile, en: &str, zh: &str) -> (String, String) {
    (format!("{} has no such {en}", profile.id), format!("{} 没有这个{zh}", profile.id))
}

fn resolve_params(
    section: &Section<'_>,
    profile: &Profile,
    numbers: &[(String, f64, crate::settings::Place)],
) -> Vec<f64> {
    let names = || profile.params.iter().map(|param| param.name.as_str());
    for (name, _, place) in numbers {
        if !names().any(|known| known == name) {
            let allowed: Vec<&str> = names().collect();
            let allowed =
                if allowed.is_empty() { "no parameter".into() } else { allowed.join(", ") };
            let near = nearest(name, names());
            section.note(
                Fault::new(place.clone(), no_such(profile, "parameter", "参数"))
                    .allowed(allowed)
                    .maybe_hint(near.map(meant_key)),
            );
        }
    }
    let value = |param: &crate::profile::Param| {
        let Some((_, number, place)) = numbers.iter().find(|(name, ..)| *name == param.name) else {
            return param.default;
        };
        let (low, high) = param.range;
        if !(low..=high).contains(number) {
            section.note(
                Fault::new(
                    place.clone(),
                    ("is out of range", format!("超出范围：应在 {low} 至 {high} 之间")),
                )
                .allowed(format!("a number from {low} to {high}: {}", param.about)),
            );
        }
        *number
    };
    profile.params.iter().map(value).collect()
}

/// What `[device.report.<point>]` changes.
struct Override {
    point: String,
    dead_band: Option<f64>,
    at_least_every: Option<Duration>,
    at: crate::settings::Place,
}

fn read_overrides(section: &mut Section<'_>) -> Vec<Override> {
    let range = Duration::from_secs(1)..=Duration::from_secs(7 * 86_400);
    let read = |(point, mut inner): (String, Section<'_>)| Override {
        point,
        dead_band: inner.float("dead_band", 0.0..=1e12),
        at_least_every: inner.duration("at_least_every", range.clone()),
        at: inner.head(),
    };
    section.named_sections("report").into_iter().map(read).collect()
}

/// The profile's own list when nothing is changed, so that equal devices share it.
fn resolve_points(
    section: &Section<'_>,
    profile: &Profile,
    overrides: Vec<Override>,
) -> Arc<[Point]> {
    if overrides.is_empty() {
        return profile.points.clone();
    }
    let mut points = profile.points.to_vec();
    for change in overrides {
        let Some(point) = points.iter_mut().find(|point| *point.name == *change.point) else {
            let near = nearest(&change.point, profile.points.iter().map(|point| &*point.name));
            section.note(
                Fault::new(change.at, no_such(profile, "point", "测点"))
                    .maybe_hint(near.map(meant_key)),
            );
            continue;
        };
        point.report.dead_band = change.dead_band.unwrap_or(point.report.dead_band);
        point.report.at_least_every = change.at_least_every.unwrap_or(point.report.at_least_every);
    }
    points.into()
}
