//! Sixty days of charging (restarts, a power cut, a connector that cannot be seen for hours)
//! against the orders of an independent script in Python, each with begin, end, energy, reason.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use linli::model::{
    Category, Device, DeviceIndex, Estate, EstateKind, EventKind, GatewayId, Group, Health, Moment,
    Point, PointIndex, Quantity, Reading, Reason, Snapshot, Value, WallTime,
};
use linli::starlevel::{Engine, EvidenceChain, GatewaySeen, LinkEvidence, RulePack};
use linli::store::{Limits, Store};
use serde::Deserialize;

use crate::parts::{device, peer, point};

/// 2026-01-01T00:00 in Shanghai.
const MIDNIGHT: i64 = 1_767_196_800_000;
const POINTS: [&str; 3] = ["connectorStatus", "sessionEnergy", "stopReason"];
/// So long after a session the plug is out, seconds.
const UNPLUGGED: u64 = 1200;

#[derive(Deserialize)]
struct History {
    tick: u64,
    runs: Vec<[u64; 2]>,
    hidden: [Vec<[u64; 2]>; 2],
    sessions: [Vec<Played>; 2],
    expected: Vec<Order>,
    complete: u64,
}

#[derive(Deserialize)]
struct Played {
    begin: u64,
    end: u64,
    rate: u64,
    after: u16,
    reason: String,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Order {
    connector: u32,
    start: Option<u64>,
    end: Option<u64>,
    wh: Option<u64>,
    reason: Option<String>,
}

fn charger() -> Device {
    let mut points = Vec::new();
    for number in 1..=2 {
        for name in POINTS {
            let unit = if name == "sessionEnergy" { "kW.h" } else { "1" };
            let name = format!("connectors.{number}.{name}");
            points.push(Point { quantity: Quantity::State, decimals: 3, ..point(&name, unit) });
        }
    }
    Device {
        groups: Arc::new([Group {
            name: "connectors".into(),
            zh: "{n} 号枪".into(),
            en: "connector {n}".into(),
            from: 1,
            count: 2,
            max: 16,
        }]),
        ..device("station", Category::EvCharger, 60, points)
    }
}

/// What a connector shows at a time: state, watt-hours of the session, why it stopped.
fn shown(sessions: &[Played], time: u64) -> (u16, u64, &str) {
    let Some(last) = sessions.iter().rfind(|session| session.begin <= time) else {
        return (1, 0, "");
    };
    if time < last.end {
        return (3, last.rate * (time - last.begin) / 60, "");
    }
    let status = if time < last.end + UNPLUGGED { last.after } else { 1 };
    (status, last.rate * (last.end - last.begin) / 60, &last.reason)
}

fn show(history: &History, snapshot: &Snapshot, now: Moment, time: u64) {
    snapshot.with(DeviceIndex(0), |state| {
        state.health = Health::Online;
        for (place, first) in [(0, 0u16), (1, 3)] {
            let hidden = history.hidden[place].iter().any(|[a, b]| *a <= time && time < *b);
            let (status, wh, reason) = shown(&history.sessions[place], time);
            let status = if hidden { 0 } else { status };
            state.apply(now, &Reading::good(PointIndex(first), Value::Number(status.into())));
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let kwh = Value::Number(wh as f64 / 1000.0);
            state.apply(now, &Reading::good(PointIndex(first + 1), kwh));
            let reason = match reason {
                "" => Reading::bad(PointIndex(first + 2), Reason::NotAvailable),
                text => Reading::good(PointIndex(first + 2), Value::Text(text.into())),
            };
            state.apply(now, &reason);
        }
    });
}

fn seconds(ms: Option<i64>) -> Option<u64> {
    ms.map(|ms| u64::try_from((ms - MIDNIGHT) / 1000).unwrap())
}

/// Plays one run of the gateway; returns the orders told in it, and the check's reason at its end.
fn play(history: &History, folder: &Path, [from, to]: [u64; 2]) -> (Vec<Order>, String) {
    let gateway = GatewayId::new("g").unwrap();
    let kind = EstateKind::New;
    let estate = Arc::new(Estate::new(gateway, String::new(), kind, vec![charger()]).unwrap());
    let moment = |time: u64| Moment { boot_ms: (time - from + 10) * 1000 };
    let store = Store::open(folder, Limits::default()).unwrap();
    let mut engine = Engine::new(RulePack::built_in(), Arc::clone(&estate), moment(from));
    engine.keep(EvidenceChain::new(&store)).unwrap();
    engine.keep_effects(&store).unwrap();
    let snapshot = Snapshot::new(estate, moment(from));
    let mut orders = Vec::new();
    let mut time = from + history.tick;
    while time <= to {
        let now = moment(time);
        let unix_ms = MIDNIGHT + i64::try_from(time * 1000).unwrap();
        show(history, &snapshot, now, time);
        engine.observe(&snapshot, now, Some(WallTime { unix_ms }), &GatewaySeen::default());
        engine.save(now, false).unwrap();
        for event in engine.take_events() {
            if let EventKind::ChargeOrder {
                connector,
                start_ms,
                end_ms,
                energy_kwh,
                stop_reason,
                complete,
                ..
            } = event.kind
            {
                let order = Order {
                    connector: connector.unwrap(),
                    start: seconds(start_ms),
                    end: seconds(end_ms),
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                    wh: energy_kwh.map(|kwh| (kwh * 1000.0).round() as u64),
                    reason: stop_reason,
                };
                let all = order.start.is_some()
                    && order.end.is_some()
                    && order.wh.is_some()
                    && order.reason.is_some();
                assert_eq!(complete, all, "{order:?}");
                orders.push(order);
            }
        }
        time += history.tick;
    }
    engine.save(moment(to), true).unwrap();
    store.commit().unwrap();
    let wall = WallTime { unix_ms: MIDNIGHT + i64::try_from(to * 1000).unwrap() };
    let result = engine.assess(&snapshot, &LinkEvidence::default(), moment(to), Some(wall));
    let reason = result.check("V2").unwrap().reason.clone();
    (orders, reason.map(|reason| reason.en).unwrap_or_default())
}

#[test]
fn sixty_days_of_charging_give_the_orders_of_an_independent_script() {
    let output = Command::new("python3").arg(peer("charge_orders.py")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let history: History = serde_json::from_slice(&output.stdout).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut orders = Vec::new();
    for run in &history.runs {
        let (told, reason) = play(&history, &folder.path().join("store"), *run);
        assert!(reason.contains("sessions that ended: "), "{reason}");
        orders.extend(told);
    }
    for (told, wanted) in orders.iter().zip(&history.expected) {
        assert_eq!(told, wanted);
    }
    assert_eq!(orders.len(), history.expected.len());
    let all =
        |o: &&Order| o.start.is_some() && o.end.is_some() && o.wh.is_some() && o.reason.is_some();
    assert_eq!(orders.iter().filter(all).count() as u64, history.complete);
    assert!(orders.iter().any(|o| o.start.is_none()) && orders.iter().any(|o| o.end.is_none()));
}
