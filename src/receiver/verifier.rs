//! Holds the stream against its contract. Synchronous, no I/O, bounded memory.
//!
//! - `(gateway, epoch, seq)` identifies a block: a second one is a duplicate, and a duplicate
//!   that says something else is a fault.
//! - Every number from 1 to the highest is received, or announced as deleted.
//! - Order does not matter: live data overtake the backlog after an outage. So gaps are counted
//!   when asked, not when they open.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::ledger::{Entry, Ledger};
use super::{DeviceCount, GapReport, Summary, decode};
use crate::model::{DeviceColumns, Document, EventKind, TimeBase};

/// What the verifier remembers at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Streams, i.e. pairs of gateway and epoch.
    pub streams: usize,
    /// Devices that are counted one by one.
    pub devices: usize,
    /// Blocks whose content is compared when they come again, the youngest ones.
    pub digests: usize,
    /// Faults kept in words.
    pub faults: usize,
    /// Ranges of open gaps named per stream.
    pub ranges: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { streams: 10_000, devices: 100_000, digests: 131_072, faults: 20, ranges: 20 }
    }
}

/// What became of a payload.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    /// A block seen for the first time.
    New(Box<Document>),
    /// Seen before, the same.
    Duplicate,
    /// Not acceptable; the words are in the summary.
    Fault(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Digest {
    crc: u32,
    length: usize,
    /// Of a block whose time was not known when it was cut: it may come again with a time that is
    /// known better by then. The rest of it may not change, so that alone is compared.
    without_time: bool,
}

impl Digest {
    fn of(payload: &[u8], document: &Document) -> Self {
        if !document.time.may_change() {
            let (crc, length) = (crc32fast::hash(payload), payload.len());
            return Self { crc, length, without_time: false };
        }
        let rest = Document { time: TimeBase::trusted(0), ..document.clone() };
        let rest = serde_json::to_vec(&rest).expect("a document that was read can be written");
        Self { crc: crc32fast::hash(&rest), length: rest.len(), without_time: true }
    }
}

pub(super) type StreamKey = (String, String);

/// Checks a stream block by block.
#[derive(Debug)]
pub struct Verifier {
    limits: Limits,
    /// Begin counting at the first block seen instead of block 1.
    from_first: bool,
    /// The topics' begin, split at `/`; the segment at a `+` must name the gateway.
    prefix: Vec<String>,
    streams: BTreeMap<StreamKey, Ledger>,
    digests: HashMap<(StreamKey, u64), Digest>,
    digest_order: VecDeque<(StreamKey, u64)>,
    devices: BTreeMap<String, DeviceCount>,
    pub(super) counted: Summary,
}

/// What is kept between two runs of a receiver, as JSON.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    version: u8,
    streams: Vec<(String, String, Ledger)>,
}

/// Why a kept state is not usable.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another format.
    #[error("state has version {0}, known is 1")]
    Version(u8),
    /// Ranges out of order: the file was changed by hand or by a fault.
    #[error("state of gateway `{gateway}` epoch `{epoch}` has ranges out of order")]
    Ranges {
        /// Whose.
        gateway: String,
        /// Which life of its buffer.
        epoch: String,
    },
}

impl Verifier {
    /// `prefix` is the topic filter's begin, e.g. `linli/v1/+`. With `from_first`, blocks before
    /// the lowest one received do not count as missing: for a receiver that joins late.
    pub fn new(prefix: &str, from_first: bool, limits: Limits) -> Self {
        Self {
            limits,
            from_first,
            prefix: prefix.split('/').map(str::to_owned).collect(),
            streams: BTreeMap::new(),
            digests: HashMap::new(),
            digest_order: VecDeque::new(),
            devices: BTreeMap::new(),
            counted: Summary::default(),
        }
    }

    /// Takes one message of `…/telemetry`, `…/telemetry/late` or `…/event`.
    pub fn take(&mut self, topic: &str, payload: &[u8]) -> Received {
        match self.judge(topic, payload) {
            Ok(received) => received,
            Err(fault) => {
                self.fault(format!("{}: {fault}", short(topic)));
                Received::Fault(fault)
            }
        }
    }

    fn judge(&mut self, topic: &str, payload: &[u8]) -> Result<Received, String> {
        let document = decode(payload).map_err(|error| error.to_string())?;
        self.check_topic(topic, &document)?;
        let key = (document.gateway.clone(), document.epoch.clone());
        if !self.streams.contains_key(&key) && self.streams.len() >= self.limits.streams {
            return Err(format!("more than {} streams", self.limits.streams));
        }
        let ledger = self.streams.entry(key.clone()).or_default();
        let digest = Digest::of(payload, &document);
        let slot = (key, document.seq);
        match ledger.receive(document.seq) {
            Entry::Full => {
                Err(format!("block {} leaves too many gaps to keep account of", document.seq))
            }
            Entry::Known => {
                self.counted.duplicates += 1;
                self.check_duplicate(slot, digest)
            }
            Entry::New => {
                self.remember(slot.clone(), digest);
                self.count(topic, payload.len(), &document);
                self.follow_events(&slot.0, &document)?;
                Ok(Received::New(Box::new(document)))
            }
        }
    }

    fn check_topic(&self, topic: &str, document: &Document) -> Result<(), String> {
        let mut segments = topic.split('/');
        for wanted in &self.prefix {
            let found = segments.next().unwrap_or_default();
            if wanted == "+" && found != document.gateway {
                let gateway = &document.gateway;
                return Err(format!("gateway `{gateway}` published under `{}`", short(found)));
            }
        }
        Ok(())
    }

    fn check_duplicate(&self, slot: (StreamKey, u64), digest: Digest) -> Result<Received, String> {
        let Some(known) = self.digests.get(&slot) else { return Ok(Received::Duplicate) };
        if *known == digest {
            return Ok(Received::Duplicate);
        }
        let ((gateway, epoch), seq) = slot;
        Err(format!("block {gateway} {epoch} {seq} came again with other content"))
    }

    fn remember(&mut self, slot: (StreamKey, u64), digest: Digest) {
        if self.digest_order.len() >= self.limits.digests
            && let Some(oldest) = self.digest_order.pop_front()
        {
            self.digests.remove(&oldest);
        }
        self.digest_order.push_back(slot.clone());
        self.digests.insert(slot, digest);
    }

    fn count(&mut self, topic: &str, bytes: usize, document: &Document) {
        self.counted.blocks += 1;
        self.counted.bytes += bytes as u64;
        self.counted.late += u64::from(topic.ends_with("/telemetry/late"));
        self.counted.events += document.events.len() as u64;
        self.count_thinned(document);
        for device in &document.devices {
            let count = readings(device);
            self.counted.readings += count.readings;
            self.counted.not_good += count.not_good;
            let name = format!("{}/{}", document.gateway, device.id);
            if self.devices.len() < self.limits.devices || self.devices.contains_key(&name) {
                let total = self.devices.entry(name).or_default();
                total.readings += count.readings;
                total.not_good += count.not_good;
            }
        }
    }

    fn follow_events(&mut self, key: &StreamKey, document: &Document) -> Result<(), String> {
        for event in &document.events {
            match &event.what {
                EventKind::BlocksEvicted { from, to, blocks, readings, .. } => {
                    self.announce(key, document.seq, &[(from.0, to.0)], *blocks)?;
                    self.counted.announced_readings += readings;
                }
                EventKind::PositionsSkipped { from, to } => {
                    let blocks = to.0.saturating_sub(from.0).saturating_add(1);
                    self.announce(key, document.seq, &[(from.0, to.0)], blocks)?;
                }
                EventKind::ReadingsThinned { .. } => {
                    self.follow_thinning(key, document.seq, event)?
                }
                EventKind::BufferReplaced { .. } => {
                    self.counted.buffers_replaced += 1;
                    for (other, ledger) in &mut self.streams {
                        ledger.set_aside |= other.0 == key.0 && other.1 != key.1;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Blocks are gone, within these ranges, says the block `seq`.
    pub(super) fn announce(
        &mut self,
        key: &StreamKey,
        seq: u64,
        ranges: &[(u64, u64)],
        blocks: u64,
    ) -> Result<(), String> {
        let mut room = 0;
        for (from, to) in ranges {
            // The announcement lies in a block after what it tells of.
            if *to >= seq {
                return Err(format!("block {seq} announces {from}..={to}, the future"));
            }
            if *from == 0 || from > to {
                return Err(format!("announced range {from}..={to} of {blocks} blocks"));
            }
            room += to - from + 1;
        }
        if blocks > room {
            return Err(format!("announced {blocks} blocks in ranges of {room}"));
        }
        let ledger = self.streams.entry(key.clone()).or_default();
        let mut blocks = blocks;
        for (from, to) in ranges {
            let here = blocks.min(to - from + 1);
            blocks -= here;
            if ledger.announce(*from, *to, here) == Entry::Full {
                return Err("more announced ranges than can be kept".into());
            }
        }
        Ok(())
    }

    /// Notes a breach of the contract that the caller found.
    pub fn fault(&mut self, fault: String) {
        self.counted.faults += 1;
        if self.counted.last_faults.len() >= self.limits.faults {
            self.counted.last_faults.remove(0);
        }
        self.counted.last_faults.push(fault);
    }

    /// Whether some stream is there and every stream has all blocks up to `seq`.
    pub fn is_complete_to(&self, seq: u64) -> bool {
        !self.streams.is_empty()
            && self.streams.values().all(|ledger| {
                ledger.set_aside
                    || ledger.highest() >= seq
                        && ledger.gaps(self.floor(ledger), seq).open.is_empty()
            })
    }

    fn floor(&self, ledger: &Ledger) -> u64 {
        if self.from_first { ledger.first() } else { 1 }
    }

    /// Readings per device, `gateway/device`.
    pub fn devices(&self) -> &BTreeMap<String, DeviceCount> {
        &self.devices
    }

    /// Everything so far, with the gaps as they stand now.
    pub fn summary(&self) -> Summary {
        let mut summary = self.counted.clone();
        summary.good = summary.readings - summary.not_good;
        summary.devices = self.devices.len();
        summary.epochs = self.streams.len();
        let gateways: HashSet<&str> = self.streams.keys().map(|key| key.0.as_str()).collect();
        summary.gateways = gateways.len();
        for ((gateway, epoch), ledger) in &self.streams {
            let highest = ledger.highest();
            summary.highest_seq = summary.highest_seq.max(highest);
            let mut gaps = ledger.gaps(self.floor(ledger), highest);
            summary.announced_gaps += gaps.announced - gaps.unexplained;
            let blocks =
                gaps.open.iter().map(|gap| gap.to - gap.from + 1).sum::<u64>() + gaps.unexplained;
            summary.open_gaps += blocks;
            if blocks > 0 {
                gaps.open.truncate(self.limits.ranges);
                summary.gaps.push(GapReport {
                    gateway: gateway.clone(),
                    epoch: epoch.clone(),
                    blocks,
                    ranges: gaps.open,
                });
            }
        }
        summary
    }

    /// What to keep so that a later run knows which blocks came before.
    pub fn state(&self) -> State {
        let streams = self
            .streams
            .iter()
            .map(|((gateway, epoch), ledger)| (gateway.clone(), epoch.clone(), ledger.clone()))
            .collect();
        State { version: 1, streams }
    }

    /// Takes up the state of an earlier run.
    ///
    /// # Errors
    /// The state has another format or was damaged.
    pub fn restore(&mut self, state: State) -> Result<(), StateError> {
        if state.version != 1 {
            return Err(StateError::Version(state.version));
        }
        for (gateway, epoch, ledger) in state.streams {
            if !ledger.is_sound() {
                return Err(StateError::Ranges { gateway, epoch });
            }
            self.streams.insert((gateway, epoch), ledger);
        }
        Ok(())
    }
}

/// A value without a note is good; a note is a reading that is not; a bare `null` is none.
fn readings(device: &DeviceColumns) -> DeviceCount {
    let noted: HashSet<(u32, u32)> = device.quality.iter().map(|note| (note.0, note.1)).collect();
    let good = (0u32..)
        .zip(&device.values)
        .flat_map(|(point, column)| (0u32..).zip(column).map(move |(at, v)| (at, point, v)))
        .filter(|(at, point, value)| value.is_some() && !noted.contains(&(*at, *point)))
        .count() as u64;
    let not_good = noted.len() as u64;
    DeviceCount { readings: good + not_good, not_good }
}

/// A hostile topic may be 64 KiB long; a message shows its begin.
fn short(text: &str) -> String {
    text.chars().take(120).collect()
}
