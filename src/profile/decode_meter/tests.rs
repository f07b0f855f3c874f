//! What meters send becomes values; what cannot be a value is told apart from what is not there.

use super::*;
use crate::protocol::cjt188::{DataId, MeterType, current};
use crate::protocol::dlt645;

fn item(field: MeterField, factor: f64, decimals: u8) -> ItemSource {
    ItemSource {
        id: dlt645::DataId(0x0201_0100),
        at: 0,
        block: None,
        field,
        scale: Scale { factor, ..Scale::default() },
        codes: Vec::new(),
        flag: false,
        decimals,
    }
}

fn bcd(length: u8, signed: bool, factor: f64, decimals: u8) -> ItemSource {
    item(MeterField::Bcd { length, signed }, factor, decimals)
}

fn value(source: &ItemSource, bytes: &[u8]) -> Result<Value, Reason> {
    decode_item(source, bytes, source.scale.factor)
}

#[test]
fn numbers_are_scaled_and_rounded_to_their_digits() {
    assert_eq!(value(&bcd(2, false, 0.1, 1), &[0x33, 0x22]), Ok(Value::Number(223.3)));
    assert_eq!(
        value(&bcd(4, false, 0.01, 2), &[0x26, 0x06, 0x21, 0x20]),
        Ok(Value::Number(202_106.26))
    );
    let power = bcd(3, true, 0.1, 1);
    assert_eq!(value(&power, &[0x31, 0x43, 0x80]), Ok(Value::Number(-433.1)));
    assert_eq!(value(&power, &[0x00, 0x00, 0x80]), Ok(Value::Number(0.0)), "there is no -0 W");
}

#[test]
fn a_field_of_ff_is_not_available_and_a_half_filled_one_is_a_bad_reply() {
    let voltage = bcd(2, false, 0.1, 1);
    assert_eq!(value(&voltage, &[0xFF, 0xFF]), Err(Reason::NotAvailable));
    assert_eq!(value(&voltage, &[0xFF, 0x22]), Err(Reason::BadReply));
    assert_eq!(value(&voltage, &[0x3A, 0x22]), Err(Reason::BadReply));
    assert_eq!(value(&voltage, &[0x33]), Err(Reason::BadReply));
    assert_eq!(value(&voltage, &[]), Err(Reason::BadReply));
    let status = item(MeterField::Bits { length: 2, low: 4, count: 1 }, 1.0, 0);
    assert_eq!(value(&status, &[0xFF, 0xFF]), Err(Reason::NotAvailable));
    assert_eq!(
        value(&item(MeterField::Digits { length: 1 }, 1.0, 0), &[0x1A]),
        Err(Reason::BadReply)
    );
}

#[test]
fn bits_become_numbers_codes_and_flags() {
    let mut status = item(MeterField::Bits { length: 2, low: 4, count: 1 }, 1.0, 0);
    assert_eq!(value(&status, &[0x10, 0x00]), Ok(Value::Number(1.0)));
    status.flag = true;
    assert_eq!(value(&status, &[0xEF, 0xFF]), Ok(Value::Flag(false)));
    status.flag = false;
    status.codes = vec![Code::new("0", 7)];
    assert_eq!(value(&status, &[0x00, 0x00]), Ok(Value::Number(7.0)));
    assert_eq!(value(&status, &[0x10, 0x00]), Err(Reason::UnknownCode));
    let whole = item(MeterField::Bits { length: 4, low: 0, count: 32 }, 1.0, 0);
    assert_eq!(value(&whole, &[0xFE, 0xFF, 0xFF, 0xFF]), Ok(Value::Number(4_294_967_294.0)));
}

#[test]
fn texts_stand_last_byte_first_and_lose_their_padding() {
    let model = item(MeterField::Ascii { length: 6 }, 1.0, 0);
    assert_eq!(value(&model, b"\0\0V022"), Ok(Value::Text("220V".into())));
    assert_eq!(value(&model, b"\0\0\0 \0\0"), Err(Reason::NotAvailable));
    assert_eq!(value(&model, b"\0\x01V022"), Err(Reason::BadReply));
    assert_eq!(value(&model, b"\0\xB0V022"), Err(Reason::BadReply));
    let plate = item(MeterField::Digits { length: 6 }, 1.0, 0);
    assert_eq!(
        value(&plate, &[0x08, 0x02, 0x02, 0x41, 0x22, 0x00]),
        Ok(Value::Text("002241020208".into()))
    );
}

fn place(place: MeterPlace) -> MeterSource {
    MeterSource {
        id: DataId::CURRENT,
        place,
        scale: Scale::default(),
        codes: Vec::new(),
        flag: place == MeterPlace::BatteryLow,
        decimals: 2,
    }
}

/// 1234.56 m³, settlement 1230.00 m³, clock, status.
fn water(unit: u8, status: u8) -> [u8; 19] {
    [
        0x56, 0x34, 0x12, 0x00, unit, 0x00, 0x30, 0x12, 0x00, 0x2C, 0x30, 0x45, 0x13, 0x20, 0x11,
        0x26, 0x20, status, 0x00,
    ]
}

fn water_value(body: &[u8], at: MeterPlace) -> Result<Value, Reason> {
    let current = current(MeterType::COLD_WATER, body).ok();
    decode_meter(&place(at), body, current.as_ref(), 1.0)
}

#[test]
fn quantities_come_in_the_base_unit_whatever_the_meter_sends() {
    assert_eq!(water_value(&water(0x2C, 0), MeterPlace::Volume), Ok(Value::Number(1234.56)));
    assert_eq!(water_value(&water(0x29, 0), MeterPlace::Volume), Ok(Value::Number(1.23)));
    assert_eq!(water_value(&water(0x2D, 0), MeterPlace::Volume), Ok(Value::Number(12_345.6)));
    assert_eq!(
        water_value(&water(0x2C, 0), MeterPlace::SettlementVolume),
        Ok(Value::Number(1230.0))
    );
    assert_eq!(water_value(&water(0x05, 0), MeterPlace::Volume), Err(Reason::BadReply), "kWh");
    assert_eq!(water_value(&water(0x77, 0), MeterPlace::Volume), Err(Reason::BadReply));
    assert_eq!(water_value(&water(0x2C, 0), MeterPlace::Heat), Err(Reason::BadReply));
    assert_eq!(water_value(&water(0x2C, 0)[1..], MeterPlace::Volume), Err(Reason::BadReply));
    let mut empty = water(0x2C, 0);
    empty[..4].fill(0xFF);
    assert_eq!(water_value(&empty, MeterPlace::Volume), Err(Reason::NotAvailable));
    empty[..5].fill(0);
    assert_eq!(water_value(&empty, MeterPlace::Volume), Err(Reason::NotAvailable), "not filled");
}

#[test]
fn a_status_of_ff_says_nothing_and_other_states_are_told() {
    let valve = |status| water_value(&water(0x2C, status), MeterPlace::Valve);
    assert_eq!(valve(0x00), Ok(Value::Number(0.0)));
    assert_eq!(valve(0x01), Ok(Value::Number(1.0)));
    assert_eq!(valve(0x03), Ok(Value::Number(3.0)));
    assert_eq!(valve(0x02), Err(Reason::UnknownCode));
    assert_eq!(valve(0xFF), Err(Reason::NotAvailable));
    let battery = |status| water_value(&water(0x2C, status), MeterPlace::BatteryLow);
    assert_eq!(battery(0x04), Ok(Value::Flag(true)));
    assert_eq!(battery(0x03), Ok(Value::Flag(false)));
    assert_eq!(battery(0xFF), Err(Reason::NotAvailable));
}

#[test]
fn places_of_other_identifiers_need_no_current_reading() {
    let month = place(MeterPlace::Quantity);
    let body = [0x50, 0x12, 0x00, 0x00, 0x2C];
    assert_eq!(decode_meter(&month, &body, None, 1.0), Ok(Value::Number(12.5)));
    assert_eq!(decode_meter(&month, &body[1..], None, 1.0), Err(Reason::BadReply));
    let raw = place(MeterPlace::Raw { at: 1, field: MeterField::Bcd { length: 2, signed: false } });
    assert_eq!(decode_meter(&raw, &[0, 0x34, 0x12], None, 0.01), Ok(Value::Number(12.34)));
    assert_eq!(decode_meter(&raw, &[0, 0x34], None, 0.01), Err(Reason::BadReply));
    assert_eq!(decode_meter(&raw, &[], None, 0.01), Err(Reason::BadReply));
}
