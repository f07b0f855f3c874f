//! Bytes that a wire carried, explained: which protocol, which frames, what every byte means, and
//! what exactly is wrong. For installers with a logic analyser and for `linli decode`.

mod cjt188;
mod dlt645;
mod document;
mod fault;
mod guess;
mod mbus;
mod meter;
mod modbus;
mod resync;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use super::hex;
use serde_json::{Map, Value};

pub use document::document;
pub use fault::Fault;

/// A protocol that can be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// DL/T 645-2007.
    Dlt645V2007,
    /// DL/T 645-1997.
    Dlt645V1997,
    /// CJ/T 188, both editions.
    Cjt188,
    /// Modbus on serial lines.
    ModbusRtu,
    /// Modbus over TCP.
    ModbusTcp,
    /// M-Bus, wired.
    Mbus,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Dlt645V2007,
        Self::Dlt645V1997,
        Self::Cjt188,
        Self::ModbusRtu,
        Self::ModbusTcp,
        Self::Mbus,
    ];

    /// Its name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dlt645V2007 => "dlt645-2007",
            Self::Dlt645V1997 => "dlt645-1997",
            Self::Cjt188 => "cjt188",
            Self::ModbusRtu => "modbus-rtu",
            Self::ModbusTcp => "modbus-tcp",
            Self::Mbus => "mbus",
        }
    }

    /// Whether JSON keeps request and response apart; the others are merged into one object.
    pub fn is_meter(self) -> bool {
        matches!(self, Self::Dlt645V2007 | Self::Dlt645V1997 | Self::Cjt188)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no protocol: dlt645-2007, dlt645-1997, cjt188, modbus-rtu, modbus-tcp, mbus are")]
pub struct UnknownProtocol(pub String);

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(name: &str) -> Result<Self, UnknownProtocol> {
        let found = Self::ALL.into_iter().find(|protocol| protocol.name() == name);
        found.ok_or_else(|| UnknownProtocol(name.to_owned()))
    }
}

/// Who sent a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The master.
    Request,
    /// The device.
    Reply,
}

/// Some bytes of a frame and what they mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where they stand, from the first byte given.
    pub range: Range<usize>,
    /// Meaning, in English.
    pub en: String,
    /// Meaning, in Chinese.
    pub zh: String,
}

/// One frame, explained.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// Its protocol.
    pub protocol: Protocol,
    /// Where it stands, from the first byte given, with its preamble.
    pub range: Range<usize>,
    /// Who sent it.
    pub role: Role,
    /// Every byte of it, in order.
    pub parts: Vec<Part>,
    /// What it says, for scripts.
    pub fields: Map<String, Value>,
    /// What belongs beside it: a meter's reading, a valve's state.
    pub beside: Option<(&'static str, Value)>,
}

/// Bytes that are wrong, with what could be read of them.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{fault}")]
pub struct ExplainFault {
    /// The protocol, given or guessed.
    pub protocol: Option<Protocol>,
    /// The first fault.
    pub fault: Fault,
    /// The frames that could be read, those with the fault too where their bytes are there.
    pub frames: Vec<Explained>,
}

/// What a protocol makes of the bytes from some place on.
struct Step {
    frame: Explained,
    /// The frame is there but something is wrong with it.
    fault: Option<Fault>,
}

/// Splits `bytes` into frames and explains each. The protocol is guessed when it is not given.
///
/// # Errors
/// The first fault, and what could be read all the same.
pub fn explain(protocol: Option<Protocol>, bytes: &[u8]) -> Result<Vec<Explained>, ExplainFault> {
    let fail = |protocol, fault, frames| Err(ExplainFault { protocol, fault, frames });
    if bytes.is_empty() {
        return fail(protocol, Fault::Empty, Vec::new());
    }
    let mut at = 0;
    let mut first = None;
    let protocol = match protocol.or_else(|| guess::guess(bytes)) {
        Some(protocol) => protocol,
        None => {
            let Some((start, protocol)) = resync::any(bytes) else {
                return fail(None, Fault::Unrecognised, Vec::new());
            };
            first = Some(Fault::Noise { offset: 0, count: start });
            at = start;
            protocol
        }
    };
    let mut reader = Reader::new(protocol);
    let mut frames = Vec::new();
    while at < bytes.len() {
        match reader.step(bytes, at) {
            Ok(step) => {
                at = step.frame.range.end;
                frames.push(step.frame);
                first = first.or(step.fault);
            }
            Err(fault) => {
                let next = resync::next(protocol, bytes, at);
                first = first.or(Some(match (fault, next) {
                    (Fault::NoFrame { offset, .. }, Some(next)) => {
                        Fault::Noise { offset, count: next - offset }
                    }
                    (Fault::NoFrame { offset, .. }, None) if !frames.is_empty() => {
                        Fault::Trailing { offset, count: bytes.len() - offset }
                    }
                    (fault, _) => fault,
                }));
                let Some(next) = next else { break };
                at = next;
            }
        }
    }
    match first {
        None => Ok(frames),
        Some(fault) => fail(Some(protocol), fault, frames),
    }
}

/// Reads frame after frame and keeps the request that waits for its reply.
enum Reader {
    Dlt645(dlt645::Reader),
    Cjt188(cjt188::Reader),
    Modbus(modbus::Reader),
    Mbus,
}

impl Reader {
    fn new(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Dlt645V2007 | Protocol::Dlt645V1997 => {
                Self::Dlt645(dlt645::Reader::new(protocol))
            }
            Protocol::Cjt188 => Self::Cjt188(cjt188::Reader::default()),
            Protocol::ModbusRtu | Protocol::ModbusTcp => {
                Self::Modbus(modbus::Reader::new(protocol))
            }
            Protocol::Mbus => Self::Mbus,
        }
    }

    fn step(&mut self, bytes: &[u8], at: usize) -> Result<Step, Fault> {
        match self {
            Self::Dlt645(reader) => reader.step(bytes, at),
            Self::Cjt188(reader) => reader.step(bytes, at),
            Self::Modbus(reader) => reader.step(bytes, at),
            Self::Mbus => mbus::step(bytes, at),
        }
    }
}

/// Collects parts in the order of the bytes.
struct Parts {
    at: usize,
    list: Vec<Part>,
}

impl Parts {
    fn from(at: usize) -> Self {
        Self { at, list: Vec::new() }
    }

    /// The next `count` bytes mean this; none are no part.
    fn add(&mut self, count: usize, en: impl Into<String>, zh: impl Into<String>) {
        if count > 0 {
            let range = self.at..self.at + count;
            self.list.push(Part { range, en: en.into(), zh: zh.into() });
            self.at += count;
        }
    }
}
