//! CJ/T 188.

use super::{cuts, overlap};
use crate::allocation::within;
use crate::protocol::Found;
use crate::protocol::cjt188::{
    self, Address, Current, DataId, DiOrder, FRAME_MAX, Frame, MeterType, Reply, ValveAct, find,
};
use crate::protocol::dlt645;

/// Longest preamble that counts as part of a frame.
const PREAMBLE_MAX: usize = 255;
/// A frame's data and nothing else is allocated.
const FIND_BYTES: usize = 255;
const DOCUMENT_SINGLE: usize = 8 * 1024;
const DOCUMENT_TOTAL: usize = 32 * 1024;

pub(super) fn judge(input: &[u8]) {
    let mut rest = input;
    loop {
        match within("find", FIND_BYTES, FIND_BYTES, || find(rest)) {
            Found::Frame { range, frame } => {
                found(rest, &range, &frame);
                rest = &rest[range.end..];
            }
            Found::More { from, .. } => {
                assert!(from <= rest.len());
                assert!(rest.len() - from < FRAME_MAX + PREAMBLE_MAX, "more than a frame is kept");
                break;
            }
        }
    }
    any_frame(input);
    behind_noise(input);
}

fn found(bytes: &[u8], range: &std::ops::Range<usize>, frame: &Frame) {
    assert!(range.len() <= FRAME_MAX + PREAMBLE_MAX);
    assert_eq!(frame.to_bytes(), bytes[range.clone()], "decoded and encoded again");
    for end in cuts(range.end) {
        match find(&bytes[..end]) {
            Found::More { from, .. } => assert!(from <= range.start, "{from} of {end} {range:?}"),
            Found::Frame { range: inner, .. } => assert!(inner.end <= end),
        }
    }
    document(frame);
}

fn document(frame: &Frame) {
    within("describe", DOCUMENT_SINGLE, DOCUMENT_TOTAL, || {
        assert!(cjt188::describe(frame).is_object());
    });
    if let Some(wire) = frame.data.first_chunk() {
        let (id, order) = DataId::from_wire(*wire);
        assert_eq!(id.to_wire(order), *wire);
    }
    let asked = [
        cjt188::read(frame.meter_type, frame.address, DataId::CURRENT, DiOrder::HighFirst, 0),
        cjt188::read_address(MeterType::ANY, Address::ANY, DiOrder::LowFirst, 1),
        cjt188::valve(frame.meter_type, frame.address, DiOrder::LowFirst, 0, ValveAct::Close),
    ];
    for request in &asked {
        match cjt188::reply(request, frame) {
            Ok(Reply::Data { body, .. }) => read(frame.meter_type, &body),
            Ok(_) => {}
            Err(fault) => assert!(!fault.to_string().is_empty()),
        }
    }
    // The layouts whatever the identifier says.
    read(frame.meter_type, frame.data.get(3..).unwrap_or_default());
}

fn read(meter_type: MeterType, body: &[u8]) {
    let finite = |number: Option<f64>| assert!(number.is_none_or(f64::is_finite));
    match cjt188::current(meter_type, body) {
        Ok(Current::Volume(reading)) => {
            finite(reading.current.in_base());
            finite(reading.settlement.in_base());
        }
        Ok(Current::Heat(reading)) => {
            for quantity in [reading.settlement, reading.current, reading.power, reading.volume] {
                finite(quantity.in_base());
            }
            finite(reading.flow_with(2).in_base());
            finite(reading.supply);
            finite(reading.return_);
        }
        Err(fault) => assert!(!fault.to_string().is_empty()),
    }
    if let Ok(quantity) = cjt188::value_with_unit(body) {
        finite(quantity.in_base());
    }
}

/// Whatever a frame carries is found again.
fn any_frame(input: &[u8]) {
    let Some((head, data)) = input.split_first_chunk::<10>() else { return };
    let [preamble, meter_type, control, address @ ..] = *head;
    let data = data[..data.len().min(255)].to_vec();
    let meter_type = MeterType(meter_type);
    let frame = Frame { preamble, meter_type, address: Address(address), control, data };
    let bytes = frame.to_bytes();
    let range = 0..bytes.len();
    assert_eq!(find(&bytes), Found::Frame { range, frame: frame.clone() });
    document(&frame);
}

/// A frame behind the input as noise is found, unless a frame with a right check sum (of DL/T 645
/// too: both share lines) that begins in the noise lies across it; then the next one is.
fn behind_noise(noise: &[u8]) {
    let address = Address([0x35, 0x17, 0x11, 0x17, 0x20, 0x00, 0x00]);
    let kind = MeterType::COLD_WATER;
    let request = cjt188::read(kind, address, DataId::CURRENT, DiOrder::LowFirst, 9);
    let body = [0, 0x78, 0x56, 0x34, 0x2C, 0, 0, 0, 0, 0x2C, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let answer = cjt188::answer_data(&request, DiOrder::LowFirst, &body);
    for frame in [request, answer] {
        let wanted = frame.to_bytes();
        let mut bytes = noise.to_vec();
        let begin = bytes.len()..bytes.len() + wanted.len();
        while bytes.len() < noise.len() + FRAME_MAX + wanted.len() {
            bytes.extend(&wanted);
        }
        let same = |got: &Frame| Frame { preamble: frame.preamble, ..got.clone() } == frame;
        let mut across = electricity_across(&bytes, &begin);
        let (mut at, mut seen) = (0, 0);
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

/// Whether a frame of DL/T 645 that begins before `place` lies across it.
fn electricity_across(bytes: &[u8], place: &std::ops::Range<usize>) -> bool {
    let first = place.start.saturating_sub(dlt645::FRAME_MAX);
    (first..place.start).filter(|&at| bytes[at] == 0x68).any(|at| {
        match dlt645::find(&bytes[at..place.end.max(at + dlt645::FRAME_MAX).min(bytes.len())]) {
            Found::Frame { range, .. } => range.start == 0 && at + range.end > place.start,
            Found::More { .. } => false,
        }
    })
}
