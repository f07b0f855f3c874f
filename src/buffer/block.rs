//! A block as it is stored.
//!
//! # Invariants
//!
//! - A stored value is at most [`MAX_VALUE`](crate::store::MAX_VALUE) bytes, header included.
//! - The payload is published as it is: encoded and compressed once.
//! - The check sum covers the key, the header and the payload, so a block that turns up under
//!   another position is damaged too.
//! - `(gateway, epoch, seq)` identifies a block for ever; positions run over both lanes.
//!
//! # Format
//!
//! Everything lies in the tree `queue`, so that one batch is atomic over all of it. Numbers in
//! keys are big-endian (they sort), in values little-endian.
//!
//! ```text
//! key    'b' lane(1) seq(8)     a block; lane 0 urgent, 1 telemetry
//!        'd' lane(1) seq(8)     a damaged block that was set aside, as it was found
//!        'm'                    the counters, see `meta`
//!
//! value  0  version   u8        1
//!        1  flags     u8        bit 0: the times count from boot (not stamped yet)
//!                               bit 1: thinned, in place of older blocks
//!                               bit 2: its readings were told to the star level as lost
//!        2  readings  u16       readings in the block
//!        4  length    u16       of the payload
//!        6  changes   u16       of a charger's connector status; 0 from older versions
//!        8  crc       u32       CRC-32 of key, bytes 0..8, bytes 12..
//!       12  created   u64       milliseconds since boot
//!       20  boot      u64       which boot (first 8 bytes of its id)
//!       28  payload             JSON, or zstd of it (first bytes 28 b5 2f fd)
//! ```

use std::time::Duration;

use bytes::Bytes;

use crate::model::{BootId, Moment, Seq};
use crate::store::MAX_VALUE;

use super::contents::Contents;

const VERSION: u8 = 1;
const HEADER: usize = 28;
const UNSTAMPED: u8 = 1;
const THINNED: u8 = 2;
const TOLD: u8 = 4;

/// Most bytes of a payload.
pub const MAX_PAYLOAD: usize = MAX_VALUE - HEADER;

/// Which queue a block waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// Events: sent first, evicted last.
    Urgent,
    /// Readings.
    Telemetry,
}

impl Lane {
    /// Both, the urgent one first.
    pub const ALL: [Lane; 2] = [Lane::Urgent, Lane::Telemetry];

    /// The word for people and scripts.
    pub fn word(self) -> &'static str {
        match self {
            Lane::Urgent => "urgent",
            Lane::Telemetry => "telemetry",
        }
    }

    fn byte(self) -> u8 {
        match self {
            Lane::Urgent => 0,
            Lane::Telemetry => 1,
        }
    }
}

/// A durable block, as handed to the uplink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its position.
    pub seq: Seq,
    /// Its queue.
    pub lane: Lane,
    /// What is published, as it is.
    pub payload: Bytes,
    /// Readings in it.
    pub readings: u32,
    /// When it was cut, on the monotonic clock of its boot.
    pub created: Moment,
    /// Whether it was cut in this boot, so that `created` can be compared with now.
    pub this_boot: bool,
    /// Whether its times are wall time; if not, see [`Buffer::stamp`](super::Buffer::stamp).
    pub stamped: bool,
    /// Whether it stands in place of older blocks, thinned.
    pub thinned: bool,
}

impl Block {
    /// How old it is; `None` when it comes from an earlier boot.
    pub fn age(&self, now: Moment) -> Option<Duration> {
        self.this_boot.then(|| now.since(self.created))
    }
}

/// A block that is encoded, with its position, and not durable yet.
#[derive(Debug, Clone)]
pub(super) struct Sealed {
    pub seq: Seq,
    pub lane: Lane,
    pub value: Vec<u8>,
    pub readings: u32,
    pub contents: Contents,
}

/// Why a stored value is not a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BlockFault {
    #[error("shorter than its header says")]
    Short,
    #[error("unknown format version {0}")]
    Version(u8),
    #[error("wrong check sum")]
    CheckSum,
}

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub readings: u16,
    /// Changes of a charger's connector status.
    pub changes: u16,
    pub stamped: bool,
    pub thinned: bool,
    /// The star level was told that its readings are lost.
    pub told: bool,
    pub created: Moment,
    pub boot: u64,
}

/// Where a block lies.
pub(super) fn key(lane: Lane, seq: Seq) -> [u8; 10] {
    tagged(b'b', lane, seq)
}

/// Where a damaged block lies.
pub(super) fn damaged_key(lane: Lane, seq: Seq) -> [u8; 10] {
    tagged(b'd', lane, seq)
}

fn tagged(tag: u8, lane: Lane, seq: Seq) -> [u8; 10] {
    let mut key = [tag, lane.byte(), 0, 0, 0, 0, 0, 0, 0, 0];
    key[2..].copy_from_slice(&seq.0.to_be_bytes());
    key
}

/// Lane and position that a key names.
pub(super) fn parse_key(key: &[u8]) -> Option<(Lane, Seq)> {
    let lane = match key.get(1)? {
        0 => Lane::Urgent,
        1 => Lane::Telemetry,
        _ => return None,
    };
    Some((lane, Seq(u64::from_be_bytes(key.get(2..)?.try_into().ok()?))))
}

/// A boot's id in eight bytes.
pub(super) fn boot_tag(boot: &BootId) -> u64 {
    let hex: String = boot.0.chars().filter(|c| *c != '-').take(16).collect();
    u64::from_str_radix(&hex, 16).unwrap_or_else(|_| u64::from(crc32fast::hash(boot.0.as_bytes())))
}

/// Puts header and payload together. The payload must fit.
pub(super) fn compose(key: &[u8; 10], header: Header, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("a payload fits a block");
    let mut value = Vec::with_capacity(HEADER + payload.len());
    value.push(VERSION);
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    let flags = flag(!header.stamped, UNSTAMPED);
    value.push(flags | flag(header.thinned, THINNED) | flag(header.told, TOLD));
    value.extend_from_slice(&header.readings.to_le_bytes());
    value.extend_from_slice(&length.to_le_bytes());
    value.extend_from_slice(&header.changes.to_le_bytes());
    value.extend_from_slice(&[0; 4]);
    value.extend_from_slice(&header.created.boot_ms.to_le_bytes());
    value.extend_from_slice(&header.boot.to_le_bytes());
    value.extend_from_slice(payload);
    let crc = check_sum(key, &value);
    value[8..12].copy_from_slice(&crc.to_le_bytes());
    value
}

/// Reads a stored value; returns header and payload.
pub(super) fn parse<'a>(key: &[u8], value: &'a [u8]) -> Result<(Header, &'a [u8]), BlockFault> {
    if value.len() < HEADER {
        return Err(BlockFault::Short);
    }
    if value[0] != VERSION {
        return Err(BlockFault::Version(value[0]));
    }
    if value.len() != HEADER + usize::from(u16::from_le_bytes([value[4], value[5]])) {
        return Err(BlockFault::Short);
    }
    let stored = u32::from_le_bytes([value[8], value[9], value[10], value[11]]);
    if stored != check_sum(key, value) {
        return Err(BlockFault::CheckSum);
    }
    let header = Header {
        readings: u16::from_le_bytes([value[2], value[3]]),
        changes: u16::from_le_bytes([value[6], value[7]]),
        stamped: value[1] & UNSTAMPED == 0,
        thinned: is_thinned(value),
        told: value[1] & TOLD != 0,
        created: Moment { boot_ms: word(&value[12..20]) },
        boot: word(&value[20..28]),
    };
    Ok((header, &value[HEADER..]))
}

/// Whether a stored value says that it is thinned; it says the same when it comes and when it goes.
pub(super) fn is_thinned(value: &[u8]) -> bool {
    value.get(1).is_some_and(|flags| flags & THINNED != 0)
}

fn word(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("the caller cut eight bytes"))
}

fn check_sum(key: &[u8], value: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(&value[..8]);
    hasher.update(&value[12..]);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            readings: 7,
            changes: 3,
            stamped: false,
            thinned: true,
            told: false,
            created: Moment { boot_ms: 99 },
            boot: 5,
        }
    }

    #[test]
    fn a_block_is_read_back_as_it_was_composed() {
        let key = key(Lane::Telemetry, Seq(42));
        let value = compose(&key, header(), b"{}");
        assert_eq!(parse(&key, &value), Ok((header(), &b"{}"[..])));
        assert_eq!(parse_key(&key), Some((Lane::Telemetry, Seq(42))));
    }

    #[test]
    fn any_flipped_bit_and_a_foreign_position_are_noticed() {
        let at = key(Lane::Urgent, Seq(1));
        let value = compose(&at, header(), b"{\"v\":1}");
        assert!(parse(&key(Lane::Urgent, Seq(2)), &value).is_err());
        for bit in 0..value.len() * 8 {
            // Everything is under the check sum.
            let mut flipped = value.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(parse(&at, &flipped).is_err(), "bit {bit}");
        }
        for length in 0..value.len() {
            assert!(parse(&at, &value[..length]).is_err(), "cut at {length}");
        }
    }
}
