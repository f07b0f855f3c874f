//! The built-in meter profiles read what meters really send, and can be played.

use serde_json::Value as Json;

use super::*;
use crate::model::{Reason, Value};
use crate::profile::{Binding, Loaded, decode_item, decode_meter};
use crate::protocol::{Found, cjt188, dlt645};

const VECTORS: &str = include_str!("../../../tests/data/vectors.json");

fn meters() -> Vec<Loaded> {
    let all = BUILT_IN.iter().map(|(id, text)| parse(&format!("{id}.toml"), text).unwrap());
    let is_meter =
        |loaded: &Loaded| matches!(loaded.profile.binding, Binding::Dlt645(_) | Binding::Cjt188(_));
    all.filter(is_meter).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.split_whitespace().map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn vectors(protocol: &str) -> Vec<Json> {
    let all: Vec<Json> = serde_json::from_str(VECTORS).unwrap();
    let fits = |vector: &Json| {
        vector["protocol"].as_str().is_some_and(|name| name.starts_with(protocol))
            && vector["response_hex"].is_string()
            && vector["decoded"]["checksum_valid"] != false
    };
    all.into_iter().filter(fits).collect()
}

#[test]
fn every_value_of_an_electricity_meter_in_the_vectors_is_read_by_the_profiles_that_have_it() {
    let mut read = 0;
    for vector in vectors("dlt645") {
        let response = &vector["decoded"]["response"];
        let Some(value) = response.get("value") else { continue };
        let Found::Frame { frame, .. } =
            dlt645::find(&bytes(vector["response_hex"].as_str().unwrap()))
        else {
            panic!("{vector}");
        };
        let edition = dlt645::Edition::of(&frame);
        let id = dlt645::DataId::from_wire(edition, &frame.data).unwrap();
        let data = &frame.data[edition.id_bytes()..];
        for Loaded { profile, .. } in &meters() {
            let Binding::Dlt645(model) = &profile.binding else { continue };
            let params: Vec<f64> = profile.params.iter().map(|param| param.default).collect();
            for (slot, source) in model.sources.iter().enumerate() {
                if model.edition != edition || source.id != id {
                    continue;
                }
                let got = decode_item(
                    source,
                    &data[usize::from(source.at)..],
                    source.scale.resolve(&params),
                );
                let unit = profile.points[slot].unit.code();
                let kilo = matches!(unit, "W" | "var" | "V.A");
                let want = value.as_f64().map(|value| if kilo { value * 1000.0 } else { value });
                match (got, want) {
                    (Ok(Value::Number(got)), Some(want)) => {
                        assert!((got - want).abs() < 1e-6, "{}: {got} {vector}", profile.id);
                    }
                    (Err(Reason::NotAvailable), None) => {}
                    (got, _) => panic!("{}: {got:?} {vector}", profile.id),
                }
                read += 1;
            }
        }
    }
    assert!(read > 40, "{read} values");
}

#[test]
fn every_reading_of_a_cjt188_meter_in_the_vectors_is_read_by_the_profiles_of_its_kind() {
    let mut read = 0;
    for vector in vectors("cjt188") {
        let told = &vector["decoded"]["meter"];
        let Some(total) = told.get("current").or(told.get("current_heat")).and_then(Json::as_f64)
        else {
            continue;
        };
        let Found::Frame { frame, .. } =
            cjt188::find(&bytes(vector["response_hex"].as_str().unwrap()))
        else {
            panic!("{vector}");
        };
        let body = &frame.data[3..];
        let current = cjt188::current(frame.meter_type, body).ok();
        for Loaded { profile, .. } in &meters() {
            let Binding::Cjt188(model) = &profile.binding else { continue };
            if model.meter_type.kind() != frame.meter_type.kind() {
                continue;
            }
            let values: Vec<_> = model
                .sources
                .iter()
                .map(|source| {
                    decode_meter(source, body, current.as_ref(), source.scale.resolve(&[]))
                })
                .collect();
            for (value, point) in values.iter().zip(profile.points.iter()) {
                let known = matches!(value, Ok(_) | Err(Reason::NotAvailable));
                assert!(known, "{} {}: {value:?} {vector}", profile.id, point.name);
            }
            let unit = match told["current_heat_unit"].as_str() {
                None => 1.0,
                Some("kWh") => 0.0036,
                Some("MWh") => 3.6,
                Some(other) => panic!("{other}"),
            };
            let Ok(Value::Number(first)) = values[0] else { panic!("{values:?} {vector}") };
            assert!((first - total * unit).abs() < 1e-6, "{}: {first} {vector}", profile.id);
            read += 1;
        }
    }
    assert!(read > 20, "{read} readings");
}

#[test]
fn every_meter_profile_that_can_tell_an_alarm_reads_it_first() {
    for Loaded { profile, .. } in meters() {
        let alarm = |name: &str| matches!(name, "relayOpen" | "valveState" | "batteryLow");
        for (slot, point) in profile.points.iter().enumerate() {
            let urgent = profile.urgent.get(slot).copied().unwrap_or(false);
            assert_eq!(urgent, alarm(&point.name), "{} {}", profile.id, point.name);
        }
    }
}
