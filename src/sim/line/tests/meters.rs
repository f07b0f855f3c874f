//! Meters answer as the vectors say, and as the standard has it where no vector is.

use super::*;
use crate::protocol::dlt645::{Address, Collect, DataId, Edition, Next, Relay, RelayAct, reply};
use crate::protocol::{Found, MeterTime, cjt188};

const NAME: &str = "123456789012";

#[derive(serde::Deserialize)]
struct Vector {
    protocol: String,
    name: String,
    request_hex: Option<String>,
    response_hex: Option<String>,
}

fn pairs(protocol: &str) -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let text = include_str!("../../../../tests/data/vectors.json");
    let all: Vec<Vector> = serde_json::from_str(text).unwrap();
    all.into_iter()
        .filter(|vector| vector.protocol.starts_with(protocol))
        .filter_map(|v| Some((v.name, hex(&v.request_hex?), hex(&v.response_hex?))))
        .collect()
}

fn frame645(bytes: &[u8]) -> dlt645::Frame {
    match dlt645::find(bytes) {
        Found::Frame { frame, .. } => frame,
        Found::More { .. } => panic!("no frame in {bytes:02X?}"),
    }
}

fn frame188(bytes: &[u8]) -> cjt188::Frame {
    match cjt188::find(bytes) {
        Found::Frame { frame, .. } => frame,
        Found::More { .. } => panic!("no frame in {bytes:02X?}"),
    }
}

/// Asks a lone slave once.
fn answer(slave: Slave, request: &[u8]) -> Vec<u8> {
    let mut bench = Bench::new(vec![slave], Tuning::of(METER));
    bench.ask(request, Duration::from_secs(5)).0
}

#[test]
fn electricity_meters_answer_the_requests_of_the_vectors_byte_by_byte() {
    let mut seen = 0;
    for (name, request, response) in pairs("dlt645") {
        let (asked, told) = (frame645(&request), frame645(&response));
        let edition = Edition::of(&asked);
        let mut meter = Dlt645Meter::new(edition, told.address).preamble(told.preamble);
        match told.function() {
            0x11 | 0x01 => {
                let head = edition.id_bytes();
                let id = DataId::from_wire(edition, &told.data).unwrap();
                meter = meter.with(id.0, &told.data[head..]);
            }
            0x1C => {
                meter = meter.password(2, [0x12, 0x34, 0x56]).clock(time(2026, 11, 20, 13, 0, 0));
            }
            // Follow-on data need their first part: the next test.
            _ => continue,
        }
        seen += 1;
        assert_eq!(answer(Slave::dlt645(meter, METER), &request), response, "{name}");
    }
    assert!(seen >= 20, "{seen} vectors");
}

#[test]
fn other_meters_answer_the_requests_of_the_vectors_byte_by_byte() {
    let mut seen = 0;
    for (name, request, response) in pairs("cjt188") {
        let (asked, told) = (frame188(&request), frame188(&response));
        let wire = [told.data[0], told.data[1]];
        let (id, order) = cjt188::DataId::from_wire(wire);
        let mut meter = Cjt188Meter::new(asked.meter_type, told.address)
            .preamble(told.preamble)
            .answers_in(order)
            .answers_as(told.meter_type);
        if asked.data[2] != told.data[2] {
            meter = meter.own_sequence(told.data[2]);
        }
        if told.function() == 1 {
            meter = meter.with(id.0, &told.data[3..]);
        }
        if asked.meter_type.0 == 0xAA {
            meter = Cjt188Meter::new(told.meter_type, told.address);
        }
        seen += 1;
        assert_eq!(answer(Slave::cjt188(meter, METER), &request), response, "{name}");
    }
    assert!(seen >= 8, "{seen} vectors");
}

fn time(year: u16, month: u8, day: u8, hour: u8, minute: u8, second: u8) -> MeterTime {
    MeterTime { year, month, day, hour, minute, second }
}

/// A talk with one meter of the edition of 2007.
struct Talk(Bench);

impl Talk {
    fn with(meter: Dlt645Meter) -> Self {
        Self(Bench::new(vec![Slave::dlt645(meter, METER)], Tuning::of(METER)))
    }

    fn ask(&mut self, frame: &dlt645::Frame) -> Option<dlt645::Frame> {
        let (bytes, _) = self.0.ask(&frame.to_bytes(), Duration::from_secs(3));
        (!bytes.is_empty()).then(|| frame645(&bytes))
    }

    fn read(&mut self, id: u32) -> Option<dlt645::Frame> {
        self.ask(&dlt645::read(Edition::V2007, NAME.parse().unwrap(), DataId(id)))
    }
}

#[test]
fn a_value_longer_than_a_frame_comes_in_parts_that_the_codec_puts_together() {
    let value: Vec<u8> = (0..100).collect();
    let meter = meter(NAME).with(0x0630_0D00, &value).part_size(32);
    let (name, id) = (NAME.parse().unwrap(), DataId(0x0630_0D00));
    let mut talk = Talk::with(meter);
    let mut collect = Collect::new(Edition::V2007, name, id);
    let mut question = dlt645::read(Edition::V2007, name, id);
    let mut parts = 0;
    let whole = loop {
        let told = talk.ask(&question).unwrap();
        parts += 1;
        match collect.push(reply(Edition::V2007, &question, &told).unwrap()) {
            Next::Ask(next) => question = next,
            Next::Done(whole) => break whole,
            Next::Abort(why) => panic!("{why}"),
        }
    };
    assert_eq!((whole, parts), (value, 4));
    let beyond = talk.ask(&dlt645::read_next(name, id, 4)).unwrap();
    assert_eq!((beyond.control, beyond.data), (0xD2, vec![2]), "there is no part behind the last");
}

#[test]
fn blocks_are_put_together_and_taken_apart() {
    let meter = meter(NAME)
        .with(0x0201_0100, &[0x01, 0x22])
        .with(0x0201_0300, &[0x98, 0x21])
        .with_numbers(0x0002_FF00, &[Some(1.0), Some(0.25), None])
        .unwrap();
    let mut talk = Talk::with(meter);
    assert_eq!(talk.read(0x0201_FF00).unwrap().data[4..], [0x01, 0x22, 0xFF, 0xFF, 0x98, 0x21]);
    assert_eq!(talk.read(0x0001_FF00).unwrap().data[4..], [0x56, 0x34, 0x12, 0x00]);
    assert_eq!(talk.read(0x0002_0100).unwrap().data[4..], [0x25, 0, 0, 0]);
    assert_eq!(talk.read(0x0002_0300).unwrap().control, 0xD1, "no such tariff");
    assert_eq!(talk.read(0x0280_0002).unwrap().data, [2], "no such item");
}

#[test]
fn the_address_is_told_to_wild_cards_that_fit_and_to_no_others() {
    let own: Address = NAME.parse().unwrap();
    for (wild, fits) in [("AAAAAAAAAAAA", true), ("AAAAAAAA9012", true), ("AAAAAAAA9013", false)] {
        let asked = dlt645::read_address_of(wild.parse().unwrap());
        let told = Talk::with(meter(NAME)).ask(&asked);
        assert_eq!(told.is_some(), fits, "{wild}");
        assert!(told.is_none_or(|told| told.address == own && told.data == own.wire()));
    }
    let old = Dlt645Meter::new(Edition::V1997, own);
    assert!(Talk::with(old).ask(&dlt645::read_address()).is_none(), "the old edition has no 13H");
}

#[test]
fn a_broadcast_sets_the_clock_and_nobody_answers() {
    let mut talk = Talk::with(meter(NAME).clock(time(2020, 1, 1, 0, 0, 0)));
    assert!(talk.ask(&dlt645::time_sync(time(2026, 11, 20, 13, 45, 58))).is_none());
    // Nearly three seconds pass in `ask`.
    let clock = talk.read(0x0400_0102).unwrap().data;
    assert_eq!(clock[5..], [0x46, 0x13]);
    assert_eq!(talk.read(0x0400_0101).unwrap().data[4..], [0x05, 0x20, 0x11, 0x26]);
    assert!(talk.ask(&dlt645::time_sync(time(2026, 13, 40, 13, 0, 0))).is_none());
    let address = talk.0.engine.stations[0].address();
    assert_eq!(address, BusAddress::Dlt645(NAME.parse().unwrap()));
}

#[test]
fn the_relay_wants_its_password_and_shows_its_state() {
    let meter =
        meter(NAME).password(2, [0x12, 0x34, 0x56]).clock(time(2026, 11, 20, 13, 0, 0)).preamble(0);
    let mut talk = Talk::with(meter);
    let order = |act, password, until| {
        let relay = Relay {
            act,
            level: 2,
            password,
            operator: [0; 4],
            valid_until: time(until, 1, 1, 0, 0, 0),
        };
        dlt645::relay(NAME.parse().unwrap(), &relay)
    };
    let right = [0x12, 0x34, 0x56];
    let wrong = talk.ask(&order(RelayAct::Trip, [0; 3], 2030)).unwrap();
    assert_eq!((wrong.control, wrong.data), (0xDC, vec![4]));
    let stale = talk.ask(&order(RelayAct::Trip, right, 2020)).unwrap();
    assert_eq!(stale.control, 0xDC, "an order that is over");
    assert_eq!(talk.read(0x0400_0503).unwrap().data[4] & 0x10, 0);
    assert_eq!(talk.ask(&order(RelayAct::Trip, right, 2030)).unwrap().control, 0x9C);
    assert_eq!(talk.read(0x0400_0503).unwrap().data[4] & 0x10, 0x10);
    assert_eq!(talk.ask(&order(RelayAct::PermitClose, right, 2030)).unwrap().control, 0x9C);
    assert_eq!(talk.read(0x0400_0503).unwrap().data[4] & 0x10, 0x10, "nobody pressed the button");
    assert_eq!(talk.ask(&order(RelayAct::Close, right, 2030)).unwrap().control, 0x9C);
    assert_eq!(talk.read(0x0400_0503).unwrap().data[4] & 0x10, 0);
}

fn water() -> Cjt188Meter {
    let quantity = |value| cjt188::Quantity { value, unit: cjt188::Unit::M3 };
    let reading = cjt188::VolumeReading {
        current: quantity(Some(1234.56)),
        settlement: quantity(None),
        clock: None,
        status: cjt188::Status([4, 0]),
    };
    Cjt188Meter::new(cjt188::MeterType::COLD_WATER, "00000012345678".parse().unwrap())
        .with(0x901F, &volume_body(&reading, false).unwrap())
}

#[test]
fn a_valve_moves_when_told_and_the_reading_shows_it() {
    let slave = Slave::cjt188(water(), METER);
    let mut bench = Bench::new(vec![slave], Tuning::of(METER));
    let (kind, own) = (cjt188::MeterType::COLD_WATER, "00000012345678".parse().unwrap());
    let order = cjt188::DiOrder::HighFirst;
    let mut ask =
        |frame: &cjt188::Frame| frame188(&bench.ask(&frame.to_bytes(), Duration::from_secs(3)).0);
    let read = cjt188::read(kind, own, cjt188::DataId::CURRENT, order, 1);
    let reading = |frame: &cjt188::Frame| match cjt188::current(kind, &frame.data[3..]).unwrap() {
        cjt188::Current::Volume(reading) => reading,
        cjt188::Current::Heat(_) => panic!("water"),
    };
    let before = reading(&ask(&read));
    assert_eq!(before.current.value, Some(1234.56));
    assert_eq!((before.settlement.value, before.clock), (None, None), "FFH is not a number");
    assert_eq!(before.status.battery_low(), Some(true));
    assert_eq!(before.status.valve(), Some(cjt188::Valve::Open));
    let told = ask(&cjt188::valve(kind, own, order, 2, cjt188::ValveAct::Close));
    assert_eq!(told.control, 0x84);
    assert_eq!(reading(&ask(&read)).status.valve(), Some(cjt188::Valve::Closed));
    let month = cjt188::read(kind, own, cjt188::DataId(0xD120), order, 3);
    assert_eq!(ask(&month).control, 0xC1, "what it does not have it refuses");
}

#[test]
fn a_meter_of_one_order_takes_the_other_for_something_it_does_not_have() {
    let (kind, own) = (cjt188::MeterType::COLD_WATER, "00000012345678".parse().unwrap());
    for (order, control) in [(cjt188::DiOrder::LowFirst, 0x81), (cjt188::DiOrder::HighFirst, 0xC1)]
    {
        let slave = Slave::cjt188(water().only(cjt188::DiOrder::LowFirst), METER);
        let read = cjt188::read(kind, own, cjt188::DataId::CURRENT, order, 1);
        assert_eq!(frame188(&answer(slave, &read.to_bytes())).control, control);
    }
}

#[test]
fn every_layout_of_a_heat_reading_is_read_back() {
    let in_kwh = |value| cjt188::Quantity { value: Some(value), unit: cjt188::Unit::KWH };
    let mut reading = cjt188::HeatReading {
        settlement: in_kwh(12.5),
        current: in_kwh(4567.89),
        power: cjt188::Quantity { value: Some(-1.25), unit: cjt188::Unit::KW },
        flow: cjt188::Quantity { value: Some(0.75), unit: cjt188::Unit::M3_PER_H },
        volume: cjt188::Quantity { value: None, unit: cjt188::Unit::M3 },
        supply: Some(62.35),
        return_: Some(41.5),
        hours: Some(1234),
        clock: Some(time(2026, 11, 20, 13, 45, 30)),
        status: cjt188::Status([0, 0]),
        unit_first: false,
        cooling: None,
        flow_decimals: 4,
    };
    let layouts = [
        (HeatLayout::Y2004, 43, 4, false),
        (HeatLayout::Y2004, 43, 4, true),
        (HeatLayout::Y2018, 40, 3, false),
        (HeatLayout::HeatAndCooling, 54, 4, true),
    ];
    for (layout, length, flow_decimals, unit_first) in layouts {
        (reading.flow_decimals, reading.unit_first) = (flow_decimals, unit_first);
        if layout == HeatLayout::HeatAndCooling {
            let cold = in_kwh(9.75);
            let pressure = Some(3.5);
            reading.cooling = Some(cjt188::Cooling {
                settlement: cold,
                current: cold,
                supply_pressure: pressure,
                return_pressure: None,
            });
        }
        let body = heat_body(&reading, layout).unwrap();
        assert_eq!(body.len(), length);
        let read = cjt188::current(cjt188::MeterType::HEAT, &body).unwrap();
        assert_eq!(read, cjt188::Current::Heat(reading), "{layout:?}");
    }
}
