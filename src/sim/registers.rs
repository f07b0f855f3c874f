//! The registers and bits that a simulated unit holds. As strict as a real device: an address
//! that the model does not have, or a read larger than it bears, is refused.

use crate::model::Value;
use crate::profile::{Encoding, Limits, RegisterSource, Table, encode_words};

/// Modbus exception codes (Modbus Application Protocol 1.1b3, section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Code 1.
    IllegalFunction,
    /// Code 2.
    IllegalAddress,
    /// Code 3.
    IllegalValue,
}

impl Refusal {
    /// The code on the wire.
    pub fn code(self) -> u8 {
        match self {
            Refusal::IllegalFunction => 1,
            Refusal::IllegalAddress => 2,
            Refusal::IllegalValue => 3,
        }
    }
}

#[derive(Debug, Clone)]
struct Segment {
    first: u16,
    words: Vec<u16>,
}

/// Register tables of one unit: sorted stretches, so that thousands of units cost little.
#[derive(Debug, Clone)]
pub struct RegisterImage {
    tables: [Vec<Segment>; 4],
    max_registers: u16,
    max_bits: u16,
    /// Stretches that are refused: table, first, last.
    withheld: Vec<(Table, u16, u16)>,
}

fn slot(table: Table) -> usize {
    match table {
        Table::Coil => 0,
        Table::DiscreteInput => 1,
        Table::Holding => 2,
        Table::Input => 3,
    }
}

impl RegisterImage {
    /// Room for all sources of a model. Addresses between two sources are readable where the
    /// limits allow to read over them, as zeros.
    pub fn new(sources: &[RegisterSource], limits: &Limits) -> Self {
        let mut tables: [Vec<Segment>; 4] = Default::default();
        for table in [Table::Coil, Table::DiscreteInput, Table::Holding, Table::Input] {
            let mut spans: Vec<(u32, u32)> = sources
                .iter()
                .filter(|source| source.table == table)
                .map(|source| {
                    let first = u32::from(source.address);
                    (first, first + u32::from(source.encoding.width()))
                })
                .collect();
            spans.sort_unstable();
            let mut merged: Vec<(u32, u32)> = Vec::new();
            for (first, end) in spans {
                match merged.last_mut() {
                    Some(last)
                        if first <= last.1 + u32::from(limits.max_gap)
                            && !crosses(limits, last.1, first) =>
                    {
                        last.1 = last.1.max(end);
                    }
                    _ => merged.push((first, end)),
                }
            }
            tables[slot(table)] = merged
                .into_iter()
                .filter_map(|(first, end)| {
                    let first = u16::try_from(first).ok()?;
                    let words = vec![0; (end.min(65_536) - u32::from(first)) as usize];
                    Some(Segment { first, words })
                })
                .collect();
        }
        let (max_registers, max_bits) = (limits.max_registers, limits.max_bits);
        Self { tables, max_registers, max_bits, withheld: Vec::new() }
    }

    /// These registers (or bits as 0 and 1) and no others, readable as far as the specification
    /// allows: 125 registers, 2000 bits at once. Stretches that meet are not read over their seam.
    pub fn of(stretches: &[(Table, u16, &[u16])]) -> Self {
        let mut tables: [Vec<Segment>; 4] = Default::default();
        for &(table, first, words) in stretches {
            tables[slot(table)].push(Segment { first, words: words.to_vec() });
        }
        tables.iter_mut().for_each(|segments| segments.sort_by_key(|segment| segment.first));
        Self { tables, max_registers: 125, max_bits: 2000, withheld: Vec::new() }
    }

    /// Refuses every read that touches one of these sources, and no other.
    pub fn withhold<'s>(&mut self, sources: impl Iterator<Item = &'s RegisterSource>) {
        let stretch = |source: &RegisterSource| {
            let more = source.encoding.width().saturating_sub(1);
            (source.table, source.address, source.address.saturating_add(more))
        };
        self.withheld.clear();
        self.withheld.extend(sources.map(stretch));
    }

    /// Changes one register or bit. `false`: there is none.
    pub fn set(&mut self, table: Table, address: u16, word: u16) -> bool {
        match self.place_mut(table, address, 1) {
            Some(place) => {
                place[0] = word;
                true
            }
            None => false,
        }
    }

    /// Writes a value where the source has it. `factor` as for `encode_words`.
    /// Returns `false` when the value does not fit the model; the registers stay as they are.
    pub fn store(&mut self, source: &RegisterSource, value: &Value, factor: f64) -> bool {
        let Ok(words) = encode_words(source, value, factor) else { return false };
        let count = words.len();
        let Some(place) = self.place_mut(source.table, source.address, count) else { return false };
        if let Encoding::Bits { low, len } = source.encoding {
            // Several points share the register.
            let mask = (u16::MAX >> (16 - u16::from(len))) << low;
            place[0] = place[0] & !mask | words[0] & mask;
        } else {
            place.copy_from_slice(&words);
        }
        true
    }

    /// Registers, or bits as 0 and 1.
    ///
    /// # Errors
    /// What a device answers with.
    pub fn read(&self, table: Table, first: u16, count: u16) -> Result<&[u16], Refusal> {
        let most = if table.is_bits() { self.max_bits } else { self.max_registers };
        if count == 0 || count > most {
            return Err(Refusal::IllegalValue);
        }
        let last = first.saturating_add(count - 1);
        let touched =
            |&(of, from, to): &(Table, u16, u16)| of == table && from <= last && to >= first;
        if self.withheld.iter().any(touched) {
            return Err(Refusal::IllegalAddress);
        }
        let segments = &self.tables[slot(table)];
        let after = segments.partition_point(|segment| segment.first <= first);
        let segment = segments[..after].last().ok_or(Refusal::IllegalAddress)?;
        let begin = usize::from(first - segment.first);
        segment.words.get(begin..begin + usize::from(count)).ok_or(Refusal::IllegalAddress)
    }

    fn place_mut(&mut self, table: Table, first: u16, count: usize) -> Option<&mut [u16]> {
        let segments = &mut self.tables[slot(table)];
        let after = segments.partition_point(|segment| segment.first <= first);
        let segment = segments[..after].last_mut()?;
        let begin = usize::from(first - segment.first);
        segment.words.get_mut(begin..begin + count)
    }
}

/// Whether a forbidden range lies between the end of one stretch and the begin of the next.
fn crosses(limits: &Limits, end: u32, next: u32) -> bool {
    limits.forbidden.iter().any(|&(first, last)| u32::from(first) < next && u32::from(last) >= end)
}
