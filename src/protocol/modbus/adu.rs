//! Whole frames of serial lines and of TCP streams, and whether a reply fits its request.

use super::{Pdu, PduFault, Vendor};

/// Which way a frame goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Master to unit.
    Request,
    /// Unit to master.
    Reply,
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adu {
    /// Modbus.
    Modbus {
        /// Transaction number, over TCP.
        transaction: Option<u16>,
        /// Unit; 0 is all of them.
        unit: u8,
        /// Which way.
        direction: Direction,
        /// What it says.
        pdu: Pdu,
    },
    /// A sensor's own frame, serial only.
    Vendor {
        /// Which way.
        direction: Direction,
        /// What it says.
        frame: Vendor,
    },
}

/// Why bytes are no frame. Where a decoded frame is given, it is what the bytes say all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AduFault {
    /// The check sum is wrong.
    #[error("the check sum is {got:04X}H, the bytes give {expected:04X}H")]
    Checksum {
        /// On the wire, as a number.
        got: u16,
        /// What the bytes give.
        expected: u16,
        /// The frame as it came, and its length.
        frame: Option<Box<Adu>>,
        /// Length in bytes.
        length: usize,
    },
    /// Bytes are missing.
    #[error("{have} bytes, the frame has {need}")]
    Short {
        /// There.
        have: usize,
        /// Needed, as far as the bytes tell.
        need: usize,
    },
    /// Function that is not known.
    #[error("function {0:02X}H is not known")]
    Function(u8),
    /// The header over TCP is none.
    #[error("{0}")]
    Header(&'static str),
    /// Frame is whole but contradicts itself.
    #[error("{text}")]
    Content {
        /// What.
        text: &'static str,
        /// Length of the frame in bytes.
        length: usize,
    },
}

/// Shortest and longest value of the length field over TCP: unit, function, and up to 252 more.
const TCP_LENGTH: std::ops::RangeInclusive<usize> = 2..=254;

/// Reads the serial frame at the head of `bytes`, and its length. `before` is the request that
/// waits for its reply, if one does. Which way the frame goes is told by the check sum: request and
/// reply of most functions differ in length; where they do not, an echo of `before` is its reply.
///
/// # Errors
/// No frame with a right check sum begins here.
pub fn rtu(bytes: &[u8], before: Option<&Adu>) -> Result<(Adu, usize), AduFault> {
    if Vendor::begins(bytes) {
        return vendor(bytes, before);
    }
    let first = preferred(bytes, before);
    let second = match first {
        Direction::Request => Direction::Reply,
        Direction::Reply => Direction::Request,
    };
    let fault = match rtu_as(bytes, first) {
        Ok(found) => return Ok(found),
        Err(fault) => fault,
    };
    let other = match rtu_as(bytes, second) {
        Ok(found) => return Ok(found),
        Err(fault) => fault,
    };
    Err(nearest(fault, other, bytes.len()))
}

/// Of two readings that both failed, the one that explains the bytes better.
fn nearest(first: AduFault, second: AduFault, have: usize) -> AduFault {
    let rank = |fault: &AduFault| match fault {
        AduFault::Content { length, .. } if *length <= have => 0,
        // A frame that ends exactly where the bytes end is most likely the one that was damaged.
        AduFault::Checksum { length, .. } if *length == have => 1,
        AduFault::Checksum { .. } => 2,
        AduFault::Short { .. } => 3,
        AduFault::Content { .. } => 4,
        AduFault::Function(_) | AduFault::Header(_) => 5,
    };
    if rank(&second) < rank(&first) { second } else { first }
}

fn preferred(bytes: &[u8], before: Option<&Adu>) -> Direction {
    match before {
        Some(Adu::Modbus { unit, direction: Direction::Request, pdu, .. }) if *unit != 0 => {
            // Functions whose reply echoes the request: another one is a new request.
            let echoes = matches!(pdu.function(), 5 | 6 | 22) && bytes.first() == Some(unit);
            let same = bytes.get(1..).is_some_and(|rest| rest.starts_with(&pdu.to_bytes()));
            let function = bytes.get(1).is_some_and(|&code| code & 0x7F == pdu.function());
            match (function, echoes) {
                (true, true) if same => Direction::Reply,
                (true, true) => Direction::Request,
                (true, false) => Direction::Reply,
                (false, _) => Direction::Request,
            }
        }
        _ => Direction::Request,
    }
}

fn rtu_as(bytes: &[u8], direction: Direction) -> Result<(Adu, usize), AduFault> {
    let body = bytes.get(1..).unwrap_or_default();
    let length = match Pdu::length(direction, body) {
        Ok(length) => length + 3,
        Err(PduFault::Function(function)) => return Err(AduFault::Function(function)),
        Err(PduFault::Short { need, .. }) => {
            return Err(AduFault::Short { have: bytes.len(), need: need + 3 });
        }
        Err(PduFault::Content(text)) => {
            return Err(AduFault::Content { text, length: bytes.len() });
        }
    };
    let Some(frame) = bytes.get(..length) else {
        return Err(AduFault::Short { have: bytes.len(), need: length });
    };
    let parsed = Pdu::parse(direction, &frame[1..length - 2]);
    let adu = |pdu| Adu::Modbus { transaction: None, unit: frame[0], direction, pdu };
    let (got, expected) = check(frame);
    if got != expected {
        let frame = parsed.ok().map(|pdu| Box::new(adu(pdu)));
        return Err(AduFault::Checksum { got, expected, frame, length });
    }
    match parsed {
        Ok(pdu) => Ok((adu(pdu), length)),
        Err(PduFault::Content(text)) => Err(AduFault::Content { text, length }),
        Err(PduFault::Function(function)) => Err(AduFault::Function(function)),
        Err(PduFault::Short { .. }) => Err(AduFault::Short { have: bytes.len(), need: length }),
    }
}

fn vendor(bytes: &[u8], before: Option<&Adu>) -> Result<(Adu, usize), AduFault> {
    let Some(frame) = bytes.get(..Vendor::LENGTH) else {
        return Err(AduFault::Short { have: bytes.len(), need: Vendor::LENGTH });
    };
    let parsed = Vendor::parse(&frame[..5]).expect("the head was seen");
    let asked = matches!(before, Some(Adu::Vendor { direction: Direction::Request, .. }));
    // Only a reply carries both.
    let direction = match asked || (parsed.baud_id != 0 && parsed.address != 0) {
        true => Direction::Reply,
        false => Direction::Request,
    };
    let adu = Adu::Vendor { direction, frame: parsed };
    let (got, expected) = check(frame);
    if got != expected {
        let frame = Some(Box::new(adu));
        return Err(AduFault::Checksum { got, expected, frame, length: Vendor::LENGTH });
    }
    Ok((adu, Vendor::LENGTH))
}

/// Check sum on the wire, and what the bytes give.
fn check(frame: &[u8]) -> (u16, u16) {
    let (body, sum) = frame.split_last_chunk::<2>().expect("a frame is longer than its check sum");
    (u16::from_le_bytes(*sum), crc16(body))
}

/// Reads the TCP frame at the head of `bytes`, and its length.
///
/// # Errors
/// No whole frame begins here.
pub fn tcp(bytes: &[u8], before: Option<&Adu>) -> Result<(Adu, usize), AduFault> {
    let Some(header) = bytes.first_chunk::<6>() else {
        return Err(AduFault::Short { have: bytes.len(), need: 8 });
    };
    if header[2..4] != [0, 0] {
        return Err(AduFault::Header("the protocol number is not 0"));
    }
    let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
    if !TCP_LENGTH.contains(&length) {
        return Err(AduFault::Header("the length field is not within 2 to 254"));
    }
    let Some(frame) = bytes.get(..6 + length) else {
        return Err(AduFault::Short { have: bytes.len(), need: 6 + length });
    };
    let transaction = u16::from_be_bytes([header[0], header[1]]);
    let (unit, body) = (frame[6], &frame[7..]);
    let whole = |direction| match Pdu::length(direction, body) {
        Ok(need) if need == body.len() => Pdu::parse(direction, body),
        Ok(need) if need > body.len() => Err(PduFault::Short { have: body.len(), need }),
        Ok(_) => Err(PduFault::Content("the length field is longer than the function's data")),
        Err(fault) => Err(fault),
    };
    let first = match before {
        Some(Adu::Modbus { direction: Direction::Request, .. }) => Direction::Reply,
        _ => Direction::Request,
    };
    let second = match first {
        Direction::Request => Direction::Reply,
        Direction::Reply => Direction::Request,
    };
    let fault = match whole(first) {
        Ok(pdu) => return Ok((adu_tcp(transaction, unit, first, pdu), frame.len())),
        Err(fault) => fault,
    };
    match (whole(second), fault) {
        (Ok(pdu), _) => Ok((adu_tcp(transaction, unit, second, pdu), frame.len())),
        (Err(PduFault::Function(code)), PduFault::Function(_)) => Err(AduFault::Function(code)),
        (Err(PduFault::Content(text)), _) | (_, PduFault::Content(text)) => {
            Err(AduFault::Content { text, length: frame.len() })
        }
        _ => Err(AduFault::Content {
            text: "the length field is shorter than the function's data",
            length: frame.len(),
        }),
    }
}

fn adu_tcp(transaction: u16, unit: u8, direction: Direction, pdu: Pdu) -> Adu {
    Adu::Modbus { transaction: Some(transaction), unit, direction, pdu }
}

impl Adu {
    /// The bytes of the wire: with a transaction number those of TCP, else of a serial line.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = match self {
            Self::Modbus { transaction: Some(transaction), unit, pdu, .. } => {
                let body = pdu.to_bytes();
                let length = u16::try_from(body.len() + 1).unwrap_or(u16::MAX);
                let mut bytes = transaction.to_be_bytes().to_vec();
                bytes.extend([0, 0]);
                bytes.extend(length.to_be_bytes());
                bytes.push(*unit);
                bytes.extend(body);
                return bytes;
            }
            Self::Modbus { unit, pdu, .. } => {
                let mut bytes = vec![*unit];
                bytes.extend(pdu.to_bytes());
                bytes
            }
            Self::Vendor { frame, .. } => frame.to_bytes(),
        };
        let sum = crc16(&bytes);
        bytes.extend(sum.to_le_bytes());
        bytes
    }

    /// Which way it goes.
    pub fn direction(&self) -> Direction {
        match self {
            Self::Modbus { direction, .. } | Self::Vendor { direction, .. } => *direction,
        }
    }
}

/// Why a reply does not answer a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Another transaction: a late answer.
    #[error("the answer is to transaction {got}, asked was {asked}: it came too late")]
    Transaction {
        /// Of the request.
        asked: u16,
        /// Of the answer.
        got: u16,
    },
    /// Another unit.
    #[error("unit {got} answered, asked was {asked}")]
    Unit {
        /// Of the request.
        asked: u8,
        /// Of the answer.
        got: u8,
    },
    /// Another function.
    #[error("the answer is to function {got}, asked was {asked}")]
    Function {
        /// Of the request.
        asked: u8,
        /// Of the answer.
        got: u8,
    },
    /// More or less data than asked.
    #[error("the answer carries {got} bytes of data, asked were {asked}")]
    Count {
        /// That the request asks for.
        asked: usize,
        /// In the answer.
        got: usize,
    },
    /// A write that is confirmed with other numbers.
    #[error("the answer confirms another write than the one asked for")]
    Echo,
}

/// Whether `reply` answers `request`. Unit 255 asks whoever is there: any unit may answer.
///
/// # Errors
/// What does not fit.
pub fn answers(request: &Adu, reply: &Adu) -> Result<(), Mismatch> {
    let (
        Adu::Modbus { transaction: asked_number, unit: asked_unit, pdu: asked, .. },
        Adu::Modbus { transaction: number, unit, pdu: got, .. },
    ) = (request, reply)
    else {
        return Ok(());
    };
    if let (Some(asked), Some(got)) = (*asked_number, *number)
        && asked != got
    {
        return Err(Mismatch::Transaction { asked, got });
    }
    if asked_unit != unit && *asked_unit != 255 {
        return Err(Mismatch::Unit { asked: *asked_unit, got: *unit });
    }
    if asked.function() != got.function() {
        return Err(Mismatch::Function { asked: asked.function(), got: got.function() });
    }
    let count = |asked: usize, got: usize| match asked == got {
        true => Ok(()),
        false => Err(Mismatch::Count { asked, got }),
    };
    let echo = |same: bool| if same { Ok(()) } else { Err(Mismatch::Echo) };
    match (asked, got) {
        (Pdu::Read { quantity, .. }, Pdu::Bits { bytes, .. }) => {
            count(usize::from(*quantity).div_ceil(8), bytes.len())
        }
        (
            Pdu::Read { quantity, .. } | Pdu::ReadWrite { quantity, .. },
            Pdu::Registers { values, .. },
        ) => count(usize::from(*quantity) * 2, values.len() * 2),
        (
            Pdu::WriteCoils { address, quantity, .. },
            Pdu::Written { address: a, quantity: q, .. },
        ) => echo(address == a && quantity == q),
        (Pdu::WriteRegisters { address, values }, Pdu::Written { address: a, quantity: q, .. }) => {
            echo(address == a && values.len() == usize::from(*q))
        }
        (Pdu::WriteCoil { .. } | Pdu::WriteRegister { .. } | Pdu::Mask { .. }, other)
            if !matches!(other, Pdu::Exception { .. }) =>
        {
            echo(asked == other)
        }
        _ => Ok(()),
    }
}

/// CRC-16/MODBUS: polynomial A001H reflected, start FFFFH. Sent low byte first.
pub fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |crc, &byte| {
        crc >> 8 ^ CRC_TABLE[usize::from((crc ^ u16::from(byte)) & 0xff)]
    })
}

const CRC_TABLE: [u16; 256] = {
    let mut table = [0u16; 256];
    let mut n = 0;
    while n < 256 {
        let mut crc = n as u16;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xa001 } else { crc >> 1 };
            bit += 1;
        }
        table[n] = crc;
        n += 1;
    }
    table
};
