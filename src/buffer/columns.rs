//! Collects batches by device and writes them as the columns of a document.
//!
//! The writer is by hand: at thousands of readings a second, a tree of values for each block would
//! cost more than all the rest of the gateway.

use crate::model::{Batch, Estate, Moment, Quality, Reading, Reason, Value};

use super::json;

/// A text above this is cut: one value must not fill a block.
const MAX_TEXT: usize = 1024;
const NO_CELL: u32 = u32::MAX;
const NO_SLOT: u16 = u16::MAX;

/// Readings that wait for their block to be cut.
#[derive(Debug, Default)]
pub(super) struct Columns {
    devices: Vec<DeviceRows>,
    /// Slot in `devices` by device index, plus one; 0 when the device is not in yet.
    slots: Vec<u32>,
    readings: usize,
    batches: usize,
    estimate: usize,
    oldest: Option<Moment>,
}

#[derive(Debug)]
struct DeviceRows {
    device: crate::model::DeviceIndex,
    rows: Vec<Batch>,
    /// Which of the device's points occur, in order of first appearance.
    points: Vec<u16>,
    /// Slot in `points` by point index.
    slots: Vec<u16>,
}

/// Memory that the writer uses again for each block.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    cells: Vec<u32>,
    notes: Vec<(u32, u32)>,
}

impl Columns {
    /// Takes a batch in. Its receipt must have been taken out before.
    pub fn push(&mut self, estate: &Estate, batch: Batch) {
        let slot = batch.device.slot();
        if self.slots.len() <= slot {
            self.slots.resize(slot + 1, 0);
        }
        let config = estate.device(batch.device);
        if self.slots[slot] == 0 {
            self.devices.push(DeviceRows {
                device: batch.device,
                rows: Vec::new(),
                points: Vec::new(),
                slots: vec![NO_SLOT; config.points.len()],
            });
            self.slots[slot] = u32::try_from(self.devices.len()).unwrap_or(u32::MAX);
            self.estimate += config.id.as_str().len() + 40;
        }
        let device = &mut self.devices[self.slots[slot] as usize - 1];
        for reading in &batch.readings {
            let known = &mut device.slots[reading.point.slot()];
            if *known == NO_SLOT {
                *known = u16::try_from(device.points.len()).unwrap_or(NO_SLOT - 1);
                device.points.push(reading.point.0);
                // Its name, and a `null` for each row before.
                self.estimate += config.points[reading.point.slot()].name.len() + 5;
                self.estimate += device.rows.len() * 5;
            }
            self.estimate += value_bytes(reading);
        }
        self.estimate +=
            7 + (device.points.len() - batch.readings.len().min(device.points.len())) * 5;
        self.readings += batch.readings.len();
        self.batches += 1;
        self.oldest = Some(self.oldest.map_or(batch.at, |oldest| oldest.min(batch.at)));
        device.rows.push(batch);
    }

    /// Readings held.
    pub fn readings(&self) -> usize {
        self.readings
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.batches == 0
    }

    /// Bytes that the document will have, about, before compression.
    pub fn estimate(&self) -> usize {
        self.estimate
    }

    /// The oldest moment held.
    pub fn oldest(&self) -> Option<Moment> {
        self.oldest
    }

    /// Parts of about half the size each, or nothing when a single reading is left.
    pub fn split(mut self, estate: &Estate) -> Option<(Self, Self)> {
        let mut batches: Vec<Batch> = self.devices.drain(..).flat_map(|d| d.rows).collect();
        let rest = match batches.len() {
            0 => return None,
            1 => {
                let all = &mut batches[0];
                if all.readings.len() < 2 {
                    return None;
                }
                let readings = all.readings.split_off(all.readings.len() / 2);
                let (device, at, source_time) = (all.device, all.at, all.source_time);
                vec![Batch { device, at, source_time, readings, receipt: None }]
            }
            n => batches.split_off(n / 2),
        };
        let collect = |batches: Vec<Batch>| {
            let mut columns = Self::default();
            batches.into_iter().for_each(|batch| columns.push(estate, batch));
            columns
        };
        Some((collect(batches), collect(rest)))
    }

    /// Writes `"devices":[…]`. Moments count from `base`.
    pub fn write(
        &mut self,
        estate: &Estate,
        base: Moment,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) {
        out.extend_from_slice(b"\"devices\":[");
        for (n, device) in self.devices.iter_mut().enumerate() {
            if n > 0 {
                out.push(b',');
            }
            // Stable: rows of one moment stay in the order of their arrival.
            device.rows.sort_by_key(|row| row.at);
            device.write(estate, base, scratch, out);
        }
        out.push(b']');
    }
}

impl DeviceRows {
    fn write(&self, estate: &Estate, base: Moment, scratch: &mut Scratch, out: &mut Vec<u8>) {
        let config = estate.device(self.device);
        out.extend_from_slice(b"{\"id\":");
        json::text(out, config.id.as_str());
        out.extend_from_slice(b",\"at\":[");
        json::list(out, &self.rows, |out, row| json::unsigned(out, offset(row.at, base)));
        out.extend_from_slice(b"],\"points\":[");
        json::list(out, &self.points, |out, point| {
            json::text(out, &config.points[usize::from(*point)].name);
        });
        out.extend_from_slice(b"],\"values\":[");
        self.fill(scratch);
        let rows = self.rows.len();
        for point in 0..self.points.len() {
            out.extend_from_slice(if point == 0 { b"[" } else { b",[" });
            for (row, batch) in self.rows.iter().enumerate() {
                if row > 0 {
                    out.push(b',');
                }
                match scratch.cells[point * rows + row] {
                    NO_CELL => out.extend_from_slice(b"null"),
                    cell => write_value(out, batch.readings[cell as usize].value.as_ref()),
                }
            }
            out.push(b']');
        }
        out.push(b']');
        self.write_notes(scratch, out);
        self.write_source_times(out);
        out.push(b'}');
    }

    /// Finds for each point and row the reading, and which readings need a note.
    fn fill(&self, scratch: &mut Scratch) {
        scratch.cells.clear();
        scratch.cells.resize(self.points.len() * self.rows.len(), NO_CELL);
        scratch.notes.clear();
        for (row, batch) in (0u32..).zip(&self.rows) {
            for (index, reading) in (0u32..).zip(&batch.readings) {
                let slot = usize::from(self.slots[reading.point.slot()]);
                scratch.cells[slot * self.rows.len() + row as usize] = index;
                if note(reading).is_some() {
                    scratch.notes.push((row, index));
                }
            }
        }
    }

    fn write_notes(&self, scratch: &Scratch, out: &mut Vec<u8>) {
        if scratch.notes.is_empty() {
            return;
        }
        out.extend_from_slice(b",\"quality\":[");
        json::list(out, &scratch.notes, |out, (row, index)| {
            let reading = &self.rows[*row as usize].readings[*index as usize];
            let (word, reason) = note(reading).expect("only readings with a note are listed");
            out.push(b'[');
            json::unsigned(out, u64::from(*row));
            out.push(b',');
            json::unsigned(out, u64::from(self.slots[reading.point.slot()]));
            out.push(b',');
            json::text(out, word);
            out.push(b',');
            json::text(out, reason);
            out.push(b']');
        });
        out.push(b']');
    }

    fn write_source_times(&self, out: &mut Vec<u8>) {
        if self.rows.iter().all(|row| row.source_time.is_none()) {
            return;
        }
        out.extend_from_slice(b",\"source_times\":[");
        let timed = (0u64..).zip(&self.rows).filter_map(|(n, row)| Some((n, row.source_time?)));
        json::list(out, timed, |out, (row, time)| {
            out.push(b'[');
            json::unsigned(out, row);
            out.push(b',');
            json::signed(out, time.unix_ms);
            out.push(b']');
        });
        out.push(b']');
    }
}

/// Milliseconds from the base to a moment; the base is the oldest moment of the block.
pub(super) fn offset(at: Moment, base: Moment) -> u64 {
    at.boot_ms.saturating_sub(base.boot_ms)
}

/// Quality and reason, for a reading that is not good or is not written as it was read.
fn note(reading: &Reading) -> Option<(&'static str, &'static str)> {
    let quality = match (&reading.value, reading.quality.reason()) {
        (_, Some(_)) => reading.quality,
        (None, None) => Quality::Bad(Reason::NotAvailable),
        (Some(Value::Number(n)), None) if !n.is_finite() => Quality::Bad(Reason::NotAvailable),
        (Some(Value::Text(text)), None) if text.len() > MAX_TEXT => {
            Quality::Uncertain(Reason::Truncated)
        }
        (Some(_), None) => return None,
    };
    Some((quality.word(), quality.reason()?.word()))
}

fn write_value(out: &mut Vec<u8>, value: Option<&Value>) {
    match value {
        Some(Value::Number(n)) => json::number(out, *n),
        Some(Value::Flag(true)) => out.extend_from_slice(b"true"),
        Some(Value::Flag(false)) => out.extend_from_slice(b"false"),
        Some(Value::Text(text)) => json::text(out, json::cut(text, MAX_TEXT)),
        None => out.extend_from_slice(b"null"),
    }
}

fn value_bytes(reading: &Reading) -> usize {
    let value = match &reading.value {
        Some(Value::Text(text)) => text.len().min(MAX_TEXT) + 3,
        Some(Value::Number(_)) => 7,
        _ => 5,
    };
    if reading.quality == Quality::Good { value } else { value + 26 }
}
