//! Which protocol bytes belong to, told by how they begin.

use super::Protocol;
use crate::protocol::{dlt645, mbus, modbus};

/// The protocol. A right check sum of Modbus RTU decides first: it has no start byte, and 16 bits
/// hardly fit by chance.
pub(super) fn guess(bytes: &[u8]) -> Option<Protocol> {
    if modbus::rtu(bytes, None).is_ok() {
        return Some(Protocol::ModbusRtu);
    }
    if modbus::tcp(bytes, None).is_ok() {
        return Some(Protocol::ModbusTcp);
    }
    if mbus::parse(bytes).is_ok() {
        return Some(Protocol::Mbus);
    }
    let start = bytes.iter().position(|&byte| byte != 0xFE).unwrap_or(0);
    let rest = &bytes[start..];
    match rest {
        [0x68, first, second, 0x68, ..] if first == second => return Some(Protocol::Mbus),
        [0x68, _, _, _, _, _, _, 0x68, control, ..] => return Some(edition(*control)),
        // A meter type or a digit of an address: only the types of CJ/T 188 are of use here.
        [0x68, 0x10..=0x13 | 0x20..=0x25 | 0x30 | 0x40 | 0x00 | 0xAA, ..] => {
            return Some(Protocol::Cjt188);
        }
        [0x68, _, _, _, _, _, _, _, ..] => return Some(Protocol::Cjt188),
        [0x68, ..] => return Some(Protocol::Dlt645V2007),
        [0x10, _, _, _, 0x16] => return Some(Protocol::Mbus),
        _ => {}
    }
    // An MBAP header whose length is plausible and a function that exists: cut or wrong inside.
    if let [_, _, 0, 0, 0, 2..=254, _, function, ..] = bytes
        && modbus::is_function(*function)
    {
        return Some(Protocol::ModbusTcp);
    }
    match bytes {
        [0xFD, 0xFD, 0xFD, ..] => Some(Protocol::ModbusRtu),
        [0..=247 | 0xFF | 0xFE, function, ..] if modbus::is_function(*function) => {
            Some(Protocol::ModbusRtu)
        }
        _ => None,
    }
}

/// The edition of DL/T 645 that uses a control code.
fn edition(control: u8) -> Protocol {
    let frame = dlt645::Frame {
        preamble: 0,
        address: dlt645::Address::from_wire([0; 6]),
        control,
        data: Vec::new(),
    };
    match dlt645::Edition::of(&frame) {
        dlt645::Edition::V2007 => Protocol::Dlt645V2007,
        dlt645::Edition::V1997 => Protocol::Dlt645V1997,
    }
}
