//! What bytes of a line look like: whole frames, broken ones, or the traces of a wrong setting.

use crate::driver::BusAddress;
use crate::model::Words;
use crate::protocol::{Found, cjt188, dlt645, modbus};

/// What bytes look like, to whoever expected a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signature {
    /// No bytes.
    Nothing,
    /// A single byte: the line swings when a driver lets go of it. Means nothing.
    Glitch,
    /// One whole frame of a protocol that we speak, an echo of a request not counted.
    Whole,
    /// Two whole replies to one request.
    Collision,
    /// The shape of a frame, but damaged on its way.
    Damaged,
    /// Long runs of equal bits: whoever sends does so at a lower baud rate than we listen.
    LowerBaud,
    /// Too few bytes, none of a frame: whoever sends does so at a higher baud rate.
    HigherBaud,
    /// Characters lost or zeroed at random inside a frame: another parity.
    Parity,
    /// Readable text: a device of another protocol, Modbus ASCII for example.
    ForeignProtocol,
    /// None of these.
    Noise,
}

impl Signature {
    /// What it says about the sender; `None` where it says nothing about its settings.
    pub fn words(self) -> Option<Words> {
        Some(Words::from(match self {
            Self::LowerBaud => (
                "long runs of equal bits, as from a device with a lower baud rate",
                "收到的字节多为 00、80、F8、FF 这类，像是设备的波特率比设定的低",
            ),
            Self::HigherBaud => (
                "too few bytes, as from a device with a higher baud rate",
                "收到的字节太少，像是设备的波特率比设定的高",
            ),
            Self::Parity => (
                "characters zeroed or lost inside frames, as with another parity",
                "报文中夹着变零或丢失的字节，像是校验位设置不一致",
            ),
            Self::ForeignProtocol => (
                "readable text, as from a device of another protocol",
                "收到的是可读文字，像是设备用的是别的协议（如 Modbus ASCII）",
            ),
            Self::Noise => ("bytes without any order", "收到的字节杂乱无章"),
            Self::Nothing | Self::Glitch | Self::Whole | Self::Collision | Self::Damaged => {
                return None;
            }
        }))
    }

    /// Whether it points to the settings of the line rather than to its wires.
    pub fn is_setting(self) -> bool {
        matches!(
            self,
            Self::LowerBaud | Self::HigherBaud | Self::Parity | Self::ForeignProtocol | Self::Noise
        )
    }
}

/// A whole frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Whole {
    /// Who sent it, or whom it is for.
    pub(super) address: BusAddress,
    /// From a device, else from a master. Some Modbus frames could be either: from a device.
    pub(super) reply: bool,
    /// Where it begins and ends.
    pub(super) begin: usize,
    pub(super) end: usize,
}

/// The whole frames in these bytes, from the first on; noise between them is skipped.
pub(super) fn frames(bytes: &[u8]) -> impl Iterator<Item = Whole> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            if let Some(whole) = frame_at(bytes, at) {
                at = whole.end;
                return Some(whole);
            }
            at += 1;
        }
        None
    })
}

fn frame_at(bytes: &[u8], at: usize) -> Option<Whole> {
    let rest = &bytes[at..];
    if rest[0] == 0x68 {
        if let Found::Frame { range, frame } = dlt645::find(rest)
            && range.start == 0
        {
            let (address, reply) = (BusAddress::Dlt645(frame.address), frame.is_reply());
            return Some(Whole { address, reply, begin: at, end: at + range.end });
        }
        if let Found::Frame { range, frame } = cjt188::find(rest)
            && range.start == 0
        {
            let (address, reply) = (BusAddress::Cjt188(frame.address), frame.is_reply());
            return Some(Whole { address, reply, begin: at, end: at + range.end });
        }
    }
    let (unit, function) = (*rest.first()?, *rest.get(1)?);
    let third = rest.get(2).map(|&count| usize::from(count));
    let seventh = rest.get(6).map(|&count| usize::from(count));
    // Length, and whether only a device sends it.
    let shapes: [Option<(usize, bool)>; 2] = match function {
        1..=4 => [Some((8, false)), third.map(|count| (count + 5, true))],
        5 | 6 => [Some((8, true)), None],
        15 | 16 => [Some((8, true)), seventh.map(|count| (count + 9, false))],
        0x81..=0x86 | 0x8f | 0x90 => [Some((5, true)), None],
        _ => [None, None],
    };
    for (length, reply) in shapes.into_iter().flatten() {
        let Some(frame) = rest.get(..length) else { continue };
        if let Some((body, crc)) = frame.split_last_chunk::<2>()
            && u16::from_le_bytes(*crc) == modbus::crc16(body)
        {
            let address = BusAddress::Unit(unit);
            return Some(Whole { address, reply, begin: at, end: at + length });
        }
    }
    None
}

/// Looks at all bytes that came in one go.
pub fn signature(bytes: &[u8]) -> Signature {
    let mut replies = 0;
    let mut end = 0;
    for frame in frames(bytes) {
        replies += usize::from(frame.reply);
        end = frame.end;
    }
    match replies {
        2.. => return Signature::Collision,
        1 => return Signature::Whole,
        _ => {}
    }
    // Behind the echo of the request.
    broken(&bytes[end..], end > 0)
}

fn broken(bytes: &[u8], after_frame: bool) -> Signature {
    match bytes {
        [] if after_frame => return Signature::Whole,
        [] => return Signature::Nothing,
        [_] => return Signature::Glitch,
        _ => {}
    }
    if has_shape(bytes) {
        return Signature::Damaged;
    }
    let share = |count: usize| count * 100 / bytes.len();
    let readable = |byte: &&u8| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\r' | b'\n');
    let few = |byte: &&u8| transitions(**byte) <= 2;
    if bytes.len() >= 6 && share(bytes.iter().filter(readable).count()) >= 90 {
        return Signature::ForeignProtocol;
    }
    if bytes.len() >= 4 && share(bytes.iter().filter(few).count()) >= 70 {
        return Signature::LowerBaud;
    }
    if bytes.len() <= 4 {
        return Signature::HigherBaud;
    }
    if share(bytes.iter().filter(|byte| **byte == 0).count()) >= 25 {
        return Signature::Parity;
    }
    Signature::Noise
}

/// Changes between neighbouring bits.
fn transitions(byte: u8) -> u32 {
    ((byte ^ (byte >> 1)) & 0x7f).count_ones()
}

/// Whether a head of a frame stands at the beginning and its length fits, or nearly.
fn has_shape(bytes: &[u8]) -> bool {
    let near = |expected: usize| bytes.len().abs_diff(expected) <= 2;
    let modbus = match *bytes {
        [_, 1..=4, count, ..] => near(usize::from(count) + 5),
        [_, 0x81..=0x86, ..] => near(5),
        _ => false,
    };
    let start = bytes.iter().position(|&byte| byte == 0x68);
    let meter = start.is_some_and(|start| {
        let rest = &bytes[start..];
        let length = |at: usize| {
            rest.get(at).is_some_and(|&n| rest.len().abs_diff(at + usize::from(n) + 3) <= 2)
        };
        let two_starts = rest.get(7) == Some(&0x68);
        (two_starts && rest.len() >= 10) || length(10) || length(9) && rest.len() > 11
    });
    modbus || meter
}
