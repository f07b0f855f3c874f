//! Meters of a profile hold what their device says; a recorded line plays again.

use std::sync::Arc;

use super::*;
use crate::driver::record::{Captured, Recording, Way};
use crate::model::{Category, Moment, Point, Quantity, Value};
use crate::profile::{
    Binding, Cjt188Model, Dlt645Model, ItemSource, MeterField, MeterManners, MeterPlace,
    MeterSource, Profile, Scale, SerialDefaults, decode_item, decode_meter,
};
use crate::protocol::{Found, cjt188};
use crate::sim::Device;

const MANNERS: MeterManners = MeterManners {
    serial: SerialDefaults { baud: 2400, frame: *b"8E1" },
    preamble: 4,
    timeout: Duration::from_secs(1),
    pause: Duration::ZERO,
    pause_on_switch: Duration::ZERO,
};

fn device(binding: Binding, points: usize) -> Device {
    let point = |place: usize| Point {
        decimals: 3,
        ..Point::new(&format!("p{place}"), crate::model::Unit::ONE, Quantity::State)
    };
    let profile = Profile {
        id: "meter".into(),
        binding,
        points: (0..points).map(point).collect(),
        periods: vec![None; points],
        ..Profile::bare(Category::ElectricityMeter)
    };
    Device::new(Arc::new(profile), 1)
}

fn item(id: u32, at: u8, field: MeterField, factor: f64) -> ItemSource {
    ItemSource {
        id: dlt645::DataId(id),
        at,
        block: None,
        field,
        scale: Scale { factor, ..Scale::default() },
        codes: Vec::new(),
        flag: false,
        decimals: 3,
    }
}

#[test]
fn an_electricity_meter_of_a_profile_sends_what_decodes_to_the_values_of_its_device() {
    let signed = MeterField::Bcd { length: 3, signed: true };
    let block = Some((dlt645::DataId(0x0203_FF00), 3));
    let sources = vec![
        item(0x0001_0000, 0, MeterField::Bcd { length: 4, signed: false }, 0.01),
        ItemSource { block, ..item(0x0203_0100, 0, signed, 0.0001) },
        item(0x0400_0503, 0, MeterField::Bits { length: 2, low: 5, count: 2 }, 1.0),
        item(0x0400_0402, 0, MeterField::Digits { length: 6 }, 1.0),
        item(0x0400_040B, 0, MeterField::Ascii { length: 10 }, 1.0),
    ];
    let values = [
        Value::Number(4321.09),
        Value::Number(-1.234),
        Value::Number(2.0),
        Value::Text("000123456789".into()),
        Value::Text("DTZ-1".into()),
    ];
    let model =
        Dlt645Model { edition: dlt645::Edition::V2007, manners: MANNERS, sources: sources.clone() };
    let mut device = device(Binding::Dlt645(model), values.len());
    for (place, value) in values.iter().enumerate() {
        device.set(place, value.clone());
    }
    let address = "000000000001".parse().unwrap();
    let slave = Slave::of(&device, BusAddress::Dlt645(address), None).unwrap();
    assert_eq!(slave.settings(), METER, "the model's own");
    let mut bench = Bench::new(vec![slave], Tuning::of(METER));
    let mut read = |id| {
        let request = dlt645::read(dlt645::Edition::V2007, address, id).to_bytes();
        let (bytes, _) = bench.ask(&request, Duration::from_secs(3));
        match dlt645::find(&bytes) {
            Found::Frame { frame, .. } => frame.data[4..].to_vec(),
            Found::More { .. } => panic!("{bytes:02X?}"),
        }
    };
    for (source, value) in sources.iter().zip(&values) {
        let data = read(source.id);
        let factor = source.scale.factor;
        assert_eq!(decode_item(source, &data[usize::from(source.at)..], factor).unwrap(), *value);
        if let Some((block, at)) = source.block {
            let data = read(block);
            assert_eq!(decode_item(source, &data[usize::from(at)..], factor).unwrap(), *value);
        }
    }
}

#[test]
fn a_heat_meter_of_a_profile_sends_what_decodes_to_the_values_of_its_device() {
    let source = |place| MeterSource {
        id: cjt188::DataId::CURRENT,
        place,
        scale: Scale::default(),
        codes: Vec::new(),
        flag: place == MeterPlace::BatteryLow,
        decimals: 3,
    };
    let places = [
        (MeterPlace::Heat, Value::Number(1234.5)),
        (MeterPlace::FlowTwoDecimals, Value::Number(1.25)),
        (MeterPlace::SupplyTemperature, Value::Number(62.5)),
        (MeterPlace::Hours, Value::Number(77.0)),
        (MeterPlace::Valve, Value::Number(1.0)),
        (MeterPlace::BatteryLow, Value::Flag(true)),
    ];
    let sources: Vec<MeterSource> = places.iter().map(|(place, _)| source(*place)).collect();
    let model = Cjt188Model {
        meter_type: cjt188::MeterType::HEAT,
        order: Some(cjt188::DiOrder::LowFirst),
        manners: MANNERS,
        sources: sources.clone(),
    };
    let mut device = device(Binding::Cjt188(model), places.len());
    for (place, (_, value)) in places.iter().enumerate() {
        device.set(place, value.clone());
    }
    let address: cjt188::Address = "00000000000001".parse().unwrap();
    assert!(Slave::of(&device, BusAddress::Unit(1), None).is_none(), "no address of its protocol");
    let slave = Slave::of(&device, BusAddress::Cjt188(address), None).unwrap();
    let mut bench = Bench::new(vec![slave], Tuning::of(METER));
    let (kind, order) = (cjt188::MeterType::HEAT, cjt188::DiOrder::LowFirst);
    let request = cjt188::read(kind, address, cjt188::DataId::CURRENT, order, 9).to_bytes();
    let (bytes, _) = bench.ask(&request, Duration::from_secs(3));
    let Found::Frame { frame, .. } = cjt188::find(&bytes) else { panic!("{bytes:02X?}") };
    let body = &frame.data[3..];
    let current = cjt188::current(kind, body).ok();
    for (source, (_, value)) in sources.iter().zip(&places) {
        assert_eq!(decode_meter(source, body, current.as_ref(), 1.0).unwrap(), *value);
    }
}

fn captured(boot_ms: u64, way: Way, bytes: &[u8]) -> Captured {
    Captured { at: Moment { boot_ms }, way, line: Some(METER), bytes: bytes.to_vec() }
}

#[test]
fn a_recorded_line_answers_again_in_its_time_and_in_its_turn() {
    let ask = ask_meter("123456789012");
    let sent = u64::try_from(METER.time_of(ask.len()).as_millis()).unwrap();
    let frames = vec![
        captured(0, Way::Sent, &ask),
        captured(sent + 100, Way::Received, &[1, 2, 3]),
        captured(1000, Way::Sent, &ask),
        captured(2000, Way::Sent, &ask),
        captured(2000 + sent + 50, Way::Received, &[4, 5]),
        captured(2000 + sent + 90, Way::Received, &[6]),
    ];
    let recording = Recording { bus: "line-1".into(), mbap: false, frames };
    let mut bench = Bench::new(Vec::new(), Tuning::of(METER));
    bench.engine.replay = Some(super::super::replay::Replay::new(&recording, METER));
    let patience = Duration::from_secs(1);
    for (expected, after) in [(&[1, 2, 3][..], 100), (&[], 0), (&[4, 5, 6], 90), (&[1, 2, 3], 100)]
    {
        let begin = bench.now;
        let (heard, last) = bench.ask(&ask, patience);
        assert_eq!(heard, expected);
        if after > 0 {
            let count = if after == 90 { 1 } else { 3 };
            let ideal = METER.time_of(ask.len()) + after * MS + METER.time_of(count);
            let took = last - begin;
            // Recordings count in milliseconds.
            assert!(took + MS > ideal && took < ideal + MS, "{took:?} for {ideal:?}");
        }
    }
    let (heard, _) = bench.ask(&ask_meter("000000000009"), patience);
    assert!(heard.is_empty(), "what was not recorded gets silence");
}

#[test]
fn numbers_that_only_count_requests_are_followed() {
    let (kind, own) = (cjt188::MeterType::COLD_WATER, "00000012345678".parse().unwrap());
    let read = |ser| {
        let id = cjt188::DataId::CURRENT;
        cjt188::read(kind, own, id, cjt188::DiOrder::HighFirst, ser)
    };
    let told = |ser| cjt188::answer_data(&read(ser), cjt188::DiOrder::HighFirst, &[7; 19]);
    let frames = vec![
        captured(0, Way::Sent, &read(5).to_bytes()),
        captured(300, Way::Received, &told(5).to_bytes()),
    ];
    let recording = Recording { bus: String::new(), mbap: false, frames };
    let mut bench = Bench::new(Vec::new(), Tuning::of(METER));
    bench.engine.replay = Some(super::super::replay::Replay::new(&recording, METER));
    let (heard, _) = bench.ask(&read(9).to_bytes(), Duration::from_secs(2));
    assert_eq!(heard, told(9).to_bytes());

    let tcp = |transaction: u8| vec![0, transaction, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1];
    let reply = |transaction: u8| vec![0, transaction, 0, 0, 0, 5, 1, 3, 2, 0, 42];
    let frames = vec![
        Captured { line: None, ..captured(0, Way::Sent, &tcp(1)) },
        Captured { line: None, ..captured(20, Way::Received, &reply(1)) },
    ];
    let recording = Recording { bus: String::new(), mbap: true, frames };
    let mut bench = Bench::new(Vec::new(), Tuning::Unknown);
    bench.engine.replay = Some(super::super::replay::Replay::new(&recording, FAST));
    assert_eq!(bench.ask(&tcp(77), Duration::from_secs(1)).0, reply(77));
}

#[test]
fn every_built_in_profile_of_a_line_can_be_played_with_values_that_fit() {
    let library = crate::profile::Library::load(&[]).unwrap();
    let mut played = 0;
    for id in library.ids() {
        let profile = library.get(id).unwrap();
        let address = match profile.binding {
            Binding::Modbus { .. } => BusAddress::Unit(1),
            Binding::Dlt645(_) => BusAddress::Dlt645("000000000001".parse().unwrap()),
            Binding::Cjt188(_) => BusAddress::Cjt188("00000000000001".parse().unwrap()),
            Binding::Mqtt(_) => continue,
        };
        let mut device = Device::new(Arc::clone(&profile), 7);
        let mut slave = Slave::of(&device, address, None).unwrap();
        for _ in 0..20 {
            device.step(60.0);
        }
        assert_eq!(slave.kind.refresh(&device), 0, "{}", profile.id);
        played += 1;
    }
    assert!(played > 10);
}
