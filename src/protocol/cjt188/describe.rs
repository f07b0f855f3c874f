//! A frame in words that a script reads: JSON.

use serde_json::{Map, Value, json};

use super::{Current, DataId, Frame, HeatReading, Quantity, Status, Valve, VolumeReading, current};
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
