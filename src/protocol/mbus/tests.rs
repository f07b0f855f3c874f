//! Tests: the vectors of the field in both directions, records of all codings, damaged bytes.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Map, Value, json};

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(digits.get(at * 2..at * 2 + 2).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn every_vector_is_read_and_written_back() {
    let text = include_str!("../../../tests/data/vectors.json");
    let all: Vec<Value> = serde_json::from_str(text).unwrap();
    let mut count = 0;
    for vector in all.iter().filter(|vector| vector["protocol"] == "mbus") {
        for (key, is_reply) in [("request_hex", false), ("response_hex", true)] {
            let Some(hex) = vector[key].as_str() else { continue };
            let wire = bytes(hex);
            let (frame, length) = parse(&wire).unwrap();
            assert_eq!((length, frame.is_reply()), (wire.len(), is_reply), "{}", vector["name"]);
            assert_eq!(frame.to_bytes(), wire, "{}", vector["name"]);
            count += 1;
        }
    }
    assert_eq!(count, 7, "frames in the file");
}

#[test]
fn a_selection_is_built_from_the_secondary_address() {
    let mut data = 0x1234_5678u32.to_le_bytes().to_vec();
    data.extend([0xFF; 4]);
    let frame = Frame::Long { c: 0x53, a: 253, ci: 0x52, data };
    let capture = bytes("68 0B 0B 68 53 FD 52 78 56 34 12 FF FF FF FF B2 16");
    assert_eq!(frame.to_bytes(), capture);
    let mut said = Map::new();
    describe(&frame, &mut said).unwrap();
    assert_eq!(said["secondary_id"], "12345678");
}

#[test]
fn records_of_all_codings_are_read() {
    let read = |hex: &str| {
        let (found, more) = records(&bytes(hex)).unwrap();
        assert!(!more);
        found.into_iter().map(|record| record.amount).collect::<Vec<_>>()
    };
    let number = |number| vec![Amount::Number(number)];
    assert_eq!(read("01 13 FF"), number(-0.001), "a signed byte");
    assert_eq!(read("02 5A F4 01"), number(50.0), "16 bits, tenths of a degree");
    assert_eq!(read("03 2B 01 00 80"), number(-8_388_607.0), "24 bits");
    assert_eq!(read("04 06 40 E2 01 00"), number(123_456_000.0), "kWh in Wh");
    assert_eq!(read("05 2B 33 33 66 43"), number(230.2), "a float");
    assert_eq!(read("0A 5A 34 F2"), number(-23.4), "decimal with a minus sign");
    assert_eq!(read("0B 5A FF FF FF"), vec![Amount::None], "not available");
    assert_eq!(read("0E 13 56 34 12 00 00 00"), number(123.456));
    assert_eq!(read("02 6C 74 2B"), vec![Amount::Text("2019-11-20".to_owned())]);
    assert_eq!(read("04 6D AD 0D 74 2B"), vec![Amount::None], "an invalid time");
    assert_eq!(read("0D FD 0C 03 43 42 41"), vec![Amount::Text("ABC".to_owned())]);
    assert_eq!(read("2F 2F 01 13 01 0F AA BB"), number(0.001), "fillers, maker's data");
}

#[test]
fn past_values_extremes_and_units_in_plain_text_are_told() {
    // Maximum, storage 17: one bit in the DIF, four in the DIFE.
    let (found, more) = records(&bytes("D2 08 5A 01 00 1F")).unwrap();
    assert!(more);
    assert_eq!((found[0].storage, found[0].function), (17, 1));
    let (found, _) = records(&bytes("01 FC 02 52 41 74 05")).unwrap();
    assert_eq!(found[0].quantity, "VIF AR");
    let (found, _) = records(&bytes("01 FD 7F 05")).unwrap();
    assert_eq!(found[0].quantity, "VIF FD7F", "named by its bytes, not guessed");
}

#[test]
fn cut_records_and_wrong_digits_are_faults() {
    let cut = records(&bytes("0C 13 56 34")).unwrap_err();
    assert_eq!(cut, RecordFault::Short { offset: 0, have: 4, need: 6 });
    let digits = records(&bytes("01 13 01 0C 13 5A 34 12 00")).unwrap_err();
    assert_eq!(digits, RecordFault::NotDecimal { offset: 3 });
    let frame = Frame::Long { c: 8, a: 1, ci: 0x72, data: vec![1, 2, 3] };
    assert!(describe(&frame, &mut Map::new()).is_err(), "a cut header");
}

#[test]
fn an_encrypted_telegram_is_shown_as_bytes() {
    let mut data = bytes("78 56 34 12 2D 2C 01 07 2A 00 00 05");
    data.extend([0x0C, 0x13, 0x5A]);
    let mut said = Map::new();
    describe(&Frame::Long { c: 8, a: 1, ci: 0x72, data }, &mut said).unwrap();
    assert_eq!(said["encrypted"], json!("0C135A"));
}

#[test]
fn link_faults_are_precise() {
    let wire = bytes("10 5B 01 5D 16");
    assert!(matches!(parse(&wire), Err(LinkFault::Checksum { got: 0x5D, expected: 0x5C, .. })));
    assert_eq!(parse(&wire[..3]), Err(LinkFault::Short { have: 3, need: 5 }));
    let fixed = LinkFault::Fixed { at: 2, got: 4, expected: 3 };
    assert_eq!(parse(&bytes("68 03 04 68")), Err(fixed));
    assert_eq!(parse(&[0x68, 2]), Err(LinkFault::Length(2)));
    assert_eq!(parse(&[0x11]), Err(LinkFault::Start(0x11)));
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(13757), ..Default::default() })]

    #[test]
    fn what_is_written_is_read_back_and_damage_is_seen(
        (c, a, ci) in any::<(u8, u8, u8)>(),
        data in prop::collection::vec(any::<u8>(), 0..252),
        place in any::<prop::sample::Index>(),
        bit in 0u8..8,
    ) {
        let frame = Frame::Long { c, a, ci, data };
        let wire = frame.to_bytes();
        prop_assert_eq!(parse(&wire), Ok((frame, wire.len())));
        let at = place.index(wire.len());
        prop_assert!(parse(&wire[..at]).is_err());
        // A start byte with another bit may begin another kind of frame.
        if at > 0 {
            let mut flipped = wire;
            flipped[at] ^= 1 << bit;
            prop_assert!(parse(&flipped).is_err());
        }
    }

    #[test]
    fn bytes_of_any_kind_are_survived(data in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok((found, _)) = records(&data) {
            prop_assert!(found.iter().all(|r| r.offset + r.length <= data.len()));
        }
        if let Ok((frame, length)) = parse(&data) {
            prop_assert_eq!(&frame.to_bytes(), &data[..length]);
        }
    }
}
