//! All frames as one JSON object.

use serde_json::{Map, Value, json};

use super::{Explained, Fault, Protocol, Role};

/// One object: `protocol`, then what the frames say. Meters: `request`, `response`, and what a
/// response means beside them. Modbus and M-Bus: request and reply merged. Bytes that hold more
/// than one exchange put them into `exchanges`. With a `fault`, `valid` is false.
pub fn document(protocol: Option<Protocol>, frames: &[Explained], fault: Option<&Fault>) -> Value {
    let mut out = Map::new();
    out.insert("protocol".to_owned(), json!(protocol.map(Protocol::name)));
    let mut exchanges = exchanges(frames);
    if exchanges.len() > 1 {
        let all = exchanges.into_iter().map(Value::Object).collect();
        out.insert("exchanges".to_owned(), Value::Array(all));
    } else if let Some(only) = exchanges.pop() {
        out.extend(only);
    }
    if let Some(fault) = fault {
        out.insert("valid".to_owned(), json!(false));
        if matches!(fault, Fault::Checksum { .. }) {
            out.insert("checksum_valid".to_owned(), json!(false));
        }
        out.insert("fault".to_owned(), fault.json());
    }
    Value::Object(out)
}

/// A request with its reply, or one of them alone.
fn exchanges(frames: &[Explained]) -> Vec<Map<String, Value>> {
    let mut all: Vec<Map<String, Value>> = Vec::new();
    let mut waiting = false;
    for frame in frames {
        if frame.role == Role::Request || !waiting {
            all.push(Map::new());
        }
        waiting = frame.role == Role::Request;
        let into = all.last_mut().expect("a map was pushed for the first frame");
        if frame.protocol.is_meter() {
            let name = match frame.role {
                Role::Request => "request",
                Role::Reply => "response",
            };
            into.insert(name.to_owned(), Value::Object(frame.fields.clone()));
            if let Some((name, value)) = &frame.beside {
                into.insert((*name).to_owned(), value.clone());
            }
        } else {
            for (key, value) in &frame.fields {
                // Of M-Bus, control byte and address are the request's.
                let keep = frame.protocol == Protocol::Mbus && matches!(key.as_str(), "c" | "a");
                if !keep || !into.contains_key(key) {
                    into.insert(key.clone(), value.clone());
                }
            }
        }
    }
    all
}
