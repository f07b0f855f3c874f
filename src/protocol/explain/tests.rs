//! Tests: bytes of any kind are survived, every byte is explained, faults are exact. What the
//! vectors say is tested through `linli decode`.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::Value;

use super::*;

fn vectors() -> Vec<(String, Vec<u8>)> {
    let text = include_str!("../../../tests/data/vectors.json");
    let all: Vec<Value> = serde_json::from_str(text).unwrap();
    let lines = all.iter().map(|vector| {
        let mut bytes = Vec::new();
        for hex in ["request_hex", "response_hex"].iter().filter_map(|key| vector[key].as_str()) {
            for pair in hex.split_whitespace() {
                bytes.push(u8::from_str_radix(pair, 16).unwrap());
            }
        }
        (vector["protocol"].as_str().unwrap().to_owned(), bytes)
    });
    lines.collect()
}

/// The frames stand one behind the other, with noise between at most, and the parts of each are the
/// frame.
fn covers(frames: &[Explained], bytes: usize) {
    let mut at = 0;
    for frame in frames {
        assert!(frame.range.start >= at, "{frame:?}");
        at = frame.range.start;
        for part in &frame.parts {
            assert_eq!(part.range.start, at, "{part:?} in {frame:?}");
            assert!(!part.en.is_empty() && !part.zh.is_empty());
            at = part.range.end;
        }
        assert_eq!(at, frame.range.end, "{frame:?}");
    }
    assert!(at <= bytes);
}

#[test]
fn every_byte_of_every_vector_has_a_meaning() {
    for (protocol, bytes) in vectors() {
        let frames = match explain(Some(protocol.parse().unwrap()), &bytes) {
            Ok(frames) => frames,
            Err(fault) => fault.frames,
        };
        assert!(frames.first().is_none_or(|first| first.range.start == 0), "{frames:?}");
        covers(&frames, bytes.len());
    }
}

#[test]
fn no_bytes_and_no_protocol_are_said() {
    assert_eq!(explain(None, &[]).unwrap_err().fault, Fault::Empty);
    assert_eq!(explain(None, &[0x31; 3]).unwrap_err().fault, Fault::Unrecognised);
    assert!("dlt645".parse::<Protocol>().unwrap_err().to_string().contains("dlt645-2007"));
    for protocol in Protocol::ALL {
        assert_eq!(protocol.name().parse(), Ok(protocol));
    }
}

#[test]
fn what_is_behind_a_damaged_frame_is_read_all_the_same() {
    let mut bytes = vec![0x68, 0x10, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 1, 3, 0x90, 0x1F];
    bytes.extend([0xAA, 0x00, 0x16]);
    let damaged = bytes.clone();
    bytes[14] = 0x7B;
    let both = [damaged, bytes].concat();
    let fault = explain(None, &both).unwrap_err();
    assert_eq!(fault.frames.len(), 2);
    let (got, expected) = ("00".to_owned(), "7B".to_owned());
    assert_eq!(fault.fault, Fault::Checksum { offset: 14, got, expected });
}

#[test]
fn an_end_byte_that_is_none_is_said_with_its_place() {
    let bytes = [0x68, 0x10, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 1, 3, 0x90, 0x1F, 0xAA];
    let line = [&bytes[..], &[0x7B, 0x17]].concat();
    let fault = explain(Some(Protocol::Cjt188), &line).unwrap_err().fault;
    assert_eq!(fault, Fault::Fixed { offset: 15, got: 0x17, expected: 0x16 });
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(645), ..Default::default() })]

    #[test]
    fn bytes_of_any_kind_are_survived(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        protocol in prop::option::of(prop::sample::select(Protocol::ALL.to_vec())),
    ) {
        let (frames, fault) = match explain(protocol, &bytes) {
            Ok(frames) => (frames, None),
            Err(fault) => (fault.frames, Some(fault.fault)),
        };
        covers(&frames, bytes.len());
        let said = document(protocol, &frames, fault.as_ref());
        prop_assert_eq!(said.get("fault").is_some(), fault.is_some());
    }

    #[test]
    fn vectors_with_a_wrong_byte_or_cut_are_survived(
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let vectors = vectors();
        let (protocol, mut bytes) = vectors[which.index(vectors.len())].clone();
        let at = place.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(cut.index(bytes.len()) + 1);
        for protocol in [Some(protocol.parse().unwrap()), None] {
            let frames = match explain(protocol, &bytes) {
                Ok(frames) => frames,
                Err(fault) => fault.frames,
            };
            covers(&frames, bytes.len());
        }
    }
}

#[test]
fn the_values_of_a_block_are_told_by_name_not_as_json() {
    let bytes = crate::protocol::dlt645::Frame {
        preamble: 0,
        address: "000000000001".parse().unwrap(),
        control: 0x91,
        data: vec![0x00, 0xFF, 0x01, 0x02, 0x34, 0x23, 0x35, 0x23, 0x36, 0x23],
    }
    .to_bytes();
    let frames = explain(Some(Protocol::Dlt645V2007), &bytes).unwrap();
    let told = |language: fn(&Part) -> &str| {
        let parts: Vec<&str> = frames[0].parts.iter().map(language).collect();
        parts.join("; ")
    };
    let english = told(|part| &part.en);
    assert!(english.contains("V"), "{english}");
    assert!(!english.contains("name_en") && !told(|part| &part.zh).contains('{'), "{english}");
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

#[test]
fn noise_before_and_between_frames_is_named_and_the_frames_are_read() {
    let frame = "FE FE 68 12 90 78 56 34 12 68 91 08 33 33 34 33 89 67 45 33 54 16";
    let noisy = bytes(&format!("00 FF 33 {frame} 5A {frame}"));
    let fault = explain(None, &noisy).unwrap_err();
    assert_eq!(fault.fault, Fault::Noise { offset: 0, count: 3 });
    assert_eq!(fault.protocol, Some(Protocol::Dlt645V2007));
    let places: Vec<usize> = fault.frames.iter().map(|frame| frame.range.start).collect();
    assert_eq!(places, [3, 26]);
    let fault = explain(None, &noisy[3..]).unwrap_err();
    assert_eq!(fault.fault, Fault::Noise { offset: 22, count: 1 });
    // A frame that is cut hides the next one no more.
    let cut = bytes(&format!("68 12 90 78 56 34 12 68 91 08 33 {frame}"));
    assert_eq!(explain(None, &cut).unwrap_err().frames.len(), 1);
}

#[test]
fn a_refusal_says_its_cause_and_named_values_stand_as_text() {
    let text = |hex: &str| {
        let frames = explain(None, &bytes(hex)).unwrap();
        let parts = frames.iter().flat_map(|frame| &frame.parts);
        parts.map(|part| format!("{} {}\n", part.zh, part.en)).collect::<String>()
    };
    let refused = text("68 12 90 78 56 34 12 68 D1 01 35 8D 16");
    assert!(refused.contains("02:无请求数据") && refused.contains("no such data"), "{refused}");
    assert!(refused.contains("1 byte of data"), "{refused}");
    let word = text("68 01 00 00 00 00 00 68 91 06 36 38 33 37 33 33 A6 16");
    assert!(word.contains("运行状态字3 0000") && !word.contains("name_zh"), "{word}");
}

#[test]
fn an_answer_of_another_meter_is_said_in_chinese_throughout() {
    let talk = "68 90 78 56 34 12 00 68 11 04 33 33 33 33 55 16 \
                68 12 90 78 56 34 12 68 91 08 33 33 33 33 3A 48 33 B3 53 16";
    let fault = explain(None, &bytes(talk)).unwrap_err().fault;
    assert!(matches!(fault, Fault::NotAnswer { .. }), "{fault}");
    assert!(fault.zh().contains("应答的是 123456789012") && !fault.zh().contains("instead"));
}

#[test]
fn an_identifier_that_nobody_knows_is_said_and_a_record_of_a_maker_is_named_by_its_class() {
    let asked = bytes("68 01 00 00 00 00 00 68 11 04 33 33 33 43 C2 16");
    let fault = explain(None, &asked).unwrap_err().fault;
    assert_eq!(fault, Fault::UnknownIdentifier { offset: 10, id: "10000000".to_owned() });
    let event = bytes("68 01 00 00 00 00 00 68 11 04 34 40 63 36 F3 16");
    let frames = explain(None, &event).unwrap();
    let told: String = frames[0].parts.iter().map(|part| part.zh.as_str()).collect();
    assert!(told.contains("03300D01 事件记录"), "{told}");
}
