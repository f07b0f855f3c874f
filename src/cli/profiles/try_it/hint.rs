//! Whether another order of the registers would make sense of the values.

use super::caught::Caught;
use crate::model::{PointState, Quality, Quantity, Reason, Value};
use crate::profile::{Binding, Encoding, Profile, RegisterSource, WordOrder, decode_words};

const ORDERS: [(WordOrder, &str); 4] = [
    (WordOrder::Abcd, "abcd"),
    (WordOrder::Cdab, "cdab"),
    (WordOrder::Badc, "badc"),
    (WordOrder::Dcba, "dcba"),
];

/// Another order that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hint {
    pub order: &'static str,
    /// Values that make no sense as they are, and those of them that would.
    pub strange: Vec<String>,
    pub mended: usize,
}

/// A number of floating point that no device measures: what the wrong order makes of most values.
fn is_dust(value: f64) -> bool {
    value != 0.0 && value.abs() < 1e-20
}

fn is_float(source: &RegisterSource) -> bool {
    matches!(source.encoding, Encoding::Float(_))
}

/// The value of a point in this order, before it is rounded; `None` when there is none.
fn read(source: &RegisterSource, order: WordOrder, words: &[u16]) -> Option<f64> {
    let source = RegisterSource { order, decimals: 9, ..source.clone() };
    decode_words(&source, words, 1.0).ok().as_ref().and_then(Value::number)
}

/// Whether what was read makes no sense: out of range, not a number, or next to nothing.
fn is_strange(source: &RegisterSource, words: &[u16], state: &PointState) -> bool {
    if matches!(state.quality, Some(Quality::Bad(Reason::OutOfRange | Reason::BadReply))) {
        return true;
    }
    let silent = words.iter().all(|word| matches!(word, 0 | 0xFFFF));
    if !is_float(source) || silent {
        return false;
    }
    match raw_float(source, source.order, words) {
        Some(raw) => is_dust(raw),
        None => !matches!(words, [0x7FC0, 0] | [0, 0x7FC0]),
    }
}

/// The number as it stands in the registers: what rounding would hide.
fn raw_float(source: &RegisterSource, order: WordOrder, words: &[u16]) -> Option<f64> {
    let mut words = words.to_vec();
    if matches!(order, WordOrder::Cdab | WordOrder::Dcba) {
        words.reverse();
    }
    if matches!(order, WordOrder::Badc | WordOrder::Dcba) {
        words.iter_mut().for_each(|word| *word = word.swap_bytes());
    }
    let bits = words.iter().fold(0u64, |bits, word| bits << 16 | u64::from(*word));
    let number = match source.encoding {
        Encoding::Float(2) => f32::from_bits(u32::try_from(bits).ok()?).into(),
        _ => f64::from_bits(bits),
    };
    number.is_finite().then_some(number)
}

/// The order that makes sense of most of the strange values, if one does.
pub(super) fn word_order(
    profile: &Profile,
    params: &[f64],
    points: &[PointState],
    caught: &Caught,
) -> Option<Hint> {
    let Binding::Modbus { sources, .. } = &profile.binding else { return None };
    // Bytes of a single register may be swapped as well.
    let numbers = |source: &&RegisterSource| {
        use Encoding::{Ascii, Bit, Bits, Utf16};
        !matches!(source.encoding, Bit | Bits { .. } | Ascii(_) | Utf16(_))
    };
    let mut strange = Vec::new();
    for (slot, source) in sources.iter().enumerate().filter(|(_, source)| numbers(source)) {
        if let (Some(words), Some(state)) = (caught.words(source), points.get(slot))
            && is_strange(source, &words, state)
        {
            strange.push((slot, source, words));
        }
    }
    let fits = |order: WordOrder, slot: usize, source: &RegisterSource, words: &[u16]| {
        let point = &profile.points[slot];
        let Some(raw) = read(source, order, words) else { return false };
        let float = if is_float(source) { raw_float(source, order, words) } else { None };
        let raw = float.unwrap_or(raw);
        let value = raw * source.scale.resolve(params) + source.scale.offset;
        let usual = match (point.range, point.quantity) {
            (Some((low, high)), _) => (low..=high).contains(&value),
            (None, Quantity::Counter) => (0.0..1e9).contains(&value),
            (None, _) => value.abs() < 1e9,
        };
        usual && !is_dust(raw)
    };
    let mended = |order: WordOrder| {
        let fits = strange.iter().filter(|(slot, source, words)| {
            order != source.order && fits(order, *slot, source, words)
        });
        fits.count()
    };
    let (order, count) = ORDERS
        .map(|(order, name)| (name, mended(order)))
        .into_iter()
        .rev()
        .max_by_key(|(_, count)| *count)?;
    // One value of many may fit by chance.
    let enough = count > 0 && count * 2 > strange.len();
    let names = strange.iter().map(|(slot, ..)| profile.points[*slot].name.to_string());
    enough.then(|| Hint { order, strange: names.collect(), mended: count })
}
