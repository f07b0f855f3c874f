//! A day of an estate in paused time: the real pipeline, the real buffer on a disk, a platform that
//! is away for two hours. Nothing is lost, and nothing grows.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use linli::buffer::{self, Lane};
use linli::clock::{self, Clock};
use linli::model::{
    Batch, Category, Estate, EstateKind, FieldMessage, GatewayId, PointIndex, Reading, Snapshot,
    Value,
};
use linli::pipeline::Pipeline;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::parts::{device, point};

const DEVICES: usize = 40;
const POINTS: u16 = 5;
const MINUTES: u64 = 24 * 60;
/// The platform is away, in minutes of the day.
const AWAY: std::ops::Range<u64> = 8 * 60..10 * 60;

fn estate() -> Arc<Estate> {
    let points = || (0..POINTS).map(|n| point(&format!("p{n}"), "V")).collect();
    let devices =
        (0..DEVICES).map(|n| device(&format!("d{n}"), Category::Other, 60, points())).collect();
    let gateway = GatewayId::new("soak").unwrap();
    Arc::new(Estate::new(gateway, String::new(), EstateKind::New, devices).unwrap())
}

/// Kilobytes of memory of this process; other tests may run in it.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Takes everything that is stored, as the platform would; returns how many readings that were.
async fn take(buffer: &buffer::Buffer) -> u64 {
    let mut readings = 0;
    for lane in [Lane::Urgent, Lane::Telemetry] {
        let mut after = None;
        loop {
            let blocks = buffer.read(lane, after, 32).unwrap();
            let Some(last) = blocks.last() else { break };
            after = Some(last.seq);
            if lane == Lane::Telemetry {
                readings += blocks.iter().map(|block| u64::from(block.readings)).sum::<u64>();
            }
            buffer.acknowledge(blocks.iter().map(|block| (lane, block.seq)).collect()).await;
        }
    }
    readings
}

#[tokio::test(start_paused = true)]
async fn a_day_with_an_outage_loses_nothing_and_leaves_everything_as_small_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::new(clock::Config { trust: clock::Trust::System, ..Default::default() });
    let estate = estate();
    let config = buffer::Config {
        path: folder.path().join("buffer"),
        keep_free: 0,
        tick: Duration::from_secs(30),
        ..buffer::Config::default()
    };
    let (recorder, buffer) = buffer::open(&config, Arc::clone(&estate), clock.clone()).unwrap();
    let snapshot = Snapshot::new(Arc::clone(&estate), clock.now());
    let (field, field_out) = mpsc::channel(1024);
    let (records, records_out) = mpsc::channel(512);
    let (_acts, acts_out) = mpsc::channel(4);
    let (pipeline, _progress) =
        Pipeline::new(snapshot.clone(), clock.clone(), vec![None; DEVICES], None);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { recorder.run(records_out).await.unwrap() });
    tasks.spawn(pipeline.run(field_out, acts_out, records));

    let (mut sent, mut taken) = (0u64, 0u64);
    let mut hours = Vec::new();
    for minute in 0..MINUTES {
        for (index, _) in estate.indexed() {
            // Another value each time, beyond any dead band.
            let value = f64::from(u32::try_from(minute % 997).unwrap()) * 10.0;
            let readings = (0..POINTS)
                .map(|n| Reading::good(PointIndex(n), Value::Number(value + f64::from(n))))
                .collect();
            let at = clock.now();
            let batch = Batch { device: index, at, source_time: None, readings, receipt: None };
            field.send(FieldMessage::Readings(batch)).await.unwrap();
            sent += u64::from(POINTS);
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
        if AWAY.contains(&minute) {
            continue;
        }
        taken += take(&buffer).await;
        if (minute + 1) % 60 == 0 {
            let status = buffer.status().borrow().clone();
            hours.push((memory(), status.file_bytes >> 10, status.blocks));
        }
    }
    drop(field);
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    drop(buffer);
    taken += take_closed(&folder.path().join("buffer"), &estate, &clock).await;
    println!("kB of memory, kB of files, blocks at each hour: {hours:?}");
    assert_eq!(taken, sent, "readings that the platform has");
    let (_, before, _) = hours[5];
    let (_, after, blocks) = *hours.last().unwrap();
    assert!(blocks <= 64, "what waits: {hours:?}");
    // The outage's blocks take room that is used again.
    assert!(after <= before + (8 << 10), "the files grow: {hours:?}");
    assert!(hours.iter().all(|(_, _, blocks)| *blocks <= 64), "{hours:?}");
}

/// What the last commit stored after the last look.
async fn take_closed(path: &std::path::Path, estate: &Arc<Estate>, clock: &Clock) -> u64 {
    let config = buffer::Config { path: path.into(), keep_free: 0, ..buffer::Config::default() };
    let (recorder, buffer) = buffer::open(&config, Arc::clone(estate), clock.clone()).unwrap();
    let (records, records_out) = mpsc::channel(1);
    let look = async {
        let readings = take(&buffer).await;
        drop(records);
        readings
    };
    let (ended, readings) = tokio::join!(recorder.run(records_out), look);
    ended.unwrap();
    readings
}
