//! What a scan tries.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::driver::config::{BAUD, FRAMES};
use crate::driver::{LineSettings, Parity};

const EVEN: (Parity, u8) = (Parity::Even, 1);
const NONE: (Parity, u8) = (Parity::None, 1);

/// Line settings of the field, those that are met most often first: meters of the standards at
/// 2400 8E1, Modbus devices at 9600 8N1, the others by experience.
const USUAL: [(u32, (Parity, u8)); 12] = [
    (2400, EVEN),
    (9600, NONE),
    (9600, EVEN),
    (4800, EVEN),
    (4800, NONE),
    (19_200, NONE),
    (19_200, EVEN),
    (1200, EVEN),
    (2400, NONE),
    (38_400, NONE),
    (115_200, NONE),
    (57_600, NONE),
];
/// What stands for the settings of a line that is tuned elsewhere.
const FIXED: LineSettings = LineSettings { baud: 9600, parity: Parity::Even, stop_bits: 1 };
/// Longest wait for an answer that may be asked for, ms.
const MOST_PATIENCE_MS: u64 = 10_000;
/// Least wait, ms.
const LEAST_PATIENCE_MS: u64 = 10;

/// What kind of line is scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A serial port of this machine: it can be retuned.
    Serial,
    /// A serial line behind a server, which keeps its own settings.
    Fixed,
    /// Modbus TCP.
    Mbap,
}

/// Which protocols are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protocols {
    /// Modbus.
    pub modbus: bool,
    /// DL/T 645, both editions.
    pub dlt645: bool,
    /// CJ/T 188.
    pub cjt188: bool,
}

/// What the user asked for; empty means the usual. Also what the daemon is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ScanOptions {
    /// Baud rates.
    pub baud: Vec<u32>,
    /// `8N1`, `8E1`, …
    pub frame: Vec<String>,
    /// Modbus unit ids: `1-32`, `40`.
    pub units: Vec<String>,
    /// `modbus`, `dlt645`, `cjt188`.
    pub protocol: Vec<String>,
    /// Longest time to an answer, beside the time on the wire, ms.
    pub patience_ms: Option<u64>,
}

/// An option that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{option}: `{value}` is not allowed; allowed are {allowed}")]
pub struct BadOption {
    /// Its name.
    pub option: &'static str,
    /// What was given.
    pub value: String,
    /// What is allowed.
    pub allowed: String,
}

/// A checked plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanPlan {
    /// What kind of line it is.
    pub kind: Kind,
    /// Settings in the order in which they are tried; one that stands for all where the line
    /// cannot be tuned.
    pub lines: Vec<LineSettings>,
    /// Protocols.
    pub protocols: Protocols,
    /// Unit ids in their order.
    pub units: Vec<u8>,
    /// Longest time to an answer; by protocol when `None`.
    pub patience: Option<Duration>,
    /// Devices of the configuration: address as shown to people, identifier.
    pub known: BTreeMap<String, String>,
}

fn bad(option: &'static str, value: impl ToString, allowed: impl Into<String>) -> BadOption {
    BadOption { option, value: value.to_string(), allowed: allowed.into() }
}

impl ScanOptions {
    /// The plan for a line of this kind on which the devices `known` are configured already.
    ///
    /// # Errors
    /// The first option that cannot be.
    pub fn plan(&self, kind: Kind, known: BTreeMap<String, String>) -> Result<ScanPlan, BadOption> {
        let lines = self.lines(kind)?;
        let mut protocols = self.protocols()?;
        if kind == Kind::Mbap {
            if !protocols.modbus {
                let given = self.protocol.join(",");
                return Err(bad("protocol", given, "modbus, over TCP"));
            }
            (protocols.dlt645, protocols.cjt188) = (false, false);
        }
        let range = LEAST_PATIENCE_MS..=MOST_PATIENCE_MS;
        if let Some(given) = self.patience_ms.filter(|given| !range.contains(given)) {
            return Err(bad("patience", format!("{given}ms"), "10ms to 10s"));
        }
        let patience = self.patience_ms.map(Duration::from_millis);
        Ok(ScanPlan { kind, lines, protocols, units: self.units(kind)?, patience, known })
    }

    fn lines(&self, kind: Kind) -> Result<Vec<LineSettings>, BadOption> {
        for baud in &self.baud {
            if !BAUD.contains(baud) {
                let rates: Vec<String> = BAUD.iter().map(u32::to_string).collect();
                return Err(bad("baud", baud, rates.join(", ")));
            }
        }
        let mut frames = Vec::new();
        for word in &self.frame {
            let found = FRAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
            let words: Vec<&str> = FRAMES.iter().map(|(word, _)| *word).collect();
            frames.push(found.ok_or_else(|| bad("frame", word, words.join(", ")))?.1);
        }
        if kind != Kind::Serial {
            if let Some(baud) = self.baud.first() {
                let allowed = "none: only a serial port of this machine can be tuned";
                return Err(bad("baud", baud, allowed));
            }
            if let Some(frame) = self.frame.first() {
                let allowed = "none: only a serial port of this machine can be tuned";
                return Err(bad("frame", frame, allowed));
            }
            return Ok(vec![FIXED]);
        }
        let line = |baud, (parity, stop_bits)| LineSettings { baud, parity, stop_bits };
        let usual = || USUAL.iter().map(|&(baud, frame)| (baud, frame));
        Ok(match (self.baud.as_slice(), frames.as_slice()) {
            ([], []) => usual().map(|(baud, frame)| line(baud, frame)).collect(),
            ([], frames) => {
                let mut bauds: Vec<u32> = usual().map(|(baud, _)| baud).collect();
                let mut seen = Vec::new();
                bauds.retain(|baud| {
                    !seen.contains(baud) && {
                        seen.push(*baud);
                        true
                    }
                });
                frames.iter().flat_map(|&f| bauds.iter().map(move |&b| line(b, f))).collect()
            }
            (bauds, frames) => {
                let frames = if frames.is_empty() { &[NONE, EVEN][..] } else { frames };
                bauds.iter().flat_map(|&b| frames.iter().map(move |&f| line(b, f))).collect()
            }
        })
    }

    fn protocols(&self) -> Result<Protocols, BadOption> {
        let all = self.protocol.is_empty();
        let mut protocols = Protocols { modbus: all, dlt645: all, cjt188: all };
        for word in &self.protocol {
            match word.as_str() {
                "modbus" => protocols.modbus = true,
                "dlt645" => protocols.dlt645 = true,
                "cjt188" => protocols.cjt188 = true,
                other => return Err(bad("protocol", other, "modbus, dlt645, cjt188")),
            }
        }
        Ok(protocols)
    }

    fn units(&self, kind: Kind) -> Result<Vec<u8>, BadOption> {
        if self.units.is_empty() {
            // Most endpoints are one device that answers at 1, 255 or 0, or at every id: asking
            // the far end early tells.
            let early: &[u8] = if kind == Kind::Mbap { &[1, 255, 0, 247, 246] } else { &[] };
            let rest = (1..=247).filter(|unit| !early.contains(unit));
            return Ok(early.iter().copied().chain(rest).collect());
        }
        let mut units = Vec::new();
        for given in &self.units {
            let least = if kind == Kind::Mbap { 0 } else { 1 };
            let allowed = format!("unit ids and ranges of {least} to 255, like 1-32 or 7");
            let wrong = || bad("units", given, allowed.clone());
            let (first, last) = given.split_once('-').unwrap_or((given, given));
            let number = |text: &str| text.trim().parse::<u8>().ok();
            let (Some(first), Some(last)) = (number(first), number(last)) else {
                return Err(wrong());
            };
            // On a serial line 0 is a broadcast: nobody answers it.
            if first > last || first < least {
                return Err(wrong());
            }
            units.extend((first..=last).filter(|unit| !units.contains(unit)).collect::<Vec<_>>());
        }
        Ok(units)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn options_that_cannot_be_are_named_with_what_is_allowed() {
        let wrong = [
            ScanOptions { baud: vec![9601], ..ScanOptions::default() },
            ScanOptions { frame: words(&["7E1"]), ..ScanOptions::default() },
            ScanOptions { units: words(&["0-3"]), ..ScanOptions::default() },
            ScanOptions { units: words(&["9-3"]), ..ScanOptions::default() },
            ScanOptions { protocol: words(&["bacnet"]), ..ScanOptions::default() },
            ScanOptions { patience_ms: Some(5), ..ScanOptions::default() },
        ];
        for options in wrong {
            let fault = options.plan(Kind::Serial, BTreeMap::new()).unwrap_err();
            assert!(fault.to_string().contains("allowed are"), "{fault}");
        }
    }

    #[test]
    fn settings_are_the_usual_ones_or_every_pair_of_those_asked_for() {
        let plan = |options: &ScanOptions| options.plan(Kind::Serial, BTreeMap::new()).unwrap();
        let usual = plan(&ScanOptions::default());
        assert_eq!(usual.lines[0].to_string(), "2400 8E1");
        assert_eq!(usual.units.len(), 247);
        let asked = ScanOptions {
            baud: vec![9600, 1200],
            frame: words(&["8n1"]),
            units: words(&["1-3", "2", "9"]),
            ..ScanOptions::default()
        };
        let asked = plan(&asked);
        let lines: Vec<String> = asked.lines.iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["9600 8N1", "1200 8N1"]);
        assert_eq!(asked.units, [1, 2, 3, 9]);
        let frames = ScanOptions { frame: words(&["8O1"]), ..ScanOptions::default() };
        assert_eq!(plan(&frames).lines.len(), 8, "every usual rate once");
    }

    #[test]
    fn an_endpoint_is_asked_for_modbus_only_and_at_the_telling_ids_first() {
        let plan = ScanOptions::default().plan(Kind::Mbap, BTreeMap::new()).unwrap();
        assert_eq!(plan.units[..6], [1, 255, 0, 247, 246, 2]);
        assert_eq!(plan.units.len(), 249);
        assert!(!plan.protocols.dlt645);
        let tuned = ScanOptions { baud: vec![9600], ..ScanOptions::default() };
        assert!(tuned.plan(Kind::Fixed, BTreeMap::new()).is_err());
    }
}
