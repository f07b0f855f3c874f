//! Captured M-Bus frames.

use crate::allocation::within;
use crate::protocol::mbus::{self, Frame, LinkFault};

/// A frame's data and nothing else is allocated.
const PARSE_BYTES: usize = 252;
/// Each record has at least two bytes; it is kept with the name of what it measures.
const RECORDS_SINGLE: usize = 32 * 1024;
const RECORDS_TOTAL: usize = 96 * 1024;
const DOCUMENT_SINGLE: usize = 32 * 1024;
const DOCUMENT_TOTAL: usize = 512 * 1024;
/// 68 L L 68, L bytes, check sum, 16.
const FRAME_MAX: usize = 4 + 255 + 2;

pub(super) fn judge(input: &[u8]) {
    let mut rest = input;
    while !rest.is_empty() {
        match within("parse", PARSE_BYTES, PARSE_BYTES, || mbus::parse(rest)) {
            Ok((frame, length)) => {
                assert!(length <= rest.len() && length <= FRAME_MAX);
                assert_eq!(frame.to_bytes(), rest[..length], "decoded and encoded again");
                document(&frame);
                rest = &rest[length..];
            }
            Err(fault) => {
                assert!(!fault.to_string().is_empty());
                match fault {
                    LinkFault::Short { have, need } => {
                        assert!(have == rest.len() && need > have && need <= FRAME_MAX);
                    }
                    LinkFault::Checksum { frame, length, got, expected } => {
                        assert!(length <= rest.len() && got != expected);
                        document(&frame);
                    }
                    LinkFault::Fixed { at, .. } => assert!(at < rest.len()),
                    LinkFault::Length(_) | LinkFault::Start(_) => {}
                }
                rest = &rest[1..];
            }
        }
    }
    // Records as they are, without the frame whose check sum must be found first.
    let data = &input[..input.len().min(252)];
    records(data);
    if let [ci, data @ ..] = data {
        document(&Frame::Long { c: 8, a: 1, ci: *ci, data: data.to_vec() });
    }
}

fn document(frame: &Frame) {
    let mut into = serde_json::Map::new();
    within("describe", DOCUMENT_SINGLE, DOCUMENT_TOTAL, || {
        if let Err(fault) = mbus::describe(frame, &mut into) {
            assert!(!fault.to_string().is_empty());
        }
    });
    if let Frame::Long { data, .. } = frame {
        records(data);
    }
}

fn records(data: &[u8]) {
    let read = within("records", RECORDS_SINGLE, RECORDS_TOTAL, || mbus::records(data));
    match read {
        Ok((records, _)) => {
            let mut end = 0;
            for record in &records {
                assert!(record.offset >= end && record.length >= 2, "{record:?}");
                end = record.offset + record.length;
                if let mbus::Amount::Number(number) = record.amount {
                    assert!(number.is_finite(), "{record:?}");
                }
            }
            assert!(end <= data.len());
        }
        Err(fault) => assert!(!fault.to_string().is_empty()),
    }
}
