//! Where the points of an RS-485 meter lie, and how their bytes are read.

use std::borrow::Cow;
use std::ops::Range;

use super::binding::Scale;
use super::fault::Faults;
use super::load::Models;
use super::meter::{Cjt188Model, ItemSource, MeterField, MeterPlace, MeterSource};
use super::schema::{EncodingWord, PointFile, QuantityWord};
use super::table_defaults::{complete_item, complete_place, same_field};
use crate::protocol::cjt188::{self, Kind};
use crate::protocol::dlt645::{self, Edition};

/// Where an entry stands, which point of its run, and that point's name.
type At<'f> = (&'f Range<usize>, u32, &'f str);

/// Highest identifier of the edition of 1997: two bytes.
const LAST_1997: u32 = 0xFFFF;
/// Most bytes before the end of a point.
const MOST_BYTES: u32 = 255;

/// The entry with what follows from its identifier or place filled in.
pub(super) fn complete<'f>(
    file: &'f PointFile,
    models: &Models,
    span: &Range<usize>,
    faults: &mut Faults<'_>,
) -> Cow<'f, PointFile> {
    match models {
        Models { dlt645: Some(model), .. } => {
            Cow::Owned(complete_item(model.edition, file, span, faults))
        }
        Models { cjt188: Some(_), .. } => Cow::Owned(complete_place(file, faults)),
        _ => Cow::Borrowed(file),
    }
}

/// Models of registers and messages have no identifiers.
pub(super) fn refuse_meter_keys(file: &PointFile, span: &Range<usize>, faults: &mut Faults<'_>) {
    if file.id.is_some()
        || file.id_step.is_some()
        || file.at.is_some()
        || file.block.is_some()
        || file.block_at.is_some()
        || file.block_step.is_some()
        || file.place.is_some()
    {
        faults.at(
            span.clone(),
            "`id`, `at`, `block`, `place` and their steps belong to models of `[dlt645]` and `[cjt188]`",
        );
    }
}

fn refuse_other_keys(file: &PointFile, span: &Range<usize>, faults: &mut Faults<'_>) {
    if file.topic.is_some() || file.path.is_some() || !file.words.is_empty() {
        faults.at(span.clone(), "`topic`, `path` and `words` belong to MQTT models");
    }
    if file.address.is_some() || file.table.is_some() || file.order.is_some() {
        faults.at(
            span.clone(),
            "`table`, `address` and `order` belong to Modbus models; a meter's point has an `id`",
        );
    }
    if let Some(sentinel) = file.unavailable.first() {
        faults.at(
            sentinel.span(),
            "`unavailable` belongs to other models: a meter says FFH, which is known",
        );
    }
}

/// A text goes with quantity `text`, or with codes.
fn check_text(is_text: bool, file: &PointFile, span: &Range<usize>, faults: &mut Faults<'_>) {
    if is_text != (file.quantity == Some(QuantityWord::Text)) && file.codes.is_empty() {
        faults.at(
            span.clone(),
            "encodings `ascii` and `digits` go with quantity `text` or with `codes`, and only they",
        );
    }
    for raw in file.codes.keys().filter(|raw| !is_text && raw.get_ref().parse::<i64>().is_err()) {
        faults.at(raw.span(), format!("raw code `{}` is no whole number", raw.get_ref()));
    }
}

/// How the bytes of a point are read, from its own keys.
fn field(file: &PointFile, span: &Range<usize>, faults: &mut Faults<'_>) -> Option<MeterField> {
    let word = file.encoding.as_ref().map(|word| *word.get_ref());
    let word = match (word, &file.bits) {
        (Some(word), None) => word,
        (None | Some(EncodingWord::Bits), Some(_)) => EncodingWord::Bits,
        (Some(_), Some(bits)) => {
            faults.at(bits.span(), "`bits` goes with encoding `bits`, which need not be written");
            return None;
        }
        (None, None) => {
            faults.at(
                span.clone(),
                "`encoding` is missing: bcd, bcd_signed, bits, ascii or digits (the table of identifiers does not tell it)",
            );
            return None;
        }
    };
    let encoding_at = || file.encoding.as_ref().map_or_else(|| span.clone(), |word| word.span());
    let Some(name) = word.of_meters() else {
        faults.at(
            encoding_at(),
            "this encoding is one of registers; a meter has bcd, bcd_signed, bits, ascii or digits",
        );
        return None;
    };
    let most = match word {
        EncodingWord::Bcd | EncodingWord::BcdSigned => 8,
        EncodingWord::Bits => 4,
        _ => 64,
    };
    let length = match &file.length {
        Some(length) if (1..=most).contains(length.get_ref()) => *length.get_ref(),
        Some(length) => {
            let message =
                format!("`length` = {}, allowed are 1 to {most} bytes of {name}", length.get_ref());
            faults.at(length.span(), message);
            return None;
        }
        None => {
            faults.at(span.clone(), format!("`length` is missing: 1 to {most} bytes of {name}"));
            return None;
        }
    };
    Some(match word {
        EncodingWord::BcdSigned => MeterField::Bcd { length, signed: true },
        EncodingWord::Ascii => MeterField::Ascii { length },
        EncodingWord::Digits => MeterField::Digits { length },
        EncodingWord::Bits => {
            let whole = length * 8;
            let [low, count] = file.bits.as_ref().map_or([0, whole], |bits| *bits.get_ref());
            if count == 0 || u16::from(low) + u16::from(count) > u16::from(whole) {
                let at = file.bits.as_ref().map_or_else(|| span.clone(), |bits| bits.span());
                let message = format!("bits [{low}, {count}]: [lowest, how many] of {whole}");
                faults.at(at, message);
                return None;
            }
            MeterField::Bits { length, low, count }
        }
        _ => MeterField::Bcd { length, signed: false },
    })
}

/// Bytes before a point of a run; `None` when it would end too far behind.
fn offset(first: u8, step: u32, place: u32, length: u8) -> Option<u8> {
    let at = u32::from(first).saturating_add(step.saturating_mul(place));
    let fits = at.saturating_add(length.into()) <= MOST_BYTES;
    u8::try_from(at).ok().filter(|_| fits)
}

/// The identifier and the offset of a point of a run.
fn placed(
    file: &PointFile,
    id: u32,
    length: u8,
    (span, place, name): At<'_>,
    faults: &mut Faults<'_>,
) -> Option<(u32, u8)> {
    let first = file.at.as_ref().map_or(0, |at| *at.get_ref());
    let step = match (file.step, file.id_step) {
        (Some(step), _) => step.into(),
        (None, Some(_)) => 0,
        (None, None) => u32::from(length),
    };
    let Some(at) = offset(first, step, place, length) else {
        let message = format!("`{name}` would end beyond byte {MOST_BYTES} of identifier {id:#x}");
        faults.at(span.clone(), message);
        return None;
    };
    let id = id.checked_add(file.id_step.unwrap_or(0).saturating_mul(place));
    if id.is_none() {
        faults.at(span.clone(), format!("`{name}` lies beyond the last identifier"));
    }
    Some((id?, at))
}

/// The source of a point of a DL/T 645 model; scale and codes are filled in by who asks.
pub(super) fn item(
    edition: Edition,
    file: &PointFile,
    at: At<'_>,
    faults: &mut Faults<'_>,
) -> Option<ItemSource> {
    let (span, place, name) = at;
    refuse_other_keys(file, span, faults);
    if let Some(word) = &file.place {
        faults.at(word.span(), "`place` belongs to CJ/T 188; a DL/T 645 point has `id` and `at`");
    }
    let Some(id) = &file.id else {
        faults.at(span.clone(), "`id` is missing: the data identifier, for instance 0x02010100");
        return None;
    };
    for id in [Some(id), file.block.as_ref()].into_iter().flatten() {
        if edition == Edition::V1997 && *id.get_ref() > LAST_1997 {
            let number = *id.get_ref();
            let message =
                format!("{number:#X} is no identifier of 1997: two bytes, at most 0xFFFF");
            faults.at(id.span(), message);
            return None;
        }
    }
    let field = field(file, span, faults)?;
    let is_text = matches!(field, MeterField::Ascii { .. } | MeterField::Digits { .. });
    check_text(is_text, file, span, faults);
    let length = field.length();
    let (number, offset_in_id) = placed(file, *id.get_ref(), length, at, faults)?;
    let block = match &file.block {
        Some(block) => {
            let first = file.block_at.as_ref().map_or(0, |at| *at.get_ref());
            let step = file.block_step.unwrap_or(length);
            let Some(in_block) = offset(first, step.into(), place, length) else {
                let message = format!("`{name}` would end beyond byte {MOST_BYTES} of its block");
                faults.at(block.span(), message);
                return None;
            };
            Some((*block.get_ref(), in_block))
        }
        None => {
            if file.block_at.is_some() || file.block_step.is_some() {
                faults.at(span.clone(), "`block_at` and `block_step` need a `block`");
            }
            None
        }
    };
    let spans = [Some(id.span()), file.block.as_ref().map(|block| block.span())];
    for ((id, offset), span) in
        [Some((number, offset_in_id)), block].into_iter().flatten().zip(spans.into_iter().flatten())
    {
        if let Err(message) = same_field(edition, id, offset, field, file) {
            faults.at(span, format!("`{name}`: {message}"));
        }
    }
    Some(ItemSource {
        id: dlt645::DataId(number),
        at: offset_in_id,
        block: block.map(|(id, at)| (dlt645::DataId(id), at)),
        field,
        scale: Scale::default(),
        codes: Vec::new(),
        flag: false,
        decimals: 0,
    })
}

/// The source of a point of a CJ/T 188 model; scale and codes are filled in by who asks.
pub(super) fn meter(
    model: &Cjt188Model,
    file: &PointFile,
    at: At<'_>,
    faults: &mut Faults<'_>,
) -> Option<MeterSource> {
    let (span, ..) = at;
    refuse_other_keys(file, span, faults);
    if file.block.is_some() || file.block_at.is_some() || file.block_step.is_some() {
        faults.at(span.clone(), "`block` belongs to DL/T 645: 901F is one answer for all places");
    }
    let default = match &file.place {
        Some(word) if word.get_ref().place().is_cold() => cjt188::DataId::CURRENT_HEAT_COOLING,
        _ => cjt188::DataId::CURRENT,
    };
    let id = file.id.as_ref().map_or(u32::from(default.0), |id| *id.get_ref());
    let (place, length) = match &file.place {
        Some(word) => {
            check_place(model, file, word.get_ref().place(), id, faults);
            check_text(false, file, span, faults);
            (word.get_ref().place(), 0)
        }
        None => {
            let field = field(file, span, faults)?;
            let is_text = matches!(field, MeterField::Ascii { .. } | MeterField::Digits { .. });
            check_text(is_text, file, span, faults);
            (MeterPlace::Raw { at: 0, field }, field.length())
        }
    };
    let (id, offset) = placed(file, id, length, at, faults)?;
    let Ok(id) = u16::try_from(id) else {
        let message = format!("{id:#X} is no identifier of CJ/T 188: two bytes, at most 0xFFFF");
        faults.at(file.id.as_ref().map_or_else(|| span.clone(), |id| id.span()), message);
        return None;
    };
    let place = match place {
        MeterPlace::Raw { field, .. } => MeterPlace::Raw { at: offset, field },
        place => place,
    };
    Some(MeterSource {
        id: cjt188::DataId(id),
        place,
        scale: Scale::default(),
        codes: Vec::new(),
        flag: false,
        decimals: 0,
    })
}

/// A place must be one that the identifier and the type of meter have.
fn check_place(
    model: &Cjt188Model,
    file: &PointFile,
    place: MeterPlace,
    id: u32,
    faults: &mut Faults<'_>,
) {
    let Some(word) = &file.place else { return };
    let (said, span) = (word.get_ref().word(), word.span());
    if file.at.is_some() || file.encoding.is_some() || file.length.is_some() || file.bits.is_some()
    {
        faults.at(span.clone(), "`place` stands instead of `at`, `encoding`, `length` and `bits`");
    }
    let current = [cjt188::DataId::CURRENT, cjt188::DataId::CURRENT_HEAT_COOLING]
        .iter()
        .any(|known| u32::from(known.0) == id);
    if current == (place == MeterPlace::Quantity) {
        let message = match current {
            true => {
                format!("`quantity` is one number with its unit; {id:04X} holds a whole reading")
            }
            false => format!("`{said}` is a place of 901F and 911F, not of {id:04X}"),
        };
        faults.at(span.clone(), message);
    }
    if place.is_cold() && id == u32::from(cjt188::DataId::CURRENT.0) {
        faults.at(span.clone(), format!("`{said}` is a place of 911F, not of 901F"));
    }
    let fits = match model.meter_type.kind() {
        Kind::Water | Kind::Gas => !place.of_heat_only(),
        Kind::Heat => place != MeterPlace::SettlementVolume,
        Kind::Electricity | Kind::Unknown => true,
    };
    if !fits {
        let (number, name) = (model.meter_type.0, model.meter_type.en());
        let message = format!("a {name} (meter_type {number:#04x}) has no place `{said}`");
        faults.at(span, message);
    }
}
