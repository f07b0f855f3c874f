//! What stands around a frame in a capture file, so that Wireshark takes it apart.
//!
//! ```text
//! RTAC serial (250)   time(4+4) event(1) control lines(1) footer(2) frame        big endian
//! raw IP (101)        IPv4(20) TCP(20) frame     one connection from 192.0.2.1:49152 to 192.0.2.2:502
//! Ethernet (1)        addresses(12) type(2) IPv4 TCP frame                       only read
//! ```

use super::Way;

/// LINKTYPE_RTAC_SERIAL.
pub(super) const RTAC_SERIAL: u16 = 250;
/// LINKTYPE_RAW.
pub(super) const RAW_IP: u16 = 101;
/// LINKTYPE_ETHERNET.
pub(super) const ETHERNET: u16 = 1;

const RTAC_HEAD: usize = 12;
/// Data is being sent.
const TX_START: u8 = 1;
/// Data is being received.
const RX_START: u8 = 2;
/// The last of its data was sent, received.
const TX_END: u8 = 3;
const RX_END: u8 = 4;

const IP_HEAD: usize = 20;
const TCP_HEAD: usize = 20;
/// Addresses for documentation (RFC 5737).
const MASTER: ([u8; 4], u16) = ([192, 0, 2, 1], 49152);
const SLAVE: ([u8; 4], u16) = ([192, 0, 2, 2], MODBUS_PORT);
const MODBUS_PORT: u16 = 502;
const TCP: u8 = 6;
const PSH_ACK: u8 = 0x18;

/// A serial frame with its pseudo header; `ms` is the time that the packet carries.
pub(super) fn wrap_serial(ms: u64, way: Way, frame: &[u8], into: &mut Vec<u8>) {
    // Wrong only after the year 2106.
    let seconds = u32::try_from(ms / 1000).unwrap_or(u32::MAX);
    let micros = u32::try_from(ms % 1000 * 1000).expect("less than a second");
    into.extend(seconds.to_be_bytes());
    into.extend(micros.to_be_bytes());
    into.extend([if way == Way::Sent { TX_START } else { RX_START }, 0, 0, 0]);
    into.extend_from_slice(frame);
}

/// Numbers the bytes of the invented connection.
#[derive(Debug, Default)]
pub(super) struct Connection {
    sent: u32,
    received: u32,
}

impl Connection {
    /// A frame of Modbus TCP with headers.
    pub(super) fn wrap(&mut self, way: Way, frame: &[u8], into: &mut Vec<u8>) {
        let length = u32::try_from(frame.len()).expect("a frame of a few hundred bytes");
        let (from, to, seq, ack) = match way {
            Way::Sent => (MASTER, SLAVE, self.sent, self.received),
            Way::Received => (SLAVE, MASTER, self.received, self.sent),
        };
        match way {
            Way::Sent => self.sent = seq.wrapping_add(length),
            Way::Received => self.received = seq.wrapping_add(length),
        }
        let total = u16::try_from(IP_HEAD + TCP_HEAD + frame.len()).unwrap_or(u16::MAX);
        let mut ip = [0; IP_HEAD];
        ip[0] = 0x45;
        ip[2..4].copy_from_slice(&total.to_be_bytes());
        ip[6] = 0x40;
        ip[8] = 64;
        ip[9] = TCP;
        ip[12..16].copy_from_slice(&from.0);
        ip[16..].copy_from_slice(&to.0);
        let sum = internet_sum(&[&ip]);
        ip[10..12].copy_from_slice(&sum.to_be_bytes());
        let mut tcp = [0; TCP_HEAD];
        tcp[..2].copy_from_slice(&from.1.to_be_bytes());
        tcp[2..4].copy_from_slice(&to.1.to_be_bytes());
        tcp[4..8].copy_from_slice(&seq.wrapping_add(1).to_be_bytes());
        tcp[8..12].copy_from_slice(&ack.wrapping_add(1).to_be_bytes());
        tcp[12] = 5 << 4;
        tcp[13] = PSH_ACK;
        tcp[14..16].copy_from_slice(&u16::MAX.to_be_bytes());
        let segment = (total - IP_HEAD as u16).to_be_bytes();
        let sum = internet_sum(&[&from.0, &to.0, &[0, TCP], &segment, &tcp, frame]);
        tcp[16..18].copy_from_slice(&sum.to_be_bytes());
        into.extend(ip);
        into.extend(tcp);
        into.extend_from_slice(frame);
    }
}

/// The internet check sum (RFC 1071) of parts of even length; the last may be odd.
fn internet_sum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0u32;
    for pair in parts.iter().flat_map(|part| part.chunks(2)) {
        let low = pair.get(1).copied().unwrap_or(0);
        sum += u32::from(u16::from_be_bytes([pair[0], low]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).expect("was folded")
}

/// The frame in a packet of this link type and which way it went; `None` for packets without one.
pub(super) fn unwrap(link: u16, packet: &[u8]) -> Option<(Way, &[u8])> {
    match link {
        RTAC_SERIAL => {
            let (head, frame) = packet.split_at_checked(RTAC_HEAD)?;
            let way = match head[8] {
                TX_START | TX_END => Way::Sent,
                RX_START | RX_END => Way::Received,
                _ => return None,
            };
            Some((way, frame))
        }
        RAW_IP => modbus_of_ip(packet),
        ETHERNET => {
            let (head, rest) = packet.split_at_checked(14)?;
            if head[12..] == [0x08, 0x00] { modbus_of_ip(rest) } else { None }
        }
        _ => None,
    }
}

fn modbus_of_ip(packet: &[u8]) -> Option<(Way, &[u8])> {
    let total = usize::from(u16::from_be_bytes([*packet.get(2)?, *packet.get(3)?]));
    // Ethernet pads short packets.
    let packet = packet.get(..total)?;
    let first = *packet.first()?;
    if first >> 4 != 4 || *packet.get(9)? != TCP {
        return None;
    }
    let tcp = packet.get(usize::from(first & 0x0f) * 4..)?;
    let (ports, _) = tcp.split_first_chunk::<4>()?;
    let frame = tcp.get(usize::from(tcp.get(12)? >> 4) * 4..)?;
    let from = u16::from_be_bytes([ports[0], ports[1]]);
    let to = u16::from_be_bytes([ports[2], ports[3]]);
    match (from, to) {
        (_, MODBUS_PORT) => Some((Way::Sent, frame)),
        (MODBUS_PORT, _) => Some((Way::Received, frame)),
        _ => None,
    }
}
