//! How small rows stand in the store: JSON under a kind and a name.

use serde::Serialize;

/// A row as JSON.
pub(super) fn json(row: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(row).expect("text keys, numbers and texts make valid JSON")
}

/// The key of a row about something with a name: a byte for its kind, the name.
pub(super) fn named(kind: u8, name: &str) -> Vec<u8> {
    [&[kind][..], name.as_bytes()].concat()
}
