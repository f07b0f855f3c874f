//! Whether a bus can carry what is asked of it: an estimate of the time that its polls take.
//!
//! A request costs the characters on the line (`characters × bits / baud`), the time the model
//! takes to answer, and the silences around frames. The answer times are typical, not worst; the
//! estimate is a bound from below, so a bus that it calls full is full.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::driver::{BusConfig, Parity, Transport};
use crate::profile::{Binding, Profile, SerialDefaults, Table};

/// Typical time from the last character of a request to the first of the answer.
const ANSWER: Duration = Duration::from_millis(20);
/// Characters of a read request over RTU: unit, function, address, count, CRC.
const REQUEST_CHARS: u32 = 8;
/// Characters of an answer around its data: unit, function, length, CRC.
const ANSWER_CHARS: u32 = 5;
/// Silence between RTU frames, in characters; above 19200 baud it is fixed.
const SILENCE_CHARS: f64 = 3.5;
const FIXED_SILENCE: Duration = Duration::from_micros(1750);

/// One device on a bus.
#[derive(Debug, Clone, Copy)]
pub struct Polled<'a> {
    /// Its profile.
    pub profile: &'a Profile,
    /// How often it is read, where a point has no period of its own.
    pub period: Duration,
}

/// What the polls of a bus cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// Share of the time that the bus is busy; above 1 it cannot keep up.
    pub load: f64,
    /// Time to read every device once.
    pub sweep: Duration,
    /// Requests of one such round.
    pub requests: usize,
}

/// Estimates what the polls of a bus cost.
pub fn budget(bus: &BusConfig, devices: &[Polled<'_>]) -> Budget {
    let mut total = Budget { load: 0.0, sweep: Duration::ZERO, requests: 0 };
    for device in devices {
        let Binding::Modbus { serial, limits, .. } = &device.profile.binding else { continue };
        for (period, reads) in reads(device) {
            let mut round = Duration::ZERO;
            for data_bytes in &reads {
                round += request_time(bus, *serial, *data_bytes) + limits.pause.max(bus.gap);
            }
            if devices.len() > 1 {
                round += limits.pause_on_switch;
            }
            total.sweep += round;
            total.requests += reads.len();
            total.load += round.as_secs_f64() / period.as_secs_f64().max(0.001);
        }
    }
    total
}

/// Time of one request and its answer of `data_bytes`.
pub fn request_time(bus: &BusConfig, serial: SerialDefaults, data_bytes: u32) -> Duration {
    let (baud, bits) = match &bus.transport {
        Transport::Tcp { .. } => return ANSWER,
        // The serial line lies behind the server; it is set as the models need it.
        Transport::RtuOverTcp { .. } => (serial.baud, frame_bits(serial.frame)),
        Transport::Serial { baud, parity, stop_bits, .. } => {
            (*baud, 9 + u32::from(*parity != Parity::None) + u32::from(*stop_bits))
        }
    };
    let char_time = f64::from(bits) / f64::from(baud.max(1));
    let chars = f64::from(REQUEST_CHARS + ANSWER_CHARS + data_bytes);
    let silence = if baud > 19_200 {
        FIXED_SILENCE
    } else {
        Duration::from_secs_f64(SILENCE_CHARS * char_time)
    };
    Duration::from_secs_f64(chars * char_time) + ANSWER + 2 * silence
}

/// Start bit, eight data bits, parity and stop bits of `8N1` and its like.
fn frame_bits(frame: [u8; 3]) -> u32 {
    9 + u32::from(frame[1] != b'N') + if frame[2] == b'2' { 2 } else { 1 }
}

/// Data bytes of each read of a device, by period: neighbours are merged as far as its limits allow.
fn reads(device: &Polled<'_>) -> BTreeMap<Duration, Vec<u32>> {
    let mut found: BTreeMap<Duration, Vec<u32>> = BTreeMap::new();
    let Binding::Modbus { limits, sources, .. } = &device.profile.binding else { return found };
    let mut spans: Vec<(Duration, Table, u32, u32)> = sources
        .iter()
        .enumerate()
        .map(|(slot, source)| {
            let own = device.profile.periods.get(slot).copied().flatten();
            let first = u32::from(source.address);
            let end = first + u32::from(source.encoding.width());
            (own.unwrap_or(device.period), source.table, first, end)
        })
        .collect();
    spans.sort_unstable();
    // Points that share a register (bits of one word) need one read, not two.
    spans.dedup();
    let mut open: Option<(Duration, Table, u32, u32)> = None;
    let mut close = |read: (Duration, Table, u32, u32)| {
        let width = read.3 - read.2;
        let bytes = if read.1.is_bits() { width.div_ceil(8) } else { width * 2 };
        found.entry(read.0).or_default().push(bytes);
    };
    for span in spans {
        let most = if span.1.is_bits() { limits.max_bits } else { limits.max_registers };
        let joins = open.is_some_and(|read| {
            let end = read.3.max(span.3);
            read.0 == span.0
                && read.1 == span.1
                && !limits.one_by_one
                && span.2 <= read.3 + u32::from(limits.max_gap)
                && end - read.2 <= u32::from(most)
                && !limits
                    .forbidden
                    .iter()
                    .any(|(first, last)| u32::from(*first) < end && u32::from(*last) >= read.2)
        });
        match &mut open {
            Some(read) if joins => read.3 = read.3.max(span.3),
            _ => {
                if let Some(done) = open.replace(span) {
                    close(done);
                }
            }
        }
    }
    if let Some(last) = open {
        close(last);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BusId;

    fn serial(baud: u32, parity: Parity) -> BusConfig {
        let path = "/dev/ttyS1".into();
        let transport = Transport::Serial { path, baud, parity, stop_bits: 1 };
        BusConfig::new(BusId::new("a").unwrap(), transport)
    }

    const FACTORY: SerialDefaults = SerialDefaults { baud: 2400, frame: *b"8E1" };

    #[test]
    fn a_request_costs_its_characters_the_answer_time_and_two_silences() {
        // 13 + 7 characters and twice 3.5, of 10 bits at 1000 bit/s each 10 ms, and 20 ms.
        let time = request_time(&serial(1000, Parity::None), FACTORY, 7);
        assert_eq!(time.as_millis(), 290);
        // The parity bit makes each character a tenth longer.
        let time = request_time(&serial(1000, Parity::Even), FACTORY, 7);
        assert_eq!(time.as_millis(), 317);
    }

    #[test]
    fn above_19200_baud_the_silence_is_fixed_and_over_tcp_there_is_none() {
        let time = request_time(&serial(100_000, Parity::None), FACTORY, 7);
        assert_eq!(time.as_micros(), 2000 + 20_000 + 3500);
        let mut bus = serial(9600, Parity::None);
        bus.transport = Transport::Tcp { address: "x:502".into() };
        assert_eq!(request_time(&bus, FACTORY, 250), ANSWER);
    }

    #[test]
    fn behind_a_serial_server_the_models_own_line_counts() {
        let mut bus = serial(9600, Parity::None);
        bus.transport = Transport::RtuOverTcp { address: "x:4001".into() };
        let behind = request_time(&bus, FACTORY, 20);
        assert_eq!(behind, request_time(&serial(2400, Parity::Even), FACTORY, 20));
    }
}
