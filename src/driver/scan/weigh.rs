//! What a value that was read speaks for the model whose point it is.

use crate::model::{Point, Quantity, Reason, Value};
use crate::profile::{Encoding, RegisterSource};

/// Readable, in the place where the model has it.
const TEXT: f64 = 0.9;
/// Something that is not nothing, within the range.
const SOMETHING: f64 = 0.5;
/// Zero says little: unused registers hold it.
const NOTHING: f64 = 0.25;

/// How a value speaks for its point: 1 strongly, 0 not at all, below 0 against.
pub(super) fn value(point: &Point, value: &Result<Value, Reason>) -> f64 {
    match value {
        Ok(Value::Number(number)) => self::number(point, *number),
        Ok(Value::Text(text)) if text.trim().is_empty() => 0.1,
        Ok(Value::Text(_)) => TEXT,
        Ok(Value::Flag(_)) => NOTHING,
        Err(Reason::NotAvailable) => 0.1,
        Err(_) => -1.0,
    }
}

fn number(point: &Point, number: f64) -> f64 {
    if point.range.is_some_and(|(low, high)| number < low || number > high) {
        // Zero is what unused registers hold: a weaker sign against than a wrong number.
        return if number == 0.0 { -NOTHING } else { -1.0 };
    }
    // A code that the model's table knows.
    if point.quantity == Quantity::State {
        return SOMETHING;
    }
    if number == 0.0 {
        return NOTHING;
    }
    let size = number.abs();
    // Bytes in the wrong order give floats of no size that a meter shows.
    if !(1e-5..1e10).contains(&size) {
        return -1.0;
    }
    match (point.unit.code(), point.quantity) {
        ("Hz", _) => either((45.0..=65.0).contains(&number), 1.0),
        ("V", _) => either((85.0..=480.0).contains(&number), 1.0),
        ("Cel", _) => either((-45.0..=130.0).contains(&number), 0.7),
        ("%", _) => either((0.0..=100.0).contains(&number), 0.6),
        (_, Quantity::Counter) => either(number > 0.0, SOMETHING),
        _ => SOMETHING,
    }
}

fn either(plausible: bool, weight: f64) -> f64 {
    if plausible { weight } else { -0.5 }
}

/// How much a point tells about its model, for the choice of what is read.
pub(super) fn telling(point: &Point, source: &RegisterSource) -> u32 {
    let of_text = matches!(source.encoding, Encoding::Ascii(_) | Encoding::Utf16(_));
    let unit = match point.unit.code() {
        _ if of_text => 90,
        "Hz" => 100,
        "V" => 95,
        "Cel" => 70,
        "%" => 60,
        _ if point.name.contains("owerFactor") => 65,
        _ if point.quantity == Quantity::Counter => 50,
        _ if point.range.is_some() => 40,
        _ => 20,
    };
    // Codes of the model's own tell more than a range.
    if source.codes.is_empty() { unit } else { unit + 25 }
}
