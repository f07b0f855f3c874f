//! A device of the bus: its blocks, how their answers become readings, what each last said.

use std::sync::Arc;
use std::time::Duration;

use super::ModbusDevice;
use super::plan::{Block, plan};
use super::session::{Answer, Manners};
use crate::driver::health::Tracker;
use crate::driver::schedule::Demand;
use crate::model::{
    Batch, Cause, DeviceIndex, HealthChange, Moment, PointIndex, Reading, Reason, Value,
};
use crate::profile::{Binding, Limits, Profile, RegisterSource, decode_bit, decode_words};

/// Times in a row that a block may say "busy" before that counts as a refusal.
const BUSY_MAX: u8 = 3;

/// What a block last said.
#[derive(Debug, Clone, Copy, Default)]
struct Said {
    /// Exception code of its last answer, `None` for data.
    refused: Option<u8>,
    /// Attempts that were not answered, of the present poll.
    attempts: u8,
    /// Times in a row that it was busy.
    busy: u8,
}

/// A device as the bus sees it.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) index: DeviceIndex,
    pub(super) manners: Manners,
    pub(super) blocks: Vec<Block>,
    pub(super) tracker: Tracker,
    profile: Arc<Profile>,
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
        let ModbusDevice { index, unit, profile, params, period } = device;
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
        Self { index, manners, blocks, tracker: Tracker::default(), profile, factors, said }
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

    /// The block was answered, with data or an exception. Returns whether health changed.
    pub(super) fn answered(&mut self, block: usize, answer: &Answer) -> bool {
        let refused = match answer {
            Answer::Exception(code) => Some(*code),
            Answer::Words(_) | Answer::Bits(_) => None,
        };
        self.said[block] = Said { refused, ..Said::default() };
        match refused {
            Some(code) if self.said.iter().all(|said| said.refused.is_some()) => {
                self.tracker.refuses(code)
            }
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
