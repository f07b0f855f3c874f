//! DL/T 645: the protocol of China's electricity meters, editions 2007 and 1997.
//!
//! ```text
//! address   whom a frame is for
//! frame     bytes <-> frames, also out of noise
//! request   what the master asks
//! reply     whether an answer belongs to the question, and what it says; answers of a meter
//! collect   a value that comes in several frames
//! items     what the identifiers mean: fields, units, names
//! value     data field <-> values
//! describe  a frame as a document for people and scripts
//! ```
//!
//! Sources: public implementations, compared with each other; the text of the standard was not at
//! hand. `tests/data/vectors.json` names where each frame came from.

mod address;
mod collect;
mod describe;
mod frame;
mod items;
mod reply;
mod request;
mod table;
mod table1997;
mod value;

#[cfg(test)]
mod tests;

use std::fmt;

pub use address::{Address, BadAddress};
pub use collect::{Aborted, Collect, FOLLOW_MAX, Next, VALUE_MAX};
pub use describe::describe;
pub use frame::{DATA_MAX, Damaged, FRAME_MAX, Frame, PREAMBLE_MAX, find, find_damaged};
pub use items::{Field, Item, Kind, Repeat, item};
pub use reply::{
    ErrorBits, Mismatch, Reply, answer_address, answer_data, answer_done, answer_refused, reply,
};
pub use request::{
    PASSWORD_AT, Relay, RelayAct, read, read_address, read_address_of, read_next, relay, time_sync,
    without_password,
};
pub use value::{ItemValue, Malformed, encode, values};

/// Edition of the standard that a meter speaks. Frames are alike; functions, identifiers and
/// formats of values differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edition {
    /// DL/T 645-2007: identifiers of four bytes.
    V2007,
    /// DL/T 645-1997: identifiers of two bytes.
    V1997,
}

impl Edition {
    /// The edition that a frame belongs to, by its function.
    pub fn of(frame: &Frame) -> Self {
        match frame.function() {
            0x01..=0x07 | 0x0A..=0x10 => Self::V1997,
            _ => Self::V2007,
        }
    }

    /// Bytes of an identifier.
    pub fn id_bytes(self) -> usize {
        match self {
            Self::V2007 => 4,
            Self::V1997 => 2,
        }
    }
}

/// Data identifier (数据标识): four bytes DI3 DI2 DI1 DI0 as one number, e.g. `0x0201_0100`; in the
/// edition of 1997 two, e.g. `0x9010`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataId(pub u32);

impl DataId {
    /// As it stands in a frame: least significant byte first; the edition tells how many bytes.
    pub fn wire(self, edition: Edition) -> impl Iterator<Item = u8> {
        self.0.to_le_bytes().into_iter().take(edition.id_bytes())
    }

    /// The identifier at the head of a data field; `None` when that is too short.
    pub fn from_wire(edition: Edition, data: &[u8]) -> Option<Self> {
        let mut bytes = [0; 4];
        let head = data.get(..edition.id_bytes())?;
        bytes[..head.len()].copy_from_slice(head);
        Some(Self(u32::from_le_bytes(bytes)))
    }
}

impl fmt::Display for DataId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 <= 0xFFFF && self.0 >= 0x9000 {
            write!(out, "{:04X}", self.0)
        } else {
            write!(out, "{:08X}", self.0)
        }
    }
}
