//! From values back to registers: what a simulated device of the model would hold.

use super::binding::{Encoding, RegisterSource, WordOrder};
use crate::model::Value;

/// Why a value cannot stand in a point's registers.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EncodeError {
    /// A text for a number, or the reverse.
    #[error("`{0}` is of the wrong type for this encoding")]
    WrongType(Value),
    /// Too large, too small, too long, or negative where no sign fits.
    #[error("`{0}` does not fit into {1} registers")]
    DoesNotFit(Value, u16),
    /// None of the profile's codes.
    #[error("`{0}` is none of the profile's codes")]
    UnknownCode(Value),
    /// A factor of zero cannot be undone.
    #[error("factor {0} cannot be undone")]
    Factor(f64),
}

/// The registers that [`decode_words`](super::decode_words) reads as `value`; as many as the
/// encoding is wide. `factor` as there.
///
/// # Errors
/// [`EncodeError`] says why there are none.
pub fn encode_words(
    source: &RegisterSource,
    value: &Value,
    factor: f64,
) -> Result<Vec<u16>, EncodeError> {
    match source.encoding {
        Encoding::Bit => return Ok(vec![u16::from(encode_bit(source, value)?)]),
        Encoding::Ascii(_) | Encoding::Utf16(_) => return text_words(source, value),
        _ => {}
    }
    let width = source.encoding.width();
    let misfit = || EncodeError::DoesNotFit(value.clone(), width);
    let raw = if source.codes.is_empty() {
        raw_number(source, value, factor)?
    } else {
        raw_code(source, value)?.parse().map_err(|_| EncodeError::WrongType(value.clone()))?
    };
    let bits = number_bits(source.encoding, raw).ok_or_else(misfit)?;
    Ok(words(bits, width, source.order))
}

/// The bit that [`decode_bit`](super::decode_bit) reads as `value`.
///
/// # Errors
/// A text, or none of the profile's codes.
pub fn encode_bit(source: &RegisterSource, value: &Value) -> Result<bool, EncodeError> {
    if source.codes.is_empty() {
        let number = value.number().ok_or_else(|| EncodeError::WrongType(value.clone()))?;
        return Ok(number != 0.0);
    }
    raw_code(source, value).map(|raw| raw != "0")
}

fn raw_code<'s>(source: &'s RegisterSource, value: &Value) -> Result<&'s str, EncodeError> {
    let number = value.number().ok_or_else(|| EncodeError::WrongType(value.clone()))?;
    #[expect(clippy::cast_precision_loss, reason = "codes are small, the loader refuses others")]
    let found = source.codes.iter().find(|code| match value {
        Value::Flag(flag) => (code.code != 0) == *flag,
        _ => code.code as f64 == number,
    });
    found.map(|code| code.raw.as_str()).ok_or_else(|| EncodeError::UnknownCode(value.clone()))
}

fn raw_number(source: &RegisterSource, value: &Value, factor: f64) -> Result<f64, EncodeError> {
    let number = value.number().ok_or_else(|| EncodeError::WrongType(value.clone()))?;
    if source.flag {
        return Ok(number);
    }
    let raw = (number - source.scale.offset) / factor;
    if raw.is_finite() { Ok(raw) } else { Err(EncodeError::Factor(factor)) }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "every cast follows its range check; an f32 is meant to round"
)]
fn number_bits(encoding: Encoding, raw: f64) -> Option<u64> {
    let whole = raw.round();
    let unsigned = |bits: u32| {
        let limit = 2f64.powi(bits.cast_signed());
        (0.0..limit).contains(&whole).then_some(whole as u64)
    };
    match encoding {
        Encoding::Unsigned(words) => unsigned(16 * u32::from(words)),
        Encoding::Bits { low, len } => unsigned(u32::from(len)).map(|bits| bits << low),
        Encoding::Signed(words) => {
            let bits = 16 * u32::from(words);
            let limit = 2f64.powi(bits.cast_signed() - 1);
            let mask = u64::MAX >> (64 - bits);
            (-limit..limit).contains(&whole).then_some((whole as i64).cast_unsigned() & mask)
        }
        Encoding::Float(2) => {
            let single = raw as f32;
            single.is_finite().then_some(u64::from(single.to_bits()))
        }
        Encoding::Float(_) => Some(raw.to_bits()),
        Encoding::Bcd(words) => {
            let digits = 4 * u32::from(words);
            let mut rest = unsigned(54)?;
            let mut bits = 0;
            for digit in 0..digits {
                bits |= (rest % 10) << (4 * digit);
                rest /= 10;
            }
            (rest == 0).then_some(bits)
        }
        Encoding::OffsetSign if whole < 0.0 => {
            (whole > -55_536.0).then_some((10_000.0 - whole) as u64)
        }
        Encoding::OffsetSign => (whole < 10_000.0).then_some(whole as u64),
        Encoding::Bit | Encoding::Ascii(_) | Encoding::Utf16(_) => None,
    }
}

fn words(bits: u64, width: u16, order: WordOrder) -> Vec<u16> {
    let [a, b, c, d, e, f, g, h] = bits.to_be_bytes();
    let all = [[a, b], [c, d], [e, f], [g, h]].map(u16::from_be_bytes);
    let mut words = all[4 - usize::from(width)..].to_vec();
    if matches!(order, WordOrder::Cdab | WordOrder::Dcba) {
        words.reverse();
    }
    swap_for(order, &mut words);
    words
}

fn swap_for(order: WordOrder, words: &mut [u16]) {
    if matches!(order, WordOrder::Badc | WordOrder::Dcba) {
        words.iter_mut().for_each(|word| *word = word.swap_bytes());
    }
}

fn text_words(source: &RegisterSource, value: &Value) -> Result<Vec<u16>, EncodeError> {
    let width = source.encoding.width();
    let text = match value {
        Value::Text(text) if source.codes.is_empty() => &**text,
        _ => raw_code(source, value)?,
    };
    let mut words: Vec<u16> = match source.encoding {
        Encoding::Ascii(_) if !text.is_ascii() => {
            return Err(EncodeError::WrongType(value.clone()));
        }
        Encoding::Ascii(_) => text
            .as_bytes()
            .chunks(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]))
            .collect(),
        _ => text.encode_utf16().collect(),
    };
    if words.len() > usize::from(width) {
        return Err(EncodeError::DoesNotFit(value.clone(), width));
    }
    words.resize(usize::from(width), 0);
    swap_for(source.order, &mut words);
    Ok(words)
}
