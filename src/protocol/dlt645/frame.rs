//! Frames: their bytes, and where one stands in what a line brought.
//!
//! ```text
//! FE × 0..4   68 A0..A5 68 C L DATA×L CS 16
//!             CS sums all from the first 68 to the last of DATA; each byte of DATA is sent + 33H
//! ```

use std::ops::Range;

use super::super::Found;
use super::address::Address;

/// Wake-up bytes before a frame.
const WAKE: u8 = 0xFE;
/// First byte of a frame, and the byte after the address.
const START: u8 = 0x68;
/// Last byte of a frame.
const END: u8 = 0x16;
/// Is added to each byte of data on the line.
const OFFSET: u8 = 0x33;
/// Bytes from the first start byte to the length.
const HEADER: usize = 10;
/// Bytes of a frame that are no data, without the preamble.
const AROUND: usize = HEADER + 2;

/// Longest data field that the length byte can tell. The standard allows 200 in a reply; what a
/// meter sends beyond is taken all the same.
pub const DATA_MAX: usize = 255;
/// Wake-up bytes that count as part of a frame; more are skipped like noise.
pub const PREAMBLE_MAX: usize = 4;
/// Longest frame with its preamble, bytes.
pub const FRAME_MAX: usize = PREAMBLE_MAX + AROUND + DATA_MAX;

/// One frame, data in plain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Number of wake-up bytes before it.
    pub preamble: u8,
    /// Whom it is for, or who sent it.
    pub address: Address,
    /// Control code: direction, refusal, more follows, function.
    pub control: u8,
    /// Data, the 33H of the line taken off. At most [`DATA_MAX`] bytes.
    pub data: Vec<u8>,
}

impl Frame {
    /// As it goes over the line. Of data longer than [`DATA_MAX`] only that much is sent; no frame
    /// that this module makes is so long unless its caller gave it that much.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(usize::from(self.preamble) + AROUND + self.data.len());
        bytes.resize(usize::from(self.preamble), WAKE);
        self.write_summed(&mut bytes);
        bytes.push(self.checksum());
        bytes.push(END);
        bytes
    }

    /// The check sum that belongs to it.
    pub fn checksum(&self) -> u8 {
        let head = self.address.wire().iter().fold(0_u8, |sum, &byte| sum.wrapping_add(byte));
        let (data, length) = self.sent();
        data.iter()
            .fold(head, |sum, &byte| sum.wrapping_add(byte).wrapping_add(OFFSET))
            .wrapping_add(START)
            .wrapping_add(START)
            .wrapping_add(self.control)
            .wrapping_add(length)
    }

    /// From a meter (else from the master).
    pub fn is_reply(&self) -> bool {
        self.control & 0x80 != 0
    }

    /// A meter refuses.
    pub fn is_refusal(&self) -> bool {
        self.control & 0xC0 == 0xC0
    }

    /// The value goes on in a frame that must be asked for.
    pub fn more_follows(&self) -> bool {
        self.control & 0x20 != 0
    }

    /// What is asked for or answered: the control code without its flags.
    pub fn function(&self) -> u8 {
        self.control & 0x1F
    }

    fn sent(&self) -> (&[u8], u8) {
        let data = &self.data[..self.data.len().min(DATA_MAX)];
        (data, u8::try_from(data.len()).expect("cut to 255"))
    }

    fn write_summed(&self, bytes: &mut Vec<u8>) {
        let (data, length) = self.sent();
        bytes.push(START);
        bytes.extend(self.address.wire());
        bytes.extend([START, self.control, length]);
        bytes.extend(data.iter().map(|byte| byte.wrapping_add(OFFSET)));
    }
}

/// What stands at a place of the bytes.
enum Shape {
    /// No frame begins here.
    None,
    /// A frame may begin here; too few bytes to know.
    Pending,
    /// A frame by its start bytes and length, up to (not including) this place.
    Whole(usize),
}

fn shape(bytes: &[u8], at: usize) -> Shape {
    let rest = &bytes[at..];
    if rest[0] != START {
        return Shape::None;
    }
    match (rest.get(7), rest.get(9)) {
        (Some(&second), _) if second != START => Shape::None,
        (Some(_), Some(&length)) => {
            let long = AROUND + usize::from(length);
            if rest.len() < long { Shape::Pending } else { Shape::Whole(at + long) }
        }
        _ => Shape::Pending,
    }
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, &byte| sum.wrapping_add(byte))
}

/// Where the frame whose start byte stands `at` begins with its preamble.
fn woken(bytes: &[u8], at: usize) -> usize {
    let wake = bytes[..at].iter().rev().take(PREAMBLE_MAX).take_while(|&&byte| byte == WAKE);
    at - wake.count()
}

/// The frame in `whole`, which begins with a start byte and has the length that it tells.
fn parse(whole: &[u8], preamble: usize) -> Frame {
    let mut address = [0; 6];
    address.copy_from_slice(&whole[1..7]);
    Frame {
        preamble: u8::try_from(preamble).expect("at most PREAMBLE_MAX"),
        address: Address::from_wire(address),
        control: whole[8],
        data: whole[HEADER..whole.len() - 2].iter().map(|b| b.wrapping_sub(OFFSET)).collect(),
    }
}

/// The first whole frame with a right check sum. Its end is told by its length, never searched for.
/// Anything may stand before it, start bytes included: a place that only looks like the beginning
/// of a frame does not hide the frame behind it.
pub fn find(bytes: &[u8]) -> Found<Frame> {
    let mut pending = None;
    let mut damaged = false;
    for at in 0..bytes.len() {
        match shape(bytes, at) {
            Shape::None => {}
            Shape::Pending => pending = pending.or(Some(at)),
            Shape::Whole(end) => {
                let whole = &bytes[at..end];
                if sum(&whole[..whole.len() - 2]) == whole[whole.len() - 2]
                    && whole[whole.len() - 1] == END
                {
                    let start = woken(bytes, at);
                    let frame = parse(whole, at - start);
                    return Found::Frame { range: start..end, frame };
                }
                damaged = true;
            }
        }
    }
    Found::More { from: woken(bytes, pending.unwrap_or(bytes.len())), damaged }
}

/// Something with the start bytes and the length of a frame, but a wrong check sum or end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// Where it stands, with its preamble.
    pub range: Range<usize>,
    /// What it would say. Not to be trusted: for people who look for the fault of a line.
    pub frame: Frame,
    /// The check sum that was sent; the right one is [`Frame::checksum`].
    pub checksum: u8,
    /// The last byte, 16H when right.
    pub end: u8,
}

/// The first damaged frame in the bytes, for showing what is wrong with it.
pub fn find_damaged(bytes: &[u8]) -> Option<Damaged> {
    (0..bytes.len()).find_map(|at| {
        let Shape::Whole(end) = shape(bytes, at) else {
            return None;
        };
        let whole = &bytes[at..end];
        let (checksum, last) = (whole[whole.len() - 2], whole[whole.len() - 1]);
        if sum(&whole[..whole.len() - 2]) == checksum && last == END {
            return None;
        }
        let start = woken(bytes, at);
        let frame = parse(whole, at - start);
        Some(Damaged { range: start..end, frame, checksum, end: last })
    })
}
