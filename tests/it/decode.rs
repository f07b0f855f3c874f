//! `linli decode` over every vector of the field, and over bytes that are wrong.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::{Map, Number, Value};

use crate::parts::program;

/// Keys that need the map of a device, that name what another library does, or that are remarks.
const LEFT_OUT: &[&str] = &[
    "note",
    "pymodbus_pdu",
    "split_after",
    "expected_result",
    "temperature_c",
    "humidity_pct",
    "energy_kwh",
];

/// Keys that `--as` adds.
const TYPES: &[&str] = &["float32_be", "i32_word_swapped", "u64"];

/// Vectors that are wrong on purpose, and the fault that must be named.
const WRONG: &[(&str, &str)] = &[
    ("same reply with wrong checksum (negative test)", "checksum"),
    ("reply from another unit id (negative test)", "not_the_answer"),
    ("short reply: byte count 2 for a 2-register read (negative test)", "not_the_answer"),
    ("MBAP length field larger than the frame (negative test)", "short"),
    ("late reply with an old transaction id (negative test)", "not_the_answer"),
];

fn linli(arguments: &[&str]) -> Output {
    Command::new(program()).arg("decode").args(arguments).output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn vectors() -> Vec<Value> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/vectors.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// What `expected` asks for and `got` does not have. Where `exact`, `got` may have no more keys.
fn difference(expected: &Value, got: &Value, exact: bool, at: &str, into: &mut Vec<String>) {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            for (key, value) in expected.iter().filter(|(key, _)| !LEFT_OUT.contains(&key.as_str()))
            {
                let place = format!("{at}/{key}");
                match got.get(key) {
                    Some(got) => difference(value, got, exact, &place, into),
                    None => into.push(format!("{place} is missing")),
                }
            }
            let more = got.keys().filter(|key| exact && !expected.contains_key(*key));
            into.extend(more.map(|key| format!("{at}/{key} is too much")));
        }
        (Value::Array(expected), Value::Array(got)) if expected.len() == got.len() => {
            for (place, (expected, got)) in expected.iter().zip(got).enumerate() {
                difference(expected, got, exact, &format!("{at}/{place}"), into);
            }
        }
        (Value::Number(a), Value::Number(b)) if same(a, b, at == "float32_be") => {}
        _ if expected == got => {}
        _ => into.push(format!("{at}: {expected} expected, got {got}")),
    }
}

/// Whether two numbers are equal. `single`: as far as single precision goes; the file says 230.2
/// where the registers hold the float beside it.
fn same(a: &Number, b: &Number, single: bool) -> bool {
    let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
    a == b || single && (a - b).abs() <= f64::from(f32::EPSILON) * a.abs()
}

/// Remarks and what is left out stand beside the frames; the object of a meter is compared whole.
fn parts(decoded: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    decoded.iter().filter(|(key, _)| !LEFT_OUT.contains(&key.as_str()))
}

#[test]
fn every_vector_is_decoded_as_the_file_says_with_and_without_its_protocol_named() {
    let mut wrong = Vec::new();
    for vector in vectors() {
        let name = vector["name"].as_str().unwrap();
        let protocol = vector["protocol"].as_str().unwrap();
        let fault = WRONG.iter().find(|(wrong, _)| *wrong == name).map(|(_, fault)| *fault);
        let bytes = ["request_hex", "response_hex"].iter().filter_map(|key| vector[key].as_str());
        let bytes: Vec<&str> = bytes.collect();
        for named in [true, false] {
            let mut arguments = vec!["--json"];
            if named {
                arguments.extend(["--protocol", protocol]);
            }
            let decoded = vector["decoded"].as_object().unwrap();
            if let Some(kind) = TYPES.iter().find(|kind| decoded.contains_key(**kind)) {
                arguments.extend(["--as", kind]);
            }
            arguments.extend(&bytes);
            let output = linli(&arguments);
            let got = json(&output);
            let mut faults = Vec::new();
            if got["fault"]["kind"].as_str() != fault {
                faults.push(format!("fault {} instead of {fault:?}", got["fault"]));
            }
            if output.status.code() != Some(i32::from(fault.is_some())) {
                faults.push(format!("exit code {:?}", output.status.code()));
            }
            if got["protocol"] != protocol {
                faults.push(format!("taken for {}", got["protocol"]));
            }
            for key in ["request", "response", "meter", "valve", "read_address"] {
                if got.get(key).is_some() && !decoded.contains_key(key) {
                    faults.push(format!("{key} is too much"));
                }
            }
            for (key, value) in parts(decoded) {
                // A value that a device's map gives.
                if name.contains("must decode to null") && key == "value" {
                    continue;
                }
                let exact = protocol == "cjt188";
                difference(value, &got[key], exact, key, &mut faults);
            }
            wrong.extend(faults.iter().map(|fault| format!("{name} (named: {named}): {fault}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_text_shows_every_byte_of_every_vector_in_both_languages() {
    for vector in vectors() {
        let bytes = ["request_hex", "response_hex"].iter().filter_map(|key| vector[key].as_str());
        let protocol = vector["protocol"].as_str().unwrap();
        let bytes: Vec<&str> = bytes.collect();
        let arguments: Vec<&str> =
            ["--protocol", protocol].into_iter().chain(bytes.iter().copied()).collect();
        let output = linli(&arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        let mut shown = String::new();
        for line in text.lines().filter(|line| line.starts_with(' ')) {
            let column: String = line.chars().skip(6).take(36).collect();
            shown.extend(column.split_whitespace());
        }
        let all: String = bytes.concat().split_whitespace().collect();
        let name = &vector["name"];
        // Of a frame that is cut, nothing is shown.
        if !name.as_str().unwrap().contains("larger than the frame") {
            assert_eq!(shown, all, "{name}\n{text}");
            assert!(text.contains(" | "), "{name}");
        }
    }
}

#[test]
fn a_wrong_check_sum_is_said_with_the_right_one_in_both_languages() {
    let bytes = "68 10 AA AA AA AA AA AA AA 01 03 90 1F AA 7C 16";
    let output = linli(&[bytes]);
    assert_eq!(output.status.code(), Some(1));
    let fault = String::from_utf8(output.stderr).unwrap();
    for part in ["7C", "7B", "byte 14", "check sum", "校验错误"] {
        assert!(fault.contains(part), "`{part}` is missing in: {fault}");
    }
    let got = json(&linli(&["--json", bytes]));
    assert_eq!(got["fault"]["expected"], "7B");
    assert_eq!(got["request"]["checksum"], "7C", "what the wire carried");
    assert_eq!(got["checksum_valid"], false);
}

#[test]
fn a_cut_frame_says_how_many_bytes_are_missing() {
    for (bytes, missing) in [
        ("68 10 AA AA AA AA AA AA AA 01 03 90 1F AA", 2),
        ("010300000002C40B 01 03 04 00 01 00", 3),
        ("00 09 00 00 00 20 01 03 02 00 05", 27),
        ("68 0B 0B 68 53 FD 52 78 56 34 12", 6),
        ("FE FE 68 12 90 78 56 34 12 68 11 04 33", 5),
    ] {
        let output = linli(&["--json", bytes]);
        assert_eq!(output.status.code(), Some(1), "{bytes}");
        let got = json(&output);
        assert_eq!(got["fault"]["kind"], "short", "{bytes}: {got}");
        assert_eq!(got["fault"]["missing"], missing, "{bytes}: {got}");
    }
}

#[test]
fn bytes_behind_a_frame_and_unknown_codes_are_named() {
    for (bytes, kind) in [
        ("68 10 AA AA AA AA AA AA AA 01 03 90 1F AA 7B 16 00 00", "trailing"),
        ("68 10 AA AA AA AA AA AA AA 01 03 90 1E AA 7A 16", "unknown_identifier"),
        ("68 10 AA AA AA AA AA AA AA 02 03 90 1F AA 7C 16", "unknown_function"),
        ("31 32 33", "unrecognised"),
    ] {
        let output = linli(&["--json", bytes]);
        assert_eq!(output.status.code(), Some(1), "{bytes}");
        assert_eq!(json(&output)["fault"]["kind"], kind, "{bytes}");
    }
    let output = linli(&["--json", "--protocol", "modbus-rtu", "01 41 00 00 00 00"]);
    assert_eq!(json(&output)["fault"]["kind"], "unknown_function");
}

#[test]
fn input_that_is_no_hexadecimal_ends_with_64() {
    for bytes in ["68 1G", "68 123", "  "] {
        let output = linli(&[bytes]);
        assert_eq!(output.status.code(), Some(64), "{bytes:?}");
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn standard_input_and_other_ways_to_write_bytes_are_read() {
    let mut child = Command::new(program())
        .args(["decode", "--json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"0x01,0x03 00:00:00-01\n840A\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(json(&output)["quantity"], 1);
}

#[test]
fn several_exchanges_are_told_apart() {
    let one = "010300000001840A 0103020007F986";
    let got = json(&linli(&["--json", one, one]));
    let exchanges = got["exchanges"].as_array().unwrap();
    assert_eq!(exchanges.len(), 2, "{got}");
    assert_eq!(exchanges[1]["registers"], serde_json::json!([7]));
}

#[test]
fn text_that_a_device_sends_does_not_steer_the_terminal() {
    // Device identification, one object: ESC [ 2 J.
    let output = linli(&["01 2B 0E 01 01 00 00 01 00 04 1B 5B 32 4A 70 65"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!output.stdout.contains(&0x1B));
}
