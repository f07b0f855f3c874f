//! The file format of a profile, as serde sees it; `load.rs` checks what it says and turns it
//! into a [`Profile`](super::Profile).
//!
//! ```toml
//! category = "electricity_meter"
//! title = { zh = "三相电表", en = "Three-phase meter" }
//! products = [{ brand = "Maker", model = "M1" }]
//! sources = ["https://maker.example/m1.pdf"]
//!
//! [modbus]                        # or [mqtt]
//! table = "holding"               # defaults for the points below
//! encoding = "f32"
//!
//! [[points]]                      # one entry, three points, every two registers
//! names = ["phaseVoltage.L1", "phaseVoltage.L2", "phaseVoltage.L3"]
//! en = "voltage {}"               # {} is the part of the name after the last `.`
//! unit = "V"
//! address = 0x2006
//!
//! [[examples]]
//! registers = [{ table = "holding", address = 0x2006, words = [0x4366, 0x199A] }]
//! readings = { "phaseVoltage.L1" = 230.1 }
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use toml::Spanned;

use super::binding::{PayloadFormat, Table, WordOrder};
use crate::settings::parse_duration;

/// Everything of a file but `points` and `examples`, which are read one by one so that one wrong
/// entry does not hide the others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeadFile {
    pub category: Spanned<String>,
    pub title: TitleFile,
    pub products: Vec<ProductFile>,
    pub sources: Vec<String>,
    #[serde(default)]
    pub caveats: Vec<String>,
    #[serde(default)]
    pub params: Vec<Spanned<ParamFile>>,
    /// Sets of labels by name: code → [Chinese, English].
    #[serde(default)]
    pub labels: BTreeMap<String, BTreeMap<Spanned<String>, [String; 2]>>,
    pub modbus: Option<ModbusFile>,
    pub mqtt: Option<MqttFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table { zh = \"…\", en = \"…\" }")]
pub(super) struct TitleFile {
    pub zh: String,
    pub en: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table { brand = \"…\", model = \"…\" }")]
pub(super) struct ProductFile {
    pub brand: String,
    pub model: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table [[params]]")]
pub(super) struct ParamFile {
    pub name: String,
    pub default: f64,
    pub min: f64,
    pub max: f64,
    pub about: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table [modbus]")]
pub(super) struct ModbusFile {
    pub baud: Option<Spanned<u32>>,
    pub frame: Option<Spanned<String>>,
    pub unit: Option<Spanned<u8>>,
    pub max_registers: Option<Spanned<u16>>,
    pub max_bits: Option<Spanned<u16>>,
    pub max_gap: Option<u16>,
    #[serde(default)]
    pub one_by_one: bool,
    #[serde(default)]
    pub forbidden: Vec<Spanned<[u32; 2]>>,
    pub pause: Option<Span>,
    pub pause_on_switch: Option<Span>,
    pub timeout: Option<Span>,
    /// What the maker calls the first register: 0 (default) or 1.
    pub first_address: Option<Spanned<u32>>,
    pub table: Option<TableWord>,
    pub encoding: Option<EncodingWord>,
    pub order: Option<OrderWord>,
    /// Registers that tell the model from all others, for `linli scan`.
    #[serde(default)]
    pub identify: Vec<Spanned<IdFile>>,
}

#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table { table = \"…\", address = 0, words = [0] } or with range = [0, 1]"
)]
pub(super) struct IdFile {
    pub table: Option<TableWord>,
    /// In the same count as the points' addresses.
    pub address: u32,
    #[serde(default)]
    pub words: Vec<u16>,
    /// Bits that are compared, all unless said.
    pub mask: Option<u16>,
    pub range: Option<[u16; 2]>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table [mqtt]")]
pub(super) struct MqttFile {
    pub topics: Vec<Spanned<TopicFile>>,
    pub availability: Option<Spanned<AvailabilityFile>>,
    pub silent_after: Option<Span>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table { pattern = \"{base}/…\" }")]
pub(super) struct TopicFile {
    pub pattern: String,
    pub format: Option<FormatWord>,
    /// JSON pointer to the device's own time.
    pub time: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table { pattern = \"{base}/…\", online = [\"…\"], offline = [\"…\"] }"
)]
pub(super) struct AvailabilityFile {
    pub pattern: String,
    #[serde(default)]
    pub path: String,
    pub online: Vec<String>,
    pub offline: Vec<String>,
}

/// One entry of `[[points]]`: one point, or a run of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table [[points]]")]
pub(super) struct PointFile {
    pub name: Option<Spanned<String>>,
    /// A run with these names instead of `name`.
    pub names: Option<Vec<Spanned<String>>>,
    /// A run of `count` points; `{n}` in name, titles and path is the number.
    pub count: Option<Spanned<u16>>,
    /// First `{n}` of a run, 1 unless said.
    pub from: Option<u32>,
    /// Registers from one point of the run to the next, the width unless said; for MQTT from one
    /// `{n}` to the next, 1 unless said.
    pub step: Option<u16>,
    pub zh: Option<String>,
    pub en: Option<String>,
    pub unit: Option<Spanned<String>>,
    pub quantity: Option<QuantityWord>,
    pub decimals: Option<Spanned<u8>>,
    pub range: Option<Spanned<[f64; 2]>>,
    pub max_rate: Option<Spanned<f64>>,
    pub counter_max: Option<Spanned<f64>>,
    pub labels: Option<Spanned<String>>,
    /// Raw code or text → code in the stream.
    #[serde(default)]
    pub codes: BTreeMap<Spanned<String>, i64>,
    pub dead_band: Option<Spanned<f64>>,
    pub at_least_every: Option<Span>,
    pub period: Option<Span>,
    pub factor: Option<Spanned<f64>>,
    pub offset: Option<Spanned<f64>>,
    /// Parameters that multiply.
    #[serde(default)]
    pub by: Vec<Spanned<String>>,
    #[serde(default)]
    pub unavailable: Vec<Spanned<Sentinel>>,
    pub table: Option<TableWord>,
    pub address: Option<Spanned<u32>>,
    pub encoding: Option<Spanned<EncodingWord>>,
    /// Registers of a text.
    pub length: Option<Spanned<u8>>,
    /// [lowest bit, number of bits] of one register, instead of `encoding`.
    pub bits: Option<Spanned<[u8; 2]>>,
    pub order: Option<OrderWord>,
    /// Pattern of one of the topics; may be left out when there is one.
    pub topic: Option<Spanned<String>>,
    /// JSON pointer; empty or left out for the whole payload.
    pub path: Option<Spanned<String>>,
    /// Words that mean true and false, for flags.
    #[serde(default)]
    pub words: BTreeMap<String, bool>,
}

/// One entry of `[[examples]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table [[examples]]")]
pub(super) struct ExampleFile {
    #[serde(default)]
    pub about: String,
    #[serde(default)]
    pub params: BTreeMap<Spanned<String>, f64>,
    #[serde(default)]
    pub registers: Vec<Spanned<BlockFile>>,
    #[serde(default)]
    pub messages: Vec<MessageFile>,
    pub readings: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table { table = \"…\", address = 0, words = [0] }")]
pub(super) struct BlockFile {
    pub table: TableWord,
    /// In the same count as the points' addresses.
    pub address: u32,
    #[serde(default)]
    pub words: Vec<u16>,
    #[serde(default)]
    pub bits: Vec<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table { topic = \"{base}/…\", payload = \"…\" }")]
pub(super) struct MessageFile {
    /// With `{base}`.
    pub topic: String,
    pub payload: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum QuantityWord {
    Instantaneous,
    Counter,
    State,
    Flag,
    Text,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TableWord {
    Coil,
    DiscreteInput,
    Holding,
    Input,
}

impl TableWord {
    pub fn table(self) -> Table {
        match self {
            TableWord::Coil => Table::Coil,
            TableWord::DiscreteInput => Table::DiscreteInput,
            TableWord::Holding => Table::Holding,
            TableWord::Input => Table::Input,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum EncodingWord {
    Bit,
    U16,
    U32,
    U64,
    I16,
    I32,
    I64,
    F32,
    F64,
    Bcd16,
    Bcd32,
    Bcd64,
    Ascii,
    Utf16,
    OffsetSign,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OrderWord {
    Abcd,
    Cdab,
    Badc,
    Dcba,
}

impl OrderWord {
    pub fn order(self) -> WordOrder {
        match self {
            OrderWord::Abcd => WordOrder::Abcd,
            OrderWord::Cdab => WordOrder::Cdab,
            OrderWord::Badc => WordOrder::Badc,
            OrderWord::Dcba => WordOrder::Dcba,
        }
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FormatWord {
    Json,
    Text,
}

impl FormatWord {
    pub fn format(self) -> PayloadFormat {
        match self {
            FormatWord::Json => PayloadFormat::Json,
            FormatWord::Text => PayloadFormat::Text,
        }
    }
}

/// A length of time with its unit: `"200ms"`, `"5s"`, `"15m"`, `"1h"`, `"1d"`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span(pub Duration);

const SPAN_RULE: &str =
    "a whole number with its unit, `ms`, `s`, `m`, `h` or `d`, at most 30d, for instance \"200ms\"";

/// Longest length of time in a profile.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl Visitor<'_> for Words {
            type Value = Span;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(SPAN_RULE)
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
                let span = parse_duration(text).ok().filter(|span| *span <= LONGEST);
                span.map(Span).ok_or_else(|| {
                    E::custom(format!("`{text}` is no duration; needed is {SPAN_RULE}"))
                })
            }
        }
        deserializer.deserialize_any(Words)
    }
}

/// A raw value that means "not available": a number, or a text (for registers `"0x…"`, because
/// TOML's numbers end below 2⁶³).
#[derive(Debug, Clone)]
pub(super) struct Sentinel(pub String);

impl Sentinel {
    /// As the bits of a register value.
    pub fn bits(&self) -> Option<u64> {
        match self.0.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok(),
            None => self.0.parse().ok(),
        }
    }
}

impl<'de> Deserialize<'de> for Sentinel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Sentinel;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a text")
            }
            fn visit_i64<E: Error>(self, n: i64) -> Result<Sentinel, E> {
                Ok(Sentinel(n.to_string()))
            }
            fn visit_u64<E: Error>(self, n: u64) -> Result<Sentinel, E> {
                Ok(Sentinel(n.to_string()))
            }
            fn visit_f64<E: Error>(self, n: f64) -> Result<Sentinel, E> {
                Ok(Sentinel(n.to_string()))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Sentinel, E> {
                Ok(Sentinel(text.to_owned()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
