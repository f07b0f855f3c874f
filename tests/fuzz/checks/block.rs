//! Blocks as they lie in the buffer: what a torn or foreign file may hold.

use linli::buffer::fuzzing::{MAX_DOCUMENT, compose, count, parse, unpack};
use linli::buffer::{Lane, MAX_PAYLOAD};
use linli::receiver::decode;

use crate::allocation::within;

/// A document, and again as it grows; its events in their own form.
const UNPACKED: usize = MAX_DOCUMENT + 1024;
const COUNTED: usize = 48 * MAX_DOCUMENT;

/// The first bytes are key and value as they are found; then the rest is a payload, under a check
/// sum that is right.
pub(super) fn judge(input: &[u8]) {
    let (key, value) = input.split_at(input.len().min(10));
    if let Some((payload, again)) = parse(key, value) {
        assert_eq!(value[28..], payload[..]);
        // Bits of the flags that nobody knows yet are not kept.
        assert_eq!(again.len(), value.len());
    }
    assert_eq!(parse(key, value).is_some(), count(key, value).is_some());
    let payload = &value[..value.len().min(MAX_PAYLOAD)];
    for lane in Lane::ALL {
        let (key, value) = compose(lane, 42, 7, payload);
        let (read, again) = parse(&key, &value).expect("what was composed is read");
        assert!(read == payload && again == value, "read and composed again");
        let counted = within("counting", COUNTED, COUNTED, || count(&key, &value));
        assert!(counted.is_some(), "a block with a right check sum counts");
        for bit in [0, 77, value.len() * 8 - 1] {
            let mut torn = value.clone();
            torn[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(parse(&key, &torn), None, "bit {bit} was flipped");
        }
    }
    let Ok(document) = within("unpacking", UNPACKED, UNPACKED, || unpack(payload)) else { return };
    assert!(document.len() <= MAX_DOCUMENT, "{} bytes", document.len());
    if payload.len() <= MAX_PAYLOAD && document.first() == Some(&b'{') {
        // Both ends of the stream read the same.
        let (packed, plain) = (decode(payload), decode(&document));
        assert_eq!(packed.ok(), plain.ok());
    }
}
