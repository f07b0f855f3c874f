//! Vectors, what may come over a line, and what a field may hold.

mod noise;
mod talk;
mod values;
mod vectors;

use super::super::Found;
use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let pairs = digits.chunks_exact(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// The frame in bytes that hold exactly one.
fn only(bytes: &[u8]) -> Frame {
    match find(bytes) {
        Found::Frame { range, frame } => {
            assert_eq!(range, 0..bytes.len());
            frame
        }
        Found::More { .. } => panic!("no frame in {bytes:02X?}"),
    }
}

fn address() -> Address {
    "123456789012".parse().unwrap()
}
