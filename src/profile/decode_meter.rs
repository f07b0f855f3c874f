//! From the bytes of RS-485 meters to values in the point's unit. No allocation for numbers.

use std::sync::Arc;

use super::binding::{Code, Scale};
use super::decode::{checked_text, code_of_number, code_of_text, code_value, scaled};
use super::meter::{ItemSource, MeterField, MeterPlace, MeterSource};
use crate::model::{Reason, Value};
use crate::protocol::bcd;
use crate::protocol::cjt188::{Current, Dimension, HeatReading, Quantity, Status, value_with_unit};

/// What a point makes of what its bytes say.
struct Meaning<'s> {
    scale: &'s Scale,
    codes: &'s [Code],
    flag: bool,
    decimals: u8,
    factor: f64,
}

/// What bytes say, before scale and codes.
enum Raw {
    Number(f64),
    Text(String),
}

impl Meaning<'_> {
    fn value(&self, raw: Raw) -> Result<Value, Reason> {
        match raw {
            Raw::Number(raw) if !self.codes.is_empty() => {
                code_of_number(self.codes, raw).map(|code| code_value(code, self.flag))
            }
            Raw::Number(raw) if self.flag => Ok(Value::Flag(raw != 0.0)),
            Raw::Number(raw) => {
                scaled(raw, self.factor, self.scale.offset, self.decimals).map(Value::Number)
            }
            Raw::Text(text) if self.codes.is_empty() => Ok(Value::Text(Arc::from(text))),
            Raw::Text(text) => {
                code_of_text(self.codes, &text).map(|code| code_value(code, self.flag))
            }
        }
    }
}

/// The value of a point from its bytes in the data of a DL/T 645 identifier; `bytes` begin with the
/// point's own, `factor` is [`Scale::resolve`] for the device.
///
/// # Errors
/// `BadReply` when there are too few bytes or they hold what the field cannot (a digit above 9,
/// control characters); `NotAvailable` when all are FFH, and for a text of padding alone;
/// `UnknownCode` when the table of codes does not name it.
pub fn decode_item(source: &ItemSource, bytes: &[u8], factor: f64) -> Result<Value, Reason> {
    let ItemSource { scale, codes, flag, decimals, .. } = source;
    let meaning = Meaning { scale, codes, flag: *flag, decimals: *decimals, factor };
    meaning.value(read(source.field, bytes)?)
}

/// The value of a point from the data of a CJ/T 188 identifier, without identifier and sequence
/// number; `current` is the data of 901F decoded, when it is that and can be. `factor` as for
/// [`decode_item`]; quantities come in the base unit of their place whatever unit the meter sent.
///
/// # Errors
/// As [`decode_item`]; `BadReply` also when the meter's layout has no such place or its unit
/// measures something else.
pub fn decode_meter(
    source: &MeterSource,
    body: &[u8],
    current: Option<&Current>,
    factor: f64,
) -> Result<Value, Reason> {
    let MeterSource { scale, codes, flag, decimals, .. } = source;
    let meaning = Meaning { scale, codes, flag: *flag, decimals: *decimals, factor };
    let raw = match source.place {
        MeterPlace::Raw { at, field } => {
            read(field, body.get(usize::from(at)..).ok_or(Reason::BadReply)?)?
        }
        MeterPlace::Quantity => {
            let quantity = value_with_unit(body).map_err(|_| Reason::BadReply)?;
            Raw::Number(in_base(quantity, None)?)
        }
        place => Raw::Number(placed(place, current.ok_or(Reason::BadReply)?)?),
    };
    meaning.value(raw)
}

/// A place of the current reading, as a number in its base unit.
fn placed(place: MeterPlace, current: &Current) -> Result<f64, Reason> {
    let status = match current {
        Current::Volume(reading) => reading.status,
        Current::Heat(reading) => reading.status,
    };
    match (place, current) {
        (MeterPlace::Valve, _) => valve(status),
        (MeterPlace::BatteryLow, _) => {
            status.battery_low().map(|low| f64::from(u8::from(low))).ok_or(Reason::NotAvailable)
        }
        (MeterPlace::Volume, Current::Volume(reading)) => {
            in_base(reading.current, Some(Dimension::Volume))
        }
        (MeterPlace::SettlementVolume, Current::Volume(reading)) => {
            in_base(reading.settlement, Some(Dimension::Volume))
        }
        (place, Current::Heat(reading)) => heat(place, reading),
        _ => Err(Reason::BadReply),
    }
}

fn heat(place: MeterPlace, reading: &HeatReading) -> Result<f64, Reason> {
    let cooling = || reading.cooling.ok_or(Reason::BadReply);
    match place {
        MeterPlace::Volume => in_base(reading.volume, Some(Dimension::Volume)),
        MeterPlace::Heat => in_base(reading.current, Some(Dimension::Energy)),
        MeterPlace::SettlementHeat => in_base(reading.settlement, Some(Dimension::Energy)),
        MeterPlace::Cold => in_base(cooling()?.current, Some(Dimension::Energy)),
        MeterPlace::SettlementCold => in_base(cooling()?.settlement, Some(Dimension::Energy)),
        MeterPlace::Power => in_base(reading.power, Some(Dimension::Power)),
        MeterPlace::Flow => in_base(reading.flow, Some(Dimension::Flow)),
        MeterPlace::FlowTwoDecimals => in_base(reading.flow_with(2), Some(Dimension::Flow)),
        MeterPlace::SupplyTemperature => reading.supply.ok_or(Reason::NotAvailable),
        MeterPlace::ReturnTemperature => reading.return_.ok_or(Reason::NotAvailable),
        MeterPlace::Hours => reading.hours.map(f64::from).ok_or(Reason::NotAvailable),
        _ => Err(Reason::BadReply),
    }
}

/// 0 open, 1 closed, 3 abnormal; 2 is not defined.
fn valve(Status([first, _]): Status) -> Result<f64, Reason> {
    match first {
        0xFF => Err(Reason::NotAvailable),
        _ if first & 3 == 2 => Err(Reason::UnknownCode),
        _ => Ok(f64::from(first & 3)),
    }
}

/// The quantity in the base unit of its dimension, which must be the one that is expected.
fn in_base(quantity: Quantity, expected: Option<Dimension>) -> Result<f64, Reason> {
    let value = quantity.value.ok_or(Reason::NotAvailable)?;
    match quantity.unit.dimension() {
        Some(dimension) if expected.is_none_or(|expected| expected == dimension) => {
            quantity.in_base().ok_or(Reason::BadReply)
        }
        // Number and unit all zero: a field that the meter does not fill.
        None if value == 0.0 && quantity.unit.0 == 0 => Err(Reason::NotAvailable),
        _ => Err(Reason::BadReply),
    }
}

fn read(field: MeterField, bytes: &[u8]) -> Result<Raw, Reason> {
    let bytes = bytes.get(..usize::from(field.length())).ok_or(Reason::BadReply)?;
    // Empty ones cannot be: the loader refuses fields of no length.
    if bytes.iter().all(|&byte| byte == 0xFF) {
        return Err(Reason::NotAvailable);
    }
    match field {
        MeterField::Bcd { signed, .. } => {
            let number = bcd::number(bytes, signed).map_err(|_| Reason::BadReply)?;
            #[expect(
                clippy::cast_precision_loss,
                reason = "15 digits are exact; no meter counts more, whatever its field holds"
            )]
            number.map(|number| Raw::Number(number as f64)).ok_or(Reason::NotAvailable)
        }
        MeterField::Bits { low, count, .. } => {
            let whole = bytes.iter().rev().fold(0u64, |whole, &byte| whole << 8 | u64::from(byte));
            let bits = whole >> low & ((1 << count) - 1);
            Ok(Raw::Number(f64::from(u32::try_from(bits).map_err(|_| Reason::BadReply)?)))
        }
        MeterField::Ascii { .. } => text(bytes),
        MeterField::Digits { .. } => digits(bytes),
    }
}

/// Characters, the last byte first; padding of NUL, blank and FFH is dropped.
fn text(bytes: &[u8]) -> Result<Raw, Reason> {
    let kept = bytes.iter().rev().filter(|&&byte| byte != 0 && byte != 0xFF);
    let text: String = kept.map(|&byte| char::from(byte)).collect();
    let text = checked_text(&text, text.is_ascii())?;
    if text.is_empty() { Err(Reason::NotAvailable) } else { Ok(Raw::Text(text)) }
}

fn digits(bytes: &[u8]) -> Result<Raw, Reason> {
    let mut text = String::with_capacity(bytes.len() * 2);
    for nibble in bytes.iter().rev().flat_map(|byte| [byte >> 4, byte & 0x0F]) {
        if nibble > 9 {
            return Err(Reason::BadReply);
        }
        text.push(char::from(b'0' + nibble));
    }
    Ok(Raw::Text(text))
}

#[cfg(test)]
mod tests;
