//! The hash chain over the days: whoever changes a row, drops a day or puts one in is found out.
//!
//! The hash of a day is SHA-256 over a word of the format, the hash of the day before, and the
//! day's rows with their keys, each led by its length: the gateway's row, that of the checks, the
//! devices' by name, then those of the stations that measure the environment. The oldest day that is
//! kept names the hash of one that is gone. The chain proves that
//! the evidence is as it was written, not who wrote it.

mod closed;

use std::ops::ControlFlow;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::calendar::date;
pub(in crate::starlevel) use closed::{ClosedDay, DeviceTally};

use crate::store::{Limits, Store, StoreError, Tree, is_store};

/// Name of the tree in the store.
const TREE: &str = "evidence";
const CHAIN_ROW: u8 = 1;
const FORMAT: &[u8] = b"linli evidence 1";

/// First bytes of the keys.
pub(super) const DEVICE: u8 = b'd';
pub(super) const GATEWAY: u8 = b'g';
pub(super) const CHECKS: u8 = b'c';
pub(super) const LINK: u8 = b'h';
pub(super) const STATION: u8 = b'e';
/// What a day's hash covers, in this order.
pub(super) const HASHED: [u8; 4] = [GATEWAY, CHECKS, DEVICE, STATION];

/// SHA-256.
pub(super) type Hash = [u8; 32];

/// One day in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) before: Hash,
    pub(super) hash: Hash,
}

impl Link {
    pub(super) fn encode(&self) -> Vec<u8> {
        [&[CHAIN_ROW][..], &self.before, &self.hash].concat()
    }

    pub(super) fn decode(row: &[u8]) -> Option<Self> {
        let (&CHAIN_ROW, rest) = row.split_first()? else { return None };
        let (before, hash) = rest.split_at_checked(32)?;
        Some(Self { before: before.try_into().ok()?, hash: hash.try_into().ok()? })
    }
}

/// The hash of a day that is being put together.
pub(super) struct Hasher(ring::digest::Context);

impl Hasher {
    pub(super) fn new(before: &Hash) -> Self {
        let mut context = ring::digest::Context::new(&ring::digest::SHA256);
        context.update(FORMAT);
        context.update(before);
        Self(context)
    }

    pub(super) fn row(&mut self, key: &[u8], value: &[u8]) {
        for part in [key, value] {
            self.0.update(&(part.len() as u64).to_be_bytes());
            self.0.update(part);
        }
    }

    pub(super) fn finish(self) -> Hash {
        let mut hash = Hash::default();
        hash.copy_from_slice(self.0.finish().as_ref());
        hash
    }
}

/// Key of a row: its kind, the day, the device's name for a device.
pub(super) fn key(kind: u8, day: u32, name: &str) -> Vec<u8> {
    [&[kind][..], &day.to_be_bytes(), name.as_bytes()].concat()
}

/// The day in a key.
pub(super) fn day_of(key: &[u8]) -> Option<u32> {
    key.get(1..5)?.try_into().ok().map(u32::from_be_bytes)
}

/// The first day that does not hold, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChainFault {
    /// The day, `2026-01-31`.
    pub day: String,
    /// What is wrong, Chinese.
    pub zh: String,
    /// What is wrong, English.
    pub en: String,
}

/// What a look at the whole chain found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChainReport {
    /// Closed days.
    pub days: u32,
    /// The oldest.
    pub first: Option<String>,
    /// The newest.
    pub last: Option<String>,
    /// Hash of the newest day, lower-case hex.
    pub head: Option<String>,
    /// Bytes of all rows with their keys.
    pub bytes: u64,
    /// The first day that does not hold; absent when all do.
    pub fault: Option<ChainFault>,
}

/// The stored evidence, to be verified.
#[derive(Clone)]
pub struct EvidenceChain(Tree);

impl std::fmt::Debug for EvidenceChain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EvidenceChain")
    }
}

impl EvidenceChain {
    /// The evidence in an open store.
    pub fn new(store: &Store) -> Self {
        Self(store.tree(TREE))
    }

    /// The evidence in the folder of a gateway that does not run.
    ///
    /// # Errors
    /// A running gateway has it, there is none, or it cannot be read.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        // Opening would make one, and nothing in it would hold.
        if !is_store(folder) {
            let source = std::io::Error::new(std::io::ErrorKind::NotFound, "there is none");
            return Err(StoreError::Io { path: folder.to_owned(), source });
        }
        Ok(Self::new(&Store::open(folder, Limits::default())?))
    }

    pub(super) fn tree(&self) -> &Tree {
        &self.0
    }

    /// Looks at every day. Blocks while it reads.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn verify(&self) -> Result<ChainReport, StoreError> {
        let mut links: Vec<(u32, Option<Link>)> = Vec::new();
        let mut report = ChainReport::default();
        self.scan(LINK, 0, u32::MAX, |day, key, value| {
            report.bytes += (key.len() + value.len()) as u64;
            links.push((day, Link::decode(value)));
        })?;
        let mut before: Option<(u32, Hash)> = None;
        for (day, link) in &links {
            report.days += 1;
            report.first.get_or_insert_with(|| date(*day));
            report.last = Some(date(*day));
            let from = before.map_or(0, |(day, _)| day + 1);
            if let Some(stray) = self.stray(from, *day, &mut report)? {
                let (zh, en) = ("有未入链的行", "there are rows that are in no chain");
                return Ok(report.broken(stray, zh, en));
            }
            let Some(link) = link else {
                return Ok(report.broken(*day, "哈希行不可读", "its hash cannot be read"));
            };
            if before.is_some_and(|(_, hash)| hash != link.before) {
                let en = "it does not follow the day before: a day was changed, removed or put in";
                return Ok(report.broken(*day, "与前一日不衔接：有日被改动、删除或插入", en));
            }
            let mut hasher = Hasher::new(&link.before);
            for kind in HASHED {
                self.scan(kind, *day, day + 1, |_, key, value| {
                    report.bytes += (key.len() + value.len()) as u64;
                    hasher.row(key, value);
                })?;
            }
            if hasher.finish() != link.hash {
                let en = "its rows are not as they were written";
                return Ok(report.broken(*day, "当日数据与封存时不同", en));
            }
            before = Some((*day, link.hash));
            report.head = Some(hex(&link.hash));
        }
        Ok(report)
    }

    /// The first day in a range of days without a link that has rows all the same.
    fn stray(
        &self,
        from: u32,
        to: u32,
        report: &mut ChainReport,
    ) -> Result<Option<u32>, StoreError> {
        let mut found: Option<u32> = None;
        for kind in HASHED {
            self.scan(kind, from, to, |day, key, value| {
                report.bytes += (key.len() + value.len()) as u64;
                found = Some(found.map_or(day, |other| other.min(day)));
            })?;
        }
        Ok(found)
    }

    /// Shows the rows of a kind, days `from` (inclusive) to `to` (exclusive).
    pub(super) fn scan(
        &self,
        kind: u8,
        from: u32,
        to: u32,
        mut each: impl FnMut(u32, &[u8], &[u8]),
    ) -> Result<(), StoreError> {
        self.0.scan(&key(kind, from, ""), &key(kind, to, ""), |key, value| {
            if let Some(day) = day_of(key) {
                each(day, key, value);
            }
            ControlFlow::Continue(())
        })
    }
}

impl ChainReport {
    fn broken(mut self, day: u32, zh: &str, en: &str) -> Self {
        self.fault = Some(ChainFault { day: date(day), zh: zh.to_owned(), en: en.to_owned() });
        self
    }
}

fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
