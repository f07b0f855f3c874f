//! What is asked on a line, and which bytes of it are the answer.

use std::borrow::Cow;

use tokio_modbus::{Request, Response};

use super::session::{Answer, Fault};
use crate::driver::BusAddress;
use crate::driver::modbus::frame::{Found, find_rtu};
use crate::profile::Table;
use crate::protocol::{self, cjt188, dlt645};

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Modbus: read registers or bits.
    Registers {
        /// Unit id.
        unit: u8,
        /// Which table.
        table: Table,
        /// First address.
        address: u16,
        /// How many.
        quantity: u16,
    },
    /// Modbus: write registers, or coils as 0 and 1.
    Write {
        /// Unit id.
        unit: u8,
        /// `Holding` or `Coil`.
        table: Table,
        /// First address.
        address: u16,
        /// What is written.
        words: Vec<u16>,
        /// Functions 15 and 16 instead of 5 and 6.
        multiple: bool,
    },
    /// DL/T 645: any request that is answered.
    Dlt645 {
        /// Which edition.
        edition: dlt645::Edition,
        /// The request.
        frame: dlt645::Frame,
    },
    /// CJ/T 188: any request that is answered.
    Cjt188 {
        /// The request.
        frame: cjt188::Frame,
    },
    /// A broadcast: nobody answers.
    Tell {
        /// The whole frame.
        bytes: Vec<u8>,
    },
}

/// Characters of a Modbus read request over RTU, and of its answer around the data.
const RTU_REQUEST: usize = 8;
const RTU_ANSWER: usize = 5;
/// Characters of a Modbus write of several registers around the data; all answers to writes.
const RTU_WRITE: usize = 9;
const RTU_WRITTEN: usize = 8;
/// Characters of a usual meter's answer beyond the longest that is known: with preamble.
const METER_ANSWER: usize = 24;

impl Ask {
    /// Who is asked; `None` for a broadcast.
    pub fn address(&self) -> Option<BusAddress> {
        match self {
            Ask::Registers { unit, .. } | Ask::Write { unit, .. } => Some(BusAddress::Unit(*unit)),
            Ask::Dlt645 { frame, .. } => Some(BusAddress::Dlt645(frame.address)),
            Ask::Cjt188 { frame } => Some(BusAddress::Cjt188(frame.address)),
            Ask::Tell { .. } => None,
        }
    }

    /// Its bytes; `None` for Modbus, whose client frames it.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Ask::Registers { .. } | Ask::Write { .. } => None,
            Ask::Dlt645 { frame, .. } => Some(frame.to_bytes()),
            Ask::Cjt188 { frame } => Some(frame.to_bytes()),
            Ask::Tell { bytes } => Some(bytes.clone()),
        }
    }

    /// These bytes of the line as they may be shown: without the password of a relay command, also
    /// where an adapter hears itself.
    pub(super) fn without_password<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        let Ask::Dlt645 { frame, .. } = self else { return Cow::Borrowed(bytes) };
        let Some(shown) = dlt645::without_password(frame) else { return Cow::Borrowed(bytes) };
        let (real, shown) = (frame.to_bytes(), shown.to_bytes());
        let place = usize::from(frame.preamble) + dlt645::PASSWORD_AT;
        let (secret, blank) = (&real[place..place + 3], &shown[place..place + 3]);
        let mut bytes = bytes.to_vec();
        for at in 0..bytes.len() {
            for (real, shown) in [(real.as_slice(), shown.as_slice()), (secret, blank)] {
                if bytes[at..].starts_with(real) {
                    bytes[at..at + real.len()].copy_from_slice(shown);
                }
            }
        }
        Cow::Owned(bytes)
    }

    /// Characters of the request on a serial line.
    pub(crate) fn request_chars(&self) -> usize {
        match self {
            Ask::Registers { .. } => RTU_REQUEST,
            Ask::Write { words, multiple: true, .. } => RTU_WRITE + 2 * words.len(),
            Ask::Write { .. } => RTU_REQUEST,
            Ask::Dlt645 { frame, .. } => 12 + usize::from(frame.preamble) + frame.data.len(),
            Ask::Cjt188 { frame } => 13 + usize::from(frame.preamble) + frame.data.len(),
            Ask::Tell { bytes } => bytes.len(),
        }
    }

    /// Characters of the answer on a serial line, as far as they are known beforehand.
    pub(crate) fn answer_chars(&self) -> usize {
        match self {
            Ask::Registers { table, quantity, .. } => RTU_ANSWER + data_bytes(*table, *quantity),
            Ask::Write { .. } => RTU_WRITTEN,
            Ask::Dlt645 { frame, .. } => METER_ANSWER + frame.data.len(),
            Ask::Cjt188 { .. } => METER_ANSWER * 2,
            Ask::Tell { .. } => 0,
        }
    }

    /// Looks for the answer on a serial line. A whole frame that answers something else is skipped
    /// when `late` says that its sender still owes an answer, else told as a stray one: the answer
    /// is waited for behind both. To ask again at once would talk into it.
    pub(super) fn look(&self, bytes: &[u8], late: impl Fn(BusAddress) -> bool) -> Found {
        let stray = |from: BusAddress, end: usize, foreign: bool| {
            if late(from) { Found::Skip(end) } else { Found::Stray { end, foreign } }
        };
        match self {
            Ask::Registers { unit, table, quantity, .. } => {
                let wanted = (*unit, function(*table), data_bytes(*table, *quantity));
                find_rtu(bytes, wanted, |unit| late(BusAddress::Unit(unit)))
            }
            Ask::Write { unit, table, multiple, .. } => {
                let wanted = (*unit, write_function(*table, *multiple), RTU_WRITTEN - RTU_ANSWER);
                find_rtu(bytes, wanted, |unit| late(BusAddress::Unit(unit)))
            }
            Ask::Dlt645 { edition, frame: asked } => match dlt645::find(bytes) {
                protocol::Found::More { .. } => Found::More,
                // An adapter that hears itself returns the request.
                protocol::Found::Frame { range, frame } if !frame.is_reply() => {
                    Found::Skip(range.end)
                }
                protocol::Found::Frame { range, frame } => {
                    let foreign = !asked.address.matches(frame.address);
                    if foreign || dlt645::reply(*edition, asked, &frame).is_err() {
                        return stray(BusAddress::Dlt645(frame.address), range.end, foreign);
                    }
                    Found::Reply(range)
                }
            },
            Ask::Cjt188 { frame: asked } => match cjt188::find(bytes) {
                protocol::Found::More { .. } => Found::More,
                protocol::Found::Frame { range, frame } if !frame.is_reply() => {
                    Found::Skip(range.end)
                }
                protocol::Found::Frame { range, frame } => {
                    let foreign = !asked.address.matches(&frame.address);
                    if foreign || cjt188::reply(asked, &frame).is_err() {
                        return stray(BusAddress::Cjt188(frame.address), range.end, foreign);
                    }
                    Found::Reply(range)
                }
            },
            Ask::Tell { .. } => Found::More,
        }
    }

    /// What a whole frame that [`Ask::look`] found says.
    pub(super) fn understand(&self, bytes: &[u8]) -> Result<Answer, Fault> {
        match self {
            Ask::Dlt645 { edition, frame: asked } => match dlt645::find(bytes) {
                protocol::Found::Frame { frame, .. } => {
                    if !asked.address.matches(frame.address) {
                        return Err(Fault::Foreign);
                    }
                    dlt645::reply(*edition, asked, &frame)
                        .map(|reply| Answer::Dlt645 { address: frame.address, reply })
                        .map_err(|_mismatch| Fault::Damaged)
                }
                protocol::Found::More { .. } => Err(Fault::Damaged),
            },
            Ask::Cjt188 { frame: asked } => match cjt188::find(bytes) {
                protocol::Found::Frame { frame, .. } => {
                    if !asked.address.matches(&frame.address) {
                        return Err(Fault::Foreign);
                    }
                    cjt188::reply(asked, &frame)
                        .map(|reply| Answer::Cjt188 {
                            address: frame.address,
                            meter_type: frame.meter_type,
                            reply,
                        })
                        .map_err(|_mismatch| Fault::Damaged)
                }
                protocol::Found::More { .. } => Err(Fault::Damaged),
            },
            Ask::Registers { .. } | Ask::Write { .. } | Ask::Tell { .. } => Err(Fault::Damaged),
        }
    }
}

/// Bytes of data in the answer to a read.
pub(super) fn data_bytes(table: Table, quantity: u16) -> usize {
    let quantity = usize::from(quantity);
    if table.is_bits() { quantity.div_ceil(8) } else { quantity * 2 }
}

/// What a Modbus request wants in its answer: unit, function, bytes of data. The answer to a write
/// repeats address and value, or address and number, and has no count.
pub(super) fn rtu_wanted(request: &[u8]) -> Option<(u8, u8, usize)> {
    let &[unit, function, _, _, high, low, ..] = request else { return None };
    if function > 4 {
        return Some((unit, function, RTU_WRITTEN - RTU_ANSWER));
    }
    let quantity = usize::from(u16::from_be_bytes([high, low]));
    let count = if function <= 2 { quantity.div_ceil(8) } else { quantity * 2 };
    Some((unit, function, count))
}

/// The function that reads a table.
pub(super) fn function(table: Table) -> u8 {
    match table {
        Table::Coil => 1,
        Table::DiscreteInput => 2,
        Table::Holding => 3,
        Table::Input => 4,
    }
}

/// The request of the Modbus client.
pub(super) fn request(table: Table, address: u16, quantity: u16) -> Request<'static> {
    match table {
        Table::Coil => Request::ReadCoils(address, quantity),
        Table::DiscreteInput => Request::ReadDiscreteInputs(address, quantity),
        Table::Holding => Request::ReadHoldingRegisters(address, quantity),
        Table::Input => Request::ReadInputRegisters(address, quantity),
    }
}

/// The function that writes a table; nothing else can be written.
fn write_function(table: Table, multiple: bool) -> u8 {
    match (table.is_bits(), multiple) {
        (true, false) => 5,
        (false, false) => 6,
        (true, true) => 15,
        (false, true) => 16,
    }
}

/// The request of the Modbus client that writes.
pub(super) fn write_request(
    table: Table,
    address: u16,
    words: &[u16],
    multiple: bool,
) -> Request<'_> {
    let first = words.first().copied().unwrap_or(0);
    match write_function(table, multiple) {
        5 => Request::WriteSingleCoil(address, first != 0),
        6 => Request::WriteSingleRegister(address, first),
        15 => Request::WriteMultipleCoils(address, words.iter().map(|word| *word != 0).collect()),
        _ => Request::WriteMultipleRegisters(address, Cow::Borrowed(words)),
    }
}

/// Whether the answer to a write is that to this one. An adapter that hears itself returns the
/// request, which of functions 5 and 6 is the same: only what is read back tells them apart.
pub(super) fn check_written(
    response: &Response,
    address: u16,
    words: &[u16],
) -> Result<Answer, Fault> {
    let first = words.first().copied().unwrap_or(0);
    let fits = match response {
        Response::WriteSingleCoil(at, on) => (*at, *on) == (address, first != 0),
        Response::WriteSingleRegister(at, word) => (*at, *word) == (address, first),
        Response::WriteMultipleCoils(at, count) | Response::WriteMultipleRegisters(at, count) => {
            (*at, usize::from(*count)) == (address, words.len())
        }
        _ => false,
    };
    if fits { Ok(Answer::Written) } else { Err(Fault::Damaged) }
}

/// The client checks the length of a reply in debug builds only; a short one is no data.
pub(super) fn check(response: Response, quantity: u16) -> Result<Answer, Fault> {
    let quantity = usize::from(quantity);
    match response {
        Response::ReadHoldingRegisters(words) | Response::ReadInputRegisters(words)
            if words.len() == quantity =>
        {
            Ok(Answer::Words(words))
        }
        Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits)
            if bits.len().div_ceil(8) == quantity.div_ceil(8) =>
        {
            Ok(Answer::Bits(bits))
        }
        _ => Err(Fault::Damaged),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::dlt645::{DataId, Edition};

    #[test]
    fn a_late_answer_to_an_older_question_does_not_end_the_wait_for_the_new_one() {
        let meter = "000000000001".parse().unwrap();
        let ask = |id| dlt645::read(Edition::V2007, meter, DataId(id));
        let answer =
            |id| dlt645::answer_data(&ask(id), DataId(id), &[1, 2], false, None).to_bytes();
        let asked = Ask::Dlt645 { edition: Edition::V2007, frame: ask(0x0201_0100) };
        let late = answer(0x0001_0000);
        let both = [late.clone(), answer(0x0201_0100)].concat();
        assert_eq!(asked.look(&both, |_| false), Found::Stray { end: late.len(), foreign: false });
        assert!(matches!(asked.look(&both[late.len()..], |_| false), Found::Reply(_)));
        assert_eq!(asked.look(&both, |_| true), Found::Skip(late.len()));
    }

    #[test]
    fn a_password_is_shown_neither_in_a_request_nor_in_its_echo_whole_or_broken() {
        let time = crate::protocol::MeterTime {
            year: 2026,
            month: 1,
            day: 2,
            hour: 3,
            minute: 4,
            second: 5,
        };
        let relay = |password| dlt645::Relay {
            act: dlt645::RelayAct::Trip,
            level: 2,
            password,
            operator: [0, 0, 0, 1],
            valid_until: time,
        };
        let meter = "000000000001".parse().unwrap();
        let frame = dlt645::relay(meter, &relay([0x12, 0x34, 0x56]));
        let sent = frame.to_bytes();
        let ask = Ask::Dlt645 { edition: Edition::V2007, frame };
        let shown = dlt645::relay(meter, &relay([0; 3])).to_bytes();
        assert_eq!(ask.without_password(&sent).as_ref(), shown, "a whole frame, with its sum");
        let broken = ask.without_password(&sent[9..20]).into_owned();
        assert!(!broken.windows(3).any(|three| three == [0x56 + 0x33, 0x34 + 0x33, 0x12 + 0x33]));
    }
}
