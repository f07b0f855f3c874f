//! From what a device said to the values that a model would have.

use super::guess::Said;
use crate::driver::bus::Answer;
use crate::driver::bus::plan::Read;
use crate::model::{Reason, Value};
use crate::profile::{Binding, Profile, decode_bit, decode_item, decode_meter, decode_words};
use crate::protocol::{cjt188, dlt645};

fn factor(profile: &Profile, scale: &crate::profile::Scale) -> f64 {
    let params: Vec<f64> = profile.params.iter().map(|param| param.default).collect();
    scale.resolve(&params)
}

/// The value of a point of a Modbus model.
pub(super) fn register_value(profile: &Profile, slot: usize, said: &Said) -> Result<Value, Reason> {
    let Binding::Modbus { sources, .. } = &profile.binding else { return Err(Reason::Refused) };
    let source = &sources[slot];
    match said {
        Said::Answer(Answer::Words(words)) => {
            decode_words(source, words, factor(profile, &source.scale))
        }
        Said::Answer(Answer::Bits(bits)) => {
            bits.first().ok_or(Reason::BadReply).and_then(|&bit| decode_bit(source, bit))
        }
        _ => Err(Reason::Refused),
    }
}

/// The values of all points of an identifier, by place.
pub(super) fn meter_values(
    profile: &Profile,
    read: Read,
    said: &Said,
) -> Vec<(usize, Result<Value, Reason>)> {
    let mut values = Vec::new();
    match (&profile.binding, read) {
        (Binding::Dlt645(model), Read::Item { id, .. }) => {
            for (slot, source) in model.sources.iter().enumerate().filter(|(_, s)| s.id == id) {
                let value = match said {
                    Said::Answer(Answer::Dlt645 {
                        reply: dlt645::Reply::Data { value, .. },
                        ..
                    }) => {
                        let from = usize::from(source.at);
                        let to = from + usize::from(source.field.length());
                        let bytes = value.get(from..to).ok_or(Reason::BadReply);
                        let factor = factor(profile, &source.scale);
                        bytes.and_then(|bytes| decode_item(source, bytes, factor))
                    }
                    _ => Err(Reason::Refused),
                };
                values.push((slot, value));
            }
        }
        (Binding::Cjt188(model), Read::Meter { id }) => {
            for (slot, source) in model.sources.iter().enumerate().filter(|(_, s)| s.id == id) {
                let value = match said {
                    Said::Answer(Answer::Cjt188 {
                        meter_type,
                        reply: cjt188::Reply::Data { body, .. },
                        ..
                    }) => {
                        let current = cjt188::current(*meter_type, body).ok();
                        let factor = factor(profile, &source.scale);
                        decode_meter(source, body, current.as_ref(), factor)
                    }
                    _ => Err(Reason::Refused),
                };
                values.push((slot, value));
            }
        }
        _ => {}
    }
    values
}
