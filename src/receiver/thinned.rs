//! Thinned blocks: what they stand for, and whether they say so as they should.

use std::collections::HashSet;

use crate::model::{DeviceColumns, Document, EventDocument, EventKind};

use super::Verifier;
use super::verifier::StreamKey;

impl Verifier {
    /// Blocks were replaced by thinned ones: they are no silent gap.
    pub(super) fn follow_thinning(
        &mut self,
        key: &StreamKey,
        seq: u64,
        event: &EventDocument,
    ) -> Result<(), String> {
        let EventKind::ReadingsThinned {
            ranges,
            blocks,
            readings,
            into_from,
            into_to,
            readings_left,
            ..
        } = &event.what
        else {
            return Ok(());
        };
        let ranges: Vec<_> = ranges.iter().map(|(from, to)| (from.0, to.0)).collect();
        let last = ranges.last().map_or(0, |(_, to)| *to);
        if into_from.0 <= last || into_to < into_from || into_to.0 >= seq {
            return Err(format!("block {seq}: thinned into {into_from}..={into_to} after {last}"));
        }
        if readings_left > readings {
            return Err(format!("block {seq}: {readings_left} readings are left of {readings}"));
        }
        self.announce(key, seq, &ranges, *blocks)?;
        self.counted.replaced_blocks += blocks;
        self.counted.announced_readings += readings - readings_left;
        Ok(())
    }

    pub(super) fn count_thinned(&mut self, document: &Document) {
        if document.thinned.is_some() {
            self.counted.thinned += 1;
            let spans = document.devices.iter().flat_map(|device| &device.thinned);
            self.counted.stands_for += spans.map(|span| span.3).sum::<u64>();
        }
    }
}

/// What is wrong with the spans of a device, if anything. `noted` are the readings with a note, by
/// moment and point. A hostile document costs no more than going through it once.
pub(super) fn check_spans(
    device: &DeviceColumns,
    noted: &HashSet<(usize, usize)>,
) -> Result<(), String> {
    let mut before = (0, i64::MIN);
    for span in &device.thinned {
        let (point, from, length) = (span.0 as usize, span.1, span.2);
        let Some(column) = device.values.get(point) else {
            return Err(format!("points at [{point}], which is not there"));
        };
        if length <= 0 || (point, from) < before {
            return Err(format!("a span of {length} ms at {from} ms, out of order"));
        }
        let until = from.saturating_add(length);
        before = (point, until);
        let first = device.at.partition_point(|at| *at < from);
        let end = device.at.partition_point(|at| *at < until);
        let left = (first..end)
            .filter(|at| column[*at].is_some() || noted.contains(&(*at, point)))
            .count() as u64;
        if left == 0 || left > span.3 || span.4 > span.3 {
            return Err(format!("{left} of {} readings are left, {} not good", span.3, span.4));
        }
    }
    Ok(())
}
