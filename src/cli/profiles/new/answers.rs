//! What a technician says about a model: the answers from which a profile is written.

use crate::model::{Category, Unit};

/// How the model is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Modbus,
    Dlt645,
    Cjt188,
    Mqtt,
}

impl Protocol {
    pub const WORDS: [&str; 4] = ["modbus", "dlt645", "cjt188", "mqtt"];

    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(match one_of(text, &Self::WORDS)? {
            "modbus" => Protocol::Modbus,
            "dlt645" => Protocol::Dlt645,
            "cjt188" => Protocol::Cjt188,
            _ => Protocol::Mqtt,
        })
    }
}

/// How the datasheet counts its registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Counting {
    /// From 0, and 3xxxx and 4xxxx are taken for Modicon numbers.
    #[default]
    Auto,
    /// From 0, whatever the numbers look like.
    Zero,
    /// From 1.
    One,
    /// 0xxxx coils, 1xxxx discrete inputs, 3xxxx input, 4xxxx holding registers, all from 1.
    Modicon,
}

impl Counting {
    pub const WORDS: [&str; 4] = ["auto", "0", "1", "modicon"];

    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(match one_of(text, &Self::WORDS)? {
            "0" => Counting::Zero,
            "1" => Counting::One,
            "modicon" => Counting::Modicon,
            _ => Counting::Auto,
        })
    }
}

pub(super) const TABLES: [&str; 4] = ["input", "holding", "coil", "discrete_input"];
pub(super) const ORDERS: [&str; 4] = ["abcd", "cdab", "badc", "dcba"];
/// Encodings of registers; texts need a length and are written into the file afterwards.
pub(super) const ENCODINGS: [&str; 13] = [
    "u16",
    "i16",
    "u32",
    "i32",
    "u64",
    "i64",
    "f32",
    "f64",
    "bcd16",
    "bcd32",
    "bcd64",
    "bit",
    "offset_sign",
];
/// Encodings of a meter's bytes, for identifiers that no table knows.
pub(super) const METER_ENCODINGS: [&str; 2] = ["bcd", "bcd_signed"];
pub(super) const QUANTITIES: [&str; 5] = ["instantaneous", "counter", "state", "flag", "text"];
/// Places of a CJ/T 188 meter's reading, with the unit that they usually have.
pub(super) const PLACES: [(&str, &str); 14] = [
    ("volume", "m3"),
    ("settlement_volume", "m3"),
    ("heat", "kW.h"),
    ("settlement_heat", "kW.h"),
    ("cold", "kW.h"),
    ("settlement_cold", "kW.h"),
    ("power", "kW"),
    ("flow", "m3/h"),
    ("flow_two_decimals", "m3/h"),
    ("supply_temperature", "Cel"),
    ("return_temperature", "Cel"),
    ("hours", "h"),
    ("valve", "1"),
    ("battery_low", "1"),
];

/// Where a point lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Modbus; the address in the count of the file.
    Register { table: Option<&'static str>, address: u32 },
    /// MQTT: a topic's pattern, and the place in its document; none when the payload is the value.
    Message { topic: String, path: Option<String> },
    /// DL/T 645.
    Item { id: u32 },
    /// CJ/T 188.
    Part { place: &'static str },
}

/// One point as it was given.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NewPoint {
    pub name: String,
    pub place: Place,
    pub encoding: Option<&'static str>,
    pub order: Option<&'static str>,
    /// Lowest bit and number of bits.
    pub bits: Option<(u8, u8)>,
    /// Registers of a text, bytes of an identifier that no table knows.
    pub length: Option<u8>,
    pub unit: Option<Unit>,
    pub quantity: Option<&'static str>,
    pub factor: Option<f64>,
}

impl NewPoint {
    pub fn at(name: &str, place: Place) -> Self {
        Self {
            name: name.to_owned(),
            place,
            encoding: None,
            order: None,
            bits: None,
            length: None,
            unit: None,
            quantity: None,
            factor: None,
        }
    }
}

/// Something raw that a device held or said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Raw {
    Registers { table: &'static str, address: u32, words: Vec<u16> },
    Bits { table: &'static str, address: u32, bits: Vec<bool> },
    Message { topic: String, payload: String },
    Frame(String),
}

/// What a point must then read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reading {
    Number(f64),
    Flag(bool),
    Text(String),
}

/// All that is known of the model.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answers {
    pub id: String,
    pub category: Category,
    pub protocol: Protocol,
    pub brand: String,
    pub model: String,
    pub zh: String,
    pub en: String,
    pub sources: Vec<String>,
    pub baud: u32,
    pub frame: String,
    /// Factory-set unit id.
    pub unit: Option<u8>,
    pub counting: Counting,
    pub table: &'static str,
    pub encoding: &'static str,
    pub order: &'static str,
    /// Of DL/T 645.
    pub edition: &'static str,
    /// Of CJ/T 188.
    pub meter_type: u8,
    pub points: Vec<NewPoint>,
    pub raws: Vec<Raw>,
    pub reads: Vec<(String, Reading)>,
}

/// The word of a list, or what is allowed with the one that was probably meant.
pub(super) fn one_of(text: &str, allowed: &[&'static str]) -> Result<&'static str, String> {
    let given = text.trim().to_ascii_lowercase();
    if let Some(word) = allowed.iter().find(|word| **word == given) {
        return Ok(word);
    }
    let near = allowed
        .iter()
        .map(|word| (strsim::jaro_winkler(&given, word), word))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map_or_else(String::new, |(_, word)| format!("; did you mean `{word}`?"));
    Err(format!("`{}`: allowed / 可用: {}{near}", text.trim(), allowed.join(" ")))
}

pub(super) fn category(text: &str) -> Result<Category, String> {
    let words: Vec<&'static str> = Category::ALL.iter().map(|category| category.word()).collect();
    let word = one_of(text, &words)?;
    Category::from_word(word).ok_or_else(|| word.to_owned())
}

/// Lower-case letters, digits and `-`: the file's name.
pub(super) fn identifier(text: &str) -> Result<String, String> {
    let id = text.trim();
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id.len() <= 64 && id.starts_with(|c: char| c.is_ascii_lowercase()) && id.chars().all(good) {
        return Ok(id.to_owned());
    }
    Err(format!(
        "`{id}`: lower-case letters, digits and `-`, beginning with a letter, at most 64 / \
         小写字母、数字和 `-`，以字母开头，最多 64 个字符"
    ))
}

/// An identifier made of brand and model: `Acme M-1` gives `acme-m-1`.
pub(super) fn slug(brand: &str, model: &str) -> String {
    let mut id = String::new();
    for c in format!("{brand} {model}").to_ascii_lowercase().chars() {
        if c.is_ascii_alphanumeric() {
            id.push(c);
        } else if !id.is_empty() && !id.ends_with('-') {
            id.push('-');
        }
    }
    let id: String = id.trim_end_matches('-').chars().take(64).collect();
    if id.starts_with(|c: char| c.is_ascii_lowercase()) { id } else { format!("model-{id}") }
        .trim_end_matches('-')
        .to_owned()
}

pub(super) fn frame(text: &str) -> Result<String, String> {
    let frame = text.trim().to_ascii_uppercase();
    match frame.as_bytes() {
        [b'8', b'N' | b'E' | b'O', b'1' | b'2'] => Ok(frame),
        _ => Err(format!("`{text}`: allowed / 可用: 8N1 8E1 8O1 8N2 8E2 8O2")),
    }
}

pub(super) fn baud(text: &str) -> Result<u32, String> {
    let given = text.trim().parse().ok().filter(|baud| (300..=921_600).contains(baud));
    given.ok_or_else(|| format!("`{text}`: a baud rate from 300 to 921600 / 波特率 300 到 921600"))
}

pub(super) fn unit_id(text: &str) -> Result<u8, String> {
    let given = text.trim().parse().ok().filter(|unit| (1..=247).contains(unit));
    given.ok_or_else(|| format!("`{text}`: a unit id from 1 to 247 / 站号 1 到 247"))
}

/// `0x10` or `10H` of the type of meter on the wire.
pub(super) fn meter_type(text: &str) -> Result<u8, String> {
    let given = text.trim().to_ascii_lowercase();
    let digits = given.strip_prefix("0x").unwrap_or(&given).trim_end_matches('h');
    let kinds = 0x10..=0x49;
    let known = u8::from_str_radix(digits, 16).ok().filter(|kind| kinds.contains(kind));
    known.ok_or_else(|| {
        format!(
            "`{text}`: 0x10 cold water / 冷水, 0x11 hot water / 热水, 0x20 heat / 热量, \
             0x21 cold / 冷量, 0x30 gas / 燃气, 0x40 electricity / 电"
        )
    })
}
