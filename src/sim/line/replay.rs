//! A recorded line again: each request that was recorded is answered with the recorded bytes,
//! after the recorded time.

use std::collections::HashMap;
use std::time::Duration;

use crate::driver::LineSettings;
use crate::driver::record::{Recording, Way};
use crate::model::Moment;
use crate::protocol::{Found, cjt188};

/// Bytes that came back, and how long after the end of the request.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub after: Duration,
    pub line: LineSettings,
    pub bytes: Vec<u8>,
}

/// What was answered to one request, each time that it was recorded.
#[derive(Debug, Default)]
struct Answers {
    line: Option<LineSettings>,
    times: Vec<Vec<Part>>,
    next: usize,
}

/// A request, when it was sent and how long that took, and what came.
type Exchange = (Vec<u8>, (Moment, Duration), Vec<Part>);

/// A recording as a book of requests.
#[derive(Debug)]
pub(super) struct Replay {
    book: HashMap<Vec<u8>, Answers>,
    mbap: bool,
    assumed: LineSettings,
}

/// Sequence number in a frame of CJ/T 188, behind the identifier.
const SER: usize = 2;
/// Bytes of the transaction number of Modbus TCP.
const TRANSACTION: usize = 2;

impl Replay {
    /// Bytes that came before the first request were asked for by nobody, and are left out.
    pub fn new(recording: &Recording, assumed: LineSettings) -> Self {
        let mut book: HashMap<Vec<u8>, Answers> = HashMap::new();
        let mut open: Option<Exchange> = None;
        let mut replay = Self { book: HashMap::new(), mbap: recording.mbap, assumed };
        let mut close = |open: Option<Exchange>, line| {
            let Some((key, _, parts)) = open else { return };
            let answers = book.entry(key).or_default();
            answers.line = answers.line.or(line);
            answers.times.push(parts);
        };
        let mut asked = None;
        for frame in &recording.frames {
            let line = frame.line.unwrap_or_else(|| replay.pace());
            match (frame.way, &mut open) {
                (Way::Sent, _) => {
                    close(open.take(), asked);
                    asked = frame.line;
                    let span = line.time_of(frame.bytes.len());
                    open = Some((replay.key(&frame.bytes).0, (frame.at, span), Vec::new()));
                }
                (Way::Received, Some((_, (at, span), parts))) => {
                    let after = frame.at.since(*at).saturating_sub(*span);
                    parts.push(Part { after, line, bytes: frame.bytes.clone() });
                }
                (Way::Received, None) => {}
            }
        }
        close(open.take(), asked);
        replay.book = book;
        replay
    }

    /// The line of a recorded request; the assumed one when it does not say.
    pub fn line_of(&self, request: &[u8]) -> LineSettings {
        let found = self.book.get(&self.key(request).0).and_then(|answers| answers.line);
        found.unwrap_or_else(|| self.pace())
    }

    /// What is answered to a request; `None` when it was not recorded. The same request again gets
    /// the next answer that was recorded, and after the last one the first.
    pub fn answer(&mut self, request: &[u8]) -> Option<Vec<Part>> {
        let (key, ser) = self.key(request);
        let answers = self.book.get_mut(&key)?;
        let mut parts = answers.times.get(answers.next)?.clone();
        answers.next = (answers.next + 1) % answers.times.len();
        for part in &mut parts {
            if self.mbap
                && let (Some(place), Some(given)) =
                    (part.bytes.get_mut(..TRANSACTION), request.get(..TRANSACTION))
            {
                place.copy_from_slice(given);
            }
            if let Some(ser) = ser {
                follow(&mut part.bytes, ser);
            }
        }
        Some(parts)
    }

    /// What tells a request from others: not the numbers that only count requests. The number of a
    /// CJ/T 188 frame comes beside.
    fn key(&self, request: &[u8]) -> (Vec<u8>, Option<u8>) {
        if self.mbap {
            return (request.get(TRANSACTION..).unwrap_or(request).to_vec(), None);
        }
        if let Found::Frame { range, mut frame } = cjt188::find(request)
            && range.end == request.len()
            && let Some(&given) = frame.data.get(SER)
        {
            frame.data[SER] = 0;
            frame.preamble = 0;
            return (frame.to_bytes(), Some(given));
        }
        (request.to_vec(), None)
    }

    /// The pace where none is recorded: a network does not dawdle.
    fn pace(&self) -> LineSettings {
        if self.mbap { LineSettings { baud: 10_000_000, ..self.assumed } } else { self.assumed }
    }
}

/// Lets an answer of CJ/T 188 bear the number of the request; one that is none stays as it is.
fn follow(bytes: &mut Vec<u8>, ser: u8) {
    let Found::Frame { range, mut frame } = cjt188::find(bytes) else { return };
    let place = if frame.is_refusal() { 0 } else { SER };
    if let Some(place) = frame.data.get_mut(place) {
        *place = ser;
        let behind = bytes.split_off(range.end);
        bytes.truncate(range.start);
        bytes.extend(frame.to_bytes());
        bytes.extend(behind);
    }
}
