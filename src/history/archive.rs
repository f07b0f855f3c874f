//! Reads the files, without the daemon or beside it: a device over some days, or everything in
//! order of time.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::bucket::{Bucket, Day, Slot, settle};
use super::columns::{Column, decode};
use super::folder::{Folder, if_there};
use super::log::{self, Wounds};
use super::names::named;
use super::sorted;
use crate::model::DeviceId;

/// The buckets of a device by the names of its points.
pub type Device = BTreeMap<Arc<str>, Column>;

/// Adds columns to those that are there; what comes later is later.
pub(super) fn add(device: &mut Device, points: impl IntoIterator<Item = (Arc<str>, Column)>) {
    for (name, column) in points {
        match device.get_mut(&name) {
            Some(there) => {
                there.exponent = there.exponent.max(column.exponent);
                there.buckets.extend(column.buckets);
            }
            None => {
                device.insert(name, column);
            }
        }
    }
}

pub(super) fn settle_all(device: &mut Device) {
    device.values_mut().for_each(|column| settle(&mut column.buckets));
}

/// Days that touch these slots, within what can be told.
pub(super) fn days_of(slots: &Range<Slot>) -> impl Iterator<Item = Day> + use<> {
    let last = Slot(slots.end.0.saturating_sub(1));
    (Day::of(slots.start).0..=Day::of(last).0).map(Day)
}

/// The files of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive(pub(super) Folder);

impl Archive {
    /// Those in a folder.
    pub fn at(path: impl Into<std::path::PathBuf>) -> Self {
        Self(Folder::at(path))
    }

    /// The days that there are.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn days(&self) -> io::Result<Vec<Day>> {
        Ok(self.0.days()?.into_keys().collect())
    }

    /// What is kept of a device on a day, settled. A few small reads when the day is over. Blocks.
    ///
    /// # Errors
    /// What the system said. What is damaged is left out.
    pub fn device(&self, device: &DeviceId, day: Day) -> io::Result<Device> {
        // The log first: when it is gone, the sorted file that took its place is there.
        let log = if_there(File::open(self.0.log(day)))?;
        let mut found = Device::new();
        if let Some(file) = if_there(File::open(self.0.sorted(day)))? {
            add(&mut found, sorted::read(&file, device)?);
        }
        if let Some(file) = log {
            let mut garbled = 0;
            log::read(&file, |id, names, block| {
                if id == device {
                    match decode(block).and_then(|columns| named(names, columns)) {
                        Ok(points) => add(&mut found, points),
                        Err(_) => garbled += 1,
                    }
                }
            })?;
            if garbled > 0 {
                tracing::debug!(%device, garbled, "pieces of the history are garbled");
            }
        }
        settle_all(&mut found);
        Ok(found)
    }

    /// Everything that is kept of a span in order of time: of each bucket its device, its point
    /// and itself. Holds a day at a time, about 40 bytes a bucket: 17 MB for 1500 points. Blocks.
    ///
    /// # Errors
    /// What the system said. What is damaged is left out.
    pub fn walk(
        &self,
        slots: Range<Slot>,
        mut each: impl FnMut(&DeviceId, &Arc<str>, &Bucket),
    ) -> io::Result<Wounds> {
        let mut wounds = Wounds::default();
        for day in self.days()?.into_iter().filter(|day| {
            let of_day = day.slots();
            of_day.start < slots.end && slots.start < of_day.end
        }) {
            let devices = self.day(day, &mut wounds)?;
            let mut rows: Vec<(&DeviceId, &Arc<str>, &Bucket)> = Vec::new();
            for (device, points) in &devices {
                for (point, column) in points {
                    let buckets = column.buckets.iter().filter(|b| slots.contains(&b.slot));
                    rows.extend(buckets.map(|bucket| (device, point, bucket)));
                }
            }
            // Stable: within a bucket of time by device and point.
            rows.sort_by_key(|(_, _, bucket)| bucket.slot);
            rows.into_iter().for_each(|(device, point, bucket)| each(device, point, bucket));
        }
        Ok(wounds)
    }

    fn day(&self, day: Day, wounds: &mut Wounds) -> io::Result<BTreeMap<DeviceId, Device>> {
        self.some(day, |_| true, wounds)
    }

    /// A day of those devices that are wanted, settled.
    pub(super) fn some(
        &self,
        day: Day,
        wanted: impl Fn(&DeviceId) -> bool,
        wounds: &mut Wounds,
    ) -> io::Result<BTreeMap<DeviceId, Device>> {
        let log = if_there(File::open(self.0.log(day)))?;
        let mut devices: BTreeMap<DeviceId, Device> = BTreeMap::new();
        if let Some(file) = if_there(File::open(self.0.sorted(day)))? {
            let of_file = sorted::all(&file, |id, points| {
                if wanted(&id) {
                    add(devices.entry(id).or_default(), points);
                }
            })?;
            wounds.add(of_file);
        }
        if let Some(file) = log {
            let mut garbled = 0;
            let of_file = log::read(&file, |id, names, block| {
                if wanted(id) {
                    match decode(block).and_then(|columns| named(names, columns)) {
                        Ok(points) => add(devices.entry(id.clone()).or_default(), points),
                        Err(_) => garbled += block.len() as u64,
                    }
                }
            })?;
            wounds.add(of_file);
            wounds.bytes += garbled;
        }
        devices.values_mut().for_each(settle_all);
        Ok(devices)
    }
}
