//! What the terminal and the files get: progress, devices as they are found, entries at the end.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use anyhow::Context as _;

use super::super::{complain, say};
use super::line::Bus;
use super::mqtt;
use crate::config::Settings;
use crate::driver::Transport;
use crate::driver::scan::{FoundDevice, Names, ScanEvent, Text, entry};

/// Width of the bar, characters.
const BAR: u64 = 12;
/// Columns of a line that is drawn over: the usual terminal, less one.
const COLUMNS: usize = 79;
/// Back to the begin of the line, and clear it.
const CLEAR: &str = "\r\x1b[K";

/// What was found so far.
pub(super) struct Report {
    json: bool,
    terminal: bool,
    found: Vec<FoundDevice>,
    bus: Option<Bus>,
    /// Devices announce themselves, they are not asked.
    announced: bool,
    /// Profiles made from announcements that are saved already.
    saved: BTreeSet<String>,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        let terminal = !json && std::io::stderr().is_terminal();
        Self {
            json,
            terminal,
            found: Vec::new(),
            bus: None,
            announced: false,
            saved: BTreeSet::new(),
        }
    }

    /// A report of devices that announce themselves.
    pub(super) fn of_announced(json: bool) -> Self {
        Self { announced: true, ..Self::new(json) }
    }

    /// Something happened.
    pub(super) fn take(&mut self, event: ScanEvent) {
        if self.json {
            match serde_json::to_string(&event) {
                Ok(line) => say(&line),
                Err(error) => complain(&error.to_string()),
            }
        }
        match event {
            ScanEvent::Progress { done, expected, left_s, now } => {
                self.draw(&bar(done, expected, left_s, &now));
            }
            ScanEvent::Found(device) => {
                self.tell(&told(&device));
                self.found.push(device);
            }
            ScanEvent::Remark(remark) => {
                self.tell(&format!("! {}\n  {}", remark.text.zh, remark.text.en));
            }
            ScanEvent::Done { .. } | ScanEvent::Failed { .. } => self.draw(""),
        }
    }

    /// The user ended it.
    pub(super) fn interrupted(&mut self) {
        self.tell("stopped; what was found so far: / 已中止；目前发现：");
    }

    /// The bus of all devices that were found.
    pub(super) fn on_bus(&mut self, bus: Bus) {
        self.bus = Some(bus);
    }

    /// The profile made from an announcement is saved.
    pub(super) fn saved(&mut self, id: &str) {
        self.saved.insert(id.to_owned());
    }

    pub(super) fn tell(&self, line: &str) {
        if !self.json {
            self.draw("");
            complain(line);
        }
    }

    /// Draws one line over the last one.
    fn draw(&self, line: &str) {
        if self.terminal {
            let mut out = std::io::stderr().lock();
            if out
                .write_all(format!("{CLEAR}{line}").as_bytes())
                .and_then(|()| out.flush())
                .is_err()
            {
                tracing::debug!("the terminal is gone");
            }
        }
    }

    /// The entries of what was found on a line.
    pub(super) fn into_entries(self, settings: &Settings) -> String {
        self.draw("");
        let text = entries(&self.found, self.bus.as_ref(), Some(settings));
        let found = self.found.len();
        self.tell(&format!("{found} devices answered / {found} 台设备应答"));
        text
    }

    /// Prints or writes the entries; how many devices were found.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn finish(
        self,
        settings: Option<&Settings>,
        write: Option<&Path>,
    ) -> anyhow::Result<usize> {
        self.draw("");
        let found = self.found.len();
        let text = match self.announced {
            true => mqtt::entries(&self.found, settings, &self.saved),
            false => entries(&self.found, self.bus.as_ref(), settings),
        };
        let new = self.found.iter().filter(|device| device.known.is_none()).count();
        if let Some(path) = write {
            // The file of the last scan need not be part of the configuration yet.
            let before = std::fs::read_to_string(path).unwrap_or_default();
            if !text.is_empty() && before.contains(text.trim_end()) {
                self.tell(&format!(
                    "{} has these entries already / 已有这些条目，未重复追加",
                    path.display()
                ));
            } else if !text.is_empty() {
                append(path, &text)?;
                self.tell(&format!(
                    "{new} entries appended to {} / 已追加 {new} 条配置；check them with `linli check`",
                    path.display()
                ));
            }
        } else if !self.json && !text.is_empty() {
            say(text.trim_end());
        }
        if !self.json {
            mqtt::unsaved(&self.found, &self.saved).iter().for_each(|profile| say(profile));
        }
        let (en, zh) =
            if self.announced { ("announced", "公告") } else { ("answered", "应答") };
        self.tell(&format!(
            "{found} devices {en}, {new} of them new / {found} 台设备{zh}，其中 {new} 台为新设备"
        ));
        Ok(found)
    }
}

fn append(path: &Path, text: &str) -> anyhow::Result<()> {
    let cannot = || format!("{} cannot be written / 无法写入", path.display());
    let mut file = OpenOptions::new().create(true).append(true).open(path).with_context(cannot)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(cannot)
}

fn bar(done: u64, expected: u64, left_s: u64, now: &Text) -> String {
    let expected = expected.max(done).max(1);
    let full = done * BAR / expected;
    let cells: String = (0..BAR).map(|cell| if cell < full { '█' } else { '░' }).collect();
    let (minutes, seconds) = (left_s / 60, left_s % 60);
    let now = both(&now.en, &now.zh);
    let percent = done * 100 / expected;
    let line = format!("{cells} {percent:>3} %  还剩 {minutes}:{seconds:02} left  {now}");
    fitting(&line, COLUMNS)
}

/// Both languages; what they begin with in common stands once.
fn both(en: &str, zh: &str) -> String {
    let same = en.chars().zip(zh.chars()).take_while(|(en, zh)| en == zh).count();
    let rest = |text: &str| text.chars().skip(same).collect::<String>();
    match (rest(en).as_str(), rest(zh).as_str()) {
        ("", "") => en.to_owned(),
        (en_rest, zh_rest) => {
            let head: String = en.chars().take(same).collect();
            format!("{head}{zh_rest} {en_rest}")
        }
    }
}

/// As much of the text as fits: a line that wraps is not drawn over.
fn fitting(text: &str, columns: usize) -> String {
    let mut used = 0;
    let fits = |c: &char| {
        // Chinese characters and their punctuation take two columns.
        used += if ('\u{2E80}'..='\u{FFEF}').contains(c) { 2 } else { 1 };
        used <= columns
    };
    text.chars().take_while(fits).collect()
}

/// A device as it is found, for people.
fn told(device: &FoundDevice) -> String {
    let mut line = format!("+ {} {}", device.place(), device.protocol);
    if let Some(id) = &device.known {
        line += &format!(": `{id}` of the configuration / 已在配置中");
    } else if let Some(told) = device.mqtt.as_ref().and_then(|own| mqtt::told(own)) {
        line += &told;
    } else if let Some(best) = device.candidates.first() {
        let sure = if best.certain { "certain 确定" } else { "likely 可能" };
        line += &format!(
            ": {sure} {} {} {} ({:.0} %)",
            best.profile,
            best.title.zh,
            best.title.en,
            best.confidence * 100.0
        );
        let others: Vec<&str> =
            device.candidates[1..].iter().map(|one| one.profile.as_str()).collect();
        if !others.is_empty() {
            line += &format!("; or 或 {}", others.join(", "));
        }
    } else {
        line += ": no known model fits / 没有相符的型号";
    }
    line
}

/// Entries of the devices that are not configured, after those of buses that are not.
pub(super) fn entries(
    found: &[FoundDevice],
    bus: Option<&Bus>,
    settings: Option<&Settings>,
) -> String {
    let devices = settings.map_or(&[][..], |settings| &settings.devices);
    let buses = settings.map_or(&[][..], |settings| &settings.buses);
    let mut names = Names::new(devices.iter().map(|device| device.id.to_string()));
    let mut bus_names = Names::new(buses.iter().map(|bus| bus.config.id.to_string()));
    // Endpoints of a network are buses of their own.
    let mut named: Vec<(Transport, String)> =
        buses.iter().map(|bus| (bus.config.transport.clone(), bus.config.id.to_string())).collect();
    let mut text = String::new();
    for device in found.iter().filter(|device| device.known.is_none()) {
        let transport = match (&device.endpoint, bus) {
            (Some(address), _) => Transport::Tcp { address: address.clone() },
            (None, Some(bus)) => bus.transport.clone(),
            (None, None) => continue,
        };
        let known = named.iter().find(|(other, _)| *other == transport);
        let name = match known {
            Some((_, name)) => name.clone(),
            None => {
                let name = bus_names.give(&bus_name(&transport));
                text += &bus_entry(&transport, &name);
                named.push((transport, name.clone()));
                name
            }
        };
        text += &entry(device, &name, &mut names);
        text.push('\n');
    }
    text
}

fn bus_name(transport: &Transport) -> String {
    match transport {
        Transport::Serial { .. } => "line-1".to_owned(),
        Transport::Tcp { address } => format!("tcp-{address}").replace(['.', ':'], "-"),
        Transport::RtuOverTcp { address } => format!("rtu-{address}").replace(['.', ':'], "-"),
    }
}

fn bus_entry(transport: &Transport, name: &str) -> String {
    let (key, value) = match transport {
        Transport::Serial { path } => ("serial", path),
        Transport::Tcp { address } => ("tcp", address),
        Transport::RtuOverTcp { address } => ("rtu_over_tcp", address),
    };
    let quoted = toml::Value::String(value.clone());
    format!("[[bus]]\nid = \"{name}\"\n{key} = {quoted}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_the_progress_fits_the_terminal_and_tells_the_time_left() {
        let now = Text::from(("9600 8N1 Modbus #12 model?", "9600 8N1 Modbus #12 型号？"));
        let line = bar(30, 60, 754, &now);
        assert_eq!(line, "██████░░░░░░  50 %  还剩 12:34 left  9600 8N1 Modbus #12 型号？ model?");
        let text = "115200 8N1 CJ/T 188 AAAAAAAAAAAAAA";
        let long = Text::from((format!("{text} model?"), format!("{text} 型号？")));
        let line = bar(3000, 3000, 3599, &long);
        let columns: usize = line.chars().map(|c| if c > '\u{2E80}' { 2 } else { 1 }).sum();
        assert!(columns <= 79, "{columns}: {line}");
    }
}
