//! From the answer to a block to the readings of its points.

use super::plan::{Block, Slice};
use super::session::Answer;
use super::unit::{Unit, refused_code};
use crate::model::{Batch, Cause, Moment, PointIndex, Reading, Reason, Value};
use crate::profile::{Binding, decode_bit, decode_item, decode_meter, decode_words};
use crate::protocol::cjt188::{self, Current};
use crate::protocol::dlt645;

impl Unit {
    /// The readings of an answer.
    pub(super) fn batch(&self, block: usize, answer: &Answer, at: Moment) -> Batch {
        let block = &self.blocks[block];
        let mut readings = Vec::with_capacity(block.points.len());
        if refused_code(answer).is_some() {
            let refused = |slice: &Slice| Reading::bad(slice.point, Reason::Refused);
            readings.extend(block.points.iter().map(refused));
        } else {
            self.read(block, answer, &mut readings);
        }
        Batch { device: self.index, at, source_time: None, readings, receipt: None }
    }

    fn read(&self, block: &Block, answer: &Answer, readings: &mut Vec<Reading>) {
        let reading = |point: PointIndex, value: Result<Value, Reason>| match value {
            Ok(value) => Reading::good(point, value),
            Err(reason) => Reading::bad(point, reason),
        };
        // Decoded once for all points of the answer.
        let current = match answer {
            Answer::Cjt188 { meter_type, reply: cjt188::Reply::Data { id, body, .. }, .. }
                if matches!(
                    *id,
                    cjt188::DataId::CURRENT | cjt188::DataId::CURRENT_HEAT_COOLING
                ) =>
            {
                cjt188::current(*meter_type, body).ok()
            }
            _ => None,
        };
        for slice in &block.points {
            let value = self.value(*slice, answer, current.as_ref());
            readings.push(reading(slice.point, value));
        }
    }

    fn value(
        &self,
        slice: Slice,
        answer: &Answer,
        current: Option<&Current>,
    ) -> Result<Value, Reason> {
        let slot = slice.point.slot();
        let factor = self.factors[slot];
        match (&self.profile.binding, answer) {
            (Binding::Modbus { sources, .. }, Answer::Words(words)) => words
                .get(slice.range())
                .ok_or(Reason::BadReply)
                .and_then(|words| decode_words(&sources[slot], words, factor)),
            (Binding::Modbus { sources, .. }, Answer::Bits(bits)) => bits
                .get(usize::from(slice.offset))
                .ok_or(Reason::BadReply)
                .and_then(|&bit| decode_bit(&sources[slot], bit)),
            (
                Binding::Dlt645(model),
                Answer::Dlt645 { reply: dlt645::Reply::Data { value, .. }, .. },
            ) => value
                .get(slice.range())
                .ok_or(Reason::BadReply)
                .and_then(|bytes| decode_item(&model.sources[slot], bytes, factor)),
            (
                Binding::Cjt188(model),
                Answer::Cjt188 { reply: cjt188::Reply::Data { body, .. }, .. },
            ) => decode_meter(&model.sources[slot], body, current, factor),
            _ => Err(Reason::BadReply),
        }
    }

    /// Every point without a value: the device went offline.
    pub(super) fn absent(&self, at: Moment) -> Batch {
        let reason = match self.tracker.cause() {
            Some(Cause::NoAnswer) => Reason::NoAnswer,
            Some(Cause::DamagedReplies) => Reason::BadReply,
            _ => Reason::DeviceOffline,
        };
        let points = (0..self.factors.len()).filter_map(|slot| u16::try_from(slot).ok());
        let mut readings = Vec::with_capacity(self.factors.len());
        readings.extend(points.map(|point| Reading::bad(PointIndex(point), reason)));
        Batch { device: self.index, at, source_time: None, readings, receipt: None }
    }
}
