//! Which points of a device are read together, whatever its protocol.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use super::lessons::{ILLEGAL_EVERY, Lessons};
use crate::driver::modbus::plan::plan as plan_registers;
use crate::model::PointIndex;
use crate::profile::{Binding, Cjt188Model, Dlt645Model, ItemSource, Profile, Table};
use crate::protocol::{cjt188, dlt645};

/// What one request reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::driver) enum Read {
    /// Modbus registers or bits.
    Registers {
        /// Which table.
        table: Table,
        /// First address.
        address: u16,
        /// Registers or bits.
        quantity: u16,
    },
    /// A data identifier of DL/T 645.
    Item {
        /// Which.
        id: dlt645::DataId,
        /// It is a block: its points can be read one by one as well.
        block: bool,
    },
    /// A data identifier of CJ/T 188.
    Meter {
        /// Which.
        id: cjt188::DataId,
    },
}

/// One read request and the points that its answer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::driver) struct Block {
    /// What is read.
    pub(in crate::driver) read: Read,
    /// How often.
    pub(in crate::driver) period: Duration,
    /// It goes before others that are due.
    pub(in crate::driver) urgent: bool,
    /// Points inside, by place.
    pub(in crate::driver) points: Vec<Slice>,
}

/// Where a point lies in a block's answer: registers, bits or bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::driver) struct Slice {
    /// Which point.
    pub(in crate::driver) point: PointIndex,
    /// Units before it.
    pub(in crate::driver) offset: u16,
    /// Units that it takes.
    pub(in crate::driver) width: u16,
}

impl Slice {
    /// Its place in the answer.
    pub(in crate::driver) fn range(self) -> Range<usize> {
        usize::from(self.offset)..usize::from(self.offset) + usize::from(self.width)
    }
}

/// How often each point is read, and which go first.
#[derive(Debug, Clone, Copy)]
pub(in crate::driver) struct Wishes<'p> {
    periods: &'p [Option<Duration>],
    urgent: &'p [bool],
    default: Duration,
}

impl<'p> Wishes<'p> {
    pub(in crate::driver) fn new(profile: &'p Profile, default: Duration) -> Self {
        Self { periods: &profile.periods, urgent: &profile.urgent, default }
    }

    #[cfg(test)]
    pub(in crate::driver) fn of(periods: &'p [Option<Duration>], default: Duration) -> Self {
        Self { periods, urgent: &[], default }
    }

    pub(in crate::driver) fn period(&self, slot: usize) -> Duration {
        self.periods.get(slot).copied().flatten().unwrap_or(self.default)
    }

    pub(in crate::driver) fn urgent(&self, slot: usize) -> bool {
        self.urgent.get(slot).copied().unwrap_or(false)
    }
}

/// The place of a point, from its place in a list.
pub(in crate::driver) fn point(slot: usize) -> PointIndex {
    PointIndex(u16::try_from(slot).expect("an estate refuses more than 65535"))
}

/// Plans the reads of a device of this model, with what was learned about it.
pub(in crate::driver) fn plan(
    profile: &Profile,
    period: Duration,
    lessons: &Lessons,
) -> Vec<Block> {
    let wishes = Wishes::new(profile, period);
    match &profile.binding {
        Binding::Modbus { limits, sources, .. } => plan_registers(sources, wishes, limits, lessons),
        Binding::Dlt645(model) => plan_items(model, wishes, lessons),
        Binding::Cjt188(model) => plan_meter(model, wishes, lessons),
        Binding::Mqtt(_) => Vec::new(),
    }
}

/// One request for each identifier; points of a block share it while the model gives it.
fn plan_items(model: &Dlt645Model, wishes: Wishes<'_>, lessons: &Lessons) -> Vec<Block> {
    let mut reads: BTreeMap<(Duration, u32), Block> = BTreeMap::new();
    for (slot, source) in model.sources.iter().enumerate() {
        let (id, at, block) = match source.block {
            Some((id, at)) if !lessons.item_refused(id) => (id, at, true),
            _ => (source.id, source.at, false),
        };
        let illegal = lessons.item_refused(id);
        let period =
            if illegal { wishes.period(slot).max(ILLEGAL_EVERY) } else { wishes.period(slot) };
        let read = Read::Item { id, block };
        let into = reads.entry((period, id.0)).or_insert_with(|| Block {
            read,
            period,
            urgent: false,
            points: Vec::new(),
        });
        into.urgent |= wishes.urgent(slot);
        into.points.push(slice(slot, at, source));
    }
    reads.into_values().collect()
}

fn slice(slot: usize, at: u8, source: &ItemSource) -> Slice {
    Slice { point: point(slot), offset: at.into(), width: source.field.length().into() }
}

/// The reads that take the place of a block that a meter refused: one for each identifier.
pub(in crate::driver) fn single_items(model: &Dlt645Model, block: &Block) -> Vec<Block> {
    let mut reads: BTreeMap<u32, Block> = BTreeMap::new();
    for old in &block.points {
        let source = &model.sources[old.point.slot()];
        let read = Read::Item { id: source.id, block: false };
        let into = reads.entry(source.id.0).or_insert_with(|| Block {
            read,
            period: block.period,
            urgent: block.urgent,
            points: Vec::new(),
        });
        into.points.push(slice(old.point.slot(), source.at, source));
    }
    reads.into_values().collect()
}

fn plan_meter(model: &Cjt188Model, wishes: Wishes<'_>, lessons: &Lessons) -> Vec<Block> {
    let mut reads: BTreeMap<(Duration, u16), Block> = BTreeMap::new();
    for (slot, source) in model.sources.iter().enumerate() {
        let mut period = wishes.period(slot);
        if lessons.meter_refused(source.id) {
            period = period.max(ILLEGAL_EVERY);
        }
        let into = reads.entry((period, source.id.0)).or_insert_with(|| Block {
            read: Read::Meter { id: source.id },
            period,
            urgent: false,
            points: Vec::new(),
        });
        into.urgent |= wishes.urgent(slot);
        // The decoder finds the place itself: it depends on the meter's layout.
        into.points.push(Slice { point: point(slot), offset: 0, width: 0 });
    }
    reads.into_values().collect()
}
