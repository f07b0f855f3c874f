//! An estate of meters, a recorder that runs beside the test, a platform that decodes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::buffer::sealer::unpack;
use crate::buffer::{Block, Buffer, Config, Lane, OpenError, Recorder, RecorderError, open};
use crate::clock::{self, Clock, Trust};
use crate::model::{
    Batch, Category, Device, DeviceId, DeviceIndex, Document, Estate, EstateKind, EventKind,
    GatewayId, Point, PointIndex, Quantity, Reading, Record, Seq, Unit, Value,
};
use crate::store::StoreError;

pub fn estate(devices: usize, points: usize) -> Arc<Estate> {
    let points: Arc<[Point]> = (0..points)
        .map(|n| Point {
            decimals: 1,
            ..Point::new(&format!("phaseQuantity{n}"), Unit::ONE, Quantity::Instantaneous)
        })
        .collect();
    let devices = (0..devices)
        .map(|n| {
            Device::new(
                DeviceId::new(&format!("meter-{n}")).unwrap(),
                Category::ElectricityMeter,
                Duration::from_secs(1),
                points.clone(),
            )
        })
        .collect();
    let gateway = GatewayId::new("estate-1").unwrap();
    Arc::new(Estate::new(gateway, String::new(), EstateKind::New, devices).unwrap())
}

pub fn clock() -> Clock {
    Clock::new(clock::Config {
        trust: Trust::System,
        synchronised: Vec::new(),
        ..Default::default()
    })
}

pub fn config(path: &Path) -> Config {
    Config { path: path.to_owned(), budget: 64 << 20, keep_free: 0, ..Config::default() }
}

/// Opens; a commit that a dropped recorder left in its thread is waited for.
pub fn reopen(config: &Config, estate: &Arc<Estate>, clock: &Clock) -> (Recorder, Buffer) {
    loop {
        match open(config, estate.clone(), clock.clone()) {
            Err(OpenError::Store(StoreError::Locked { .. })) => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

/// Runs the recorder beside the test and closes it at the end: nothing is left uncommitted.
pub async fn beside<F, R>(recorder: Recorder, test: impl FnOnce(mpsc::Sender<Record>) -> F) -> R
where
    F: Future<Output = R>,
{
    let (sender, receiver) = mpsc::channel(64);
    let (ended, result) = tokio::join!(recorder.run(receiver), test(sender));
    ended.unwrap();
    result
}

/// Runs the recorder beside the test and drops it in the middle of whatever it does.
pub async fn killed<F, R>(recorder: Recorder, test: impl FnOnce(mpsc::Sender<Record>) -> F) -> R
where
    F: Future<Output = R>,
{
    let (sender, receiver) = mpsc::channel(64);
    let keep = sender.clone();
    let result = tokio::select! {
        ended = recorder.run(receiver) => panic!("the recorder ended early: {ended:?}"),
        result = test(sender) => result,
    };
    drop(keep);
    result
}

pub async fn ends(recorder: Recorder, records: Vec<Record>) -> Result<(), RecorderError> {
    let (sender, receiver) = mpsc::channel(64);
    let feed = async {
        for record in records {
            sender.send(record).await.unwrap();
        }
        drop(sender);
    };
    tokio::join!(recorder.run(receiver), feed).0
}

pub fn batch(clock: &Clock, device: u32, values: &[f64]) -> Batch {
    let readings = (0u16..)
        .zip(values)
        .map(|(point, n)| Reading::good(PointIndex(point), Value::Number(*n)))
        .collect();
    Batch {
        device: DeviceIndex(device),
        at: clock.now(),
        source_time: None,
        readings,
        receipt: None,
    }
}

pub fn decode(payload: &[u8]) -> Document {
    serde_json::from_slice(&unpack(payload).unwrap()).unwrap()
}

pub fn all(buffer: &Buffer, lane: Lane) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    loop {
        let more = buffer.read(lane, blocks.last().map(|block| block.seq), 50).unwrap();
        if more.is_empty() {
            return blocks;
        }
        blocks.extend(more);
    }
}

/// Everything stored, as the platform would see it, by position.
pub fn documents(buffer: &Buffer) -> BTreeMap<Seq, Document> {
    Lane::ALL
        .iter()
        .flat_map(|lane| all(buffer, *lane))
        .map(|block| {
            let document = decode(&block.payload);
            assert_eq!(document.seq, block.seq.0);
            (block.seq, document)
        })
        .collect()
}

/// Ranges announced as lost.
pub fn gaps<'a>(documents: impl IntoIterator<Item = &'a Document>) -> Vec<(u64, u64, String)> {
    documents
        .into_iter()
        .flat_map(|document| &document.events)
        .filter_map(|event| match &event.what {
            EventKind::BlocksEvicted { from, to, reason, .. } => {
                Some((from.0, to.0, reason.clone()))
            }
            _ => None,
        })
        .collect()
}

/// Positions that were announced as replaced by thinned blocks, and how many readings went.
pub fn thinned<'a>(documents: impl IntoIterator<Item = &'a Document>) -> (BTreeSet<u64>, u64) {
    let (mut gone, mut left_out) = (BTreeSet::new(), 0);
    for event in documents.into_iter().flat_map(|document| &document.events) {
        if let EventKind::ReadingsThinned { ranges, readings, readings_left, .. } = &event.what {
            gone.extend(ranges.iter().flat_map(|(from, to)| from.0..=to.0));
            left_out += readings - readings_left;
        }
    }
    (gone, left_out)
}

/// Every number in a document.
pub fn numbers(document: &Document) -> impl Iterator<Item = f64> {
    document
        .devices
        .iter()
        .flat_map(|device| device.values.iter().flatten().flatten())
        .filter_map(Value::number)
}

pub async fn commit_after(buffer: &Buffer, before: Seq) {
    buffer.committed().wait_for(|next| *next > before).await.unwrap();
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Numbers that hardly compress; few enough digits that they are read back exactly.
pub fn noise(random: &mut fastrand::Rng, count: usize) -> Vec<f64> {
    (0..count).map(|_| f64::from(random.u32(..)) / 1000.0).collect()
}

/// About `count` times 300 bytes that hardly compress.
pub fn bulky(clock: &Clock, random: &mut fastrand::Rng, device: u32, count: u16) -> Record {
    let mut batch = batch(clock, device, &[]);
    for point in 0..count {
        let text: String = (0..400).map(|_| random.alphanumeric()).collect();
        batch.readings.push(Reading::good(PointIndex(point), Value::Text(text.into())));
    }
    Record::Readings(batch)
}
