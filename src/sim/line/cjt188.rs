//! A water, gas or heat meter that speaks CJ/T 188.

use std::collections::BTreeMap;

use crate::protocol::cjt188::{
    Address, DataId, DiOrder, Frame, MeterType, Status, answer_address, answer_data, answer_done,
    answer_refused,
};

const READ: u8 = 0x01;
const READ_ADDRESS: u8 = 0x03;
const WRITE: u8 = 0x04;
const OPEN: u8 = 0x55;
/// What some vendors mean by "open whatever the meter thinks".
const FORCE_OPEN: u8 = 0x66;
const CLOSE: u8 = 0x99;
/// Bits of the status that tell where the valve stands.
const VALVE_BITS: u8 = 3;

/// A meter.
#[derive(Debug, Clone)]
pub struct Cjt188Meter {
    meter_type: MeterType,
    address: Address,
    table: BTreeMap<DataId, Vec<u8>>,
    order: Option<DiOrder>,
    only: Option<DiOrder>,
    reply_type: Option<MeterType>,
    ser: Option<u8>,
    preamble: u8,
    closed: Option<bool>,
}

impl Cjt188Meter {
    /// A meter without values. It understands both orders of the identifier and answers in that of
    /// the request.
    pub fn new(meter_type: MeterType, address: Address) -> Self {
        Self {
            meter_type,
            address,
            table: BTreeMap::new(),
            order: None,
            only: None,
            reply_type: None,
            ser: None,
            preamble: 0,
            closed: None,
        }
    }

    /// Gives it data: what follows identifier and sequence number; for 901F see
    /// [`volume_body`](super::volume_body) and [`heat_body`](super::heat_body).
    #[must_use]
    pub fn with(mut self, id: u16, body: &[u8]) -> Self {
        self.set(DataId(id), body.to_vec());
        self
    }

    /// Answers in this order, whatever it was asked in.
    #[must_use]
    pub fn answers_in(mut self, order: DiOrder) -> Self {
        self.order = Some(order);
        self
    }

    /// Understands only this order; the other means an identifier that it does not have.
    #[must_use]
    pub fn only(mut self, order: DiOrder) -> Self {
        self.only = Some(order);
        self
    }

    /// Answers with this type, as some heat meters do (25H for 20H).
    #[must_use]
    pub fn answers_as(mut self, meter_type: MeterType) -> Self {
        self.reply_type = Some(meter_type);
        self
    }

    /// Does not echo the sequence number but sends this one.
    #[must_use]
    pub fn own_sequence(mut self, ser: u8) -> Self {
        self.ser = Some(ser);
        self
    }

    /// Preamble bytes before its answers, 0..=5.
    #[must_use]
    pub fn preamble(mut self, count: u8) -> Self {
        self.preamble = count.min(5);
        self
    }

    /// Its address.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Its type.
    pub fn meter_type(&self) -> MeterType {
        self.meter_type
    }

    /// Changes data.
    pub fn set(&mut self, id: DataId, body: Vec<u8>) {
        self.table.insert(id, body);
    }

    /// Takes data away: they are refused from now on.
    pub fn remove(&mut self, id: DataId) {
        self.table.remove(&id);
    }

    /// Where its valve was driven to; `None` when it was never told.
    pub fn is_valve_closed(&self) -> Option<bool> {
        self.closed
    }

    /// Whether the frame is a question to it, by its address or wild cards.
    pub(super) fn is_asked(&self, request: &Frame) -> bool {
        let any = matches!(request.meter_type.0, 0x00 | 0xAA);
        request.address.matches(&self.address)
            && (any || request.meter_type.kind() == self.meter_type.kind())
    }

    /// Its answer, if it gives one.
    pub(super) fn answer(&mut self, request: &Frame, refuse: Option<u8>) -> Option<Vec<u8>> {
        if !self.is_asked(request) {
            return None;
        }
        let (mut id, asked) = DataId::from_wire(*request.data.first_chunk()?);
        if self.only.is_some_and(|only| only != asked) {
            id = DataId(id.0.swap_bytes());
        }
        let order = self.order.unwrap_or(asked);
        let refused = || answer_refused(request, Status([0x02, 0]));
        let mut frame = match request.function() {
            READ_ADDRESS => answer_address(request, order, self.meter_type, self.address),
            _ if refuse.is_some() => answer_refused(request, Status([refuse?, 0])),
            READ => match self.body(id) {
                Some(body) => answer_data(request, order, &body),
                None => refused(),
            },
            WRITE if id == DataId::VALVE => match self.drive(request.data.get(3).copied()) {
                Some(status) => answer_done(request, order, Some(status)),
                None => refused(),
            },
            _ => refused(),
        };
        // Whoever was asked by wild card answers with his own address.
        frame.address = self.address;
        frame.meter_type = self.reply_type.unwrap_or(self.meter_type);
        frame.preamble = self.preamble;
        let place = if frame.is_refusal() { 0 } else { 2 };
        if let Some(ser) = self.ser
            && let Some(place) = frame.data.get_mut(place)
        {
            *place = ser;
        }
        Some(frame.to_bytes())
    }

    /// The data of an identifier, with the valve where it stands now. In the current reading the
    /// status is last.
    fn body(&self, id: DataId) -> Option<Vec<u8>> {
        let mut body = self.table.get(&id)?.clone();
        let reading = matches!(id, DataId::CURRENT | DataId::CURRENT_HEAT_COOLING);
        if let Some(closed) = self.closed.filter(|_| reading)
            && let Some(status) = body.len().checked_sub(2).and_then(|at| body.get_mut(at))
            && *status != 0xFF
        {
            *status = *status & !VALVE_BITS | u8::from(closed);
        }
        Some(body)
    }

    fn drive(&mut self, code: Option<u8>) -> Option<Status> {
        let closed = match code? {
            OPEN | FORCE_OPEN => false,
            CLOSE => true,
            _ => return None,
        };
        self.closed = Some(closed);
        Some(Status([u8::from(closed), 0]))
    }
}
