//! The frame recorder: the last minutes of every bus in memory, kept when a fault starts.
//!
//! ```text
//! ring      the newest 64 KiB of frames of a bus; the newest push out the oldest
//! shelf     up to 4 copies of the ring, each with the ten seconds after its fault
//! text      one line a frame: time, direction, line settings, bytes, meaning
//! pcapng    for Wireshark: serial frames as RTAC serial, Modbus TCP as TCP/IP
//! load      reads both formats back, to replay a line
//! ```
//!
//! A frame here is what went one way between two turns: the answer with the noise and the echo
//! around it. Nothing is decoded before somebody looks.

mod load;
mod packet;
mod pcapng;
mod ring;
mod shelf;
#[cfg(test)]
mod tests;
mod text;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use super::LineSettings;
use crate::model::{BusId, Moment, WallTime, Words};
use ring::Ring;
use shelf::Shelf;

pub use load::{LoadFault, load};

/// Memory of the ring of one bus, bytes.
pub const RING_BYTES: usize = 64 * 1024;

/// Which way a frame went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the gateway to the line.
    Sent,
    /// From the line.
    Received,
}

/// A frame that was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// When its first byte went over the line. In a loaded recording: since its first frame.
    pub at: Moment,
    /// Which way it went.
    pub way: Way,
    /// How the line was set; `None` where it is not known.
    pub line: Option<LineSettings>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What was recorded around the beginning of a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// When the fault began.
    pub at: Moment,
    /// Which fault, and which others began while this was recorded.
    pub why: Words,
    /// The frames before it and in the ten seconds after it, in the order of time.
    pub frames: Vec<Captured>,
}

/// Frames on their way to a file or out of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// The bus that they come from; empty when a file does not say it.
    pub bus: String,
    /// Whether they are frames of Modbus TCP.
    pub mbap: bool,
    /// In the order of time.
    pub frames: Vec<Captured>,
}

/// The language of the meanings in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tongue {
    /// English.
    English,
    /// Chinese.
    Chinese,
}

impl Recording {
    /// As text, a line a frame, with what each means. `wall` gives the wall time of a moment where
    /// it is trusted.
    pub fn text(&self, wall: impl Fn(Moment) -> Option<WallTime>, tongue: Tongue) -> String {
        text::write(self, wall, tongue)
    }

    /// As a pcapng file. Times are wall times where `wall` knows them for the first frame, else
    /// times since boot.
    pub fn pcapng(&self, wall: impl Fn(Moment) -> Option<WallTime>) -> Vec<u8> {
        pcapng::write(self, wall)
    }
}

/// Handle on the recorder of one bus; clones share it.
#[derive(Clone)]
pub struct FrameLog(Arc<Shared>);

struct Shared {
    bus: BusId,
    mbap: bool,
    /// Locked for a copy of one frame, and for the copy of the ring when somebody looks.
    tape: Mutex<Tape>,
}

struct Tape {
    ring: Ring,
    shelf: Shelf,
}

impl fmt::Debug for FrameLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FrameLog").field(&self.0.bus).finish()
    }
}

impl FrameLog {
    /// An empty recorder; `mbap` when its frames are those of Modbus TCP. It takes memory with the
    /// first frames.
    pub fn new(bus: BusId, mbap: bool) -> Self {
        let tape = Tape { ring: Ring::new(RING_BYTES), shelf: Shelf::default() };
        Self(Arc::new(Shared { bus, mbap, tape: Mutex::new(tape) }))
    }

    /// The bus that it records.
    pub fn bus(&self) -> &BusId {
        &self.0.bus
    }

    /// Bytes went over the line; `at` is when the first of them did. Of a frame longer than
    /// 4 KiB the head is kept.
    pub fn push(&self, at: Moment, way: Way, line: Option<LineSettings>, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let mut tape = self.tape();
        tape.ring.push(at, way, line, bytes);
        tape.shelf.push(at, way, line, bytes);
    }

    /// A fault started: what is recorded now, and the next ten seconds, are kept. The same reason
    /// is kept once in five minutes, and a recording is held at least as long: of a cascade of
    /// faults the first tells most.
    pub fn keep(&self, at: Moment, why: &Words) {
        let mut guard = self.tape();
        let Tape { ring, shelf } = &mut *guard;
        shelf.keep(at, why, ring);
    }

    /// What was recorded at `since` and later, in the order of time.
    pub fn recent(&self, since: Moment) -> Vec<Captured> {
        in_order(self.tape().ring.frames().filter(|frame| frame.at >= since).collect())
    }

    /// What was kept, the oldest first. A recording of the last ten seconds still grows.
    pub fn kept(&self) -> Vec<Kept> {
        let mut kept = self.tape().shelf.kept();
        for one in &mut kept {
            one.frames = in_order(std::mem::take(&mut one.frames));
        }
        kept
    }

    /// Frames of this bus as a recording.
    pub fn recording(&self, frames: Vec<Captured>) -> Recording {
        Recording { bus: self.0.bus.to_string(), mbap: self.0.mbap, frames }
    }

    fn tape(&self) -> MutexGuard<'_, Tape> {
        match self.0.tape.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

/// What came unasked is recorded when the line is next looked at, after younger frames.
fn in_order(mut frames: Vec<Captured>) -> Vec<Captured> {
    frames.sort_by_key(|frame| frame.at);
    frames
}
