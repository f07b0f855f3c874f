//! Frames as a pcapng file (draft-ietf-opsawg-pcapng): an interface for each line setting, with
//! the setting as its description; times in milliseconds.

use std::collections::VecDeque;

use super::packet::{self, Connection, ETHERNET, RAW_IP, RTAC_SERIAL};
use super::{Captured, LoadFault, Recording, Way, text};
use crate::driver::LineSettings;
use crate::model::{Moment, WallTime};

const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER: u32 = 0x1A2B_3C4D;

const COMMENT: u16 = 1;
const APPLICATION: u16 = 4;
const NAME: u16 = 2;
const DESCRIPTION: u16 = 3;
const RESOLUTION: u16 = 9;
const FLAGS: u16 = 2;
/// Milliseconds: a power of ten.
const MILLI: u8 = 3;
/// A unit of time where the file does not say it: microseconds.
const MICRO: u8 = 6;

/// How a pcapng file begins, whatever its byte order.
pub(super) const MAGIC: [u8; 4] = [0x0A, 0x0D, 0x0D, 0x0A];

/// What [`Recording::pcapng`] gives.
pub(super) fn write(recording: &Recording, wall: impl Fn(Moment) -> Option<WallTime>) -> Vec<u8> {
    let mut out = Vec::new();
    let boot = recording.frames.first().and_then(|frame| wall(frame.at)).is_none();
    let mut body = BYTE_ORDER.to_le_bytes().to_vec();
    body.extend([1, 0, 0, 0]);
    body.extend(u64::MAX.to_le_bytes());
    if boot {
        option(&mut body, COMMENT, b"the clock was not set: times count from the start of the box");
    }
    option(&mut body, APPLICATION, b"linli");
    option(&mut body, 0, &[]);
    block(&mut out, SECTION, &body);

    let mut lines: Vec<Option<LineSettings>> = Vec::new();
    for frame in &recording.frames {
        if !lines.contains(&frame.line) {
            lines.push(frame.line);
            interface(&mut out, recording, frame.line);
        }
    }
    let mut connection = Connection::default();
    for frame in &recording.frames {
        let of_wall = wall(frame.at).and_then(|wall| u64::try_from(wall.unix_ms).ok());
        let ms = of_wall.filter(|_| !boot).unwrap_or(frame.at.boot_ms);
        let mut data = Vec::with_capacity(frame.bytes.len() + 40);
        if recording.mbap {
            connection.wrap(frame.way, &frame.bytes, &mut data);
        } else {
            packet::wrap_serial(ms, frame.way, &frame.bytes, &mut data);
        }
        let place = lines.iter().position(|line| *line == frame.line).unwrap_or(0);
        packet_block(&mut out, u32::try_from(place).unwrap_or(0), ms, frame.way, &data);
    }
    out
}

fn interface(out: &mut Vec<u8>, recording: &Recording, line: Option<LineSettings>) {
    let link = if recording.mbap { RAW_IP } else { RTAC_SERIAL };
    let mut body = u32::from(link).to_le_bytes().to_vec();
    body.extend([0; 4]);
    if !recording.bus.is_empty() {
        option(&mut body, NAME, recording.bus.as_bytes());
    }
    if let Some(line) = line {
        option(&mut body, DESCRIPTION, line.to_string().as_bytes());
    }
    option(&mut body, RESOLUTION, &[MILLI]);
    option(&mut body, 0, &[]);
    block(out, INTERFACE, &body);
}

fn packet_block(out: &mut Vec<u8>, interface: u32, ms: u64, way: Way, data: &[u8]) {
    let length = u32::try_from(data.len()).expect("a frame of a few kilobytes").to_le_bytes();
    let mut body = interface.to_le_bytes().to_vec();
    let [low, high] = [ms & 0xffff_ffff, ms >> 32];
    body.extend(&high.to_le_bytes()[..4]);
    body.extend(&low.to_le_bytes()[..4]);
    body.extend(length);
    body.extend(length);
    body.extend_from_slice(data);
    pad(&mut body);
    let direction: u32 = if way == Way::Received { 1 } else { 2 };
    option(&mut body, FLAGS, &direction.to_le_bytes());
    option(&mut body, 0, &[]);
    block(out, ENHANCED_PACKET, &body);
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend(code.to_le_bytes());
    body.extend(u16::try_from(value.len()).expect("a short text").to_le_bytes());
    body.extend_from_slice(value);
    pad(body);
}

fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

fn block(out: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let length = u32::try_from(body.len() + 12).expect("a block of a few kilobytes").to_le_bytes();
    out.extend(kind.to_le_bytes());
    out.extend(length);
    out.extend_from_slice(body);
    out.extend(length);
}

/// An interface of a file that is read.
struct Interface {
    link: u16,
    line: Option<LineSettings>,
    resolution: u8,
}

/// Reads numbers in the byte order of the file.
#[derive(Clone, Copy)]
struct Order {
    big: bool,
}

impl Order {
    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let two = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) })
    }

    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let four = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
    }

    fn size(self, bytes: &[u8], at: usize) -> Option<usize> {
        usize::try_from(self.u32(bytes, at)?).ok()
    }

    /// The options of a block, without the end.
    fn options(self, mut bytes: &[u8]) -> VecDeque<(u16, &[u8])> {
        let mut options = VecDeque::new();
        while let (Some(code), Some(length)) = (self.u16(bytes, 0), self.u16(bytes, 2)) {
            let length = usize::from(length);
            let Some(value) = bytes.get(4..4 + length).filter(|_| code != 0) else { break };
            options.push_back((code, value));
            bytes = bytes.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
        }
        options
    }
}

/// Reads a pcapng file; times become those since the first frame.
pub(super) fn read(file: &[u8]) -> Result<Recording, LoadFault> {
    let mut recording = Recording { bus: String::new(), mbap: false, frames: Vec::new() };
    let mut order = Order { big: false };
    let mut interfaces: Vec<Interface> = Vec::new();
    let mut first = None;
    let mut at = 0;
    while at < file.len() {
        let rest = &file[at..];
        if rest.starts_with(&MAGIC) {
            order.big = rest.get(8..12) == Some(&BYTE_ORDER.to_be_bytes());
            interfaces.clear();
        }
        let length = order.size(rest, 4).filter(|length| *length >= 12 && length % 4 == 0);
        let length = length.ok_or(LoadFault::Block { offset: at })?;
        let whole = rest.get(..length).ok_or(LoadFault::Cut { offset: at })?;
        let body = &whole[8..length - 4];
        match order.u32(rest, 0) {
            Some(INTERFACE) => interfaces.push(
                read_interface(order, body, &mut recording)
                    .ok_or(LoadFault::Block { offset: at })??,
            ),
            Some(ENHANCED_PACKET) => {
                let packet = read_packet(order, body, &interfaces);
                let (ms, frame) = packet.ok_or(LoadFault::Block { offset: at })?;
                let first = *first.get_or_insert(ms);
                if let Some(mut frame) = frame {
                    frame.at = Moment { boot_ms: ms.saturating_sub(first) };
                    recording.frames.push(frame);
                }
            }
            _ => {}
        }
        at += length;
    }
    Ok(recording)
}

fn read_interface(
    order: Order,
    body: &[u8],
    recording: &mut Recording,
) -> Option<Result<Interface, LoadFault>> {
    let link = order.u16(body, 0)?;
    if !matches!(link, RTAC_SERIAL | RAW_IP | ETHERNET) {
        return Some(Err(LoadFault::LinkType { link }));
    }
    recording.mbap |= link != RTAC_SERIAL;
    let mut interface = Interface { link, line: None, resolution: MICRO };
    for (code, value) in order.options(body.get(8..)?) {
        match code {
            NAME => recording.bus = String::from_utf8_lossy(value).into_owned(),
            DESCRIPTION => interface.line = std::str::from_utf8(value).ok().and_then(text::line),
            RESOLUTION => interface.resolution = value.first().copied().unwrap_or(MICRO),
            _ => {}
        }
    }
    Some(Ok(interface))
}

/// The time of a packet in milliseconds, and its frame, if it has one.
fn read_packet(
    order: Order,
    body: &[u8],
    interfaces: &[Interface],
) -> Option<(u64, Option<Captured>)> {
    let interface = interfaces.get(order.size(body, 0)?)?;
    let stamp = u64::from(order.u32(body, 4)?) << 32 | u64::from(order.u32(body, 8)?);
    let length = order.size(body, 12)?;
    let data = body.get(20..)?.get(..length)?;
    let options = order.options(body.get(20 + length.next_multiple_of(4)..).unwrap_or_default());
    let flags = options.iter().find(|(code, _)| *code == FLAGS);
    let direction = flags.and_then(|(_, value)| order.u32(value, 0)).unwrap_or(0) & 3;
    let frame = packet::unwrap(interface.link, data).filter(|(_, bytes)| !bytes.is_empty());
    let frame = frame.map(|(way, bytes)| Captured {
        at: Moment::default(),
        way: match direction {
            1 if interface.link == RTAC_SERIAL => Way::Received,
            2 if interface.link == RTAC_SERIAL => Way::Sent,
            _ => way,
        },
        line: interface.line,
        bytes: bytes.to_vec(),
    });
    Some((milliseconds(stamp, interface.resolution), frame))
}

fn milliseconds(stamp: u64, resolution: u8) -> u64 {
    let units = match resolution {
        // A power of two where the highest bit is set.
        power @ 0x80.. => 1u128 << (power & 0x7f).min(100),
        power => 10u128.pow(u32::from(power.min(30))),
    };
    // What is beyond every calendar stays one that other forms of the file can say.
    let most = i64::MAX.unsigned_abs();
    u64::try_from(u128::from(stamp) * 1000 / units).map_or(most, |ms| ms.min(most))
}
