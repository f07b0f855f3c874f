//! Frames as a Modbus server sees them: MBAP (TCP) and RTU with its CRC.

/// How frames are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Modbus TCP: header with transaction, length and unit.
    Tcp,
    /// RTU frames: unit, PDU, CRC.
    Rtu,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) transaction: u16,
    pub(super) unit: u8,
    pub(super) function: u8,
    /// First address and count of functions 1 to 6, 15 and 16; zero for others.
    pub(super) first: u16,
    pub(super) count: u16,
    /// What functions 5, 6, 15 and 16 write; coils as 0 and 1.
    pub(super) words: Vec<u16>,
}

/// What stands at the begin of the received bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// More bytes are needed.
    Incomplete,
    /// A request of this many bytes.
    Request(Request, usize),
    /// Nothing that can be understood; what was received is to be thrown away.
    Garbage,
}

const fn crc_table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u16;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xa001 } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

static CRC: [u16; 256] = crc_table();

/// CRC-16/MODBUS; on the wire low byte first.
pub(super) fn crc(bytes: &[u8]) -> u16 {
    bytes
        .iter()
        .fold(0xffff, |crc: u16, byte| (crc >> 8) ^ CRC[usize::from(crc.to_le_bytes()[0] ^ byte)])
}

impl Framing {
    pub(super) fn parse(self, bytes: &[u8]) -> Parsed {
        match self {
            Framing::Tcp => parse_tcp(bytes),
            Framing::Rtu => parse_rtu(bytes),
        }
    }

    /// Appends the answer's frame.
    pub(super) fn write(self, request: &Request, pdu: &[u8], out: &mut Vec<u8>) {
        let begin = out.len();
        if self == Framing::Tcp {
            let length = u16::try_from(pdu.len() + 1).expect("a PDU has at most 253 bytes");
            out.extend(request.transaction.to_be_bytes());
            out.extend([0, 0]);
            out.extend(length.to_be_bytes());
        }
        out.push(request.unit);
        out.extend(pdu);
        if self == Framing::Rtu {
            let sum = crc(&out[begin..]);
            out.extend(sum.to_le_bytes());
        }
    }
}

fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn parse_tcp(bytes: &[u8]) -> Parsed {
    if bytes.len() < 8 {
        return Parsed::Incomplete;
    }
    let length = usize::from(word(bytes, 4));
    if word(bytes, 2) != 0 || !(2..=254).contains(&length) {
        return Parsed::Garbage;
    }
    if bytes.len() < 6 + length {
        return Parsed::Incomplete;
    }
    match request(word(bytes, 0), bytes[6], &bytes[7..6 + length]) {
        Some(request) => Parsed::Request(request, 6 + length),
        None => Parsed::Garbage,
    }
}

fn parse_rtu(bytes: &[u8]) -> Parsed {
    if bytes.len() < 7 {
        return Parsed::Incomplete;
    }
    let length = match bytes[1] {
        1..=6 => 8,
        15 | 16 => 9 + usize::from(bytes[6]),
        _ => return Parsed::Garbage,
    };
    if bytes.len() < length {
        return Parsed::Incomplete;
    }
    let (body, sum) = bytes[..length].split_at(length - 2);
    match request(0, body[0], &body[1..]) {
        Some(request) if crc(body).to_le_bytes() == sum => Parsed::Request(request, length),
        _ => Parsed::Garbage,
    }
}

fn request(transaction: u16, unit: u8, pdu: &[u8]) -> Option<Request> {
    let function = pdu[0];
    let (first, count, words) = match function {
        1..=4 if pdu.len() == 5 => (word(pdu, 1), word(pdu, 3), Vec::new()),
        5 if pdu.len() == 5 => (word(pdu, 1), 1, vec![u16::from(word(pdu, 3) == 0xFF00)]),
        6 if pdu.len() == 5 => (word(pdu, 1), 1, vec![word(pdu, 3)]),
        1..=6 => return None,
        15 | 16 => {
            let data = pdu.get(6..).filter(|data| data.len() == usize::from(pdu[5]))?;
            let count = word(pdu, 3);
            (word(pdu, 1), count, written(function, count, data)?)
        }
        _ => (0, 0, Vec::new()),
    };
    Some(Request { transaction, unit, function, first, count, words })
}

/// What functions 15 and 16 write.
fn written(function: u8, count: u16, data: &[u8]) -> Option<Vec<u16>> {
    if function == 16 {
        let words = data.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        return (data.len() == usize::from(count) * 2).then(|| words.collect());
    }
    let bit = |place: u16| {
        let byte = data.get(usize::from(place / 8))?;
        Some(u16::from(byte >> (place % 8) & 1))
    };
    (0..count).map(bit).collect()
}
