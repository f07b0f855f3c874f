//! Every frame of the vectors, read and built.

use serde_json::Value;

use super::super::super::MeterTime;
use super::super::items::Item;
use super::*;

struct Vector {
    edition: Edition,
    name: String,
    all: Value,
}

fn vectors() -> Vec<Vector> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/vectors.json");
    let all: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let ours = all.into_iter().filter_map(|all| {
        let edition = match all["protocol"].as_str()? {
            "dlt645-2007" => Edition::V2007,
            "dlt645-1997" => Edition::V1997,
            _ => return None,
        };
        let name = all["name"].as_str()?.to_owned();
        Some(Vector { edition, name, all })
    });
    let ours: Vec<Vector> = ours.collect();
    assert_eq!(ours.len(), 44);
    ours
}

impl Vector {
    /// Bytes and what they mean, of the request and the response, as far as they are there.
    fn frames(&self) -> impl Iterator<Item = (&'static str, Vec<u8>, &Value)> {
        ["request", "response"].into_iter().filter_map(|side| {
            let bytes = hex(self.all[format!("{side}_hex")].as_str()?);
            Some((side, bytes, &self.all["decoded"][side]))
        })
    }

    fn damaged(&self) -> bool {
        self.all["decoded"]["checksum_valid"] == Value::Bool(false)
    }
}

#[test]
fn every_vector_is_described_as_written() {
    let mut seen = 0;
    for vector in vectors() {
        for (side, bytes, wanted) in vector.frames() {
            let at = format!("{} ({side})", vector.name);
            let mut said = if vector.damaged() {
                let damaged = find_damaged(&bytes).expect("it is damaged");
                let mut said = describe(&damaged.frame, vector.edition);
                said["checksum"] = Value::from(format!("{:02X}", damaged.checksum));
                said
            } else {
                let frame = only(&bytes);
                assert_eq!(find_damaged(&bytes), None, "{at}");
                assert_eq!(Edition::of(&frame), vector.edition, "{at}");
                describe(&frame, vector.edition)
            };
            let said = said.as_object_mut().unwrap();
            said.remove("values");
            assert_eq!(said.get("fault"), None, "{at}");
            // Those of 1997 were written with some of the keys only.
            let wanted = wanted.as_object().unwrap();
            if vector.edition == Edition::V1997 {
                said.retain(|key, _| wanted.contains_key(key));
            }
            assert_eq!(said, wanted, "{at}");
            seen += 1;
        }
    }
    assert_eq!(seen, 67);
}

#[test]
fn a_wrong_check_sum_is_refused_and_can_be_shown() {
    let vector = vectors().into_iter().find(Vector::damaged).unwrap();
    let (_, bytes, _) = vector.frames().next().unwrap();
    assert_eq!(find(&bytes), Found::More { from: bytes.len(), damaged: true });
    let damaged = find_damaged(&bytes).unwrap();
    assert_eq!((damaged.range, damaged.checksum, damaged.end), (0..bytes.len(), 0x55, 0x16));
    assert_eq!(damaged.frame.checksum(), 0x54);
}

#[test]
fn every_vector_is_built_from_its_meaning() {
    for vector in vectors() {
        for (side, bytes, meaning) in vector.frames() {
            let at = format!("{} ({side})", vector.name);
            // The vectors of 1997 leave out the address of requests and all preambles.
            let preamble = bytes.iter().take_while(|&&byte| byte == 0xFE).count();
            let mut wire = [0; 6];
            wire.copy_from_slice(&bytes[preamble + 1..preamble + 7]);
            let address = meaning["address"]
                .as_str()
                .map_or(Address::from_wire(wire), |text| text.parse().unwrap());
            let mut frame = if side == "request" {
                build_request(vector.edition, address, meaning)
            } else {
                build_response(vector.edition, address, meaning)
            };
            frame.preamble = u8::try_from(preamble).unwrap();
            let mut built = frame.to_bytes();
            if vector.damaged() {
                let place = built.len() - 2;
                assert_ne!(built[place], bytes[place], "{at}");
                built[place] = bytes[place];
            }
            assert_eq!(built, bytes, "{at}");
        }
    }
}

fn text<'a>(meaning: &'a Value, key: &str) -> &'a str {
    meaning[key].as_str().unwrap_or_else(|| panic!("{key} in {meaning}"))
}

fn byte(meaning: &Value, key: &str) -> u8 {
    u8::from_str_radix(text(meaning, key), 16).unwrap()
}

fn id(meaning: &Value) -> DataId {
    DataId(u32::from_str_radix(text(meaning, "di"), 16).unwrap())
}

fn time(text: &str) -> MeterTime {
    let numbers: Vec<u16> = text.split(['-', ' ', ':']).map(|n| n.parse().unwrap()).collect();
    let small = |place: usize| u8::try_from(numbers[place]).unwrap();
    MeterTime {
        year: numbers[0],
        month: small(1),
        day: small(2),
        hour: small(3),
        minute: small(4),
        second: small(5),
    }
}

fn build_request(edition: Edition, address: Address, meaning: &Value) -> Frame {
    match byte(meaning, "control") {
        0x01 | 0x11 => read(edition, address, id(meaning)),
        0x12 => read_next(address, id(meaning), *hex(text(meaning, "data")).last().unwrap()),
        0x08 => {
            let turned = meaning.get("clock_year_first");
            let clock = turned.unwrap_or_else(|| &meaning["clock_ss_mm_hh_DD_MM_YY"]);
            let mut frame = time_sync(time(clock.as_str().unwrap()));
            if turned.is_some() {
                frame.data.reverse();
            }
            assert_eq!(frame.address, address);
            frame
        }
        0x1C => {
            let asked = &meaning["relay"];
            let wanted = Relay {
                act: RelayAct::from_code(byte(asked, "n1")).unwrap(),
                level: byte(asked, "pa"),
                password: hex(text(asked, "password")).try_into().unwrap(),
                operator: hex(text(asked, "operator")).try_into().unwrap(),
                valid_until: time(text(asked, "valid_until")),
            };
            let frame = relay(address, &wanted);
            assert!(Relay::from_request(&frame) == Some(wanted));
            frame
        }
        other => panic!("no request {other:02X} in the vectors"),
    }
}

fn build_response(edition: Edition, address: Address, meaning: &Value) -> Frame {
    let control = byte(meaning, "control");
    let mut request = read(edition, address, DataId(0));
    request.control = control & 0x1F;
    match control {
        0xD1 | 0xDC => answer_refused(&request, ErrorBits(byte(meaning, "error_byte"))),
        0x93 => answer_address(&request, text(meaning, "meter_address").parse().unwrap()),
        0x9C => answer_done(&request),
        0x81 | 0x91 | 0x92 => {
            let id = id(meaning);
            let more = meaning.get("more_frames").is_some_and(|more| more.as_bool().unwrap());
            let seq = meaning.get("seq").map(|seq| u8::try_from(seq.as_u64().unwrap()).unwrap());
            let item = item(edition, id);
            let body = match meaning.get("value") {
                Some(value) => single(item.as_ref().unwrap(), value),
                None => {
                    let mut body = hex(text(meaning, "body_big_endian"));
                    body.reverse();
                    if let Some(item) = item {
                        let read = values(&item, &body).unwrap();
                        assert_eq!(encode(&item, &read).unwrap(), body);
                    }
                    body
                }
            };
            answer_data(&request, id, &body, more, seq)
        }
        other => panic!("no response {other:02X} in the vectors"),
    }
}

fn single(item: &Item, value: &Value) -> Vec<u8> {
    let decimals = item.single_number().unwrap().decimals;
    let scaled = |value: f64| (value * 10_f64.powi(i32::from(decimals))).round() as i64;
    let value = value.as_f64().map(|value| ItemValue::Number { digits: scaled(value), decimals });
    encode(item, &[value]).unwrap()
}
