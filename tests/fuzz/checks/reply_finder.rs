//! The live bus's finder of Modbus replies. The file under test is the driver's own: it stands in a
//! module `driver` so that what it shows to the driver only is seen here.

#[path = "../../../src/driver/modbus/frame.rs"]
mod frame;

use self::frame::{Found, find_mbap, find_rtu};
use crate::allocation::within;
use crate::checks::overlap;
use crate::protocol::modbus::crc16;

/// Longest frame that a count of one byte can tell.
const RTU_MAX: usize = 5 + 255;
const MBAP_MAX: usize = 6 + 254;
/// Bytes of data that the reply has.
const COUNT: usize = 4;

pub(super) fn judge(input: &[u8]) {
    let Some((&[unit, function, late, transaction], bytes)) = input.split_first_chunk() else {
        return;
    };
    let function = 1 + function % 4;
    within("finding", 0, 0, || {
        mbap(bytes, u16::from(transaction));
        rtu(bytes, unit, function, late);
    });
    behind_noise(bytes, unit, function, late);
}

fn mbap(mut rest: &[u8], transaction: u16) {
    loop {
        match find_mbap(rest, transaction) {
            Found::Reply(range) => {
                assert!(range.start == 0 && range.end <= rest.len() && range.end <= MBAP_MAX);
                assert_eq!(rest[..2], transaction.to_be_bytes());
                rest = &rest[range.end..];
            }
            Found::Skip(end) => {
                assert!((1..=rest.len().min(MBAP_MAX)).contains(&end));
                rest = &rest[end..];
            }
            Found::More => {
                assert!(rest.len() < MBAP_MAX, "a whole frame and still more is wanted");
                return;
            }
            Found::Stray { .. } => panic!("the transaction tells whose answer it is"),
            Found::Garbage => return,
        }
    }
}

/// Where the frames stand that the finder hands on, each with whether it was skipped.
fn rtu(bytes: &[u8], unit: u8, function: u8, late: u8) -> usize {
    let (mut at, mut count) = (0, 0);
    while let Some((range, _)) = next(bytes, at, unit, function, late) {
        at = range.end;
        count += 1;
    }
    count
}

/// The next frame, and whether it is the reply.
fn next(
    bytes: &[u8],
    at: usize,
    unit: u8,
    function: u8,
    late: u8,
) -> Option<(std::ops::Range<usize>, bool)> {
    let rest = &bytes[at..];
    match find_rtu(rest, (unit, function, COUNT), |other| other == late) {
        Found::Reply(range) => {
            assert!(range.len() <= RTU_MAX && range.len() >= 5 && range.end <= rest.len());
            let frame = &rest[range.clone()];
            assert_eq!(crc16(frame), 0, "a check sum over itself is nothing");
            assert!(frame[0] == unit && frame[1] & 0x7F == function, "nobody else's");
            assert!(frame.len() == COUNT + 5 || frame[1] & 0x80 != 0, "nothing of another length");
            Some((at + range.start..at + range.end, true))
        }
        Found::Skip(end) | Found::Stray { end, .. } => {
            assert!((1..=rest.len()).contains(&end));
            Some((at..at + end, false))
        }
        Found::More => None,
        Found::Garbage => panic!("RTU has no garbage: bytes are skipped"),
    }
}

/// A reply behind the input as noise is found, unless a frame with a right check sum lies across it.
fn behind_noise(noise: &[u8], unit: u8, function: u8, late: u8) {
    let mut reply = vec![unit, function, 4, 0x09, 0x1E, 0x00, 0x07];
    reply.extend(crc16(&reply).to_le_bytes());
    let mut bytes = noise.to_vec();
    let begin = bytes.len()..bytes.len() + reply.len();
    while bytes.len() < noise.len() + RTU_MAX + reply.len() {
        bytes.extend(&reply);
    }
    // At once, with nothing behind it yet; and when others follow.
    let mut found = false;
    for end in [begin.end, bytes.len()] {
        let (mut at, mut across) = (0, false);
        found = false;
        while let Some((range, ours)) = next(&bytes[..end], at, unit, function, late) {
            if ours && bytes[range.clone()] == reply && range.end > noise.len() {
                assert!(across || range == begin, "{range:?} {begin:?}");
                found = true;
                break;
            }
            across |= overlap(&range, &begin);
            at = range.end;
        }
        assert!(found || across, "noise hides the reply");
    }
    assert!(found, "noise hides the reply for longer than a frame lasts");
}
