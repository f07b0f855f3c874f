//! What a new configuration changes, in words.

use std::collections::BTreeMap;

use crate::config::{BusSettings, Connection, DeviceSettings, Settings};
use crate::model::Words;

/// Most names in one sentence.
const NAMED: usize = 5;

/// What changes between two configurations; never empty.
pub(super) fn between(old: &Settings, new: &Settings) -> Vec<Words> {
    let mut list = Vec::new();
    let buses = |settings: &Settings| {
        settings.buses.iter().map(|bus| (bus.config.id.to_string(), bus.clone())).collect()
    };
    let same_bus = |a: &BusSettings, b: &BusSettings| a.config == b.config;
    differ(("buses", "总线"), &buses(old), &buses(new), same_bus, &mut list);
    let devices = |settings: &Settings| {
        let row = |device: &DeviceSettings| (device.id.to_string(), device.clone());
        settings.devices.iter().map(row).collect()
    };
    let same = |a: &DeviceSettings, b: &DeviceSettings| same_device((old, a), (new, b));
    differ(("devices", "设备"), &devices(old), &devices(new), same, &mut list);
    let sections = [
        ("gateway", old.name != new.name || old.estate_kind != new.estate_kind),
        ("clock", old.clock != new.clock),
        ("mqtt", old.mqtt != new.mqtt),
        ("buffer", old.buffer != new.buffer),
        ("history", old.history != new.history),
        ("uplink", old.uplink != new.uplink),
        ("commands", old.commands != new.commands),
        ("status", old.status != new.status),
        ("stars", old.starlevel != new.starlevel),
        ("alarms", old.alarms != new.alarms),
        ("broadcast", old.broadcast != new.broadcast),
        ("log", old.log != new.log),
    ];
    for (section, changed) in sections {
        if changed {
            list.push((format!("[{section}]"), format!("[{section}]")).into());
        }
    }
    if list.is_empty() {
        let en = "nothing in it; the files that it names were read again";
        list.push((en, "配置内容未变；已重新读取其引用的文件").into());
    }
    list
}

/// Names what was added, removed and changed.
fn differ<T>(
    (en, zh): (&str, &str),
    old: &BTreeMap<String, T>,
    new: &BTreeMap<String, T>,
    same: impl Fn(&T, &T) -> bool,
    list: &mut Vec<Words>,
) {
    let added = new.keys().filter(|id| !old.contains_key(*id)).collect();
    let removed = old.keys().filter(|id| !new.contains_key(*id)).collect();
    let changed = new.iter().filter(|(id, now)| old.get(*id).is_some_and(|was| !same(was, now)));
    let changed = changed.map(|(id, _)| id).collect();
    for (word, word_zh, ids) in
        [("added", "新增", added), ("removed", "移除", removed), ("changed", "更改", changed)]
    {
        let ids: Vec<&String> = ids;
        if ids.is_empty() {
            continue;
        }
        let names: Vec<&str> = ids.iter().take(NAMED).map(|id| id.as_str()).collect();
        let names = names.join(", ");
        let (more, more_zh) = match ids.len().saturating_sub(NAMED) {
            0 => (String::new(), String::new()),
            more => (format!(" and {more} more"), format!(" 等，另有 {more} 个")),
        };
        list.push(
            (format!("{en} {word}: {names}{more}"), format!("{word_zh}{zh}：{names}{more_zh}"))
                .into(),
        );
    }
}

/// Whether a device is the same in both; where it stands in the file says nothing.
fn same_device(old: (&Settings, &DeviceSettings), new: (&Settings, &DeviceSettings)) -> bool {
    let (a, b) = (old.1, new.1);
    let words = |d: &DeviceSettings| {
        (d.name.clone(), d.place.clone(), d.owner.clone(), d.maintainer.clone())
    };
    words(a) == words(b)
        && a.profile == b.profile
        && a.params == b.params
        && a.commands == b.commands
        && a.key_file == b.key_file
        && a.safe_after == b.safe_after
        && a.period == b.period
        && a.points == b.points
        && same_alarms(a, b)
        && same_connection((old.0, &a.connection), (new.0, &b.connection))
}

/// Whether two devices change the same rules; where that stands says nothing.
fn same_alarms(a: &DeviceSettings, b: &DeviceSettings) -> bool {
    let own = |device: &DeviceSettings| -> Vec<_> {
        device.alarms.iter().map(|one| (one.rule.clone(), one.change.clone())).collect()
    };
    own(a) == own(b)
}

/// Buses by their name: their place in the file may change.
fn same_connection(old: (&Settings, &Connection), new: (&Settings, &Connection)) -> bool {
    let name = |settings: &Settings, connection: &Connection| match connection {
        Connection::Bus { bus, .. } => settings.buses.get(*bus).map(|bus| bus.config.id.clone()),
        Connection::Mqtt { .. } => None,
    };
    let mut moved = new.1.clone();
    if let (Connection::Bus { bus: to, .. }, Connection::Bus { bus: from, .. }) =
        (&mut moved, old.1)
    {
        *to = *from;
    }
    name(old.0, old.1) == name(new.0, new.1) && *old.1 == moved
}

#[cfg(test)]
#[path = "changes_tests.rs"]
mod tests;
