//! What a scan tells, as it happens; one JSON object a line where a script reads it.

use serde::{Deserialize, Serialize};

use super::machine::{Found, Speaks};
use crate::driver::discover::Announced;
use crate::driver::{BusAddress, LineSettings, Parity};
use crate::model::{Category, Words};
use crate::protocol::cjt188::Kind as MeterKind;
use crate::protocol::dlt645::Edition;

/// A text in both languages; unlike [`Words`] it carries both over the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl<E: Into<String>, Z: Into<String>> From<(E, Z)> for Text {
    fn from((en, zh): (E, Z)) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }
}

impl From<Words> for Text {
    fn from(words: Words) -> Self {
        Self { en: words.en, zh: words.zh }
    }
}

/// A model that a device may be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Identifier of the profile.
    pub profile: String,
    /// Title of the profile.
    pub title: Text,
    /// 0..=1; what the values that were read speak for it.
    pub confidence: f64,
    /// A register that identifies the model says so; without one it is never certain.
    pub certain: bool,
    /// What speaks for it.
    pub why: Text,
}

/// A device that answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundDevice {
    /// `modbus`, `dlt645-2007`, `dlt645-1997`, `cjt188`, `mqtt`.
    pub protocol: String,
    /// Modbus unit id.
    pub unit: Option<u8>,
    /// Address of a meter, digits as on its plate.
    pub address: Option<String>,
    /// `host:port`, where a network was scanned.
    pub endpoint: Option<String>,
    /// Bits per second, on a line that can be tuned.
    pub baud: Option<u32>,
    /// `8N1`, `8E1`, …, likewise.
    pub frame: Option<String>,
    /// It answers at every unit id.
    pub every_unit: bool,
    /// Identifier in the configuration, when it is there already.
    pub known: Option<String>,
    /// What it is, where the protocol tells: DL/T 645 speaks of electricity, CJ/T 188 names the
    /// type of the meter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// Which models it may be, likeliest first.
    pub candidates: Vec<Candidate>,
    /// What it announced, when it publishes to the field broker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mqtt: Option<Box<Announced>>,
}

impl FoundDevice {
    /// A device of a scan; `tuned` when the line was set for it.
    pub(super) fn of(found: &Found, tuned: bool) -> Self {
        let (protocol, unit, address) = match (found.speaks, found.address) {
            (_, BusAddress::Unit(unit)) => ("modbus", Some(unit), None),
            (Speaks::Dlt645(Edition::V1997), address) => {
                ("dlt645-1997", None, Some(address.to_string()))
            }
            (_, BusAddress::Dlt645(address)) => ("dlt645-2007", None, Some(address.to_string())),
            (_, BusAddress::Cjt188(address)) => ("cjt188", None, Some(address.to_string())),
        };
        Self {
            protocol: protocol.to_owned(),
            unit,
            address,
            endpoint: None,
            baud: tuned.then_some(found.line.baud),
            frame: tuned.then(|| frame(found.line)),
            every_unit: found.every_unit,
            known: found.known.clone(),
            category: category(found.speaks),
            candidates: found.candidates.clone(),
            mqtt: None,
        }
    }

    /// Where it answers, for people.
    pub fn place(&self) -> String {
        if let Some(own) = &self.mqtt {
            return own.topic.clone().unwrap_or_else(|| own.key.clone());
        }
        let mut place = match (&self.unit, &self.address) {
            (Some(unit), _) => format!("#{unit}"),
            (None, Some(address)) => address.clone(),
            (None, None) => String::new(),
        };
        if let (Some(baud), Some(frame)) = (self.baud, &self.frame) {
            place = format!("{place} {baud} {frame}");
        }
        match &self.endpoint {
            Some(endpoint) => format!("{endpoint} {place}"),
            None => place,
        }
    }
}

/// What a remark is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemarkKind {
    /// Two devices answer at one address.
    SharedAddress,
    /// Bytes came, but never a frame.
    OtherSettings,
    /// Not one byte came.
    NothingHeard,
    /// An endpoint could not be asked to the end.
    Broken,
    /// An announcement cannot be read, or the broker does not let us hear it.
    Unread,
}

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// What it is about.
    pub kind: RemarkKind,
    /// What was seen, and what to check.
    pub text: Text,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ScanEvent {
    /// How far it is.
    Progress {
        /// Questions asked.
        done: u64,
        /// Questions in all, as far as known.
        expected: u64,
        /// About so many seconds are left, at the pace so far.
        #[serde(default)]
        left_s: u64,
        /// What is tried now.
        now: Text,
    },
    /// A device, with what it may be.
    Found(FoundDevice),
    /// Something to look at.
    Remark(Remark),
    /// The end.
    Done {
        /// Devices found.
        found: usize,
    },
    /// The line was lost; the scan ends here.
    Failed {
        /// Why.
        why: Text,
    },
}

fn category(speaks: Speaks) -> Option<Category> {
    match speaks {
        Speaks::Modbus => None,
        Speaks::Dlt645(_) => Some(Category::ElectricityMeter),
        Speaks::Cjt188 { meter_type, .. } => match meter_type.kind() {
            MeterKind::Water => Some(Category::WaterMeter),
            MeterKind::Heat => Some(Category::HeatMeter),
            MeterKind::Gas => Some(Category::GasMeter),
            MeterKind::Electricity => Some(Category::ElectricityMeter),
            MeterKind::Unknown => None,
        },
    }
}

fn frame(line: LineSettings) -> String {
    let parity = match line.parity {
        Parity::None => 'N',
        Parity::Even => 'E',
        Parity::Odd => 'O',
    };
    format!("8{parity}{}", line.stop_bits)
}
