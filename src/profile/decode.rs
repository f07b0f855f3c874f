//! From raw registers and bits to the point's value.

use super::{Encoding, RegisterSource, WordOrder};
use crate::model::{Reason, Value};

/// Decodes the registers of one point; `factor` is the resolved scale.
///
/// # Errors
/// The reason why there is no usable value.
pub fn decode_words(source: &RegisterSource, words: &[u16], factor: f64) -> Result<Value, Reason> {
    let mut words = words.to_vec();
    if matches!(source.order, WordOrder::Cdab | WordOrder::Dcba) {
        words.reverse();
    }
    if matches!(source.order, WordOrder::Badc | WordOrder::Dcba) {
        words.iter_mut().for_each(|word| *word = word.swap_bytes());
    }
    let bits = words.iter().fold(0u64, |bits, &word| bits << 16 | u64::from(word));
    if source.unavailable.contains(&bits) {
        return Err(Reason::NotAvailable);
    }
    let raw = match (source.encoding, words.as_slice()) {
        (Encoding::Unsigned(_), _) => bits as f64,
        (Encoding::Signed(1), &[word]) => f64::from(word.cast_signed()),
        (Encoding::Float(2), &[high, low]) => {
            f64::from(f32::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        (Encoding::Bits { low, len }, &[word]) => {
            f64::from(u32::from(word) >> low & ((1u32 << len) - 1))
        }
        _ => return Err(Reason::BadReply),
    };
    if source.flag {
        return Ok(Value::Flag(raw != 0.0));
    }
    Ok(Value::Number(raw * factor + source.scale.offset))
}

/// Decodes one bit of a bit table.
///
/// # Errors
/// The reason why there is no usable value.
pub fn decode_bit(source: &RegisterSource, bit: bool) -> Result<Value, Reason> {
    if source.unavailable.contains(&u64::from(bit)) {
        return Err(Reason::NotAvailable);
    }
    Ok(if source.flag { Value::Flag(bit) } else { Value::Number(f64::from(u8::from(bit))) })
}
