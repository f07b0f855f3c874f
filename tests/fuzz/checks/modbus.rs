//! Captured Modbus frames, RTU and TCP.

use crate::allocation::within;
use crate::protocol::modbus::{self, Adu, AduFault};

/// A frame of another kind that was read with a wrong check sum is kept in a box.
const BOXED: usize = 128;
/// Objects of a device identification stand in a list of their own.
const LISTED: usize = 32;

pub(super) fn judge(input: &[u8]) {
    // Numbers are copied once, and a list grows by doubling.
    let single = 64 + BOXED + LISTED * input.len();
    let total = 2 * single + input.len();
    for read in [modbus::rtu, modbus::tcp] {
        let mut before: Option<Adu> = None;
        let mut rest = input;
        loop {
            let result = within("reading", single, total, || read(rest, before.as_ref()));
            match result {
                Ok((adu, length)) => {
                    assert!((1..=rest.len()).contains(&length));
                    assert_eq!(adu.to_bytes(), rest[..length], "decoded and encoded again");
                    judge_adu(&adu, before.as_ref());
                    before = Some(adu);
                    rest = &rest[length..];
                }
                Err(fault) => {
                    judge_fault(&fault, rest.len());
                    break;
                }
            }
        }
    }
}

fn judge_adu(adu: &Adu, before: Option<&Adu>) {
    if let Some(before) = before
        && let Err(fault) = modbus::answers(before, adu)
    {
        assert!(!fault.to_string().is_empty());
    }
    // Reading the same bytes as an answer to themselves must not go wrong either.
    let bytes = adu.to_bytes();
    let again = match adu {
        Adu::Modbus { transaction: Some(_), .. } => modbus::tcp(&bytes, Some(adu)),
        _ => modbus::rtu(&bytes, Some(adu)),
    };
    // A frame that ends with zeros may be another one when read the other way: the check sum over a
    // frame with its check sum is zero.
    let (again, length) = again.expect("what was encoded is decoded");
    assert_eq!(again.to_bytes(), bytes[..length]);
}

fn judge_fault(fault: &AduFault, have: usize) {
    assert!(!fault.to_string().is_empty());
    match fault {
        AduFault::Short { have: told, need } => assert!(*told == have && *need > have, "{fault}"),
        AduFault::Checksum { length, got, expected, .. } => {
            assert!(*length <= have && got != expected, "{fault}");
        }
        AduFault::Content { length, .. } => assert!(*length <= have, "{fault}"),
        AduFault::Function(_) | AduFault::Header(_) => {}
    }
}
