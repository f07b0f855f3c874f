//! What a line brings beside frames: noise, pieces, flipped bits.

use proptest::prelude::*;

use super::*;

fn voltage() -> Frame {
    let request = read(Edition::V2007, address(), DataId(0x0201_0100));
    let mut frame = answer_data(&request, DataId(0x0201_0100), &[0x05, 0x23], false, None);
    frame.preamble = 2;
    frame
}

#[test]
fn a_frame_in_pieces_asks_for_more_and_keeps_what_is_needed() {
    let bytes = voltage().to_bytes();
    for end in 0..bytes.len() {
        assert_eq!(find(&bytes[..end]), Found::More { from: 0, damaged: false }, "{end}");
    }
}

#[test]
fn start_and_end_bytes_inside_the_data_do_not_matter() {
    let request = read(Edition::V2007, address(), DataId(0x0001_0000));
    // 35H + 33H = 68H and E3H + 33H = 16H on the line.
    let mut frame =
        answer_data(&request, DataId(0x0001_0000), &[0x35, 0xE3, 0x35, 0xE3], true, None);
    frame.preamble = 0;
    assert_eq!(only(&frame.to_bytes()), frame);
}

#[test]
fn a_false_start_that_would_swallow_the_frame_does_not_hide_it() {
    let frame = voltage();
    for length in [0x00, 0x05, 0x14, 0xC8, 0xFF] {
        // A start byte, and by chance another seven bytes on, then a length.
        let mut bytes = vec![0x00, 0x68, 1, 2, 3, 4, 5, 6, 0x68, 0x91, length];
        let noise = bytes.len();
        bytes.extend(frame.to_bytes());
        let range = noise..bytes.len();
        assert_eq!(find(&bytes), Found::Frame { range, frame: frame.clone() }, "{length:02X}");
    }
}

#[test]
fn a_start_byte_just_before_the_frame_does_not_hide_it() {
    let frame = voltage();
    for before in 1..=9 {
        let mut bytes = vec![0x68; before];
        bytes.extend(frame.to_bytes());
        let range = before..bytes.len();
        assert_eq!(find(&bytes), Found::Frame { range, frame: frame.clone() }, "{before}");
    }
}

#[test]
fn more_wake_up_bytes_than_four_are_noise_however_they_arrive() {
    let frame = Frame { preamble: 4, ..voltage() };
    let mut bytes = vec![0xFE; 300];
    assert_eq!(find(&bytes), Found::More { from: 296, damaged: false });
    bytes.extend(&frame.to_bytes()[4..]);
    let range = 296..bytes.len();
    assert_eq!(find(&bytes), Found::Frame { range, frame });
}

#[test]
fn the_frame_after_a_damaged_one_is_found() {
    let good = voltage();
    let mut bytes = good.to_bytes();
    let place = bytes.len() - 4;
    bytes[place] ^= 0x10;
    let damaged = bytes.len();
    assert_eq!(find(&bytes), Found::More { from: damaged, damaged: true });
    bytes.extend(good.to_bytes());
    let range = damaged..bytes.len();
    assert_eq!(find(&bytes), Found::Frame { range, frame: good });
}

#[test]
fn no_single_flipped_bit_makes_another_frame() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/vectors.json");
    let all = std::fs::read_to_string(path).unwrap();
    let all: Vec<serde_json::Value> = serde_json::from_str(&all).unwrap();
    let ours = all.iter().filter(|v| v["protocol"].as_str().unwrap().starts_with("dlt645"));
    let lines = ours.flat_map(|v| [v["request_hex"].as_str(), v["response_hex"].as_str()]);
    for bytes in lines.flatten().map(hex) {
        let Found::Frame { frame, .. } = find(&bytes) else { continue };
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Found::Frame { frame: other, .. } = find(&flipped) {
                // Only a wake-up byte may be lost.
                assert!(bit / 8 < usize::from(frame.preamble), "bit {bit} of {bytes:02X?}");
                assert_eq!(Frame { preamble: frame.preamble, ..other }, frame);
            }
        }
    }
}

fn any_frame() -> impl Strategy<Value = Frame> {
    let data = proptest::collection::vec(any::<u8>(), 0..=DATA_MAX);
    (0..=4_u8, any::<[u8; 6]>(), any::<u8>(), data).prop_map(|(preamble, wire, control, data)| {
        Frame { preamble, address: Address::from_wire(wire), control, data }
    })
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(frame in any_frame()) {
        let bytes = frame.to_bytes();
        prop_assert!(bytes.len() <= FRAME_MAX);
        prop_assert_eq!(
            find(&bytes),
            Found::Frame { range: 0..bytes.len(), frame: frame.clone() }
        );
    }

    #[test]
    fn noise_costs_at_most_one_frame(noise in proptest::collection::vec(any::<u8>(), 0..300), frame in any_frame()) {
        let mut bytes = noise.clone();
        bytes.extend(frame.to_bytes());
        bytes.extend(frame.to_bytes());
        let mut at = 0;
        let mut found = Vec::new();
        while let Found::Frame { range, frame } = find(&bytes[at..]) {
            at += range.end;
            found.push(Frame { preamble: 0, ..frame });
        }
        let wanted = Frame { preamble: 0, ..frame };
        prop_assert!(found.contains(&wanted));
    }

    #[test]
    fn what_is_kept_is_less_than_a_frame_and_loses_none(
        noise in proptest::collection::vec(prop_oneof![Just(0x68_u8), Just(0xFE), any::<u8>()], 0..600),
        frame in any_frame(),
    ) {
        // Byte by byte, thrown away as soon as allowed: the same frame must come out.
        let mut whole = noise.clone();
        whole.extend(frame.to_bytes());
        let (mut kept, mut first) = (Vec::new(), None);
        for &byte in &whole {
            kept.push(byte);
            match find(&kept) {
                Found::Frame { frame, .. } => {
                    first = Some(frame);
                    break;
                }
                Found::More { from, .. } => {
                    kept.drain(..from);
                    prop_assert!(kept.len() < FRAME_MAX);
                }
            }
        }
        prop_assert!(first.is_some());
    }

    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600), edition in prop_oneof![Just(Edition::V2007), Just(Edition::V1997)]) {
        let _found = find(&bytes);
        if let Some(damaged) = find_damaged(&bytes) {
            let _text = describe(&damaged.frame, edition).to_string();
        }
    }

    #[test]
    fn any_frame_can_be_described(frame in any_frame()) {
        for edition in [Edition::V2007, Edition::V1997] {
            prop_assert!(describe(&frame, edition).is_object());
            let request = read(edition, Address::ANY, DataId(0x9010));
            let _said = reply(edition, &request, &frame);
        }
    }
}
