//! What the master asks.

use super::super::MeterTime;
use super::address::Address;
use super::frame::{Frame, PREAMBLE_MAX};
use super::{DataId, Edition};

/// Time for all, no answer. The same in both editions.
pub(super) const TIME: u8 = 0x08;
/// Read, edition of 1997.
pub(super) const READ_1997: u8 = 0x01;
/// Read.
pub(super) const READ: u8 = 0x11;
/// Read what follows.
pub(super) const READ_NEXT: u8 = 0x12;
/// Read the address.
pub(super) const READ_ADDRESS: u8 = 0x13;
/// Relay and alarm.
pub(super) const RELAY: u8 = 0x1C;
/// Bytes of a relay request.
pub(super) const RELAY_BYTES: usize = 16;

fn frame(address: Address, control: u8, data: Vec<u8>) -> Frame {
    // Meters that sleep want all four; the others do not mind.
    let preamble = u8::try_from(PREAMBLE_MAX).expect("four");
    Frame { preamble, address, control, data }
}

/// Asks for a value or a block.
pub fn read(edition: Edition, address: Address, id: DataId) -> Frame {
    let control = match edition {
        Edition::V2007 => READ,
        Edition::V1997 => READ_1997,
    };
    frame(address, control, id.wire(edition).collect())
}

/// Asks for what follows, edition of 2007; `seq` counts from 1.
pub fn read_next(address: Address, id: DataId, seq: u8) -> Frame {
    let data = id.wire(Edition::V2007).chain([seq]).collect();
    frame(address, READ_NEXT, data)
}

/// Asks the only meter of the line for its address, edition of 2007.
pub fn read_address() -> Frame {
    read_address_of(Address::ANY)
}

/// Asks the meters that match for their addresses, edition of 2007: see [`Address::low`].
pub fn read_address_of(address: Address) -> Frame {
    frame(address, READ_ADDRESS, Vec::new())
}

/// Tells all meters of the line the time. None answers; many take at most five minutes a day.
pub fn time_sync(time: MeterTime) -> Frame {
    frame(Address::BROADCAST, TIME, clock(time).to_vec())
}

/// What a relay request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelayAct {
    /// Open the relay (跳闸).
    Trip,
    /// Let people close it by hand (合闸允许).
    PermitClose,
    /// Close it (直接合闸).
    Close,
    /// Alarm on (报警).
    AlarmOn,
    /// Alarm off (报警解除).
    AlarmOff,
    /// Never cut the power (保电).
    KeepPower,
    /// End of that (保电解除).
    ReleasePower,
}

impl RelayAct {
    /// The code N1 of the request.
    pub fn code(self) -> u8 {
        match self {
            Self::Trip => 0x1A,
            Self::PermitClose => 0x1B,
            Self::Close => 0x1C,
            Self::AlarmOn => 0x2A,
            Self::AlarmOff => 0x2B,
            Self::KeepPower => 0x3A,
            Self::ReleasePower => 0x3B,
        }
    }

    /// What a code N1 asks for.
    pub fn from_code(code: u8) -> Option<Self> {
        let all = [
            Self::Trip,
            Self::PermitClose,
            Self::Close,
            Self::AlarmOn,
            Self::AlarmOff,
            Self::KeepPower,
            Self::ReleasePower,
        ];
        all.into_iter().find(|act| act.code() == code)
    }
}

/// A relay request (edition of 2007). Meters of the grid refuse it: they want a session with their
/// security chip.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Relay {
    /// What to do.
    pub act: RelayAct,
    /// Level of the password, PA.
    pub level: u8,
    /// Password, BCD as written: `123456` is `[0x12, 0x34, 0x56]`.
    pub password: [u8; 3],
    /// Code of the operator, BCD as written.
    pub operator: [u8; 4],
    /// The meter refuses when its clock is later.
    pub valid_until: MeterTime,
}

/// The password is not told: debug output goes into logs.
impl std::fmt::Debug for Relay {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Relay")
            .field("act", &self.act)
            .field("level", &self.level)
            .field("operator", &self.operator)
            .field("valid_until", &self.valid_until)
            .finish_non_exhaustive()
    }
}

impl Relay {
    /// What a relay request asks for; `None` when the frame is none, or one with an unknown code
    /// or a time that is no BCD.
    pub fn from_request(request: &Frame) -> Option<Self> {
        let data: &[u8; RELAY_BYTES] = request.data.as_slice().try_into().ok()?;
        if request.is_reply() || request.function() != RELAY {
            return None;
        }
        let [level, p0, p1, p2, c0, c1, c2, c3, n1, _, rest @ ..] = *data;
        Some(Self {
            act: RelayAct::from_code(n1)?,
            level,
            password: [p2, p1, p0],
            operator: [c3, c2, c1, c0],
            valid_until: from_clock(rest)?,
        })
    }
}

/// Asks a meter to switch its relay or alarm.
pub fn relay(address: Address, relay: &Relay) -> Frame {
    let mut data = Vec::with_capacity(RELAY_BYTES);
    data.push(relay.level);
    data.extend(relay.password.iter().rev());
    data.extend(relay.operator.iter().rev());
    // N2: delay, none.
    data.extend([relay.act.code(), 0]);
    data.extend(clock(relay.valid_until));
    frame(address, RELAY, data)
}

/// Where the password stands in a relay request, counted from its start byte.
pub const PASSWORD_AT: usize = 11;

/// The same relay request with a password of zeros, to be shown; `None` for any other frame.
pub fn without_password(request: &Frame) -> Option<Frame> {
    if request.is_reply() || request.function() != RELAY || request.data.len() != RELAY_BYTES {
        return None;
    }
    let mut shown = request.clone();
    shown.data[1..4].fill(0);
    Some(shown)
}

/// Two digits of BCD; `value` is below 100.
pub(super) fn bcd(value: u8) -> u8 {
    let value = value % 100;
    ((value / 10) << 4) | (value % 10)
}

/// The number in two digits of BCD.
pub(super) fn from_bcd(byte: u8) -> Option<u8> {
    (byte >> 4 <= 9 && byte & 0x0F <= 9).then(|| (byte >> 4) * 10 + (byte & 0x0F))
}

/// ss mm hh DD MM YY.
pub(super) fn clock(time: MeterTime) -> [u8; 6] {
    let year = u8::try_from(time.year % 100).expect("below 100");
    [time.second, time.minute, time.hour, time.day, time.month, year].map(bcd)
}

/// The time in ss mm hh DD MM YY, whether it is in the calendar or not.
pub(super) fn from_clock(bytes: [u8; 6]) -> Option<MeterTime> {
    let mut numbers = [0; 6];
    for (number, byte) in numbers.iter_mut().zip(bytes) {
        *number = from_bcd(byte)?;
    }
    let [second, minute, hour, day, month, year] = numbers;
    Some(MeterTime { year: 2000 + u16::from(year), month, day, hour, minute, second })
}
