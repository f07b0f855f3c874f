//! What follows for a point from the table of identifiers, or from its place in a meter's reading:
//! length, sign, decimals, factor and unit need not be written; what is written must agree.

use std::ops::Range;

use toml::Spanned;

use super::fault::Faults;
use super::meter::{MeterField, MeterPlace};
use super::schema::{EncodingWord, PointFile};
use crate::model::Unit;
use crate::protocol::dlt645::{self, DataId, Edition, Field, Item, Kind};

/// UCUM code of a unit in the table; those without one are plain numbers.
fn ucum(unit: &str) -> &'static str {
    match unit {
        "kWh" => "kW.h",
        "kvarh" => "kvar.h",
        "kVAh" => "kV.A.h",
        "kW" => "kW",
        "kvar" => "kvar",
        "kVA" => "kV.A",
        "V" => "V",
        "A" => "A",
        "Hz" => "Hz",
        "%" => "%",
        "deg" => "deg",
        "degC" => "Cel",
        "min" => "min",
        _ => "1",
    }
}

/// The field that begins at a byte of an item's data.
fn field_at(item: &Item, at: usize) -> Option<&'static Field> {
    let mut begin = 0;
    for index in 0..item.fields.len() * item.repeat.most() {
        if begin == at {
            return Some(item.field(index));
        }
        begin += usize::from(item.field(index).bytes);
    }
    None
}

fn no_field(item: &Item, at: usize) -> String {
    let step = item.step();
    format!(
        "no field of {} ({}) begins at byte {at}; one value has {step} bytes",
        item.id, item.name_en
    )
}

fn encoding_of(field: &Field) -> Option<EncodingWord> {
    Some(match (field.kind, field.signed) {
        (Kind::Number, false) => EncodingWord::Bcd,
        (Kind::Number, true) => EncodingWord::BcdSigned,
        (Kind::Bits, _) => EncodingWord::Bits,
        (Kind::Ascii, _) => EncodingWord::Ascii,
        (Kind::Digits, _) => EncodingWord::Digits,
        // A date is read as its digits, or as the numbers of its bytes: the file says which.
        (Kind::Clock | Kind::DemandTime, _) => return None,
    })
}

/// The entry with what the table of identifiers tells filled in.
pub(super) fn complete_item(
    edition: Edition,
    file: &PointFile,
    span: &Range<usize>,
    faults: &mut Faults<'_>,
) -> PointFile {
    let mut full = file.clone();
    let Some(id) = &file.id else { return full };
    let Some(item) = dlt645::item(edition, DataId(*id.get_ref())) else { return full };
    let at = file.at.as_ref().map_or(0, |at| usize::from(*at.get_ref()));
    let Some(field) = field_at(&item, at) else {
        faults.at(id.span(), no_field(&item, at));
        return full;
    };
    let Some(encoding) = encoding_of(field) else { return full };
    let title = format!("identifier {} ({})", item.id, item.name_en);
    match &file.encoding {
        Some(given) if *given.get_ref() != encoding => {
            let said = given.get_ref().of_meters().unwrap_or("an encoding of registers");
            let known = encoding.of_meters().unwrap_or_default();
            let message = format!("`encoding` says {said}, but {title} holds {known}");
            faults.at(given.span(), message);
        }
        Some(_) => {}
        None if file.bits.is_some() && encoding != EncodingWord::Bits => {
            let known = encoding.of_meters().unwrap_or_default();
            faults.at(span.clone(), format!("`bits` of {title}, which holds {known}"));
        }
        None => full.encoding = Some(Spanned::new(span.clone(), encoding)),
    }
    match &file.length {
        // The length of a text differs from maker to maker.
        Some(given) if *given.get_ref() != field.bytes && field.kind != Kind::Ascii => {
            let message =
                format!("`length` = {}, but {title} has {} bytes", given.get_ref(), field.bytes);
            faults.at(given.span(), message);
        }
        Some(_) => {}
        None => full.length = Some(Spanned::new(span.clone(), field.bytes)),
    }
    if field.kind == Kind::Number {
        complete_number(&mut full, field, &title, span, faults);
    }
    full
}

/// How many of `to` one of `from` is, as a whole number and the decimals by which it is too large:
/// a kWh is 36 and 4 of a GJ. None for units of another kind, and when no decimals hold it exactly.
fn conversion(from: &str, to: &str) -> Option<(f64, i32)> {
    if from == to {
        return Some((1.0, 0));
    }
    let ratio = Unit::parse(from).ok()?.ratio(Unit::parse(to).ok()?)?;
    (-9..=9).find_map(|shift| {
        let whole = ratio * 10_f64.powi(shift);
        let near = whole.round();
        (near >= 1.0 && (whole - near).abs() < 1e-9 * near).then_some((near, shift))
    })
}

/// Unit, factor and decimals of a number.
fn complete_number(
    full: &mut PointFile,
    field: &Field,
    title: &str,
    span: &Range<usize>,
    faults: &mut Faults<'_>,
) {
    let known = ucum(field.unit);
    let unit = full.unit.get_or_insert_with(|| Spanned::new(span.clone(), known.to_owned()));
    let Some((whole, shift)) = conversion(known, unit.get_ref()) else {
        let message = format!("`unit` = \"{}\", but {title} is in {known}", unit.get_ref());
        faults.at(unit.span(), message);
        return;
    };
    let sign = unit.get_ref().clone();
    let exponent = i32::from(field.decimals) + shift;
    // A quotient of whole numbers is the nearest to the decimal that is meant.
    let ten = 10_f64.powi(exponent.abs());
    let right = if exponent < 0 { whole * ten } else { whole / ten };
    match &full.factor {
        Some(given) if (given.get_ref() / right - 1.0).abs() > 1e-9 => {
            let message = format!(
                "`factor` = {}, but {title} has {} decimals in {known}: {right} for {sign}",
                given.get_ref(),
                field.decimals
            );
            faults.at(given.span(), message);
        }
        Some(_) => {}
        None => full.factor = Some(Spanned::new(span.clone(), right)),
    }
    let most = u8::try_from(exponent.max(0)).unwrap_or(0);
    match &full.decimals {
        // Fewer round; a parameter may bring more.
        Some(given) if *given.get_ref() > most && full.by.is_empty() => {
            let message =
                format!("`decimals` = {}, but {title} has only {most} in {sign}", given.get_ref());
            faults.at(given.span(), message);
        }
        Some(_) => {}
        None => full.decimals = Some(Spanned::new(span.clone(), most)),
    }
}

/// Whether the table, if it knows the identifier, has this field there.
pub(super) fn same_field(
    edition: Edition,
    id: u32,
    at: u8,
    field: MeterField,
    file: &PointFile,
) -> Result<(), String> {
    let Some(item) = dlt645::item(edition, DataId(id)) else { return Ok(()) };
    let Some(there) = field_at(&item, at.into()) else {
        return Err(no_field(&item, at.into()));
    };
    let title = || format!("{} ({}) at byte {at}", item.id, item.name_en);
    let bytes = there.bytes;
    if there.bytes != field.length() && there.kind != Kind::Ascii {
        return Err(format!("{} bytes, but {} has {bytes}", field.length(), title()));
    }
    let kind = match field {
        MeterField::Bcd { signed, .. } => there.kind == Kind::Number && there.signed == signed,
        MeterField::Bits { .. } => there.kind == Kind::Bits,
        MeterField::Ascii { .. } => there.kind == Kind::Ascii,
        MeterField::Digits { .. } => there.kind == Kind::Digits,
    };
    if !kind && !matches!(there.kind, Kind::Clock | Kind::DemandTime) {
        let holds =
            encoding_of(there).and_then(EncodingWord::of_meters).unwrap_or("something else");
        return Err(format!("{} holds {holds}", title()));
    }
    let unit = file.unit.as_ref().map_or("1", |unit| unit.get_ref().as_str());
    let known = ucum(there.unit);
    if there.kind == Kind::Number && conversion(known, unit).is_none() {
        return Err(format!("unit {unit}, but {} is in {known}", title()));
    }
    Ok(())
}

/// Units that a place of a meter's reading may have: UCUM code, factor from the base unit, decimals.
/// The first is the one that is meant when none is written.
fn units(place: MeterPlace) -> &'static [(&'static str, f64, u8)] {
    match place {
        MeterPlace::Volume | MeterPlace::SettlementVolume => &[("m3", 1.0, 2), ("L", 1000.0, 0)],
        MeterPlace::Heat
        | MeterPlace::SettlementHeat
        | MeterPlace::Cold
        | MeterPlace::SettlementCold => {
            &[("kW.h", 1.0, 2), ("W.h", 1000.0, 0), ("MJ", 3.6, 2), ("GJ", 0.0036, 4)]
        }
        MeterPlace::Power => &[("kW", 1.0, 2), ("W", 1000.0, 0)],
        MeterPlace::Flow => &[("m3/h", 1.0, 4), ("L/h", 1000.0, 1)],
        MeterPlace::FlowTwoDecimals => &[("m3/h", 1.0, 2), ("L/h", 1000.0, 0)],
        MeterPlace::SupplyTemperature | MeterPlace::ReturnTemperature => &[("Cel", 1.0, 2)],
        MeterPlace::Hours => &[("h", 1.0, 0)],
        MeterPlace::Valve | MeterPlace::BatteryLow => &[("1", 1.0, 0)],
        MeterPlace::Quantity | MeterPlace::Raw { .. } => &[],
    }
}

/// The entry with what its place tells filled in.
pub(super) fn complete_place(file: &PointFile, faults: &mut Faults<'_>) -> PointFile {
    let mut full = file.clone();
    let Some(word) = &file.place else { return full };
    let units = units(word.get_ref().place());
    let Some(first) = units.first() else { return full };
    let span = word.span();
    let given = file.unit.as_ref().map_or(first.0, |unit| unit.get_ref().as_str());
    let Some((unit, factor, decimals)) = units.iter().find(|(unit, ..)| *unit == given) else {
        let known: Vec<&str> = units.iter().map(|(unit, ..)| *unit).collect();
        let message = format!(
            "unit `{given}` of place `{}`, allowed are {}",
            word.get_ref().word(),
            known.join(" ")
        );
        faults.at(file.unit.as_ref().map_or(span, |unit| unit.span()), message);
        return full;
    };
    full.unit = Some(Spanned::new(span.clone(), (*unit).to_owned()));
    match &file.factor {
        Some(written) if (written.get_ref() / factor - 1.0).abs() > 1e-9 => {
            let message = format!(
                "`factor` = {}, but place `{}` comes in {} and needs {factor} for {unit}; leave it out",
                written.get_ref(),
                word.get_ref().word(),
                first.0
            );
            faults.at(written.span(), message);
        }
        _ => full.factor = Some(Spanned::new(span.clone(), *factor)),
    }
    full.decimals.get_or_insert_with(|| Spanned::new(span, *decimals));
    full
}
