//! Frames: bytes of a line to frames and back.

use super::{Address, MeterType};
use crate::protocol::Found;

/// The byte that wakes the receiver up before a frame.
pub const PREAMBLE: u8 = 0xFE;
const START: u8 = 0x68;
const END: u8 = 0x16;
/// From the start byte to L.
const HEAD: usize = 11;
/// Longest frame, without its preamble.
pub const FRAME_MAX: usize = HEAD + 255 + 2;

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// How many preamble bytes stand (or stood) before it.
    pub preamble: u8,
    /// What the meter measures.
    pub meter_type: MeterType,
    /// Who is asked or answers.
    pub address: Address,
    /// Control code C.
    pub control: u8,
    /// Identifier, sequence and data: at most 255 bytes.
    pub data: Vec<u8>,
}

impl Frame {
    /// The bytes of the wire, preamble first. Data beyond 255 bytes are cut.
    pub fn to_bytes(&self) -> Vec<u8> {
        let length = u8::try_from(self.data.len()).unwrap_or(u8::MAX);
        let data = &self.data[..usize::from(length)];
        let mut bytes = vec![PREAMBLE; usize::from(self.preamble)];
        bytes.extend([START, self.meter_type.0]);
        bytes.extend(self.address.0);
        bytes.extend([self.control, length]);
        bytes.extend(data);
        bytes.push(checksum(&bytes[usize::from(self.preamble)..]));
        bytes.push(END);
        bytes
    }

    /// Whether a meter sent it.
    pub fn is_reply(&self) -> bool {
        self.control & 0x80 != 0
    }

    /// Whether the meter refuses.
    pub fn is_refusal(&self) -> bool {
        self.control & 0xC0 == 0xC0
    }

    /// What is asked for, without the bits of direction and refusal: 01H read, 03H read address,
    /// 04H write, 09H key version, 15H write address, 16H set the counter.
    pub fn function(&self) -> u8 {
        self.control & 0x3F
    }
}

/// Sum of the bytes, modulo 256.
pub fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, &byte| sum.wrapping_add(byte))
}

/// What stands at a start byte.
enum Candidate {
    Whole(usize),
    Short,
    Damaged,
    No,
}

fn candidate(bytes: &[u8]) -> Candidate {
    let Some(&length) = bytes.get(HEAD - 1) else {
        return Candidate::Short;
    };
    let end = HEAD + usize::from(length);
    match bytes.get(end..end + 2) {
        None => Candidate::Short,
        Some(tail) => match (tail[0] == checksum(&bytes[..end]), tail[1] == END) {
            (true, true) => Candidate::Whole(end + 2),
            (false, false) if !likely(bytes) => Candidate::No,
            _ => Candidate::Damaged,
        },
    }
}

/// Whether the bytes at a start byte look like a head: a type and a control code that exist.
fn likely(bytes: &[u8]) -> bool {
    let known_type = matches!(bytes.get(1), Some(0x10..=0x4F | 0x00 | 0xAA));
    let known_control = bytes.get(9).is_some_and(|control| {
        matches!(control & 0x3F, 0x01 | 0x03 | 0x04 | 0x09 | 0x15 | 0x16) && control & 0xC0 != 0x40
    });
    known_type && known_control
}

/// Length of the whole DL/T 645 frame that begins here: meters of both kinds share lines, and both
/// frames begin alike.
fn dlt645(bytes: &[u8]) -> Option<usize> {
    if bytes.get(7) != Some(&START) {
        return None;
    }
    let end = 10 + usize::from(*bytes.get(9)?);
    let tail = bytes.get(end..end + 2)?;
    (tail[0] == checksum(&bytes[..end]) && tail[1] == END).then_some(end + 2)
}

/// Looks for the first whole frame. A start byte in noise whose "length" reaches beyond the bytes
/// at hand does not hide a whole frame behind it when that one's type and control code exist.
pub fn find(bytes: &[u8]) -> Found<Frame> {
    let mut pending = None;
    let mut damaged = false;
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != START {
            at += 1;
            continue;
        }
        let here = &bytes[at..];
        match candidate(here) {
            Candidate::Whole(length) if pending.is_none() || likely(here) => {
                let preamble = preamble(&bytes[..at]);
                let range = at - usize::from(preamble)..at + length;
                return Found::Frame { range, frame: parse(&here[..length], preamble) };
            }
            Candidate::Whole(_) => {}
            _ if dlt645(here).is_some() => {
                at += dlt645(here).unwrap_or(1);
                continue;
            }
            Candidate::Short => pending = pending.or(Some(at)),
            Candidate::Damaged => damaged = true,
            Candidate::No => {}
        }
        at += 1;
    }
    let from = pending.unwrap_or(bytes.len());
    Found::More { from: from - usize::from(preamble(&bytes[..from])), damaged }
}

/// How many preamble bytes end here, 255 at most.
fn preamble(before: &[u8]) -> u8 {
    let count = before.iter().rev().take(255).take_while(|&&byte| byte == PREAMBLE).count();
    u8::try_from(count).expect("at most 255 were counted")
}

/// Takes a whole frame apart; its length and ends were checked.
fn parse(bytes: &[u8], preamble: u8) -> Frame {
    let mut address = [0; 7];
    address.copy_from_slice(&bytes[2..9]);
    Frame {
        preamble,
        meter_type: MeterType(bytes[1]),
        address: Address(address),
        control: bytes[9],
        data: bytes[HEAD..bytes.len() - 2].to_vec(),
    }
}
