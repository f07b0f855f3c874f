//! What the frames of DL/T 645 and CJ/T 188 have in common: preamble, 68H, length, sum, 16H.

use super::Fault;

const WAKE: u8 = 0xFE;
const START: u8 = 0x68;
const END: u8 = 0x16;

/// A frame whose bytes are all there.
pub(super) struct Shape {
    /// Number of preamble bytes.
    pub preamble: u8,
    /// Where 68H stands.
    pub start: usize,
    /// Behind 16H.
    pub end: usize,
    /// The sum on the wire.
    pub sum: u8,
    /// The sum that the bytes give.
    pub expected: u8,
}

impl Shape {
    /// The fault of the sum, if it has one.
    pub(super) fn fault(&self) -> Option<Fault> {
        (self.sum != self.expected).then(|| Fault::Checksum {
            offset: self.end - 2,
            got: format!("{:02X}", self.sum),
            expected: format!("{:02X}", self.expected),
        })
    }

    /// The frame's bytes, from its preamble on, with the right sum.
    pub(super) fn mended(&self, bytes: &[u8]) -> Vec<u8> {
        let mut frame = bytes[self.start - usize::from(self.preamble)..self.end].to_vec();
        let sum = frame.len() - 2;
        frame[sum] = self.expected;
        frame
    }
}

/// Finds the frame that begins at `at`. Its length stands `length_at` bytes behind 68H; a second
/// 68H stands at `second`, if the protocol has one.
///
/// # Errors
/// No frame begins there, it is cut, or both its ends are wrong.
pub(super) fn shape(
    bytes: &[u8],
    at: usize,
    length_at: usize,
    second: Option<usize>,
) -> Result<Shape, Fault> {
    let preamble = bytes[at..].iter().take(255).take_while(|&&byte| byte == WAKE).count();
    let start = at + preamble;
    let rest = &bytes[start..];
    let short =
        |need: usize| Fault::Short { offset: at, have: bytes.len() - at, need: preamble + need };
    match rest.first() {
        None => return Err(short(length_at + 3)),
        Some(&START) => {}
        Some(&byte) => return Err(Fault::NoFrame { offset: start, byte, expected: "68H" }),
    }
    if let Some(second) = second
        && let Some(&got) = rest.get(second)
        && got != START
    {
        return Err(Fault::Fixed { offset: start + second, got, expected: START });
    }
    let length = *rest.get(length_at).ok_or(short(length_at + 3))?;
    let end = length_at + 1 + usize::from(length);
    let tail = rest.get(end..end + 2).ok_or(short(end + 2))?;
    let expected = rest[..end].iter().fold(0u8, |sum, &byte| sum.wrapping_add(byte));
    if tail[1] != END {
        return Err(Fault::Fixed { offset: start + end + 1, got: tail[1], expected: END });
    }
    Ok(Shape {
        preamble: u8::try_from(preamble).expect("at most 255 were counted"),
        start,
        end: start + end + 2,
        sum: tail[0],
        expected,
    })
}
