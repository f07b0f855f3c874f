//! Explanations of any protocol.

use crate::allocation::within;
use crate::protocol::explain::{ExplainFault, Explained, Fault, Protocol, document, explain};

/// Every byte may be a part with texts in two languages, and a list grows by doubling.
const SINGLE_PER_BYTE: usize = 512;
const TOTAL_PER_BYTE: usize = 2048;
const FIXED: usize = 64 * 1024;

pub(super) fn judge(input: &[u8]) {
    let single = FIXED + SINGLE_PER_BYTE * input.len();
    let total = FIXED + TOTAL_PER_BYTE * input.len();
    for protocol in std::iter::once(None).chain(Protocol::ALL.map(Some)) {
        within("explain", single, total, || one(protocol, input));
    }
}

fn one(protocol: Option<Protocol>, input: &[u8]) {
    let (used, frames, fault) = match explain(protocol, input) {
        Ok(frames) => (frames.first().map(|frame| frame.protocol), frames, None),
        Err(ExplainFault { protocol, fault, frames }) => (protocol, frames, Some(fault)),
    };
    let end = follow(&frames, input.len(), fault.is_some());
    if let Some(fault) = &fault {
        assert!(!fault.to_string().is_empty() && !fault.zh().is_empty());
    }
    assert!(fault.is_some() || end == input.len(), "bytes are left and no fault is told");
    assert!(fault.is_none() || !matches!(fault, Some(Fault::Empty)) || input.is_empty());
    assert!(document(used, &frames, fault.as_ref()).is_object());
}

/// Frames follow each other, and so do their parts; bytes between two frames are told as a fault.
/// Returns where they end.
fn follow(frames: &[Explained], length: usize, fault: bool) -> usize {
    let mut at = 0;
    for frame in frames {
        assert!(frame.range.start >= at, "frames follow each other");
        assert!(frame.range.start == at || fault, "bytes between frames and no fault is told");
        at = frame.range.start;
        assert!(!frame.range.is_empty() && frame.range.end <= length);
        for part in &frame.parts {
            assert_eq!(part.range.start, at, "{part:?} of {:?}", frame.range);
            assert!(!part.en.is_empty() && !part.zh.is_empty());
            at = part.range.end;
        }
        assert_eq!(at, frame.range.end, "parts name every byte");
    }
    at
}
