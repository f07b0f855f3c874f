//! A value of an electricity meter from its table: directly, out of a block that the table has, or
//! as a block put together from single values.

use std::collections::BTreeMap;

use crate::protocol::dlt645::{DataId, Edition, Item, Repeat, item};

/// The values of a meter by identifier: what follows the identifier in an answer.
pub(super) type Table = BTreeMap<DataId, Vec<u8>>;

/// Digits of an identifier that ask for all.
const ALL: u32 = 0xFF;
/// The block of the seven status words.
const STATUS_WORDS: DataId = DataId(0x0400_05FF);
const STATUS_WORD_COUNT: u32 = 7;

/// Whether an identifier asks for several values at once.
pub(super) fn is_block(edition: Edition, id: DataId) -> bool {
    id == STATUS_WORDS || item(edition, id).is_some_and(|item| parts(edition, &item).is_some())
}

/// The data of an identifier; `None` when the meter does not have it.
pub(super) fn look_up(edition: Edition, table: &Table, id: DataId) -> Option<Vec<u8>> {
    if let Some(value) = table.get(&id) {
        return Some(value.clone());
    }
    if id == STATUS_WORDS {
        let words = (1..=STATUS_WORD_COUNT).map(|word| DataId(STATUS_WORDS.0 & !ALL | word));
        return gather(table, words, 2, 7, true);
    }
    let item = item(edition, id)?;
    match parts(edition, &item) {
        Some(parts) => {
            let phases = matches!(item.repeat, Repeat::Phases | Repeat::TotalAndPhases);
            gather(table, parts, item.step(), item.repeat.most(), phases)
        }
        None => cut(edition, table, id, item.step()),
    }
}

/// Puts single values together. What is missing at the end is left out; phases that the meter does
/// not have are filled with FFH.
fn gather(
    table: &Table,
    parts: impl Iterator<Item = DataId>,
    step: usize,
    most: usize,
    fill: bool,
) -> Option<Vec<u8>> {
    let values: Vec<Option<&Vec<u8>>> = parts.take(most).map(|id| table.get(&id)).collect();
    values.iter().flatten().next()?;
    let mut data = Vec::with_capacity(values.len() * step);
    for value in values {
        match value {
            Some(value) if value.len() == step => data.extend(value),
            None if fill => data.extend(std::iter::repeat_n(0xFF, step)),
            _ => break,
        }
    }
    (!data.is_empty()).then_some(data)
}

/// The identifiers of the repetitions of a block.
fn parts(edition: Edition, item: &Item) -> Option<Box<dyn Iterator<Item = DataId>>> {
    let first = match item.repeat {
        Repeat::Once => return None,
        Repeat::Tariffs | Repeat::TotalAndPhases | Repeat::Settlements => 0,
        Repeat::Phases | Repeat::Harmonics => 1,
    };
    let id = item.id.0;
    let (mask, shift) = match (edition, item.repeat) {
        (Edition::V1997, _) => (0xF, 0),
        (Edition::V2007, Repeat::Settlements | Repeat::Harmonics) => (ALL, 0),
        (Edition::V2007, _) => (ALL << 8, 8),
    };
    Some(Box::new((first..64).map(move |part| DataId(id & !mask | part << shift))))
}

/// A single value out of a block of the table.
fn cut(edition: Edition, table: &Table, id: DataId, step: usize) -> Option<Vec<u8>> {
    let masks: &[(u32, u32)] = match edition {
        Edition::V1997 => &[(0xF, 0)],
        Edition::V2007 => &[(ALL << 8, 8), (ALL, 0)],
    };
    masks.iter().find_map(|&(mask, shift)| {
        let block = DataId(id.0 | mask);
        let data = table.get(&block)?;
        let first = match item(edition, block)?.repeat {
            Repeat::Phases | Repeat::Harmonics => 1,
            _ => 0,
        };
        let place = ((id.0 & mask) >> shift).checked_sub(first)?;
        let begin = usize::try_from(place).ok()? * step;
        data.get(begin..begin + step).map(<[u8]>::to_vec)
    })
}
