//! Sixty days of made-up environment stations (gaps, restarts, a night without power, a clock that
//! is corrected) against an independent script in Python, exactly: every published hour and day.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use linli::model::{
    Category, Device, EnvironmentValues, Estate, EstateKind, Event, EventKind, GatewayId, Moment,
    NoiseLevels, PointIndex, Reading, Snapshot, Value, WallTime,
};
use linli::starlevel::{
    Assessment, Engine, EvidenceChain, GatewaySeen, LinkEvidence, Measure, NoiseZone, RulePack,
};
use linli::store::{Changes, Limits, Store};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::parts::{self, peer, point, python};

/// 2026-01-15T00:00 in Shanghai.
const MIDNIGHT: i64 = 1_768_406_400_000;
const HOUR_MS: i64 = 3_600_000;

#[derive(Deserialize)]
struct History {
    tick: u64,
    end: u64,
    runs: Vec<[u64; 2]>,
    wrong: Vec<[u64; 3]>,
    sensors: BTreeMap<String, Sensor>,
    stations: Vec<Station>,
    expected: Expected,
}

#[derive(Deserialize)]
struct Sensor {
    unit: String,
    base: f64,
    hash: u64,
    modulo: u64,
    step: f64,
    swing: f64,
}

#[derive(Deserialize)]
struct Station {
    id: String,
    every: u64,
    at: u64,
    points: Vec<String>,
    gaps: Vec<u64>,
}

#[derive(Deserialize)]
struct Expected {
    hours: BTreeMap<String, BTreeMap<i64, Json>>,
    days: BTreeMap<String, BTreeMap<String, Json>>,
    share: BTreeMap<String, f64>,
}

fn device(station: &Station, sensors: &BTreeMap<String, Sensor>) -> Device {
    let points = station.points.iter().map(|name| point(name, &sensors[name].unit)).collect();
    parts::device(&station.id, Category::EnvironmentSensor, station.every, points)
}

fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

impl Sensor {
    fn value(&self, time: u64, every: u64) -> f64 {
        let hour = time / 3600;
        let swing = number((hour % 24).abs_diff(12));
        let steps = number(time / every * self.hash % self.modulo);
        let bad = hour % 29 == 3 && !["dB", "K", "%"].contains(&self.unit.as_str());
        let factor = if bad { 6.0 } else { 1.0 };
        factor * (self.base + steps * self.step + swing * self.swing)
    }
}

/// All that was published, by station and hour or day; each at most once.
#[derive(Default)]
struct Published {
    hours: BTreeMap<(String, i64), Json>,
    days: BTreeMap<(String, String), Json>,
}

fn listed(air: &EnvironmentValues) -> Vec<Json> {
    let values = air.values.iter().map(|v| json!([v.point, v.value, v.sampled, v.iaqi])).collect();
    assert!(air.reference);
    vec![values, json!(air.aqi), json!(air.primary), json!(air.missing)]
}

fn noise(levels: &NoiseLevels) -> Json {
    json!([
        levels.day_db,
        levels.day_hours,
        levels.day_over_db,
        levels.night_db,
        levels.night_hours,
        levels.night_over_db
    ])
}

impl Published {
    fn take(&mut self, event: Event, now: Moment) {
        // A station that falls silent is graded besides.
        if matches!(event.kind, EventKind::RiskGrade { .. }) {
            return;
        }
        let device = event.device.unwrap().as_str().to_owned();
        assert!(event.at <= now);
        match event.kind {
            EventKind::EnvironmentHour(hour) => {
                let index = (hour.hour_ms - MIDNIGHT) / HOUR_MS;
                let before = self.hours.insert((device, index), Json::Array(listed(&hour.air)));
                assert!(before.is_none(), "an hour was published twice");
            }
            EventKind::EnvironmentDay(day) => {
                let mut all = listed(&day.air);
                all.push(day.noise.as_ref().map_or(Json::Null, noise));
                let before = self.days.insert((device, day.day), Json::Array(all));
                assert!(before.is_none(), "a day was published twice");
            }
            other => panic!("{other:?}"),
        }
    }
}

impl History {
    fn wall(&self, time: u64) -> WallTime {
        let wrong = self.wrong.iter().filter(|[begin, end, _]| *begin < time && time <= *end);
        let seconds = time + wrong.map(|[.., step]| step).sum::<u64>();
        WallTime { unix_ms: MIDNIGHT + i64::try_from(seconds * 1000).unwrap() }
    }

    fn run(&self, folder: &Path, [begin, end]: [u64; 2], out: &mut Published) -> Assessment {
        let store = Store::open(folder, Limits::default()).unwrap();
        let devices = self.stations.iter().map(|s| device(s, &self.sensors)).collect();
        let gateway = GatewayId::new("g").unwrap();
        let kind = EstateKind::OldRetrofit;
        let estate = Arc::new(Estate::new(gateway, String::new(), kind, devices).unwrap());
        let moment = |time: u64| Moment { boot_ms: (time - begin + 100) * 1000 };
        let snapshot = Snapshot::new(Arc::clone(&estate), moment(begin));
        let mut engine = Engine::new(RulePack::built_in(), Arc::clone(&estate), moment(begin));
        engine.set_noise_zone(Some(NoiseZone::One));
        engine.keep(EvidenceChain::new(&store)).unwrap();
        let mut time = begin;
        while time < end {
            time += self.tick;
            for ((index, _), station) in estate.indexed().zip(&self.stations) {
                let minute = time % 3600 / 60;
                let hour = usize::try_from(time / 3600).unwrap();
                if time % station.every != station.at || minute < station.gaps[hour] {
                    continue;
                }
                for (slot, name) in (0u16..).zip(&station.points) {
                    let value = self.sensors[name].value(time, station.every);
                    let reading = Reading::good(PointIndex(slot), Value::Number(value));
                    snapshot.with(index, |state| state.apply(moment(time), &reading));
                }
            }
            let (now, wall) = (moment(time), self.wall(time));
            engine.observe(&snapshot, now, Some(wall), &GatewaySeen::default());
            engine.take_events().into_iter().for_each(|event| out.take(event, now));
            engine.save(now, time == end).unwrap();
        }
        store.commit().unwrap();
        engine.assess(&snapshot, &LinkEvidence::default(), moment(end), Some(self.wall(end)))
    }
}

fn compare<K: Ord + Clone + std::fmt::Debug>(
    found: &BTreeMap<(String, K), Json>,
    wanted: &BTreeMap<String, BTreeMap<K, Json>>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut known = 0;
    for (station, all) in wanted {
        for (at, wanted) in all {
            known += 1;
            let found = found.get(&(station.clone(), at.clone()));
            if found != Some(wanted) {
                wrong.push(format!("{station} {at:?}:\n  {found:?}\n  the script {wanted}"));
            }
        }
    }
    if found.len() != known {
        wrong.push(format!("{} were published, the script knows {known}", found.len()));
    }
    wrong
}

#[test]
fn sixty_days_of_stations_publish_what_an_independent_script_says() {
    let output = python().arg(peer("air_quality.py")).arg("history").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let history: History = serde_json::from_slice(&output.stdout).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut out = Published::default();
    let results = history.runs.iter().map(|run| history.run(&path, *run, &mut out));
    let result = results.last().unwrap();
    let mut wrong = compare(&out.hours, &history.expected.hours);
    wrong.extend(compare(&out.days, &history.expected.days));
    assert!(out.hours.len() > 4000 && out.days.len() > 200);
    for level in &result.check("E2").unwrap().levels {
        let wanted = Measure::Number(history.expected.share[&level.star.to_string()]);
        if level.measured != Some(wanted) {
            wrong.push(format!("E2 star {}: {:?}, {wanted:?}", level.star, level.measured));
        }
    }
    let shown = wrong.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} differ:\n{shown}", wrong.len());
    let store = Store::open(&path, Limits::default()).unwrap();
    let report = EvidenceChain::new(&store).verify().unwrap();
    assert_eq!((report.days, report.fault), (60, None));
    assert_eq!(history.end / 86_400, 60);
    // A daily row is in the chain: whoever changes it is found out.
    let tree = store.tree("evidence");
    let mut changes = Changes::default();
    let each = |key: &[u8], _: &[u8]| {
        changes.insert(key, b"{}");
        ControlFlow::Break(())
    };
    tree.scan(b"e", b"f", each).unwrap();
    tree.apply(changes).unwrap();
    let fault = EvidenceChain::new(&store).verify().unwrap().fault.unwrap();
    assert_eq!(fault.day, "2026-01-15");
}

#[test]
fn the_committed_indices_are_what_the_script_says_now() {
    let output = python().arg(peer("air_quality.py")).arg("golden").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/air-quality.json");
    let committed = std::fs::read(file).unwrap();
    assert!(output.stdout == committed, "run tests/it/peers/air_quality.py golden and commit it");
}
