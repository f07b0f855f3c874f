//! `[broadcast]`: its files, and whether its zones and drills fit the devices and the texts.

use std::fs;
use std::sync::Arc;

use super::DeviceSettings;
use super::machine::Files;
use super::read::Context;
use crate::broadcast::{Config, Key, Texts};
use crate::model::Category;
use crate::settings::{Fault, Place, Section, meant_value, nearest};

/// Longest file that is read, bytes.
const MOST_BYTES: u64 = 64 << 10;

/// Reads the section, and where it stands, if it does. Files that must be readable are listed in
/// `files`.
pub(super) fn read(root: &mut Section<'_>, files: &mut Files) -> (Config, Option<Place>) {
    let Some(mut section) = root.section("broadcast") else { return (Config::default(), None) };
    let at = Some(section.head());
    let config = Config::read(&mut section);
    let texts = config.texts_file.clone().map(|path| (path, section.place("texts")));
    let keys = config.key_files.iter().map(|key| (key.file.clone(), section.place("key")));
    files.readable.extend(texts.into_iter().chain(keys));
    (config, at)
}

fn text_of(path: &std::path::Path) -> Option<Result<String, String>> {
    // The check of the paths names the key and the file of one that is not there.
    let size = fs::metadata(path).ok()?.len();
    if size > MOST_BYTES {
        return Some(Err(format!("{size} bytes, allowed are {MOST_BYTES}")));
    }
    Some(fs::read_to_string(path).map_err(|error| error.to_string()))
}

/// Reads keys and texts; what is wrong with them is noted.
pub(super) fn read_files(config: &mut Config, context: &mut Context<'_>) {
    let wrong = |path: &std::path::Path, why: String| {
        let place = Place::of_file(&path.display().to_string());
        Fault::new(place, (why.clone(), format!("内容有误：{why}")))
    };
    for file in &config.key_files {
        let read = match text_of(&file.file) {
            None => continue,
            Some(text) => text.and_then(|text| Key::read(&file.name, &text)),
        };
        match read {
            Ok(key) => config.keys.push(key),
            Err(why) => context.faults.push(wrong(&file.file, why)),
        }
    }
    let Some(path) = &config.texts_file else { return };
    match text_of(path).map(|text| text.and_then(|text| Texts::read(&text))) {
        None => {}
        Some(Ok(texts)) => config.texts = Arc::new(texts),
        Some(Err(why)) => context.faults.push(wrong(path, why)),
    }
}

/// Whether zones and drills fit.
pub(super) fn check(
    config: &Config,
    at: Option<&Place>,
    devices: &[DeviceSettings],
    context: &mut Context<'_>,
) {
    // What nobody wrote is right.
    let Some(at) = at else { return };
    let names = || devices.iter().map(|device| device.id.as_str());
    let mut fault = |problem: (String, String), allowed: String, near: Option<&str>| {
        let fault = Fault::new(at.clone(), problem).allowed(allowed);
        context.faults.push(fault.maybe_hint(near.map(meant_value)));
    };
    for zone in &config.zones {
        for id in zone.devices.iter().filter(|id| !names().any(|name| name == id.as_str())) {
            let problem = (
                format!("zone `{}` names `{id}`, which is no device", zone.name),
                format!("区域 `{}` 中的 `{id}` 不是已配置的设备", zone.name),
            );
            let near = nearest(id.as_str(), names());
            fault(problem, "devices of this configuration".to_owned(), near);
        }
    }
    let zones = || config.zones.iter().map(|zone| zone.name.as_str());
    let templates = || config.texts.templates().iter().map(|template| template.name.as_str());
    for drill in &config.drills {
        if config.texts.template(&drill.template).is_none() {
            let problem = (
                format!("drill `{}` plays `{}`, which is no template", drill.name, drill.template),
                format!("演练 `{}` 所用模板 `{}` 不存在", drill.name, drill.template),
            );
            let all = templates().collect::<Vec<_>>().join(", ");
            fault(problem, all, nearest(&drill.template, templates()));
        }
        let known = |zone: &str| zones().any(|name| name == zone);
        for zone in drill.zones.iter().filter(|zone| !known(zone)) {
            let problem = (
                format!("drill `{}` names `{zone}`, which is no zone", drill.name),
                format!("演练 `{}` 中的区域 `{zone}` 不存在", drill.name),
            );
            let all = zones().collect::<Vec<_>>().join(", ");
            fault(problem, all, nearest(zone, zones()));
        }
    }
    for (what, zh, names) in [
        ("zone", "区域", zones().map(str::to_owned).collect::<Vec<_>>()),
        ("drill", "演练", config.drills.iter().map(|drill| drill.name.clone()).collect()),
    ] {
        let mut names = names;
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            let problem = (
                format!("two of `{what}` are called `{}`", twice[0]),
                format!("有两个{zh}同名：`{}`", twice[0]),
            );
            fault(problem, "a name of its own each".to_owned(), None);
        }
    }
    if config.require_signature && config.key_files.is_empty() {
        let problem = ("signatures are required, and no key is given", "要求签名，却未配置密钥");
        fault((problem.0.to_owned(), problem.1.to_owned()), "[[broadcast.key]]".to_owned(), None);
    }
    mute(devices, context);
}

/// What a device must be allowed to do so that a warning reaches it; `None` when none ever does.
fn needed(device: &DeviceSettings) -> Option<&'static str> {
    let needed = match device.profile.category {
        Category::EmergencyBroadcast => "play",
        Category::InfoScreen => "text",
        _ => return None,
    };
    let known = device.profile.commands.iter().any(|command| *command.name == *needed);
    known.then_some(needed)
}

/// Whether warnings reach a device.
pub(super) fn hears(device: &DeviceSettings) -> bool {
    needed(device).is_some_and(|needed| device.commands.iter().any(|allowed| **allowed == *needed))
}

/// Terminals and screens that nobody may order are worth a remark.
fn mute(devices: &[DeviceSettings], context: &mut Context<'_>) {
    for device in devices.iter().filter(|device| !hears(device)) {
        let Some(needed) = needed(device) else { continue };
        let problem = (
            format!("no warning reaches it: `{needed}` is not in its `allow`"),
            format!("预警无法送达：其 `allow` 未包含 `{needed}`"),
        );
        context.notes.push(Fault::new(device.at.clone(), problem));
    }
}
