//! The codecs beside second implementations of their protocols: PyPI's dlt645 (its parser, its
//! meter, its master) and pyMeterBus. See `peers/second_opinion.py`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use linli::protocol::dlt645::{
    self, Address, DataId, Edition, ErrorBits, Frame, Item, ItemValue, Kind, Relay, RelayAct,
    Reply, answer_address, answer_data, answer_done, answer_refused,
};
use linli::protocol::{Found, MeterTime, mbus};
use serde_json::{Value, json};

use crate::parts::{peer, python};

/// The second implementations, asked a line at a time.
pub struct Opinion {
    process: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Opinion {
    fn start() -> Self {
        Self::of("second_opinion.py")
    }

    /// Those of a script of `peers/`.
    pub fn of(script: &str) -> Self {
        let mut process = python()
            .arg(peer(script))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let questions = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self { process, questions, answers }
    }

    /// Asks one thing.
    pub fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.questions.as_mut().unwrap(), "{question}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{question}: {line}"))
    }
}

impl Drop for Opinion {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.questions.take());
        self.process.wait().unwrap();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks_exact(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn meter() -> Address {
    "123456789012".parse().unwrap()
}

fn only(bytes: &[u8]) -> Frame {
    match dlt645::find(bytes) {
        Found::Frame { range, frame } if range == (0..bytes.len()) => frame,
        other => panic!("{other:?} in {}", hex(bytes)),
    }
}

/// What can be asked.
fn requests() -> Vec<Frame> {
    let moment = MeterTime { year: 2026, month: 7, day: 31, hour: 23, minute: 59, second: 58 };
    let order = Relay {
        act: RelayAct::Trip,
        level: 2,
        password: [0x12, 0x34, 0x56],
        operator: [0, 0, 0, 0x68],
        valid_until: moment,
    };
    vec![
        dlt645::read(Edition::V2007, meter(), DataId(0x0201_FF00)),
        dlt645::read(Edition::V1997, meter(), DataId(0x9010)),
        dlt645::read_next(meter(), DataId(0x0610_0001), 3),
        dlt645::read_address(),
        dlt645::read_address_of(Address::low(&[0x12, 0x90])),
        dlt645::time_sync(moment),
        dlt645::relay(meter(), &order),
    ]
}

/// What can be answered; data that look like start, end and wake-up bytes among them.
fn answers() -> Vec<Frame> {
    let id = DataId(0x0001_0000);
    let asked = dlt645::read(Edition::V2007, meter(), id);
    let next = dlt645::read_next(meter(), id, 1);
    let long: Vec<u8> = (0..251).map(|place: u8| place.wrapping_mul(7)).collect();
    let old = dlt645::read(Edition::V1997, meter(), DataId(0x9010));
    vec![
        answer_data(&asked, id, &[0x35, 0xE3, 0xCB, 0x35], false, None),
        answer_data(&asked, id, &long, true, None),
        answer_data(&next, id, &[0x35; 8], false, Some(1)),
        answer_data(&old, DataId(0x9010), &[1, 2, 3, 4], false, None),
        answer_refused(&asked, ErrorBits::NO_DATA),
        answer_address(&dlt645::read_address(), meter()),
        answer_done(&dlt645::relay(
            meter(),
            &Relay {
                act: RelayAct::Close,
                level: 4,
                password: [0; 3],
                operator: [0; 4],
                valid_until: MeterTime {
                    year: 2026,
                    month: 1,
                    day: 1,
                    hour: 0,
                    minute: 0,
                    second: 0,
                },
            },
        )),
    ]
}

#[test]
fn a_second_parser_reads_every_frame_that_is_built_here_alike() {
    let mut opinion = Opinion::start();
    for frame in requests().into_iter().chain(answers()) {
        let got = opinion.ask(&json!({"do": "parse", "hex": hex(&frame.to_bytes())}));
        let wanted = json!({
            "preamble": frame.preamble,
            "address": frame.address.to_string(),
            "control": format!("{:02X}", frame.control),
            "data": hex(&frame.data),
            "checksum": format!("{:02X}", frame.checksum()),
        });
        assert_eq!(got, wanted, "{frame:?}");
    }
}

#[test]
fn every_frame_that_a_second_implementation_builds_is_read_alike() {
    let mut opinion = Opinion::start();
    for frame in requests().into_iter().chain(answers()) {
        for preamble in 0..=4 {
            let frame = Frame { preamble, ..frame.clone() };
            let got = opinion.ask(&json!({
                "do": "build",
                "address": frame.address.to_string(),
                "control": format!("{:02X}", frame.control),
                "data": hex(&frame.data),
                "preamble": preamble,
            }));
            let built = bytes(got["hex"].as_str().unwrap_or_else(|| panic!("{got}")));
            assert_eq!(only(&built), frame);
            assert_eq!(built, frame.to_bytes());
        }
    }
}

/// A number that the second implementation's meter knows and the table here too.
struct Point {
    item: Item,
    /// All digits and those behind the point, as it says.
    digits: u32,
    decimals: u8,
    unit: String,
}

fn points(opinion: &mut Opinion) -> Vec<Point> {
    let all = opinion.ask(&json!({"do": "points"}));
    let all = all["points"].as_array().unwrap();
    let known: Vec<Point> = all
        .iter()
        .filter_map(|point| {
            let id = DataId(u32::try_from(point["di"].as_u64().unwrap()).unwrap());
            Some(Point {
                item: dlt645::item(Edition::V2007, id)?,
                digits: u32::try_from(point["digits"].as_u64().unwrap()).unwrap(),
                decimals: u8::try_from(point["decimals"].as_u64().unwrap()).unwrap(),
                unit: point["unit"].as_str().unwrap().to_owned(),
            })
        })
        .filter(|point| point.item.fields[0].kind == Kind::Number)
        .collect();
    assert!(known.len() > 400, "{} of {} numbers are known", known.len(), all.len());
    known
}

impl Point {
    /// Numbers that fill the field: its digits are all different, so that none can change places.
    fn numbers(&self) -> Vec<i64> {
        let most = 12_345_678 / 10_i64.pow(8 - self.digits);
        let field = self.item.fields[0];
        if field.signed { vec![most, -most, 0] } else { vec![most, 0] }
    }

    fn float(&self, number: i64) -> f64 {
        number as f64 / 10_f64.powi(i32::from(self.decimals))
    }
}

#[test]
fn a_second_meter_understands_the_question_and_its_answer_is_understood() {
    let mut opinion = Opinion::start();
    for point in points(&mut opinion) {
        let (id, field) = (point.item.id, point.item.fields[0]);
        let name = &point.item.name_en;
        assert_eq!(
            (u32::from(field.bytes) * 2, field.decimals),
            (point.digits, point.decimals),
            "{id} {name}"
        );
        if id.0 < 0x0100_0000 {
            assert_eq!(field.unit, point.unit, "{id} {name}");
        }
        for number in point.numbers() {
            let asked = dlt645::read(Edition::V2007, meter(), id);
            let said = opinion.ask(&json!({
                "do": "meter",
                "di": id.0,
                "value": point.float(number),
                "hex": hex(&asked.to_bytes()),
            }));
            let answer = only(&bytes(said["hex"].as_str().unwrap_or_else(|| panic!("{said}"))));
            let reply = dlt645::reply(Edition::V2007, &asked, &answer).unwrap();
            let Reply::Data { value, .. } = reply else { panic!("{id} {name}: {reply:?}") };
            let values = dlt645::values(&point.item, &value).unwrap();
            let wanted = ItemValue::Number { digits: number, decimals: point.decimals };
            assert_eq!(values[0], Some(wanted), "{id} {name}");
            if let [_, when] = values.as_slice() {
                assert_eq!(when.as_ref().unwrap().to_string(), "2024-05-17 13:45", "{id} {name}");
            }
        }
    }
}

/// Its master reads the moment of a maximum demand with the year first, its own meter sends it with
/// the minute first, as all other sources have it: numbers alone are compared.
#[test]
fn a_second_master_reads_what_is_answered_here() {
    let mut opinion = Opinion::start();
    for point in points(&mut opinion).iter().filter(|point| point.item.fields.len() == 1) {
        let (id, name) = (point.item.id, &point.item.name_en);
        for number in point.numbers() {
            let value = ItemValue::Number { digits: number, decimals: point.decimals };
            let data = dlt645::encode(&point.item, &[Some(value)]).unwrap();
            let asked = dlt645::read(Edition::V2007, meter(), id);
            let answer = answer_data(&asked, id, &data, false, None);
            let got = opinion.ask(&json!({"do": "master", "hex": hex(&answer.to_bytes())}));
            let value = got["value"].as_f64().unwrap_or_else(|| panic!("{id} {name}: {got}"));
            assert!((value - point.float(number)).abs() < 1e-9, "{id} {name}: {got}");
        }
    }
}

#[test]
fn a_second_parser_of_m_bus_reads_the_vectors_alike() {
    let mut opinion = Opinion::start();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/vectors.json");
    let all: Vec<Value> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let ours = all.iter().filter(|vector| vector["protocol"] == "mbus");
    let frames = ours.flat_map(|v| [v["request_hex"].as_str(), v["response_hex"].as_str()]);
    let (mut short, mut acknowledged, mut records) = (0, 0, 0);
    for line in frames.flatten() {
        let (frame, _) = mbus::parse(&bytes(line)).unwrap();
        let got = opinion.ask(&json!({"do": "mbus", "hex": hex(&frame.to_bytes())}));
        match &frame {
            mbus::Frame::Ack => {
                assert_eq!(got["kind"], "TelegramACK");
                acknowledged += 1;
            }
            mbus::Frame::Short { c, a } => {
                assert_eq!(got, json!({"kind": "TelegramShort", "c": c, "a": a}));
                short += 1;
            }
            // Its parser takes answers only, no selection by secondary address.
            mbus::Frame::Long { ci, .. } if *ci != 0x72 => {}
            mbus::Frame::Long { .. } => records += same_telegram(&frame, &got),
        }
    }
    assert!(short > 0 && acknowledged > 0 && records > 1);
}

/// Compares an answer with a header and records; returns how many there are.
fn same_telegram(frame: &mbus::Frame, got: &Value) -> usize {
    let mut said = serde_json::Map::new();
    mbus::describe(frame, &mut said).unwrap();
    let header = &got["body"]["header"];
    let id = hex(&bytes(&header["identification"].as_str().unwrap().replace("0x", "")));
    assert_eq!(said["id"], id);
    for key in ["manufacturer", "medium", "access_no"] {
        assert_eq!(said[key], header[key], "{key}");
    }
    let (ours, theirs) = (&said["records"], &got["body"]["records"]);
    let (ours, theirs) = (ours.as_array().unwrap(), theirs.as_array().unwrap());
    assert_eq!(ours.len(), theirs.len());
    for (one, other) in ours.iter().zip(theirs) {
        assert_eq!((&one["type"], &one["unit"]), (&other["type"], &other["unit"]));
        match (one["value"].as_f64(), other["value"].as_f64()) {
            (Some(one), Some(other)) => assert!((one - other).abs() < 1e-9, "{one} {other}"),
            _ => assert_eq!(one["value"], other["value"]),
        }
    }
    ours.len()
}
