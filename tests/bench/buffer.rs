//! Measures the buffer on this machine's disk: append, fsync and drain; bytes per reading on the
//! wire; bytes written to flash per stored byte. Run: `cargo bench --bench buffer`.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints, and may panic")]

use std::sync::Arc;
use std::time::Duration;

use linli::buffer::{Buffer, Config, Lane, Recorder, open};
use linli::clock::{self, Clock, Trust};
use linli::model::{
    Batch, Category, Device, DeviceId, DeviceIndex, Estate, EstateKind, GatewayId, Point,
    PointIndex, Quantity, Reading, Record, Unit, Value,
};
use tokio::sync::mpsc;
use tokio::time::Instant;

const POINTS: u16 = 40;

fn estate(devices: u32) -> Arc<Estate> {
    let points: Arc<[Point]> = (0..POINTS)
        .map(|n| Point {
            decimals: 1,
            ..Point::new(&format!("phaseToPhaseVoltage{n}"), Unit::ONE, Quantity::Instantaneous)
        })
        .collect();
    let device = |n| {
        Device::new(
            DeviceId::new(&format!("meter-{n}")).unwrap(),
            Category::ElectricityMeter,
            Duration::from_secs(1),
            points.clone(),
        )
    };
    let gateway = GatewayId::new("estate-1").unwrap();
    let devices = (0..devices).map(device).collect();
    Arc::new(Estate::new(gateway, String::new(), EstateKind::New, devices).unwrap())
}

/// One poll of one meter: values near their nominal, with one decimal.
fn poll(clock: &Clock, device: u32, random: &mut fastrand::Rng) -> Record {
    let readings = (0..POINTS)
        .map(|point| {
            let tenths = u32::from(point) * 1000 + random.u32(0..2000);
            Reading::good(PointIndex(point), Value::Number(f64::from(tenths) / 10.0))
        })
        .collect();
    let device = DeviceIndex(device);
    Record::Readings(Batch { device, at: clock.now(), source_time: None, readings, receipt: None })
}

fn written_bytes() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

async fn drain(buffer: &Buffer, expected: u64) -> u64 {
    let mut status = buffer.status();
    let mut drained = 0;
    while drained < expected {
        let blocks = buffer.read(Lane::Telemetry, None, 100).unwrap();
        if blocks.is_empty() {
            status.changed().await.unwrap();
            continue;
        }
        drained += blocks.iter().map(|block| u64::from(block.readings)).sum::<u64>();
        buffer.acknowledge(blocks.iter().map(|block| (block.lane, block.seq)).collect()).await;
    }
    drained
}

async fn work<F: Future<Output = ()>>(
    recorder: Recorder,
    feed: impl FnOnce(mpsc::Sender<Record>) -> F,
    drain: impl Future<Output = u64>,
) {
    let (sender, receiver) = mpsc::channel(256);
    let (ended, (), _) = tokio::join!(recorder.run(receiver), feed(sender), drain);
    ended.unwrap();
}

/// As fast as it goes, drained beside.
async fn throughput(devices: u32, polls: u32) {
    let folder = tempfile::tempdir_in(".").unwrap();
    let clock = Clock::new(clock::Config {
        trust: Trust::System,
        synchronised: Vec::new(),
        ..Default::default()
    });
    let config = Config { path: folder.path().join("buffer"), ..Config::default() };
    let (recorder, buffer) = open(&config, estate(devices), clock.clone()).unwrap();
    let mut random = fastrand::Rng::with_seed(1);
    let records: Vec<Record> = (0..polls).map(|n| poll(&clock, n % devices, &mut random)).collect();
    let start = Instant::now();
    let feed = async |records_in: mpsc::Sender<Record>| {
        for record in records {
            records_in.send(record).await.unwrap();
        }
    };
    let readings = u64::from(polls) * u64::from(POINTS);
    work(recorder, feed, drain(&buffer, readings)).await;
    let seconds = start.elapsed().as_secs_f64();
    let status = buffer.status().borrow().clone();
    println!(
        "{devices:4} meters, full speed: {:8.0} readings/s, {:6.0} blocks/s, {:5.2} bytes a reading",
        readings as f64 / seconds,
        (status.next_seq.0 - 1) as f64 / seconds,
        status.committed_bytes as f64 / readings as f64,
    );
}

/// At a steady load for some seconds, drained beside: what the flash gets.
async fn wear(devices: u32, seconds: u32) {
    let folder = tempfile::tempdir_in(".").unwrap();
    let clock = Clock::new(clock::Config {
        trust: Trust::System,
        synchronised: Vec::new(),
        ..Default::default()
    });
    let config = Config { path: folder.path().join("buffer"), ..Config::default() };
    let (recorder, buffer) = open(&config, estate(devices), clock.clone()).unwrap();
    let mut random = fastrand::Rng::with_seed(1);
    let before = written_bytes();
    let feed = async |records: mpsc::Sender<Record>| {
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        for _ in 0..seconds {
            ticks.tick().await;
            for device in 0..devices {
                records.send(poll(&clock, device, &mut random)).await.unwrap();
            }
        }
    };
    let readings = u64::from(devices * seconds) * u64::from(POINTS);
    work(recorder, feed, drain(&buffer, readings)).await;
    let written = written_bytes() - before;
    let status = buffer.status().borrow().clone();
    println!(
        "{:6} readings/s: {:5.2} bytes a reading, {:5.1} bytes written per stored byte, \
         {:6.1} KiB/s to flash, {} commits",
        devices * u32::from(POINTS),
        status.committed_bytes as f64 / readings as f64,
        written as f64 / status.committed_bytes as f64,
        written as f64 / 1024.0 / f64::from(seconds),
        status.commits,
    );
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        throughput(10, 20_000).await;
        throughput(200, 50_000).await;
        for devices in [1, 10, 100] {
            wear(devices, 15).await;
        }
    });
}
