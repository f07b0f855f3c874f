//! What is left when readings are thinned, against a plain model.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use super::support::*;
use crate::buffer::Lane;
use crate::buffer::block::{Sealed, key, parse};
use crate::buffer::sealer::Sealer;
use crate::buffer::thin::{Reading as From, Thin, Thinner};
use crate::clock::{self, Clock, Trust};
use crate::model::{
    Batch, Category, Device, DeviceId, DeviceIndex, Document, Epoch, Estate, EstateKind, EventKind,
    GatewayId, Moment, Point, PointIndex, Quality, Quantity, Reading, Reason, Seq, TimeTrust, Unit,
    Value, WallTime,
};
use crate::store::{Changes, Limits, Store, Tree};

const QUARTER: i64 = 900_000;
const HOUR: i64 = 3_600_000;
const NAMES: [&str; 5] = ["power", "energy", "door", "serial", "connectors.1.connectorStatus"];

fn chargers() -> Arc<Estate> {
    let kinds = [
        Quantity::Instantaneous,
        Quantity::Counter,
        Quantity::State,
        Quantity::Text,
        Quantity::State,
    ];
    let points: Vec<Point> =
        NAMES.iter().zip(kinds).map(|(name, kind)| Point::new(name, Unit::ONE, kind)).collect();
    let devices = (0..3).map(|n| {
        let id = DeviceId::new(&format!("charger-{n}")).unwrap();
        Device::new(id, Category::EvCharger, Duration::from_secs(1), points.clone())
    });
    let gateway = GatewayId::new("estate-1").unwrap();
    Arc::new(Estate::new(gateway, String::new(), EstateKind::New, devices.collect()).unwrap())
}

/// A reading as the platform would see it: when, value, quality and reason.
type Seen = (i64, Option<String>, Option<(String, String)>);
/// By device and point.
type Readings = BTreeMap<(String, String), Vec<Seen>>;

fn readings<'a>(documents: impl IntoIterator<Item = &'a Document>) -> Readings {
    let mut all = Readings::new();
    for document in documents {
        for device in &document.devices {
            for (p, name) in device.points.iter().enumerate() {
                let seen = all.entry((device.id.clone(), name.clone())).or_default();
                for (t, at) in device.at.iter().enumerate() {
                    let note = device
                        .quality
                        .iter()
                        .find(|note| (note.0 as usize, note.1 as usize) == (t, p))
                        .map(|note| (note.2.clone(), note.3.clone()));
                    let value = device.values[p][t].as_ref().map(|v| format!("{v:?}"));
                    if value.is_some() || note.is_some() {
                        seen.push((document.time.base + at, value, note));
                    }
                }
            }
        }
    }
    all
}

fn number(seen: &Seen) -> Option<f64> {
    let value = seen.1.as_ref().filter(|_| seen.2.is_none())?;
    match value.as_str() {
        "Flag(true)" => Some(1.0),
        "Flag(false)" => Some(0.0),
        other => other.strip_prefix("Number(")?.strip_suffix(')')?.parse().ok(),
    }
}

/// Random readings over some hours, cut into blocks.
struct Field {
    estate: Arc<Estate>,
    clock: Clock,
    sealer: Sealer,
    random: fastrand::Rng,
    at: u64,
    sealed: Vec<Sealed>,
}

impl Field {
    fn new(seed: u64, clock: Clock) -> Self {
        let estate = chargers();
        let sealer = Sealer::new(estate.clone(), clock.clone(), Epoch(7), Seq(1));
        let at = clock.now().boot_ms;
        let random = fastrand::Rng::with_seed(seed);
        Self { estate, clock, sealer, random, at, sealed: Vec::new() }
    }

    fn value(&mut self, point: usize) -> Reading {
        let random = &mut self.random;
        let index = PointIndex(u16::try_from(point).unwrap());
        let value = match point {
            // Seventeen digits: a value that is written anew may come out another one.
            0 => Value::Number(random.f64() * 1000.0 - 500.0),
            1 => Value::Number(self.at as f64 / 1000.0),
            2 => Value::Flag(random.bool()),
            3 => Value::Text(["短", "a\"b\\", "x"][random.usize(0..3)].into()),
            _ => Value::Number(f64::from(random.u8(0..4))),
        };
        match random.u8(0..20) {
            0 => Reading::bad(index, Reason::NoAnswer),
            1 => {
                let quality = Quality::Uncertain(Reason::OutOfRange);
                Reading { point: index, value: Some(value), quality }
            }
            _ => Reading::good(index, value),
        }
    }

    fn play(&mut self, steps: usize) {
        for _ in 0..steps {
            self.at += self.random.u64(0..20_000);
            // Some come a little late.
            let at = Moment { boot_ms: self.at - self.random.u64(0..3000).min(self.at) };
            let mut readings = Vec::new();
            for point in 0..NAMES.len() {
                if self.random.u8(0..3) > 0 {
                    readings.push(self.value(point));
                }
            }
            let device = DeviceIndex(self.random.u32(0..3));
            let unix_ms = i64::try_from(self.at).unwrap() + 5;
            let source_time = (self.random.u8(0..4) == 0).then_some(WallTime { unix_ms });
            let batch = Batch { device, at, source_time, readings, receipt: None };
            self.sealer.push(batch, &mut self.sealed);
            if self.random.u8(0..10) == 0 {
                self.sealer.cut(&mut self.sealed);
            }
        }
        self.sealer.cut(&mut self.sealed);
    }

    fn store(&self, queue: &Tree) {
        let mut changes = Changes::default();
        for block in &self.sealed {
            changes.insert(&key(block.lane, block.seq), &block.value);
        }
        queue.apply(changes).unwrap();
    }

    /// Thins everything, run by run; what replaces it is stored, as the ledger would.
    fn thin(&mut self, queue: &Tree, limit: u64, given_up: Seq) -> Vec<Thin> {
        let mut thinner = Thinner::default();
        let mut thins = Vec::new();
        loop {
            let before = thinner.positions().len();
            let from = From {
                queue,
                estate: &self.estate,
                clock: &self.clock,
                given_up,
                limit,
                handed: &|_| false,
            };
            thinner.gather(&from, u64::MAX, 1).unwrap();
            let (_, complete) = thinner.ready();
            if !complete && thinner.positions().len() > before {
                continue;
            }
            let Some(thin) = thinner.replace(&mut self.sealer, &self.clock) else { break };
            let mut changes = Changes::default();
            thin.replaced.iter().for_each(|seq| changes.remove(&key(Lane::Telemetry, *seq)));
            for block in &thin.blocks {
                changes.insert(&key(block.lane, block.seq), &block.value);
            }
            queue.apply(changes).unwrap();
            thins.push(thin);
        }
        assert!(thinner.take_damaged().is_empty());
        thins
    }
}

fn decoded(blocks: &[Sealed]) -> Vec<Document> {
    let decode = |block: &Sealed| {
        let key = key(block.lane, block.seq);
        let document = decode(parse(&key, &block.value).unwrap().1);
        assert_eq!(document.seq, block.seq.0);
        document
    };
    blocks.iter().map(decode).collect()
}

/// What one span of one point must say.
#[derive(Debug, Default)]
struct Part {
    count: u64,
    not_good: u64,
    left: Vec<Seen>,
}

fn parts(documents: &[Document]) -> BTreeMap<(String, String, i64), Part> {
    let mut parts: BTreeMap<(String, String, i64), Part> = BTreeMap::new();
    for document in documents {
        assert!(document.thinned.is_some());
        for device in &document.devices {
            let values =
                readings([&Document { devices: vec![device.clone()], ..document.clone() }]);
            for span in &device.thinned {
                let name = &device.points[span.0 as usize];
                let from = document.time.base + span.1;
                let length = if name == "energy" { HOUR } else { QUARTER };
                assert_eq!((span.2, from.rem_euclid(length)), (length, 0));
                let part = parts.entry((device.id.clone(), name.clone(), from)).or_default();
                part.count += span.3;
                part.not_good += span.4;
                let all = &values[&(device.id.clone(), name.clone())];
                let within = all.iter().filter(|seen| (from..from + length).contains(&seen.0));
                part.left.extend(within.cloned());
            }
        }
    }
    parts
}

/// Holds what is left against what there was. `whole`: nothing was thinned in two parts.
fn check(before: &Readings, documents: &[Document], whole: bool) {
    let mut parts = parts(documents);
    let after = readings(documents);
    for ((device, point), seen) in before {
        let length = if point == "energy" { HOUR } else { QUARTER };
        let mut spans: BTreeMap<i64, Vec<&Seen>> = BTreeMap::new();
        for reading in seen {
            spans.entry(reading.0.div_euclid(length) * length).or_default().push(reading);
        }
        let kept = &after[&(device.clone(), point.clone())];
        assert!(kept.iter().all(|reading| seen.contains(reading)), "{point}: nothing is invented");
        for (from, all) in spans {
            let part = parts.remove(&(device.clone(), point.clone(), from)).unwrap();
            assert_eq!(part.count, all.len() as u64, "{device} {point}");
            let not_good = all.iter().filter(|seen| seen.2.is_some()).count() as u64;
            assert_eq!(part.not_good, not_good);
            let most = if point == "energy" { 1 } else { 4 };
            assert!(!whole || part.left.len() <= most, "{point}: {:?}", part.left);
            let extreme = |of: &mut dyn Iterator<Item = f64>| -> Option<(f64, f64)> {
                of.fold(None, |range, n| {
                    let (low, high) = range.unwrap_or((n, n));
                    Some((n.min(low), n.max(high)))
                })
            };
            if point == "energy" {
                let last = all.iter().filter(|seen| number(seen).is_some()).map(|s| s.0).max();
                let left = part.left.iter().filter(|s| number(s).is_some()).map(|s| s.0).max();
                assert_eq!(last, left, "a counter's last good value of the hour");
                continue;
            }
            let first = all.iter().map(|seen| seen.0).min();
            let last = all.iter().map(|seen| seen.0).max();
            assert_eq!(part.left.iter().map(|seen| seen.0).min(), first);
            assert_eq!(part.left.iter().map(|seen| seen.0).max(), last);
            let was = extreme(&mut all.iter().filter_map(|seen| number(seen)));
            assert_eq!(extreme(&mut part.left.iter().filter_map(number)), was);
        }
    }
    assert!(parts.is_empty(), "spans of nothing: {parts:?}");
}

fn tree(folder: &std::path::Path) -> Tree {
    Store::open(&folder.join("s"), Limits::default()).unwrap().tree("queue")
}

#[tokio::test]
async fn first_last_lowest_highest_and_count_of_each_quarter_are_left_and_nothing_is_invented() {
    for seed in 0..12 {
        let folder = tempfile::tempdir().unwrap();
        let queue = tree(folder.path());
        let mut field = Field::new(seed, clock());
        field.play(2000);
        field.store(&queue);
        let sources = decoded(&field.sealed);
        // All at once, hour by hour, and cut in the middle of a quarter.
        let limit = [u64::MAX, 64 << 10, 8 << 10][usize::try_from(seed % 3).unwrap()];
        let thins = field.thin(&queue, limit, Seq(0));
        let documents: Vec<Document> =
            thins.iter().flat_map(|thin| decoded(&thin.blocks)).collect();
        check(&readings(&sources), &documents, seed % 3 == 0);

        // Every position is named once, and the new ones are new.
        let mut replaced = BTreeSet::new();
        let mut told_left = 0;
        for thin in &thins {
            let EventKind::ReadingsThinned {
                from,
                to,
                ranges,
                blocks,
                readings,
                into_from,
                into_to,
                readings_left,
                ..
            } = &thin.event
            else {
                panic!("{:?}", thin.event)
            };
            let named: Vec<u64> = ranges.iter().flat_map(|(a, b)| a.0..=b.0).collect();
            assert_eq!(named.len() as u64, *blocks);
            assert_eq!(named, thin.replaced.iter().map(|seq| seq.0).collect::<Vec<_>>());
            assert_eq!((named[0], named[named.len() - 1]), (from.0, to.0));
            assert!(named.iter().all(|seq| replaced.insert(*seq)), "replaced twice");
            let new: Vec<u64> = thin.blocks.iter().map(|block| block.seq.0).collect();
            assert_eq!(new, (into_from.0..=into_to.0).collect::<Vec<_>>());
            let left: u64 = thin.blocks.iter().map(|block| u64::from(block.readings)).sum();
            assert_eq!((left, readings - left), (*readings_left, thin.left_out));
            told_left += left;
            let lost: u64 = thin.lost.iter().map(|(_, c)| u64::from(c.count)).sum();
            assert_eq!(lost, thin.left_out, "what is left out is lost for the star level");
        }
        let sources: Vec<u64> = sources.iter().map(|document| document.seq).collect();
        assert_eq!(replaced.into_iter().collect::<Vec<_>>(), sources);
        let mut stored = 0;
        queue
            .scan(b"b", b"c", |key, value| {
                let (header, _) = parse(key, value).unwrap();
                assert!(header.thinned);
                stored += u64::from(header.readings);
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(stored, told_left);
    }
}

#[tokio::test]
async fn a_status_that_changed_is_told_once_as_delivered_or_as_lost() {
    let folder = tempfile::tempdir().unwrap();
    let queue = tree(folder.path());
    let mut field = Field::new(77, clock());
    field.play(1500);
    field.store(&queue);
    let before: u64 = field.sealed.iter().map(|block| block.contents.changes()).sum();
    let thins = field.thin(&queue, u64::MAX, Seq(0));
    let left: u64 =
        thins.iter().flat_map(|thin| &thin.blocks).map(|block| block.contents.changes()).sum();
    let lost: u64 =
        thins.iter().flat_map(|thin| &thin.lost).map(|(_, contents)| contents.changes()).sum();
    assert_eq!(left + lost, before);
    assert!(left > 0 && lost > 0);
}

#[tokio::test]
async fn what_was_told_as_lost_before_is_told_neither_as_lost_nor_as_delivered_when_thinned() {
    let folder = tempfile::tempdir().unwrap();
    let queue = tree(folder.path());
    let mut field = Field::new(3, clock());
    field.play(500);
    field.store(&queue);
    let thins = field.thin(&queue, u64::MAX, Seq(u64::MAX));
    for thin in thins {
        assert!(thin.lost.iter().all(|(_, contents)| contents.count == 0));
        assert!(thin.blocks.iter().all(|block| block.contents.count == 0 && block.readings > 0));
    }
}

#[tokio::test]
async fn readings_without_a_clock_are_thinned_by_their_moments_since_boot_or_stamped_meanwhile() {
    for trusted_later in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let queue = tree(folder.path());
        let marker = folder.path().join("synchronized");
        let config = clock::Config {
            trust: Trust::Ntp,
            synchronised: vec![marker.clone()],
            ..clock::Config::default()
        };
        let clock = Clock::new(config);
        let mut field = Field::new(5, clock.clone());
        field.play(600);
        field.store(&queue);
        let sources = decoded(&field.sealed);
        assert!(sources.iter().all(|document| document.time.trust == TimeTrust::SinceBoot));
        if trusted_later {
            std::fs::write(&marker, "").unwrap();
            clock.judge();
        }
        let thins = field.thin(&queue, u64::MAX, Seq(0));
        let documents: Vec<Document> =
            thins.iter().flat_map(|thin| decoded(&thin.blocks)).collect();
        for (document, block) in documents.iter().zip(thins.iter().flat_map(|t| &t.blocks)) {
            let (header, _) = parse(&key(block.lane, block.seq), &block.value).unwrap();
            assert_eq!(header.stamped, trusted_later);
            let boot = (!trusted_later).then(|| clock.boot().0.to_string());
            assert_eq!(document.time.boot, boot);
        }
        let shift = clock.wall(Moment { boot_ms: 0 }).map_or(0, |wall| wall.unix_ms);
        let mut before = readings(&sources);
        before.values_mut().flatten().for_each(|seen| seen.0 += shift);
        check(&before, &documents, true);
    }
}
