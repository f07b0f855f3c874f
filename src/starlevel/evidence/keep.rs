//! How the evidence gets into the store and back: now and then, at the end of a day, at the end.
//! What is written becomes durable with the next commit of the buffer's recorder.
//!
//! | key | row |
//! | --- | --- |
//! | `m` | what is kept beside the days, JSON |
//! | `s` device | since when it exists, when it was heard, JSON |
//! | `u` | since when each check does not pass, JSON |
//! | `a` alarm | an open alarm, JSON |
//! | `t` device | when its clock was last read, and its offset, JSON |
//! | `g` day | the gateway's day, JSON |
//! | `c` day | what the checks gave, JSON |
//! | `d` day device | the device's day, binary ([`day`](super::day)) |
//! | `e` day device | the values of a station that measures the environment, JSON |
//! | `h` day | link of the chain |
//!
//! Days are four bytes, the highest first. One batch per save, so a crash leaves the state before
//! or after it. Rows of devices that are gone stay until they expire and count nowhere; when such a
//! device comes back meanwhile, the time without it counts as missing.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::chain::{
    CHECKS, DEVICE, EvidenceChain, GATEWAY, HASHED, Hash, Hasher, LINK, Link, STATION, key,
};
use super::checks::{CHECKS_ROW, CheckDay};
use super::day::{DeviceDay, GATEWAY_ROW, GatewayDay};
use super::{Book, BufferSeen, Day, Known};
use crate::model::{DeviceId, DeviceIndex, Epoch, Estate, Moment};
use crate::starlevel::row::{json, named};
use crate::store::{Changes, StoreError};

/// How long evidence is kept, days.
pub(in crate::starlevel) const KEEP_DAYS: u32 = 400;
/// Least time between two saves of an open day.
const SAVE_EVERY: Duration = Duration::from_secs(600);
/// Old days are removed only at the end of a day that was watched for so long: a clock that is far
/// ahead for a while removes nothing.
const WATCHED_MS: u64 = 12 * 3_600_000;

const META: &[u8] = b"m";
const UNMET: &[u8] = b"u";
const STATE: u8 = b's';
const ALARM: u8 = b'a';
const CLOCK: u8 = b't';
const META_ROW: u8 = 1;

/// Keys and values.
type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// What is kept beside the days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Version of the row.
    v: u8,
    /// When the first evidence was booked, milliseconds since 1970.
    pub(super) since: Option<i64>,
    /// Everything before is booked.
    pub(super) frontier: Option<i64>,
    /// Where the buffer stood.
    mark: Option<(Epoch, u64, u64)>,
}

impl Kept {
    /// Blocks created and lost since the buffer was last looked at; nothing at the first look and
    /// after the buffer was replaced.
    pub(super) fn since_mark(&mut self, now: &BufferSeen) -> (u64, u64) {
        let before = self.mark.replace((now.epoch, now.next.0, now.lost));
        match before {
            Some((epoch, next, lost)) if epoch == now.epoch => {
                (now.next.0.saturating_sub(next), now.lost.saturating_sub(lost))
            }
            _ => (0, 0),
        }
    }
}

/// The stored evidence.
#[derive(Debug)]
pub(super) struct Keeper {
    chain: EvidenceChain,
    saved: Option<Moment>,
    head: Option<(u32, Hash)>,
    holds: bool,
    /// Days after this one are to be removed.
    taken_back: Option<u32>,
}

impl Keeper {
    pub(super) fn holds(&self) -> bool {
        self.holds
    }

    pub(super) fn take_back(&mut self, today: u32) {
        self.taken_back = Some(self.taken_back.map_or(today, |day| day.min(today)));
    }

    /// Removes what was taken back; the chain ends with the last day that stays.
    fn settle(&mut self) -> Result<bool, StoreError> {
        let Some(today) = self.taken_back else { return Ok(false) };
        let mut changes = Changes::default();
        for kind in HASHED.into_iter().chain([LINK]) {
            self.chain.scan(kind, today + 1, u32::MAX, |_, key, _| changes.remove(key))?;
        }
        let mut head = None;
        self.chain.scan(LINK, 0, today + 1, |day, _, row| {
            head = Link::decode(row).map(|link| (day, link.hash));
        })?;
        self.chain.tree().apply(changes)?;
        self.head = head;
        self.taken_back = None;
        Ok(true)
    }
}

impl Book {
    /// Goes on with what is stored.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(in crate::starlevel) fn attach(&mut self, chain: EvidenceChain) -> Result<(), StoreError> {
        let tree = chain.tree();
        let meta = tree.get(META)?.and_then(|row| serde_json::from_slice::<Kept>(&row).ok());
        self.kept = meta.filter(|kept| kept.v == META_ROW).unwrap_or_default();
        let unmet = tree.get(UNMET)?.and_then(|row| serde_json::from_slice(&row).ok());
        self.unmet = unmet.unwrap_or_default();
        for (known, device) in self.known.iter_mut().zip(self.estate.devices()) {
            let row = tree.get(&named(STATE, device.id.as_str()))?;
            *known = row.and_then(|row| read_state(&row)).unwrap_or_default();
        }
        self.load_facts(&chain)?;
        let mut head: Option<(u32, Hash)> = None;
        let mut holds = true;
        chain.scan(LINK, 0, u32::MAX, |day, _, row| {
            let link = Link::decode(row);
            let follows = head.zip(link).is_none_or(|((_, hash), link)| hash == link.before);
            holds &= link.is_some() && follows;
            head = link.map(|link| (day, link.hash)).or(head);
        })?;
        self.load_days(&chain)?;
        self.environment.load(chain.tree())?;
        self.closed_until = head.map(|(day, _)| day);
        self.keeper = Some(Keeper { chain, saved: None, head, holds, taken_back: None });
        Ok(())
    }

    /// Takes the days of the window from the store that are not in memory.
    fn load_days(&mut self, chain: &EvidenceChain) -> Result<(), StoreError> {
        let Some(frontier) = self.kept.frontier else { return Ok(()) };
        let first = self.zone.day(frontier).saturating_sub(self.window_days);
        let count = self.known.len();
        let mut days: BTreeMap<u32, Day> = BTreeMap::new();
        let broadcasts = &mut self.facts.broadcasts;
        let oldest = first.min(self.zone.day(frontier).saturating_sub(KEEP_DAYS));
        chain.scan(GATEWAY, oldest, u32::MAX, |day, _, row| {
            let row = serde_json::from_slice::<GatewayDay>(row).ok();
            let Some(row) = row.filter(|row| row.v == GATEWAY_ROW) else { return };
            if !row.facts.broadcasts.is_empty() {
                broadcasts.insert(day, row.facts.broadcasts);
            }
            if day >= first {
                days.entry(day).or_insert_with(|| Day::of(count)).gateway = row;
            }
        })?;
        chain.scan(CHECKS, first, u32::MAX, |day, _, row| {
            let row = serde_json::from_slice::<CheckDay>(row).ok();
            if let Some(row) = row.filter(|row| row.v == CHECKS_ROW) {
                days.entry(day).or_insert_with(|| Day::of(count)).checks = Some(row);
            }
        })?;
        let estate = &self.estate;
        chain.scan(DEVICE, first, u32::MAX, |day, key, row| {
            let index = index_of(estate, key.get(5..));
            if let (Some(index), Some(row)) = (index, DeviceDay::decode(row)) {
                let day = days.entry(day).or_insert_with(|| Day::of(count));
                day.devices[index.slot()] = row;
            }
        })?;
        chain.scan(STATION, first, u32::MAX, |day, key, row| {
            if let Some(name) = key.get(5..).and_then(|name| std::str::from_utf8(name).ok()) {
                let day = days.entry(day).or_insert_with(|| Day::of(count));
                day.stations.insert(name.to_owned(), row.to_vec());
            }
        })?;
        for (day, row) in days {
            self.days.entry(day).or_insert(row);
        }
        Ok(())
    }

    /// Writes what is due: every ten minutes, at the end of a day, and when `all`.
    ///
    /// # Errors
    /// The store refused; the next call tries again.
    pub(in crate::starlevel) fn save(&mut self, now: Moment, all: bool) -> Result<(), StoreError> {
        let Some(frontier) = self.kept.frontier else { return Ok(()) };
        let Some(mut keeper) = self.keeper.take() else { return Ok(()) };
        let today = self.zone.day(frontier);
        let ended = self.days.range(..today).any(|(day, _)| self.closed_until < Some(*day));
        let due = keeper.saved.is_none_or(|saved| now.since(saved) >= SAVE_EVERY);
        let due = due || self.facts.hasty || self.environment.must_save();
        let result = if all || ended || due || keeper.taken_back.is_some() {
            self.write(&mut keeper, today).inspect(|()| keeper.saved = Some(now))
        } else {
            Ok(())
        };
        self.keeper = Some(keeper);
        result
    }

    fn write(&mut self, keeper: &mut Keeper, today: u32) -> Result<(), StoreError> {
        if keeper.settle()? {
            self.load_days(&keeper.chain)?;
        }
        let mut changes = Changes::default();
        let mut head = keeper.head;
        let mut watched = false;
        let open = self.days.iter().filter(|(day, _)| self.closed_until < Some(**day));
        for (&day, row) in open {
            let mut rows = self.rows_of(day, row);
            for (key, value) in &rows {
                changes.insert(key, value);
            }
            if day < today {
                let before = head.map_or(Hash::default(), |(_, hash)| hash);
                rows.extend(self.rows_of_others(&keeper.chain, day)?);
                // `d` comes before `g` as a key, but the gateway leads the day.
                rows[1..].sort();
                let mut hasher = Hasher::new(&before);
                rows.iter().for_each(|(key, value)| hasher.row(key, value));
                let link = Link { before, hash: hasher.finish() };
                changes.insert(&key(LINK, day, ""), &link.encode());
                head = Some((day, link.hash));
                watched |= row.gateway.observed_ms >= WATCHED_MS;
            }
        }
        self.kept.v = META_ROW;
        changes.insert(META, &json(&self.kept));
        changes.insert(UNMET, &json(&self.unmet));
        for (known, device) in self.known.iter().zip(self.estate.devices()) {
            let row = json(&(META_ROW, known.since, known.heard, known.peak));
            changes.insert(&named(STATE, device.id.as_str()), &row);
        }
        self.write_facts(&mut changes);
        if watched {
            self.expire(&keeper.chain, today, &mut changes)?;
        }
        self.environment.write(keeper.chain.tree(), &mut changes)?;
        keeper.chain.tree().apply(changes)?;
        self.environment.written();
        keeper.head = head;
        self.closed_until = head.map(|(day, _)| day);
        self.facts.hasty = false;
        self.facts.alarms.gone.clear();
        self.keep_broadcasts(today.saturating_sub(KEEP_DAYS));
        let first = today.saturating_sub(self.window_days);
        self.days.retain(|day, _| *day >= first);
        Ok(())
    }

    /// Takes what is kept of facts beside the days.
    fn load_facts(&mut self, chain: &EvidenceChain) -> Result<(), StoreError> {
        let tree = chain.tree();
        for (clock, device) in self.facts.clocks.iter_mut().zip(self.estate.devices()) {
            let row = tree.get(&named(CLOCK, device.id.as_str()))?;
            *clock = row.and_then(|row| serde_json::from_slice(&row).ok());
        }
        let alarms = &mut self.facts.alarms;
        tree.scan(&[ALARM], &[ALARM + 1], |key, row| {
            let id = key.get(1..).and_then(|id| std::str::from_utf8(id).ok());
            if let (Some(id), Ok(alarm)) = (id, serde_json::from_slice(row)) {
                alarms.restore(id, alarm);
            }
            ControlFlow::Continue(())
        })
    }

    fn write_facts(&self, changes: &mut Changes) {
        for (clock, device) in self.facts.clocks.iter().zip(self.estate.devices()) {
            if let Some(clock) = clock {
                changes.insert(&named(CLOCK, device.id.as_str()), &json(clock));
            }
        }
        for id in &self.facts.alarms.gone {
            changes.remove(&named(ALARM, id));
        }
        for (id, alarm) in self.facts.alarms.rows() {
            changes.insert(&named(ALARM, id), &json(alarm));
        }
    }

    /// The rows of a day: the gateway's first, then that of the checks.
    fn rows_of(&self, day: u32, row: &Day) -> Rows {
        let gateway = GatewayDay { v: GATEWAY_ROW, ..row.gateway.clone() };
        let mut devices: Rows = Vec::new();
        if let Some(checks) = &row.checks {
            devices.push((key(CHECKS, day, ""), json(checks)));
        }
        for (slot, device) in self.estate.devices().iter().enumerate() {
            let mut sums = row.devices[slot];
            if !sums.is_empty() {
                sums.exists_ms = self.exists_ms(slot, day);
                let every = device.expected_every.as_millis().max(1);
                sums.expected = u64::try_from(u128::from(sums.exists_ms) / every).unwrap_or(0);
                devices.push((key(DEVICE, day, device.id.as_str()), sums.encode()));
            }
        }
        let stations = row.stations.iter();
        devices.extend(stations.map(|(name, row)| (key(STATION, day, name), row.clone())));
        devices.insert(0, (key(GATEWAY, day, ""), json(&gateway)));
        devices
    }

    /// Rows that a day got before their devices left the estate.
    fn rows_of_others(&self, chain: &EvidenceChain, day: u32) -> Result<Rows, StoreError> {
        let mut rows = Vec::new();
        chain.scan(DEVICE, day, day + 1, |_, key, row| {
            if index_of(&self.estate, key.get(5..)).is_none() {
                rows.push((key.to_vec(), row.to_vec()));
            }
        })?;
        Ok(rows)
    }

    /// Removes what is older than [`KEEP_DAYS`].
    fn expire(
        &self,
        chain: &EvidenceChain,
        today: u32,
        changes: &mut Changes,
    ) -> Result<(), StoreError> {
        let oldest = today.saturating_sub(KEEP_DAYS);
        for kind in HASHED.into_iter().chain([LINK]) {
            chain.scan(kind, 0, oldest, |_, key, _| changes.remove(key))?;
        }
        let before = self.zone.begin(oldest);
        chain.tree().scan(&[STATE], &[STATE + 1], |key, row| {
            let here = index_of(&self.estate, key.get(1..)).is_some();
            let last = read_state(row).and_then(|known| known.heard.or(known.since));
            if !here && last.is_none_or(|last| last < before) {
                changes.remove(key);
            }
            ControlFlow::Continue(())
        })
    }
}

/// The device of this estate that a key names.
fn index_of(estate: &Estate, name: Option<&[u8]>) -> Option<DeviceIndex> {
    let name = std::str::from_utf8(name?).ok()?;
    estate.find(&DeviceId::new(name).ok()?)
}

fn read_state(row: &[u8]) -> Option<Known> {
    let (version, since, heard, peak) = serde_json::from_slice(row).ok()?;
    let _: u8 = version;
    (version == META_ROW).then_some(Known { since, heard, peak })
}
