//! Measures the star level of a large estate: a look, an assessment, the signed report; memory over
//! a month; what the evidence takes in the store. Run: `cargo bench --bench stars`.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints, and may panic")]

use std::sync::Arc;
use std::time::Duration;

use linli::model::{
    Category, Device, DeviceId, DeviceIndex, Epoch, Estate, EstateKind, GatewayId, Health, Moment,
    Point, PointIndex, Quantity, Reading, Seq, Snapshot, Unit, Value, WallTime,
};
use linli::starlevel::report::{Form, Reporter, SigningKey};
use linli::starlevel::{BufferSeen, Engine, EvidenceChain, GatewaySeen, LinkEvidence, RulePack};
use linli::store::{Limits, Store};
use tokio::time::Instant;

const DEVICES: u32 = 500;
const DAYS: u64 = 31;
const DAY: u64 = 86_400;
/// Seconds between two looks of this benchmark.
const LOOK: u64 = 300;
/// 2026-01-01T00:00 in Shanghai.
const MIDNIGHT: i64 = 1_767_196_800_000;

fn device(number: u32) -> Device {
    let name = ["pm25", "laeq", "temperature", "relativeHumidity"][number as usize % 4];
    let point = Point { decimals: 1, ..Point::new(name, Unit::ONE, Quantity::Instantaneous) };
    let category = Category::ALL[number as usize % 12];
    let id = DeviceId::new(&format!("{category}-{number}")).unwrap();
    Device {
        name: format!("设备 {number}"),
        place: "1号楼".into(),
        owner: "业主委员会".into(),
        maintainer: "工程部".into(),
        ..Device::new(id, category, Duration::from_secs(LOOK), [point])
    }
}

fn seen(second: u64) -> GatewaySeen {
    let buffer = BufferSeen {
        epoch: Epoch(1),
        next: Seq(second),
        oldest: None,
        blocks: 0,
        lost: 0,
        readings: second * 10,
        capacity_hours: Some(200.0),
    };
    GatewaySeen { link_up: true, acknowledged: second, buffer: Some(buffer) }
}

/// Resident memory, KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = Store::open(&path, Limits::default()).unwrap();
    let gateway = GatewayId::new("estate-1").unwrap();
    let devices = (0..DEVICES).map(device).collect();
    let kind = EstateKind::OldRetrofit;
    let estate = Arc::new(Estate::new(gateway, "海景花园".into(), kind, devices).unwrap());
    let moment = |second: u64| Moment { boot_ms: (second + 60) * 1000 };
    let wall = |second: u64| WallTime { unix_ms: MIDNIGHT + i64::try_from(second * 1000).unwrap() };
    let snapshot = Snapshot::new(Arc::clone(&estate), moment(0));
    let mut engine = Engine::new(RulePack::built_in(), Arc::clone(&estate), moment(0));
    engine.keep(EvidenceChain::new(&store)).unwrap();
    engine.keep_effects(&store).unwrap();
    println!("{DEVICES} devices, {DAYS} days");
    let mut looks = Duration::ZERO;
    for second in (LOOK..=DAYS * DAY).step_by(usize::try_from(LOOK).unwrap()) {
        let now = moment(second);
        for index in (0..DEVICES).filter(|n| !(u64::from(*n) + second / LOOK).is_multiple_of(23)) {
            snapshot.with(DeviceIndex(index), |state| {
                state.health = Health::Online;
                state.apply(now, &Reading::good(PointIndex(0), Value::Number(40.0)));
            });
        }
        let began = Instant::now();
        engine.observe(&snapshot, now, Some(wall(second)), &seen(second));
        engine.save(now, false).unwrap();
        looks += began.elapsed();
        engine.take_events();
        if second % DAY == DAY / 2 {
            let assessment =
                engine.assess(&snapshot, &LinkEvidence::default(), now, Some(wall(second)));
            engine.note(&assessment, Some(wall(second)));
            store.commit().unwrap();
        }
        if second % (10 * DAY) == 0 {
            println!("day {:>2}: {} KiB resident", second / DAY, resident());
        }
    }
    let count = u32::try_from(DAYS * DAY / LOOK).unwrap();
    println!("a look with its share of the saving: {:?}", looks / count);
    let end = DAYS * DAY;
    let now = moment(end);
    let began = Instant::now();
    let mut result = engine.assess(&snapshot, &LinkEvidence::default(), now, Some(wall(end)));
    for _ in 1..20 {
        result = engine.assess(&snapshot, &LinkEvidence::default(), now, Some(wall(end)));
    }
    println!(
        "an assessment: {:?}, its document {} bytes",
        began.elapsed() / 20,
        result.to_json().len()
    );
    let report = EvidenceChain::new(&store).verify().unwrap();
    let bytes = report.bytes * 30 / u64::from(report.days) / u64::from(DEVICES);
    println!(
        "evidence: {bytes} bytes a device and month; the store's files {} KiB",
        store.file_bytes() / 1024
    );
    let pack = RulePack::built_in();
    let key = SigningKey::beside(&path);
    let reporter = Reporter::new(pack, estate, EvidenceChain::new(&store), None, key);
    for form in [Form::Html, Form::Json] {
        let began = Instant::now();
        let made = reporter.make(&result, form, &[], Some(wall(end))).unwrap();
        println!("report as {}: {} KiB in {:?}", form.word(), made.len() / 1024, began.elapsed());
    }
}
