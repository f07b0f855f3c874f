//! Replies of meters in the examples of a profile, read by the real codecs.

use std::ops::Range;

use super::decode_meter::{decode_item, decode_meter};
use super::example::Expected;
use super::fault::Faults;
use super::meter::{Dlt645Model, ItemSource, MeterPlace, MeterSource};
use crate::protocol::Found;
use crate::protocol::cjt188::{self, DiOrder};
use crate::protocol::dlt645::{self, Edition};

/// What a meter of an example answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MeterAnswer {
    /// The data of a DL/T 645 identifier, put together when it came in several frames.
    Item {
        /// The identifier.
        id: dlt645::DataId,
        /// Its data.
        data: Vec<u8>,
    },
    /// The data of a CJ/T 188 identifier.
    Meter {
        /// The identifier.
        id: cjt188::DataId,
        /// Type that the meter says it has.
        meter_type: cjt188::MeterType,
        /// Its data, without identifier and sequence number.
        body: Vec<u8>,
    },
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = digits.chunks(2).map(|pair| match *pair {
        [high, low] => u8::try_from(digit(high)? << 4 | digit(low)?).ok(),
        _ => None,
    });
    pairs.collect()
}

/// Adds a reply of a DL/T 645 meter to those before it.
pub(super) fn read_item(
    edition: Edition,
    text: &str,
    span: &Range<usize>,
    answers: &mut Vec<MeterAnswer>,
    faults: &mut Faults<'_>,
) {
    let mut say = |message: String| faults.at(span.clone(), message);
    let Some(bytes) = bytes(text) else {
        return say(format!("`{text}` is no frame: pairs of hexadecimal digits"));
    };
    let Found::Frame { frame, .. } = dlt645::find(&bytes) else {
        return say(match dlt645::find_damaged(&bytes) {
            Some(damaged) => format!(
                "the check sum is {:02X}, right is {:02X}, and the last byte {:02X}",
                damaged.checksum,
                damaged.frame.checksum(),
                damaged.end
            ),
            None => format!("`{text}` holds no whole DL/T 645 frame"),
        });
    };
    let said = Edition::of(&frame);
    if said != edition {
        return say("the frame is of the other edition of DL/T 645".to_owned());
    }
    let Some(id) = dlt645::DataId::from_wire(edition, &frame.data) else {
        return say("the frame is no answer with data: it has no identifier".to_owned());
    };
    let follows = frame.function() == dlt645::read_next(frame.address, id, 1).function();
    let request = match (follows, frame.data.last()) {
        (true, Some(&part)) => dlt645::read_next(frame.address, id, part),
        _ => dlt645::read(edition, frame.address, id),
    };
    match dlt645::reply(edition, &request, &frame) {
        Ok(dlt645::Reply::Data { seq: None, value, .. }) => {
            answers.push(MeterAnswer::Item { id, data: value });
        }
        Ok(dlt645::Reply::Data { value, .. }) => match answers.last_mut() {
            Some(MeterAnswer::Item { id: before, data }) if *before == id => data.extend(value),
            _ => say(format!("a following part of {id} whose first part does not stand before it")),
        },
        Ok(_) => say("the frame is no answer with data".to_owned()),
        Err(mismatch) => say(format!("the frame is no answer with data: {mismatch}")),
    }
}

/// Adds a reply of a CJ/T 188 meter to those before it.
pub(super) fn read_meter(
    text: &str,
    span: &Range<usize>,
    answers: &mut Vec<MeterAnswer>,
    faults: &mut Faults<'_>,
) {
    let mut say = |message: String| faults.at(span.clone(), message);
    let Some(bytes) = bytes(text) else {
        return say(format!("`{text}` is no frame: pairs of hexadecimal digits"));
    };
    let Found::Frame { frame, .. } = cjt188::find(&bytes) else {
        return say(format!("`{text}` holds no whole CJ/T 188 frame with a right check sum"));
    };
    let Some(&wire) = frame.data.first_chunk() else {
        return say("the frame is no answer with data: it has no identifier".to_owned());
    };
    let (id, order): (_, DiOrder) = cjt188::DataId::from_wire(wire);
    let ser = frame.data.get(2).copied().unwrap_or(0);
    let request = cjt188::read(frame.meter_type, frame.address, id, order, ser);
    match cjt188::reply(&request, &frame) {
        Ok(cjt188::Reply::Data { body, .. }) => {
            answers.push(MeterAnswer::Meter { id, meter_type: frame.meter_type, body });
        }
        Ok(_) => say("the frame is no answer with data".to_owned()),
        Err(mismatch) => say(format!("the frame is no answer with data: {mismatch}")),
    }
}

/// What the answers give for a point, by its own identifier or else by its block.
pub(super) fn obtain_item(
    source: &ItemSource,
    answers: &[MeterAnswer],
    params: &[f64],
) -> Option<Expected> {
    let factor = source.scale.resolve(params);
    let places = [Some((source.id, source.at)), source.block];
    places.into_iter().flatten().find_map(|(wanted, at)| {
        let data = item_data(wanted, answers)?;
        Some(match data.get(usize::from(at)..) {
            Some(bytes) => decode_item(source, bytes, factor),
            None => Err(crate::model::Reason::BadReply),
        })
    })
}

fn item_data(wanted: dlt645::DataId, answers: &[MeterAnswer]) -> Option<&[u8]> {
    answers.iter().find_map(|answer| match answer {
        MeterAnswer::Item { id, data } if *id == wanted => Some(data.as_slice()),
        _ => None,
    })
}

/// What the answers give for a point.
pub(super) fn obtain_meter(
    source: &MeterSource,
    answers: &[MeterAnswer],
    params: &[f64],
) -> Option<Expected> {
    let factor = source.scale.resolve(params);
    answers.iter().find_map(|answer| match answer {
        MeterAnswer::Meter { id, meter_type, body } if *id == source.id => {
            let current = cjt188::current(*meter_type, body).ok();
            Some(decode_meter(source, body, current.as_ref(), factor))
        }
        _ => None,
    })
}

/// The blocks of a model and whether these answers show each.
pub(super) fn blocks<'m>(
    model: &'m Dlt645Model,
    shows: impl Fn(usize, dlt645::DataId) -> bool + 'm,
) -> impl Iterator<Item = (String, bool)> + 'm {
    model.sources.iter().enumerate().filter_map(move |(slot, source)| {
        let (id, _) = source.block?;
        Some((format!("block {id}"), shows(slot, id)))
    })
}

/// Whether the answers hold the data of an identifier.
pub(super) fn holds(wanted: dlt645::DataId, answers: &[MeterAnswer]) -> bool {
    item_data(wanted, answers).is_some()
}

/// Where a point lies, for people.
pub(super) fn item_place(source: &ItemSource) -> String {
    let place = |id: dlt645::DataId, at| match at {
        0 => id.to_string(),
        _ => format!("{id}+{at}"),
    };
    let own = place(source.id, source.at);
    match source.block {
        Some((id, at)) => format!("DI {own} ({})", place(id, at)),
        None => format!("DI {own}"),
    }
}

/// Where a point lies, for people.
pub(super) fn meter_place(source: &MeterSource) -> String {
    match source.place {
        MeterPlace::Raw { at, .. } => format!("DI {}+{at}", source.id),
        place => format!("DI {} {}", source.id, key(place)),
    }
}

/// A place as profiles write it: `settlement_volume`.
fn key(place: MeterPlace) -> String {
    let mut key = String::new();
    for c in format!("{place:?}").chars() {
        if c.is_ascii_uppercase() && !key.is_empty() {
            key.push('_');
        }
        key.push(c.to_ascii_lowercase());
    }
    key
}
