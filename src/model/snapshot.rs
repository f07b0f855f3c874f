//! The present state of every device: last values, health, cause.
//!
//! The pipeline writes, everybody else reads. One lock a device, held for a few field copies and
//! never across an await; std's mutex because of that.

use std::sync::{Arc, Mutex, MutexGuard};

use super::{Cause, DeviceIndex, Estate, Health, Moment, PointIndex, Quality, Reading, Value};

/// Last known value of a point.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PointState {
    /// The last value obtained, good or not.
    pub value: Option<Value>,
    /// Quality of the last attempt; `None` before the first.
    pub quality: Option<Quality>,
    /// When it was last attempted.
    pub at: Option<Moment>,
    /// When a good value was last obtained.
    pub good_at: Option<Moment>,
}

/// Present state of a device.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeviceState {
    /// Whether it can be reached.
    pub health: Health,
    /// Why not.
    pub cause: Option<Cause>,
    /// Since when it is in this health.
    pub since: Moment,
    /// When it last brought a good reading.
    pub heard_at: Option<Moment>,
    /// Readings obtained since start.
    pub readings: u64,
    /// Of those, the ones that are not good.
    pub not_good: u64,
    /// One per point of the device.
    pub points: Vec<PointState>,
}

impl DeviceState {
    /// Takes a reading over.
    pub fn apply(&mut self, at: Moment, reading: &Reading) {
        self.readings += 1;
        if reading.quality.is_good() {
            self.heard_at = Some(at);
        } else {
            self.not_good += 1;
        }
        let point = &mut self.points[reading.point.slot()];
        if let Some(value) = &reading.value {
            point.value = Some(value.clone());
        }
        point.quality = Some(reading.quality);
        point.at = Some(at);
        if reading.quality.is_good() {
            point.good_at = Some(at);
        }
    }

    /// Last state of a point.
    pub fn point(&self, point: PointIndex) -> &PointState {
        &self.points[point.slot()]
    }
}

/// Handle on the present state of the estate; clones share it.
#[derive(Debug, Clone)]
pub struct Snapshot {
    estate: Arc<Estate>,
    devices: Arc<[Mutex<DeviceState>]>,
}

impl Snapshot {
    /// Everything unknown, as of `now`.
    pub fn new(estate: Arc<Estate>, now: Moment) -> Self {
        let devices = estate
            .devices()
            .iter()
            .map(|device| {
                Mutex::new(DeviceState {
                    since: now,
                    points: vec![PointState::default(); device.points.len()],
                    ..DeviceState::default()
                })
            })
            .collect();
        Self { estate, devices }
    }

    /// The estate it is about.
    pub fn estate(&self) -> &Arc<Estate> {
        &self.estate
    }

    /// A copy of one device's state.
    pub fn device(&self, index: DeviceIndex) -> DeviceState {
        self.lock(index).clone()
    }

    /// Reads or changes one device's state in place; keep it short.
    pub fn with<R>(&self, index: DeviceIndex, work: impl FnOnce(&mut DeviceState) -> R) -> R {
        work(&mut self.lock(index))
    }

    fn lock(&self, index: DeviceIndex) -> MutexGuard<'_, DeviceState> {
        // A panic while holding the lock ends the daemon; until then the fields are still whole.
        match self.devices[index.slot()].lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}
