//! What is written is read again by the loader, whatever the answers were.

use super::super::answers::{NewPoint, slug};
use super::*;
use crate::model::Category;
use crate::profile::{Binding, Library, Loaded, Table, parse, run_examples};

fn answers(category: Category, protocol: Protocol) -> Answers {
    let (baud, frame) = match protocol {
        Protocol::Modbus => (9600, "8N1"),
        _ => (2400, "8E1"),
    };
    Answers {
        id: "acme-m1".into(),
        category,
        protocol,
        brand: "Acme".into(),
        model: "M1".into(),
        zh: "测试".into(),
        en: "test".into(),
        sources: vec!["Acme M1 registers, edition 3".into()],
        baud,
        frame: frame.into(),
        unit: Some(1),
        counting: Counting::Auto,
        table: "input",
        encoding: "f32",
        order: "abcd",
        edition: "2007",
        meter_type: 0x10,
        points: Vec::new(),
        raws: Vec::new(),
        reads: Vec::new(),
    }
}

/// One point of each protocol with the raw value that reads 223.3, or 5959 for water.
fn filled(category: Category, protocol: Protocol, name: &str) -> Answers {
    let mut answers = answers(category, protocol);
    let (place, raw, reading) = match protocol {
        Protocol::Modbus => (
            Place::Register { table: None, address: 6 },
            Raw::Registers { table: "input", address: 6, words: vec![0x435F, 0x4CCD] },
            223.3,
        ),
        Protocol::Mqtt => (
            Place::Message { topic: "{base}/state".into(), path: Some("/a".into()) },
            Raw::Message { topic: "{base}/state".into(), payload: "{\"a\":223.3}".into() },
            223.3,
        ),
        Protocol::Dlt645 => (
            Place::Item { id: 0x0201_0100 },
            Raw::Frame("68 45 92 66 23 00 10 68 91 06 33 34 34 35 66 55 62 16".into()),
            223.3,
        ),
        Protocol::Cjt188 => (
            Place::Part { place: "volume" },
            Raw::Frame(
                "FE FE 68 10 45 41 10 05 15 33 78 81 16 90 1F AA 00 59 59 00 2C FF FF FF FF 2C \
                 FF FF FF FF FF FF FF 00 00 C2 16"
                    .into(),
            ),
            5959.0,
        ),
    };
    answers.points = vec![NewPoint::at(name, place)];
    answers.raws = vec![raw];
    answers.reads = vec![(name.to_owned(), Reading::Number(reading))];
    answers
}

fn read(answers: &Answers, expected: &Expected) -> Loaded {
    let text = text(answers, expected);
    let loaded = parse(&format!("{}.toml", answers.id), &text)
        .unwrap_or_else(|faults| panic!("{faults:?}\n{text}"));
    let wrong = run_examples(&loaded);
    assert!(wrong.is_empty(), "{wrong:?}\n{text}");
    loaded
}

const PROTOCOLS: [Protocol; 4] =
    [Protocol::Modbus, Protocol::Dlt645, Protocol::Cjt188, Protocol::Mqtt];

#[test]
fn every_category_by_every_protocol_gives_a_file_that_reads_its_example() {
    let library = Library::built_in();
    for category in Category::ALL {
        let expected = Expected::of(&library, *category);
        for protocol in PROTOCOLS {
            let loaded = read(&filled(*category, protocol, "reading"), &expected);
            assert_eq!(loaded.profile.category, *category);
            assert_eq!(loaded.profile.points.len(), 1);
        }
    }
}

#[test]
fn every_point_that_a_category_offers_can_be_written_for_modbus_and_mqtt() {
    let library = Library::built_in();
    for category in Category::ALL {
        let expected = Expected::of(&library, *category);
        for protocol in [Protocol::Modbus, Protocol::Mqtt] {
            let mut answers = filled(*category, protocol, "reading");
            for (address, name) in (100..).step_by(2).zip(&expected.names()) {
                let place = match protocol {
                    Protocol::Modbus => Place::Register { table: None, address },
                    _ => Place::Message {
                        topic: "{base}/state".into(),
                        path: Some(format!("/{name}")),
                    },
                };
                answers.points.push(NewPoint::at(name, place));
            }
            let loaded = read(&answers, &expected);
            assert_eq!(loaded.profile.points.len(), expected.names().len() + 1);
        }
    }
}

#[test]
fn a_file_without_an_example_lacks_nothing_else_and_says_how_to_get_one() {
    for protocol in PROTOCOLS {
        let mut answers = filled(Category::Other, protocol, "reading");
        (answers.raws, answers.reads) = (Vec::new(), Vec::new());
        let text = text(&answers, &Expected::default());
        let faults = parse("acme-m1.toml", &text).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].message.contains("`[[examples]]` is missing"), "{faults:?}");
        assert!(
            text.contains("linli profiles try acme-m1.toml") && text.contains("# [[examples]]")
        );
    }
}

#[test]
fn what_people_write_cannot_break_the_file() {
    let nasty = "a \"quoted\" \\ back\nnew line\ttab \u{1} \u{7f} 中文 ]]\"\"\" '''";
    let mut answers = filled(Category::Other, Protocol::Mqtt, "reading");
    answers.brand = nasty.into();
    answers.model = nasty.into();
    answers.zh = nasty.into();
    answers.en = nasty.into();
    answers.sources = vec![nasty.into()];
    answers.raws.push(Raw::Message {
        topic: "{base}/state".into(),
        payload: "{\"a\":223.3,\"it's\":\"\\u0041\"}".into(),
    });
    let loaded = read(&answers, &Expected::default());
    assert_eq!(loaded.profile.products[0].brand, nasty);
    assert_eq!(loaded.profile.sources[0], nasty);
    assert_eq!((loaded.profile.zh.as_str(), loaded.profile.en.as_str()), (nasty, nasty));
    assert_eq!(loaded.examples[0].messages[1].payload, "{\"a\":223.3,\"it's\":\"\\u0041\"}");
}

#[test]
fn a_factor_gives_its_decimals_and_the_category_gives_unit_range_and_limits() {
    let library = Library::built_in();
    let expected = Expected::of(&library, Category::ElectricityMeter);
    let mut answers = answers(Category::ElectricityMeter, Protocol::Modbus);
    let mut energy =
        NewPoint::at("totalActiveEnergyImport", Place::Register { table: None, address: 0 });
    (energy.encoding, energy.factor) = (Some("u32"), Some(0.01));
    answers.points = vec![energy];
    answers.raws = vec![Raw::Registers { table: "input", address: 0, words: vec![1, 0x86A1] }];
    answers.reads = vec![("totalActiveEnergyImport".into(), Reading::Number(1000.01))];
    let loaded = read(&answers, &expected);
    let point = &loaded.profile.points[0];
    assert_eq!((point.unit.code(), point.decimals), ("kW.h", 2));
    assert!(point.max_rate.is_some() && point.counter_max.is_none());
    assert!(!point.zh.is_empty() && point.zh != *point.name);
}

#[test]
fn tables_topics_and_the_count_from_one_come_where_they_belong() {
    let mut answers = filled(Category::Other, Protocol::Modbus, "reading");
    answers.counting = Counting::One;
    let coil = Place::Register { table: Some("coil"), address: 4 };
    answers.points.push(NewPoint::at("relayOpen", coil));
    answers.raws.push(Raw::Bits { table: "coil", address: 4, bits: vec![true] });
    answers.reads.push(("relayOpen".into(), Reading::Flag(true)));
    let loaded = read(&answers, &Expected::default());
    let Binding::Modbus { sources, .. } = &loaded.profile.binding else { panic!("modbus") };
    assert_eq!((sources[0].table, sources[0].address), (Table::Input, 5));
    assert_eq!((sources[1].table, sources[1].address), (Table::Coil, 3));

    let mut answers = filled(Category::Other, Protocol::Mqtt, "reading");
    let text = Place::Message { topic: "{base}/power".into(), path: None };
    answers.points.push(NewPoint::at("power", text));
    answers.raws.push(Raw::Message { topic: "{base}/power".into(), payload: "12.5".into() });
    answers.reads.push(("power".into(), Reading::Number(12.5)));
    let loaded = read(&answers, &Expected::default());
    let Binding::Mqtt(model) = &loaded.profile.binding else { panic!("mqtt") };
    assert_eq!(model.topics.len(), 2);
}

#[test]
fn a_meter_of_identifiers_takes_the_unit_of_the_category_only_where_the_table_agrees() {
    let library = Library::built_in();
    let expected = Expected::of(&library, Category::ElectricityMeter);
    for (name, id, unit) in [
        ("totalActivePower", 0x0203_0000, "W"),
        ("totalActiveEnergyImport", 0x0001_0000, "kW.h"),
        // Named for something else: the table of identifiers is right.
        ("frequency", 0x0201_0100, "V"),
    ] {
        let mut answers = filled(Category::ElectricityMeter, Protocol::Dlt645, "phaseVoltage");
        answers.points.push(NewPoint::at(name, Place::Item { id }));
        let text = text(&answers, &expected);
        let faults = match parse("acme-m1.toml", &text) {
            Ok(loaded) => {
                assert_eq!(loaded.profile.points[1].unit.code(), unit);
                continue;
            }
            Err(faults) => faults,
        };
        panic!("{name}: {faults:?}\n{text}");
    }
}

#[test]
fn the_valve_and_the_battery_of_a_meter_need_no_more_than_their_place() {
    let library = Library::built_in();
    let expected = Expected::of(&library, Category::WaterMeter);
    let mut answers = filled(Category::WaterMeter, Protocol::Cjt188, "waterConsumption");
    answers.points.push(NewPoint::at("valveState", Place::Part { place: "valve" }));
    answers.points.push(NewPoint::at("batteryLow", Place::Part { place: "battery_low" }));
    answers.reads.push(("valveState".into(), Reading::Number(0.0)));
    answers.reads.push(("batteryLow".into(), Reading::Flag(false)));
    let loaded = read(&answers, &expected);
    let valve = &loaded.profile.points[1];
    assert!(valve.labels.iter().any(|label| label.en == "closed"), "{:?}", valve.labels);
}

#[test]
fn an_identifier_is_made_of_brand_and_model() {
    assert_eq!(slug("Acme", "M-1 (v2)"), "acme-m-1-v2");
    assert_eq!(slug("安科瑞", "ADL400"), "adl400");
    assert_eq!(slug("", "3000"), "model-3000");
    assert_eq!(slug("安科瑞", "电表"), "model");
}
