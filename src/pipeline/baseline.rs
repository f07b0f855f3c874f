//! Where counters stood, across restarts: a meter that runs backwards while the daemon is down is
//! noticed as well.
//!
//! One key per counter in a tree of the store, `<device> NUL <point> NUL <unit>`; the value is the
//! last believed count, eight bytes, little-endian. Written now and then and at the end; what is
//! written becomes durable with the buffer's next commit.

use std::ops::ControlFlow;

use crate::model::{Device, Estate, Point, Quantity};
use crate::store::{Changes, StoreError, Tree};

/// The stored counts.
pub struct Baselines {
    tree: Tree,
    /// As stored, in the order of the estate, so that only changes are written.
    stored: Vec<Vec<Option<f64>>>,
}

impl Baselines {
    /// Reads what is stored about the counters of this estate.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn load(tree: Tree, estate: &Estate) -> Result<Self, StoreError> {
        let mut stored: Vec<Vec<Option<f64>>> =
            estate.devices().iter().map(|device| vec![None; device.points.len()]).collect();
        for (slot, device) in estate.devices().iter().enumerate() {
            for (at, point) in counters(device) {
                let bytes = tree.get(&key(device, point))?;
                let count = bytes.and_then(|bytes| bytes.try_into().ok()).map(f64::from_le_bytes);
                stored[slot][at] = count.filter(|count| count.is_finite());
            }
        }
        Ok(Self { tree, stored })
    }

    /// The stored count of a point.
    pub(super) fn get(&self, device: usize, point: usize) -> Option<f64> {
        self.stored[device][point]
    }

    /// Writes the counts that changed; `count` gives the present one of a point. What belongs to
    /// devices that are gone is removed.
    ///
    /// # Errors
    /// The store refused; the next call tries again.
    pub(super) fn save(
        &mut self,
        estate: &Estate,
        count: impl Fn(usize, usize) -> Option<f64>,
    ) -> Result<(), StoreError> {
        let mut changes = Changes::default();
        let mut changed = Vec::new();
        for (slot, device) in estate.devices().iter().enumerate() {
            for (at, point) in counters(device) {
                if let Some(now) = count(slot, at)
                    && self.stored[slot][at] != Some(now)
                {
                    changes.insert(&key(device, point), &now.to_le_bytes());
                    changed.push((slot, at, now));
                }
            }
        }
        self.tree.scan(&[0], &[0xFF], |key, _| {
            if !belongs(estate, key) {
                changes.remove(key);
            }
            ControlFlow::Continue(())
        })?;
        if changes.is_empty() {
            return Ok(());
        }
        self.tree.apply(changes)?;
        for (slot, at, now) in changed {
            self.stored[slot][at] = Some(now);
        }
        Ok(())
    }
}

fn counters(device: &Device) -> impl Iterator<Item = (usize, &Point)> {
    device.points.iter().enumerate().filter(|(_, point)| point.quantity == Quantity::Counter)
}

/// The unit is part of the key: after a change of scale the old count means nothing.
fn key(device: &Device, point: &Point) -> Vec<u8> {
    [device.id.as_str(), &point.name, point.unit.code()].join("\0").into_bytes()
}

fn belongs(estate: &Estate, stored: &[u8]) -> bool {
    let id = stored.split(|byte| *byte == 0).next().unwrap_or_default();
    std::str::from_utf8(id)
        .ok()
        .and_then(|id| crate::model::DeviceId::new(id).ok())
        .is_some_and(|id| estate.find(&id).is_some())
}
