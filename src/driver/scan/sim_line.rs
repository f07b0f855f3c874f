//! A line with devices on it, for tests: in memory, without time.

use std::collections::BTreeMap;

use super::ScanProbe;
use crate::driver::bus::{Answer, Ask, Fault, Heard};
use crate::driver::{LineSettings, Parity};
use crate::profile::Table;
use crate::protocol::cjt188::{self, DiOrder, MeterType};
use crate::protocol::dlt645::{self, Edition};
use crate::protocol::{self};

pub(super) const M2400: LineSettings =
    LineSettings { baud: 2400, parity: Parity::Even, stop_bits: 1 };
pub(super) const N9600: LineSettings =
    LineSettings { baud: 9600, parity: Parity::None, stop_bits: 1 };

/// A simulated device.
pub(super) enum Sim {
    Dlt645 {
        address: dlt645::Address,
        edition: Edition,
        wild_address: bool,
    },
    Cjt188 {
        address: cjt188::Address,
        meter_type: MeterType,
        order: DiOrder,
        any_type: bool,
    },
    Modbus {
        unit: u8,
        registers: BTreeMap<(Table, u16), u16>,
    },
    /// Speaks into every answer.
    Noise,
}

pub(super) struct Line {
    /// Setting, time to the answer in ms, device.
    pub(super) devices: Vec<(LineSettings, u64, Sim)>,
    pub(super) asked: usize,
}

/// Whole frames in the time of 60 ms; answers nearer to each other are damaged.
const FRAME_MS: u64 = 60;

impl Sim {
    fn bytes(&self, ask: &Ask) -> Option<Vec<u8>> {
        match (self, ask) {
            (Sim::Noise, _) => Some(vec![0x5A, 0x13, 0x77, 0x91, 0x0D]),
            (Sim::Dlt645 { address, edition, wild_address }, Ask::Dlt645 { frame, .. }) => {
                if !frame.address.matches(*address) || Edition::of(frame) != *edition {
                    return None;
                }
                if frame.function() == 0x13 {
                    let any = frame.address == dlt645::Address::ANY;
                    let hears = any || frame.address == *address || *wild_address;
                    return hears.then(|| dlt645::answer_address(frame, *address).to_bytes());
                }
                let id = dlt645::DataId::from_wire(*edition, &frame.data)?;
                let mut answer =
                    dlt645::answer_data(frame, id, &[0x78, 0x56, 0x34, 0x12], false, None);
                answer.address = *address;
                Some(answer.to_bytes())
            }
            (Sim::Cjt188 { address, meter_type, order, any_type }, Ask::Cjt188 { frame }) => {
                let right = frame.meter_type == *meter_type
                    || (*any_type && frame.meter_type == MeterType::ANY);
                let wire: [u8; 2] = *frame.data.first_chunk()?;
                let same = cjt188::DataId::from_wire(wire).1 == *order;
                if !frame.address.matches(address) || !right || !same || frame.function() != 1 {
                    return None;
                }
                let mut body = vec![0x00, 0x45, 0x01, 0x00, 0x2C, 0x00, 0x00, 0x00, 0x00, 0x2C];
                body.extend([0x00, 0x30, 0x12, 0x01, 0x11, 0x26, 0x20, 0x00, 0x00]);
                let mut answer = cjt188::answer_data(frame, *order, &body);
                (answer.address, answer.meter_type) = (*address, *meter_type);
                Some(answer.to_bytes())
            }
            _ => None,
        }
    }
}

impl Line {
    pub(super) fn new(devices: Vec<(LineSettings, u64, Sim)>) -> Self {
        Self { devices, asked: 0 }
    }

    pub(super) fn answer(&mut self, probe: &ScanProbe) -> Heard {
        self.asked += 1;
        let here = || self.devices.iter().filter(|(line, ..)| *line == probe.line);
        if let Ask::Registers { unit, table, address, quantity } = probe.ask {
            let asked: Vec<_> = here()
                .filter_map(|(_, _, sim)| match sim {
                    Sim::Modbus { unit: own, registers } if *own == unit => Some(registers),
                    _ => None,
                })
                .collect();
            let noisy = here().any(|(_, _, sim)| matches!(sim, Sim::Noise));
            return match asked.as_slice() {
                [] if noisy => heard(Err(Fault::Damaged), vec![0x5A, 0x13, 0x77, 0x91]),
                [] => heard(Err(Fault::Silent), Vec::new()),
                [registers] => {
                    let words: Option<Vec<u16>> = (address..address.saturating_add(quantity))
                        .map(|at| registers.get(&(table, at)).copied())
                        .collect();
                    let answer = match words {
                        Some(words) if table.is_bits() => {
                            Answer::Bits(words.iter().map(|word| *word != 0).collect())
                        }
                        Some(words) => Answer::Words(words),
                        None => Answer::Exception(2),
                    };
                    heard(Ok(answer), vec![0; 7])
                }
                _ => heard(Err(Fault::Damaged), vec![0x41, 0x42, 0x43, 0x44]),
            };
        }
        let mut answers: Vec<(u64, Vec<u8>)> = here()
            .filter_map(|(_, delay, sim)| sim.bytes(&probe.ask).map(|bytes| (*delay, bytes)))
            .collect();
        answers.sort();
        let starts: Vec<u64> = answers.iter().map(|answer| answer.0).collect();
        let listened = !probe.listen.is_zero();
        let mut bytes = Vec::new();
        for (place, (start, answer)) in answers.into_iter().enumerate() {
            let near = |other: &u64| start.abs_diff(*other) < FRAME_MS;
            let over = starts.iter().enumerate().any(|(other, at)| other != place && near(at));
            if place > 0 && !over && !listened {
                break;
            }
            // Two drivers on one pair: what arrives is neither.
            let damage =
                |(n, byte): (usize, u8)| if over && n % 3 == 1 { byte & 0x52 } else { byte };
            bytes.extend(answer.into_iter().enumerate().map(damage));
        }
        heard(first_answer(&probe.ask, &bytes), bytes)
    }
}

pub(super) fn heard(outcome: Result<Answer, Fault>, bytes: Vec<u8>) -> Heard {
    Heard { outcome, bytes, answer_time: None }
}

/// As the session takes it: the first whole frame counts.
fn first_answer(ask: &Ask, bytes: &[u8]) -> Result<Answer, Fault> {
    match ask {
        _ if bytes.is_empty() => Err(Fault::Silent),
        Ask::Dlt645 { edition, frame: asked } => match dlt645::find(bytes) {
            protocol::Found::Frame { frame, .. } => dlt645::reply(*edition, asked, &frame)
                .map(|reply| Answer::Dlt645 { address: frame.address, reply })
                .map_err(|_| Fault::Damaged),
            protocol::Found::More { .. } => Err(Fault::Damaged),
        },
        Ask::Cjt188 { frame: asked } => match cjt188::find(bytes) {
            protocol::Found::Frame { frame, .. } => cjt188::reply(asked, &frame)
                .map(|reply| Answer::Cjt188 {
                    address: frame.address,
                    meter_type: frame.meter_type,
                    reply,
                })
                .map_err(|_| Fault::Damaged),
            protocol::Found::More { .. } => Err(Fault::Damaged),
        },
        _ => Err(Fault::Damaged),
    }
}
