//! A device of the bus: its reads, how their answers become readings, what each last said.

use std::sync::Arc;
use std::time::Duration;

use super::ask::Ask;
use super::learn::{Learner, said_of};
use super::lessons::LessonBook;
use super::plan::{Block, Read, plan};
use super::session::{Answer, Manners};
use crate::driver::health::Tracker;
use crate::driver::schedule::Demand;
use crate::driver::{Act, BusAddress, LineSettings};
use crate::model::{Cause, DeviceId, DeviceIndex, HealthChange, Moment, PointIndex};
use crate::profile::{Binding, Limits, Profile};
use crate::protocol::cjt188::{self, DiOrder};
use crate::protocol::dlt645;

/// Times in a row that a block may say "busy" before that counts as a refusal.
const BUSY_MAX: u8 = 3;
/// A device of a bus.
#[derive(Debug, Clone)]
pub struct BusDevice {
    /// Its place in the estate.
    pub index: DeviceIndex,
    /// Its name in the log.
    pub id: DeviceId,
    /// What people call it.
    pub title: String,
    /// Where it answers.
    pub address: BusAddress,
    /// How its line is set.
    pub line: LineSettings,
    /// What its model offers.
    pub profile: Arc<Profile>,
    /// Values of the profile's parameters, in their order.
    pub params: Vec<f64>,
    /// How often a point is read whose profile says nothing else.
    pub period: Duration,
    /// What may be done to it.
    pub allow: Vec<Act>,
}

/// What a block last said.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Said {
    /// It was refused, not answered with data; the code.
    pub(super) refused: Option<u8>,
    /// Attempts that were not answered, of the present poll.
    pub(super) attempts: u8,
    /// Times in a row that it was busy.
    pub(super) busy: u8,
    /// It gave data since the start.
    pub(super) proven: bool,
    /// Refusals in a row for an address or a length.
    pub(super) illegal: u8,
    /// The model is known to refuse it: it is tried now and then nevertheless.
    pub(super) rare: bool,
}

/// A device as the bus sees it.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) index: DeviceIndex,
    pub(super) id: DeviceId,
    pub(super) manners: Manners,
    pub(super) blocks: Vec<Block>,
    pub(super) tracker: Tracker,
    pub(super) allow: Vec<Act>,
    pub(super) profile: Arc<Profile>,
    /// Whole factor of each point.
    pub(super) factors: Vec<f64>,
    pub(super) period: Duration,
    pub(super) learner: Learner,
    pub(super) said: Vec<Said>,
    /// Order of the identifier's bytes that a CJ/T 188 meter understands, and whether it proved so.
    pub(super) order: (DiOrder, bool),
    serial: u8,
}

/// What a model bears, of the protocols that a bus speaks.
pub(super) fn manners(device: &BusDevice, timeout: Option<Duration>) -> Manners {
    let defaults = Limits::default();
    let (own, pause, pause_on_switch) = match &device.profile.binding {
        Binding::Modbus { limits, .. } => (limits.timeout, limits.pause, limits.pause_on_switch),
        Binding::Dlt645(model) => {
            (model.manners.timeout, model.manners.pause, model.manners.pause_on_switch)
        }
        Binding::Cjt188(model) => {
            (model.manners.timeout, model.manners.pause, model.manners.pause_on_switch)
        }
        Binding::Mqtt(_) => (defaults.timeout, defaults.pause, defaults.pause_on_switch),
    };
    Manners {
        address: device.address,
        line: device.line,
        timeout: timeout.unwrap_or(own),
        pause,
        pause_on_switch,
    }
}

fn factors(profile: &Profile, params: &[f64]) -> Vec<f64> {
    match &profile.binding {
        Binding::Modbus { sources, .. } => {
            sources.iter().map(|source| source.scale.resolve(params)).collect()
        }
        Binding::Dlt645(model) => {
            model.sources.iter().map(|source| source.scale.resolve(params)).collect()
        }
        Binding::Cjt188(model) => {
            model.sources.iter().map(|source| source.scale.resolve(params)).collect()
        }
        Binding::Mqtt(_) => Vec::new(),
    }
}

impl Unit {
    /// Plans the reads; `timeout` is that of the bus when it sets one. A profile that no bus
    /// speaks has nothing to read.
    pub(super) fn new(device: BusDevice, timeout: Option<Duration>, book: &LessonBook) -> Self {
        let manners = manners(&device, timeout);
        let BusDevice { index, id, profile, params, period, allow, .. } = device;
        let lessons = book.of(&profile.id);
        let blocks = plan(&profile, period, &lessons);
        let factors = factors(&profile, &params);
        let order = match &profile.binding {
            Binding::Cjt188(model) => model.order.map(|order| (order, true)),
            _ => None,
        };
        Self {
            said: said_of(&blocks, &lessons),
            index,
            id,
            manners,
            blocks,
            tracker: Tracker::default(),
            allow,
            profile,
            factors,
            period,
            learner: Learner::new(book.clone()),
            order: order.unwrap_or((DiOrder::HighFirst, false)),
            serial: 0,
        }
    }

    /// What it asks of the schedule; `group` is the number of its line settings.
    pub(super) fn demand(&self, group: usize) -> Demand {
        let cost = |block: &Block| {
            let ask = self.ask_for(block.read);
            ask.request_chars() + ask.answer_chars() + block.points.len()
        };
        let smallest = (0..self.blocks.len()).min_by_key(|&block| cost(&self.blocks[block]));
        Demand {
            periods: self.blocks.iter().map(|block| block.period).collect(),
            urgent: self.blocks.iter().map(|block| block.urgent).collect(),
            smallest: smallest.unwrap_or(0),
            group,
        }
    }

    /// The request that reads a block.
    pub(super) fn ask(&mut self, block: usize) -> Ask {
        self.serial = self.serial.wrapping_add(1);
        self.ask_for(self.blocks[block].read)
    }

    fn ask_for(&self, read: Read) -> Ask {
        ask_for(read, self.manners.address, &self.profile, self.order.0, self.serial)
    }

    /// Blocks that hold any of the points.
    pub(super) fn blocks_of(&self, points: &[PointIndex]) -> impl Iterator<Item = usize> {
        self.blocks.iter().enumerate().filter_map(move |(place, block)| {
            block.points.iter().any(|slice| points.contains(&slice.point)).then_some(place)
        })
    }

    /// A request gave no data: a CJ/T 188 meter that never gave any may want the bytes of the
    /// identifier in the other order.
    pub(super) fn other_order(&mut self) {
        if !self.order.1 {
            self.order.0 = self.order.0.other();
        }
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

    /// The block was answered, with data or a refusal. Returns whether health changed.
    pub(super) fn answered(&mut self, block: usize, answer: &Answer) -> bool {
        let refused = refused_code(answer);
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

/// The code with which an answer refuses, whatever it means; `None` for data.
pub(super) fn refused_code(answer: &Answer) -> Option<u8> {
    match answer {
        Answer::Exception(code) => Some(*code),
        Answer::Dlt645 { reply: dlt645::Reply::Refused(bits), .. } => Some(bits.0),
        Answer::Cjt188 { reply: cjt188::Reply::Refused(status), .. } => {
            Some(status.first().copied().unwrap_or(0))
        }
        _ => None,
    }
}

/// The request that reads something from a device of this model.
pub(in crate::driver) fn ask_for(
    read: Read,
    address: BusAddress,
    profile: &Profile,
    order: DiOrder,
    serial: u8,
) -> Ask {
    match (read, address, &profile.binding) {
        (Read::Item { id, .. }, BusAddress::Dlt645(address), Binding::Dlt645(model)) => {
            let mut frame = dlt645::read(model.edition, address, id);
            frame.preamble = model.manners.preamble;
            Ask::Dlt645 { edition: model.edition, frame }
        }
        (Read::Meter { id }, BusAddress::Cjt188(address), Binding::Cjt188(model)) => {
            let mut frame = cjt188::read(model.meter_type, address, id, order, serial);
            frame.preamble = model.manners.preamble;
            Ask::Cjt188 { frame }
        }
        (Read::Registers { table, address, quantity }, BusAddress::Unit(unit), _) => {
            Ask::Registers { unit, table, address, quantity }
        }
        // The configuration gives each model an address of its kind.
        _ => Ask::Tell { bytes: Vec::new() },
    }
}
