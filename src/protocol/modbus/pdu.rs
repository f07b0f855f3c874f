//! Protocol data units: function code and data, without unit and check sum.

use super::Direction;

/// What a request asks or a reply says. Functions 1 to 6, 15, 16, 22, 23 and 43/14.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pdu {
    /// Functions 1 to 4, request.
    Read {
        /// 1 coils, 2 discrete inputs, 3 holding registers, 4 input registers.
        function: u8,
        /// First one.
        address: u16,
        /// How many.
        quantity: u16,
    },
    /// Functions 1 and 2, reply: packed bits, the first in the lowest bit.
    Bits {
        /// 1 or 2.
        function: u8,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Functions 3, 4 and 23, reply.
    Registers {
        /// 3, 4 or 23.
        function: u8,
        /// The registers.
        values: Vec<u16>,
    },
    /// Function 5, request and its echo. FF00H is on, 0000H off.
    WriteCoil {
        /// Which one.
        address: u16,
        /// As on the wire.
        value: u16,
    },
    /// Function 6, request and its echo.
    WriteRegister {
        /// Which one.
        address: u16,
        /// New value.
        value: u16,
    },
    /// Function 15, request.
    WriteCoils {
        /// First one.
        address: u16,
        /// How many.
        quantity: u16,
        /// Packed bits; those beyond `quantity` mean nothing.
        bytes: Vec<u8>,
    },
    /// Function 16, request.
    WriteRegisters {
        /// First one.
        address: u16,
        /// New values.
        values: Vec<u16>,
    },
    /// Functions 15 and 16, reply.
    Written {
        /// 15 or 16.
        function: u8,
        /// First one.
        address: u16,
        /// How many.
        quantity: u16,
    },
    /// Function 22, request and its echo.
    Mask {
        /// Which register.
        address: u16,
        /// Bits that stay.
        and: u16,
        /// Bits that are set.
        or: u16,
    },
    /// Function 23, request.
    ReadWrite {
        /// First register read.
        address: u16,
        /// How many are read.
        quantity: u16,
        /// First register written.
        write_address: u16,
        /// Written values.
        values: Vec<u16>,
    },
    /// Function 43, type 14, request: device identification.
    Identify {
        /// 1 basic, 2 regular, 3 extended, 4 one object.
        code: u8,
        /// First object.
        object: u8,
    },
    /// Function 43, type 14, reply.
    Identity {
        /// As asked.
        code: u8,
        /// Conformity level.
        conformity: u8,
        /// FFH when more follows.
        more: u8,
        /// Object to ask for next.
        next: u8,
        /// Number and text of each object.
        objects: Vec<(u8, Vec<u8>)>,
    },
    /// The unit refuses.
    Exception {
        /// The function that was asked for.
        function: u8,
        /// Why.
        code: u8,
    },
}

/// Why bytes are no protocol data unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PduFault {
    /// Bytes are missing.
    #[error("{have} bytes, at least {need} are needed")]
    Short {
        /// There.
        have: usize,
        /// Needed, as far as the bytes tell.
        need: usize,
    },
    /// No function of this module.
    #[error("function {0:02X}H is not known")]
    Function(u8),
    /// Bytes contradict each other.
    #[error("{0}")]
    Content(&'static str),
}

fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn words(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
}

impl Pdu {
    /// Length of the unit that begins here, in bytes.
    ///
    /// # Errors
    /// `Short` when the bytes do not tell yet, `Function` when the function is not known.
    pub fn length(direction: Direction, bytes: &[u8]) -> Result<usize, PduFault> {
        let counted = |at: usize| {
            let short = PduFault::Short { have: bytes.len(), need: at + 1 };
            bytes.get(at).map(|&count| at + 1 + usize::from(count)).ok_or(short)
        };
        let &function = bytes.first().ok_or(PduFault::Short { have: 0, need: 1 })?;
        match (direction, function) {
            (_, 5 | 6) | (Direction::Request, 1..=4) | (Direction::Reply, 15 | 16) => Ok(5),
            (_, 22) => Ok(7),
            (Direction::Request, 15 | 16) => counted(5),
            (Direction::Request, 23) => counted(9),
            (Direction::Request, 43) => Ok(4),
            (Direction::Reply, 1..=4 | 23) => counted(1),
            (Direction::Reply, 43) => identity_length(bytes),
            (Direction::Reply, 0x80..) if known(function & 0x7F) => Ok(2),
            _ => Err(PduFault::Function(function)),
        }
    }

    /// Reads a whole unit; bytes after it are not looked at.
    ///
    /// # Errors
    /// The bytes are too few, or of an unknown function, or contradict each other.
    pub fn parse(direction: Direction, bytes: &[u8]) -> Result<Self, PduFault> {
        let need = Self::length(direction, bytes)?;
        let bytes = bytes.get(..need).ok_or(PduFault::Short { have: bytes.len(), need })?;
        let function = bytes[0];
        Ok(match (direction, function) {
            (_, 5) => Self::WriteCoil { address: word(bytes, 1), value: word(bytes, 3) },
            (_, 6) => Self::WriteRegister { address: word(bytes, 1), value: word(bytes, 3) },
            (_, 22) => {
                Self::Mask { address: word(bytes, 1), and: word(bytes, 3), or: word(bytes, 5) }
            }
            (Direction::Request, 1..=4) => {
                Self::Read { function, address: word(bytes, 1), quantity: word(bytes, 3) }
            }
            (Direction::Request, 15) => {
                let quantity = word(bytes, 3);
                if usize::from(quantity).div_ceil(8) != usize::from(bytes[5]) {
                    return Err(PduFault::Content("the count of bytes does not fit the coils"));
                }
                Self::WriteCoils { address: word(bytes, 1), quantity, bytes: bytes[6..].to_vec() }
            }
            (Direction::Request, 16) => {
                if usize::from(word(bytes, 3)) * 2 != usize::from(bytes[5]) {
                    return Err(PduFault::Content("the count of bytes does not fit the registers"));
                }
                Self::WriteRegisters { address: word(bytes, 1), values: words(&bytes[6..]) }
            }
            (Direction::Request, 23) => {
                if usize::from(word(bytes, 7)) * 2 != usize::from(bytes[9]) {
                    return Err(PduFault::Content("the count of bytes does not fit the registers"));
                }
                Self::ReadWrite {
                    address: word(bytes, 1),
                    quantity: word(bytes, 3),
                    write_address: word(bytes, 5),
                    values: words(&bytes[10..]),
                }
            }
            (_, 43) if bytes[1] != 14 => {
                return Err(PduFault::Content("of function 43 only type 14 is known"));
            }
            (Direction::Request, 43) => Self::Identify { code: bytes[2], object: bytes[3] },
            (Direction::Reply, 1 | 2) => Self::Bits { function, bytes: bytes[2..].to_vec() },
            (Direction::Reply, 3 | 4 | 23) => {
                if bytes[1] % 2 != 0 {
                    return Err(PduFault::Content("an odd count of bytes is no registers"));
                }
                Self::Registers { function, values: words(&bytes[2..]) }
            }
            (Direction::Reply, 15 | 16) => {
                Self::Written { function, address: word(bytes, 1), quantity: word(bytes, 3) }
            }
            (Direction::Reply, 43) => identity(bytes),
            (Direction::Reply, _) => Self::Exception { function: function & 0x7F, code: bytes[1] },
            _ => return Err(PduFault::Function(function)),
        })
    }

    /// The bytes of the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let put = |out: &mut Vec<u8>, words: &[u16]| {
            out.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        };
        let count = |length: usize| u8::try_from(length).unwrap_or(u8::MAX);
        out.push(self.function());
        match self {
            Self::Read { address, quantity, .. } | Self::Written { address, quantity, .. } => {
                put(&mut out, &[*address, *quantity]);
            }
            Self::Bits { bytes, .. } => {
                out.push(count(bytes.len()));
                out.extend(bytes);
            }
            Self::Registers { values, .. } => {
                out.push(count(values.len() * 2));
                put(&mut out, values);
            }
            Self::WriteCoil { address, value } | Self::WriteRegister { address, value } => {
                put(&mut out, &[*address, *value]);
            }
            Self::WriteCoils { address, quantity, bytes } => {
                put(&mut out, &[*address, *quantity]);
                out.push(count(bytes.len()));
                out.extend(bytes);
            }
            Self::WriteRegisters { address, values } => {
                put(&mut out, &[*address, u16::from(count(values.len()))]);
                out.push(count(values.len() * 2));
                put(&mut out, values);
            }
            Self::Mask { address, and, or } => put(&mut out, &[*address, *and, *or]),
            Self::ReadWrite { address, quantity, write_address, values } => {
                let written = u16::from(count(values.len()));
                put(&mut out, &[*address, *quantity, *write_address, written]);
                out.push(count(values.len() * 2));
                put(&mut out, values);
            }
            Self::Identify { code, object } => out.extend([14, *code, *object]),
            Self::Identity { code, conformity, more, next, objects } => {
                out.extend([14, *code, *conformity, *more, *next, count(objects.len())]);
                for (number, text) in objects {
                    out.extend([*number, count(text.len())]);
                    out.extend(text);
                }
            }
            Self::Exception { function, code } => {
                out[0] = function | 0x80;
                out.push(*code);
            }
        }
        out
    }

    /// The function code; of an exception the one that was asked for.
    pub fn function(&self) -> u8 {
        match self {
            Self::Read { function, .. }
            | Self::Bits { function, .. }
            | Self::Registers { function, .. }
            | Self::Written { function, .. }
            | Self::Exception { function, .. } => *function,
            Self::WriteCoil { .. } => 5,
            Self::WriteRegister { .. } => 6,
            Self::WriteCoils { .. } => 15,
            Self::WriteRegisters { .. } => 16,
            Self::Mask { .. } => 22,
            Self::ReadWrite { .. } => 23,
            Self::Identify { .. } | Self::Identity { .. } => 43,
        }
    }
}

/// Whether a byte is the code of a function of this module, or of its exception.
pub fn is_function(code: u8) -> bool {
    known(code & 0x7F)
}

fn known(function: u8) -> bool {
    matches!(function, 1..=6 | 15 | 16 | 22 | 23 | 43)
}

/// Length of a device identification, found by walking through its objects.
fn identity_length(bytes: &[u8]) -> Result<usize, PduFault> {
    let short = |need| PduFault::Short { have: bytes.len(), need };
    let objects = *bytes.get(6).ok_or(short(7))?;
    let mut at = 7;
    for _ in 0..objects {
        let length = *bytes.get(at + 1).ok_or(short(at + 2))?;
        at += 2 + usize::from(length);
    }
    Ok(at)
}

/// Reads a device identification whose length was checked.
fn identity(bytes: &[u8]) -> Pdu {
    let mut objects = Vec::new();
    let mut rest = &bytes[7..];
    while let [number, length, tail @ ..] = rest {
        let (text, next) = tail.split_at(usize::from(*length).min(tail.len()));
        objects.push((*number, text.to_vec()));
        rest = next;
    }
    let (code, conformity, more, next) = (bytes[2], bytes[3], bytes[4], bytes[5]);
    Pdu::Identity { code, conformity, more, next, objects }
}
