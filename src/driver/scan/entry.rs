//! What was found, as entries of the configuration that `linli check` accepts.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::event::FoundDevice;
use crate::model::DeviceId;

/// Gives devices identifiers that nobody has yet.
#[derive(Debug, Clone, Default)]
pub struct Names(BTreeSet<String>);

impl Names {
    /// These are taken.
    pub fn new(taken: impl IntoIterator<Item = String>) -> Self {
        Self(taken.into_iter().collect())
    }

    /// `wanted`, with a number behind it when it is taken.
    pub fn give(&mut self, wanted: &str) -> String {
        let wanted: String = wanted
            .to_lowercase()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' })
            .take(56)
            .collect();
        let wanted = if DeviceId::new(&wanted).is_ok() { wanted } else { format!("d{wanted}") };
        let numbered = (2u32..).map(|n| format!("{wanted}-{n}"));
        let free = std::iter::once(wanted.clone()).chain(numbered).find(|id| !self.0.contains(id));
        let id = free.expect("numbers do not end");
        self.0.insert(id.clone());
        id
    }
}

/// A text of TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The entry of a device on the bus. Where no model fits, the entry is a comment: somebody must
/// say what it is.
pub fn entry(device: &FoundDevice, bus: &str, names: &mut Names) -> String {
    let place = device.place();
    let mut text = String::new();
    // A comment ends with its line, whatever a profile has for a title.
    let mut told = |line: &str| {
        let line = line.replace(char::is_control, " ");
        writeln!(text, "{line}").expect("a text takes all");
    };
    told(&format!("# {place}, {}", device.protocol));
    for (rank, candidate) in device.candidates.iter().enumerate() {
        let lead = match (rank, candidate.certain) {
            (0, true) => "certain 确定",
            (0, false) => "likely 可能",
            _ => "or 或",
        };
        told(&format!(
            "# {lead}: {} ({} %) {} {}; {} {}",
            candidate.profile,
            (candidate.confidence * 100.0).round(),
            candidate.title.zh,
            candidate.title.en,
            candidate.why.zh,
            candidate.why.en,
        ));
    }
    if device.every_unit {
        told("# answers at every unit id 对任何站号都应答");
    }
    let best = device.candidates.first();
    let mark = if best.is_some() { "" } else { "# " };
    if best.is_none() {
        told("# no known model fits: choose one of `linli profiles`, or write one");
        told("# 没有相符的型号：请从 `linli profiles` 中选择，或自行编写");
    }
    let wanted = match (&device.unit, &device.address) {
        (_, Some(address)) => format!("meter-{address}"),
        (Some(unit), None) => format!("{bus}-unit-{unit}"),
        (None, None) => format!("{bus}-device"),
    };
    // A comment takes no name away.
    let id = if best.is_some() { names.give(&wanted) } else { wanted };
    told(&format!("{mark}[[device]]"));
    told(&format!("{mark}id = {}", quoted(&id)));
    let profile = best.map_or("?", |best| best.profile.as_str());
    told(&format!("{mark}profile = {}", quoted(profile)));
    told(&format!("{mark}bus = {}", quoted(bus)));
    if let Some(unit) = device.unit {
        // The configuration knows no unit 0; who answers at every id is asked at the first.
        told(&format!("{mark}unit = {}", unit.max(1)));
    }
    if let Some(address) = &device.address {
        told(&format!("{mark}address = {}", quoted(address)));
    }
    if let (Some(baud), Some(frame)) = (device.baud, &device.frame) {
        told(&format!("{mark}baud = {baud}"));
        told(&format!("{mark}frame = {}", quoted(frame)));
    }
    text
}
