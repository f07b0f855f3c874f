//! Looks into a buffer while no daemon uses it: counts, verifies, exports.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::model::{Document, Epoch, Seq};
use crate::store::{Limits, Store, StoreError, is_store};

use super::block::{Lane, parse, parse_key};
use super::meta::{EPOCH_KEY, META_KEY, Meta, decode_epoch};
use super::open::QUEUE;
use super::sealer::unpack;

/// Why a buffer cannot be inspected.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// There is no buffer there.
    #[error("there is no buffer at `{0}`")]
    Missing(PathBuf),
    /// The store said no; a running daemon holds it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The output refused.
    #[error("cannot write the export: {0}")]
    Write(#[from] io::Error),
}

/// Content of one lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LaneInspection {
    /// `urgent` or `telemetry`.
    pub lane: &'static str,
    /// Blocks.
    pub blocks: u64,
    /// Readings in them.
    pub readings: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Oldest position.
    pub oldest: Option<Seq>,
    /// Newest position.
    pub newest: Option<Seq>,
}

/// A block that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DamagedBlock {
    /// Its lane.
    pub lane: &'static str,
    /// Its position.
    pub seq: Seq,
    /// What is wrong with it.
    pub fault: String,
    /// Whether the daemon has set it aside and announced it already.
    pub set_aside: bool,
}

/// What a buffer holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// Its life; `None` when it was never used.
    pub epoch: Option<Epoch>,
    /// The next position.
    pub next_seq: Seq,
    /// Both lanes, the urgent one first.
    pub lanes: Vec<LaneInspection>,
    /// Every block that failed its check.
    pub damaged: Vec<DamagedBlock>,
    /// Blocks deleted before the platform had them, in its whole life.
    pub evicted_blocks: u64,
    /// Blocks replaced by thinned ones, in its whole life.
    pub thinned_blocks: u64,
    /// Positions skipped after power cuts, in its whole life: there never was a block.
    pub skipped_positions: u64,
    /// Bytes of the files.
    pub file_bytes: u64,
}

/// Counts and verifies every block: check sum, compression, document. Changes nothing.
///
/// # Errors
/// There is no buffer, a daemon uses it, or the store as a whole cannot be read.
pub fn inspect(path: &Path) -> Result<Inspection, InspectError> {
    let store = open_existing(path)?;
    let queue = store.tree(QUEUE);
    let meta = queue.get(META_KEY)?.and_then(|bytes| Meta::decode(&bytes)).unwrap_or_default();
    let epoch = queue.get(EPOCH_KEY)?.and_then(|bytes| decode_epoch(&bytes));
    let mut lanes: Vec<LaneInspection> = Lane::ALL
        .iter()
        .map(|lane| LaneInspection {
            lane: lane.word(),
            blocks: 0,
            readings: 0,
            bytes: 0,
            oldest: None,
            newest: None,
        })
        .collect();
    let mut damaged = Vec::new();
    queue.scan(b"b", b"e", |key, value| {
        let Some((lane, seq)) = parse_key(key) else { return ControlFlow::Continue(()) };
        let set_aside = key.first() == Some(&b'd');
        let checked = verify(key, value, seq);
        if set_aside {
            let fault = "set aside by the daemon".to_owned();
            damaged.push(DamagedBlock { lane: lane.word(), seq, fault, set_aside });
            return ControlFlow::Continue(());
        }
        let row = &mut lanes[usize::from(lane == Lane::Telemetry)];
        row.blocks += 1;
        row.bytes += value.len() as u64;
        row.oldest.get_or_insert(seq);
        row.newest = Some(seq);
        match checked {
            Ok((readings, _)) => row.readings += readings,
            Err(fault) => {
                damaged.push(DamagedBlock { lane: lane.word(), seq, fault, set_aside });
            }
        }
        ControlFlow::Continue(())
    })?;
    Ok(Inspection {
        epoch,
        next_seq: meta.next,
        lanes,
        damaged,
        evicted_blocks: meta.totals.evicted,
        thinned_blocks: meta.totals.thinned,
        skipped_positions: meta.totals.skipped,
        file_bytes: store.file_bytes(),
    })
}

/// Writes every sound block as one line of JSON, urgent lane first, each lane in order. Returns
/// how many were written. Changes nothing.
///
/// # Errors
/// As for [`inspect`], or the output refused.
pub fn export(path: &Path, out: &mut impl Write) -> Result<u64, InspectError> {
    let store = open_existing(path)?;
    let mut written = 0;
    let mut refused = None;
    store.tree(QUEUE).scan(b"b", b"c", |key, value| {
        let Some((_, seq)) = parse_key(key) else { return ControlFlow::Continue(()) };
        let Ok((_, document)) = verify(key, value, seq) else {
            return ControlFlow::Continue(());
        };
        match out.write_all(&document).and_then(|()| out.write_all(b"\n")) {
            Ok(()) => written += 1,
            Err(error) => {
                refused = Some(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    match refused {
        Some(error) => Err(error.into()),
        None => Ok(written),
    }
}

/// Shows every sound block as its document, each lane in order, until `each` breaks. Changes
/// nothing.
///
/// # Errors
/// As for [`inspect`].
pub fn documents(
    path: &Path,
    mut each: impl FnMut(Document) -> ControlFlow<()>,
) -> Result<(), InspectError> {
    let store = open_existing(path)?;
    store.tree(QUEUE).scan(b"b", b"c", |key, value| {
        let sound = parse_key(key).and_then(|(_, seq)| verify(key, value, seq).ok());
        match sound.and_then(|(_, json)| serde_json::from_slice(&json).ok()) {
            Some(document) => each(document),
            None => ControlFlow::Continue(()),
        }
    })?;
    Ok(())
}

fn open_existing(path: &Path) -> Result<Store, InspectError> {
    // Opening would make one.
    if !is_store(path) {
        return Err(InspectError::Missing(path.to_owned()));
    }
    Ok(Store::open(path, Limits::default())?)
}

/// Readings and document of a sound block.
fn verify(key: &[u8], value: &[u8], seq: Seq) -> Result<(u64, Vec<u8>), String> {
    let (header, payload) = parse(key, value).map_err(|fault| fault.to_string())?;
    let json = unpack(payload).map_err(|error| format!("cannot be unpacked: {error}"))?;
    let document: Document =
        serde_json::from_slice(&json).map_err(|error| format!("is no document: {error}"))?;
    if document.seq != seq.0 {
        return Err(format!("says that it is block {}", document.seq));
    }
    Ok((u64::from(header.readings), json))
}
