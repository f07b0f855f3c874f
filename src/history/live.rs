//! The buckets that are not in a file yet: the open one of every point, and those that are full
//! and wait to be written. 32 bytes a point and 40 a waiting bucket.

use std::collections::VecDeque;
use std::ops::Range;

use super::bucket::{Bucket, Slot};
use crate::model::{DeviceIndex, Estate, PointIndex};

/// Waiting buckets per point, at the most: more than an hour of them when nothing can be written.
const WAITING: usize = 16;

/// A bucket and whose it is.
pub type Waiting = (u32, Bucket);

/// What is in memory.
#[derive(Debug)]
pub struct Live {
    /// Per device, the number of its first point; at the end that of all.
    first: Vec<u32>,
    /// Per point; slot 0, which no trusted clock shows, is none.
    open: Vec<Bucket>,
    waiting: VecDeque<Waiting>,
    /// Buckets that were given up because nothing could be written for long.
    pub lost: u64,
}

impl Live {
    /// Nothing known yet.
    pub fn new(estate: &Estate) -> Self {
        let mut first = vec![0];
        let mut count = 0u32;
        for device in estate.devices() {
            count += u32::try_from(device.points.len()).unwrap_or(0);
            first.push(count);
        }
        let open = vec![Bucket::default(); count as usize];
        Self { first, open, waiting: VecDeque::new(), lost: 0 }
    }

    fn points(&self, device: DeviceIndex) -> Range<u32> {
        match self.first.get(device.slot()..device.slot() + 2) {
            Some([begin, end]) => *begin..*end,
            _ => 0..0,
        }
    }

    /// Takes a finite value.
    pub fn note(&mut self, device: DeviceIndex, point: PointIndex, slot: Slot, value: f64) {
        let points = self.points(device);
        let number = points.start + u32::from(point.0);
        if !points.contains(&number) || slot == Slot(0) {
            return;
        }
        let bucket = Bucket::new(slot, value);
        let open = &mut self.open[number as usize];
        if open.slot == slot {
            open.absorb(&bucket);
            return;
        }
        let full = std::mem::replace(open, bucket);
        self.wait(number, full);
    }

    fn wait(&mut self, number: u32, bucket: Bucket) {
        if bucket.slot == Slot(0) {
            return;
        }
        if self.waiting.len() >= self.open.len() * WAITING {
            self.waiting.pop_front();
            self.lost += 1;
        }
        self.waiting.push_back((number, bucket));
    }

    /// Lets every bucket before `now` wait to be written; `None` takes the open ones too.
    pub fn close(&mut self, now: Option<Slot>) {
        for number in 0..self.open.len() {
            let open = &mut self.open[number];
            if now.is_none_or(|now| open.slot < now) {
                let full = std::mem::take(open);
                self.wait(number as u32, full);
            }
        }
    }

    /// What waits, in the order in which it came.
    pub fn waiting(&self) -> Vec<Waiting> {
        self.waiting.iter().copied().collect()
    }

    /// So many of the first that waited are in a file.
    pub fn written(&mut self, count: usize) {
        self.waiting.drain(..count.min(self.waiting.len()));
        // What a full disk let grow is not held for ever.
        self.waiting.shrink_to(self.open.len() * 4);
    }

    /// What is known here of a device: its points and their buckets, the older first.
    pub fn of(&self, device: DeviceIndex) -> Vec<(PointIndex, Bucket)> {
        let points = self.points(device);
        let place = |number: u32| PointIndex((number - points.start) as u16);
        let waiting = self.waiting.iter().filter(|(number, _)| points.contains(number));
        let open = points.clone().map(|number| (number, self.open[number as usize]));
        let known = waiting.copied().chain(open.filter(|(_, bucket)| bucket.slot != Slot(0)));
        known.map(|(number, bucket)| (place(number), bucket)).collect()
    }

    /// Device and point of a number.
    pub fn place(&self, number: u32) -> (u32, u32) {
        let device = self.first.partition_point(|first| *first <= number).saturating_sub(1);
        (device as u32, number - self.first[device])
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::estate;
    use super::*;

    #[test]
    fn waiting_buckets_are_bounded_and_the_oldest_go_with_a_count() {
        let mut live = Live::new(&estate(1, 2));
        for slot in 1..=40 {
            live.note(DeviceIndex(0), PointIndex(1), Slot(slot), f64::from(slot));
        }
        assert_eq!((live.waiting().len(), live.lost), (2 * WAITING, 7));
        assert_eq!(live.waiting()[0], (1, Bucket::new(Slot(8), 8.0)));
        live.written(usize::MAX);
        assert_eq!(live.of(DeviceIndex(0)), [(PointIndex(1), Bucket::new(Slot(40), 40.0))]);
    }

    #[test]
    fn a_point_of_a_device_is_found_again_by_its_number() {
        let mut live = Live::new(&estate(3, 4));
        live.note(DeviceIndex(1), PointIndex(3), Slot(5), 2.0);
        // A point and a device that are not there are nobody's.
        live.note(DeviceIndex(1), PointIndex(4), Slot(5), 9.0);
        live.note(DeviceIndex(9), PointIndex(0), Slot(5), 9.0);
        live.close(Some(Slot(5)));
        assert_eq!(live.waiting(), []);
        live.close(Some(Slot(6)));
        let waiting = live.waiting();
        assert_eq!(waiting.len(), 1);
        assert_eq!(live.place(waiting[0].0), (1, 3));
    }
}
