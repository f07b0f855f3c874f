//! The serial lines that were chosen, as buses, with the devices that answer on them.

use std::path::Path;

use super::dialogue::Dialogue;
use super::parsed;
use crate::cli::runtime;
use crate::cli::scan;
use crate::config::Settings;
use crate::driver::Transport;
use crate::driver::scan::{Names, ScanOptions};
use crate::setup::{Draft, Lines, NONE};

/// Adds a bus for each line that has none, and what answers there. The inner fault is one of the
/// configuration so far.
///
/// # Errors
/// A line cannot be used.
pub(super) fn add(
    draft: &mut Draft,
    path: &Path,
    lines: &Lines,
    dialogue: &Dialogue,
) -> anyhow::Result<Result<(), String>> {
    let options = ScanOptions {
        baud: lines.baud.clone(),
        frame: lines.frame.clone(),
        units: lines.units.clone(),
        protocol: lines.protocol.clone(),
        patience_ms: None,
    };
    for serial in lines.serial.iter().filter(|serial| *serial != NONE) {
        let mut settings = match parsed(path, &draft.text()) {
            Ok(settings) => settings,
            Err(faults) => return Ok(Err(faults)),
        };
        let transport = Transport::Serial { path: serial.clone() };
        if bus_of(&settings, &transport).is_none() {
            draft.add(&entry(&settings, serial));
            settings = match parsed(path, &draft.text()) {
                Ok(settings) => settings,
                Err(faults) => return Ok(Err(faults)),
            };
        }
        if lines.scan == Some(false) {
            continue;
        }
        dialogue.tell((
            format!("scanning {serial}; Ctrl-C gives up, nothing is written yet"),
            format!("正在扫描 {serial}；按 Ctrl-C 放弃，此时尚未写入任何内容"),
        ));
        let found = runtime()?.block_on(scan::propose(transport, &settings, &options));
        match found {
            Ok(entries) => draft.add(&entries),
            Err(why) => anyhow::bail!("{why}"),
        }
    }
    Ok(parsed(path, &draft.text()).map(drop))
}

fn bus_of(settings: &Settings, transport: &Transport) -> Option<usize> {
    settings.buses.iter().position(|bus| bus.config.transport == *transport)
}

fn entry(settings: &Settings, serial: &str) -> String {
    let taken = settings.buses.iter().map(|bus| bus.config.id.to_string());
    // `line-1`, then `line-2`: a number of its own in place of one behind the name.
    let taken: Vec<String> = taken.collect();
    let numbered = (1..=taken.len() + 1).map(|number| format!("line-{number}"));
    let free = numbered.into_iter().find(|id| !taken.contains(id));
    let id = free.unwrap_or_else(|| Names::new(taken).give("line-1"));
    let serial = toml::Value::String(serial.to_owned());
    format!("[[bus]]\nid = \"{id}\"\nserial = {serial}\n")
}
