//! Models of RS-485 meters: what the tables tell need not be written, what contradicts them is a
//! fault that names both.

use super::*;
use crate::profile::meter::{MeterField, MeterPlace};
use crate::profile::run_examples;
use crate::protocol::{cjt188, dlt645};

const ELECTRICITY: &str = r#"
category = "electricity_meter"
title = { zh = "电表", en = "meter" }
products = [{ brand = "A", model = "B" }]
sources = ["datasheet"]
[dlt645]
preamble = 2
[[points]]
names = ["phaseVoltage.L1", "phaseVoltage.L2", "phaseVoltage.L3"]
en = "voltage {}"
id = 0x02010100
id_step = 0x100
block = 0x0201FF00
[[points]]
name = "totalActivePower"
id = 0x02030000
unit = "W"
[[points]]
name = "relayOpen"
id = 0x04000503
bits = [4, 1]
quantity = "flag"
urgent = true
[[examples]]
frames = ["68 45 92 66 23 00 10 68 91 06 33 34 34 35 66 55 62 16"]
readings = { "phaseVoltage.L1" = 223.3 }
"#;

const WATER: &str = r#"
category = "water_meter"
title = { zh = "水表", en = "meter" }
products = [{ brand = "A", model = "B" }]
sources = ["datasheet"]
[cjt188]
meter_type = 0x10
[[points]]
name = "waterConsumption"
place = "volume"
quantity = "counter"
max_rate = 0.1
[[points]]
name = "batteryLow"
place = "battery_low"
quantity = "flag"
urgent = true
[[points]]
names = ["month.1", "month.2"]
id = 0xD120
id_step = 1
place = "quantity"
unit = "m3"
decimals = 2
[[examples]]
frames = ["68 10 01 02 03 04 05 06 07 81 16 90 1F 96 00 55 55 05 2C 00 55 55 05 2C 00 00 00 00 00 00 00 00 00 26 16"]
readings = { waterConsumption = 55555 }
"#;

fn faults(text: &str) -> String {
    let faults = parse("config/test-meter.toml", text).expect_err("the file is wrong");
    faults.iter().map(|fault| format!("{fault}\n")).collect()
}

fn each_is_refused(good: &str, cases: &[(&str, &str, &str)]) {
    for (right, wrong, message) in cases {
        let text = good.replacen(right, wrong, 1);
        assert_ne!(text, good, "{right}");
        let faults = faults(&text);
        assert!(faults.contains(message), "{wrong}: {faults}");
    }
}

#[test]
fn the_table_of_identifiers_fills_in_what_is_not_written() {
    let profile = parse("test-meter.toml", ELECTRICITY).unwrap().profile;
    let Binding::Dlt645(model) = &profile.binding else { panic!("dlt645") };
    assert_eq!((model.manners.serial.baud, model.manners.serial.frame), (2400, *b"8E1"));
    assert_eq!(model.manners.preamble, 2);
    let voltage = &model.sources[1];
    assert_eq!(voltage.id, dlt645::DataId(0x0201_0200));
    assert_eq!(voltage.block, Some((dlt645::DataId(0x0201_FF00), 2)));
    assert_eq!(voltage.field, MeterField::Bcd { length: 2, signed: false });
    assert_eq!((voltage.scale.factor, voltage.decimals), (0.1, 1));
    assert_eq!(profile.points[1].unit.code(), "V");
    let power = &model.sources[3];
    assert_eq!(power.field, MeterField::Bcd { length: 3, signed: true });
    assert_eq!((power.scale.factor, power.decimals), (0.1, 1), "0.0001 kW is 0.1 W");
    let relay = &model.sources[4];
    assert_eq!(relay.field, MeterField::Bits { length: 2, low: 4, count: 1 });
    assert!(relay.flag);
    assert_eq!(profile.urgent, [false, false, false, false, true]);
}

#[test]
fn a_unit_of_the_same_kind_is_converted_exactly() {
    let of = |unit: &str| {
        let id = if unit.contains('h') || unit.contains('J') { 0x0001_0000 } else { 0x0203_0000 };
        let text = ELECTRICITY.replacen(
            "id = 0x02030000\nunit = \"W\"",
            &format!("id = {id}\nunit = \"{unit}\""),
            1,
        );
        let profile = parse("test-meter.toml", &text).unwrap().profile;
        let Binding::Dlt645(model) = &profile.binding else { panic!("dlt645") };
        (model.sources[3].scale.factor, model.sources[3].decimals)
    };
    assert_eq!(of("kW"), (0.0001, 4));
    assert_eq!(of("W"), (0.1, 1));
    // 02 decimals in kWh: one step is 0.000036 GJ, to the last bit.
    assert_eq!(of("GJ"), (0.000_036, 6));
    assert_eq!(of("MJ"), (0.036, 3));
    assert_eq!(of("W.h"), (10.0, 0));
}

#[test]
fn a_place_of_a_reading_brings_its_unit() {
    let profile = parse("test-meter.toml", WATER).unwrap().profile;
    let Binding::Cjt188(model) = &profile.binding else { panic!("cjt188") };
    assert_eq!(model.sources[0].id, cjt188::DataId::CURRENT);
    assert_eq!(profile.points[0].unit.code(), "m3");
    assert_eq!(model.sources[0].decimals, 2);
    assert_eq!(model.manners.timeout, std::time::Duration::from_secs(2));
    let month = &model.sources[3];
    assert_eq!((month.id, month.place), (cjt188::DataId(0xD121), MeterPlace::Quantity));
    assert_eq!(profile.urgent, [false, true, false, false]);
}

#[test]
fn a_point_that_contradicts_the_table_is_refused_and_both_are_named() {
    let unit = "unit = \"W\"";
    each_is_refused(
        ELECTRICITY,
        &[
            (
                unit,
                "length = 4",
                "`length` = 4, but identifier 02030000 (active power, total) has 3 bytes",
            ),
            (
                unit,
                "encoding = \"bcd\"",
                "`encoding` says bcd, but identifier 02030000 (active power, total) holds bcd_signed",
            ),
            (unit, "encoding = \"u16\"", "an encoding of registers"),
            (
                unit,
                "unit = \"W\"\nfactor = 0.01",
                "`factor` = 0.01, but identifier 02030000 (active power, total) has 4 decimals in kW: 0.1 for W",
            ),
            (unit, "unit = \"W\"\ndecimals = 2", "has only 1 in W"),
            (
                unit,
                "unit = \"V\"",
                "`unit` = \"V\", but identifier 02030000 (active power, total) is in kW",
            ),
            (unit, "bits = [0, 1]", "which holds bcd_signed"),
            (unit, "at = 1", "no field of 02030000 (active power, total) begins at byte 1"),
            (
                "0x0201FF00",
                "0x0202FF00",
                "`phaseVoltage.L1`: 2 bytes, but 0202FF00 (current) at byte 0 has 3",
            ),
            ("0x0201FF00", "0x0201FF00\nblock_at = 2", "`phaseVoltage.L3`: no field of 0201FF00"),
            ("bits = [4, 1]", "bits = [15, 2]", "bits [15, 2]: [lowest, how many] of 16"),
            ("bits = [4, 1]", "bits = [0, 0]", "[lowest, how many]"),
        ],
    );
}

#[test]
fn what_cannot_be_is_refused_with_what_is_allowed() {
    each_is_refused(
        ELECTRICITY,
        &[
            ("preamble = 2", "preamble = 5", "`preamble` = 5, allowed are 0 to 4"),
            (
                "preamble = 2",
                "edition = \"2017\"",
                "`edition` = \"2017\", allowed are \"2007\" \"1997\"; did you mean `2007`?",
            ),
            ("preamble = 2", "edition = \"1997\"", "is no identifier of 1997: two bytes"),
            ("preamble = 2", "preambel = 2", "did you mean `preamble`?"),
            ("preamble = 2", "frame = \"7E1\"", "8E1"),
            ("preamble = 2", "timeout = \"0s\"", "`timeout` is 0"),
            (
                "[dlt645]",
                "[modbus]\ntable = \"holding\"\n[dlt645]",
                "`[modbus]` and `[dlt645]` are given, allowed is one",
            ),
            ("id = 0x02030000", "en = \"x\"", "`id` is missing"),
            ("id = 0x02030000", "id = 0x0F000000", "`encoding` is missing"),
            (
                "id = 0x02030000",
                "id = 0x0F000000\nencoding = \"bcd\"",
                "`length` is missing: 1 to 8 bytes of bcd",
            ),
            (
                "id = 0x02030000",
                "id = 0x0F000000\nencoding = \"bcd\"\nlength = 9",
                "`length` = 9, allowed are 1 to 8",
            ),
            (
                "id = 0x02030000",
                "id = 0x0F000000\nencoding = \"bcd\"\nlength = 4\nat = 252",
                "would end beyond byte 255",
            ),
            ("id = 0x02030000", "id = 0x04000402", "go with quantity `text`"),
            ("id = 0x02030000", "id = 0x02030000\naddress = 5", "belong to Modbus models"),
            ("id = 0x02030000", "id = 0x02030000\nunavailable = [0]", "a meter says FFH"),
            (
                "id = 0x02030000",
                "id = 0x02030000\nplace = \"volume\"",
                "`place` belongs to CJ/T 188",
            ),
            ("id = 0x02030000", "id = 0x02030000\nblock_at = 3", "need a `block`"),
            ("id = 0x02030000", "identifier = 0x02030000", "did you mean `id`?"),
            ("66 55 62 16", "66 55 63 16", "the check sum is 63, right is 62"),
            ("66 55 62 16", "66 55", "no whole DL/T 645 frame"),
            ("66 55 62 16", "66 5 62 16", "pairs of hexadecimal digits"),
            ("91 06 33 34 34 35 66 55 62", "D1 01 35 47", "no answer with data"),
        ],
    );
}

#[test]
fn a_place_that_the_meter_does_not_have_is_refused() {
    each_is_refused(
        WATER,
        &[
            ("meter_type = 0x10", "order = \"2004\"", "`meter_type` is missing in `[cjt188]`"),
            ("meter_type = 0x10", "meter_type = 0x50", "`meter_type` = 0x50, allowed are 0x10"),
            (
                "meter_type = 0x10",
                "meter_type = 0x10\norder = \"low\"",
                "allowed are \"2004\" \"2018\"",
            ),
            ("meter_type = 0x10", "meter_type = 0x10\npreamble = 6", "allowed are 0 to 5"),
            ("\"volume\"", "\"volumes\"", "did you mean `volume`?"),
            ("\"volume\"", "\"heat\"", "a cold water meter (meter_type 0x10) has no place `heat`"),
            (
                "\"volume\"",
                "\"volume\"\nunit = \"kW.h\"",
                "unit `kW.h` of place `volume`, allowed are m3 L",
            ),
            (
                "\"volume\"",
                "\"volume\"\nfactor = 0.1",
                "`factor` = 0.1, but place `volume` comes in m3",
            ),
            (
                "\"volume\"",
                "\"volume\"\nid = 0xD120",
                "`volume` is a place of 901F and 911F, not of D120",
            ),
            ("\"volume\"", "\"volume\"\nat = 3", "`place` stands instead of `at`"),
            ("\"volume\"", "\"volume\"\nblock = 1", "`block` belongs to DL/T 645"),
            ("id = 0xD120", "en = \"x\"", "901F holds a whole reading"),
            ("00 26 16", "00 27 16", "no whole CJ/T 188 frame with a right check sum"),
        ],
    );
}

#[test]
fn keys_of_meters_are_refused_elsewhere() {
    let text = ELECTRICITY.replace("[dlt645]\npreamble = 2", "[modbus]\ntable = \"holding\"");
    let faults = faults(&text);
    assert!(faults.contains("belong to models of `[dlt645]` and `[cjt188]`"), "{faults}");
    assert!(faults.contains("`frames` belong to models"), "{faults}");
}

#[test]
fn an_example_must_show_each_field_and_each_block() {
    let loaded = parse("test-meter.toml", ELECTRICITY).unwrap();
    let said: Vec<String> = run_examples(&loaded).iter().map(ToString::to_string).collect();
    for kind in ["block 0201FF00", "Bits { length: 2, low: 4, count: 1 }", "signed: true"] {
        assert!(said.iter().any(|fault| fault.contains(kind)), "{kind}: {said:?}");
    }
    let wrong = ELECTRICITY.replace("= 223.3", "= 224");
    let said: Vec<String> = run_examples(&parse("test-meter.toml", &wrong).unwrap())
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(said.iter().any(|fault| fault.contains("expected 224, got 223.3")), "{said:?}");
}
