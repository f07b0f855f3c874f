//! The data model of a profile: how each point of a model is obtained.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::command::Command;
use super::meter::{Cjt188Model, Dlt645Model};
use super::mqtt::MqttModel;
use crate::model::{Category, Derived, Group, Point};

/// A brand and its models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Maker.
    pub brand: String,
    /// Model as printed on the type plate.
    pub model: String,
}

/// How far the facts of a profile go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Read on a real device of the model.
    Device,
    /// The maker's own document was read.
    Document,
    /// Two independent sources say the same.
    Agreeing,
    /// One source says so.
    Single,
    /// It is our own convention.
    Convention,
    /// Constructed, or nobody confirmed it.
    Unverified,
}

impl Evidence {
    /// The word in a profile.
    pub fn word(self) -> &'static str {
        match self {
            Evidence::Device => "device",
            Evidence::Document => "document",
            Evidence::Agreeing => "agreeing",
            Evidence::Single => "single",
            Evidence::Convention => "convention",
            Evidence::Unverified => "unverified",
        }
    }
}

/// What the facts of a profile were held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How far they go.
    pub level: Evidence,
    /// Which document, device or code.
    pub against: String,
}

impl Default for Verified {
    fn default() -> Self {
        Self { level: Evidence::Unverified, against: String::new() }
    }
}

/// A number that each device of the model may set, e.g. the ratio of its current transformers.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// Name in `params = { … }` of a device.
    pub name: String,
    /// Used when the device sets none.
    pub default: f64,
    /// Lowest and highest allowed value.
    pub range: (f64, f64),
    /// What it is, for people.
    pub about: String,
}

/// What a model of device offers and how it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Identifier, also the file's name: `eastron-sdm630`.
    pub id: String,
    /// What kind of thing it is.
    pub category: Category,
    /// Title for people, Chinese.
    pub zh: String,
    /// Title for people, English.
    pub en: String,
    /// The products it fits.
    pub products: Vec<Product>,
    /// Datasheets and other sources of the facts.
    pub sources: Vec<String>,
    /// Traps, for the installer.
    pub caveats: Vec<String>,
    /// What the facts were held against.
    pub verified: Verified,
    /// Numbers that a device may set.
    pub params: Vec<Param>,
    /// How it is reached; holds one source per point, in the order of `points`.
    pub binding: Binding,
    /// What it offers.
    pub points: Arc<[Point]>,
    /// Period per point where it differs from the device's, in the order of `points`.
    pub periods: Vec<Option<Duration>>,
    /// Which points are read before all others when they are due (those that alarms look at), in
    /// the order of `points`; those beyond its end are not.
    pub urgent: Vec<bool>,
    /// Like things that it has several of.
    pub groups: Vec<Group>,
    /// Which points belong to a member of a group, in the order of `points`; those beyond its end
    /// do not.
    pub members: Vec<Option<Member>>,
    /// Points that follow from others. They stand behind those that are read and have no source.
    pub derived: Vec<Derived>,
    /// What it can be told.
    pub commands: Vec<Command>,
}

#[cfg(test)]
impl Profile {
    /// A model that offers nothing, to be filled by a test.
    pub(crate) fn bare(category: Category) -> Self {
        Self {
            id: "bare".into(),
            category,
            zh: String::new(),
            en: String::new(),
            products: Vec::new(),
            sources: Vec::new(),
            caveats: Vec::new(),
            verified: Verified::default(),
            params: Vec::new(),
            binding: Binding::Mqtt(MqttModel::default()),
            points: Arc::new([]),
            periods: Vec::new(),
            urgent: Vec::new(),
            groups: Vec::new(),
            members: Vec::new(),
            derived: Vec::new(),
            commands: Vec::new(),
        }
    }
}

/// Which of several like things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Member {
    /// Index into [`Profile::groups`].
    pub group: usize,
    /// Its place in the group, from 0.
    pub place: u16,
}

/// How a model is reached.
#[derive(Debug, Clone, PartialEq)]
pub enum Binding {
    /// Modbus registers and bits.
    Modbus {
        /// Serial defaults of the model.
        serial: SerialDefaults,
        /// Factory-set unit id.
        unit: Option<u8>,
        /// What the model bears.
        limits: Limits,
        /// One per point.
        sources: Vec<RegisterSource>,
    },
    /// MQTT topics below the device's base topic.
    Mqtt(MqttModel),
    /// Data identifiers of DL/T 645.
    Dlt645(Dlt645Model),
    /// Data identifiers of CJ/T 188.
    Cjt188(Cjt188Model),
}

/// Serial parameters as the model leaves the factory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SerialDefaults {
    /// Bits per second.
    pub baud: u32,
    /// `8N1`, `8E1`, `8O1`, `8N2`, …: the second character is the parity, the third the stop bits.
    pub frame: [u8; 3],
}

/// What a model bears, and how it must be treated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Most registers in one read, 1..=125.
    pub max_registers: u16,
    /// Most bits in one read, 1..=2000.
    pub max_bits: u16,
    /// Most unused registers (or bits) that may lie inside one read.
    pub max_gap: u16,
    /// Every point needs a request of its own.
    pub one_by_one: bool,
    /// Addresses (first, last) that no read may touch.
    pub forbidden: Vec<(u16, u16)>,
    /// Least silence after a reply of this model.
    pub pause: Duration,
    /// Least silence before it is addressed after another unit.
    pub pause_on_switch: Duration,
    /// Longest time to the answer.
    pub timeout: Duration,
    /// Registers that tell this model from all others; most models have none.
    pub identify: Vec<IdRegister>,
}

/// Registers that hold something fixed in every device of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdRegister {
    /// Which table.
    pub table: Table,
    /// Address as on the wire, 0-based.
    pub address: u16,
    /// What they hold; empty when `range` says it.
    pub words: Vec<u16>,
    /// Bits that are compared.
    pub mask: u16,
    /// Lowest and highest value of one register.
    pub range: Option<(u16, u16)>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_registers: 125,
            max_bits: 2000,
            max_gap: 8,
            one_by_one: false,
            forbidden: Vec::new(),
            pause: Duration::ZERO,
            pause_on_switch: Duration::ZERO,
            timeout: Duration::from_secs(1),
            identify: Vec::new(),
        }
    }
}

/// The four tables of Modbus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// Function 1.
    Coil,
    /// Function 2.
    DiscreteInput,
    /// Function 3.
    Holding,
    /// Function 4.
    Input,
}

impl Table {
    /// Whether it holds bits, not registers.
    pub fn is_bits(self) -> bool {
        matches!(self, Table::Coil | Table::DiscreteInput)
    }
}

/// How registers become a number or text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// One bit of a bit table.
    Bit,
    /// Unsigned, 1, 2 or 4 registers.
    Unsigned(u8),
    /// Two's complement, 1, 2 or 4 registers.
    Signed(u8),
    /// IEEE 754, 2 or 4 registers.
    Float(u8),
    /// Binary coded decimal, 1, 2 or 4 registers.
    Bcd(u8),
    /// `low` first bit, `len` bits of one register.
    Bits {
        /// Lowest bit, 0..=15.
        low: u8,
        /// Number of bits, 1..=16.
        len: u8,
    },
    /// Characters, two to a register, high byte first; ends at the first NUL; spaces trimmed.
    Ascii(u8),
    /// UTF-16, one code unit to a register.
    Utf16(u8),
    /// Offset sign of one register (KinCony SHT30): values of 10000 and more mean `-(v - 10000)`.
    OffsetSign,
}

impl Encoding {
    /// Registers (or bits of a bit table) that it takes.
    pub fn width(self) -> u16 {
        match self {
            Encoding::Bit | Encoding::Bits { .. } | Encoding::OffsetSign => 1,
            Encoding::Unsigned(n)
            | Encoding::Signed(n)
            | Encoding::Float(n)
            | Encoding::Bcd(n)
            | Encoding::Ascii(n)
            | Encoding::Utf16(n) => u16::from(n),
        }
    }
}

/// Order of bytes in values of several registers; `A` is the most significant byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WordOrder {
    /// High register first, high byte first: what the Modbus specification says.
    #[default]
    Abcd,
    /// Low register first.
    Cdab,
    /// High register first, bytes swapped.
    Badc,
    /// Low register first, bytes swapped.
    Dcba,
}

/// From raw number to the point's unit: `raw * factor * params… + offset`.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// Constant factor.
    pub factor: f64,
    /// Added last, in the point's unit.
    pub offset: f64,
    /// Parameters (index into [`Profile::params`]) that multiply.
    pub by: Vec<usize>,
}

impl Default for Scale {
    fn default() -> Self {
        Self { factor: 1.0, offset: 0.0, by: Vec::new() }
    }
}

impl Scale {
    /// The whole factor for a device with these parameter values.
    pub fn resolve(&self, params: &[f64]) -> f64 {
        self.by.iter().fold(self.factor, |product, &param| product * params[param])
    }
}

/// A raw code or text and the code it becomes in the stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Code {
    /// As the device says it: a number written in decimal, or a text.
    pub raw: String,
    /// As it stands in the stream.
    pub code: i64,
    /// `raw` as a number, so that a lookup need not parse it.
    pub(super) number: Option<f64>,
}

impl Code {
    /// What the device says as `raw` is `code` in the stream.
    pub fn new(raw: impl Into<String>, code: i64) -> Self {
        let raw = raw.into();
        let number = raw.parse().ok();
        Self { raw, code, number }
    }
}

/// Where a point lies in a Modbus model.
#[derive(Debug, Clone, PartialEq)]
pub struct RegisterSource {
    /// Which table.
    pub table: Table,
    /// Address as on the wire, 0-based.
    pub address: u16,
    /// How its registers are read.
    pub encoding: Encoding,
    /// Order of bytes.
    pub order: WordOrder,
    /// To the point's unit.
    pub scale: Scale,
    /// Raw values (as unsigned bits of the encoding's width) that mean "not available".
    pub unavailable: Vec<u64>,
    /// Table of codes; empty when the raw number is the code.
    pub codes: Vec<Code>,
    /// The value is a flag: raw is not 0.
    pub flag: bool,
    /// Digits to round to, from the point.
    pub decimals: u8,
}
