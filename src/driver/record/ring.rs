//! A ring of frames, bounded in bytes: entries one behind the other, the oldest are overwritten.
//!
//! ```text
//! length(2)  flags(1): 1 received, 2 line known, 4 even, 8 odd, 16 two stop bits
//! baud(4)  at(8, ms since boot)  bytes(length)          numbers in the byte order of the machine
//! ```

use super::{Captured, Way};
use crate::driver::{LineSettings, Parity};
use crate::model::Moment;

/// Bytes of an entry before those of its frame.
pub(super) const HEAD: usize = 15;
/// Most bytes kept of one frame.
pub(super) const FRAME_MAX: usize = 4096;

const RECEIVED: u8 = 1;
const KNOWN: u8 = 2;
const EVEN: u8 = 4;
const ODD: u8 = 8;
const TWO_STOPS: u8 = 16;

/// Frames in the order in which they were pushed.
#[derive(Debug, Clone)]
pub(super) struct Ring {
    /// Empty before the first frame, then `capacity` bytes for ever.
    bytes: Vec<u8>,
    capacity: usize,
    /// Where the oldest entry begins.
    head: usize,
    /// Bytes of all entries.
    used: usize,
}

impl Ring {
    /// An empty ring that will take `capacity` bytes, more than one whole frame.
    pub(super) fn new(capacity: usize) -> Self {
        debug_assert!(capacity > HEAD + FRAME_MAX, "a frame fits");
        Self { bytes: Vec::new(), capacity, head: 0, used: 0 }
    }

    /// Appends a frame; the oldest make room.
    pub(super) fn push(&mut self, at: Moment, way: Way, line: Option<LineSettings>, bytes: &[u8]) {
        let bytes = &bytes[..bytes.len().min(FRAME_MAX)];
        let need = HEAD + bytes.len();
        if self.bytes.is_empty() {
            self.bytes.resize(self.capacity, 0);
        }
        while self.capacity - self.used < need {
            self.drop_oldest();
        }
        self.append(&head(at, way, line, bytes.len()));
        self.append(bytes);
    }

    /// Whether a frame of this length fits without pushing out another.
    pub(super) fn has_room(&self, length: usize) -> bool {
        self.capacity - self.used >= HEAD + length.min(FRAME_MAX)
    }

    /// All frames, the oldest first.
    pub(super) fn frames(&self) -> impl Iterator<Item = Captured> {
        let mut offset = 0;
        std::iter::from_fn(move || {
            if offset == self.used {
                return None;
            }
            let head: [u8; HEAD] = self.read(offset);
            let length = length_of(&head);
            let mut bytes = vec![0; length];
            self.copy(offset + HEAD, &mut bytes);
            offset += HEAD + length;
            let (at, way, line) = tell(&head);
            Some(Captured { at, way, line, bytes })
        })
    }

    fn drop_oldest(&mut self) {
        let entry = HEAD + length_of(&self.read(0));
        self.head = (self.head + entry) % self.capacity;
        self.used -= entry;
    }

    fn append(&mut self, bytes: &[u8]) {
        let tail = (self.head + self.used) % self.capacity;
        let first = bytes.len().min(self.capacity - tail);
        self.bytes[tail..tail + first].copy_from_slice(&bytes[..first]);
        self.bytes[..bytes.len() - first].copy_from_slice(&bytes[first..]);
        self.used += bytes.len();
    }

    fn read<const N: usize>(&self, offset: usize) -> [u8; N] {
        let mut out = [0; N];
        self.copy(offset, &mut out);
        out
    }

    /// Copies bytes from `offset` behind the oldest entry's begin.
    fn copy(&self, offset: usize, out: &mut [u8]) {
        let from = (self.head + offset) % self.capacity;
        let first = out.len().min(self.capacity - from);
        let (left, right) = out.split_at_mut(first);
        left.copy_from_slice(&self.bytes[from..from + first]);
        right.copy_from_slice(&self.bytes[..right.len()]);
    }
}

fn head(at: Moment, way: Way, line: Option<LineSettings>, length: usize) -> [u8; HEAD] {
    let length = u16::try_from(length).expect("a frame is cut to FRAME_MAX");
    let mut flags = if way == Way::Received { RECEIVED } else { 0 };
    if let Some(line) = line {
        flags |= KNOWN;
        flags |= match line.parity {
            Parity::None => 0,
            Parity::Even => EVEN,
            Parity::Odd => ODD,
        };
        if line.stop_bits == 2 {
            flags |= TWO_STOPS;
        }
    }
    let mut head = [0; HEAD];
    head[..2].copy_from_slice(&length.to_ne_bytes());
    head[2] = flags;
    head[3..7].copy_from_slice(&line.map_or(0, |line| line.baud).to_ne_bytes());
    head[7..].copy_from_slice(&at.boot_ms.to_ne_bytes());
    head
}

fn length_of(head: &[u8; HEAD]) -> usize {
    usize::from(u16::from_ne_bytes([head[0], head[1]]))
}

fn tell(head: &[u8; HEAD]) -> (Moment, Way, Option<LineSettings>) {
    let [_, _, flags, b0, b1, b2, b3, t0, t1, t2, t3, t4, t5, t6, t7] = *head;
    let way = if flags & RECEIVED == 0 { Way::Sent } else { Way::Received };
    let parity = match flags & (EVEN | ODD) {
        0 => Parity::None,
        EVEN => Parity::Even,
        _ => Parity::Odd,
    };
    let line = (flags & KNOWN != 0).then(|| LineSettings {
        baud: u32::from_ne_bytes([b0, b1, b2, b3]),
        parity,
        stop_bits: if flags & TWO_STOPS == 0 { 1 } else { 2 },
    });
    (Moment { boot_ms: u64::from_ne_bytes([t0, t1, t2, t3, t4, t5, t6, t7]) }, way, line)
}
