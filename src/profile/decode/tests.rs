//! What the decoder refuses, and that it reads back whatever the encoder wrote.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::profile::{EncodeError, Scale, Table, encode_words};

fn source(encoding: Encoding, order: WordOrder) -> RegisterSource {
    RegisterSource {
        table: Table::Holding,
        address: 0,
        encoding,
        order,
        scale: Scale::default(),
        unavailable: Vec::new(),
        codes: Vec::new(),
        flag: false,
        decimals: 0,
    }
}

fn message(path: Vec<PathStep>) -> MqttSource {
    MqttSource {
        topic: 0,
        path,
        names: 0,
        scale: Scale::default(),
        unavailable: Vec::new(),
        codes: Vec::new(),
        flag_words: std::collections::BTreeMap::new(),
        flag: false,
        text: false,
        decimals: 1,
    }
}

const ORDERS: [WordOrder; 4] = [WordOrder::Abcd, WordOrder::Cdab, WordOrder::Badc, WordOrder::Dcba];

#[test]
fn a_reply_that_is_too_short_is_a_bad_reply() {
    for encoding in [Encoding::Unsigned(2), Encoding::Float(4), Encoding::Ascii(5)] {
        let got = decode_words(&source(encoding, WordOrder::Abcd), &[1], 1.0);
        assert_eq!(got, Err(Reason::BadReply), "{encoding:?}");
    }
}

#[test]
fn a_bcd_digit_above_nine_is_a_bad_reply() {
    let bcd = source(Encoding::Bcd(2), WordOrder::Abcd);
    assert_eq!(decode_words(&bcd, &[0x1234, 0x56A8], 1.0), Err(Reason::BadReply));
    assert_eq!(decode_words(&bcd, &[0x1234, 0x5678], 1.0), Ok(Value::Number(12_345_678.0)));
}

#[test]
fn sentinels_nan_and_infinity_are_not_available() {
    let mut signed = source(Encoding::Signed(2), WordOrder::Abcd);
    signed.unavailable = vec![0x7FFF_FFFF];
    assert_eq!(decode_words(&signed, &[0x7FFF, 0xFFFF], 1.0), Err(Reason::NotAvailable));
    let float = source(Encoding::Float(2), WordOrder::Abcd);
    for high in [0x7FC0, 0x7F80, 0xFF80] {
        assert_eq!(decode_words(&float, &[high, 0], 1.0), Err(Reason::NotAvailable));
    }
}

#[test]
fn each_order_of_bytes_reads_the_same_number() {
    let layouts = [[0x0102, 0x0304], [0x0304, 0x0102], [0x0201, 0x0403], [0x0403, 0x0201]];
    for (order, words) in ORDERS.into_iter().zip(layouts) {
        let got = decode_words(&source(Encoding::Unsigned(2), order), &words, 1.0);
        assert_eq!(got, Ok(Value::Number(f64::from(0x0102_0304))), "{order:?}");
    }
}

#[test]
fn scaling_gives_the_decimal_that_people_expect() {
    let mut tenths = source(Encoding::Unsigned(1), WordOrder::Abcd);
    tenths.decimals = 1;
    for raw in 0..=u16::MAX {
        let expected: f64 = format!("{}.{}", raw / 10, raw % 10).parse().unwrap();
        assert_eq!(decode_words(&tenths, &[raw], 0.1), Ok(Value::Number(expected)));
    }
}

#[test]
fn an_offset_sign_and_a_bit_field_are_read() {
    let signed = source(Encoding::OffsetSign, WordOrder::Abcd);
    assert_eq!(decode_words(&signed, &[10_051], 1.0), Ok(Value::Number(-51.0)));
    let field = source(Encoding::Bits { low: 8, len: 7 }, WordOrder::Abcd);
    assert_eq!(decode_words(&field, &[0x84FF], 1.0), Ok(Value::Number(4.0)));
}

#[test]
fn texts_end_at_nul_and_control_characters_are_refused() {
    let ascii = source(Encoding::Ascii(2), WordOrder::Abcd);
    assert_eq!(decode_words(&ascii, &[0x4332, 0], 1.0), Ok(Value::Text("C2".into())));
    assert_eq!(decode_words(&ascii, &[0x4307, 0x3200], 1.0), Err(Reason::BadReply));
    let wide = source(Encoding::Utf16(2), WordOrder::Abcd);
    assert_eq!(decode_words(&wide, &[0x7535, 0x8868], 1.0), Ok(Value::Text("电表".into())));
    assert_eq!(decode_words(&wide, &[0xD800, 0x0041], 1.0), Err(Reason::BadReply));
}

#[test]
fn a_path_that_is_absent_says_nothing_and_null_says_not_available() {
    let at = message(vec![PathStep::Key("a".into()), PathStep::Index(1)]);
    assert_eq!(decode_json(&at, &json!({"b": 1}), 1.0), Ok(None));
    assert_eq!(decode_json(&at, &json!({"a": [1]}), 1.0), Ok(None));
    assert_eq!(decode_json(&at, &json!({"a": [1, null]}), 1.0), Err(Reason::NotAvailable));
    assert_eq!(decode_json(&at, &json!({"a": [1, {}]}), 1.0), Err(Reason::BadPayload));
    assert_eq!(decode_json(&at, &json!({"a": [1, true]}), 1.0), Err(Reason::BadPayload));
    let number = Ok(Some(Value::Number(230.1)));
    assert_eq!(decode_json(&at, &json!({"a": [1, "230.1"]}), 1.0), number);
    assert_eq!(decode_json(&at, &json!({"a": {"1": 2301}}), 0.1), number);
}

#[test]
fn a_text_that_is_longer_than_a_reading_may_be_is_refused() {
    let text = MqttSource { text: true, ..message(Vec::new()) };
    assert_eq!(decode_text(&text, &"x".repeat(MAX_TEXT + 1), 1.0), Err(Reason::BadPayload));
}

#[test]
fn a_value_that_does_not_fit_is_not_encoded() {
    let small = source(Encoding::Unsigned(1), WordOrder::Abcd);
    for value in [-1.0, 65_536.0] {
        let got = encode_words(&small, &Value::Number(value), 1.0);
        assert!(matches!(got, Err(EncodeError::DoesNotFit(..))), "{value}");
    }
    let digits = source(Encoding::Bcd(1), WordOrder::Abcd);
    assert!(encode_words(&digits, &Value::Number(10_000.0), 1.0).is_err());
}

proptest! {
    #[test]
    fn what_is_encoded_is_read_back(raw in -32_768i32..=32_767, order in 0usize..4) {
        let order = ORDERS[order];
        let positive = f64::from(raw.unsigned_abs() % 10_000);
        let cases = [
            (Encoding::Unsigned(1), positive), (Encoding::Unsigned(2), positive * 10_007.0),
            (Encoding::Unsigned(4), positive * 1e11), (Encoding::Signed(1), f64::from(raw)),
            (Encoding::Signed(2), f64::from(raw) * 65_536.0), (Encoding::Signed(4), f64::from(raw) * 1e11),
            (Encoding::Float(2), f64::from(raw)), (Encoding::Float(4), f64::from(raw) * 1e9),
            (Encoding::Bcd(1), positive), (Encoding::Bcd(2), positive * 10_000.0),
            (Encoding::Bcd(4), positive * 1e11), (Encoding::OffsetSign, f64::from(raw).clamp(-32_768.0, 9_999.0)),
            (Encoding::Bits { low: 3, len: 10 }, f64::from(raw.unsigned_abs() % 1024)),
        ];
        for (encoding, number) in cases {
            let source = source(encoding, order);
            let value = Value::Number(number);
            let words = encode_words(&source, &value, 1.0).unwrap();
            prop_assert_eq!(words.len(), usize::from(encoding.width()));
            prop_assert_eq!(decode_words(&source, &words, 1.0), Ok(value), "{:?}", encoding);
        }
    }

    #[test]
    fn no_registers_make_the_decoder_panic(words in proptest::collection::vec(any::<u16>(), 0..6), order in 0usize..4) {
        for encoding in [Encoding::Bit, Encoding::Unsigned(4), Encoding::Signed(1), Encoding::Float(4), Encoding::Bcd(4),
            Encoding::Bits { low: 0, len: 16 }, Encoding::Ascii(4), Encoding::Utf16(4), Encoding::OffsetSign] {
            if let Ok(Value::Number(n)) = decode_words(&source(encoding, ORDERS[order]), &words, 0.01) {
                prop_assert!(n.is_finite());
            }
        }
    }
}
