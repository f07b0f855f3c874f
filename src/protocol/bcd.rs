//! Binary coded decimals, least significant byte first, as DL/T 645 and CJ/T 188 carry numbers.

/// A field that holds something else than decimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a nibble above 9 in a decimal field")]
pub struct NotDecimal;

/// The number in `bytes` (at most 9). `None` when all are FFH: not available. With `signed` the top
/// bit of the most significant byte is the sign.
///
/// # Errors
/// A nibble is above 9.
pub fn number(bytes: &[u8], signed: bool) -> Result<Option<i64>, NotDecimal> {
    if bytes.iter().all(|&byte| byte == 0xFF) {
        return Ok(None);
    }
    let negative = signed && bytes.last().is_some_and(|top| top & 0x80 != 0);
    let mut value: i64 = 0;
    for (place, &byte) in bytes.iter().enumerate().rev() {
        let byte = if negative && place + 1 == bytes.len() { byte & 0x7F } else { byte };
        let (high, low) = (byte >> 4, byte & 0x0F);
        if high > 9 || low > 9 {
            return Err(NotDecimal);
        }
        value = value
            .checked_mul(100)
            .and_then(|value| value.checked_add(i64::from(high * 10 + low)))
            .ok_or(NotDecimal)?;
    }
    Ok(Some(if negative { -value } else { value }))
}

/// Writes the magnitude of `value` into `bytes`, with the sign in the top bit when it is negative.
/// Returns whether it fits: digits, and for a negative one the bit.
pub fn write(value: i64, bytes: &mut [u8]) -> bool {
    let mut rest = value.unsigned_abs();
    for byte in bytes.iter_mut() {
        let pair = u8::try_from(rest % 100).expect("a remainder below 100");
        *byte = ((pair / 10) << 4) | (pair % 10);
        rest /= 100;
    }
    if value < 0
        && let Some(top) = bytes.last_mut()
    {
        if *top & 0x80 != 0 {
            return false;
        }
        *top |= 0x80;
    }
    rest == 0
}
