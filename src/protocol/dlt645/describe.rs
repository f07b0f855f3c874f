//! A frame as a document, for people and scripts. Bytes are written as upper-case hexadecimal:
//! `data` in the order of the line, all else most significant first.

use serde_json::{Map, Value, json};

use super::super::MeterTime;
use super::super::hex;
use super::address::Address;
use super::frame::Frame;
use super::items::{Item, item};
use super::request::{
    READ, READ_1997, READ_ADDRESS, READ_NEXT, RELAY, RELAY_BYTES, TIME, from_clock,
};
use super::value::{ItemValue, values};
use super::{DataId, Edition};

/// What a frame says. Always `address`, `control`, `data`, `preamble`, `checksum`; then what its
/// function carries: `di`, `more_frames`, `seq`, `value` and `unit` of a single number (`null`: the
/// meter does not have it), else `body_big_endian` and, when the identifier is known, `values` with
/// names in both languages; `error_byte`, `meter_address`, `relay`, `clock_ss_mm_hh_DD_MM_YY`.
/// `fault` says why a known identifier could not be read.
pub fn describe(frame: &Frame, edition: Edition) -> Value {
    let mut out = Map::new();
    out.insert("address".into(), json!(frame.address.to_string()));
    out.insert("control".into(), json!(format!("{:02X}", frame.control)));
    out.insert("data".into(), json!(hex(&frame.data)));
    out.insert("preamble".into(), json!(frame.preamble));
    out.insert("checksum".into(), json!(format!("{:02X}", frame.checksum())));
    if !frame.is_reply() {
        describe_request(frame, edition, &mut out);
    } else if frame.is_refusal() {
        if let Some(bits) = frame.data.first() {
            out.insert("error_byte".into(), json!(format!("{bits:02X}")));
        }
    } else {
        describe_answer(frame, edition, &mut out);
    }
    Value::Object(out)
}

fn describe_request(frame: &Frame, edition: Edition, out: &mut Map<String, Value>) {
    match frame.function() {
        TIME => {
            if let Ok(bytes) = frame.data.as_slice().try_into() {
                describe_clock(bytes, out);
            }
        }
        RELAY if frame.data.len() == RELAY_BYTES => {
            out.insert("relay".into(), relay(&frame.data));
        }
        function if carries_id(function) => {
            insert_id(DataId::from_wire(edition, &frame.data), edition, out);
        }
        _ => {}
    }
}

/// Whether a request or answer begins with an identifier: reading and writing.
fn carries_id(function: u8) -> bool {
    const WRITE: u8 = 0x14;
    const WRITE_1997: u8 = 0x04;
    matches!(function, READ | READ_NEXT | READ_1997 | WRITE | WRITE_1997)
}

fn insert_id(id: Option<DataId>, edition: Edition, out: &mut Map<String, Value>) {
    let Some(id) = id else { return };
    let width = edition.id_bytes() * 2;
    out.insert("di".into(), json!(format!("{:0width$X}", id.0)));
}

/// Some masters send the year first: said only when the bytes can be that and cannot be a clock as
/// the standard wants it.
fn describe_clock(bytes: [u8; 6], out: &mut Map<String, Value>) {
    let mut turned = bytes;
    turned.reverse();
    if let Some(time) = from_clock(bytes).filter(exists) {
        out.insert("clock_ss_mm_hh_DD_MM_YY".into(), json!(moment(time)));
    } else if let Some(time) = from_clock(turned).filter(exists) {
        out.insert("clock_year_first".into(), json!(moment(time)));
    }
}

/// Whether the calendar has it.
fn exists(time: &MeterTime) -> bool {
    let days = match time.month {
        4 | 6 | 9 | 11 => 30,
        // Two digits: every fourth year from 2000 to 2099 is a leap year.
        2 => 28 + u8::from(time.year.is_multiple_of(4)),
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&time.day) && time.hour < 24 && time.minute < 60 && time.second < 60
}

fn moment(time: MeterTime) -> String {
    let MeterTime { year, month, day, hour, minute, second } = time;
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

fn relay(data: &[u8]) -> Value {
    let until = data[10..].try_into().ok().and_then(from_clock).map(moment);
    json!({
        "pa": hex(&data[..1]),
        "password": hex(data[1..4].iter().rev()),
        "operator": hex(data[4..8].iter().rev()),
        "n1": hex(&data[8..9]),
        "n2": hex(&data[9..10]),
        "valid_until": until,
    })
}

fn describe_answer(frame: &Frame, edition: Edition, out: &mut Map<String, Value>) {
    match frame.function() {
        READ_ADDRESS => {
            if let Some(wire) = frame.data.first_chunk() {
                let address = Address::from_wire(*wire);
                out.insert("meter_address".into(), json!(address.to_string()));
            }
        }
        function @ (READ | READ_1997 | READ_NEXT) => {
            let Some(id) = DataId::from_wire(edition, &frame.data) else { return };
            insert_id(Some(id), edition, out);
            out.insert("more_frames".into(), json!(frame.more_follows()));
            let body = &frame.data[edition.id_bytes()..];
            match body.split_last() {
                Some((seq, part)) if function == READ_NEXT => {
                    out.insert("seq".into(), json!(seq));
                    out.insert("body_big_endian".into(), json!(hex(part.iter().rev())));
                }
                // A part of a value has no meaning of its own.
                _ if frame.more_follows() => {
                    out.insert("body_big_endian".into(), json!(hex(body.iter().rev())));
                }
                _ => describe_body(item(edition, id), body, out),
            }
        }
        _ => {}
    }
}

fn describe_body(item: Option<Item>, body: &[u8], out: &mut Map<String, Value>) {
    let read = item.as_ref().map(|item| (item, values(item, body)));
    if let Some((item, Ok(values))) = &read
        && let Some(field) = item.single_number()
    {
        out.insert("value".into(), values[0].as_ref().map_or(Value::Null, value));
        out.insert("unit".into(), json!(field.unit));
        return;
    }
    out.insert("body_big_endian".into(), json!(hex(body.iter().rev())));
    match read {
        Some((item, Ok(values))) => {
            let list = values.iter().enumerate().map(|(place, value)| entry(item, place, value));
            out.insert("values".into(), list.collect());
        }
        Some((_, Err(fault))) => {
            out.insert("fault".into(), json!(fault.to_string()));
        }
        None => {}
    }
}

fn entry(item: &Item, place: usize, read: &Option<ItemValue>) -> Value {
    let (name_en, name_zh) = item.field_name(place);
    let mut entry = json!({
        "name_en": name_en,
        "name_zh": name_zh,
        "value": read.as_ref().map_or(Value::Null, value),
        "unit": item.field(place).unit,
    });
    if let Some(ItemValue::Date { weekday, .. }) = read {
        entry["weekday"] = json!(weekday);
    }
    entry
}

/// A whole number stays one: meters that have no decimals must not seem to.
fn value(value: &ItemValue) -> Value {
    match value {
        ItemValue::Number { digits, decimals: 0 } => json!(digits),
        ItemValue::Number { .. } => json!(value.number()),
        other => json!(other.to_string()),
    }
}
