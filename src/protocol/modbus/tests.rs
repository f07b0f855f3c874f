//! Tests: the vectors of the field in both directions, damaged bytes, what does not fit.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::Value;

use super::*;

fn vectors(protocol: &str) -> Vec<Value> {
    let text = include_str!("../../../tests/data/vectors.json");
    let all: Vec<Value> = serde_json::from_str(text).unwrap();
    all.into_iter().filter(|vector| vector["protocol"] == protocol).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(digits.get(at * 2..at * 2 + 2).unwrap(), 16).unwrap())
        .collect()
}

fn parse(protocol: &str, bytes: &[u8], before: Option<&Adu>) -> Result<(Adu, usize), AduFault> {
    if protocol == "modbus-tcp" { tcp(bytes, before) } else { rtu(bytes, before) }
}

#[test]
fn every_vector_is_read_in_its_direction_and_written_back() {
    let mut count = 0;
    for protocol in ["modbus-rtu", "modbus-tcp"] {
        for vector in vectors(protocol).iter().filter(|v| v["decoded"].get("valid").is_none()) {
            let mut before = None;
            let ways = [("request_hex", Direction::Request), ("response_hex", Direction::Reply)];
            for (key, direction) in ways {
                let Some(hex) = vector[key].as_str() else { continue };
                let wire = bytes(hex);
                let (adu, length) = parse(protocol, &wire, before.as_ref()).unwrap();
                assert_eq!(length, wire.len(), "{}", vector["name"]);
                assert_eq!(adu.direction(), direction, "{}", vector["name"]);
                assert_eq!(adu.to_bytes(), wire, "{}", vector["name"]);
                before = Some(adu);
                count += 1;
            }
        }
    }
    assert_eq!(count, 65, "frames in the file");
}

#[test]
fn requests_and_replies_are_built_from_what_they_say() {
    let adu = |direction, pdu| Adu::Modbus { transaction: None, unit: 1, direction, pdu };
    let read = Pdu::Read { function: 4, address: 0, quantity: 2 };
    let request = adu(Direction::Request, read).to_bytes();
    assert_eq!(request, bytes("01 04 00 00 00 02 71 CB"));
    let reply = Pdu::Registers { function: 4, values: vec![17254, 13108] };
    assert_eq!(adu(Direction::Reply, reply).to_bytes(), bytes("01 04 04 43 66 33 34 1B 38"));
    let write = Pdu::WriteRegisters { address: 1, values: vec![10, 258] };
    let request = adu(Direction::Request, write).to_bytes();
    assert_eq!(request, bytes("01 10 00 01 00 02 04 00 0A 01 02 92 30"));
    let refused = Pdu::Exception { function: 5, code: 3 };
    assert_eq!(adu(Direction::Reply, refused).to_bytes(), bytes("01 85 03 02 91"));
    let frame = Vendor { baud_id: 0, address: 8 };
    let vendor = Adu::Vendor { direction: Direction::Request, frame };
    assert_eq!(vendor.to_bytes(), bytes("FD FD FD 00 08 E8 4E"));
}

#[test]
fn a_reply_that_does_not_fit_its_request_is_told_why() {
    let pair = |protocol, request: &str, reply: &str| {
        let (request, _) = parse(protocol, &bytes(request), None).unwrap();
        let (reply, _) = parse(protocol, &bytes(reply), Some(&request)).unwrap();
        answers(&request, &reply)
    };
    assert_eq!(
        pair("modbus-rtu", "01 03 00 00 00 01 84 0A", "02 03 02 00 01 3D 84"),
        Err(Mismatch::Unit { asked: 1, got: 2 })
    );
    assert_eq!(
        pair("modbus-rtu", "01 03 00 00 00 02 C4 0B", "01 03 02 00 01 79 84"),
        Err(Mismatch::Count { asked: 4, got: 2 })
    );
    assert_eq!(
        pair(
            "modbus-tcp",
            "00 08 00 00 00 06 01 03 00 00 00 01",
            "00 07 00 00 00 05 01 03 02 00 05"
        ),
        Err(Mismatch::Transaction { asked: 8, got: 7 })
    );
    let request = bytes("01 03 00 00 00 01 84 0A");
    let (request, _) = rtu(&request, None).unwrap();
    let pdu = Pdu::Bits { function: 1, bytes: vec![0] };
    let reply = Adu::Modbus { transaction: None, unit: 1, direction: Direction::Reply, pdu };
    assert_eq!(answers(&request, &reply), Err(Mismatch::Function { asked: 3, got: 1 }));
}

#[test]
fn the_same_write_twice_is_a_request_and_its_echo_and_another_write_is_a_request() {
    let on = bytes("01 05 00 00 FF 00 8C 3A");
    let off = bytes("01 05 00 00 00 00 CD CA");
    let (first, _) = rtu(&on, None).unwrap();
    assert_eq!(rtu(&on, Some(&first)).unwrap().0.direction(), Direction::Reply);
    assert_eq!(rtu(&off, Some(&first)).unwrap().0.direction(), Direction::Request);
    let (broadcast, _) = rtu(&bytes("00 06 00 00 00 01 49 DB"), None).unwrap();
    let again = rtu(&bytes("00 06 00 00 00 01 49 DB"), Some(&broadcast)).unwrap().0;
    assert_eq!(again.direction(), Direction::Request, "nobody answers a broadcast");
}

#[test]
fn a_wrong_check_sum_tells_the_right_one_and_what_the_bytes_say() {
    let Err(AduFault::Checksum { got, expected, frame, length }) =
        rtu(&bytes("01 03 00 00 00 01 84 0B"), None)
    else {
        panic!("the check sum is taken for right");
    };
    assert_eq!((got, expected, length), (0x0B84, 0x0A84, 8));
    assert!(frame.is_some());
}

#[test]
fn unknown_functions_and_bad_headers_are_named() {
    assert_eq!(rtu(&bytes("01 41 00 00 00"), None), Err(AduFault::Function(0x41)));
    let header = tcp(&bytes("00 01 00 01 00 06 01 03 00 00 00 01"), None);
    assert!(matches!(header, Err(AduFault::Header(_))));
    let long = tcp(&bytes("00 01 00 00 00 07 01 03 00 00 00 01 00"), None);
    assert!(matches!(long, Err(AduFault::Content { .. })), "{long:?}");
    let odd = tcp(&bytes("00 01 00 00 00 06 01 04 03 00 00 00"), None);
    assert!(odd.is_ok(), "a request of 768");
}

fn pdu() -> impl Strategy<Value = (Direction, Pdu)> {
    let words = || prop::collection::vec(any::<u16>(), 1..20);
    let packed = || prop::collection::vec(any::<u8>(), 1..20);
    let request = |pdu| (Direction::Request, pdu);
    let reply = |pdu| (Direction::Reply, pdu);
    prop_oneof![
        (1u8..5, any::<u16>(), any::<u16>()).prop_map(move |(function, address, quantity)| {
            request(Pdu::Read { function, address, quantity })
        }),
        (1u8..3, packed()).prop_map(move |(function, bytes)| reply(Pdu::Bits { function, bytes })),
        (prop::sample::select(vec![3u8, 4, 23]), words())
            .prop_map(move |(function, values)| reply(Pdu::Registers { function, values })),
        (any::<u16>(), words())
            .prop_map(move |(address, values)| request(Pdu::WriteRegisters { address, values })),
        (any::<u16>(), packed()).prop_map(move |(address, bytes)| {
            let quantity = u16::try_from(bytes.len() * 8).unwrap();
            request(Pdu::WriteCoils { address, quantity, bytes })
        }),
        (any::<u16>(), any::<u16>(), any::<u16>())
            .prop_map(move |(address, and, or)| request(Pdu::Mask { address, and, or })),
        (any::<u16>(), any::<u16>(), any::<u16>(), words()).prop_map(
            move |(address, quantity, write_address, values)| {
                request(Pdu::ReadWrite { address, quantity, write_address, values })
            }
        ),
        prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..9)), 0..5)
            .prop_map(move |objects| {
                let (code, conformity, more, next) = (1, 1, 0, 0);
                reply(Pdu::Identity { code, conformity, more, next, objects })
            }),
        (1u8..7, 1u8..12)
            .prop_map(move |(function, code)| reply(Pdu::Exception { function, code })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(485), ..Default::default() })]

    #[test]
    fn what_is_written_is_read_back((direction, pdu) in pdu(), unit in any::<u8>()) {
        let wire = pdu.to_bytes();
        prop_assert_eq!(Pdu::parse(direction, &wire), Ok(pdu.clone()));
        let number = Some(u16::from(unit) << 3);
        for transaction in [None, number] {
            let sent = Adu::Modbus { transaction, unit, direction, pdu: pdu.clone() };
            let mut wire = sent.to_bytes();
            let length = wire.len();
            if wire.starts_with(&[0xFD, 0xFD, 0xFD]) {
                continue;
            }
            // Over TCP a read of coils may look like its reply; the request before it decides.
            let before = (direction == Direction::Reply).then(|| Adu::Modbus {
                transaction,
                unit: unit | 1,
                direction: Direction::Request,
                pdu: Pdu::Read { function: pdu.function(), address: 0, quantity: 1 },
            });
            wire.extend([0, 0]);
            let read = match transaction {
                Some(_) => tcp(&wire, before.as_ref()),
                None => rtu(&wire, before.as_ref()),
            };
            prop_assert_eq!(read, Ok((sent, length)));
        }
    }

    #[test]
    fn a_cut_frame_is_short_and_a_flipped_bit_no_frame(
        (direction, pdu) in pdu(),
        cut in any::<prop::sample::Index>(),
        bit in 0u8..8,
    ) {
        let sent = Adu::Modbus { transaction: None, unit: 9, direction, pdu };
        let wire = sent.to_bytes();
        let at = cut.index(wire.len());
        prop_assert!(rtu(&wire[..at], None).is_err());
        let mut flipped = wire.clone();
        flipped[at] ^= 1 << bit;
        prop_assert!(rtu(&flipped, None).is_err());
    }

    #[test]
    fn bytes_of_any_kind_are_survived(wire in prop::collection::vec(any::<u8>(), 0..300)) {
        for (adu, length) in [rtu(&wire, None), tcp(&wire, None)].into_iter().flatten() {
            prop_assert!(length <= wire.len());
            prop_assert_eq!(&adu.to_bytes(), &wire[..length]);
        }
    }
}

#[test]
fn registers_are_read_as_other_types_by_name() {
    let read = |name: &str, registers: &[u16]| {
        let numbers: Numbers = name.parse().unwrap();
        assert_eq!(numbers.name(), name);
        Value::Array(numbers.read(registers))
    };
    assert_eq!(read("float32_be", &[17254, 13107, 1]), serde_json::json!([230.2]));
    assert_eq!(read("float32_be", &[0x7FC0, 0]), serde_json::json!([null]));
    assert_eq!(read("i32_word_swapped", &[0xFFFE, 0xFFFF]), serde_json::json!([-2]));
    assert_eq!(read("u64", &[0, 0, 0x12, 0xD687]), serde_json::json!([1_234_567]));
    assert_eq!(read("i16", &[0xFF33, 1]), serde_json::json!([-205, 1]));
    assert!("i16_word_swapped".parse::<Numbers>().is_err());
    assert!("f32".parse::<Numbers>().unwrap_err().to_string().contains("float32_be"));
}
