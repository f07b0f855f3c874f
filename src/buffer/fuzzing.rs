//! The stored form of a block, for `tests/fuzz`, which sees the crate from outside.

use crate::model::{BootId, Moment, Seq};

use super::block::{self, Header, Lane};
use super::contents::Contents;
use super::sealer;

/// Most bytes of an unpacked payload.
pub const MAX_DOCUMENT: usize = sealer::MAX_DOCUMENT;

/// Key and value of a block with this payload, which must fit.
pub fn compose(lane: Lane, seq: u64, readings: u16, payload: &[u8]) -> ([u8; 10], Vec<u8>) {
    let key = block::key(lane, Seq(seq));
    let (changes, created) = (0, Moment { boot_ms: seq });
    let (stamped, thinned, told) = (true, false, false);
    let header = Header { readings, changes, stamped, thinned, told, created, boot: 7 };
    (key, block::compose(&key, header, payload))
}

/// The payload of a stored value, and the value composed again; `None` when it is damaged.
pub fn parse(key: &[u8], value: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (lane, seq) = block::parse_key(key)?;
    let (header, payload) = block::parse(key, value).ok()?;
    Some((payload.to_vec(), block::compose(&block::key(lane, seq), header, payload)))
}

/// A payload, plain or zstd, as the document that it holds.
///
/// # Errors
/// The zstd frame is damaged, or larger than [`MAX_DOCUMENT`] unpacked.
pub fn unpack(payload: &[u8]) -> std::io::Result<Vec<u8>> {
    sealer::unpack(payload)
}

/// How many records the queue counts in a stored block; `None` when it is damaged.
pub fn count(key: &[u8], value: &[u8]) -> Option<u32> {
    Contents::read(key, value, &BootId("fuzz".into())).map(|contents| contents.count)
}
