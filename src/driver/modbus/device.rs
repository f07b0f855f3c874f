//! A device of the bus: its blocks, how their answers become readings, what each last said.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::plan::{Block, plan};
use super::session::{Answer, Manners};
use super::split::{ILLEGAL_ADDRESS, ILLEGAL_VALUE, cut};
use crate::driver::health::Tracker;
use crate::driver::schedule::Demand;
use crate::model::{
    Batch, BusId, Cause, DeviceId, DeviceIndex, HealthChange, Moment, PointIndex, Reading, Reason,
    Value,
};
use crate::profile::{Binding, Limits, Profile, RegisterSource, Table, decode_bit, decode_words};

/// Times in a row that a block may say "busy" before that counts as a refusal.
const BUSY_MAX: u8 = 3;
/// Refusals in a row after which a read that once gave data is cut in two all the same.
const REFUSED_MAX: u8 = 3;
/// How often a part that is refused for itself is tried.
const ILLEGAL_EVERY: Duration = Duration::from_secs(60);
/// Times that a device is planned anew because what was refused gives data now.
const RESTORES_MAX: u8 = 3;

/// A device of a bus.
#[derive(Debug, Clone)]
pub struct ModbusDevice {
    /// Its place in the estate.
    pub index: DeviceIndex,
    /// Its name in the log.
    pub id: DeviceId,
    /// Its unit id.
    pub unit: u8,
    /// What its model offers.
    pub profile: Arc<Profile>,
    /// Values of the profile's parameters, in their order.
    pub params: Vec<f64>,
    /// How often a point is read whose profile says nothing else.
    pub period: Duration,
}

/// What a block last said.
#[derive(Debug, Clone, Copy, Default)]
struct Said {
    /// Exception code of its last answer, `None` for data.
    refused: Option<u8>,
    /// Attempts that were not answered, of the present poll.
    attempts: u8,
    /// Times in a row that it was busy.
    busy: u8,
    /// It gave data since the start.
    proven: bool,
    /// Refusals in a row for an address or a length.
    illegal: u8,
    /// It is a part of a read that was refused.
    part: bool,
}

/// What the bus has to do after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sequel {
    /// Take it.
    Take,
    /// Nothing to take: the read was cut, its second part is the last block now.
    Cut,
    /// Take it, and read the block only so often from now on.
    Rarely(Duration),
    /// Nothing to take: the blocks are those of the beginning again, and all are to be read.
    Restored,
}

/// A device as the bus sees it.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) index: DeviceIndex,
    id: DeviceId,
    pub(super) manners: Manners,
    pub(super) blocks: Vec<Block>,
    pub(super) tracker: Tracker,
    profile: Arc<Profile>,
    /// Period of points without one of their own.
    period: Duration,
    /// Reads whose refusal was logged: table, address, quantity.
    told: BTreeSet<(Table, u16, u16)>,
    restores: u8,
    /// Whole factor of each point.
    factors: Vec<f64>,
    said: Vec<Said>,
}

fn binding(profile: &Profile) -> Option<(&Limits, &[RegisterSource])> {
    match &profile.binding {
        Binding::Modbus { limits, sources, .. } => Some((limits, sources)),
        Binding::Mqtt(_) => None,
    }
}

impl Unit {
    /// Plans the reads; `timeout` is that of the bus when it sets one. A profile that is not for
    /// Modbus has nothing to read.
    pub(super) fn new(device: ModbusDevice, timeout: Option<Duration>) -> Self {
        let ModbusDevice { index, id, unit, profile, params, period } = device;
        let defaults = Limits::default();
        let (limits, sources) = binding(&profile).unwrap_or((&defaults, &[]));
        let blocks = plan(sources, &profile.periods, period, limits);
        let factors = sources.iter().map(|source| source.scale.resolve(&params)).collect();
        let manners = Manners {
            unit,
            timeout: timeout.unwrap_or(limits.timeout),
            pause: limits.pause,
            pause_on_switch: limits.pause_on_switch,
        };
        let said = vec![Said::default(); blocks.len()];
        Self {
            index,
            id,
            manners,
            blocks,
            tracker: Tracker::default(),
            profile,
            period,
            told: BTreeSet::new(),
            restores: 0,
            factors,
            said,
        }
    }

    /// What it asks of the schedule.
    pub(super) fn demand(&self) -> Demand {
        let cost = |block: &Block| match block.table.is_bits() {
            true => block.quantity.div_ceil(16),
            false => block.quantity,
        };
        let smallest = (0..self.blocks.len()).min_by_key(|&block| cost(&self.blocks[block]));
        Demand {
            periods: self.blocks.iter().map(|block| block.period).collect(),
            smallest: smallest.unwrap_or(0),
        }
    }

    /// Blocks that hold any of the points.
    pub(super) fn blocks_of(&self, points: &[PointIndex]) -> impl Iterator<Item = usize> {
        self.blocks.iter().enumerate().filter_map(move |(place, block)| {
            block.points.iter().any(|slice| points.contains(&slice.point)).then_some(place)
        })
    }

    /// One more attempt was not answered; how many that makes for this poll.
    pub(super) fn attempt(&mut self, block: usize) -> u8 {
        let said = &mut self.said[block];
        said.attempts = said.attempts.saturating_add(1);
        said.attempts
    }

    /// The poll of the block is over, answered or not.
    pub(super) fn settled(&mut self, block: usize) {
        self.said[block].attempts = 0;
    }

    /// The block said "busy"; whether it may be asked again in a moment.
    pub(super) fn busy(&mut self, block: usize) -> bool {
        let said = &mut self.said[block];
        said.busy = said.busy.saturating_add(1);
        said.busy <= BUSY_MAX
    }

    /// Learns from an answer which reads the device does not bear. One illegal address must not
    /// take the good points of its block with it: the read is cut until it stands alone.
    pub(super) fn learn(&mut self, block: usize, answer: &Answer, bus: &BusId) -> Sequel {
        let Answer::Exception(code @ (ILLEGAL_ADDRESS | ILLEGAL_VALUE)) = *answer else {
            let data = !matches!(answer, Answer::Exception(_));
            let said = &mut self.said[block];
            let was_refused = std::mem::take(&mut said.illegal) > 0;
            said.proven |= data;
            // Not the address was wrong but the hour: a device that starts refuses everything.
            if data && was_refused && said.part && self.restores < RESTORES_MAX {
                self.restores += 1;
                self.restore();
                return Sequel::Restored;
            }
            return Sequel::Take;
        };
        let said = &mut self.said[block];
        said.illegal = said.illegal.saturating_add(1);
        if said.proven && said.illegal < REFUSED_MAX {
            return Sequel::Take;
        }
        let parts = cut(&self.blocks[block], code);
        if parts.is_some() || said.part {
            self.tell_refusal(block, code, bus);
        }
        if let Some((first, second)) = parts {
            self.said[block] = Said { part: true, ..Said::default() };
            self.said.push(self.said[block]);
            self.blocks[block] = first;
            self.blocks.push(second);
            return Sequel::Cut;
        }
        if self.said[block].part { Sequel::Rarely(ILLEGAL_EVERY) } else { Sequel::Take }
    }

    /// Says once that a read is refused. For whole reads that is no loss; for a part that cannot
    /// be cut further the profile does not fit the device.
    fn tell_refusal(&mut self, block: usize, exception: u8, bus: &BusId) {
        let part = self.said[block].part;
        let Block { table, address, quantity, .. } = self.blocks[block];
        if !self.told.insert((table, address, quantity)) {
            return;
        }
        let (device, unit) = (&self.id, self.manners.unit);
        if cut(&self.blocks[block], exception).is_none() {
            tracing::warn!(
                %bus, %device, unit, ?table, address, quantity, exception,
                "the device does not have this address, its points stay without a value"
            );
        } else if !part {
            tracing::warn!(
                %bus, %device, unit, ?table, address, quantity, exception,
                "the device refuses this read, looking for the illegal address in smaller ones"
            );
        }
    }

    fn restore(&mut self) {
        let defaults = Limits::default();
        let (limits, sources) = binding(&self.profile).unwrap_or((&defaults, &[]));
        self.blocks = plan(sources, &self.profile.periods, self.period, limits);
        self.said = vec![Said::default(); self.blocks.len()];
    }

    /// The block was answered, with data or an exception. Returns whether health changed.
    pub(super) fn answered(&mut self, block: usize, answer: &Answer) -> bool {
        let refused = match answer {
            Answer::Exception(code) => Some(*code),
            Answer::Words(_) | Answer::Bits(_) => None,
        };
        let said = &mut self.said[block];
        *said = Said { refused, attempts: 0, busy: 0, ..*said };
        let works = self.said.iter().any(|said| said.refused.is_none() && said.proven);
        let unasked = self.said.iter().any(|said| said.refused.is_none() && !said.proven);
        match refused {
            // Whether it refuses everything is not known yet.
            Some(_) if !works && unasked => false,
            Some(code) if !works => self.tracker.refuses(code),
            // One refused block of several says nothing about the others.
            Some(_) if matches!(self.tracker.cause(), Some(Cause::Refuses(_))) => false,
            _ => self.tracker.good(),
        }
    }

    /// The readings of an answer.
    pub(super) fn batch(&self, block: usize, answer: &Answer, at: Moment) -> Batch {
        let block = &self.blocks[block];
        let sources = binding(&self.profile).map_or(&[][..], |(_, sources)| sources);
        let mut readings = Vec::with_capacity(block.points.len());
        readings.extend(block.points.iter().map(|slice| {
            let source = &sources[slice.point.slot()];
            let value: Result<Value, Reason> = match answer {
                Answer::Exception(_) => Err(Reason::Refused),
                Answer::Words(words) => match words.get(slice.range()) {
                    Some(words) => decode_words(source, words, self.factors[slice.point.slot()]),
                    None => Err(Reason::BadReply),
                },
                Answer::Bits(bits) => match bits.get(usize::from(slice.offset)) {
                    Some(&bit) => decode_bit(source, bit),
                    None => Err(Reason::BadReply),
                },
            };
            match value {
                Ok(value) => Reading::good(slice.point, value),
                Err(reason) => Reading::bad(slice.point, reason),
            }
        }));
        Batch { device: self.index, at, source_time: None, readings, receipt: None }
    }

    /// Every point without a value: the device went offline.
    pub(super) fn absent(&self, at: Moment) -> Batch {
        let reason = match self.tracker.cause() {
            Some(Cause::NoAnswer) => Reason::NoAnswer,
            Some(Cause::DamagedReplies) => Reason::BadReply,
            _ => Reason::DeviceOffline,
        };
        let points = (0..self.factors.len()).filter_map(|slot| u16::try_from(slot).ok());
        let mut readings = Vec::with_capacity(self.factors.len());
        readings.extend(points.map(|point| Reading::bad(PointIndex(point), reason)));
        Batch { device: self.index, at, source_time: None, readings, receipt: None }
    }

    /// Its present health, as told to the pipeline.
    pub(super) fn change(&self, at: Moment) -> HealthChange {
        HealthChange {
            device: self.index,
            at,
            health: self.tracker.health(),
            cause: self.tracker.cause().cloned(),
        }
    }
}
