//! A frame in words that a script reads: JSON. Quantities and units carry the names that pyMeterBus
//! prints, so that its users find what they know.

use serde_json::{Map, Value, json};

use super::super::hex;
use super::{Amount, Frame, Header, Record, RecordFault, records};

/// Adds what a frame says to `into`. Control byte and address of a request stay when its answer is
/// added.
///
/// # Errors
/// The records cannot be read.
pub fn describe(frame: &Frame, into: &mut Map<String, Value>) -> Result<(), RecordFault> {
    let mut station = |c: u8, a: u8| {
        into.entry("c").or_insert_with(|| json!(format!("{c:02X}")));
        into.entry("a").or_insert_with(|| json!(a));
    };
    match frame {
        Frame::Ack => {
            into.insert("ack".to_owned(), json!(true));
        }
        Frame::Short { c, a } => station(*c, *a),
        Frame::Long { c, a, ci, data } => {
            station(*c, *a);
            into.insert("ci".to_owned(), json!(format!("{ci:02X}")));
            content(*ci, data, into)?;
        }
    }
    Ok(())
}

fn content(ci: u8, data: &[u8], into: &mut Map<String, Value>) -> Result<(), RecordFault> {
    let mut put = |key: &str, value: Value| into.insert(key.to_owned(), value);
    let short = |need| RecordFault::Short { offset: 0, have: data.len(), need };
    let body = match ci {
        0x52 | 0x56 => {
            let header = Header::parse(data).ok_or(short(8))?;
            put("secondary_id", json!(format!("{:08X}", header.id)));
            if let Some(wild) = wildcards(&header) {
                put("wildcards", json!(wild));
            }
            return Ok(());
        }
        0x72 => {
            let header = Header::parse(data).ok_or(short(12))?;
            let body = data.get(12..).ok_or(short(12))?;
            put("id", json!(format!("{:08X}", header.id)));
            put("manufacturer", json!(header.letters()));
            put("version", json!(header.version));
            put("medium", json!(format!("{:#x}", header.medium)));
            put("access_no", json!(data[8]));
            put("status", json!(format!("{:02X}", data[9])));
            body
        }
        0x7A => {
            let body = data.get(4..).ok_or(short(4))?;
            put("access_no", json!(data[0]));
            put("status", json!(format!("{:02X}", data[1])));
            body
        }
        0x78 | 0x51 => data,
        _ => {
            put("data", json!(hex(data)));
            return Ok(());
        }
    };
    // A signature other than 0 announces encryption: the rest is no records.
    let signature = match ci {
        0x72 => &data[10..12],
        0x7A => &data[2..4],
        _ => &[],
    };
    if signature.iter().any(|&byte| byte != 0) {
        put("encrypted", json!(hex(body)));
        return Ok(());
    }
    let (found, more) = records(body)?;
    put("records", found.iter().map(record).collect());
    if more {
        put("more_telegrams", json!(true));
    }
    Ok(())
}

fn record(record: &Record) -> Value {
    let value = match &record.amount {
        Amount::None => Value::Null,
        Amount::Number(number) => json!(number),
        Amount::Text(text) => json!(text),
    };
    let mut fields = json!({
        "type": format!("VIFUnit.{}", record.quantity),
        "value": value,
        "unit": format!("MeasureUnit.{}", record.unit),
    });
    if record.storage != 0 {
        fields["storage"] = json!(record.storage);
    }
    if record.function != 0 {
        fields["function"] =
            json!(["", "maximum", "minimum", "error"][usize::from(record.function)]);
    }
    fields
}

fn wildcards(header: &Header) -> Option<String> {
    let parts: Vec<&str> = [
        (header.manufacturer == 0xFFFF, "manufacturer"),
        (header.version == 0xFF, "version"),
        (header.medium == 0xFF, "medium"),
    ]
    .iter()
    .filter_map(|&(wild, name)| wild.then_some(name))
    .collect();
    (!parts.is_empty()).then(|| format!("{} FF", parts.join("/")))
}

/// What is measured, in English and Chinese.
pub fn medium_names(medium: u8) -> (&'static str, &'static str) {
    match medium {
        0x02 => ("electricity", "电能"),
        0x03 => ("gas", "燃气"),
        0x04 | 0x0C => ("heat", "热量"),
        0x06 => ("warm water", "热水"),
        0x07 => ("water", "水"),
        0x08 => ("heat cost allocator", "热分配"),
        0x0A | 0x0B => ("cooling", "冷量"),
        0x0D => ("heat and cooling", "冷热量"),
        0x15 => ("hot water", "高温热水"),
        0x16 => ("cold water", "冷水"),
        0xFF => ("any", "任意"),
        _ => ("other", "其他"),
    }
}
