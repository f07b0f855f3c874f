//! The link layer: bytes to frames and back.

const ACK: u8 = 0xE5;
const SHORT: u8 = 0x10;
const LONG: u8 = 0x68;
const END: u8 = 0x16;

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// E5H.
    Ack,
    /// Without data.
    Short {
        /// Control: 40H reset, 5BH or 7BH ask for data.
        c: u8,
        /// Address: 1 to 250, 253 the selected one, 254 and 255 all.
        a: u8,
    },
    /// With data (none in a control frame).
    Long {
        /// Control: 53H or 73H send, 08H to 38H answer.
        c: u8,
        /// Address.
        a: u8,
        /// What the data are.
        ci: u8,
        /// The data, at most 252 bytes.
        data: Vec<u8>,
    },
}

impl Frame {
    /// The bytes of the wire. Data beyond 252 bytes are cut.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Ack => vec![ACK],
            Self::Short { c, a } => vec![SHORT, *c, *a, c.wrapping_add(*a), END],
            Self::Long { c, a, ci, data } => {
                let data = &data[..data.len().min(252)];
                let length = u8::try_from(data.len() + 3).expect("252 and 3 are 255");
                let mut bytes = vec![LONG, length, length, LONG, *c, *a, *ci];
                bytes.extend(data);
                bytes.extend([sum(&bytes[4..]), END]);
                bytes
            }
        }
    }

    /// Whether a meter sent it: an acknowledgement, or a control byte without the bit of the
    /// primary station.
    pub fn is_reply(&self) -> bool {
        match self {
            Self::Ack => true,
            Self::Short { c, .. } | Self::Long { c, .. } => c & 0x40 == 0,
        }
    }
}

/// Why no frame begins here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkFault {
    /// The check sum is wrong.
    #[error("the check sum is {got:02X}H, the bytes give {expected:02X}H")]
    Checksum {
        /// On the wire.
        got: u8,
        /// What the bytes give.
        expected: u8,
        /// What the bytes say all the same.
        frame: Frame,
        /// Length in bytes.
        length: usize,
    },
    /// Bytes are missing.
    #[error("{have} bytes, the frame has {need}")]
    Short {
        /// There.
        have: usize,
        /// Needed.
        need: usize,
    },
    /// A byte that must have a certain value.
    #[error("byte {at} is {got:02X}H, {expected:02X}H belongs there")]
    Fixed {
        /// Its place in the frame.
        at: usize,
        /// On the wire.
        got: u8,
        /// What belongs there.
        expected: u8,
    },
    /// A length below 3.
    #[error("the length is {0}, control, address and CI alone are 3")]
    Length(u8),
    /// No start byte.
    #[error("{0:02X}H begins no frame: E5H, 10H and 68H do")]
    Start(u8),
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, &byte| sum.wrapping_add(byte))
}

fn fixed(bytes: &[u8], at: usize, expected: u8) -> Result<(), LinkFault> {
    match bytes[at] {
        got if got == expected => Ok(()),
        got => Err(LinkFault::Fixed { at, got, expected }),
    }
}

/// Reads the frame at the head of `bytes`, and its length.
///
/// # Errors
/// No whole frame with a right check sum begins here.
pub fn parse(bytes: &[u8]) -> Result<(Frame, usize), LinkFault> {
    let have = bytes.len();
    match bytes.first() {
        None => Err(LinkFault::Short { have, need: 1 }),
        Some(&ACK) => Ok((Frame::Ack, 1)),
        Some(&SHORT) => {
            if have < 5 {
                return Err(LinkFault::Short { have, need: 5 });
            }
            fixed(bytes, 4, END)?;
            let frame = Frame::Short { c: bytes[1], a: bytes[2] };
            checked(frame, bytes[3], &bytes[1..3], 5)
        }
        Some(&LONG) => {
            let Some(&length) = bytes.get(1) else {
                return Err(LinkFault::Short { have, need: 9 });
            };
            if length < 3 {
                return Err(LinkFault::Length(length));
            }
            let end = 4 + usize::from(length);
            if have > 2 {
                fixed(bytes, 2, length)?;
            }
            if have > 3 {
                fixed(bytes, 3, LONG)?;
            }
            if have < end + 2 {
                return Err(LinkFault::Short { have, need: end + 2 });
            }
            fixed(bytes, end + 1, END)?;
            let data = bytes[7..end].to_vec();
            let frame = Frame::Long { c: bytes[4], a: bytes[5], ci: bytes[6], data };
            checked(frame, bytes[end], &bytes[4..end], end + 2)
        }
        Some(&other) => Err(LinkFault::Start(other)),
    }
}

fn checked(
    frame: Frame,
    got: u8,
    bytes: &[u8],
    length: usize,
) -> Result<(Frame, usize), LinkFault> {
    let expected = sum(bytes);
    if got == expected {
        Ok((frame, length))
    } else {
        Err(LinkFault::Checksum { got, expected, frame, length })
    }
}
