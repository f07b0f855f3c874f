//! DL/T 645.

use super::{cuts, overlap};
use crate::allocation::within;
use crate::protocol::Found;
use crate::protocol::dlt645::{
    self, Address, Collect, DataId, Edition, FRAME_MAX, Frame, Next, Relay, VALUE_MAX, find,
    find_damaged,
};

/// A frame's data and nothing else is allocated.
const FIND_BYTES: usize = dlt645::DATA_MAX;
/// The document of the longest frame: up to 64 values with names in both languages.
const DOCUMENT_SINGLE: usize = 32 * 1024;
const DOCUMENT_TOTAL: usize = 256 * 1024;

pub(super) fn judge(input: &[u8]) {
    let mut rest = input;
    let mut collect = None;
    loop {
        match within("find", FIND_BYTES, FIND_BYTES, || find(rest)) {
            Found::Frame { range, frame } => {
                found(rest, &range, &frame);
                said(&frame, &mut collect);
                rest = &rest[range.end..];
            }
            Found::More { from, .. } => {
                assert!(from <= rest.len());
                assert!(rest.len() - from < FRAME_MAX, "more than a frame is kept");
                break;
            }
        }
    }
    if let Some(damaged) = within("find_damaged", FIND_BYTES, FIND_BYTES, || find_damaged(input)) {
        assert!(damaged.range.end <= input.len() && damaged.range.len() <= FRAME_MAX);
        assert!(damaged.checksum != damaged.frame.checksum() || damaged.end != 0x16);
        document(&damaged.frame);
    }
    any_frame(input);
    behind_noise(input);
}

fn found(bytes: &[u8], range: &std::ops::Range<usize>, frame: &Frame) {
    assert!(range.len() <= FRAME_MAX);
    assert_eq!(frame.to_bytes(), bytes[range.clone()], "decoded and encoded again");
    // Less of the same bytes must not throw the frame's beginning away.
    for end in cuts(range.end) {
        match find(&bytes[..end]) {
            Found::More { from, .. } => assert!(from <= range.start, "{from} of {end} {range:?}"),
            // One that ends earlier, inside: only when check sums fit twice.
            Found::Frame { range: inner, .. } => assert!(inner.end <= end),
        }
    }
    document(frame);
}

fn document(frame: &Frame) {
    for edition in [Edition::V2007, Edition::V1997] {
        within("describe", DOCUMENT_SINGLE, DOCUMENT_TOTAL, || {
            assert!(dlt645::describe(frame, edition).is_object());
        });
        let Some(id) = DataId::from_wire(edition, &frame.data) else { continue };
        let Some(item) = dlt645::item(edition, id) else { continue };
        let Ok(values) = dlt645::values(&item, &frame.data[edition.id_bytes()..]) else { continue };
        for (place, value) in values.iter().enumerate() {
            assert!(!item.field_name(place).0.is_empty());
            assert!(value.as_ref().and_then(|v| v.number()).is_none_or(f64::is_finite));
        }
        // What can be written is read back; texts with strange letters cannot be written.
        if let Ok(data) = dlt645::encode(&item, &values) {
            assert_eq!(dlt645::values(&item, &data).as_ref(), Ok(&values));
        }
    }
}

/// As an answer to what could have been asked, and as a part of a long value.
fn said(frame: &Frame, collect: &mut Option<(Frame, Collect)>) {
    let edition = Edition::of(frame);
    let id = DataId::from_wire(edition, &frame.data).unwrap_or(DataId(0));
    let _relay = Relay::from_request(frame);
    let asked = dlt645::read(edition, frame.address, id);
    let address_asked = dlt645::read_address_of(frame.address);
    for request in [&asked, &address_asked] {
        if let Err(fault) = dlt645::reply(edition, request, frame) {
            assert!(!fault.to_string().is_empty() && !fault.zh().is_empty());
        }
    }
    let (request, parts) =
        collect.get_or_insert_with(|| (asked.clone(), Collect::new(edition, frame.address, id)));
    let Ok(reply) = dlt645::reply(edition, request, frame) else { return };
    match within("collect", 2 * VALUE_MAX, 3 * VALUE_MAX, || parts.push(reply)) {
        Next::Ask(next) => *request = next,
        Next::Done(value) => {
            assert!(value.len() <= VALUE_MAX);
            *collect = None;
        }
        Next::Abort(why) => {
            assert!(!why.to_string().is_empty() && !why.zh().is_empty());
            *collect = None;
        }
    }
}

/// Whatever a frame carries is found again.
fn any_frame(input: &[u8]) {
    let Some((head, data)) = input.split_first_chunk::<8>() else { return };
    let [preamble, control, wire @ ..] = *head;
    let data = data[..data.len().min(dlt645::DATA_MAX)].to_vec();
    let frame = Frame { preamble: preamble % 5, address: Address::from_wire(wire), control, data };
    let bytes = frame.to_bytes();
    let range = 0..bytes.len();
    assert_eq!(find(&bytes), Found::Frame { range, frame: frame.clone() });
    document(&frame);
}

/// A frame behind the input as noise is found, unless a frame with a right check sum that begins in
/// the noise lies across it; then the next one is.
fn behind_noise(noise: &[u8]) {
    let address = Address::from_wire([0x12, 0x90, 0x78, 0x56, 0x34, 0x12]);
    let request = dlt645::read(Edition::V2007, address, DataId(0x0201_0100));
    let answer = dlt645::answer_data(&request, DataId(0x0201_0100), &[0x35, 0x22], false, None);
    for frame in [request, answer] {
        let wanted = frame.to_bytes();
        let mut bytes = noise.to_vec();
        let begin = bytes.len()..bytes.len() + wanted.len();
        while bytes.len() < noise.len() + FRAME_MAX + wanted.len() {
            bytes.extend(&wanted);
        }
        let same = |got: &Frame| Frame { preamble: frame.preamble, ..got.clone() } == frame;
        let (mut at, mut seen, mut across) = (0, 0, false);
        while let Found::Frame { range, frame: got } = find(&bytes[at..]) {
            let range = at + range.start..at + range.end;
            if same(&got) && range.end > noise.len() {
                assert!(seen > 0 || across || range.end == begin.end, "{range:?} {begin:?}");
                seen += 1;
            } else {
                across |= overlap(&range, &begin);
            }
            at = range.end;
        }
        assert!(seen > 0, "noise hides the frame for longer than a frame lasts");
    }
}
