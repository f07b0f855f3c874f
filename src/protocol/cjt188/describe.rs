//! A frame in words that a script reads: JSON.

use serde_json::{Map, Value, json};

use super::super::hex;
use super::{
    BadBody, Current, DataId, Frame, HeatReading, Quantity, Status, Valve, VolumeReading, current,
    value_with_unit,
};
use crate::protocol::MeterTime;

/// The fields of a frame, bytes as hexadecimal digits: `type`, `address` (most significant first),
/// `control`, `len`, `data`, `preamble`, `checksum`.
pub fn describe(frame: &Frame) -> Value {
    let bytes = frame.to_bytes();
    json!({
        "type": format!("{:02X}", frame.meter_type.0),
        "address": frame.address.to_string(),
        "control": format!("{:02X}", frame.control),
        "len": frame.data.len(),
        "data": hex(&frame.data),
        "preamble": frame.preamble,
        "checksum": format!("{:02X}", bytes[bytes.len() - 2]),
    })
}

/// What a meter's answer means, with the name under which it belongs beside the frame: `meter` for
/// data, `valve` for a valve that was told something, `read_address`. `None` for requests, refusals
/// and other writes.
///
/// # Errors
/// The data are of a known identifier but cannot be read.
pub fn meaning(frame: &Frame) -> Result<Option<(&'static str, Value)>, BadBody> {
    let [first, second, ser, ref body @ ..] = frame.data[..] else {
        return Ok(None);
    };
    if !frame.is_reply() || frame.is_refusal() {
        return Ok(None);
    }
    let (id, _) = DataId::from_wire([first, second]);
    let mut fields = Map::new();
    fields.insert("di_wire".to_owned(), json!(hex(&[first, second])));
    fields.insert("ser".to_owned(), json!(ser));
    let name = match (frame.function(), id) {
        (0x01, DataId::CURRENT | DataId::CURRENT_HEAT_COOLING) => {
            match current(frame.meter_type, body)? {
                Current::Volume(reading) => volume(&reading, body, &mut fields),
                Current::Heat(reading) => heat(&reading, &mut fields),
            }
            "meter"
        }
        (0x01, DataId(0xD120..=0xD12B)) => {
            quantity("settlement", &value_with_unit(body)?, &mut fields);
            "meter"
        }
        (0x01 | 0x09, _) => {
            fields.insert("body".to_owned(), json!(hex(body)));
            "meter"
        }
        (0x03, _) => "read_address",
        (0x04, DataId::VALVE) => {
            if let Some(status) = body.first_chunk::<2>() {
                fields.insert("st".to_owned(), json!(hex(status)));
            }
            "valve"
        }
        _ => return Ok(None),
    };
    Ok(Some((name, Value::Object(fields))))
}

fn volume(reading: &VolumeReading, body: &[u8], into: &mut Map<String, Value>) {
    quantity("current", &reading.current, into);
    quantity("settlement", &reading.settlement, into);
    // The clock stands behind two quantities of five bytes.
    into.insert("clock_raw_le".to_owned(), json!(hex(&body[10..17])));
    clock(reading.clock, into);
    status(reading.status, into);
    let valve = reading.status.valve().map(|valve| match valve {
        Valve::Open => "open",
        Valve::Closed => "closed",
        Valve::Abnormal => "abnormal",
    });
    into.insert("valve".to_owned(), json!(valve));
    into.insert("battery_low".to_owned(), json!(reading.status.battery_low()));
}

fn heat(reading: &HeatReading, into: &mut Map<String, Value>) {
    if reading.unit_first {
        into.insert("layout".to_owned(), json!("unit byte first"));
    }
    quantity("settlement_or_cold", &reading.settlement, into);
    quantity("current_heat", &reading.current, into);
    if let Some(cooling) = &reading.cooling {
        quantity("settlement_cold", &cooling.settlement, into);
        quantity("current_cold", &cooling.current, into);
        into.insert("p_supply".to_owned(), json!(cooling.supply_pressure));
        into.insert("p_return".to_owned(), json!(cooling.return_pressure));
    }
    quantity("power", &reading.power, into);
    quantity("flow", &reading.flow, into);
    quantity("volume", &reading.volume, into);
    into.insert("t_supply".to_owned(), json!(reading.supply));
    into.insert("t_return".to_owned(), json!(reading.return_));
    into.insert("hours".to_owned(), json!(reading.hours.map(f64::from)));
    clock(reading.clock, into);
    status(reading.status, into);
}

fn quantity(name: &str, quantity: &Quantity, into: &mut Map<String, Value>) {
    into.insert(name.to_owned(), json!(quantity.value));
    let unit =
        quantity.unit.sign().map_or_else(|| format!("{:02X}H", quantity.unit.0), str::to_owned);
    into.insert(format!("{name}_unit"), json!(unit));
}

fn status(status: Status, into: &mut Map<String, Value>) {
    into.insert("st".to_owned(), json!(hex(&status.0)));
}

fn clock(clock: Option<MeterTime>, into: &mut Map<String, Value>) {
    if let Some(MeterTime { year, month, day, hour, minute, second }) = clock {
        let text = format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
        into.insert("clock".to_owned(), json!(text));
    }
}
