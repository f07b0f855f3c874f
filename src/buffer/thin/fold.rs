//! Folds readings, block by block, into what is left of them: per point and span of time the
//! first, the last, the lowest and the highest, and how many there were.
//!
//! Values are kept as the text that stood in the document, so that none changes on the way.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Category, DeviceId, Estate, Moment, QualityNote, Quantity, TimeBase};

use crate::buffer::contents::CONNECTOR_STATUS;

/// Of most points some values of each quarter of an hour are left.
const QUARTER_MS: i64 = 900_000;
/// Of counters the last of each hour.
const HOUR_MS: i64 = 3_600_000;

/// A document of readings, as far as it is folded.
#[derive(Deserialize)]
pub(super) struct Source<'a> {
    pub time: TimeBase,
    #[serde(borrow, default)]
    devices: Vec<SourceDevice<'a>>,
}

#[derive(Deserialize)]
struct SourceDevice<'a> {
    id: String,
    at: Vec<i64>,
    points: Vec<String>,
    #[serde(borrow)]
    values: Vec<Vec<&'a RawValue>>,
    #[serde(default)]
    quality: Vec<QualityNote>,
    #[serde(default)]
    source_times: Vec<(u32, i64)>,
}

/// A reading that may be left.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kept {
    /// On the clock of the fold.
    pub at: i64,
    /// As JSON.
    pub text: Box<str>,
    /// Quality and reason, unless good.
    pub note: Option<Box<(String, String)>>,
    pub source_time: Option<i64>,
    /// Tells readings of one moment apart.
    order: u32,
    /// A connector's status differs here from the one before.
    change: bool,
}

/// What a span of time holds.
#[derive(Debug)]
struct Span {
    count: u64,
    not_good: u64,
    first: Kept,
    last: Kept,
    /// The lowest good number; of a counter the last good value.
    lowest: Option<(f64, Kept)>,
    highest: Option<(f64, Kept)>,
}

/// One point of one device.
#[derive(Debug)]
struct PointFold {
    counter: bool,
    /// The last good value, where its changes count.
    connector: Option<Option<Box<str>>>,
    spans: BTreeMap<i64, Span>,
}

/// One span of one point, ready to be written; never cut in two.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Atom {
    pub device: String,
    pub point: String,
    /// Begin of the span, on the clock of the fold, and its length.
    pub from: i64,
    pub length: i64,
    pub count: u64,
    pub not_good: u64,
    /// What is left, by time.
    pub rows: Vec<Kept>,
    /// How many of the rows change a connector's status.
    pub changes: u16,
}

/// Readings of one clock, folded.
#[derive(Debug, Default)]
pub(super) struct Fold {
    devices: BTreeMap<String, BTreeMap<String, PointFold>>,
    /// When the oldest of the blocks was cut.
    pub created: Option<Moment>,
    /// How far from the true time any of them may be.
    pub uncertainty_ms: Option<u64>,
    /// Positions folded in.
    pub sources: Vec<crate::model::Seq>,
    pub readings: u64,
    /// Changes of connectors' status that the blocks claim.
    pub changes: u64,
    /// Of them, those seen between two readings of the fold.
    seen_changes: u64,
    spans: usize,
    order: u32,
}

impl Fold {
    /// Spans held: what takes memory.
    pub fn spans(&self) -> usize {
        self.spans
    }

    /// Takes the readings of a document in; its moments count from `base`.
    pub fn add(&mut self, source: &Source<'_>, base: i64, estate: &Estate) {
        for device in &source.devices {
            self.add_device(device, base, estate);
        }
    }

    fn add_device(&mut self, device: &SourceDevice<'_>, base: i64, estate: &Estate) {
        let points = self.devices.entry(device.id.clone()).or_default();
        let notes: HashMap<(u32, u32), &QualityNote> =
            device.quality.iter().map(|note| ((note.0, note.1), note)).collect();
        let source_times: HashMap<u32, i64> = device.source_times.iter().copied().collect();
        for (column, (name, values)) in (0u32..).zip(device.points.iter().zip(&device.values)) {
            let point = points
                .entry(name.clone())
                .or_insert_with(|| PointFold::new(estate, &device.id, name));
            for (row, (at, value)) in (0u32..).zip(device.at.iter().zip(values)) {
                let note = notes.get(&(row, column));
                if value.get() == "null" && note.is_none() {
                    continue;
                }
                self.order += 1;
                let kept = Kept {
                    at: base.saturating_add(*at),
                    text: value.get().into(),
                    note: note.map(|note| Box::new((note.2.clone(), note.3.clone()))),
                    source_time: source_times.get(&row).copied(),
                    order: self.order,
                    change: false,
                };
                self.readings += 1;
                let (new, changed) = point.add(kept);
                self.spans += usize::from(new);
                self.seen_changes += u64::from(changed);
            }
        }
    }

    /// What is left, by hour, device, point and time.
    pub fn atoms(self) -> Vec<Atom> {
        // A change at the first reading of a connector was seen by whoever cut the block: that
        // reading is left.
        let mut unseen = self.changes.saturating_sub(self.seen_changes);
        let mut atoms = Vec::with_capacity(self.spans);
        for (device, points) in self.devices {
            for (name, point) in points {
                let length = point.length();
                let connector = point.connector.is_some();
                for (n, (from, span)) in point.spans.into_iter().enumerate() {
                    let (count, not_good) = (span.count, span.not_good);
                    let rows = span.rows(point.counter);
                    let mut changes = rows.iter().filter(|row| row.change).count() as u64;
                    if connector && n == 0 && unseen > 0 {
                        unseen -= 1;
                        changes += 1;
                    }
                    let changes = u16::try_from(changes).unwrap_or(u16::MAX);
                    let (device, point) = (device.clone(), name.clone());
                    atoms.push(Atom {
                        device,
                        point,
                        from,
                        length,
                        count,
                        not_good,
                        rows,
                        changes,
                    });
                }
            }
        }
        // Stable: within the hour they stay by device, point and time.
        atoms.sort_by_key(|atom| atom.from.div_euclid(HOUR_MS));
        atoms
    }
}

impl PointFold {
    fn new(estate: &Estate, device: &str, name: &str) -> Self {
        let device = DeviceId::new(device).ok().and_then(|id| estate.find(&id));
        let device = device.map(|index| estate.device(index));
        // A point that is configured no more is thinned like a measured value.
        let point = device.and_then(|d| d.points.iter().find(|point| &*point.name == name));
        let charger = device.is_some_and(|device| device.category == Category::EvCharger);
        let connector = charger && name.rsplit('.').next() == Some(CONNECTOR_STATUS);
        Self {
            counter: point.is_some_and(|point| point.quantity == Quantity::Counter),
            connector: connector.then_some(None),
            spans: BTreeMap::new(),
        }
    }

    fn length(&self) -> i64 {
        if self.counter { HOUR_MS } else { QUARTER_MS }
    }

    /// Returns whether a span was begun, and whether the status changed.
    fn add(&mut self, mut kept: Kept) -> (bool, bool) {
        let good = kept.note.is_none();
        if let (Some(last), true) = (&mut self.connector, good) {
            let before = last.replace(kept.text.clone());
            kept.change = before.is_some_and(|before| before != kept.text);
        }
        let changed = kept.change;
        let length = self.length();
        let from = kept.at.div_euclid(length) * length;
        let spans = self.spans.len();
        let span = self.spans.entry(from).or_insert_with(|| Span {
            count: 0,
            not_good: 0,
            first: kept.clone(),
            last: kept.clone(),
            lowest: None,
            highest: None,
        });
        span.add(kept, self.counter);
        (self.spans.len() > spans, changed)
    }
}

impl Span {
    fn add(&mut self, kept: Kept, counter: bool) {
        self.count += 1;
        let good = kept.note.is_none();
        self.not_good += u64::from(!good);
        if kept.at < self.first.at {
            self.first = kept.clone();
        }
        if kept.at >= self.last.at {
            self.last = kept.clone();
        }
        let Some(number) = number(&kept.text).filter(|_| good) else { return };
        if counter {
            if self.lowest.as_ref().is_none_or(|(_, last)| kept.at >= last.at) {
                self.lowest = Some((number, kept));
            }
            return;
        }
        if self.lowest.as_ref().is_none_or(|(lowest, _)| number < *lowest) {
            self.lowest = Some((number, kept.clone()));
        }
        if self.highest.as_ref().is_none_or(|(highest, _)| number > *highest) {
            self.highest = Some((number, kept));
        }
    }

    fn rows(self, counter: bool) -> Vec<Kept> {
        let Self { first, last, lowest, highest, .. } = self;
        if counter {
            return vec![lowest.map_or(last, |(_, good)| good)];
        }
        let extremes = [lowest, highest].into_iter().flatten().map(|(_, kept)| kept);
        let mut rows: Vec<Kept> = [first, last].into_iter().chain(extremes).collect();
        rows.sort_by_key(|row| (row.at, row.order));
        rows.dedup_by_key(|row| row.order);
        rows
    }
}

/// The number that a JSON text is, with a flag as 0 or 1.
fn number(text: &str) -> Option<f64> {
    match text {
        "true" => Some(1.0),
        "false" => Some(0.0),
        _ => text.parse().ok(),
    }
}
