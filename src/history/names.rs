//! The two lists of names, and what stands behind them: readings of some minutes, a day of a
//! device.

use std::sync::Arc;

use super::columns::{Column, Garbled, Numbers, decode, encode, put, put_text};
use crate::model::{DeviceId, Estate};

/// Readings are cut into chunks of about this many bytes before they are packed.
const PIECE: usize = 256 << 10;

/// Devices with their points, in the order in which readings name them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    /// As bytes.
    pub plain: Vec<u8>,
    /// Sum of these bytes: readings say by it which names they mean.
    pub id: u32,
    /// The devices.
    pub devices: Vec<(DeviceId, Vec<Arc<str>>)>,
}

impl Names {
    /// Those of an estate.
    pub fn of(estate: &Estate) -> Self {
        let mut plain = Vec::new();
        let mut devices = Vec::with_capacity(estate.devices().len());
        put(&mut plain, estate.devices().len() as u64);
        for device in estate.devices() {
            let points: Vec<Arc<str>> =
                device.points.iter().map(|point| Arc::clone(&point.name)).collect();
            put_text(&mut plain, device.id.as_str());
            put(&mut plain, points.len() as u64);
            points.iter().for_each(|point| put_text(&mut plain, point));
            devices.push((device.id.clone(), points));
        }
        Self { id: crc32fast::hash(&plain), plain, devices }
    }

    /// Reads them.
    ///
    /// # Errors
    /// These are no names.
    pub fn read(plain: Vec<u8>) -> Result<Self, Garbled> {
        let mut numbers = Numbers(&plain);
        let count = numbers.count(2)?;
        let mut devices = Vec::new();
        for _ in 0..count {
            let id = DeviceId::new(numbers.text()?).map_err(|_| Garbled)?;
            let points = numbers.count(1)?;
            let points =
                (0..points).map(|_| numbers.text().map(Arc::from)).collect::<Result<_, _>>()?;
            devices.push((id, points));
        }
        let left = numbers.0.len();
        if left > 0 {
            return Err(Garbled);
        }
        Ok(Self { id: crc32fast::hash(&plain), plain, devices })
    }
}

/// Readings of many devices as the plain bytes of one or more chunks: the names they mean, then
/// per device its place, its length, its columns.
pub fn put_readings(names: u32, devices: impl Iterator<Item = (u32, Vec<Column>)>) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    let mut piece = names.to_le_bytes().to_vec();
    let mut block = Vec::new();
    for (device, columns) in devices {
        block.clear();
        encode(&mut block, &columns);
        if piece.len() > 4 && piece.len() + block.len() > PIECE {
            pieces.push(std::mem::replace(&mut piece, names.to_le_bytes().to_vec()));
        }
        put(&mut piece, u64::from(device));
        put(&mut piece, block.len() as u64);
        piece.extend_from_slice(&block);
    }
    if piece.len() > 4 {
        pieces.push(piece);
    }
    pieces
}

/// Readings of many devices.
pub struct Readings<'a> {
    /// Which names they mean.
    pub names: u32,
    blocks: Numbers<'a>,
}

impl<'a> Readings<'a> {
    /// Of the plain bytes of a chunk.
    ///
    /// # Errors
    /// They are none.
    pub fn of(plain: &'a [u8]) -> Result<Self, Garbled> {
        let (names, blocks) = plain.split_first_chunk().ok_or(Garbled)?;
        Ok(Self { names: u32::from_le_bytes(*names), blocks: Numbers(blocks) })
    }

    /// The next device and its columns, which are not looked into.
    ///
    /// # Errors
    /// They are none.
    pub fn next(&mut self) -> Result<Option<(u32, &'a [u8])>, Garbled> {
        if self.blocks.0.is_empty() {
            return Ok(None);
        }
        Ok(Some((self.blocks.small()?, self.blocks.bytes()?)))
    }
}

/// The buckets of a device by the names of its points.
pub type Points = Vec<(Arc<str>, Column)>;

/// A day of a device as the plain bytes of one or more chunks: its name, the names of its points,
/// its columns.
pub fn put_day(device: &DeviceId, points: &[(Arc<str>, Column)]) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    let mut rest = points;
    while !rest.is_empty() {
        let (mut bytes, mut taken) = (0, 0);
        for (_, column) in rest {
            bytes += column.buckets.len() * 12;
            if taken > 0 && bytes > PIECE {
                break;
            }
            taken += 1;
        }
        let (these, others) = rest.split_at(taken);
        let mut plain = Vec::new();
        put_text(&mut plain, device.as_str());
        put(&mut plain, these.len() as u64);
        these.iter().for_each(|(name, _)| put_text(&mut plain, name));
        let columns: Vec<Column> = (0u32..)
            .zip(these)
            .map(|(name, (_, column))| Column { name, ..column.clone() })
            .collect();
        encode(&mut plain, &columns);
        pieces.push(plain);
        rest = others;
    }
    pieces
}

/// Reads a day of a device.
///
/// # Errors
/// It is none.
pub fn read_day(plain: &[u8]) -> Result<(DeviceId, Points), Garbled> {
    let mut numbers = Numbers(plain);
    let device = DeviceId::new(numbers.text()?).map_err(|_| Garbled)?;
    let count = numbers.count(1)?;
    let names: Vec<Arc<str>> =
        (0..count).map(|_| numbers.text().map(Arc::from)).collect::<Result<_, _>>()?;
    Ok((device, named(&names, decode(numbers.0)?)?))
}

/// Columns with the names of their points.
///
/// # Errors
/// A column names no point.
pub fn named(names: &[Arc<str>], columns: Vec<Column>) -> Result<Points, Garbled> {
    columns
        .into_iter()
        .map(|column| {
            let name = names.get(column.name as usize).ok_or(Garbled)?;
            Ok((Arc::clone(name), column))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::bucket::{Bucket, Slot};
    use super::*;

    fn points(count: u32, buckets: u32) -> Points {
        let column = |name| Column {
            name,
            exponent: 1,
            buckets: (0..buckets).map(|n| Bucket::new(Slot(n), f64::from(n % 7))).collect(),
        };
        (0..count).map(|n| (format!("point{n}").into(), column(n))).collect()
    }

    #[test]
    fn a_device_with_very_many_points_is_cut_into_chunks_and_is_whole_again() {
        let device = DeviceId::new("locker-1").unwrap();
        let points = points(900, 288);
        let pieces = put_day(&device, &points);
        assert!(pieces.len() > 1);
        let mut back = Vec::new();
        for piece in &pieces {
            assert!(piece.len() < super::super::chunk::MOST);
            let (name, part) = read_day(piece).unwrap();
            assert_eq!(name, device);
            back.extend(part.into_iter().map(|(name, column)| (name, column.buckets)));
        }
        let want: Vec<_> = points.into_iter().map(|(name, c)| (name, c.buckets)).collect();
        assert_eq!(back, want);
    }

    proptest! {
        #[test]
        fn garbage_is_no_list_of_names_and_no_day(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(names) = Names::read(bytes.clone()) {
                prop_assert!(names.devices.len() <= bytes.len());
            }
            if let Ok((_, points)) = read_day(&bytes) {
                prop_assert!(points.len() <= bytes.len());
            }
            if let Ok(mut readings) = Readings::of(&bytes) {
                while let Ok(Some((_, block))) = readings.next() {
                    prop_assert!(block.len() < bytes.len());
                }
            }
        }
    }
}
