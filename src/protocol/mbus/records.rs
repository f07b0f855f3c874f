//! The data of a variable data telegram: header and records.

use crate::protocol::bcd;

/// The header of CI 72H.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Identification number, eight digits as they are printed (a digit F is wild).
    pub id: u32,
    /// Three letters, packed.
    pub manufacturer: u16,
    /// Version.
    pub version: u8,
    /// What is measured.
    pub medium: u8,
}

impl Header {
    /// Reads identification, manufacturer, version and medium: in front of a long header, and what
    /// selects a meter by its secondary address.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 8] = bytes.first_chunk()?;
        Some(Self {
            id: u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
            manufacturer: u16::from_le_bytes([bytes[4], bytes[5]]),
            version: bytes[6],
            medium: bytes[7],
        })
    }

    /// The three letters of the manufacturer.
    pub fn letters(&self) -> String {
        [10, 5, 0]
            .iter()
            .map(|shift| (self.manufacturer >> shift & 0x1F) as u8 + b'@')
            .map(char::from)
            .collect()
    }
}

/// What a record holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Amount {
    /// Nothing, or a number that is marked as not available.
    None,
    /// A number, already in `unit`.
    Number(f64),
    /// A date, a date with time, or text.
    Text(String),
}

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Where it begins in the data.
    pub offset: usize,
    /// Its length.
    pub length: usize,
    /// Storage number: 0 is now, others are past values.
    pub storage: u64,
    /// 0 momentary, 1 maximum, 2 minimum, 3 during an error.
    pub function: u8,
    /// What is measured, a name of [`super::describe()`]'s list, or `VIF …` when it is not known.
    pub quantity: String,
    /// Unit, a name of the same list.
    pub unit: &'static str,
    /// How much.
    pub amount: Amount,
}

/// Data that end within a record, or hold what no number is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordFault {
    /// Cut.
    #[error("the record at byte {offset} of the data needs {need} bytes, {have} are there")]
    Short {
        /// Where it begins.
        offset: usize,
        /// There.
        have: usize,
        /// Needed, as far as the bytes tell.
        need: usize,
    },
    /// Decimal field with other digits.
    #[error("the record at byte {offset} of the data holds no decimal digits")]
    NotDecimal {
        /// Where it begins.
        offset: usize,
    },
}

/// Reads all records. The manufacturer's own data behind DIF 0FH are left out; `true` says that the
/// meter has more telegrams (DIF 1FH).
///
/// # Errors
/// The data end within a record, or a decimal field holds other digits.
pub fn records(data: &[u8]) -> Result<(Vec<Record>, bool), RecordFault> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < data.len() {
        match data[at] {
            0x2F => at += 1,
            0x0F => return Ok((found, false)),
            0x1F => return Ok((found, true)),
            _ => {
                let record = record(data, at)?;
                at += record.length;
                found.push(record);
            }
        }
    }
    Ok((found, false))
}

/// Reads on in the bytes of one record.
struct Cursor<'a> {
    data: &'a [u8],
    start: usize,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], RecordFault> {
        let need = self.at - self.start + count;
        let have = self.data.len() - self.start;
        let bytes = self.data.get(self.at..self.at + count);
        self.at += count;
        bytes.ok_or(RecordFault::Short { offset: self.start, have, need })
    }

    fn byte(&mut self) -> Result<u8, RecordFault> {
        self.take(1).map(|bytes| bytes[0])
    }
}

fn record(data: &[u8], start: usize) -> Result<Record, RecordFault> {
    let mut cursor = Cursor { data, start, at: start };
    let dif = cursor.byte()?;
    let mut storage = u64::from(dif >> 6 & 1);
    let (mut more, mut shift) = (dif & 0x80 != 0, 1);
    while more {
        let dife = cursor.byte()?;
        if shift < 60 {
            storage |= u64::from(dife & 0x0F) << shift;
        }
        shift += 4;
        more = dife & 0x80 != 0;
    }
    let vif = cursor.byte()?;
    let mut chain = vec![vif];
    let mut text = None;
    if vif & 0x7F == 0x7C {
        let length = cursor.byte()?;
        text = Some(reversed(cursor.take(usize::from(length))?));
    }
    while chain.last().is_some_and(|last| last & 0x80 != 0) {
        chain.push(cursor.byte()?);
    }
    let bytes = body(&mut cursor, dif & 0x0F)?;
    let meaning = meaning(&chain);
    let amount = amount(dif & 0x0F, bytes, vif & 0x7F, meaning.1)
        .ok_or(RecordFault::NotDecimal { offset: start })?;
    Ok(Record {
        offset: start,
        length: cursor.at - start,
        storage,
        function: dif >> 4 & 3,
        quantity: text.map_or(meaning.0, |text| format!("VIF {text}")),
        unit: meaning.2,
        amount,
    })
}

/// Text is sent last letter first.
fn reversed(bytes: &[u8]) -> String {
    bytes.iter().rev().map(|&byte| char::from(byte)).collect()
}

fn body<'a>(cursor: &mut Cursor<'a>, coding: u8) -> Result<&'a [u8], RecordFault> {
    let length = match coding {
        0 | 8 => 0,
        1 | 9 => 1,
        2 | 0xA => 2,
        3 | 0xB => 3,
        4 | 5 | 0xC => 4,
        6 | 0xE => 6,
        7 => 8,
        // Variable length: text to BFH, then decimal and binary numbers of so many bytes.
        _ => match cursor.byte()? {
            text @ 0..=0xBF => usize::from(text),
            number => usize::from(number & 0x0F),
        },
    };
    cursor.take(length)
}

/// The value of the bytes; `exponent` is the power of ten of the unit. `None`: no decimal digits.
fn amount(coding: u8, bytes: &[u8], vif: u8, exponent: i32) -> Option<Amount> {
    let scaled = |number: f64| match exponent {
        // Dividing gives the double nearest to the decimal number, multiplying by 0.001 does not.
        ..0 => Amount::Number(number / 10f64.powi(-exponent)),
        _ => Amount::Number(number * 10f64.powi(exponent)),
    };
    Some(match (coding, bytes) {
        (2, [low, high]) if vif == 0x6C => date(*low, *high),
        (4, [minute, hour, low, high]) if vif == 0x6D => date_time(*minute, *hour, *low, *high),
        (0 | 8, _) => Amount::None,
        (1..=4 | 6 | 7, _) => {
            let negative = bytes.last().is_some_and(|top| top & 0x80 != 0);
            let mut wide = [if negative { 0xFF } else { 0 }; 8];
            wide[..bytes.len()].copy_from_slice(bytes);
            scaled(i64::from_le_bytes(wide) as f64)
        }
        (5, _) => {
            let bits = u32::from_le_bytes(*bytes.first_chunk()?);
            // The shortest decimal of the single number, not its neighbour among the doubles.
            let number = f32::from_bits(bits).to_string().parse().ok()?;
            match f64::is_finite(number) {
                true => scaled(number),
                false => Amount::None,
            }
        }
        (0xD, _) => Amount::Text(reversed(bytes)),
        // A top digit F is a minus sign.
        (_, [rest @ .., top]) if top >> 4 == 0xF && bytes.iter().any(|&byte| byte != 0xFF) => {
            let mut digits = rest.to_vec();
            digits.push(top & 0x0F);
            scaled(-(bcd::number(&digits, false).ok()?? as f64))
        }
        _ => match bcd::number(bytes, false).ok()? {
            Some(number) => scaled(number as f64),
            None => Amount::None,
        },
    })
}

fn date(low: u8, high: u8) -> Amount {
    if low == 0xFF && high == 0xFF {
        return Amount::None;
    }
    let year = 2000 + u16::from(low >> 5) + (u16::from(high >> 4) << 3);
    Amount::Text(format!("{year:04}-{:02}-{:02}", high & 0x0F, low & 0x1F))
}

/// Type F: date and time to the minute. The top bit of the minute says that it is invalid.
fn date_time(minute: u8, hour: u8, low: u8, high: u8) -> Amount {
    match date(low, high) {
        Amount::Text(date) if minute & 0x80 == 0 => {
            Amount::Text(format!("{date}T{:02}:{:02}", hour & 0x1F, minute & 0x3F))
        }
        _ => Amount::None,
    }
}

/// What a chain of VIF and VIFEs measures: name, power of ten, unit.
fn meaning(chain: &[u8]) -> (String, i32, &'static str) {
    let unknown = || {
        let bytes: String = chain.iter().map(|byte| format!("{byte:02X}")).collect();
        (format!("VIF {bytes}"), 0, "NONE")
    };
    let named =
        |(name, exponent, unit): (&str, i32, &'static str)| (name.to_owned(), exponent, unit);
    match (chain[0], chain.get(1)) {
        (0xFD, Some(vife)) => extension_fd(vife & 0x7F).map_or_else(unknown, named),
        (0xFB, Some(vife)) => extension_fb(vife & 0x7F).map_or_else(unknown, named),
        (vif, _) => primary(vif & 0x7F).map_or_else(unknown, named),
    }
}

type Meaning = (&'static str, i32, &'static str);

fn primary(vif: u8) -> Option<Meaning> {
    let low3 = i32::from(vif & 7);
    let low2 = i32::from(vif & 3);
    let duration = ["SECONDS", "MINUTES", "HOURS", "DAYS"][usize::from(vif & 3)];
    Some(match vif {
        0x00..=0x07 => ("ENERGY_WH", low3 - 3, "WH"),
        0x08..=0x0F => ("ENERGY_J", low3, "J"),
        0x10..=0x17 => ("VOLUME", low3 - 6, "M3"),
        0x18..=0x1F => ("MASS", low3 - 3, "KG"),
        0x20..=0x23 => ("ON_TIME", 0, duration),
        0x24..=0x27 => ("OPERATING_TIME", 0, duration),
        0x28..=0x2F => ("POWER_W", low3 - 3, "W"),
        0x30..=0x37 => ("POWER_J_H", low3, "J_H"),
        0x38..=0x3F => ("VOLUME_FLOW", low3 - 6, "M3_H"),
        0x40..=0x47 => ("VOLUME_FLOW_EXT", low3 - 7, "M3_MIN"),
        0x48..=0x4F => ("VOLUME_FLOW_EXT_S", low3 - 9, "M3_S"),
        0x50..=0x57 => ("MASS_FLOW", low3 - 3, "KG_H"),
        0x58..=0x5B => ("FLOW_TEMPERATURE", low2 - 3, "C"),
        0x5C..=0x5F => ("RETURN_TEMPERATURE", low2 - 3, "C"),
        0x60..=0x63 => ("TEMPERATURE_DIFFERENCE", low2 - 3, "K"),
        0x64..=0x67 => ("EXTERNAL_TEMPERATURE", low2 - 3, "C"),
        0x68..=0x6B => ("PRESSURE", low2 - 3, "BAR"),
        0x6C => ("DATE", 0, "DATE"),
        0x6D => ("DATE_TIME_GENERAL", 0, "DATE_TIME"),
        0x6E => ("UNITS_FOR_HCA", 0, "HCA"),
        0x70..=0x73 => ("AVG_DURATION", 0, duration),
        0x74..=0x77 => ("ACTUALITY_DURATION", 0, duration),
        0x78 => ("FABRICATION_NO", 0, "NONE"),
        0x79 => ("IDENTIFICATION", 0, "NONE"),
        0x7A => ("ADDRESS", 0, "NONE"),
        0x7F => ("MANUFACTURER_SPEC", 0, "NONE"),
        _ => return None,
    })
}

fn extension_fd(vife: u8) -> Option<Meaning> {
    let low4 = i32::from(vife & 0x0F);
    Some(match vife {
        0x08 => ("ACCESS_NUMBER", 0, "NONE"),
        0x0A => ("MANUFACTURER", 0, "NONE"),
        0x0B => ("PARAMETER_SET_ID", 0, "NONE"),
        0x0C => ("MODEL_VERSION", 0, "NONE"),
        0x0D => ("HARDWARE_VERSION", 0, "NONE"),
        0x0E => ("FIRMWARE_VERSION", 0, "NONE"),
        0x0F => ("SOFTWARE_VERSION", 0, "NONE"),
        0x10 => ("CUSTOMER_LOCATION", 0, "NONE"),
        0x11 => ("CUSTOMER", 0, "NONE"),
        0x17 => ("ERROR_FLAGS", 0, "NONE"),
        0x1A => ("DIGITAL_OUTPUT", 0, "NONE"),
        0x1B => ("DIGITAL_INPUT", 0, "NONE"),
        0x3A => ("DIMENSIONLESS", 0, "NONE"),
        0x40..=0x4F => ("VOLTS", low4 - 9, "V"),
        0x50..=0x5F => ("AMPERE", low4 - 12, "A"),
        _ => return None,
    })
}

fn extension_fb(vife: u8) -> Option<Meaning> {
    let low1 = i32::from(vife & 1);
    Some(match vife {
        0x00 | 0x01 => ("ENERGY_WH", low1 + 5, "WH"),
        0x08 | 0x09 => ("ENERGY_J", low1 + 8, "J"),
        0x10 | 0x11 => ("VOLUME", low1 + 2, "M3"),
        0x28 | 0x29 => ("POWER_W", low1 + 5, "W"),
        0x30 | 0x31 => ("POWER_J_H", low1 + 8, "J_H"),
        _ => return None,
    })
}
