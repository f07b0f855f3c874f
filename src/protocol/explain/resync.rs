//! The next whole frame behind bytes that are none. Only for protocols whose frames have a start
//! and an end of their own: a check sum alone fits somewhere in any noise.

use super::{Protocol, guess};
use crate::protocol::{Found, cjt188, dlt645};

/// Before a frame; the meters' receivers wake up by it.
const PREAMBLE: u8 = 0xFE;

/// Where the next whole frame of the protocol begins, behind `at`.
pub(super) fn next(protocol: Protocol, bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at + 1..)?;
    let start = match protocol {
        Protocol::Dlt645V2007 | Protocol::Dlt645V1997 => dlt(rest),
        Protocol::Cjt188 => cjt(rest),
        Protocol::ModbusRtu | Protocol::ModbusTcp | Protocol::Mbus => None,
    }?;
    let mut start = at + 1 + start;
    while start > at + 1 && bytes[start - 1] == PREAMBLE {
        start -= 1;
    }
    Some(start)
}

/// The first whole meter frame, and its protocol.
pub(super) fn any(bytes: &[u8]) -> Option<(usize, Protocol)> {
    let starts = [Protocol::Dlt645V2007, Protocol::Cjt188].map(|one| next(one, bytes, 0));
    let start = starts.into_iter().flatten().min()?;
    Some((start, guess::guess(&bytes[start..])?))
}

fn dlt(bytes: &[u8]) -> Option<usize> {
    match dlt645::find(bytes) {
        Found::Frame { range, .. } => Some(range.start),
        Found::More { .. } => None,
    }
}

fn cjt(bytes: &[u8]) -> Option<usize> {
    match cjt188::find(bytes) {
        Found::Frame { range, .. } => Some(range.start),
        Found::More { .. } => None,
    }
}
