//! The handle on the history: hears readings, shows what they were.

use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::archive::{Archive, days_of, settle_all};
use super::bucket::{Bucket, Slot, gather};
use super::live::Live;
use super::writer::Writer;
use super::{Column, Config, Device};
use crate::clock::Clock;
use crate::model::{
    DeviceIndex, Estate, Moment, PointIndex, Quality, Reading, ReadingSink, WallTime,
};

/// The buckets of a point in order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Which point of the device.
    pub point: PointIndex,
    /// Where there is no bucket nothing was read.
    pub buckets: Vec<Bucket>,
}

/// How the history stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HistoryStatus {
    /// Days of which there are files.
    pub days: usize,
    /// Bytes of the files.
    pub bytes: u64,
    /// Why nothing can be written at present.
    pub fault: Option<String>,
    /// Buckets given up because nothing could be written for long.
    pub lost: u64,
    /// Readings left out because no clock was trusted.
    pub untimed: u64,
}

/// Handle on the history; clones share it.
#[derive(Clone)]
pub struct History(Arc<Shared>);

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("History").field(&self.0.archive).finish()
    }
}

pub(super) struct Shared {
    pub(super) archive: Archive,
    pub(super) estate: Arc<Estate>,
    clock: Clock,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) live: Live,
    pub(super) status: HistoryStatus,
}

impl Shared {
    // Nothing that holds it panics half-way through a change.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl History {
    /// Of an estate, in a folder; and who writes it. Nothing is opened yet.
    pub fn new(
        config: &Config,
        folder: impl Into<std::path::PathBuf>,
        estate: Arc<Estate>,
        clock: Clock,
    ) -> (Self, Writer) {
        let state = State { live: Live::new(&estate), status: HistoryStatus::default() };
        let archive = Archive::at(folder);
        let shared =
            Arc::new(Shared { archive, estate, clock: clock.clone(), state: Mutex::new(state) });
        let writer = Writer::new(config.clone(), clock, Arc::clone(&shared));
        (Self(shared), writer)
    }

    /// How it stands.
    pub fn status(&self) -> HistoryStatus {
        let state = self.0.state();
        HistoryStatus { lost: state.live.lost, ..state.status.clone() }
    }

    /// The buckets of some points of a device within `slots`, `step` of them together; steps count
    /// from local midnight. Holds a day of the device at a time beside the answer. Blocks.
    ///
    /// # Errors
    /// A file cannot be read. What is damaged is left out.
    pub fn series(
        &self,
        device: DeviceIndex,
        points: &[PointIndex],
        slots: Range<Slot>,
        step: u32,
    ) -> io::Result<Vec<Series>> {
        let of = self.0.estate.device(device);
        let mut series: Vec<Series> =
            points.iter().map(|point| Series { point: *point, buckets: Vec::new() }).collect();
        if slots.is_empty() {
            return Ok(series);
        }
        // Memory first: what is written in between is then in the files, and only told twice.
        let live = self.0.state().live.of(device);
        for day in days_of(&slots) {
            let of_day = day.slots();
            let mut found: Device = self.0.archive.device(&of.id, day)?;
            for (point, bucket) in &live {
                if of_day.contains(&bucket.slot) {
                    let name = &of.points[point.slot()].name;
                    let column = found.entry(Arc::clone(name)).or_insert_with(|| Column {
                        name: 0,
                        exponent: 0,
                        buckets: Vec::new(),
                    });
                    column.buckets.push(*bucket);
                }
            }
            settle_all(&mut found);
            for one in &mut series {
                let name = &of.points[one.point.slot()].name;
                let Some(column) = found.get_mut(name) else { continue };
                column.buckets.retain(|bucket| slots.contains(&bucket.slot));
                gather(&mut one.buckets, &column.buckets, step);
            }
        }
        Ok(series)
    }

    /// Takes a finite value of a wall time.
    pub fn tell(&self, device: DeviceIndex, point: PointIndex, wall: WallTime, value: f64) {
        self.0.state().live.note(device, point, Slot::of(wall), value);
    }
}

impl ReadingSink for History {
    fn reading(&self, device: DeviceIndex, at: Moment, reading: &Reading) {
        if matches!(reading.quality, Quality::Bad(_)) {
            return;
        }
        let Some(value) = reading.value.as_ref().and_then(|value| value.number()) else { return };
        if !value.is_finite() {
            return;
        }
        match self.0.clock.wall(at) {
            Some(wall) => self.tell(device, reading.point, wall, value),
            None => self.0.state().status.untimed += 1,
        }
    }
}
