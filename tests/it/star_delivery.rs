//! Four hundred days of made-up facts (deliveries, outages, alarms, broadcasts, clocks), told to an
//! engine that is restarted and whose clock is not always trusted, against the numbers of an
//! independent script in Python, exactly.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use linli::model::{
    AlarmLife, BroadcastLife, BroadcastProof, Category, Delivered, DeviceId, Estate, EstateKind,
    Fact, FactKind, GatewayId, Moment, Snapshot, WallTime,
};
use linli::starlevel::{
    Assessment, Engine, EvidenceChain, GatewaySeen, LinkEvidence, Measure, Outcome, RulePack,
};
use linli::store::{Limits, Store};
use serde_json::Value;

use crate::parts::{device, peer};

/// 2026-01-01T00:00 in Shanghai.
const MIDNIGHT: i64 = 1_767_196_800_000;
/// The engine looks so often; facts come in between.
const TICK: u64 = 1_800_000;

fn file() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/star-delivery.json")
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_else(|| panic!("{key} of {value}"))
}

/// `null` is "never".
fn span(value: &Value) -> Duration {
    value.as_u64().map_or(Duration::MAX, Duration::from_millis)
}

fn kind(fact: &Value) -> FactKind {
    let after = |key: &str| fact[key].as_u64().map(Duration::from_millis);
    if let Some(what) = fact["what"].as_str() {
        let what = match what {
            "telemetry" => Delivered::Telemetry,
            "event" => Delivered::Event,
            _ => Delivered::ConnectorStatus,
        };
        let count = u32::try_from(number(fact, "count")).unwrap();
        let after_outage = (fact["up"] != "none").then(|| span(&fact["up"]));
        return FactKind::Delivered { what, age: span(&fact["age"]), count, after_outage };
    }
    if let Some(id) = fact["alarm"].as_str() {
        return FactKind::Alarm(AlarmLife {
            id: id.to_owned(),
            level: u8::try_from(number(fact, "level")).unwrap(),
            age: Duration::from_millis(number(fact, "at") - number(fact, "raised")),
            acknowledged_after: after("ack"),
            closed_after: after("close"),
            escalated_after: after("up"),
        });
    }
    if fact["broadcast"] == true {
        return FactKind::Broadcast(BroadcastLife {
            drill: fact["drill"] == true,
            started_after: span(&fact["start"]),
            addressed: u32::try_from(number(fact, "addressed")).unwrap(),
            acknowledged: u32::try_from(number(fact, "acknowledged")).unwrap(),
            returned: fact["returned"] == true,
        });
    }
    match fact["proof"].as_str() {
        Some("pre_emption") => return FactKind::BroadcastProof(BroadcastProof::PreEmption),
        Some("unsigned") => return FactKind::BroadcastProof(BroadcastProof::RefusedUnsigned),
        Some("expired") => return FactKind::BroadcastProof(BroadcastProof::RefusedExpired),
        Some(_) => return FactKind::BroadcastProof(BroadcastProof::RefusedArea),
        None => {}
    }
    if let Some(meter) = fact["meter"].as_str() {
        let offset_s = fact["offset_s"].as_i64().unwrap();
        return FactKind::MeterClock { device: DeviceId::new(meter).unwrap(), offset_s };
    }
    if let Some(offset_ms) = fact["offset_ms"].as_i64() {
        return FactKind::GatewayClock { offset_ms, source: "ntp".into() };
    }
    FactKind::ScreenShown { after: span(&fact["screen"]) }
}

/// The gateway from its start until it stops, with what its store holds.
fn run(history: &Value, folder: &Path, begin: u64, end: u64) -> Assessment {
    let store = Store::open(folder, Limits::default()).unwrap();
    let meters = history["meters"].as_array().unwrap().iter();
    let devices =
        meters.map(|id| device(id.as_str().unwrap(), Category::ElectricityMeter, 900, Vec::new()));
    let devices = devices.collect();
    let gateway = GatewayId::new("g").unwrap();
    let kind_of = EstateKind::OldRetrofit;
    let estate = Arc::new(Estate::new(gateway, String::new(), kind_of, devices).unwrap());
    let moment = |time: u64| Moment { boot_ms: time - begin + 100_000 };
    let wall = |time: u64| {
        let wrong = history["untrusted"].as_array().unwrap().iter();
        let inside =
            |span: &Value| (span[0].as_u64().unwrap()..span[1].as_u64().unwrap()).contains(&time);
        let trusted = !wrong.into_iter().any(inside);
        trusted.then(|| WallTime { unix_ms: MIDNIGHT + i64::try_from(time).unwrap() })
    };
    let snapshot = Snapshot::new(Arc::clone(&estate), moment(begin));
    let mut engine = Engine::new(RulePack::built_in(), estate, moment(begin));
    engine.keep(EvidenceChain::new(&store)).unwrap();
    let facts = history["facts"].as_array().unwrap().iter();
    let mut facts = facts.filter(|f| (begin..=end).contains(&number(f, "at"))).peekable();
    let seen = GatewaySeen { link_up: true, ..GatewaySeen::default() };
    let mut time = begin;
    while time < end {
        time = (time + TICK).min(end);
        while let Some(fact) = facts.next_if(|fact| number(fact, "at") <= time) {
            let at = number(fact, "at");
            engine.take(Fact { at: moment(at), kind: kind(fact) }, moment(at), wall(at));
        }
        engine.observe(&snapshot, moment(time), wall(time), &seen);
        engine.save(moment(time), time == end).unwrap();
    }
    store.commit().unwrap();
    engine.assess(&snapshot, &LinkEvidence::default(), moment(end), wall(end))
}

#[test]
fn four_hundred_days_of_facts_measure_what_an_independent_script_says() {
    let history: Value = serde_json::from_str(&fs::read_to_string(file()).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut result = None;
    for span in history["runs"].as_array().unwrap() {
        let (begin, end) = (span[0].as_u64().unwrap(), span[1].as_u64().unwrap());
        result = Some(run(&history, &path, begin, end));
    }
    let result = result.unwrap();
    let mut wrong = Vec::new();
    for (id, wanted) in history["expected"].as_object().unwrap() {
        let measured = match &wanted["measured"] {
            Value::Bool(flag) => Some(Measure::Flag(*flag)),
            Value::Number(number) => number.as_f64().map(Measure::Number),
            _ => None,
        };
        for level in &result.check(id).unwrap().levels {
            let star = level.star;
            let outcome = match wanted["stars"][star.to_string()].as_str() {
                Some("met") => Outcome::Met,
                _ => Outcome::NotMet,
            };
            if (level.measured, level.outcome) != (measured, outcome) {
                let found = (level.measured, level.outcome);
                wrong.push(format!("{id} star {star}: {found:?}, the script {wanted}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let store = Store::open(&path, Limits::default()).unwrap();
    assert_eq!(EvidenceChain::new(&store).verify().unwrap().fault, None);
}

#[test]
fn the_committed_facts_are_what_the_script_says_now() {
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/star-levels.toml");
    let output = Command::new("python3").arg(peer("star_delivery.py")).arg(pack).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let now: Value = serde_json::from_slice(&output.stdout).unwrap();
    let committed: Value = serde_json::from_str(&fs::read_to_string(file()).unwrap()).unwrap();
    assert!(now == committed, "run tests/it/peers/star_delivery.py and commit what it writes");
}
