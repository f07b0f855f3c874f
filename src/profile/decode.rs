//! From registers and payloads to values in the point's unit. No allocation for numbers.

use std::sync::Arc;

use serde_json::Value as Json;

use super::binding::{Code, Encoding, RegisterSource, WordOrder};
use super::mqtt::{MqttSource, PathStep};
use crate::model::{Reason, Value};

/// Longest text of a reading, bytes: it must fit into a block of the buffer many times over.
pub const MAX_TEXT: usize = 256;

/// `raw * factor + offset`, rounded to the digits that mean something, so that `2301 * 0.1` is
/// 230.1 and not 230.10000000000002.
pub(super) fn scaled(raw: f64, factor: f64, offset: f64, decimals: u8) -> Result<f64, Reason> {
    const TENS: [f64; 10] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
    /// From here on a double has no digits after the point left to round away.
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    let value = raw * factor + offset;
    if !value.is_finite() {
        return Err(Reason::NotAvailable);
    }
    let tens = TENS[usize::from(decimals.min(9))];
    let shifted = value * tens;
    // Adding zero turns -0 into 0: nobody wants to see "-0 W".
    if shifted.abs() < WHOLE { Ok(shifted.round() / tens + 0.0) } else { Ok(value) }
}

pub(super) fn code_of_number(codes: &[Code], raw: f64) -> Result<i64, Reason> {
    codes
        .iter()
        .find(|code| code.number == Some(raw))
        .map(|code| code.code)
        .ok_or(Reason::UnknownCode)
}

pub(super) fn code_of_text(codes: &[Code], raw: &str) -> Result<i64, Reason> {
    codes.iter().find(|code| code.raw == raw).map(|code| code.code).ok_or(Reason::UnknownCode)
}

#[expect(clippy::cast_precision_loss, reason = "codes are small, the loader refuses others")]
pub(super) fn code_value(code: i64, flag: bool) -> Value {
    if flag { Value::Flag(code != 0) } else { Value::Number(code as f64) }
}

// Registers

/// The value of a point from its registers, which begin at the source's address. `factor` is
/// [`Scale::resolve`](super::Scale::resolve) for the device.
///
/// # Errors
/// `BadReply` when there are too few words or they hold what the encoding cannot (a BCD digit
/// above 9, control characters); `NotAvailable` for sentinels, NaN and infinities; `UnknownCode`.
pub fn decode_words(source: &RegisterSource, words: &[u16], factor: f64) -> Result<Value, Reason> {
    let width = usize::from(source.encoding.width());
    let words = words.get(..width).ok_or(Reason::BadReply)?;
    let raw = match source.encoding {
        Encoding::Bit => return decode_bit(source, words[0] != 0),
        Encoding::Ascii(_) => return text_value(source, ascii(words, source.order)?),
        Encoding::Utf16(_) => return text_value(source, utf16(words, source.order)?),
        encoding => number(encoding, raw_bits(words, source.order), &source.unavailable)?,
    };
    if !source.codes.is_empty() {
        return code_of_number(&source.codes, raw).map(|code| code_value(code, source.flag));
    }
    if source.flag {
        return Ok(Value::Flag(raw != 0.0));
    }
    scaled(raw, factor, source.scale.offset, source.decimals).map(Value::Number)
}

/// The value of a point from its bit.
///
/// # Errors
/// `UnknownCode` when the table of codes does not name it.
pub fn decode_bit(source: &RegisterSource, bit: bool) -> Result<Value, Reason> {
    let raw = f64::from(u8::from(bit));
    if source.codes.is_empty() {
        return Ok(if source.flag { Value::Flag(bit) } else { Value::Number(raw) });
    }
    code_of_number(&source.codes, raw).map(|code| code_value(code, source.flag))
}

/// Up to four registers as one unsigned number, most significant byte first.
fn raw_bits(words: &[u16], order: WordOrder) -> u64 {
    let join = |raw: u64, word: u16| raw << 16 | u64::from(word);
    let words = words.iter().copied();
    match order {
        WordOrder::Abcd => words.fold(0, join),
        WordOrder::Cdab => words.rev().fold(0, join),
        WordOrder::Badc => words.map(u16::swap_bytes).fold(0, join),
        WordOrder::Dcba => words.rev().map(u16::swap_bytes).fold(0, join),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a double counts to 9e15: 0.01 Wh steps up to 90 TWh"
)]
fn number(encoding: Encoding, raw: u64, unavailable: &[u64]) -> Result<f64, Reason> {
    let raw = match encoding {
        Encoding::Bits { low, len } => raw >> low & ((1 << len) - 1),
        _ => raw,
    };
    if unavailable.contains(&raw) {
        return Err(Reason::NotAvailable);
    }
    let number = match encoding {
        Encoding::Signed(words) => {
            let shift = 64 - 16 * u32::from(words);
            ((raw << shift).cast_signed() >> shift) as f64
        }
        Encoding::Float(2) => {
            f64::from(f32::from_bits(u32::try_from(raw).map_err(|_| Reason::BadReply)?))
        }
        Encoding::Float(_) => f64::from_bits(raw),
        Encoding::Bcd(words) => bcd(raw, words).ok_or(Reason::BadReply)? as f64,
        Encoding::OffsetSign if raw >= 10_000 => -((raw - 10_000) as f64),
        _ => raw as f64,
    };
    if number.is_finite() { Ok(number) } else { Err(Reason::NotAvailable) }
}

fn bcd(raw: u64, words: u8) -> Option<u64> {
    (0..u32::from(words) * 4).rev().try_fold(0u64, |number, digit| {
        let nibble = raw >> (digit * 4) & 0xF;
        (nibble <= 9).then_some(number * 10 + nibble)
    })
}

fn in_text_order(word: u16, order: WordOrder) -> u16 {
    match order {
        WordOrder::Abcd | WordOrder::Cdab => word,
        WordOrder::Badc | WordOrder::Dcba => word.swap_bytes(),
    }
}

fn ascii(words: &[u16], order: WordOrder) -> Result<String, Reason> {
    if words.iter().all(|word| *word == 0xFFFF) {
        return Err(Reason::NotAvailable);
    }
    let bytes = words.iter().flat_map(|word| in_text_order(*word, order).to_be_bytes());
    let text: String = bytes.take_while(|byte| *byte != 0).map(char::from).collect();
    checked_text(&text, text.is_ascii())
}

fn utf16(words: &[u16], order: WordOrder) -> Result<String, Reason> {
    if words.iter().all(|word| *word == 0xFFFF) {
        return Err(Reason::NotAvailable);
    }
    let units = words.iter().map(|word| in_text_order(*word, order)).take_while(|unit| *unit != 0);
    let text: Result<String, _> = char::decode_utf16(units).collect();
    checked_text(&text.map_err(|_| Reason::BadReply)?, true)
}

pub(super) fn checked_text(text: &str, ok: bool) -> Result<String, Reason> {
    let text = text.trim();
    if ok && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(Reason::BadReply)
    }
}

fn text_value(source: &RegisterSource, text: String) -> Result<Value, Reason> {
    if source.codes.is_empty() {
        return Ok(Value::Text(Arc::from(text)));
    }
    code_of_text(&source.codes, &text).map(|code| code_value(code, source.flag))
}

// Messages

/// What stands at a path of a document; `None` when it has no such place. A numeric step finds an
/// element of an array, and in an object the member of that name.
pub fn locate<'d>(document: &'d Json, path: &[PathStep]) -> Option<&'d Json> {
    path.iter().try_fold(document, |place, step| match (place, step) {
        (Json::Object(members), PathStep::Key(key)) => members.get(key.as_str()),
        (Json::Array(elements), PathStep::Index(index)) => elements.get(*index),
        (Json::Object(members), PathStep::Index(index)) => {
            let mut digits = [0u8; 20];
            members.get(decimal(*index, &mut digits))
        }
        _ => None,
    })
}

/// Writes a number without allocating.
fn decimal(mut number: usize, digits: &mut [u8; 20]) -> &str {
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        if number == 0 {
            return std::str::from_utf8(&digits[start..]).unwrap_or("");
        }
    }
}

/// The value of a point from a JSON payload; `None` when the message does not speak of it.
/// Numbers may be written as texts (`"230.1"`). `factor` as for [`decode_words`].
///
/// # Errors
/// `NotAvailable` for null, sentinels and NaN; `UnknownCode`; `BadPayload` for a wrong type or a
/// text longer than [`MAX_TEXT`].
pub fn decode_json(
    source: &MqttSource,
    document: &Json,
    factor: f64,
) -> Result<Option<Value>, Reason> {
    let Some(place) = locate(document, &source.path) else { return Ok(None) };
    match place {
        Json::Null => Err(Reason::NotAvailable),
        Json::Bool(flag) => from_bool(source, *flag),
        Json::Number(number) => {
            let number = number.as_f64().ok_or(Reason::BadPayload)?;
            from_number(source, number, factor)
        }
        Json::String(text) => decode_text(source, text, factor),
        Json::Array(_) | Json::Object(_) => Err(Reason::BadPayload),
    }
    .map(Some)
}

/// The value of a point from a plain text. `factor` as for [`decode_words`].
///
/// # Errors
/// As [`decode_json`].
pub fn decode_text(source: &MqttSource, text: &str, factor: f64) -> Result<Value, Reason> {
    let text = text.trim();
    if source.unavailable.iter().any(|absent| absent.word == text) {
        return Err(Reason::NotAvailable);
    }
    if !source.codes.is_empty() {
        return code_of_text(&source.codes, text).map(|code| code_value(code, source.flag));
    }
    if source.flag {
        return flag_word(source, text).map(Value::Flag);
    }
    if source.text {
        if text.len() > MAX_TEXT {
            return Err(Reason::BadPayload);
        }
        return Ok(Value::Text(Arc::from(text)));
    }
    let number = text.parse().map_err(|_| Reason::BadPayload)?;
    from_number(source, number, factor)
}

fn flag_word(source: &MqttSource, text: &str) -> Result<bool, Reason> {
    if let Some(flag) = source.flag_words.get(text) {
        return Ok(*flag);
    }
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    match text {
        _ if is("true") || text == "1" => Ok(true),
        _ if is("false") || text == "0" => Ok(false),
        _ => Err(Reason::BadPayload),
    }
}

fn from_bool(source: &MqttSource, flag: bool) -> Result<Value, Reason> {
    let word = if flag { "true" } else { "false" };
    if source.unavailable.iter().any(|absent| absent.word == word) {
        Err(Reason::NotAvailable)
    } else if !source.codes.is_empty() {
        code_of_text(&source.codes, word).map(|code| code_value(code, source.flag))
    } else if source.flag {
        Ok(Value::Flag(flag))
    } else {
        Err(Reason::BadPayload)
    }
}

fn from_number(source: &MqttSource, number: f64, factor: f64) -> Result<Value, Reason> {
    let absent = source.unavailable.iter().any(|absent| absent.number == Some(number));
    if !number.is_finite() || absent {
        return Err(Reason::NotAvailable);
    }
    if !source.codes.is_empty() {
        return code_of_number(&source.codes, number).map(|code| code_value(code, source.flag));
    }
    if source.flag {
        return match number {
            0.0 => Ok(Value::Flag(false)),
            1.0 => Ok(Value::Flag(true)),
            _ => Err(Reason::BadPayload),
        };
    }
    if source.text {
        // Serial numbers and message numbers are often sent bare.
        return Ok(Value::Text(Arc::from(number.to_string())));
    }
    scaled(number, factor, source.scale.offset, source.decimals).map(Value::Number)
}

#[cfg(test)]
mod tests;
