//! What a master asks and a meter answers.

use super::{Address, DataId, DiOrder, Frame, MeterType, Status};

const READ: u8 = 0x01;
const READ_ADDRESS: u8 = 0x03;
const WRITE: u8 = 0x04;
const READ_KEY_VERSION: u8 = 0x09;
const REPLY: u8 = 0x80;
const REFUSAL: u8 = 0xC0;
/// Preamble bytes that a request carries: enough for receivers that lose the first ones.
const REQUEST_PREAMBLE: u8 = 4;

/// What a valve is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValveAct {
    /// 55H.
    Open,
    /// 99H.
    Close,
}

fn request(
    meter_type: MeterType,
    address: Address,
    control: u8,
    id: DataId,
    order: DiOrder,
    rest: &[u8],
) -> Frame {
    let mut data = id.to_wire(order).to_vec();
    data.extend(rest);
    Frame { preamble: REQUEST_PREAMBLE, meter_type, address, control, data }
}

/// Asks for data.
pub fn read(meter_type: MeterType, address: Address, id: DataId, order: DiOrder, ser: u8) -> Frame {
    request(meter_type, address, READ, id, order, &[ser])
}

/// Asks a meter for its address; `address` is mostly [`Address::ANY`], with one meter on the line.
pub fn read_address(meter_type: MeterType, address: Address, order: DiOrder, ser: u8) -> Frame {
    request(meter_type, address, READ_ADDRESS, DataId::ADDRESS, order, &[ser])
}

/// Opens or closes a valve.
pub fn valve(
    meter_type: MeterType,
    address: Address,
    order: DiOrder,
    ser: u8,
    act: ValveAct,
) -> Frame {
    let code = match act {
        ValveAct::Open => 0x55,
        ValveAct::Close => 0x99,
    };
    request(meter_type, address, WRITE, DataId::VALVE, order, &[ser, code])
}

/// What a meter answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// To a read.
    Data {
        /// The identifier.
        id: DataId,
        /// Its byte order in the answer: this meter's order.
        order: DiOrder,
        /// Sequence number of the answer; some meters do not echo the request's.
        ser: u8,
        /// What follows the sequence number.
        body: Vec<u8>,
    },
    /// To a question for the address.
    Address(Address),
    /// A write was done.
    Done {
        /// The status, when the answer carries one.
        status: Option<Status>,
    },
    /// The meter refuses; its data as they came (mostly a sequence number and a status).
    Refused(Vec<u8>),
}

/// Why a frame is not the answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// A request, mostly the echo of the own one.
    #[error("the frame is a request (control code {control:02X}H), not an answer")]
    NotReply {
        /// Control code.
        control: u8,
    },
    /// Another function.
    #[error("the answer is to function {got:02X}H, asked was {asked:02X}H")]
    Function {
        /// Of the request.
        asked: u8,
        /// Of the answer.
        got: u8,
    },
    /// Another meter.
    #[error("meter {got} answered, asked was {asked}")]
    Address {
        /// Of the request.
        asked: Address,
        /// Of the answer.
        got: Address,
    },
    /// A meter for something else.
    #[error("a meter of type {:02X}H answered, asked was {:02X}H", got.0, asked.0)]
    Kind {
        /// Of the request.
        asked: MeterType,
        /// Of the answer.
        got: MeterType,
    },
    /// Another identifier.
    #[error("the answer carries identifier {got}, asked was {asked}")]
    Identifier {
        /// Of the request.
        asked: DataId,
        /// Of the answer.
        got: DataId,
    },
    /// Fewer bytes than identifier and sequence.
    #[error("the answer has {got} bytes of data, at least {needed} are needed")]
    Short {
        /// Bytes there.
        got: usize,
        /// Bytes needed.
        needed: usize,
    },
}

/// Reads `answer` as the answer to `request`. Tolerated, because meters of the field do it: another
/// sequence number, another type of the same kind (20H asked, 25H answers), the other byte order of
/// the identifier, more bytes than asked. The address must match, `AAH` fits all.
///
/// # Errors
/// The frame answers something else, or nothing.
pub fn reply(request: &Frame, answer: &Frame) -> Result<Reply, Mismatch> {
    if !answer.is_reply() {
        return Err(Mismatch::NotReply { control: answer.control });
    }
    let asked = request.function();
    if answer.function() != asked {
        return Err(Mismatch::Function { asked, got: answer.function() });
    }
    if !request.address.matches(&answer.address) {
        return Err(Mismatch::Address { asked: request.address, got: answer.address });
    }
    let (wanted, given) = (request.meter_type.kind(), answer.meter_type.kind());
    if wanted != given && wanted != super::Kind::Unknown && given != super::Kind::Unknown {
        return Err(Mismatch::Kind { asked: request.meter_type, got: answer.meter_type });
    }
    if answer.is_refusal() {
        return Ok(Reply::Refused(answer.data.clone()));
    }
    let (id, order) = same_identifier(request, answer)?;
    let ser = *answer.data.get(2).ok_or(Mismatch::Short { got: answer.data.len(), needed: 3 })?;
    let body = &answer.data[3..];
    Ok(match asked {
        READ | READ_KEY_VERSION => Reply::Data { id, order, ser, body: body.to_vec() },
        READ_ADDRESS => Reply::Address(answer.address),
        _ => Reply::Done { status: body.first_chunk().map(|&status| Status(status)) },
    })
}

/// The identifier of the request, when the answer carries it in either order.
fn same_identifier(request: &Frame, answer: &Frame) -> Result<(DataId, DiOrder), Mismatch> {
    let short = |data: &[u8]| Mismatch::Short { got: data.len(), needed: 3 };
    let asked = *request.data.first_chunk().ok_or_else(|| short(&request.data))?;
    let got = *answer.data.first_chunk().ok_or_else(|| short(&answer.data))?;
    let (id, order) = DataId::from_wire(asked);
    if got == asked {
        Ok((id, order))
    } else if got == [asked[1], asked[0]] {
        Ok((id, order.other()))
    } else {
        Err(Mismatch::Identifier { asked: id, got: DataId::from_wire(got).0 })
    }
}

fn answer(request: &Frame, control: u8, data: Vec<u8>) -> Frame {
    Frame {
        preamble: 0,
        meter_type: request.meter_type,
        address: request.address,
        control: request.function() | control,
        data,
    }
}

/// Identifier of the request in `order`, and its sequence number (0 when it has none).
fn echo(request: &Frame, order: DiOrder) -> Vec<u8> {
    let wire = request.data.first_chunk().copied().unwrap_or_default();
    let mut data = DataId::from_wire(wire).0.to_wire(order).to_vec();
    data.push(request.data.get(2).copied().unwrap_or(0));
    data
}

/// A meter's answer to a read. Type and address are the request's: a meter that was asked by wild
/// card overwrites them with its own.
pub fn answer_data(request: &Frame, order: DiOrder, body: &[u8]) -> Frame {
    let mut data = echo(request, order);
    data.extend(body);
    answer(request, REPLY, data)
}

/// A meter's answer to the question for its address.
pub fn answer_address(
    request: &Frame,
    order: DiOrder,
    meter_type: MeterType,
    address: Address,
) -> Frame {
    Frame { meter_type, address, ..answer(request, REPLY, echo(request, order)) }
}

/// A meter's answer to a write that it did.
pub fn answer_done(request: &Frame, order: DiOrder, status: Option<Status>) -> Frame {
    let mut data = echo(request, order);
    data.extend(status.iter().flat_map(|status| status.0));
    answer(request, REPLY, data)
}

/// A meter's refusal: sequence number and status.
pub fn answer_refused(request: &Frame, status: Status) -> Frame {
    let ser = request.data.get(2).copied().unwrap_or(0);
    answer(request, REFUSAL, vec![ser, status.0[0], status.0[1]])
}
