//! Identifiers and what their fields may hold.

use proptest::prelude::*;
use serde_json::json;

use super::super::super::MeterTime;
use super::*;

fn item_2007(id: u32) -> Item {
    item(Edition::V2007, DataId(id)).unwrap_or_else(|| panic!("{id:08X}"))
}

/// Identifier, edition, bytes, decimals, unit, signed.
#[rustfmt::skip]
const NUMBERS: &[(u32, Edition, u8, u8, &str, bool)] = &[
    (0x0000_0000, Edition::V2007, 4, 2, "kWh", true),
    (0x0001_0000, Edition::V2007, 4, 2, "kWh", false),
    (0x0001_0400, Edition::V2007, 4, 2, "kWh", false),
    (0x0002_000C, Edition::V2007, 4, 2, "kWh", false),
    (0x0003_0000, Edition::V2007, 4, 2, "kvarh", true),
    (0x0008_0000, Edition::V2007, 4, 2, "kvarh", false),
    (0x000A_0000, Edition::V2007, 4, 2, "kVAh", false),
    (0x0015_0000, Edition::V2007, 4, 2, "kWh", false),
    (0x003D_0000, Edition::V2007, 4, 2, "kWh", false),
    (0x0090_0200, Edition::V2007, 4, 2, "yuan", false),
    (0x0201_0300, Edition::V2007, 2, 1, "V", false),
    (0x0202_0100, Edition::V2007, 3, 3, "A", true),
    (0x0203_0000, Edition::V2007, 3, 4, "kW", true),
    (0x0204_0200, Edition::V2007, 3, 4, "kvar", true),
    (0x0205_0000, Edition::V2007, 3, 4, "kVA", true),
    (0x0206_0300, Edition::V2007, 2, 3, "", true),
    (0x0207_0100, Edition::V2007, 2, 1, "deg", false),
    (0x0208_0100, Edition::V2007, 2, 2, "%", false),
    (0x020A_0115, Edition::V2007, 2, 2, "%", false),
    (0x0280_0001, Edition::V2007, 3, 3, "A", true),
    (0x0280_0002, Edition::V2007, 2, 2, "Hz", false),
    (0x0280_0007, Edition::V2007, 2, 1, "degC", true),
    (0x0280_000A, Edition::V2007, 4, 0, "min", false),
    (0x0400_0103, Edition::V2007, 1, 0, "min", false),
    (0x0400_0409, Edition::V2007, 3, 0, "imp/kWh", false),
    (0x9010, Edition::V1997, 4, 2, "kWh", false),
    (0x9424, Edition::V1997, 4, 2, "kWh", false),
    (0x9130, Edition::V1997, 4, 2, "kvarh", false),
    (0xB612, Edition::V1997, 2, 0, "V", false),
    (0xB623, Edition::V1997, 2, 2, "A", false),
    (0xB630, Edition::V1997, 3, 4, "kW", false),
];

#[test]
fn numbers_have_the_length_point_unit_and_sign_of_the_table() {
    for &(id, edition, bytes, decimals, unit, signed) in NUMBERS {
        let item = item(edition, DataId(id)).unwrap_or_else(|| panic!("{id:08X}"));
        let field = item.single_number().unwrap_or_else(|| panic!("{id:08X}"));
        let got = (field.bytes, field.decimals, field.unit, field.signed);
        assert_eq!(got, (bytes, decimals, unit, signed), "{id:08X}");
        assert!(!item.name_en.is_empty() && !item.name_zh.is_empty());
    }
}

#[test]
fn names_tell_tariff_phase_and_settlement_in_both_languages() {
    let name = |id| {
        let item = item_2007(id);
        (item.name_en, item.name_zh)
    };
    let pair = |en: &str, zh: &str| (en.to_owned(), zh.to_owned());
    assert_eq!(
        name(0x0001_0203),
        pair(
            "forward active, tariff 2 (peak), settlement 3 back",
            "正向有功 费率2（峰） 上3结算日"
        )
    );
    assert_eq!(name(0x0029_0000), pair("forward active, phase B", "正向有功 B相"));
    let block = item_2007(0x0202_FF00);
    assert_eq!(block.field_name(2), pair("current, phase C", "电流 C相"));
    let demand = item_2007(0x0101_FF00);
    assert_eq!(demand.field_name(0), pair("forward active, total, demand", "正向有功 总 需量"));
    assert_eq!(
        demand.field_name(3),
        pair("forward active, tariff 1 (sharp), time", "正向有功 费率1（尖） 发生时间")
    );
}

#[test]
fn what_is_in_no_table_has_no_item() {
    for id in [0x0330_0D01, 0x0001_4000, 0x0001_000D, 0x0001_FFFF, 0x0015_0100, 0x0100_0000] {
        assert_eq!(item(Edition::V2007, DataId(id)), None, "{id:08X}");
    }
    for id in [0x0201_0000, 0x0201_0400, 0x020A_0116, 0x020A_0401, 0x0500_0000, 0x0200_0000] {
        assert_eq!(item(Edition::V2007, DataId(id)), None, "{id:08X}");
    }
    for id in [0x9210, 0x9070, 0xB610, 0xB604, 0x0001_9010, 0x1234] {
        assert_eq!(item(Edition::V1997, DataId(id)), None, "{id:08X}");
    }
}

fn number(digits: i64, decimals: u8) -> Option<ItemValue> {
    Some(ItemValue::Number { digits, decimals })
}

#[test]
fn a_block_may_be_shorter_and_each_field_may_be_missing() {
    let item = item_2007(0x0201_FF00);
    let read = values(&item, &hex("0122 FFFF 9821")).unwrap();
    assert_eq!(read, [number(2201, 1), None, number(2198, 1)]);
    assert_eq!(values(&item, &hex("0122")).unwrap(), [number(2201, 1)]);
    for wrong in ["", "01", "012201", "0122012201220122"] {
        let fault = values(&item, &hex(wrong)).unwrap_err();
        assert!(matches!(fault, Malformed::Length { step: 2, most: 3, .. }), "{wrong}");
    }
    let tariffs = item_2007(0x0001_FF00);
    assert_eq!(values(&tariffs, &[0; 4 * 5]).unwrap().len(), 5);
}

#[test]
fn nibbles_above_nine_are_refused_with_their_place() {
    let item = item_2007(0x0201_FF00);
    let fault = values(&item, &hex("0122 0A22")).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "0201FF00, value 1: 220A (most significant first) are no decimal digits"
    );
    // FFH in a part of a field is not "not available".
    assert!(values(&item, &hex("FF22")).is_err());
}

#[test]
fn the_sign_is_the_top_bit_where_the_table_says_so() {
    let signed = item_2007(0x0203_0000);
    assert_eq!(values(&signed, &hex("452381")).unwrap(), [number(-12345, 4)]);
    let unsigned = item_2007(0x0001_0000);
    assert_eq!(values(&unsigned, &hex("00000080")).unwrap(), [number(80_000_000, 2)]);
    // A magnitude that would reach the sign does not fit, nor a sign where there is none.
    assert!(encode(&signed, &[number(800_000, 4)]).is_err());
    assert!(encode(&unsigned, &[number(-1, 2)]).is_err());
    assert!(encode(&unsigned, &[number(100_000_000, 2)]).is_err());
    assert!(encode(&unsigned, &[number(1, 1)]).is_err());
    assert_eq!(encode(&unsigned, &[None]).unwrap(), [0xFF; 4]);
}

#[test]
fn what_is_no_number_is_read_and_written() {
    let moment = MeterTime { year: 2026, month: 11, day: 20, hour: 14, minute: 5, second: 0 };
    let date = ItemValue::Date { year: 2026, month: 11, day: 20, weekday: 5 };
    let time = ItemValue::Time { hour: 13, minute: 45, second: 30 };
    let cases: [(u32, &str, Vec<Option<ItemValue>>); 7] = [
        (0x0400_0101, "05201126", vec![Some(date)]),
        (0x0400_0102, "304513", vec![Some(time)]),
        (0x0101_0000, "452301 0514201126", vec![number(12345, 4), Some(ItemValue::Moment(moment))]),
        (0x0400_0503, "1080", vec![Some(ItemValue::Bits(0x8010))]),
        (0x0400_0401, "129078563412", vec![Some(ItemValue::Digits("123456789012".into()))]),
        (0x0400_0404, "563032320000", vec![Some(ItemValue::Text("220V".into()))]),
        (0x0301_0000, "010000 020000 030000 040000", [1, 2, 3, 4].map(|n| number(n, 0)).to_vec()),
    ];
    for (id, bytes, wanted) in cases {
        let item = item_2007(id);
        assert_eq!(values(&item, &hex(bytes)).unwrap(), wanted, "{id:08X}");
        assert_eq!(encode(&item, &wanted).unwrap(), hex(bytes), "{id:08X}");
    }
    // No demand yet.
    let read = values(&item_2007(0x0101_0000), &[0; 8]).unwrap();
    assert_eq!(read, [number(0, 4), None]);
}

#[test]
fn a_block_is_described_with_names_units_and_values() {
    let request = read(Edition::V2007, address(), DataId(0x0202_FF00));
    let answer =
        answer_data(&request, DataId(0x0202_FF00), &hex("341200 FFFFFF 002580"), false, None);
    let said = describe(&answer, Edition::V2007);
    assert_eq!(said["body_big_endian"], "802500FFFFFF001234");
    assert_eq!(
        said["values"],
        json!([
            {"name_en": "current, phase A", "name_zh": "电流 A相", "value": 1.234, "unit": "A"},
            {"name_en": "current, phase B", "name_zh": "电流 B相", "value": null, "unit": "A"},
            {"name_en": "current, phase C", "name_zh": "电流 C相", "value": -2.5, "unit": "A"},
        ])
    );
    let wrong = answer_data(&request, DataId(0x0202_FF00), &[0x0A, 0, 0], false, None);
    assert!(describe(&wrong, Edition::V2007)["fault"].as_str().unwrap().contains("00000A"));
}

proptest! {
    #[test]
    fn what_fits_a_field_comes_back(which in 0..NUMBERS.len(), digits in -999_999_i64..=999_999) {
        let (id, edition, bytes, decimals, ..) = NUMBERS[which];
        let item = item(edition, DataId(id)).unwrap();
        if let Ok(data) = encode(&item, &[number(digits, decimals)]) {
            prop_assert_eq!(data.len(), usize::from(bytes));
            prop_assert_eq!(values(&item, &data).unwrap(), [number(digits, decimals)]);
        } else {
            // Only the sign or too many digits may be in the way.
            prop_assert!(digits < 0 || digits >= 10_i64.pow(u32::from(bytes) * 2) / 5 * 4);
        }
    }

    #[test]
    fn any_data_of_any_identifier_is_read_or_refused(
        id in prop_oneof![any::<u32>(), (0..=4_u32, any::<u8>(), any::<u8>()).prop_map(|(a, b, c)| a << 24 | u32::from(b) << 16 | u32::from(c) << 8)],
        data in proptest::collection::vec(any::<u8>(), 0..=DATA_MAX),
    ) {
        for edition in [Edition::V2007, Edition::V1997] {
            let id = if edition == Edition::V1997 { id & 0xFFFF } else { id };
            if let Some(item) = item(edition, DataId(id)) && let Ok(read) = values(&item, &data) {
                prop_assert!(!read.is_empty());
                for place in 0..read.len() {
                    prop_assert!(!item.field_name(place).0.is_empty());
                }
            }
        }
    }
}
