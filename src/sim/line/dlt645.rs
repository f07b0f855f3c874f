//! An electricity meter that speaks DL/T 645, edition of 2007 or 1997.

use tokio::time::Instant;

use super::blocks::{Table, is_block, look_up};
use super::clock::MeterClock;
use crate::protocol::MeterTime;
use crate::protocol::dlt645::{
    Address, DataId, Edition, ErrorBits, Frame, ItemValue, Malformed, Relay, RelayAct,
    answer_address, answer_data, answer_done, answer_refused, encode, item,
};

const TIME: u8 = 0x08;
const READ: u8 = 0x11;
const READ_1997: u8 = 0x01;
const READ_NEXT: u8 = 0x12;
const READ_ADDRESS: u8 = 0x13;
const RELAY: u8 = 0x1C;

const DATE: DataId = DataId(0x0400_0101);
const CLOCK: DataId = DataId(0x0400_0102);
const ADDRESS: DataId = DataId(0x0400_0401);
/// Bit 4: the relay is open.
const STATUS_3: DataId = DataId(0x0400_0503);
const RELAY_OPEN: u8 = 0x10;
/// The standard allows 200 bytes of data; identifier and number of the part belong to them.
const VALUE_MAX: usize = 195;

/// An electricity meter.
#[derive(Debug, Clone)]
pub struct Dlt645Meter {
    edition: Edition,
    address: Address,
    table: Table,
    part: usize,
    blocks: bool,
    level: u8,
    password: [u8; 3],
    preamble: u8,
    relay_open: bool,
    power_kept: bool,
    clock: MeterClock,
    synced: u32,
    /// A value of which the master has the first part.
    following: Option<(DataId, Vec<u8>)>,
}

impl Dlt645Meter {
    /// A meter without values. Password 000000 of level 2, its clock shows China's time, its
    /// answers have four wake-up bytes.
    pub fn new(edition: Edition, address: Address) -> Self {
        Self {
            edition,
            address,
            table: Table::new(),
            part: VALUE_MAX,
            blocks: true,
            level: 2,
            password: [0; 3],
            preamble: 4,
            relay_open: false,
            power_kept: false,
            clock: MeterClock::now(),
            synced: 0,
            following: None,
        }
    }

    /// Gives it a value as bytes, as they follow the identifier (33H not added). A block may be
    /// given instead of its parts, and the reverse.
    #[must_use]
    pub fn with(mut self, id: u32, value: &[u8]) -> Self {
        self.set(DataId(id), value.to_vec());
        self
    }

    /// Gives it the numbers of an item that the codec's table knows; `None` is sent as FFH.
    ///
    /// # Errors
    /// A number does not fit the item's fields, or there are too many. An identifier that is not
    /// in the table is refused as too long.
    pub fn with_numbers(self, id: u32, numbers: &[Option<f64>]) -> Result<Self, Malformed> {
        let id = DataId(id);
        let unknown = Malformed::Length { id, got: numbers.len(), step: 0, most: 0 };
        let item = item(self.edition, id).ok_or(unknown)?;
        let values: Vec<Option<ItemValue>> = (0..)
            .zip(numbers)
            .map(|(place, number)| {
                let decimals = item.field(place).decimals;
                let raw = number.map(|number| number * 10f64.powi(i32::from(decimals)));
                #[expect(clippy::cast_possible_truncation, reason = "what is too large is refused")]
                raw.map(|raw| ItemValue::Number { digits: raw.round() as i64, decimals })
            })
            .collect();
        let bytes = encode(&item, &values)?;
        Ok(self.with(id.0, &bytes))
    }

    /// Most bytes of a value in one frame, 1..=195: what is longer comes in several.
    #[must_use]
    pub fn part_size(mut self, bytes: usize) -> Self {
        self.part = bytes.clamp(1, VALUE_MAX);
        self
    }

    /// Level and password that relay requests must carry, BCD as written.
    #[must_use]
    pub fn password(mut self, level: u8, password: [u8; 3]) -> Self {
        (self.level, self.password) = (level, password);
        self
    }

    /// Wake-up bytes before its answers, 0..=4.
    #[must_use]
    pub fn preamble(mut self, count: u8) -> Self {
        self.preamble = count.min(4);
        self
    }

    /// Sets its clock; a time that the calendar does not have is ignored.
    #[must_use]
    pub fn clock(mut self, time: MeterTime) -> Self {
        self.clock.set(time, None);
        self
    }

    /// Puts its clock; returns whether the calendar has that time.
    pub fn set_clock(&mut self, time: MeterTime) -> bool {
        self.clock.set(time, None)
    }

    /// Its address.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Its edition.
    pub fn edition(&self) -> Edition {
        self.edition
    }

    /// Changes a value.
    pub fn set(&mut self, id: DataId, value: Vec<u8>) {
        self.table.insert(id, value);
    }

    /// Whether it answers for several values at once; many meters refuse that.
    pub fn set_blocks(&mut self, answers: bool) {
        self.blocks = answers;
    }

    /// Takes a value away: it is refused from now on.
    pub fn remove(&mut self, id: DataId) {
        self.table.remove(&id);
    }

    /// Whether its relay has cut the supply.
    pub fn is_relay_open(&self) -> bool {
        self.relay_open
    }

    /// How often its clock was set by broadcast.
    pub fn times_synced(&self) -> u32 {
        self.synced
    }

    /// What its clock shows.
    pub fn time(&mut self, at: Instant) -> MeterTime {
        self.clock.read(at)
    }

    /// Whether the frame is a question to it, by its address or a wild card.
    pub(super) fn is_asked(&self, request: &Frame) -> bool {
        request.address != Address::BROADCAST && request.address.matches(self.address)
    }

    /// Its answer, if it gives one.
    pub(super) fn answer(
        &mut self,
        request: &Frame,
        at: Instant,
        refuse: Option<u8>,
    ) -> Option<Vec<u8>> {
        if request.function() == TIME
            && (request.address == Address::BROADCAST || request.address.matches(self.address))
        {
            self.sync(request, at);
            return None;
        }
        if !self.is_asked(request) {
            return None;
        }
        let knows = match self.edition {
            Edition::V2007 => matches!(request.function(), 0x11..),
            Edition::V1997 => matches!(request.function(), 0x01..=0x10),
        };
        let frame = match (request.function(), refuse) {
            // A function of the other edition means nothing to it.
            _ if !knows => return None,
            (READ_ADDRESS, _) => answer_address(request, self.address),
            (_, Some(bits)) => answer_refused(request, ErrorBits(bits)),
            (READ | READ_1997, None) => self.read(request, at)?,
            (READ_NEXT, None) => self.read_on(request),
            (RELAY, None) => self.switch(request, at),
            _ => answer_refused(request, ErrorBits(0x01)),
        };
        // Whoever was asked by wild card answers with his own address.
        let own = Frame { address: self.address, preamble: self.preamble, ..frame };
        Some(own.to_bytes())
    }

    fn value(&mut self, id: DataId, at: Instant) -> Option<Vec<u8>> {
        if !self.blocks && is_block(self.edition, id) {
            return None;
        }
        let mut value = look_up(self.edition, &self.table, id);
        match id {
            DATE if value.is_none() => {
                let (time, weekday) = (self.clock.read(at), self.clock.weekday(at));
                let year = u8::try_from(time.year % 100).expect("below 100");
                value = Some([weekday, time.day, time.month, year].map(bcd).to_vec());
            }
            CLOCK if value.is_none() => {
                let time = self.clock.read(at);
                value = Some([time.second, time.minute, time.hour].map(bcd).to_vec());
            }
            ADDRESS if value.is_none() => value = Some(self.address.wire().to_vec()),
            STATUS_3 => {
                let word = value.get_or_insert_with(|| vec![0, 0]);
                if let Some(low) = word.first_mut() {
                    *low = if self.relay_open { *low | RELAY_OPEN } else { *low & !RELAY_OPEN };
                }
            }
            _ => {}
        }
        value
    }

    fn read(&mut self, request: &Frame, at: Instant) -> Option<Frame> {
        let id = DataId::from_wire(self.edition, &request.data)?;
        let Some(mut value) = self.value(id, at) else {
            return Some(answer_refused(request, ErrorBits::NO_DATA));
        };
        self.following = None;
        if self.edition == Edition::V1997 || value.len() <= self.part {
            return Some(answer_data(request, id, &value, false, None));
        }
        let rest = value.split_off(self.part);
        self.following = Some((id, rest));
        Some(answer_data(request, id, &value, true, None))
    }

    /// Part 1 is what follows the first.
    fn read_on(&mut self, request: &Frame) -> Frame {
        let id = DataId::from_wire(self.edition, &request.data);
        let seq = request.data.get(self.edition.id_bytes()).copied().filter(|&seq| seq > 0);
        let (Some(id), Some(seq), Some((following, rest))) = (id, seq, &self.following) else {
            return answer_refused(request, ErrorBits::NO_DATA);
        };
        let mut parts = rest.chunks(self.part).skip(usize::from(seq - 1)).peekable();
        match parts.next() {
            Some(part) if *following == id => {
                answer_data(request, id, part, parts.peek().is_some(), Some(seq))
            }
            _ => answer_refused(request, ErrorBits::NO_DATA),
        }
    }

    fn sync(&mut self, request: &Frame, at: Instant) {
        let Ok(bytes) = <[u8; 6]>::try_from(request.data.as_slice()) else { return };
        let mut numbers = [0; 6];
        for (number, byte) in numbers.iter_mut().zip(bytes) {
            if byte >> 4 > 9 || byte & 0x0F > 9 {
                return;
            }
            *number = (byte >> 4) * 10 + (byte & 0x0F);
        }
        let [second, minute, hour, day, month, year] = numbers;
        let year = 2000 + u16::from(year);
        let time = MeterTime { year, month, day, hour, minute, second };
        self.synced += u32::from(self.clock.set(time, Some(at)));
    }

    fn switch(&mut self, request: &Frame, at: Instant) -> Frame {
        let Some(asked) = Relay::from_request(request) else {
            return answer_refused(request, ErrorBits(0x01));
        };
        if (asked.level, asked.password) != (self.level, self.password) {
            return answer_refused(request, ErrorBits::PASSWORD);
        }
        let order = |time: MeterTime| {
            (time.year, time.month, time.day, time.hour, time.minute, time.second)
        };
        let late = order(self.clock.read(at)) > order(asked.valid_until);
        if late || (asked.act == RelayAct::Trip && self.power_kept) {
            return answer_refused(request, ErrorBits(0x01));
        }
        match asked.act {
            RelayAct::Trip => self.relay_open = true,
            RelayAct::Close => self.relay_open = false,
            RelayAct::KeepPower => (self.power_kept, self.relay_open) = (true, false),
            RelayAct::ReleasePower => self.power_kept = false,
            // Somebody must press the button; the alarm is a lamp.
            RelayAct::PermitClose | RelayAct::AlarmOn | RelayAct::AlarmOff => {}
        }
        answer_done(request)
    }
}

fn bcd(value: u8) -> u8 {
    ((value / 10 % 10) << 4) | (value % 10)
}
