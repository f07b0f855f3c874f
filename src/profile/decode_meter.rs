//! From the bytes of RS-485 meters to values in the point's unit.

use super::meter::{ItemSource, MeterSource};
use crate::model::{Reason, Value};
use crate::protocol::cjt188::Current;

/// The value of a point from its bytes in the data of a DL/T 645 identifier.
///
/// # Errors
/// `BadReply` when the field cannot be what it says; `NotAvailable` for FFH; `UnknownCode`.
pub fn decode_item(source: &ItemSource, bytes: &[u8], factor: f64) -> Result<Value, Reason> {
    Err(if source.decimals > 9 || bytes.is_empty() || factor.is_nan() {
        Reason::BadReply
    } else {
        Reason::NotAvailable
    })
}

/// The value of a point from the data of a CJ/T 188 identifier; `current` is the data of 901F
/// decoded, when it is that and can be.
///
/// # Errors
/// As [`decode_item`].
pub fn decode_meter(
    source: &MeterSource,
    body: &[u8],
    current: Option<&Current>,
    factor: f64,
) -> Result<Value, Reason> {
    Err(if source.decimals > 9 || body.is_empty() || current.is_none() || factor.is_nan() {
        Reason::BadReply
    } else {
        Reason::NotAvailable
    })
}
