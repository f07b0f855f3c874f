//! Cuts blocks: collects readings until about 4 KiB compressed, gives positions, writes the
//! document, compresses it.

use std::sync::Arc;

use serde::Serialize as _;

use crate::clock::Clock;
use crate::model::{
    Batch, DOCUMENT_VERSION, Epoch, Estate, Event, EventDocument, EventKind, Moment, Seq, TimeBase,
};

use super::block::{Header, Lane, MAX_PAYLOAD, Sealed, boot_tag, compose, key};
use super::columns::{Columns, Scratch, offset};
use super::contents::{Contents, Special, StatusWatch, is_noticed, note};
use super::json;

/// Most bytes of a document before compression: what a receiver must be ready to unpack.
pub(super) const MAX_DOCUMENT: usize = 64 * 1024;
/// A block is cut when it is expected to fill this share of the room.
const FILL: f64 = 0.95;
/// Below this, zstd's frame costs more than it saves.
const COMPRESS_FROM: usize = 128;
const ZSTD_LEVEL: i32 = 3;
/// Room that an event block leaves for the document around its events.
const EVENT_FRAME: usize = 400;

/// The block that is being filled, and what it takes to cut it.
pub(super) struct Sealer {
    estate: Arc<Estate>,
    clock: Clock,
    epoch: Epoch,
    next: Seq,
    columns: Columns,
    /// Connector status changes in the block that is being filled.
    changes: u16,
    connectors: StatusWatch,
    compressor: zstd::bulk::Compressor<'static>,
    /// Compressed bytes per estimated byte, as of late.
    ratio: f64,
    document: Vec<u8>,
    packed: Vec<u8>,
    scratch: Scratch,
}

impl Sealer {
    pub fn new(estate: Arc<Estate>, clock: Clock, epoch: Epoch, next: Seq) -> Self {
        let compressor = zstd::bulk::Compressor::new(ZSTD_LEVEL).expect("zstd knows level 3");
        Self {
            connectors: StatusWatch::new(&estate),
            estate,
            clock,
            epoch,
            next,
            columns: Columns::default(),
            changes: 0,
            compressor,
            ratio: 0.3,
            document: Vec::new(),
            packed: vec![0; zstd::zstd_safe::compress_bound(2 * MAX_DOCUMENT)],
            scratch: Scratch::default(),
        }
    }

    /// What the readings belong to.
    pub fn estate(&self) -> &Estate {
        &self.estate
    }

    /// The next position that will be given.
    pub fn next(&self) -> Seq {
        self.next
    }

    /// Takes back the positions from `next` on: their blocks were never stored.
    pub fn take_back(&mut self, next: Seq) {
        self.next = next;
    }

    /// Readings in the block that is being filled.
    pub fn open_readings(&self) -> usize {
        self.columns.readings()
    }

    /// Takes a batch of readings; returns true when a block was cut into `sealed` with it.
    pub fn push(&mut self, batch: Batch, sealed: &mut Vec<Sealed>) -> bool {
        self.changes = self.changes.saturating_add(self.connectors.changes(&batch));
        self.columns.push(&self.estate, batch);
        let expected = self.ratio * self.columns.estimate() as f64;
        let full = expected >= FILL * MAX_PAYLOAD as f64
            || self.columns.estimate() >= MAX_DOCUMENT * 7 / 8
            || self.columns.readings() >= usize::from(u16::MAX) / 2;
        if full {
            self.cut(sealed);
        }
        full
    }

    /// Cuts the block that is being filled.
    pub fn cut(&mut self, sealed: &mut Vec<Sealed>) {
        let mut waiting = vec![std::mem::take(&mut self.columns)];
        while let Some(mut columns) = waiting.pop() {
            if columns.is_empty() {
                continue;
            }
            if let Some(block) = self.seal_columns(&mut columns) {
                sealed.push(block);
                continue;
            }
            let readings = columns.readings();
            match columns.split(&self.estate) {
                // The first half is sealed first: it is popped first.
                Some((first, second)) => waiting.extend([second, first]),
                None => tracing::error!(readings, "a single reading does not fit a block; dropped"),
            }
        }
    }

    /// Cuts events into as few blocks as hold them.
    pub fn seal_events(&mut self, events: &mut Vec<Event>, sealed: &mut Vec<Sealed>) {
        let Some(base) = events.iter().map(|event| event.at).min() else { return };
        let mut list = Vec::new();
        let (mut count, mut special) = (0, Vec::new());
        for event in events.drain(..) {
            let one = event_json(&event, base);
            if !list.is_empty() && list.len() + one.len() > MAX_PAYLOAD - EVENT_FRAME {
                let special = std::mem::take(&mut special);
                sealed.push(self.seal_event_list(&list, base, std::mem::take(&mut count), special));
                list.clear();
            }
            if !list.is_empty() {
                list.push(b',');
            }
            list.extend_from_slice(&one);
            count += u32::from(is_noticed(&event.kind));
            note(&mut special, &event.kind, self.clock.wall(event.at));
        }
        sealed.push(self.seal_event_list(&list, base, count, special));
    }

    fn seal_columns(&mut self, columns: &mut Columns) -> Option<Sealed> {
        let base = columns.oldest()?;
        self.begin(base);
        columns.write(&self.estate, base, &mut self.scratch, &mut self.document);
        self.document.push(b'}');
        if self.document.len() > MAX_DOCUMENT {
            return None;
        }
        let readings = u16::try_from(columns.readings()).ok()?;
        let changes = self.changes;
        let block = self.finish(Lane::Telemetry, base, readings, |created| {
            Contents::readings(base, created, readings.into(), changes)
        })?;
        // If the columns had to be split, the first part takes them all.
        self.changes = 0;
        if columns.estimate() > 2048 {
            let seen = block.1 as f64 / columns.estimate() as f64;
            // Upwards at once, so that the next block does not have to be split; down slowly.
            let weight = if seen > self.ratio { 0.5 } else { 0.1 };
            self.ratio += weight * (seen - self.ratio);
        }
        Some(block.0)
    }

    fn seal_event_list(
        &mut self,
        list: &[u8],
        base: Moment,
        count: u32,
        special: Vec<Special>,
    ) -> Sealed {
        self.begin(base);
        self.document.extend_from_slice(b"\"events\":[");
        self.document.extend_from_slice(list);
        self.document.extend_from_slice(b"]}");
        let block = self.finish(Lane::Urgent, base, 0, |created| {
            Contents::events(base, created, count, special)
        });
        block.expect("events are cut so that they fit, compressed or not").0
    }

    /// Cuts a block that stands in place of older ones: times, boot and counts are theirs. `body`
    /// writes the members after the time. `None` when it is too large.
    pub fn seal_thinned(
        &mut self,
        header: Header,
        time: &TimeBase,
        body: impl FnOnce(&mut Vec<u8>),
    ) -> Option<Sealed> {
        self.begin_document();
        let out = &mut self.document;
        write_time(out, time);
        out.push(b',');
        body(out);
        out.push(b'}');
        if out.len() > MAX_DOCUMENT {
            return None;
        }
        let payload = smaller(&mut self.compressor, &self.document, &mut self.packed);
        if payload.len() > MAX_PAYLOAD {
            return None;
        }
        let (lane, seq) = (Lane::Telemetry, self.next);
        let key = key(lane, seq);
        let value = compose(&key, header, payload);
        self.next = seq.next();
        let contents = Contents::read(&key, &value, self.clock.boot());
        let contents = contents.expect("a block that was just composed is sound");
        Some(Sealed { seq, lane, value, readings: u32::from(header.readings), contents })
    }

    /// Writes the document's head into `document`.
    fn begin(&mut self, base: Moment) {
        self.begin_document();
        write_time(&mut self.document, &self.clock.time_base(base));
        self.document.push(b',');
    }

    /// The same up to the time.
    fn begin_document(&mut self) {
        let out = &mut self.document;
        out.clear();
        out.extend_from_slice(b"{\"v\":");
        json::unsigned(out, u64::from(DOCUMENT_VERSION));
        out.extend_from_slice(b",\"gateway\":");
        json::text(out, self.estate.gateway.as_str());
        out.extend_from_slice(b",\"epoch\":");
        json::text(out, &self.epoch.to_string());
        out.extend_from_slice(b",\"seq\":");
        json::unsigned(out, self.next.0);
        out.push(b',');
    }

    /// Compresses the document and gives it the next position; nothing when it is too large.
    fn finish(
        &mut self,
        lane: Lane,
        base: Moment,
        readings: u16,
        contents: impl FnOnce(Moment) -> Contents,
    ) -> Option<(Sealed, usize)> {
        let payload = smaller(&mut self.compressor, &self.document, &mut self.packed);
        if payload.len() > MAX_PAYLOAD {
            return None;
        }
        let header = Header {
            readings,
            changes: if lane == Lane::Telemetry { self.changes } else { 0 },
            stamped: is_stamped(&self.document),
            thinned: false,
            told: false,
            created: self.clock.now().max(base),
            boot: boot_tag(self.clock.boot()),
        };
        let seq = self.next;
        let value = compose(&key(lane, seq), header, payload);
        self.next = seq.next();
        let contents = contents(header.created);
        let sealed = Sealed { seq, lane, value, readings: u32::from(readings), contents };
        Some((sealed, payload.len()))
    }
}

fn smaller<'a>(
    compressor: &mut zstd::bulk::Compressor<'static>,
    document: &'a [u8],
    packed: &'a mut [u8],
) -> &'a [u8] {
    if document.len() < COMPRESS_FROM {
        return document;
    }
    match compressor.compress_to_buffer(document, packed) {
        Ok(length) if length < document.len() => &packed[..length],
        _ => document,
    }
}

fn write_time(out: &mut Vec<u8>, time: &TimeBase) {
    out.extend_from_slice(b"\"time\":");
    serde_json::to_writer(out, time).expect("numbers and texts are JSON, and a list takes it");
}

/// How a time begins that counts from boot.
const TIME_KEY: &[u8] = b"\"time\":";
const UNSTAMPED_TIME: &[u8] = b"\"time\":{\"trust\":\"since_boot\",\"base\":";

fn find(document: &[u8], what: &[u8]) -> Option<usize> {
    // The head is short, and an identifier before it cannot hold a quote.
    document
        .iter()
        .take(512)
        .enumerate()
        .find_map(|(at, _)| document[at..].starts_with(what).then_some(at))
}

fn is_stamped(document: &[u8]) -> bool {
    find(document, UNSTAMPED_TIME).is_none()
}

/// Unpacks a payload, plain or zstd.
pub(super) fn unpack(payload: &[u8]) -> std::io::Result<Vec<u8>> {
    if payload.starts_with(b"{") {
        return Ok(payload.to_vec());
    }
    zstd::bulk::decompress(payload, MAX_DOCUMENT)
}

/// The payload with what is known about its time by now in place of the time since boot; `None`
/// while nothing is, or when the payload is not one of ours.
pub(super) fn stamp(payload: &[u8], clock: &Clock) -> Option<Vec<u8>> {
    let document = unpack(payload).ok()?;
    let start = find(&document, UNSTAMPED_TIME)? + TIME_KEY.len();
    let mut rest = serde_json::Deserializer::from_slice(&document[start..]).into_iter();
    let time: TimeBase = rest.next()?.ok()?;
    let end = start + rest.byte_offset();
    let base = Moment { boot_ms: u64::try_from(time.base).ok()? };
    let better = clock.afterwards(time.boot.as_deref()?, base)?;
    let mut stamped = document[..start - TIME_KEY.len()].to_vec();
    write_time(&mut stamped, &better);
    stamped.extend_from_slice(&document[end..]);
    let packed = zstd::bulk::compress(&stamped, ZSTD_LEVEL).ok()?;
    Some(if packed.len() < stamped.len() { packed } else { stamped })
}

/// An event as JSON, its texts cut until it fits a block.
fn event_json(event: &Event, base: Moment) -> Vec<u8> {
    let document = EventDocument {
        at: i64::try_from(offset(event.at, base)).unwrap_or(i64::MAX),
        device: event.device.as_ref().map(|id| id.as_str().to_owned()),
        what: event.kind.clone(),
    };
    let whole = serde_json::to_vec(&document).expect("an event is JSON");
    if whole.len() <= MAX_PAYLOAD - EVENT_FRAME {
        return whole;
    }
    let mut value = document.serialize(serde_json::value::Serializer).expect("an event is JSON");
    for most in [1024, 256, 64] {
        cut_texts(&mut value, most);
        let shorter = value.to_string().into_bytes();
        if shorter.len() <= MAX_PAYLOAD - EVENT_FRAME {
            return shorter;
        }
    }
    let kind = EventKind::PayloadRejected {
        topic: String::new(),
        fault: "an event was too large to be stored".to_owned(),
    };
    event_json(&Event { at: event.at, device: event.device.clone(), kind }, base)
}

fn cut_texts(value: &mut serde_json::Value, most: usize) {
    match value {
        serde_json::Value::String(text) if text.len() > most => {
            *text = format!("{}…", json::cut(text, most));
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| cut_texts(item, most)),
        serde_json::Value::Object(fields) => {
            fields.values_mut().for_each(|field| cut_texts(field, most));
        }
        _ => {}
    }
}
