//! The file format of a profile, as serde sees it; `load.rs` checks what it says and turns it
//! into a [`Profile`](super::Profile).
//!
//! ```toml
//! category = "electricity_meter"
//! title = { zh = "三相电表", en = "Three-phase meter" }
//! products = [{ brand = "Maker", model = "M1" }]
//! sources = ["https://maker.example/m1.pdf"]
//!
//! [modbus]                        # or [mqtt], or [dlt645], [cjt188]: see `schema_meter.rs`
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

use serde::Deserialize;
use toml::Spanned;

use super::binding::{Evidence, Table, WordOrder};
use super::command::WriteFile;
use super::mqtt::PayloadFormat;
use super::schema_meter::{Cjt188File, Dlt645File, PlaceWord};
use super::span::{Sentinel, Span};

/// Everything of a file but `points` and `examples`, which are read one by one so that one wrong
/// entry does not hide the others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeadFile {
    pub category: Spanned<String>,
    pub title: TitleFile,
    pub products: Vec<ProductFile>,
    pub sources: Spanned<Vec<String>>,
    #[serde(default)]
    pub caveats: Vec<String>,
    pub verified: Option<VerifiedFile>,
    #[serde(default)]
    pub params: Vec<Spanned<ParamFile>>,
    /// Sets of labels by name: code → [Chinese, English].
    #[serde(default)]
    pub labels: BTreeMap<String, BTreeMap<Spanned<String>, [String; 2]>>,
    pub modbus: Option<ModbusFile>,
    pub mqtt: Option<MqttFile>,
    pub dlt645: Option<Dlt645File>,
    pub cjt188: Option<Cjt188File>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table { zh = \"…\", en = \"…\" }")]
pub(super) struct TitleFile {
    pub zh: String,
    pub en: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table { level = \"…\", against = \"…\" }")]
pub(super) struct VerifiedFile {
    pub level: Evidence,
    pub against: String,
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
    /// One topic for each member of this group, with `{n}` for its number.
    pub group: Option<Spanned<String>>,
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
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table [[points]]")]
pub(super) struct PointFile {
    pub name: Option<Spanned<String>>,
    /// A run with these names instead of `name`.
    pub names: Option<Vec<Spanned<String>>>,
    /// Group whose members all have it.
    pub group: Option<Spanned<String>>,
    /// A run of `count` points; `{n}` in name, titles and path is the number.
    pub count: Option<Spanned<u16>>,
    /// First `{n}` of a run, 1 unless said.
    pub from: Option<u32>,
    /// Registers from one point of the run to the next, the width unless said; for MQTT from one
    /// `{n}` to the next, 1 unless said; for meters bytes of `at`, the length unless said (0 when
    /// there is an `id_step`).
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
    /// Read before all others when it is due: alarms look at it.
    #[serde(default)]
    pub urgent: bool,
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
    /// Registers of a text; bytes of a meter's field.
    pub length: Option<Spanned<u8>>,
    /// [lowest bit, number of bits] of one register or of a meter's field, instead of `encoding`.
    pub bits: Option<Spanned<[u8; 2]>>,
    pub order: Option<OrderWord>,
    /// Pattern of one of the topics; may be left out when there is one.
    pub topic: Option<Spanned<String>>,
    /// JSON pointer; empty or left out for the whole payload.
    pub path: Option<Spanned<String>>,
    /// Words that mean true and false, for flags.
    #[serde(default)]
    pub words: BTreeMap<String, bool>,
    /// Data identifier of a meter: `0x02010100`, `0x901F`.
    pub id: Option<Spanned<u32>>,
    /// From one identifier of the run to the next, 0 unless said.
    pub id_step: Option<u32>,
    /// Bytes of the identifier's data before the point, 0 unless said.
    pub at: Option<Spanned<u8>>,
    /// DL/T 645: a block that holds it as well.
    pub block: Option<Spanned<u32>>,
    /// Bytes of the block before the point, 0 unless said.
    pub block_at: Option<Spanned<u8>>,
    /// Bytes of the block from one point of the run to the next, the length unless said.
    pub block_step: Option<u8>,
    /// CJ/T 188: a part of the meter's reading, instead of `at`, `encoding` and `length`.
    pub place: Option<Spanned<PlaceWord>>,
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
    /// Replies of a meter as they come over the line, in hexadecimal.
    #[serde(default)]
    pub frames: Vec<Spanned<String>>,
    #[serde(default)]
    pub readings: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
    /// Members of the groups that the device of the example has.
    #[serde(default)]
    pub groups: BTreeMap<Spanned<String>, u16>,
    /// What a command writes.
    #[serde(default)]
    pub writes: Vec<Spanned<WriteFile>>,
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
    Bcd,
    BcdSigned,
    Bits,
    Digits,
}

impl EncodingWord {
    /// How bytes of a meter are read by it; `None` when it is one of registers.
    pub fn of_meters(self) -> Option<&'static str> {
        Some(match self {
            EncodingWord::Bcd => "bcd",
            EncodingWord::BcdSigned => "bcd_signed",
            EncodingWord::Bits => "bits",
            EncodingWord::Ascii => "ascii",
            EncodingWord::Digits => "digits",
            _ => return None,
        })
    }
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
