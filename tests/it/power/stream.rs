//! What the platform got, held against the contract by a judge of its own: a position never
//! carries two contents, and what was promised is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::PathBuf;

use linli::model::Document;
use linli::receiver::{Limits, Verifier, decode};

use super::site::COUNTS_PER_UNIT;

/// Everything that reached the platform.
pub struct Stream {
    file: PathBuf,
    read: u64,
    /// Contents by position, without their times: those of a block may be set right afterwards.
    contents: BTreeMap<(String, u64), String>,
    /// Numbers that the field counted.
    pub counted: BTreeSet<u64>,
    /// What the clock register of the field showed: milliseconds, the low 32 bits, unwrapped.
    clock: BTreeSet<i64>,
    /// The project's own judge, beside ours.
    pub verifier: Verifier,
    /// Events that arrived, by kind.
    pub events: BTreeMap<String, u64>,
    /// Blocks that came with times since boot only.
    pub unstamped: u64,
    /// Messages, repetitions too.
    pub messages: u64,
}

impl Stream {
    pub fn new(file: PathBuf) -> Self {
        let verifier = Verifier::new("linli/v1/+", false, Limits::default());
        let (contents, counted, clock) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        let events = BTreeMap::new();
        let (read, unstamped, messages) = (0, 0, 0);
        Self { file, read, contents, counted, clock, verifier, events, unstamped, messages }
    }

    /// Takes what arrived since the last time.
    pub fn catch_up(&mut self) {
        let mut file = BufReader::new(File::open(&self.file).unwrap());
        file.seek(SeekFrom::Start(self.read)).unwrap();
        let mut line = String::new();
        while file.read_line(&mut line).unwrap() > 0 {
            if !line.ends_with('\n') {
                return;
            }
            self.read += line.len() as u64;
            let (topic, hex) = line.trim_end().split_once(' ').unwrap();
            self.take(topic, &bytes(hex));
            line.clear();
        }
    }

    fn take(&mut self, topic: &str, payload: &[u8]) {
        self.messages += 1;
        self.verifier.take(topic, payload);
        let document = decode(payload).unwrap();
        self.unstamped += u64::from(document.time.boot.is_some());
        for device in &document.devices {
            for (point, column) in device.points.iter().zip(&device.values) {
                let numbers = column.iter().flatten().filter_map(|value| value.number());
                match (device.id.as_str(), point.as_str()) {
                    ("plug", "totalActiveEnergyImport") => {
                        self.counted.extend(numbers.map(|n| (n * COUNTS_PER_UNIT).round() as u64));
                    }
                    ("clock", "clock") => self.clock.extend(numbers.map(unwrapped)),
                    _ => {}
                }
            }
        }
        let content = timeless(&document);
        let place = (document.epoch.clone(), document.seq);
        match self.contents.get(&place) {
            Some(known) => assert_eq!(known, &content, "{place:?} came with two contents"),
            None => {
                for event in &document.events {
                    let kind = serde_json::to_value(&event.what).unwrap();
                    let kind = kind["kind"].as_str().unwrap_or("?").to_owned();
                    *self.events.entry(kind).or_default() += 1;
                }
                self.contents.insert(place, content);
            }
        }
    }

    /// Whether this block arrived.
    pub fn has(&self, epoch: &str, seq: u64) -> bool {
        self.contents.contains_key(&(epoch.to_owned(), seq))
    }

    /// Different blocks.
    pub fn blocks(&self) -> u64 {
        self.contents.len() as u64
    }

    /// When the newest reading before this moment was taken, both in milliseconds since 1970.
    pub fn newest_before(&self, unix_ms: i64) -> Option<i64> {
        self.clock.range(..=unix_ms).next_back().copied()
    }

    /// Numbers of the field that are missing, of 1 to `last`.
    pub fn missing(&self, last: u64) -> Vec<u64> {
        (1..=last).filter(|number| !self.counted.contains(number)).collect()
    }
}

/// The register holds the low 32 bits of the time; the test is over before they wrap twice.
fn unwrapped(low: f64) -> i64 {
    let now = super::unix_ms();
    let behind = (now as u32).wrapping_sub(low as u32);
    now - i64::from(behind)
}

fn timeless(document: &Document) -> String {
    let devices: Vec<_> = document
        .devices
        .iter()
        .map(|device| (&device.id, device.at.len(), &device.points, &device.values))
        .collect();
    let events: Vec<_> = document.events.iter().map(|event| (&event.device, &event.what)).collect();
    serde_json::to_string(&(devices, events)).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(hex.get(at..at + 2).unwrap(), 16).unwrap();
    (0..hex.len()).step_by(2).map(digit).collect()
}
