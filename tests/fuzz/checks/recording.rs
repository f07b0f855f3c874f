//! Recordings of a line: text, pcapng, captures of Modbus TCP.

use linli::driver::record::{Recording, Tongue, load};
use linli::model::Moment;

use super::harmless;
use crate::allocation::within;

/// A line of a text may be a frame of one byte; it is kept with its time and line settings.
const A_BYTE: usize = 64;
const AT_LEAST: usize = 16 * 1024;

pub(super) fn judge(input: &[u8]) {
    let most = AT_LEAST + A_BYTE * input.len();
    let read = within("loading", most, most, || load(input));
    assert_eq!(read, load(input), "loaded twice");
    let recording = match read {
        Ok(recording) => recording,
        Err(fault) => return assert!(!fault.to_string().is_empty()),
    };
    assert!(!recording.frames.is_empty());
    let bytes: usize = recording.frames.iter().map(|frame| frame.bytes.len()).sum();
    assert!(bytes <= input.len(), "more bytes than the file has");
    for tongue in [Tongue::English, Tongue::Chinese] {
        let text = recording.text(|_| None, tongue);
        harmless(&text);
        same(&recording, &text.into_bytes(), "text");
    }
    // A packet has two bytes for its length.
    if recording.frames.iter().all(|frame| frame.bytes.len() < 60_000) {
        same(&recording, &recording.pcapng(|_| None), "pcapng");
    }
}

/// A file that was written holds the same frames.
fn same(recording: &Recording, file: &[u8], form: &str) {
    let again = load(file).unwrap_or_else(|fault| panic!("{form}: {fault}"));
    assert_eq!(again.mbap, recording.mbap, "{form}");
    let first = recording.frames.first().map_or(Moment::default(), |frame| frame.at);
    assert_eq!(again.frames.len(), recording.frames.len(), "{form}");
    for (one, other) in recording.frames.iter().zip(&again.frames) {
        assert_eq!((one.way, &one.bytes), (other.way, &other.bytes), "{form}");
        assert_eq!(one.line, other.line, "{form}");
        assert_eq!(one.at.boot_ms.saturating_sub(first.boot_ms), other.at.boot_ms, "{form}");
    }
}
