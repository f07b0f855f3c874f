//! The platform's side of the stream.

use linli::receiver::{MAX_DOCUMENT, decode};

use crate::allocation::within;

/// A number in JSON has two bytes with its comma; it is kept as a value in a list that grows by
/// doubling.
const A_BYTE: usize = 160;
const AT_LEAST: usize = 64 * 1024;

pub(super) fn judge(input: &[u8]) {
    // Of what is packed nobody knows the size: it is bounded.
    let most = match input.first() {
        Some(0x28) => AT_LEAST + A_BYTE * MAX_DOCUMENT,
        _ => AT_LEAST + A_BYTE * input.len(),
    };
    let read = within("decoding", most, most, || decode(input));
    match (&read, decode(input)) {
        (Ok(document), Ok(again)) => assert_eq!(*document, again, "decoded twice"),
        (Err(fault), Err(again)) => assert_eq!(fault.to_string(), again.to_string()),
        _ => panic!("the same payload is accepted once and refused once"),
    }
    // The packed form says the same.
    let packed = zstd::bulk::compress(input, 1).expect("memory is compressed");
    match (&read, decode(&packed)) {
        (Ok(document), Ok(packed)) if !input.starts_with(&packed_magic()) => {
            assert_eq!(*document, packed);
        }
        (Ok(_), Err(fault)) => {
            assert!(input.starts_with(&packed_magic()), "refused when packed: {fault}");
        }
        (Err(fault), Ok(_)) => panic!("accepted when packed, else {fault}"),
        _ => {}
    }
    let Ok(document) = read else { return };
    for device in &document.devices {
        assert_eq!(device.values.len(), device.points.len());
        assert!(device.values.iter().all(|column| column.len() == device.at.len()));
    }
    let written = serde_json::to_vec(&document).expect("a document is JSON");
    let again = decode(&written).expect("what was written is read");
    assert_eq!(again, document, "written and read again");
}

fn packed_magic() -> [u8; 4] {
    [0x28, 0xb5, 0x2f, 0xfd]
}
