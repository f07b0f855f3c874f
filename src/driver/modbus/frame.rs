//! Where a reply begins and ends in the bytes that a line brings.
//!
//! ```text
//! MBAP  transaction(2) protocol(2)=0 length(2) unit(1) function(1) data     length counts from unit
//! RTU   unit(1) function(1) count(1) data crc(2, low byte first)            or an exception of 5 bytes
//! ```
//!
//! RTU has no transaction id: a reply is known by unit, function and check sum alone, and noise or
//! an echo before it is skipped byte by byte.

use std::ops::Range;

use crate::protocol::modbus::crc16;

/// Length of the MBAP header, with the unit.
const MBAP_HEADER: usize = 7;

/// What was found at the head of the bytes received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::driver) enum Found {
    /// A frame that may be the reply.
    Reply(Range<usize>),
    /// Bytes up to here are not for us.
    Skip(usize),
    /// A whole frame up to here that answers something else: the answer may still come behind it.
    Stray {
        /// Where it ends.
        end: usize,
        /// It bears the name of another device.
        foreign: bool,
    },
    /// Not enough bytes yet.
    More,
    /// No MBAP stream: the frame boundary is lost.
    Garbage,
}

/// The frame at the head of an MBAP stream: the reply when it carries `transaction`.
pub(in crate::driver) fn find_mbap(bytes: &[u8], transaction: u16) -> Found {
    let Some(header) = bytes.first_chunk::<MBAP_HEADER>() else {
        return Found::More;
    };
    let protocol = u16::from_be_bytes([header[2], header[3]]);
    let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
    if protocol != 0 || !(3..=254).contains(&length) {
        return Found::Garbage;
    }
    let end = MBAP_HEADER - 1 + length;
    if bytes.len() < end {
        return Found::More;
    }
    if u16::from_be_bytes([header[0], header[1]]) == transaction {
        Found::Reply(0..end)
    } else {
        Found::Skip(end)
    }
}

/// Looks for the RTU reply of `unit` to `function` with `count` bytes of data. A whole frame of
/// another unit, function or length is skipped when `late` says that its unit still owes an answer,
/// else told as a stray one.
pub(in crate::driver) fn find_rtu(
    bytes: &[u8],
    (unit, function, count): (u8, u8, usize),
    late: impl Fn(u8) -> bool,
) -> Found {
    let mut pending = false;
    for start in 0..bytes.len() {
        let rest = &bytes[start..];
        let ours = rest[0] == unit && rest.get(1).is_none_or(|&f| f & 0x7f == function);
        if pending && !ours {
            continue;
        }
        let Some(length) = rtu_length(rest, function) else {
            // Too few bytes to know; or a function that nobody here asked for.
            pending |= ours && rest.len() < 3;
            continue;
        };
        let Some(frame) = rest.get(..length) else {
            pending |= ours;
            continue;
        };
        if !crc_holds(frame) {
            continue;
        }
        let end = start + length;
        if ours && (frame[1] & 0x80 != 0 || length == count + 5) {
            return Found::Reply(start..end);
        }
        let foreign = frame[0] != unit;
        return if late(frame[0]) { Found::Skip(end) } else { Found::Stray { end, foreign } };
    }
    Found::More
}

/// Length of the RTU reply that begins here, when it is one to functions 1 to 4, or to the write
/// that was asked for.
fn rtu_length(bytes: &[u8], asked: u8) -> Option<usize> {
    match (bytes.get(1)?, bytes.get(2)) {
        (&function, _) if function > 4 && function == asked => Some(8),
        (&function, _) if asked > 4 && function == asked | 0x80 => Some(5),
        (1..=4, Some(&count)) => Some(usize::from(count) + 5),
        (0x81..=0x84, _) => Some(5),
        _ => None,
    }
}

fn crc_holds(frame: &[u8]) -> bool {
    frame.split_last_chunk::<2>().is_some_and(|(body, crc)| u16::from_le_bytes(*crc) == crc16(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rtu(body: &[u8]) -> Vec<u8> {
        let mut frame = body.to_vec();
        frame.extend(crc16(body).to_le_bytes());
        frame
    }

    #[test]
    fn the_check_sum_is_that_of_the_serial_line_specification() {
        // The example of the specification's appendix B: 02 07 gives 41 12.
        assert_eq!(rtu(&[0x02, 0x07]), [0x02, 0x07, 0x41, 0x12]);
    }

    #[test]
    fn a_frame_with_another_transaction_id_is_skipped_whole() {
        let old = [0, 1, 0, 0, 0, 5, 9, 3, 2, 0, 7];
        let mut bytes = old.to_vec();
        bytes.extend([0, 2, 0, 0, 0, 5, 9, 3, 2, 0, 8]);
        assert_eq!(find_mbap(&bytes, 2), Found::Skip(11));
        assert_eq!(find_mbap(&bytes[11..], 2), Found::Reply(0..11));
        assert_eq!(find_mbap(&bytes[..10], 1), Found::More);
    }

    #[test]
    fn an_rtu_reply_on_an_mbap_stream_is_garbage_not_a_wait_for_ever() {
        assert_eq!(find_mbap(&rtu(&[1, 3, 4, 0, 1, 0, 2]), 0), Found::Garbage);
    }

    #[test]
    fn noise_and_the_echo_of_the_request_before_a_reply_are_skipped() {
        let reply = rtu(&[1, 3, 2, 0, 7]);
        for before in [vec![0xff, 0x00, 0x3c], rtu(&[1, 3, 0, 0, 0, 1]), vec![1, 3, 0xf0]] {
            let mut bytes = before.clone();
            bytes.extend(&reply);
            let expected = before.len()..before.len() + reply.len();
            assert_eq!(find_rtu(&bytes, (1, 3, 2), |_| false), Found::Reply(expected));
        }
    }

    #[test]
    fn the_reply_to_a_write_is_found_behind_the_echo_of_the_request_and_so_is_a_refusal() {
        let asked = (1, 16, 3);
        let request = rtu(&[1, 16, 0, 10, 0, 2, 4, 0, 1, 0, 2]);
        let reply = rtu(&[1, 16, 0, 10, 0, 2]);
        let bytes = [request.clone(), reply.clone()].concat();
        let end = bytes.len();
        assert_eq!(find_rtu(&bytes, asked, |_| false), Found::Reply(end - 8..end));
        assert_eq!(find_rtu(&reply[..7], asked, |_| false), Found::More);
        let refusal = rtu(&[1, 0x90, 3]);
        assert_eq!(find_rtu(&refusal, asked, |_| false), Found::Reply(0..5));
        assert_eq!(find_rtu(&rtu(&[1, 3, 2, 0, 7]), (1, 6, 3), |_| false), {
            Found::Stray { end: 7, foreign: false }
        });
    }

    #[test]
    fn every_prefix_of_a_reply_asks_for_more() {
        let reply = rtu(&[1, 3, 4, 1, 3, 2, 1]);
        for end in 0..reply.len() {
            assert_eq!(find_rtu(&reply[..end], (1, 3, 4), |_| false), Found::More, "{end}");
        }
    }

    #[test]
    fn a_reply_with_a_wrong_check_sum_is_not_found() {
        let mut reply = rtu(&[1, 3, 2, 0, 7]);
        reply[4] ^= 1;
        assert_eq!(find_rtu(&reply, (1, 3, 2), |_| false), Found::More);
    }

    #[test]
    fn a_frame_that_answers_something_else_is_no_reply_and_late_ones_are_nothing_at_all() {
        let foreign = rtu(&[7, 3, 2, 0, 7]);
        let longer = rtu(&[1, 3, 4, 0, 7, 0, 8]);
        let (asked, exception) = ((1, 3, 2), rtu(&[1, 0x83, 2]));
        assert_eq!(find_rtu(&foreign, asked, |unit| unit == 7), Found::Skip(7));
        let stray = |end, foreign| Found::Stray { end, foreign };
        assert_eq!(find_rtu(&foreign, asked, |_| false), stray(7, true));
        assert_eq!(find_rtu(&longer, asked, |_| false), stray(9, false), "an older question's");
        assert_eq!(find_rtu(&exception, asked, |_| false), Found::Reply(0..5));
    }
}
