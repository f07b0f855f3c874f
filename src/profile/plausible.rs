//! What cannot be right about registers: two values in one place, values that no register gives.

use std::ops::Range;

use toml::Spanned;

use super::binding::{Encoding, Param, RegisterSource, Scale};
use super::fault::Faults;
use super::load::table_word;
use super::schema::PointFile;
use crate::model::Point;

/// Two points may share registers when they are the same value told in two ways (other codes, other
/// units), when one is the whole and the other some of its bits, or when both are bits and share
/// none. Everything else is a wrong address, or a wrong encoding before it.
pub(super) fn check_overlaps(
    points: &[Point],
    sources: &[RegisterSource],
    places: &[Range<usize>],
    first_address: u32,
    faults: &mut Faults<'_>,
) {
    let last = |source: &RegisterSource| {
        source.address.saturating_add(source.encoding.width().saturating_sub(1))
    };
    let mut order: Vec<usize> = (0..sources.len().min(points.len())).collect();
    order.sort_by_key(|&slot| (sources[slot].table, sources[slot].address));
    for (place, &slot) in order.iter().enumerate() {
        let source = &sources[slot];
        let near = order[place + 1..].iter().map(|&other| (other, &sources[other]));
        let meets = |(_, other): &(usize, &RegisterSource)| {
            other.table == source.table && other.address <= last(source)
        };
        for (other_slot, other) in near.take_while(meets) {
            let Some(why) = clash(source, other) else { continue };
            // The later one of the file is told; the earlier one was there before.
            let (first, second) = (slot.min(other_slot), slot.max(other_slot));
            let at = places.get(second).cloned().unwrap_or_default();
            let (a, b) = (&sources[second], &sources[first]);
            faults.at(
                at,
                format!(
                    "`{}` ({}) and `{}` ({}) {why}: mend `address`, `encoding` or `bits` of one",
                    points[second].name,
                    taken(a, first_address),
                    points[first].name,
                    taken(b, first_address)
                ),
            );
        }
    }
}

/// Why two sources that share registers cannot both be right.
fn clash(a: &RegisterSource, b: &RegisterSource) -> Option<&'static str> {
    match (a.encoding, b.encoding) {
        (Encoding::Bits { low: low_a, len: len_a }, Encoding::Bits { low: low_b, len: len_b })
            if (low_a, len_a) != (low_b, len_b) =>
        {
            let meet = low_a < low_b + len_b && low_b < low_a + len_a;
            meet.then_some("share bits")
        }
        (Encoding::Bits { .. }, Encoding::Bits { .. }) => (a == b).then_some("are the same bits"),
        (Encoding::Bits { .. }, _) | (_, Encoding::Bits { .. }) => None,
        _ if a == b => Some("are the same value"),
        _ if (a.address, a.encoding, a.order) == (b.address, b.encoding, b.order) => None,
        _ => Some("share registers"),
    }
}

/// What a source takes, in the maker's count: `holding 5 to 6, f32`.
fn taken(source: &RegisterSource, first_address: u32) -> String {
    let (table, first) = (table_word(source.table), first_address + u32::from(source.address));
    let word = encoding_word(source.encoding);
    match source.encoding.width() {
        0 | 1 => format!("{table} {first}, {word}"),
        width => format!("{table} {first} to {}, {word}", first + u32::from(width) - 1),
    }
}

/// As files write it.
fn encoding_word(encoding: Encoding) -> String {
    match encoding {
        Encoding::Bit => "bit".to_owned(),
        Encoding::Unsigned(n) => format!("u{}", u32::from(n) * 16),
        Encoding::Signed(n) => format!("i{}", u32::from(n) * 16),
        Encoding::Float(n) => format!("f{}", u32::from(n) * 16),
        Encoding::Bcd(n) => format!("bcd{}", u32::from(n) * 16),
        Encoding::Bits { low, len } => format!("bits [{low}, {len}]"),
        Encoding::Ascii(_) => "ascii".to_owned(),
        Encoding::Utf16(_) => "utf16".to_owned(),
        Encoding::OffsetSign => "offset_sign".to_owned(),
    }
}

/// Lowest and highest raw number; none for texts, single bits and floating point.
fn raw_span(encoding: Encoding) -> Option<(f64, f64)> {
    let two = |bits: u32| 2_f64.powi(i32::try_from(bits).unwrap_or(64));
    Some(match encoding {
        Encoding::Unsigned(n) => (0.0, two(u32::from(n) * 16) - 1.0),
        Encoding::Signed(n) => (-two(u32::from(n) * 16 - 1), two(u32::from(n) * 16 - 1) - 1.0),
        Encoding::Bcd(n) => (0.0, 10_f64.powi(i32::from(n) * 4) - 1.0),
        Encoding::Bits { len, .. } => (0.0, two(u32::from(len)) - 1.0),
        Encoding::OffsetSign => (-55_535.0, 9_999.0),
        Encoding::Bit | Encoding::Float(_) | Encoding::Ascii(_) | Encoding::Utf16(_) => {
            return None;
        }
    })
}

/// Smallest and largest factor that the parameters may make.
fn factors(scale: &Scale, params: &[Param]) -> (f64, f64) {
    let of = |param: &usize| params.get(*param).map_or((1.0, 1.0), |param| param.range);
    scale.by.iter().map(of).fold((scale.factor, scale.factor), |(a, b), (low, high)| {
        let ends = [a * low, a * high, b * low, b * high];
        (ends.into_iter().fold(f64::MAX, f64::min), ends.into_iter().fold(f64::MIN, f64::max))
    })
}

/// A scale must let some value of the registers into the range, and show more than one of them.
pub(super) fn check_scale(
    file: &PointFile,
    encoding: Encoding,
    scale: &Scale,
    params: &[Param],
    span: &Range<usize>,
    faults: &mut Faults<'_>,
) {
    let Some((raw_low, raw_high)) = raw_span(encoding) else { return };
    let (least, most) = factors(scale, params);
    let ends = [raw_low * least, raw_low * most, raw_high * least, raw_high * most];
    let low = ends.into_iter().fold(f64::MAX, f64::min) + scale.offset;
    let high = ends.into_iter().fold(f64::MIN, f64::max) + scale.offset;
    let unit = file.unit.as_ref().map_or("", |unit| unit.get_ref().as_str());
    let word = encoding_word(encoding);
    let factor = scale.factor;
    let scaled_at = [&file.factor, &file.offset].into_iter().flatten().next();
    let at = || scaled_at.map_or_else(|| span.clone(), |value| value.span());
    let gives = format!("{word} gives {} to {} {unit}", short(low), short(high));
    let gives = gives.trim_end();
    let (mut shown_low, mut shown_high) = (low, high);
    if let Some(range) = &file.range {
        let [from, to] = *range.get_ref();
        if from > high || to < low {
            let message = format!(
                "`factor` = {factor}: {gives}, none of it within `range` [{from}, {to}]; mend `factor`, `offset` or `range`"
            );
            return faults.at(at(), message);
        }
        let step = least.abs().min(most.abs());
        if step > to - from {
            let message = format!(
                "`factor` = {factor}: one step is {} {unit}, wider than `range` [{from}, {to}]; mend `factor` or `range`",
                short(step)
            );
            return faults.at(at(), message);
        }
        (shown_low, shown_high) = (low.max(from), high.min(to));
    }
    let decimals = file.decimals.as_ref().map_or(0, |decimals| *decimals.get_ref());
    if decimals <= 9 && shown_high - shown_low < 10_f64.powi(-i32::from(decimals)) {
        let message = format!(
            "`decimals` = {decimals} shows nothing of it: {gives}; write more `decimals`, or mend `factor`"
        );
        faults.at(file.decimals.as_ref().map_or_else(at, |decimals| decimals.span()), message);
    }
}

/// Six figures are enough for people.
fn short(number: f64) -> f64 {
    format!("{number:.5e}").parse().unwrap_or(number)
}

/// Where a file says which registers a point takes.
pub(super) fn register_place(file: &PointFile) -> Option<Range<usize>> {
    let bits = file.bits.as_ref().map(Spanned::span);
    bits.or_else(|| file.address.as_ref().map(Spanned::span))
}

/// Where a file names a point of a run.
pub(super) fn name_place(file: &PointFile, place: u32) -> Option<Range<usize>> {
    let of_run = || file.names.as_ref()?.get(usize::try_from(place).ok()?).map(Spanned::span);
    file.name.as_ref().map(Spanned::span).or_else(of_run)
}

/// A factor with a fraction needs decimals, or the fraction is rounded away.
pub(super) fn check_decimals(file: &PointFile, faults: &mut Faults<'_>) {
    let Some(factor) = &file.factor else { return };
    let size = factor.get_ref().abs();
    if file.decimals.is_some() || size == 0.0 || size >= 1.0 || !file.codes.is_empty() {
        return;
    }
    let digits = (1..=9).find(|&digits| size * 10_f64.powi(digits) > 0.999_999).unwrap_or(9);
    faults.at(
        factor.span(),
        format!(
            "`factor` = {size} and no `decimals`: values would be rounded to whole numbers; write `decimals = {digits}`, or 0 to 9 as far as they mean something"
        ),
    );
}
